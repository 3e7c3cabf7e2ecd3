"""Reductions: sums, means, products, extremes and the like along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.kernels import extremes
from hybridflow._src.ops.accumulation import accumulated, accumulator, reduced
from hybridflow._src.ops.arrays.broadcasting import kept_shape
from hybridflow._src.ops.families import INDICES, NUMBERS, REALS, conj
from hybridflow._src.ops.grad_helpers import in_single, shape_of
from hybridflow._src.ops.math.reducing import axes_of, reduce, reduced_dims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "reduce_all",
    "reduce_any",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
]

# Shapes and axes of the samples.
_CASES: tuple[tuple[tuple[int, ...], Any], ...] = (
    ((2, 3), [0]),
    ((2, 3), [-1]),
    ((2, 3), 1),
    ((2, 3), [0, 1]),
    ((2, 3), []),
    ((2, 3, 2), [0, 2]),
    ((), []),
    ((0, 2), [0]),
)


# -- records ---------------------------------------------------------------------------------------


def _reduction(
    name: str,
    function: Callable[..., Any],
    grad: Callable[..., Any],
    native: Callable[..., Any],
    types: Sequence[DType] = (),
) -> OpDef:
    """The record of a reduction of numbers, or without `types` of truth values.

    `function(x, axes, keepdims)` gets a tuple of axes.
    """

    def compute(x: np.ndarray, axes: np.ndarray, keep_dims: bool) -> Any:
        return function(x, axes_of(x, axes), keep_dims)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.int32) if types else (np.bool_,):
            for shape, axes in _CASES:
                for keep_dims in (False, True):
                    x = np.asarray(rng.uniform(0.5, 2, shape))
                    x = np.ceil(4 * x - 4) if dtype is np.int32 else x
                    yield Sample(
                        (x > 1).astype(dtype) if dtype is np.bool_ else x.astype(dtype),
                        np.array(axes, np.int32),
                        keep_dims=keep_dims,
                        differentiable=dtype in (np.float32, np.float64),
                    )

    kind = "T" if types else "bool"
    return OpDef(
        name,
        f"input: {kind}, reduction_indices: Tidx -> output: {kind}",
        types={"T": types, "Tidx": INDICES} if types else {"Tidx": INDICES},
        attrs={"keep_dims": False},
        shape=reduced_dims,
        compute=compute,
        grad=grad,
        samples=samples,
        native=native,
    )


def _reduced_by(ufunc: np.ufunc) -> Callable[..., Any]:
    """How kernels reduce by a ufunc."""

    def native(b: Any, x: Any, axes: Any, keep_dims: bool) -> Any:
        return b.reduce(ufunc, x, b.known(axes).ravel().tolist(), keep_dims)

    return native


def _native_mean(b: Any, x: Any, axes: Any, keep_dims: bool) -> Any:
    if x.dtype.kind != "f":
        raise b.unsupported(f"the mean of {x.dtype.name}")
    wide = accumulator(x.dtype)
    total = _reduced_by(np.add)(b, b.cast(x, wide), axes, keep_dims)
    count = b.constant(np.array(x.size // total.size, wide))
    return b.elementwise(lambda total, count: np.divide(total, count).astype(x.dtype), total, count)


def _kept(op: Any, value: Tensor) -> Any:
    """What a reduction gave, or its gradient, with the reduced axes as axes of size 1."""
    if op.get_attr("keep_dims") or value._dims == ():
        return value
    return raw.Reshape(value, kept_shape(op.inputs[0], op.inputs[1]))


def _spread(op: Any, value: Tensor) -> Any:
    """A gradient of the result, repeated over the axes that were reduced."""
    return raw.SpreadToShape(_kept(op, value), shape_of(op.inputs[0]), name="Tile")


def _count(op: Any, dy: Tensor) -> Any:
    """How many elements went into each mean: a number if it is known, else a tensor."""
    x, axes = op.inputs
    dims, known = x._dims, constant_value(axes)
    if dims is not None and known is not None:
        count = 1
        for axis in {axis % len(dims) for axis in known.ravel().tolist()}:
            size = dims[axis]
            if size is None:
                break
            count *= size
        else:
            return float(count)
    count = raw.FloorDiv(raw.Size(x), raw.Maximum(raw.Size(op.outputs[0]), 1))
    return raw.Cast(count, DstT=dy.dtype)


def _sum(x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    return accumulated(np.add, x, axes, keepdims)


def _mean(x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    if x.dtype.kind in "iu":
        total = np.add.reduce(x, axis=axes, keepdims=keepdims)  # of 64 bits
        # Rounded towards zero, as C divides.
        return (np.sign(total) * np.floor_divide(np.abs(total), count)).astype(x.dtype)
    return np.divide(reduced(np.add, x, axes, keepdims), count).astype(x.dtype)


def _prod(x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    return accumulated(np.multiply, x, axes, keepdims)


def _extreme(ufunc: np.ufunc, x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    if x.dtype.kind == "f":
        return extremes.reduced(ufunc, x, axis=axes, keepdims=keepdims)
    info = np.iinfo(x.dtype)
    # Of no elements at all it is the smallest or largest value of the dtype.
    bound = info.min if ufunc is np.maximum else info.max
    return ufunc.reduce(x, axis=axes, keepdims=keepdims, initial=bound)


def _max(x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    return _extreme(np.maximum, x, axes, keepdims)


def _min(x: np.ndarray, axes: tuple[int, ...], keepdims: Any) -> Any:
    return _extreme(np.minimum, x, axes, keepdims)


def _mean_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    share = in_single(lambda dy: dy / _count(op, dy), dy)
    return _spread(op, share), None


def _extreme_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    """Equal shares for all elements that equal the extreme."""
    x, axes = op.inputs
    chosen = raw.Cast(raw.Equal(_kept(op, op.outputs[0]), x), DstT=dy.dtype)

    def share(chosen: Any) -> Any:
        return chosen / raw.Sum(chosen, axes, keep_dims=True)

    return in_single(share, chosen) * _kept(op, dy), None


_reduce_sum = _reduction(
    "Sum", _sum, lambda op, dy: (_spread(op, dy), None), _reduced_by(np.add), NUMBERS
)
_reduce_mean = _reduction("Mean", _mean, _mean_grad, _native_mean, NUMBERS)
_reduce_max = _reduction("Max", _max, _extreme_grad, _reduced_by(np.maximum), REALS)
_reduce_min = _reduction("Min", _min, _extreme_grad, _reduced_by(np.minimum), REALS)
_reduce_any = _reduction(
    "Any",
    lambda x, axes, keepdims: np.logical_or.reduce(x, axis=axes, keepdims=keepdims),
    not_differentiable,
    _reduced_by(np.logical_or),
)
_reduce_all = _reduction(
    "All",
    lambda x, axes, keepdims: np.logical_and.reduce(x, axis=axes, keepdims=keepdims),
    not_differentiable,
    _reduced_by(np.logical_and),
)
_reduce_prod = _reduction(
    "Prod",
    _prod,
    lambda op, dy: (_kept(op, dy) * conj(raw.ProductOfOthers(*op.inputs)), None),
    _reduced_by(np.multiply),
    NUMBERS,
)


# -- public functions ------------------------------------------------------------------------------


def reduce_sum(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The sum of elements along axes.

    Args:
      input_tensor: tensor of a number dtype.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. The sum of no elements is 0.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_sum([[1, 2], [3, 4]], axis=0).numpy())
    [4 6]
    """
    return reduce(_reduce_sum, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_mean(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The mean of elements along axes; of integers, rounded towards zero.

    Args:
      input_tensor: tensor of a number dtype.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. The mean of no elements is NaN.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_mean([[1.0, 2.0], [3.0, 5.0]], axis=1).numpy())
    [1.5 4. ]
    """
    return reduce(_reduce_mean, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_prod(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The product of elements along axes.

    Args:
      input_tensor: tensor of a number dtype.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. The product of no elements is 1. The gradient is
      right also where elements are 0.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_prod([[1, 2], [3, 4]], axis=0).numpy())
    [3 8]
    """
    return reduce(_reduce_prod, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_max(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The largest element along axes.

    Args:
      input_tensor: tensor of a real dtype.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. Of no elements it is -inf, or the smallest
      integer. The gradient is shared equally by the elements that are largest.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    Note: NaN gives NaN; TF 1.4 may pass over it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_max([[1, 2], [3, 4]], axis=0).numpy())
    [3 4]
    """
    return reduce(_reduce_max, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_min(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The smallest element along axes.

    Args:
      input_tensor: tensor of a real dtype.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. Of no elements it is inf, or the largest
      integer. The gradient is shared equally by the elements that are smallest.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    Note: NaN gives NaN; TF 1.4 may pass over it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_min([[1, 2], [3, 4]], axis=0).numpy())
    [1 2]
    """
    return reduce(_reduce_min, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_any(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Whether any element along axes holds (logical or).

    Args:
      input_tensor: bool tensor.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. Of no elements it is False.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_any([[True, False], [False, False]], axis=1).numpy())
    [ True False]
    """
    return reduce(_reduce_any, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


def reduce_all(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Whether all elements along axes hold (logical and).

    Args:
      input_tensor: bool tensor.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the op.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype. Of no elements it is True.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_all([[True, True], [True, False]], axis=1).numpy())
    [ True False]
    """
    return reduce(_reduce_all, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)
