"""Means, variances and normalization by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.math.reducing import renamed
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "l2_normalize",
    "moments",
    "normalize_moments",
    "sufficient_statistics",
    "weighted_moments",
]


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """`x / sqrt(max(sum(x ** 2), epsilon))`, the sum taken along axes.

    Args:
      x: tensor of a float dtype.
      axis: an int or list of ints; by default all axes.
      epsilon: the least squared norm to divide by.
      name: name of the op.
      dim: an older name of `axis`.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.l2_normalize([[3.0, 4.0], [0.0, 0.0]], axis=1).numpy())
    [[0.6 0.8]
     [0.  0. ]]
    """
    axis = renamed("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        squares = reduce_sum(raw.Square(x), axis, keepdims=True)
        return raw.Mul(x, raw.Rsqrt(raw.Maximum(squares, epsilon)), name=scope)


def _axes_list(axes: Any) -> list[int]:
    value = constant_value(convert_to_tensor(axes, name="axes"))
    if value is None:
        raise ValueError(f"axes must be known while the graph is built, got {axes!r}")
    return [settings.whole(axis, "axes") for axis in np.atleast_1d(value)]


def _squeezed(values: list[Any], axes: Any) -> list[Any]:
    dims = _axes_list(axes)
    # Without axes nothing was reduced; an empty list would mean all of size 1.
    return [raw.Squeeze(value, squeeze_dims=dims) for value in values] if dims else values


@spelled(keepdims="keep_dims")
def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean and the variance along axes: `mean(x)` and `mean((x - mean(x)) ** 2)`.

    Args:
      x: tensor of a real dtype; float16 is computed as float32.
      axes: a list of ints, such as `[0]` for batch normalization of `[batch, n]`.
      shift: not used.
      name: name of the scope.
      keep_dims: keep the reduced axes, with size 1.

    Returns: two tensors of the same dtype: mean and variance.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     mean, variance = hf.nn.moments(hf.constant([[1.0, 2.0], [3.0, 8.0]]), [0])
    ...     print(mean.numpy(), variance.numpy())
    [2. 5.] [1. 9.]
    """
    with name_scope(name, "moments", [x, axes]):
        x = convert_to_tensor(x, name="x")
        half = x.dtype.base_dtype is dtypes.float16
        y = raw.Cast(x, DstT=dtypes.float32) if half else x
        mean = raw.Mean(y, axes, keep_dims=True, name="mean")
        distances = raw.SquaredDifference(y, raw.StopGradient(mean))
        variance = raw.Mean(distances, axes, keep_dims=True, name="variance")
        if not keep_dims:
            mean, variance = _squeezed([mean, variance], axes)
        if half:
            mean, variance = (raw.Cast(m, DstT=dtypes.float16) for m in (mean, variance))
        return mean, variance


@spelled(keepdims="keep_dims")
def weighted_moments(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool = False,
) -> tuple[Tensor, Tensor]:
    """The weighted mean and variance along axes.

    Args:
      x: tensor of a float dtype; float16 is computed as float32.
      axes: a list of ints.
      frequency_weights: tensor of weights that broadcasts with `x`.
      name: name of the scope.
      keep_dims: keep the reduced axes, with size 1.

    Returns: two tensors of the dtype of `x`: mean and variance.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     mean, variance = hf.nn.weighted_moments(
    ...         hf.constant([1.0, 5.0]), [0], hf.constant([3.0, 1.0]))
    ...     print(mean.numpy(), variance.numpy())
    2.0 3.0
    """
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, name="frequency_weights")
        dtype = x.dtype.base_dtype
        wide = dtypes.float32 if dtype is dtypes.float16 else dtype
        x, weights = (t if t.dtype == wide else raw.Cast(t, DstT=wide) for t in (x, weights))
        total = reduce_sum(weights * x, axes, name="weighted_input_sum", keepdims=True)
        # Weights stand for themselves wherever they are broadcast to.
        spread = weights + raw.ZerosLike(x)
        weight = reduce_sum(spread, axes, name="sum_of_weights", keepdims=True)
        inverse = raw.Reciprocal(weight, name="inv_weight_sum")
        mean = raw.Mul(total, inverse)
        distances = weights * raw.SquaredDifference(x, mean)
        distance = reduce_sum(distances, axes, name="weighted_distsq", keepdims=True)
        variance = raw.Mul(distance, inverse)
        if not keep_dims:
            mean, variance = _squeezed([mean, variance], axes)
        if wide is not dtype:
            mean, variance = (raw.Cast(m, DstT=dtype) for m in (mean, variance))
        return mean, variance


