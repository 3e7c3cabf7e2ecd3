"""Functions of arrays with the arguments that they have in TensorFlow 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import convert, dtypes
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import broadcast
from hybridflow._src.ops.arrays import arranging, constant, padding, selecting, shape_ops
from hybridflow._src.ops.arrays import gather as gathering
from hybridflow._src.ops.arrays.batched import gathered
from hybridflow._src.ops.arrays.broadcasting import broadcast_to
from hybridflow._src.ops.math import arg_reductions
from hybridflow._src.variables.tensors import is_tensor

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "argmax",
    "argmin",
    "boolean_mask",
    "convert_to_tensor",
    "gather",
    "gather_nd",
    "ones_like",
    "pad",
    "shape",
    "size",
    "transpose",
    "where",
    "zeros_like",
]


def argmax(
    input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """The place of the largest value along an axis, the first one by default."""
    return arg_reductions.argmax(input, 0 if axis is None else axis, name, output_type=output_type)


def argmin(
    input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """The place of the least value along an axis, the first one by default."""
    return arg_reductions.argmin(input, 0 if axis is None else axis, name, output_type=output_type)


def boolean_mask(
    tensor: Any, mask: Any, axis: int | None = None, name: str = "boolean_mask"
) -> Tensor:
    """The parts of a tensor for which a mask is True."""
    return selecting.boolean_mask(tensor, mask, name, axis)


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """The tensor that a value stands for; of the dtype of the hint, where that can be."""
    return convert.convert_to_tensor(value, dtype, name, dtype_hint)


def gather(
    params: Any,
    indices: Any,
    validate_indices: bool | None = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """Slices of a tensor by number, along the axis behind the batch's dimensions by default."""
    if not batch_dims:
        return gathering.gather(params, indices, validate_indices, name, axis)
    with name_scope(name, "Gather", [params, indices]):
        tensors = convert.convert_to_tensor(params), convert.convert_to_tensor(indices)
        return gathered(*tensors, axis, batch_dims)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Tensor:
    """Elements or slices of a tensor by their coordinates.

    Raises:
      NotImplementedError: for dimensions of a batch.
    """
    if batch_dims:
        raise NotImplementedError(
            f"gather_nd: expected batch_dims = 0, got {batch_dims}. `tf.gather(params, indices, "
            "batch_dims=...)` takes slices along one axis of each part of a batch."
        )
    return gathering.gather_nd(params, indices, name)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of ones of the shape of another one."""
    return constant.ones_like(input, dtype, name)


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of zeros of the shape of another one."""
    return constant.zeros_like(input, dtype, name)


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """A tensor with values around it."""
    return padding.pad(tensor, paddings, mode, name, constant_values)


def shape(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """The shape of a tensor."""
    return shape_ops.shape(input, name, out_type)


def size(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """The number of a tensor's elements."""
    return shape_ops.size(input, name, out_type)


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Tensor:
    """A tensor with its dimensions in another order."""
    return arranging.transpose(a, perm, name, conjugate)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Elements of `x` where `condition` is True, of `y` elsewhere; or where it is True.

    The shapes of all three are broadcast together, where TensorFlow 1 takes a vector as the
    condition for rows.
    """
    if x is None or y is None:
        return selecting.where(condition, x, y, name)
    with name_scope(name, "SelectV2", [condition, x, y]):
        condition = convert.convert_to_tensor(condition, dtypes.bool, "condition")
        if is_tensor(y) and not is_tensor(x):
            y = convert.convert_to_tensor(y, name="e")
            x = convert.convert_to_tensor(x, y.dtype.base_dtype, "t")
        else:
            x = convert.convert_to_tensor(x, name="t")
            y = convert.convert_to_tensor(y, x.dtype.base_dtype, "e")
        parts = [condition, x, y]
        known = [part._dims for part in parts]
        if None in known or not all(dims == known[0] and None not in dims for dims in known):
            for dims in known[1:]:
                broadcast(known[0], dims)
            broadcast(known[1], known[2])
            sizes = shape_ops.broadcast_dynamic_shape(shape(x), shape(y))
            sizes = shape_ops.broadcast_dynamic_shape(shape(condition), sizes)
            parts = [broadcast_to(part, sizes) for part in parts]
        return selecting.where(*parts)
