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
