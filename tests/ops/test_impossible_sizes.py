"""Sizes that no machine can hold: errors of TensorFlow's class, and nothing allocated."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

import hybridflow as hf
from tests import native

INVALID = hf.errors.InvalidArgumentError
EXHAUSTED = hf.errors.ResourceExhaustedError

# Ops that make arrays of sizes that a value gives: what to call with that vector of sizes, int64;
# sizes that are possible, and ones of 4 TiB or more.
HUGE = 1 << 40
BY_VALUE = {
    "fill": (lambda n: hf.fill(n, 1.0), [2], [HUGE]),
    "fill int32": (lambda n: hf.fill(hf.cast(n, hf.int32), 1.0), [2, 2], [1 << 20, 1 << 20]),
    "zeros": (lambda n: hf.zeros(hf.cast(n, hf.int32)), [2, 2], [1 << 20, 1 << 20]),
    "ones": (lambda n: hf.ones(hf.cast(n, hf.int32)), [2, 2], [1 << 20, 1 << 20]),
    "range": (lambda n: hf.range(n[0]), [2], [10**15]),
    "linspace": (lambda n: hf.linspace(0.0, 1.0, n[0]), [2], [HUGE]),
    "one_hot": (
        lambda n: hf.one_hot(np.zeros(1 << 12, np.int32), hf.cast(n[0], hf.int32)),
        [2],
        [1 << 30],
    ),
    "sequence_mask": (lambda n: hf.sequence_mask([1, 2], n[0]), [2], [HUGE]),
    "eye": (lambda n: hf.eye(hf.cast(n[0], hf.int32)), [2], [1 << 20]),
    "eye of two sizes": (
        lambda n: hf.eye(*hf.unstack(hf.cast(n, hf.int32), num=2)),
        [2, 3],
        [1 << 20, 1 << 21],
    ),
    "matrix_diag": (lambda n: hf.matrix_diag(hf.fill(n, 1.0)), [2], [1 << 20]),
    "diag": (lambda n: hf.diag(hf.fill(n, 1.0)), [2], [1 << 20]),
    "tile": (lambda n: hf.tile([1.0, 2.0], n), [2], [HUGE]),
    "pad": (lambda n: hf.pad([1.0], [[0, 1]] * n), [2], [HUGE]),
    "pad a constant": (lambda n: hf.pad([1.0], [[0, 1]] * n, constant_values=2.0), [2], [HUGE]),
    "broadcast_to": (lambda n: hf.broadcast_to(1.0, n), [2], [HUGE]),
    "scatter_nd": (
        lambda n: hf.scatter_nd(np.array([[0]], np.int64), [1.0], n),
        [2],
        [HUGE],
    ),
    "space_to_batch_nd": (
        lambda n: hf.space_to_batch_nd([[[1.0], [2.0]]], [2], [[0, 2]] * n),
        [2],
        [HUGE],
    ),
    "unsorted_segment_sum": (
        lambda n: hf.unsorted_segment_sum(hf.ones([1, 1 << 10]), [0], hf.cast(n[0], hf.int32)),
        [2],
        [2**31 - 1],
    ),
    "segment_sum": (lambda n: hf.segment_sum([1.0], n), [2], [HUGE]),
    "unsorted_segment_max": (
        lambda n: hf.unsorted_segment_max(hf.ones([1, 1 << 10]), [0], hf.cast(n[0], hf.int32)),
        [2],
        [2**31 - 1],
    ),
    "dynamic_stitch": (
        lambda n: hf.dynamic_stitch([hf.cast(n, hf.int32)], [hf.ones([1, 1 << 10])]),
        [2],
        [2**31 - 2],
    ),
    "confusion_matrix": (
        lambda n: hf.confusion_matrix([0], [0], hf.cast(n[0], hf.int32)),
        [2],
        [1 << 20],
    ),
    "conv2d_transpose": (
        lambda n: hf.nn.conv2d_transpose(
            hf.ones([1, 1, 1, 1 << 10]),
            hf.ones([1, 1, 1, 1 << 10]),
            hf.cast(n, hf.int32),
            [1, 1 << 21, 1 << 21, 1],
        ),
        [1, 1, 1, 1],
        [1, 1 << 21, 1 << 21, 1],
    ),
    "random_uniform": (lambda n: hf.random_uniform(n), [2], [HUGE]),
    "random_normal": (lambda n: hf.random_normal(n), [2], [HUGE]),
    "truncated_normal": (lambda n: hf.truncated_normal(n), [2], [HUGE]),
    "random integers": (lambda n: hf.random_uniform(n, 0, 9, hf.int32), [2], [HUGE]),
    "multinomial": (
        lambda n: hf.multinomial(np.zeros((1 << 10, 2), np.float32), hf.cast(n[0], hf.int32)),
        [2],
        [2**31 - 1],
    ),
}
# Ops of which the sizes come from those of their inputs: NumPy asks the system, which refuses what
# no address reaches.
BY_SHAPE = {
    "an outer sum": lambda n: hf.fill(n, 1.0)[:, None] + hf.fill(n, 1.0),
    "add": lambda n: hf.add(hf.fill(n, 1.0)[:, None], hf.fill(n, 1.0)),
    "matmul": lambda n: hf.matmul(hf.fill(n, 1.0)[:, None], hf.fill(n, 1.0)[None]),
}
# Sizes that int64 cannot count, or negative ones: refused as arguments.
REFUSED = {
    "fill": (lambda n: hf.fill(n, 1.0), [1 << 40, 1 << 40]),
    "fill of a product that wraps to 0": (lambda n: hf.fill(n, 1.0), [1 << 32, 1 << 32]),
    "fill negative": (lambda n: hf.fill(n, 1.0), [-2, -3]),
    "tile": (lambda n: hf.tile([[1.0]], n), [1 << 40, 1 << 40]),
    "pad": (lambda n: hf.pad([[1.0]], n[:, None] * [[0, 1]]), [1 << 40, 1 << 40]),
    "broadcast_to": (lambda n: hf.broadcast_to(1.0, n), [1 << 40, 1 << 40]),
    "broadcast_to negative": (lambda n: hf.broadcast_to(1.0, n), [-2, -3]),
    "scatter_nd negative": (
        lambda n: hf.scatter_nd(np.zeros((0, 2), np.int64), np.zeros(0), n),
        [-2, -3],
    ),
    "random_uniform": (lambda n: hf.random_uniform(n), [1 << 40, 1 << 40]),
    "random_normal negative": (lambda n: hf.random_normal(n), [-2, -3]),
    "range": (lambda n: hf.range(0.0, hf.cast(n[0], hf.float32) * 1e30), [1 << 40]),
}
# Said while the graph is built.
AT_ONCE = {
    "zeros": lambda: hf.zeros([HUGE]),
    "ones": lambda: hf.ones([HUGE]),
    "constant": lambda: hf.constant(1.0, shape=[HUGE]),
    "eye": lambda: hf.eye(3, batch_shape=[1 << 20, 1 << 20]),
}


@pytest.fixture
def nothing_large():
    """Nothing large is allocated by the way: NumPy tells `tracemalloc` what it asks for."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 28


