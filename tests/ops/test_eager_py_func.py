"""`tf.contrib.eager.py_func`: Python functions of tensors, called in eager mode."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.names import find

py_func = find("tensorflow.contrib.eager", "py_func")[0]


def raising(error):
    def fail():
        raise error("it is so")

    return fail


def test_functions_of_tensors(execution):
    seen = []

    def power(x, y):
        seen.append(hf.executing_eagerly())
        return [hf.matmul(x, y), hf.reduce_sum(x) > 4.0]

    def program(x, y):
        return py_func(power, [x, y], [hf.float32, hf.bool])

    x = np.float32([[1, 2], [3, 4]])
    product, large = execution(program, x, x)
    np.testing.assert_array_equal(product, x @ x)
    assert large
    assert seen
    assert all(seen)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (ValueError, hf.errors.InvalidArgumentError),
        (TypeError, hf.errors.InvalidArgumentError),
        (StopIteration, hf.errors.OutOfRangeError),
        (MemoryError, hf.errors.ResourceExhaustedError),
        (NotImplementedError, hf.errors.UnimplementedError),
        (KeyError, hf.errors.UnknownError),
    ],
)
def test_what_a_function_raises(raised, error):
    with hf.Graph().as_default(), hf.Session() as session:
        failing = py_func(raising(raised), [], [])
        with pytest.raises(error, match="it is so"):
            session.run(failing)
    with hf.eager_mode(), pytest.raises(error, match="it is so"):
        py_func(raising(raised), [], [])


def test_functions_without_results():
    with hf.eager_mode():
        assert py_func(lambda: None, [], []) == []
    with hf.Graph().as_default(), hf.Session() as session:
        assert session.run(py_func(lambda: None, [], [])) is None


def test_what_is_no_function():
    with pytest.raises(TypeError, match="func must be callable, got 3"):
        py_func(3, [], [])
