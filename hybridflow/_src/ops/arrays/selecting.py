"""Elements by condition: where, boolean_mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, merge, number_of_elements
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.indexing import getitem
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape, squeeze
from hybridflow._src.ops.arrays.shape_ops import shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["boolean_mask", "where", "where_v2"]


# -- Where, Select ---------------------------------------------------------------------------------


def _where_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    if x._dims == ():
        raise ValueError("WhereOp : Unhandled input dimensions: 0")
    return (None, None if x._dims is None else len(x._dims))


def _where(x: np.ndarray) -> np.ndarray:
    if not x.ndim:
        raise ValueError("WhereOp : Unhandled input dimensions: 0")
    return np.argwhere(x).astype(np.int64, copy=False)


def _where_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dims in ((4,), (2, 3), (0, 2), (1, 2, 2)):
        yield Sample(rng.uniform(size=dims) > 0.5)


_where_op = OpDef(
    "Where",
    "input: bool -> index: int64",
    shape=_where_shape,
    compute=_where,
    grad=not_differentiable,
    samples=_where_samples,
)


def _select_shape(
    attrs: dict[str, Any], condition: Tensor, t: Tensor, e: Tensor
) -> shape_rules.Dims:
    dims = merge(t._dims, e._dims)
    flags = condition._dims
    if dims is None or flags is None or flags == ():
        return dims
    if len(flags) == 1 and len(dims) > 1:
        first = merge(flags, dims[:1])
        assert first is not None
        return (*first, *dims[1:])
    return merge(flags, dims)


def _select(condition: np.ndarray, t: np.ndarray, e: np.ndarray) -> np.ndarray:
    if condition.shape != t.shape or t.shape != e.shape:
        rows = condition.ndim == 1 and t.ndim and len(condition) == len(t)
        if t.shape != e.shape or (condition.ndim and not rows):
            raise ValueError("condition must be a scalar, have one entry a row, or have t's shape")
        condition = condition.reshape(condition.shape + (1,) * (t.ndim - condition.ndim))
    return np.asarray(np.where(condition, t, e))


def _select_grad(op: Any, dy: Tensor) -> tuple[None, Any, Any]:
    condition = op.inputs[0]
    zeros = raw.ZerosLike(dy)
    return None, raw.Select(condition, dy, zeros), raw.Select(condition, zeros, dy)


def _native_select(b: Any, condition: Any, t: Any, e: Any) -> Any:
    flags = condition.shape + (1,) * (len(t.shape) - len(condition.shape))
    return b.elementwise(np.where, b.reshape(condition, flags), t, e)


def _select_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for flags, dims in (((2, 3), (2, 3)), ((2,), (2, 3)), ((), (2,)), ((), ()), ((0,), (0, 2))):
            t, e = (rng.normal(size=dims).astype(dtype) for _ in range(2))
            yield Sample(rng.uniform(size=flags) > 0.5, t, e)


_select_op = OpDef(
    "Select",
    "condition: bool, t: T, e: T -> output: T",
    shape=_select_shape,
    compute=_select,
    grad=_select_grad,
    samples=_select_samples,
    native=_native_select,
)


def _select_v2_grad(op: Any, dy: Tensor) -> tuple[None, Any, Any]:
    condition, t, e = op.inputs
    zeros = raw.ZerosLike(dy)
    dt, de = raw.SelectV2(condition, dy, zeros), raw.SelectV2(condition, zeros, dy)
    return None, raw.SumToShape(dt, raw.Shape(t)), raw.SumToShape(de, raw.Shape(e))


def _select_v2_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for flags, t, e in (((2, 3), (2, 3), (2, 3)), ((2, 1), (3,), ()), ((), (2,), (1, 2))):
            values = [rng.normal(size=dims).astype(dtype) for dims in (t, e)]
            yield Sample(rng.uniform(size=flags) > 0.5, *values)


# As `Select`, but all three are broadcast: files of TensorFlow 1.15 and later have it.
OpDef(
    "SelectV2",
    "condition: bool, t: T, e: T -> output: T",
    shape=shape_rules.broadcasting,
    compute=lambda condition, t, e: np.where(condition, t, e),
    grad=_select_v2_grad,
    samples=_select_v2_samples,
)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Elements of `x` where `condition` is True, of `y` elsewhere; or where it is True.

    Args:
      condition: bool tensor: of the shape of `x`, or a vector with one entry for each row of `x`,
        or a scalar.
      x, y: tensors of one shape and dtype; or neither.
      name: name of the op.

    Returns: a tensor like `x`. Without `x` and `y` the coordinates of the True elements in
      row-major order, int64 `[count, rank(condition)]`.

    Raises:
      ValueError: if only one of `x` and `y` is given, or the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.where([True, False], [1, 2], [3, 4]).numpy())
    ...     print(hf.where([[True, False], [True, True]]).numpy().tolist())
    [1 4]
    [[0, 0], [1, 0], [1, 1]]
    """
    if x is None and y is None:
        return _where_op(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return _select_op(condition, x, y, name=name)


# -- boolean_mask ----------------------------------------------------------------------------------


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """`where` whose three tensors broadcast. Of TensorFlow 1.15.

    Args:
      condition: bool tensor.
      x, y: tensors of one dtype; all three have shapes that broadcast. Neither, for the places
        where `condition` is true.
      name: name of the op.

    Raises:
      ValueError: if one of `x` and `y` is given.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.where_v2([[True], [False]], [1, 2], 0).numpy().tolist())
    [[1, 2], [0, 0]]
    """
    if x is None and y is None:
        return where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return raw.SelectV2(condition, x, y, name=name)


def boolean_mask(
    tensor: Any, mask: Any, name: str = "boolean_mask", axis: int | None = None
) -> Tensor:
    """The parts of a tensor for which a mask is True.

    Args:
      tensor: a tensor.
      mask: bool tensor of known rank k; its shape is that of k dimensions of `tensor`.
      name: name scope of the ops.
      axis: the first of these dimensions; 0 by default.

    Returns: a tensor in which the k dimensions have become one.

    Raises:
      ValueError: if the mask is a scalar, its rank is not known, or its shape does not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.boolean_mask([[1, 2], [3, 4], [5, 6]], [True, False, True]).numpy())
    [[1 2]
     [5 6]]
    """
    with name_scope(name, "boolean_mask", [tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        rank = mask.shape.ndims
        if rank == 0:
            raise ValueError("mask cannot be scalar.")
        if rank is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        first = 0 if axis is None else axis
        if first < 0:
            first += tensor.shape.ndims
        masked = tensor.shape[first : first + rank]
        assert isinstance(masked, TensorShape)
        masked.assert_is_compatible_with(mask.shape)
        dims, count = tensor._dims, number_of_elements(masked._dims)
        if tensor.__class__ is EagerTensor:
            flat = reshape(tensor, [*dims[:first], count, *dims[first + rank :]])
        else:
            flat = _flattened(tensor, first, rank)
            if dims is not None:
                flat.set_shape([*dims[:first], count, *dims[first + rank :]])
        kept = squeeze(where(reshape(mask, [-1])), axis=[1])
        return gather(flat, kept, axis=first)


def _flattened(tensor: Tensor, first: int, rank: int) -> Tensor:
    """`tensor` with `rank` dimensions from `first` on made one."""
    count = raw.Prod(getitem(shape(tensor), slice(first or None, first + rank)), [0])
    parts = [[count], getitem(shape(tensor), slice(first + rank, None))]
    if first:
        parts.insert(0, getitem(shape(tensor), slice(None, first)))
    return reshape(tensor, concat(parts, 0))