def _sizes(values):
    return np.array(values, np.int64)


@pytest.mark.parametrize("name", BY_VALUE)
def test_too_large_for_the_machine_in_eager_mode(name, nothing_large):
    call, small, huge = BY_VALUE[name]
    with hf.eager_mode():
        call(hf.constant(_sizes(small)))
        with pytest.raises(EXHAUSTED, match=r"OOM.*shape.*op") as caught:
            call(hf.constant(_sizes(huge)))
    assert caught.value.error_code == hf.errors.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("name", BY_VALUE)
def test_too_large_for_the_machine_in_a_graph(name, nothing_large):
    """Of constants, and of what is fed to a plan that runs natively by then."""
    call, small, huge = BY_VALUE[name]
    with hf.Graph().as_default(), hf.Session() as session:
        fixed = call(hf.constant(_sizes(huge)))
        fed = hf.placeholder(hf.int64, [len(small)])
        result = call(fed)
        for _ in range(3):
            session.run(result, {fed: _sizes(small)})
        native.wait()
        for _ in range(3):
            session.run(result, {fed: _sizes(small)})
            with pytest.raises(EXHAUSTED, match=r"(?s)shape.*Caused by op"):
                session.run(result, {fed: _sizes(huge)})
            with pytest.raises(EXHAUSTED, match=r"(?s)shape.*Caused by op"):
                session.run(fixed)
        native.wait()


