"""Gradients compared with finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.runtime.session import get_default_session

__all__ = ["compute_gradient", "compute_gradient_error"]

Jacobians = tuple[np.ndarray, np.ndarray]


def _numbers(array: np.ndarray) -> np.ndarray:
    """A complex array as one of real numbers, two for each element; a real one as it is. Flat."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _analytic(
    session: Any, x: Any, x_data: np.ndarray, y: Tensor, y_shape: Any, feeds: dict[Any, Any]
) -> np.ndarray:
    """The Jacobian, a column for each number of `y`, by the gradient of `y` times a weight."""
    weights = placeholder(y.dtype.base_dtype, y_shape)
    (grad,) = gradients(y, x, weights)
    values = np.zeros(y_shape, y.dtype.base_dtype.np)
    columns = []
    for place in range(_numbers(values).size):
        one = np.zeros_like(_numbers(values))
        one[place] = 1
        fed = {weights: one.view(values.dtype).reshape(values.shape), x: x_data, **feeds}
        got = session.run(convert_to_tensor(grad) if isinstance(grad, IndexedSlices) else grad, fed)
        columns.append(_numbers(np.asarray(got).astype(x_data.dtype, copy=False)))
    return np.stack(columns, 1) if columns else np.zeros((_numbers(x_data).size, 0), x_data.dtype)


def _numeric(
    session: Any, x: Any, x_data: np.ndarray, y: Tensor, delta: float, feeds: dict[Any, Any]
) -> np.ndarray:
    """The Jacobian, a row for each number of `x`, by central differences."""
    rows = []
    for place in range(_numbers(x_data).size):
        ends = []
        for step in (delta, -delta):
            moved = x_data.copy()
            # A view, since `moved` is contiguous.
            moved.reshape(-1).view(_numbers(moved).dtype)[place] += step
            ends.append(_numbers(session.run(y, {x: moved, **feeds})).astype(np.float64))
        rows.append((ends[0] - ends[1]) / (2 * delta))
    return np.stack(rows) if rows else np.zeros((0, 0))


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: dict[Any, Any] | None = None,
) -> Jacobians | list[Jacobians]:
    """The Jacobian of `y` with respect to `x`, by gradients and by central differences.

    It runs in the default session. Complex numbers count as two real ones each.

    Args:
      x: a tensor, or a list of them.
      x_shape: its shape as numbers, or a list of those.
      y: the tensor to be differentiated.
      y_shape: its shape as numbers.
      x_init_value: an array at which to differentiate, or a list; None: random numbers in [0, 1).
      delta: the step of the differences.
      init_targets: operations to run first.
      extra_feed_dict: what else to feed.

    Returns: for a tensor a tuple of two arrays `[numbers in x, numbers in y]`, the gradient's and
      that of differences; for a list a list of these.

    Raises:
      ValueError: if there is no default session, or a dtype is neither floating nor complex.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session():
    ...     x = hf.constant([1.0, 2.0], hf.float64)
    ...     by_gradient, by_differences = hf.test.compute_gradient(x, [2], x * x, [2], [1.0, 2.0])
    >>> print(by_gradient)
    [[2. 0.]
     [0. 4.]]
    """
    session = get_default_session()
    if session is None:
        raise ValueError(
            "compute_gradient runs in the default session, and there is none: use it in "
            "`with hf.Session():`."
        )
    if init_targets is not None:
        session.run(init_targets)
    xs, shapes = (x, x_shape) if isinstance(x, list) else ([x], [x_shape])
    inits = x_init_value if isinstance(x, list) and x_init_value is not None else [x_init_value]
    inits = list(inits) if len(inits) == len(xs) else [None] * len(xs)
    data = []
    for tensor, shape, init in zip(xs, shapes, inits, strict=True):
        dtype = tensor.dtype.base_dtype
        if not (dtype.is_floating or dtype.is_complex) or not (
            y.dtype.is_floating or y.dtype.is_complex
        ):
            raise ValueError(f"Only float and complex tensors have gradients: {tensor!r}, {y!r}.")
        value = np.random.random_sample(tuple(shape)) if init is None else init
        # A copy: what the user passed is not written.
        data.append(np.array(value, dtype.np, order="C").reshape(tuple(shape)))
    pairs = []
    for place, tensor in enumerate(xs):
        feeds = {t: v for i, (t, v) in enumerate(zip(xs, data, strict=True)) if i != place}
        feeds |= extra_feed_dict or {}
        pairs.append(
            (
                _analytic(session, tensor, data[place], y, tuple(y_shape), feeds),
                _numeric(session, tensor, data[place], y, delta, feeds),
            )
        )
    return pairs if isinstance(x, list) else pairs[0]


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: dict[Any, Any] | None = None,
) -> float:
    """The largest difference of the two Jacobians of `compute_gradient`, whose arguments it takes.

    Returns: a number; NaN if one of them holds NaN.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session():
    ...     x = hf.constant([1.0, 2.0], hf.float64)
    ...     print(hf.test.compute_gradient_error(x, [2], hf.exp(x), [2]) < 1e-5)
    True
    """
    found = compute_gradient(
        x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict
    )
    pairs = found if isinstance(found, list) else [found]
    errors = [np.abs(a - b).max() for a, b in pairs if a.size and b.size]
    return float(np.max(errors)) if errors else 0.0
