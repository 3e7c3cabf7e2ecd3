"""What tensor arrays of programs are made of: lists of tensors as values of dtype variant.

A list is a `Turns`, never changed once it is made; an item that has not been written is None. The
gradient for a list is, as for any stack, a dict from index to gradient, or a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError, UnimplementedError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import TensorShape, bracketed
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.control_flow import writing_lists as _writing
from hybridflow._src.ops.control_flow.bodies import gradient_item, zeros_for
from hybridflow._src.ops.data_flow.tensor_lists import checked_size
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.plan.nested import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY = TensorShape.of(None)


def invalid(array: str, what: str) -> InvalidArgumentError:
    """An error of one array."""
    return InvalidArgumentError(None, None, f"TensorArray {array}: {what}")


def not_added(array: str, index: int, known: Any, new: Any) -> InvalidArgumentError:
    """The error of gradients of different shapes for one item."""
    return invalid(
        array,
        f"Could not aggregate to TensorArray index {index} because the existing shape is "
        f"{list(known)} but the new input shape is {list(new)}.",
    )


def place_for(items: list[Any], index: int, array: str, dynamic: bool) -> int:
    """Where an item is to be written; a list that may grow does.

    Raises:
      InvalidArgumentError: if there is no such place, or it is taken.
    """
    if index < 0 or (index >= len(items) and not dynamic):
        below = f". Writing to negative indices (index {index}) is not allowed." * (index < 0)
        raise invalid(
            array,
            f"Tried to write to index {index} but array is not resizeable and size is: "
            f"{len(items)}{below}",
        )
    if index >= len(items):
        checked_size("TensorArray", index)
        items += [None] * (index + 1 - len(items))
    if items[index] is not None:
        raise invalid(
            array,
            f"Could not write to TensorArray index {index} because it has already been written to.",
        )
    return index


def unwritten(array: str, index: int, dims: Any, dtype: Any) -> np.ndarray:
    """What stands for an item that was not written: zeros.

    Raises:
      InvalidArgumentError: if the shape of items is not known.
    """
    if dims is None or None in dims:
        raise invalid(
            array,
            f"Could not read index {index}: it has not been written to, and the shape of the "
            "elements is not known. `element_shape` says it.",
        )
    return np.zeros(allocatable("TensorArray", dims, dtype.np), dtype.np)


def checked_read(size: int, index: int, array: str) -> int:
    """An index to read from.

    Raises:
      InvalidArgumentError: if there is no such item.
    """
    if not 0 <= index < size:
        raise invalid(array, f"Tried to read from index {index} but array size is: {size}")
    return index


def _read(items: Any, index: Any, dtype: Any, shape: Any, array: str) -> Any:
    place = checked_read(len(items), int(index), array)
    found = items[place]
    return unwritten(array, place, shape._dims, dtype) if found is None else found


def _write(items: Any, index: Any, item: Any, array: str, dynamic: bool) -> Turns:
    new = Turns(items)
    new[place_for(new, int(index), array, dynamic)] = item
    return new


def _scatter(items: Any, indices: Any, value: Any, array: str, dynamic: bool) -> Turns:
    if np.ndim(value) == 0 or np.shape(indices) != np.shape(value)[:1]:
        raise invalid(
            array,
            f"Expected len(indices) == values.shape[0], but saw: {np.size(indices)} vs. "
            f"{list(np.shape(value))}",
        )
    new = Turns(items)
    for index, row in zip(indices, value, strict=True):
        new[place_for(new, int(index), array, dynamic)] = row
    return new


def no_elements(shape: Any, array: str) -> list[int]:
    """The shape of no elements together.

    Raises:
      UnimplementedError: if nothing is known of the elements.
    """
    if shape._dims is None:
        text = (
            f"TensorArray {array}: TensorArray has size zero, but element shape <unknown> is not "
            "fully defined. Currently only static shapes are supported when packing zero-size "
            "TensorArrays: `element_shape` says it."
        )
        raise UnimplementedError(None, None, text)
    return [0, *[0 if d is None else d for d in shape._dims]]


def _stacked(found: list[np.ndarray], dtype: Any, shape: Any, array: str) -> np.ndarray:
    if not found:
        return np.zeros(no_elements(shape, array), dtype.np)
    for place, item in enumerate(found):
        if item.shape != found[0].shape:
            raise invalid(
                array,
                f"The elements must have one shape to be stacked: element 0 has "
                f"{list(found[0].shape)}, element {place} {list(item.shape)}",
            )
    return np.stack(found)


def _gather(items: Any, indices: Any, dtype: Any, shape: Any, array: str) -> np.ndarray:
    found = [_read(items, index, dtype, shape, array) for index in indices]
    return _stacked(found, dtype, shape, array)


def _stack(items: Any, dtype: Any, shape: Any, array: str) -> np.ndarray:
    return _gather(items, range(len(items)), dtype, shape, array)


def checked_lengths(shape: Sequence[int], lengths: np.ndarray, array: str) -> np.ndarray:
    """Where the parts of a value of some shape end.

    Raises:
      InvalidArgumentError: if they are not all of its rows.
    """
    if np.ndim(lengths) != 1:
        shape = list(np.shape(lengths))
        raise invalid(array, f"Expected lengths to be a vector, received shape: {shape}")
    if not shape:
        raise no_rows(array)
    if int(np.sum(lengths)) != shape[0] or np.any(lengths < 0):
        raise invalid(
            array,
            "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
            f"{int(np.sum(lengths))} and value's shape is: {bracketed(tuple(map(int, shape)))}",
        )
    return np.cumsum(lengths)


def no_rows(array: str) -> InvalidArgumentError:
    """The error of a scalar that is to be split."""
    return invalid(array, "Expected value to be at least a vector, but received shape: []")


def check_count(size: int, parts: int, array: str, dynamic: bool) -> None:
    """Checks that as many parts fill an array.

    Raises:
      InvalidArgumentError: if there are too few, or too many for an array that does not grow.
    """
    if parts != size and not (dynamic and parts > size):
        raise invalid(
            array,
            f"TensorArray's size is not equal to the size of lengths ({size} vs. {parts}), and the "
            "TensorArray is not marked as dynamically resizeable",
        )


def check_parts(shapes: Sequence[Sequence[Any]], array: str) -> None:
    """Checks that items of some shapes fit into one row.

    Raises:
      InvalidArgumentError: if one is a scalar, or they differ beyond the first dimension.
    """
    for index, shape in enumerate(shapes):
        if not len(shape):
            raise invalid(
                array,
                f"Concat saw a scalar shape at index {index} but requires at least vectors: "
                "`stack` joins scalars",
            )
        if tuple(shape[1:]) != tuple(shapes[0][1:]):
            raise invalid(
                array,
                "TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: "
                f"{list(shapes[0][1:])} but index {index} has (excepting dimension 0) shape: "
                f"{list(shape[1:])}",
            )


def _split(items: Any, value: Any, lengths: Any, array: str, dynamic: bool) -> Turns:
    ends = checked_lengths(np.shape(value), lengths, array)
    check_count(len(items), len(lengths), array, dynamic)
    new = Turns(items)
    for index, (end, length) in enumerate(zip(ends, lengths, strict=True)):
        new[place_for(new, index, array, dynamic)] = value[end - length : end]
    return new


def _concat(items: Any, dtype: Any, shape: Any, array: str) -> list[Any]:
    found = [_read(items, index, dtype, shape, array) for index in range(len(items))]
    check_parts([np.shape(item) for item in found], array)
    lengths = np.array([len(item) for item in found], np.int64)
    if not found:
        return [np.zeros([0, *no_elements(shape, array)[2:]], dtype.np), lengths]
    return [np.concatenate(found), lengths]


def _rows_of(grads: Any, indices: Any, like: Any) -> np.ndarray:
    if not len(indices):
        return np.zeros_like(like)
    return np.stack([gradient_item(grads, int(i), x) for i, x in zip(indices, like, strict=True)])


def _by_index(indices: Any, rows: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for index, row in zip(indices.tolist(), rows, strict=True):
        found[index] = found[index] + row if index in found else row
    return found


def _parts_of(grads: Any, lengths: Any, like: Any) -> np.ndarray:
    ends = np.cumsum(lengths)
    parts = [
        gradient_item(grads, index, like[end - length : end])
        for index, (end, length) in enumerate(zip(ends, lengths, strict=True))
    ]
    return np.concatenate(parts) if parts else np.zeros_like(like)


def _parts(lengths: Any, rows: Any) -> Turns:
    ends = np.cumsum(lengths)
    return Turns(rows[end - length : end] for end, length in zip(ends, lengths, strict=True))


def _growing(b: Any) -> None:
    raise b.unsupported("an array that grows")


def _element(attrs: dict[str, Any], *_: Any) -> Any:
    return attrs["shape"]._dims


def _gathered(attrs: dict[str, Any], items: Any, indices: Any) -> Any:
    dims, count = attrs["shape"]._dims, indices._dims
    return None if dims is None else (None if count is None else count[0], *dims)


def _all(attrs: dict[str, Any], items: Any) -> Any:
    dims = attrs["shape"]._dims
    return None if dims is None else (None, *dims)


def _joined(attrs: dict[str, Any], items: Any) -> Any:
    dims = attrs["shape"]._dims
    return [None if not dims else (None, *dims[1:]), (None,)]


_WRITING = {"array": "", "dynamic": False}
_READING = {"dtype": REQUIRED, "shape": _ANY, "array": ""}


def _make(size: Any, dtype: Any, array: str) -> Turns:
    if size < 0:
        raise invalid(array, f"Size should be >= 0, got {int(size)}.")
    return Turns([None] * checked_size("TensorArray", int(size)))


OpDef(
    "ArrayItems",
    "size: int32 -> items: variant",
    attrs={"dtype": REQUIRED, "array": ""},
    shape=scalar,
    compute=_make,
    grad=not_differentiable,
    written=_writing.write_items,
)
OpDef(
    "ArrayItemsWrite",
    "items: variant, index: int32, item: T -> written: variant",
    attrs=_WRITING,
    shape=scalar,
    compute=_write,
    written=_writing.write_items_write,
    native=lambda b, items, index, item, array, dynamic: b.write_item(items, index, item, dynamic),
    grad=lambda op, dy: (
        dy,
        None,
        raw.StackGradientItem(dy, zeros_for(op.inputs[2]), op.inputs[1]),
    ),
)
OpDef(
    "ArrayItemsScatter",
    "items: variant, indices: int32, value: T -> written: variant",
    attrs=_WRITING,
    shape=scalar,
    compute=_scatter,
    native=lambda b, items, indices, value, array, dynamic: (
        b.write_items(items, indices, value) if not dynamic else _growing(b)
    ),
    grad=lambda op, dy: (dy, None, raw.ArrayGradientRows(dy, op.inputs[1], op.inputs[2])),
    written=_writing.write_items_scatter,
)
OpDef(
    "ArrayItemsSplit",
    "items: variant, value: T, lengths: int64 -> written: variant",
    attrs=_WRITING,
    shape=scalar,
    compute=_split,
    grad=lambda op, dy: (dy, raw.ArrayGradientParts(dy, op.inputs[2], op.inputs[1]), None),
    written=_writing.write_items_split,
)
OpDef(
    "ArrayItemsRead",
    "items: variant, index: int32 -> item: dtype",
    attrs=_READING,
    shape=_element,
    compute=_read,
    written=_writing.write_stack_item,
    native=lambda b, items, index, dtype, shape, array: b.read_items(
        items, index, shape.is_fully_defined()
    ),
    grad=lambda op, dy: (raw.StackGradient(op.inputs[1], dy), None),
)
OpDef(
    "ArrayItemsGather",
    "items: variant, indices: int32 -> value: dtype",
    attrs=_READING,
    shape=_gathered,
    compute=_gather,
    native=lambda b, items, indices, dtype, shape, array: b.read_items(
        items, indices, shape.is_fully_defined()
    ),
    grad=lambda op, dy: (raw.ArrayGradientOfRows(op.inputs[1], dy), None),
    written=_writing.write_items_gather,
)
OpDef(
    "ArrayItemsStack",
    "items: variant -> value: dtype",
    attrs=_READING,
    shape=_all,
    compute=_stack,
    written=_writing.write_stack_all,
    native=lambda b, items, dtype, shape, array: b.all_items(items, shape.is_fully_defined()),
    grad=lambda op, dy: raw.UnstackAll(dy),
)
OpDef(
    "ArrayItemsConcat",
    "items: variant -> value: dtype, lengths: int64",
    attrs=_READING,
    shape=_joined,
    compute=_concat,
    grad=lambda op, dy, _: None if dy is None else raw.ArrayGradientOfParts(op.outputs[1], dy),
    written=_writing.write_items_concat,
)
OpDef(
    "ArrayItemsSize",
    "items: variant -> size: int32",
    shape=scalar,
    compute=lambda items: np.asarray(len(items), np.int32),
    written=_writing.write_items_size,
    native=lambda b, items: b.size_of_items(items),
    grad=not_differentiable,
)
# Gradients: of rows at indices, and of parts; each the other one's gradient.
OpDef(
    "ArrayGradientRows",
    "grads: variant, indices: int32, like: T -> rows: T",
    shape=lambda attrs, grads, indices, like: like._dims,
    compute=_rows_of,
    native=lambda b, grads, indices, like: b.gradient_item(grads, like, indices),
    grad=lambda op, dy: (raw.ArrayGradientOfRows(op.inputs[1], dy), None, None),
    written=_writing.write_gradient_rows,
)
OpDef(
    "ArrayGradientOfRows",
    "indices: int32, rows: T -> grads: variant",
    shape=scalar,
    compute=_by_index,
    native=lambda b, indices, rows: b.gradients_of_rows(indices, rows),
    grad=lambda op, dy: (None, raw.ArrayGradientRows(dy, op.inputs[0], op.inputs[1])),
    written=_writing.write_gradient_of_rows,
)
OpDef(
    "ArrayGradientParts",
    "grads: variant, lengths: int64, like: T -> rows: T",
    shape=lambda attrs, grads, lengths, like: like._dims,
    compute=_parts_of,
    grad=lambda op, dy: (raw.ArrayGradientOfParts(op.inputs[1], dy), None, None),
    written=_writing.write_gradient_parts,
)
OpDef(
    "ArrayGradientOfParts",
    "lengths: int64, rows: T -> grads: variant",
    shape=scalar,
    compute=_parts,
    grad=lambda op, dy: (None, raw.ArrayGradientParts(dy, op.inputs[0], op.inputs[1])),
    written=_writing.write_gradient_of_parts,
)