@pytest.mark.parametrize("name", REFUSED)
def test_sizes_that_are_none(name, nothing_large):
    call, sizes = REFUSED[name]
    with hf.eager_mode(), pytest.raises(INVALID):
        call(hf.constant(_sizes(sizes)))
    with hf.Graph().as_default(), hf.Session() as session:
        fed = hf.placeholder(hf.int64, [len(sizes)])
        result = call(fed)
        for _ in range(3):
            with pytest.raises(INVALID, match="op"):
                session.run(result, {fed: _sizes(sizes)})


@pytest.mark.parametrize("name", AT_ONCE)
def test_constants_too_large(name, nothing_large):
    with hf.Graph().as_default(), pytest.raises(EXHAUSTED, match=r"shape\[.*Const"):
        AT_ONCE[name]()


def test_python_sizes_beyond_int32(nothing_large):
    """A list of ints is a shape of int64 where it must be; it never wraps."""
    for make in (lambda n: hf.random_uniform(n), lambda n: hf.random_uniform(n, 0, 9, hf.int32)):
        with hf.eager_mode(), pytest.raises(EXHAUSTED, match=r"shape\[1099511627776\]"):
            make([HUGE])
        with hf.Graph().as_default(), hf.Session() as session:
            drawn = make([HUGE])
            with pytest.raises(EXHAUSTED, match=r"shape\[1099511627776\]"):
                session.run(drawn)


@pytest.mark.parametrize("name", BY_SHAPE)
def test_memory_that_numpy_does_not_get(name):
    with hf.eager_mode(), pytest.raises(EXHAUSTED, match=r"OOM.*shape.*\(op: '\w+'\)"):
        BY_SHAPE[name](hf.constant(_sizes([1 << 24])))
    with hf.Graph().as_default(), hf.Session() as session:
        result = BY_SHAPE[name](hf.constant(_sizes([1 << 24])))
        with pytest.raises(EXHAUSTED, match=r"(?s)OOM.*shape.*Caused by op"):
            session.run(result)


def test_the_limit_is_the_memory_of_the_machine(monkeypatch):
    from_module = sys.modules["hybridflow._src.ops.allocation"]
    monkeypatch.setattr(from_module, "MEMORY", 4000)
    with hf.eager_mode():
        assert hf.fill([1000], 1.0).shape == [1000]
        with pytest.raises(EXHAUSTED, match=r"shape\[1001\] and type float32 in op Fill"):
            hf.fill([1001], 1.0)


@pytest.mark.parametrize("pool", [hf.nn.max_pool, hf.nn.avg_pool])
def test_windows_that_are_larger_than_all_that_they_look_at(pool):
    """They take no longer than those that just cover it."""
    x = np.random.default_rng(3).normal(size=(1, 4, 5, 2)).astype(np.float32)
    with hf.eager_mode():
        found, wanted = (
            pool(x, [1, size, size, 1], [1, 1, 1, 1], "SAME").numpy() for size in (1 << 40, 11)
        )
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_texts_that_are_too_wide():
    with hf.eager_mode(), pytest.raises(EXHAUSTED, match="2 texts of 1099511627776 letters"):
        hf.as_string([1.0, 2.0], width=HUGE)
