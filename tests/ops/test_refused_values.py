"""What an op refuses eagerly it refuses in a graph that did not know the shapes of its inputs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import OPS, Sample
from tests.ops import table

REFUSED = (TypeError, ValueError, hf.errors.OpError)


def misshapen(array: np.ndarray) -> Iterator[np.ndarray]:
    """An array with a size or the rank changed, and a number changed where it holds sizes."""
    for axis, size in enumerate(array.shape):
        for other in {0, 1, size + 1} - {size}:
            yield np.resize(array, [*array.shape[:axis], other, *array.shape[axis + 1 :]])
    yield np.resize(array, (1, *array.shape))
    yield np.resize(array, array.shape[1:])
    yield array.T
    if array.dtype.kind == "i" and array.size:
        for number in (-2, 0, 1, 100):
            changed = array.copy()
            changed.reshape(-1)[-1] = number
            yield changed


def variants(row: table.Row) -> Iterator[list[np.ndarray]]:
    """The inputs of a row with one of them changed."""
    for index, array in enumerate(row.arrays):
        if array.size or array.dtype.kind != "O":
            for other in misshapen(array):
                yield [*row.arrays[:index], other.astype(array.dtype), *row.arrays[index + 1 :]]


def run_graph(row: table.Row) -> None:
    """Runs the op on inputs of unknown rank."""
    with hf.Graph().as_default(), hf.Session() as session:
        tensors, feed = table.inputs_of(row.arrays, table.RANK_UNKNOWN)
        args = table.like(row.sample.args, iter(tensors))
        session.run(table.listed(row.op(*args, **row.sample.attrs)), feed)


@pytest.mark.parametrize("name", [n for n in table.sampled_ops() if OPS[n].effect is None])
def test_a_graph_refuses_what_eager_mode_refuses(name):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for row in table.rows(OPS[name]):
        cases = list(variants(row))
        for index in rng.permutation(len(cases))[:8]:
            arrays = cases[index]
            args = table.like(row.sample.args, iter(arrays))
            changed = row._replace(sample=Sample(*args, **row.sample.attrs))
            try:
                table.eager(changed)
            except REFUSED:
                with pytest.raises(REFUSED):
                    run_graph(changed)


# Which input says how many, or which dimension.
COUNTS = {
    "ArgMax": 1,
    "ArgMin": 1,
    "AudioSummaryV2": 2,
    "Bincount": 1,
    "ConcatV2": -1,
    "Cumprod": 1,
    "Cumsum": 1,
    "GatherV2": 2,
    "InTopKV2": 2,
    "LinSpace": 2,
    "OneHot": 1,
    "Range": 1,
    "Recurrence": 2,
    "Split": 0,
    "SplitV": 2,
    "TopKV2": 1,
    "UnsortedSegmentMax": 2,
    "UnsortedSegmentSum": 2,
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_is_no_vector_of_one(name):
    """Which NumPy converts in some releases, with a warning, and refuses in others."""
    row = next(iter(table.rows(OPS[name])))
    arrays = list(row.arrays)
    assert arrays[COUNTS[name]].shape == ()
    arrays[COUNTS[name]] = arrays[COUNTS[name]].reshape(1)
    changed = row._replace(
        sample=Sample(*table.like(row.sample.args, iter(arrays)), **row.sample.attrs)
    )
    for run in (table.eager, run_graph):
        with pytest.raises(REFUSED, match=r"scalar|rank 0"):
            run(changed)


@pytest.mark.parametrize("traced", [False, True])
def test_sums_broadcast_nothing_whatever_a_graph_knows(traced):
    if traced:
        add = hf.function(lambda x, y: hf.add_n([x, y]))
        with hf.eager_mode(), pytest.raises(REFUSED, match="not compatible"):
            add(hf.ones([2, 3]), hf.ones([3]))
        return
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = hf.placeholder(hf.float32), hf.placeholder(hf.float32)
        total = hf.add_n([x, y])
        for _ in range(3):
            with pytest.raises(hf.errors.InvalidArgumentError, match="not compatible"):
                session.run(total, {x: np.ones([2, 3]), y: np.ones([3])})
