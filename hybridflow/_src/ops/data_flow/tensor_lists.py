"""Lists of tensors as values of dtype variant: what TensorFlow's functional loops collect in.

A list is a `Turns`, the stack of a loop, and is never changed once it is made. An element that has
not been set is None. Files have these ops; they have no public functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError, ResourceExhaustedError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, no_gradient
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.control_flow.bodies import nothing
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.plan.nested import Turns

_MOST = 1 << 26


def _dims_of(element_shape: Any) -> Any:
    """The static shape that a tensor says: -1 is not known, -1 alone is no rank."""
    sizes = constant_value(element_shape)
    if sizes is None or not np.ndim(sizes):
        return None
    return tuple([None if size < 0 else size for size in sizes.tolist()])


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


def _checked_index(items: Any, index: Any) -> int:
    if not 0 <= int(index) < len(items):
        raise _invalid(
            f"Trying to access element {int(index)} in a list with {len(items)} elements."
        )
    return int(index)


def _value(items: Any, index: int, element_shape: np.ndarray, element_dtype: Any) -> Any:
    """An element; one that is not set is zeros, of the shape asked for or that of the others."""
    found = items[index]
    if found is not None:
        return found
    sizes = np.atleast_1d(element_shape).tolist()
    if not np.ndim(element_shape) or min(sizes, default=0) < 0:
        known = next((item for item in items if item is not None), None)
        if known is None:
            raise _invalid(
                "Trying to read an uninitialized element of a list whose elements have no known "
                "shape."
            )
        sizes = known.shape
    return np.zeros(allocatable("TensorListGetItem", sizes, element_dtype.np), element_dtype.np)


def checked_size(op: str, size: int) -> int:
    """A number of elements, of which a list or array can have so many.

    Raises:
      ResourceExhaustedError: if there are more than any loop has turns.
    """
    if size > _MOST:
        raise ResourceExhaustedError(
            None, None, f"{op}: a list of {size} elements is too large (more than {_MOST})."
        )
    return size


def _reserve(element_shape: Any, num_elements: Any, element_dtype: Any) -> Turns:
    if num_elements < 0:
        raise _invalid(
            f"The num_elements to reserve must be a non negative number, got {num_elements}"
        )
    return Turns([None] * checked_size("TensorListReserve", int(num_elements)))


def _set(input_handle: Any, index: Any, item: Any) -> Turns:
    place = _checked_index(input_handle, index)
    return Turns([*input_handle[:place], item, *input_handle[place + 1 :]])


def _listed(handle: Any) -> Any:
    """A list. The gradient of a stack, where a file has one beside lists, becomes one."""
    if not isinstance(handle, dict):
        return handle
    return Turns([handle.get(index) for index in range(max(handle, default=-1) + 1)])


def _resize(input_handle: Any, size: Any) -> Turns:
    input_handle = _listed(input_handle)
    if size < 0:
        raise _invalid(f"TensorListResize expects size to be non-negative, got {int(size)}.")
    count = checked_size("TensorListResize", int(size))
    return Turns([*input_handle[:count], *[None] * (count - len(input_handle))])


def _pop(input_handle: Any, element_shape: Any, element_dtype: Any) -> list[Any]:
    if not input_handle:
        raise _invalid("Trying to pop from an empty list.")
    last = len(input_handle) - 1
    return [Turns(input_handle[:-1]), _value(input_handle, last, element_shape, element_dtype)]


def _stack(
    input_handle: Any, element_shape: Any, element_dtype: Any, num_elements: int
) -> np.ndarray:
    if num_elements not in (-1, len(input_handle)):
        raise _invalid(
            f"Operation expected a list with {num_elements} elements but got a list with "
            f"{len(input_handle)} elements."
        )
    if not input_handle:
        sizes = np.atleast_1d(element_shape).tolist()
        if not np.ndim(element_shape) or min(sizes, default=0) < 0:
            raise _invalid(
                "Tried to stack elements of an empty list with a shape that is not known."
            )
        return np.zeros([0, *sizes], element_dtype.np)
    items = [
        _value(input_handle, i, element_shape, element_dtype) for i in range(len(input_handle))
    ]
    for index, item in enumerate(items):
        if item.shape != items[0].shape:
            raise _invalid(
                f"Tried to stack lists whose elements differ: element 0 has shape "
                f"{items[0].shape}, element {index} {item.shape}."
            )
    return np.stack(items)


def _gather(
    input_handle: Any, indices: Any, element_shape: np.ndarray, element_dtype: Any
) -> np.ndarray:
    found = Turns(
        _value(input_handle, _checked_index(input_handle, index), element_shape, element_dtype)
        for index in indices
    )
    return _stack(found, element_shape, element_dtype, -1)


def _gathered(attrs: dict[str, Any], handle: Any, indices: Any, element_shape: Any) -> Any:
    dims = _dims_of(element_shape)
    return None if dims is None else (None if indices._dims is None else indices._dims[0], *dims)


def _scatter(input_handle: Any, tensor: Any, indices: Any) -> Turns:
    if np.ndim(indices) != 1 or np.shape(tensor)[:1] != np.shape(indices):
        raise _invalid(
            f"Expected one row for each of the indices of shape {list(np.shape(indices))}, got a "
            f"tensor of shape {list(np.shape(tensor))}."
        )
    found = Turns(input_handle)
    for index, row in zip(indices, tensor, strict=True):
        found[_checked_index(found, index)] = row
    return found


def _split(tensor: Any, element_shape: Any, lengths: Any) -> Turns:
    if not np.ndim(tensor) or np.ndim(lengths) != 1:
        raise _invalid("TensorListSplit expects a tensor with rows, and a vector of lengths.")
    if np.any(lengths < 0) or int(np.sum(lengths)) != len(tensor):
        raise _invalid(
            f"The lengths of the parts are {int(np.sum(lengths))} together, but the tensor has "
            f"{len(tensor)} rows."
        )
    ends = np.cumsum(lengths)
    return Turns(tensor[end - n : end] for end, n in zip(ends, lengths, strict=True))


def _concat(
    input_handle: Any, element_shape: Any, leading_dims: Any, element_dtype: Any
) -> list[np.ndarray]:
    rows = np.atleast_1d(element_shape)[1:]
    found = []
    for index, item in enumerate(input_handle):
        if item is None:  # zeros, of as many rows as `leading_dims` says
            first = leading_dims[index : index + 1]
            sizes = np.concatenate([first if len(first) else element_shape[:1], rows])
            item = _value(input_handle, index, sizes, element_dtype)
        if not np.ndim(item):
            raise _invalid("TensorListConcat saw a scalar, but elements must have rows.")
        found.append(item)
    lengths = np.array([len(item) for item in found], np.int64)
    if not found:
        found = [_stack(Turns(), rows, element_dtype, -1)]
    if len({item.shape[1:] for item in found}) > 1:
        raise _invalid("TensorListConcat expects elements that differ in their first size alone.")
    return [np.concatenate(found), lengths]


def _joined(attrs: dict[str, Any], handle: Any, element_shape: Any, leading_dims: Any) -> Any:
    dims = _dims_of(element_shape)
    return [None if not dims else (None, *dims[1:]), (None,)]


def _stacked(attrs: dict[str, Any], handle: Any, element_shape: Any) -> Any:
    dims = _dims_of(element_shape)
    count = attrs["num_elements"]
    return None if dims is None else (None if count < 0 else count, *dims)


for _name, _inputs, _compute in (
    ("EmptyTensorList", "max_num_elements", lambda *_, element_dtype: Turns()),
    ("TensorListReserve", "num_elements", _reserve),
):
    OpDef(
        _name,
        f"element_shape: shape_type, {_inputs}: int32 -> handle: variant",
        attrs={"element_dtype": REQUIRED},
        types={"shape_type": INDICES},
        shape=scalar,
        compute=_compute,
        grad=no_gradient,
    )
OpDef(
    "TensorListPushBack",
    "input_handle: variant, tensor: element_dtype -> output_handle: variant",
    shape=scalar,
    compute=lambda input_handle, tensor: Turns([*input_handle, tensor]),
    grad=no_gradient,
)
OpDef(
    "TensorListPopBack",
    "input_handle: variant, element_shape: int32 -> output_handle: variant, tensor: element_dtype",
    attrs={"element_dtype": REQUIRED},
    shape=lambda attrs, handle, element_shape: [(), _dims_of(element_shape)],
    compute=_pop,
    grad=no_gradient,
)
OpDef(
    "TensorListSetItem",
    "input_handle: variant, index: int32, item: element_dtype -> output_handle: variant",
    shape=scalar,
    compute=_set,
    grad=no_gradient,
)
OpDef(
    "TensorListResize",
    "input_handle: variant, size: int32 -> output_handle: variant",
    shape=scalar,
    compute=_resize,
    grad=no_gradient,
)
OpDef(
    "TensorListGetItem",
    "input_handle: variant, index: int32, element_shape: int32 -> item: element_dtype",
    attrs={"element_dtype": REQUIRED},
    shape=lambda attrs, handle, index, element_shape: _dims_of(element_shape),
    compute=lambda input_handle, index, element_shape, element_dtype: _value(
        input_handle, _checked_index(input_handle, index), element_shape, element_dtype
    ),
    grad=no_gradient,
)
OpDef(
    "TensorListStack",
    "input_handle: variant, element_shape: int32 -> tensor: element_dtype",
    attrs={"element_dtype": REQUIRED, "num_elements": -1},
    shape=_stacked,
    compute=_stack,
    grad=no_gradient,
)
OpDef(
    "TensorListGather",
    "input_handle: variant, indices: int32, element_shape: int32 -> values: element_dtype",
    attrs={"element_dtype": REQUIRED},
    shape=_gathered,
    compute=_gather,
    grad=no_gradient,
)
OpDef(
    "TensorListScatterIntoExistingList",
    "input_handle: variant, tensor: element_dtype, indices: int32 -> output_handle: variant",
    shape=scalar,
    compute=_scatter,
    grad=no_gradient,
)
OpDef(
    "TensorListSplit",
    "tensor: element_dtype, element_shape: shape_type, lengths: int64 -> output_handle: variant",
    types={"shape_type": INDICES},
    shape=scalar,
    compute=_split,
    grad=no_gradient,
)
OpDef(
    "TensorListConcatV2",
    "input_handle: variant, element_shape: shape_type, leading_dims: int64 -> "
    "tensor: element_dtype, lengths: int64",
    attrs={"element_dtype": REQUIRED},
    types={"shape_type": INDICES},
    shape=_joined,
    compute=_concat,
    grad=no_gradient,
)
OpDef(
    "TensorListFromTensor",
    "tensor: element_dtype, element_shape: shape_type -> output_handle: variant",
    types={"shape_type": INDICES},
    shape=scalar,
    compute=lambda tensor, element_shape: Turns(tensor),
    grad=no_gradient,
)
OpDef(
    "TensorListLength",
    "input_handle: variant -> length: int32",
    shape=scalar,
    compute=lambda input_handle: np.asarray(len(_listed(input_handle)), np.int32),
    grad=no_gradient,
)
OpDef(
    "FakeParam",
    "-> output: dtype",
    attrs={"dtype": REQUIRED, "shape": REQUIRED},
    shape=lambda attrs: attrs["shape"]._dims,
    compute=lambda dtype, shape: nothing(dtype),
    grad=no_gradient,
    samples=lambda rng: (),
)
