"""Values and shapes that are known while the graph is built."""

from __future__ import annotations

import time

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.static_value import constant_dims, constant_value


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as g:
        yield g


def unknown(*shape):
    return hf.placeholder(hf.int32, list(shape))


def test_values_that_are_known():
    x = hf.placeholder(hf.float32, [2, 3])
    for tensor, value in (
        (hf.constant([1, 2]), [1, 2]),
        (hf.constant([1, 2]) + 3, [4, 5]),
        (hf.shape(x), [2, 3]),
        (hf.size(x), 6),
        (hf.rank(hf.placeholder(hf.float32, [None, None])), 2),
        (hf.shape(x) * 2, [4, 6]),
        (hf.stack([hf.shape(x)[1], 7]), [3, 7]),
        (hf.concat([hf.shape(x), [-1]], 0), [2, 3, -1]),
        (hf.cast(hf.constant(2.7), hf.int32), 2),
        (hf.range(3), [0, 1, 2]),
    ):
        found = constant_value(tensor)
        assert found is not None
        assert found.tolist() == value
        assert found.dtype == tensor.dtype.np


def test_values_that_are_not():
    x = hf.placeholder(hf.float32, [None, 3])
    for tensor in (
        unknown(),
        hf.shape(x),
        hf.size(x),
        hf.rank(hf.placeholder(hf.float32)),
        unknown(2) + 1,
        hf.random_uniform([2]),
        hf.get_variable("v", [2]) + 0.0,
        hf.placeholder_with_default([1, 2], [2]),
        hf.unstack(hf.constant([1, 2]))[0],
        hf.py_func(lambda: np.float32(1), [], hf.float32),
        hf.zeros([300, 300]) + 1.0,
        unknown(1)[0],
        hf.cond(hf.constant(True), lambda: 1, lambda: 2),
    ):
        assert constant_value(tensor) is None


def test_an_op_that_would_fail_has_no_value():
    assert constant_value(hf.gather(hf.constant([1, 2]), 5)) is None


def test_eager_values_are_known():
    with hf.eager_mode():
        assert constant_value(hf.constant([1, 2])).tolist() == [1, 2]
        assert constant_dims(hf.constant([1, -1])) == (1, None)


def test_nan_is_silent():
    with np.errstate(all="raise"):
        assert np.isinf(constant_value(hf.constant(1.0) / hf.constant(0.0)))


def test_shapes_known_in_part():
    x = hf.placeholder(hf.float32, [None, 3, 4])
    shape = hf.shape(x)
    for tensor, dims in (
        (hf.constant([2, -1, 3]), (2, None, 3)),
        (hf.constant(np.zeros(0, np.int32)), ()),
        (shape, (None, 3, 4)),
        (hf.shape(hf.placeholder(hf.float32)), None),
        (shape[1:], (3, 4)),
        (shape[:-1], (None, 3)),
        (shape[::2], (None, 4)),
        (hf.stack([shape[0], 7, shape[2]]), (None, 7, 4)),
        (hf.stack([unknown(), 7]), (None, 7)),
        (hf.concat([shape[:1], [5], shape[1:]], 0), (None, 5, 3, 4)),
        (hf.concat([unknown(2), [5]], 0), (None, None, 5)),
        (hf.concat([unknown(None), [5]], 0), None),
        (hf.cast(shape, hf.int64), (None, 3, 4)),
        (hf.identity(shape), (None, 3, 4)),
        (unknown(3), (None, None, None)),
        (unknown(None), None),
        (hf.placeholder(hf.int32), None),
        (shape + 1, (None, None, None)),
        (hf.constant(5), None),
    ):
        assert constant_dims(tensor) == dims


def test_shapes_flow_through_ops_that_take_them():
    x = hf.placeholder(hf.float32, [None, 6])
    assert hf.reshape(x, hf.stack([hf.shape(x)[0], 2, 3])).shape.as_list() == [None, 2, 3]
    assert hf.zeros(hf.shape(x)).shape.as_list() == [None, 6]


def test_long_programs_are_given_up_and_not_followed_too_deep():
    n = hf.constant(1)
    for _ in range(3000):
        n = n + 1
    assert constant_value(n) is None
    assert hf.fill([n], 0.0).shape.as_list() == [None]
    shape = hf.shape(hf.placeholder(hf.float32, [None, 2]))
    for _ in range(3000):
        shape = hf.identity(shape)
    assert constant_dims(shape) == (None, None)


def test_shared_parts_are_computed_once():
    n = hf.constant(1)
    for _ in range(60):
        n = n + n
    start = time.process_time()
    assert constant_value(n) is not None
    # Without sharing this would take 2**60 additions.
    assert time.process_time() - start < 5


def test_what_is_too_long_for_a_shape_is_none():
    with hf.Graph().as_default():
        filled = hf.fill(hf.range(0, 1 << 40), 1.0)
        assert filled.shape.ndims is None
        assert hf.zeros(hf.placeholder(hf.int32, [5])).shape.ndims == 5
