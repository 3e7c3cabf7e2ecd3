"""Shapes as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OF_SHAPES, OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import as_sparse, is_sparse
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.framework.tensor_shape import (
    TensorShape,
    as_shape,
    broadcast,
    number_of_elements,
)
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.constant import of_array
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "rank",
    "shape",
    "shape_n",
    "size",
]


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dims in ((2, 3), (), (0, 2)):
        yield Sample(rng.normal(size=dims))
        yield Sample(rng.normal(size=dims).astype(np.float32), out_type=dtypes.int64)


def _vector_of(x: Tensor) -> shape_rules.Dims:
    return (None,) if x._dims is None else (len(x._dims),)


_shape = OpDef(
    "Shape",
    "input: T -> output: out_type",
    attrs={"out_type": dtypes.int32},
    shape=lambda attrs, x: _vector_of(x),
    compute=lambda x, out_type: np.array(x.shape, out_type.np),
    native=OF_SHAPES,
    grad=not_differentiable,
    samples=_samples,
)


def _shape_n_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample([rng.normal(size=(2, 3)), rng.normal(size=())])
    yield Sample([rng.normal(size=(0,))], out_type=dtypes.int64)


_shape_n = OpDef(
    "ShapeN",
    "input: N*T -> output: N*out_type",
    attrs={"out_type": dtypes.int32},
    shape=lambda attrs, *inputs: [_vector_of(x) for x in inputs],
    compute=lambda *inputs, out_type: [np.array(x.shape, out_type.np) for x in inputs],
    native=OF_SHAPES,
    grad=not_differentiable,
    samples=_shape_n_samples,
)
_size = OpDef(
    "Size",
    "input: T -> output: out_type",
    attrs={"out_type": dtypes.int32},
    shape=shape_rules.scalar,
    compute=lambda x, out_type: np.array(x.size, out_type.np),
    native=OF_SHAPES,
    grad=not_differentiable,
    samples=_samples,
)
_rank = OpDef(
    "Rank",
    "input: T -> output: int32",
    shape=shape_rules.scalar,
    compute=lambda x: np.array(x.ndim, np.int32),
    native=OF_SHAPES,
    grad=not_differentiable,
    samples=lambda rng: (Sample(rng.normal(size=dims)) for dims in ((2, 3), (), (0, 2))),
)


def _broadcast_args_shape(attrs: dict[str, Any], s0: Tensor, s1: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(s0, 1)
    shape_rules.with_rank(s1, 1)
    left, right = constant_dims(s0), constant_dims(s1)
    if left is None or right is None:
        return (None,)
    if constant_value(s0) is not None and constant_value(s1) is not None:
        broadcast(left, right)
    return (max(len(left), len(right)),)


def _broadcast_args(s0: np.ndarray, s1: np.ndarray) -> np.ndarray:
    return np.array(broadcast(tuple(s0.tolist()), tuple(s1.tolist())), s0.dtype)


def _broadcast_args_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.int32, np.int64):
        for left, right in (([2, 3], [3]), ([2, 1], [1, 3]), ([], [2]), ([0, 2], [2])):
            yield Sample(np.array(left, dtype), np.array(right, dtype))


_broadcast_args_op = OpDef(
    "BroadcastArgs",
    "s0: T, s1: T -> r0: T",
    types=INDICES,
    shape=_broadcast_args_shape,
    compute=_broadcast_args,
    grad=not_differentiable,
    samples=_broadcast_args_samples,
)


def shape(input: Any, name: str | None = None, out_type: DType = dtypes.int32) -> Tensor:
    """The shape of a tensor, as a tensor.

    Args:
      input: a tensor `[d0, d1, ...]`, or a sparse one.
      name: name of the op.
      out_type: int32 or int64.

    Returns: an integer vector `[rank]`; a constant where the shape is known already.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.shape([[1, 2, 3]]).numpy())
    [1 3]
    """
    out_type = dtypes.as_dtype(out_type)
    with name_scope(name, "Shape", [input]) as scope:
        if is_sparse(input):
            return raw.Cast(as_sparse(input).dense_shape, DstT=out_type)
        tensor = convert_to_tensor(input)
        dims = tensor._dims
        if dims is not None and None not in dims:
            return of_array(np.array(dims, out_type.np), out_type, scope)
        return _shape(tensor, out_type=out_type, name=scope)


def shape_n(input: Any, out_type: DType = dtypes.int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors of one dtype.

    Args:
      input: list of tensors.
      out_type: int32 or int64.
      name: name of the op.

    Returns: a list of integer vectors, one for each tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [s.numpy().tolist() for s in hf.shape_n([[[1, 2]], [3]])]
    [[1, 2], [1]]
    """
    return _shape_n(input, out_type=dtypes.as_dtype(out_type), name=name)


def size(input: Any, name: str | None = None, out_type: DType = dtypes.int32) -> Tensor:
    """The number of elements of a tensor, as a tensor.

    Args:
      input: a tensor, or a sparse one, of which all elements count.
      name: name of the op.
      out_type: int32 or int64.

    Returns: an integer scalar; a constant where the shape is known while the graph is built.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.size([[1, 2, 3], [4, 5, 6]])))
    6
    """
    out_type = dtypes.as_dtype(out_type)
    with name_scope(name, "Size", [input]) as scope:
        if is_sparse(input):
            sizes = raw.Cast(as_sparse(input).dense_shape, DstT=out_type)
            return raw.Prod(sizes, 0, name=scope)
        tensor = convert_to_tensor(input)
        count = number_of_elements(tensor._dims)
        if count is not None:
            return of_array(np.array(count, out_type.np), out_type, scope)
        return _size(tensor, out_type=out_type, name=scope)


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of dimensions of a tensor, as a tensor.

    Args:
      input: a tensor, or a sparse one.
      name: name of the op.

    Returns: an int32 scalar; a constant where the rank is known while the graph is built.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.rank([[1, 2]])))
    2
    """
    with name_scope(name, "Rank", [input]) as scope:
        if is_sparse(input):
            return raw.Size(as_sparse(input).dense_shape, name=scope)
        tensor = convert_to_tensor(input)
        dims = tensor._dims
        if dims is not None:
            return of_array(np.array(len(dims), np.int32), dtypes.int32, scope)
        return _rank(tensor, name=scope)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The static shape of an elementwise op on tensors of two shapes.

    Args:
      shape_x, shape_y: `TensorShape`s.

    Returns: a `TensorShape`.

    Raises:
      ValueError: if they do not broadcast.

    >>> import hybridflow as hf
    >>> print(hf.broadcast_static_shape(hf.TensorShape([2, 1]), hf.TensorShape([3])))
    (2, 3)
    """
    x, y = as_shape(shape_x), as_shape(shape_y)
    try:
        return TensorShape.of(broadcast(x._dims, y._dims))
    except ValueError:
        raise ValueError(f"Incompatible shapes for broadcasting: {x} and {y}") from None


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape of an elementwise op on tensors of two shapes that come as tensors.

    Args:
      shape_x, shape_y: integer vectors of one dtype.

    Returns: an integer vector.

    Raises:
      ValueError: if they do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.broadcast_dynamic_shape([2, 1], [3]).numpy())
    [2 3]
    """
    return _broadcast_args_op(shape_x, shape_y)
