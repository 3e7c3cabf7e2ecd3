"""Networks whose steps are written out: what is refused, buckets, outputs that are fed back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

legacy = hf.contrib.legacy_seq2seq
GRU = hf.nn.rnn_cell.GRUCell
IDS = [np.array([1, 2], np.int32), np.array([0, 3], np.int32)]


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


@pytest.mark.parametrize("fed", [False, True])
def test_a_tensor_decides_whether_outputs_are_fed_back(run: Execution, fed: bool) -> None:
    def program(chosen: Any, *symbols: Any) -> Any:
        found = []
        for feed in (fed, chosen):
            with hf.variable_scope("model", reuse=hf.AUTO_REUSE, initializer=ramp):
                outputs, state = legacy.embedding_rnn_seq2seq(
                    list(symbols), list(symbols), GRU(4), 5, 6, 3, feed_previous=feed
                )
            found.append([*outputs, state])
        return found

    def ramp(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        size = int(np.prod([int(s) for s in shape]))
        return hf.constant(np.sin(np.arange(size, dtype=np.float32)).reshape(shape))

    one, other = run(program, np.array(fed), *IDS)
    for x, y in zip(one, other, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6)


def test_buckets_share_their_variables(run: Execution) -> None:
    def program(x: Any) -> Any:
        inputs = [x, x * 2.0, x * 3.0]
        outputs, losses = legacy.model_with_buckets(
            inputs,
            inputs,
            [hf.constant([0, 1])] * 3,
            [hf.ones([2])] * 3,
            [(1, 1), (3, 2)],
            lambda given, wanted: legacy.tied_rnn_seq2seq(given, wanted, GRU(4)),
            per_example_loss=True,
        )
        counted.append((*map(len, outputs), len(hf.trainable_variables())))
        return losses

    counted: list[tuple[int, ...]] = []
    losses = run(program, np.ones([2, 3], np.float32))
    assert counted[-1] == (1, 2, 4)
    assert [loss.shape for loss in losses] == [(2,), (2,)]


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "no_inputs": (
        lambda x: legacy.attention_decoder([], x, x, GRU(3)),
        ValueError,
        "at least 1 input",
    ),
    "no_heads": (
        lambda x: legacy.attention_decoder([x], x, x, GRU(3), num_heads=0),
        ValueError,
        "less than 1 heads",
    ),
    "lengths": (
        lambda x: legacy.sequence_loss_by_example([x], [], [x]),
        ValueError,
        "must be the same 1, 1, 0",
    ),
    "bucket": (
        lambda x: legacy.model_with_buckets([x], [x], [x], [x], [(2, 1)], None),
        ValueError,
        r"encoder_inputs \(1\) must be at least that of last bucket \(2\)",
    ),
    "names": (
        lambda x: legacy.one2many_rnn_seq2seq([x], {"a": [x]}, GRU(3), {}, 5, {}, 3),
        ValueError,
        "keys of dec_cells_dict",
    ),
    "cell": (
        lambda x: legacy.one2many_rnn_seq2seq([x], {}, 3, {}, 5, {}, 3),
        TypeError,
        "enc_cell must be an instance of RNNCell",
    ),
    "projection": (
        lambda x: legacy.embedding_rnn_decoder([x], x, GRU(3), 5, 3, (x, hf.ones([4]))),
        ValueError,
        "incompatible",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(run: Execution, name: str) -> None:
    function, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        run(function, np.ones([2, 5], np.float32))
