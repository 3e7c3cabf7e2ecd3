"""Reductions that are no single record: where the extremes are, logsumexp, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import INDICES, REALS
from hybridflow._src.ops.math.reducing import renamed
from hybridflow._src.ops.math.reductions import reduce_max, reduce_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["arg_max", "arg_min", "argmax", "argmin", "count_nonzero", "reduce_logsumexp"]


# -- records ---------------------------------------------------------------------------------------


def _arg_shape(attrs: dict[str, Any], x: Tensor, dimension: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(dimension, 0)
    dims = x._dims
    if dims is None:
        return None
    axis = constant_value(dimension)
    if axis is None:
        return (None,) * (len(dims) - 1)
    if not dims:
        return ()
    at = int(axis)
    if not -len(dims) <= at < len(dims):
        raise ValueError(
            f"Dimension ({at}) must be in the range [{-len(dims)}, {len(dims)}), where "
            f"{len(dims)} is the number of dimensions in the input"
        )
    at %= len(dims)
    return dims[:at] + dims[at + 1 :]


def _arg_record(name: str, function: Callable[..., Any], extreme: np.ufunc) -> OpDef:
    def compute(x: np.ndarray, dimension: np.ndarray, output_type: DType) -> Any:
        axis = number_of(dimension, "dimension")
        if not -max(x.ndim, 1) <= axis < max(x.ndim, 1):
            raise ValueError(f"Axis {axis} is out of range for {x.ndim} dimensions")
        if x.ndim and not x.shape[axis]:
            raise InvalidArgumentError(
                None, None, f"Reduction axis {axis % x.ndim} is empty in shape {list(x.shape)}"
            )
        return function(x, axis=axis if x.ndim else None).astype(output_type.np)

    def native(b: Any, x: Any, dimension: Any, output_type: DType) -> Any:
        def meaning(x: Any, column: Any) -> Any:
            top = extreme.reduce(x, axis=-1, keepdims=True)
            # Of the columns that hold the extreme, or a NaN, the first.
            columns = np.where((x == top) | (x != x), column, np.iinfo(np.int64).max)
            return np.minimum.reduce(columns, axis=-1).astype(output_type.np)

        if not x.shape:
            return b.full((), 0, output_type.np)
        axis = int(b.known(dimension))
        x = b.packed(b.view(lambda x: np.moveaxis(x, axis, -1), x))
        return b.rowwise(meaning, x, shapes=[x.shape[:-1]])

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.int32):
            for shape, axis in (((2, 3), 0), ((2, 3), -1), ((4,), 0), ((0, 2), 1)):
                x = (rng.uniform(-2, 2, shape) * 2).astype(dtype)
                for output in (dtypes.int32, dtypes.int64):
                    yield Sample(
                        x, np.array(axis, np.int32), output_type=output, differentiable=False
                    )

    return OpDef(
        name,
        "input: T, dimension: Tidx -> output: output_type",
        types={"T": REALS, "Tidx": INDICES},
        attrs={"output_type": dtypes.int64},
        shape=_arg_shape,
        compute=compute,
        grad=not_differentiable,
        samples=samples,
        native=native,
    )


_argmax = _arg_record("ArgMax", np.argmax, np.maximum)
_argmin = _arg_record("ArgMin", np.argmin, np.minimum)


# -- public functions ------------------------------------------------------------------------------


def argmax(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = dtypes.int64,
) -> Tensor:
    """The index of the largest element along an axis; the first, where several are equal.

    Args:
      input: tensor of a real dtype.
      axis: scalar int: the axis; 0 by default.
      name: name of the op.
      dimension: an older name of `axis`.
      output_type: int64 or int32.

    Returns: an integer tensor of the shape of `input` without the axis.

    Raises:
      ValueError: if the axis is out of range. InvalidArgumentError: if it has size 0.

    Note: a NaN counts as the largest; TF 1.4 passes over it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.argmax([[1, 5, 2], [7, 0, 7]], axis=1).numpy())
    [1 0]
    """
    axis = renamed("axis", axis, "dimension", dimension)
    output = dtypes.as_dtype(output_type)
    return _argmax(input, 0 if axis is None else axis, output_type=output, name=name)


def argmin(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = dtypes.int64,
) -> Tensor:
    """The index of the smallest element along an axis; the first, where several are equal.

    Args:
      input: tensor of a real dtype.
      axis: scalar int: the axis; 0 by default.
      name: name of the op.
      dimension: an older name of `axis`.
      output_type: int64 or int32.

    Returns: an integer tensor of the shape of `input` without the axis.

    Raises:
      ValueError: if the axis is out of range. InvalidArgumentError: if it has size 0.

    Note: a NaN counts as the smallest; TF 1.4 passes over it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.argmin([[1, 5, 2], [7, 0, 7]], axis=1).numpy())
    [0 1]
    """
    axis = renamed("axis", axis, "dimension", dimension)
    output = dtypes.as_dtype(output_type)
    return _argmin(input, 0 if axis is None else axis, output_type=output, name=name)


def arg_max(
    input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """An older form of `argmax`.

    Args:
      input: tensor of a real dtype.
      dimension: scalar int: the axis.
      output_type: int64 or int32.
      name: name of the op.

    Returns: an integer tensor of the shape of `input` without the axis.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.arg_max([1, 5, 2], 0).numpy())
    1
    """
    return argmax(input, dimension, name, output_type=output_type)


def arg_min(
    input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """An older form of `argmin`.

    Args:
      input: tensor of a real dtype.
      dimension: scalar int: the axis.
      output_type: int64 or int32.
      name: name of the op.

    Returns: an integer tensor of the shape of `input` without the axis.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.arg_min([1, 5, 0], 0).numpy())
    2
    """
    return argmin(input, dimension, name, output_type=output_type)


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """`log(sum(exp(x)))` along axes, without overflow.

    Args:
      input_tensor: tensor of a float dtype.
      axis: an int or a list of ints: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: name of the scope.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of the same dtype.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_logsumexp([1000.0, 1000.0]).numpy().round(2))
    1000.69
    """
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "ReduceLogSumExp", [input_tensor]):
        x = convert_to_tensor(input_tensor, name="input_tensor")
        largest = reduce_max(x, axis, keepdims=True)
        # An infinite one must not be subtracted from itself.
        finite = raw.Select(raw.IsFinite(largest), largest, raw.ZerosLike(largest))
        finite = raw.StopGradient(finite)
        result: Tensor = raw.Log(reduce_sum(raw.Exp(x - finite), axis, keepdims=True)) + finite
        return result if keepdims else squeeze_reduced(result, axis)


def squeeze_reduced(x: Tensor, axis: Any) -> Tensor:
    """`x` without the axes that were reduced and kept with size 1 (all, if `axis` is None)."""
    if axis is None:
        # Not Squeeze without axes: it would leave the static rank unknown.
        if x._dims is not None:
            return raw.Squeeze(x, squeeze_dims=list(range(len(x._dims))))
        scalar: Tensor = raw.Squeeze(x)
        scalar.set_shape(())
        return scalar
    known = constant_value(convert_to_tensor(axis, dtypes.int32, name="axis"))
    if known is None:
        # Sums of one element each.
        return reduce_sum(x, axis)
    return raw.Squeeze(x, squeeze_dims=known.ravel().tolist()) if known.size else x


@spelled(input="input_tensor")
def count_nonzero(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """How many elements along axes are not 0.

    Args:
      input_tensor: tensor of numbers or truth values.
      axis: an int, a list of ints or an integer tensor: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      dtype: dtype of the result.
      name: name of the scope.
      reduction_indices, keep_dims: older names of `axis` and `keepdims`.

    Returns: a tensor of dtype `dtype`.

    Raises:
      ValueError: if an axis is out of range, or an argument is given under both names.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.count_nonzero([[0, 1, 0], [1, 1, 0]], axis=1).numpy())
    [1 2]
    """
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    with name_scope(name, "count_nonzero", [input_tensor]):
        x = convert_to_tensor(input_tensor, name="input_tensor")
        differs = raw.NotEqual(x, np.zeros((), x.dtype.base_dtype.np))
        counted = reduce_sum(raw.Cast(differs, DstT=dtypes.int64), axis, keepdims)
        wanted = dtypes.as_dtype(dtype)
        return counted if wanted is dtypes.int64 else raw.Cast(counted, DstT=wanted)