@spelled(keepdims="keep_dims")
def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keep_dims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """What mean and variance along axes are made of: count, sum, sum of squares.

    Args:
      x: tensor of a float dtype.
      axes: a list of ints.
      shift: a value near the mean, subtracted from `x` first for accuracy; or None.
      keep_dims: keep the reduced axes, with size 1.
      name: name of the scope.

    Returns: four tensors: the count of elements, the sum, the sum of squares, and the shift or
      None; see `normalize_moments`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     statistics = hf.nn.sufficient_statistics(hf.constant([1.0, 3.0]), [0])
    ...     print([float(s) for s in statistics[:3]])
    [2.0, 4.0, 10.0]
    """
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        dtype, dims = x.dtype.base_dtype, x._dims
        axes = _axes_list(axes)
        if dims is not None and all(dims[axis] is not None for axis in axes):
            counts = convert_to_tensor(np.prod([dims[axis] for axis in axes]), dtype, name="Const")
        else:
            sizes = raw.Gather(raw.Shape(x), np.array(axes, np.int32))
            counts = raw.Cast(raw.Prod(sizes, [0]), DstT=dtype, name="count")
        if shift is None:
            values, squares = x, raw.Square(x)
        else:
            shift = convert_to_tensor(shift, dtype, name="shift")
            values, squares = raw.Sub(x, shift), raw.SquaredDifference(x, shift)
        mean = reduce_sum(values, axes, keepdims=keep_dims, name="mean_ss")
        variance = reduce_sum(squares, axes, keepdims=keep_dims, name="var_ss")
        return counts, mean, variance, shift


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and variance from `sufficient_statistics`, which may be sums of several.

    Args:
      counts: scalar tensor: how many elements were added up.
      mean_ss: tensor: their sum, less the shift of each.
      variance_ss: tensor: the sum of their squares, each less the shift.
      shift: the shift, or None.
      name: name of the scope.

    Returns: two tensors: mean and variance.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     statistics = hf.nn.sufficient_statistics(hf.constant([1.0, 3.0]), [0])
    ...     mean, variance = hf.nn.normalize_moments(*statistics)
    ...     print(mean.numpy(), variance.numpy())
    2.0 1.0
    """
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = raw.Reciprocal(counts, name="divisor")
        if shift is None:
            shifted = mean = raw.Mul(mean_ss, divisor, name="mean")
        else:
            shifted = raw.Mul(mean_ss, divisor, name="shifted_mean")
            mean = raw.Add(shifted, shift, name="mean")
        second = raw.Mul(variance_ss, divisor)
        return mean, raw.Sub(second, raw.Square(shifted), name="variance")


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: float,
    name: str | None = None,
) -> Tensor:
    """`(x - mean) / sqrt(variance + variance_epsilon) * scale + offset`.

    Args:
      x: tensor of a float dtype.
      mean, variance: tensors that broadcast with `x`, such as `moments` gives.
      offset, scale: tensors that broadcast with `x`, or None for 0 and 1.
      variance_epsilon: a small number, so that nothing is divided by 0.
      name: name of the scope.

    Returns: a tensor of the dtype and shape of `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.batch_normalization([1.0, 3.0], 2.0, 1.0, 10.0, 2.0, 0.0).numpy())
    [ 8. 12.]
    """
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        x = convert_to_tensor(x, name="x")
        variance = convert_to_tensor(variance, x.dtype.base_dtype, name="variance")
        inverse = raw.Rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        return x * inverse + (-mean * inverse if offset is None else offset - mean * inverse)


@spelled(input="t", mean="m", variance="v")
def batch_norm_with_global_normalization(
    t: Any,
    m: Any,
    v: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: float,
    scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:
    """`batch_normalization(t, m, v, beta, gamma)`, without `gamma` unless it is wanted.

    Args:
      t: tensor of a float dtype.
      m, v: mean and variance, tensors that broadcast with `t`.
      beta: the offset.
      gamma: the scale, used if `scale_after_normalization`.
      variance_epsilon: a small number, so that nothing is divided by 0.
      scale_after_normalization: multiply with `gamma`.
      name: name of the scope.

    Returns: a tensor of the dtype and shape of `t`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     t = hf.constant([1.0, 3.0])
    ...     print(hf.nn.batch_norm_with_global_normalization(
    ...         t, 2.0, 1.0, 10.0, 2.0, 0.0, False).numpy())
    [ 9. 11.]
    """
    scale = gamma if scale_after_normalization else None
    return batch_normalization(t, m, v, beta, scale, variance_epsilon, name)
