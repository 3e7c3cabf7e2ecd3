"""Sums, means, norms, moments, losses and softmax of many numbers of few digits, in all executions.

Half precision holds three digits, and nothing above 65,504: added one by one, ones stay at 2,048.
An 8-bit integer holds no count above 127.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.ops.test_kernels import agrees

MANY = 100_000
RNG = np.random.default_rng(0)
ROW, COLUMN = (2, MANY), (MANY, 2)
# Functions of one tensor, whose value is known in double precision.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": hf.reduce_sum,
    "sum of columns": lambda x: hf.reduce_sum(x, 0),
    "sum of rows": lambda x: hf.reduce_sum(x, 1),
    "sum of the middle": lambda x: hf.reduce_sum(hf.reshape(x, [2, -1, 2]), 1),
    "mean": lambda x: hf.reduce_mean(x * 50.0),
    "mean of columns": lambda x: hf.reduce_mean(x * 50.0, 0),
    "mean of rows": lambda x: hf.reduce_mean(x * 50.0, 1),
    "mean of the middle": lambda x: hf.reduce_mean(hf.reshape(x * 50.0, [2, -1, 2]), 1),
    "variance": lambda x: hf.nn.moments(x, [0])[1],
    "weighted variance": lambda x: hf.nn.weighted_moments(x, [0, 1], x)[1],
    "product": lambda x: hf.reduce_prod(x + (1.0 - 0.5)),
    "norm": lambda x: hf.norm(x, axis=0),
    "norm of all": hf.norm,
    "l2_loss": hf.nn.l2_loss,
    "global_norm": lambda x: hf.global_norm([x, x]),
    "clip_by_norm": lambda x: hf.clip_by_norm(x, 100.0),
    "clip_by_average_norm": lambda x: hf.clip_by_average_norm(x * 50.0, 0.001) * 1000.0,
    "softmax": lambda x: hf.nn.softmax(hf.reshape(x, [4, -1])) * 1000.0,
    "log_softmax": lambda x: hf.nn.log_softmax(hf.reshape(x, [4, -1])),
    "cumsum": lambda x: hf.cumsum(x, 0)[-1],
    "segment_sum": lambda x: hf.segment_sum(x, np.zeros(x.shape.as_list()[0], np.int32)),
    "unsorted_segment_sum": lambda x: hf.unsorted_segment_sum(
        x, np.zeros(x.shape.as_list()[0], np.int32), 1
    ),
    "scatter_nd": lambda x: hf.scatter_nd(
        np.zeros([x.shape.as_list()[0], 1], np.int32), x, [1, x.shape.as_list()[1]]
    ),
    "cross entropy": lambda x: hf.nn.softmax_cross_entropy_with_logits(
        labels=hf.nn.softmax(hf.reshape(x, [4, -1])), logits=hf.reshape(x, [4, -1])
    ),
    "sparse cross entropy": lambda x: hf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=np.zeros(4, np.int32), logits=hf.reshape(x, [4, -1])
    ),
}


def gradient(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The gradient of a mean of squares, whose sums are those of biases that were added."""

    def of(x: Any) -> Any:
        if hf.executing_eagerly():
            with hf.GradientTape() as tape:
                bias = hf.zeros([x.shape.as_list()[1]], x.dtype)
                tape.watch(bias)
                y = function(x, bias)
            return tape.gradient(y, bias)
        bias = hf.zeros([x.shape.as_list()[1]], x.dtype)
        return hf.gradients(function(x, bias), bias)[0]

    return of


FUNCTIONS["gradient of a broadcast"] = gradient(lambda x, b: x + b)
FUNCTIONS["gradient of bias_add"] = gradient(hf.nn.bias_add)


def eager(function: Callable[[Any], Any], array: np.ndarray) -> np.ndarray:
    with hf.eager_mode():
        return function(hf.constant(array)).numpy()


@pytest.mark.parametrize("shape", [ROW, COLUMN], ids=["rows", "columns"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision(name, shape):
    function = FUNCTIONS[name]
    # Sums stay below the largest number of half precision, those for means do not.
    array = RNG.choice([0.125, 0.25, 0.5], shape).astype(np.float16)
    exact = eager(function, array.astype(np.float64))
    half = eager(function, array)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float16, shape)
        y = function(x)
        values = {"eager": half, "interpreted": session.run(y, {x: array})}
        session.run(y, {x: array})
        native.wait()
        values["native"] = session.run(y, {x: array})
    with np.errstate(over="ignore"):
        wanted = exact.astype(np.float16)
    for execution, value in values.items():
        assert value.dtype == np.float16
        np.testing.assert_allclose(value, wanted, 4e-3, 1e-3, err_msg=execution)


@pytest.mark.parametrize("value", [0.5, 100.0, 60_000.0])
@pytest.mark.parametrize("shape", [(65_504,), (65_505,), (1_000_000,)])
def test_means_are_exact(shape, value):
    array = np.full(shape, value, np.float16)
    agrees(hf.reduce_mean, array)
    assert eager(hf.reduce_mean, array) == np.float16(value)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_means_of_integers(dtype):
    for count in (1, 2, 127, 128, 300, 70_000):
        for value in (100, np.iinfo(dtype).min, 7):
            array = np.full(count, value, dtype)
            assert eager(hf.reduce_mean, array) == value or dtype is np.int64
            agrees_anyhow(hf.reduce_mean, array)
    assert eager(hf.reduce_mean, np.array([100, 101], dtype)) == 100
    if np.iinfo(dtype).min:
        assert eager(hf.reduce_mean, np.array([-3, -4], dtype)) == -3


def agrees_anyhow(function: Callable[[Any], Any], array: np.ndarray) -> None:
    """Checks that later runs give what the first one gives, by kernels or not."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(array.dtype.name, array.shape)
        y = function(x)
        first = session.run(y, {x: array})
        session.run(y, {x: array})
        native.wait()
        np.testing.assert_array_equal(session.run(y, {x: array}), first, strict=True)
