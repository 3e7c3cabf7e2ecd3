"""Candidate samplers and sampled losses: TensorFlow's numbers, errors."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded import reader

CASES = reader.table("candidates")
SAMPLERS = [ident for ident, case in CASES.items() if "runs" in case]
LOSSES = [ident for ident, case in CASES.items() if "loss" in case]


@pytest.mark.parametrize("ident", SAMPLERS)
def test_numbers_under_a_seed(ident):
    case = CASES[ident]
    with hf.Graph().as_default(), hf.Session() as session:
        outputs = getattr(hf.nn, case["fn"])(case["classes"], *case["args"], **case["kwargs"])
        for run in range(3):
            drawn, *counts = session.run(list(outputs))
            np.testing.assert_array_equal(drawn, case["runs"][0][run])
            for got, wanted in zip(counts, case["runs"][1:], strict=True):
                np.testing.assert_allclose(got, wanted[run], rtol=1e-6)


@pytest.mark.parametrize("ident", LOSSES)
def test_a_loss_and_its_gradients(execution, ident):
    case = CASES[ident]

    def loss(table, biases, inputs):
        return getattr(hf.nn, case["fn"])(
            table,
            biases,
            hf.constant(case["classes"]),
            inputs,
            4,
            10,
            2,
            [hf.constant(value) for value in case["sampled"]],
            case["hits"],
        )

    np.testing.assert_allclose(execution(loss, *case["inputs"]), case["loss"], rtol=1e-5)
    grads = execution.gradient(loss, *case["inputs"])
    for got, wanted in zip(grads, case["grads"], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_a_class_that_is_right_twice_and_drawn(execution):
    sampled = [[5], [[1.0, 1.0]], [1.0]]

    def loss(table):
        return hf.nn.nce_loss(
            table, hf.zeros([6]), [[5, 5]], hf.ones([1, 2]), 1, 6, 2,
            [hf.constant(sampled[0], hf.int64), *sampled[1:]], True,
        )  # fmt: skip

    value = execution(loss, np.zeros((6, 2), np.float32))
    np.testing.assert_allclose(value, [2 * np.log(2)], rtol=1e-6)


def test_the_file_of_a_vocabulary(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("a,1\nb,0\nc,0\n", encoding="utf-8")
    with hf.eager_mode():
        found = hf.nn.fixed_unigram_candidate_sampler([[0]], 1, 3, False, 3, str(path))
        assert found[0].numpy().tolist() == [0, 0, 0]
        path.write_text("a,one\n", encoding="utf-8")
        with pytest.raises(hf.errors.InvalidArgumentError, match="Wrong vocabulary format"):
            hf.nn.fixed_unigram_candidate_sampler([[0]], 1, 3, False, 1, str(path))


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "message"),
    [
        ("uniform", ([[0]], 1, 4, True, 3), {}, "range is too small"),
        ("uniform", ([[0]], 2, 4, False, 3), {}, "must be equal, but are 1 and 2"),
        ("log_uniform", ([[0]], 1, 4, False, 0), {}, "'range_max' of 0"),
        ("fixed_unigram", ([[0]], 1, 4, False, 3), {}, "either vocab_file or unigrams"),
        ("fixed_unigram", ([[0]], 1, 4, False, 3), {"unigrams": [1.0]}, "there are 1 weights"),
    ],
)
def test_what_cannot_be_drawn(function, args, kwargs, message):
    with hf.eager_mode(), pytest.raises(hf.errors.InvalidArgumentError, match=message):
        getattr(hf.nn, f"{function}_candidate_sampler")(*args, **kwargs)
