"""`tensor[...]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import is_dense_tensor_like
from hybridflow._src.ops.arrays.constant import of_array
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.slice_specs import MASKS
from hybridflow._src.ops.arrays.slicing import strided_slice_op

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["getitem", "newaxis"]

newaxis = None

_BAD_INDEX = (
    "Only integers, slices (`:`), ellipsis (`...`), `hf.newaxis` (`None`) and scalar integer "
    "tensors are valid indices, got {index!r:.100}. To take rows by a list use "
    "`hf.gather(t, indices)`, by a mask `hf.boolean_mask(t, mask)`."
)


def getitem(tensor: Any, key: Any, variable: Any = None) -> Tensor:
    """`tensor[key]`: ints, slices, `...`, `None` (a new axis), scalar integer tensors as indices or
    bounds, and tuples of those.

    Args:
      tensor: a tensor or variable.
      key: the index. As in TF a list is taken as a tuple.
      variable: the variable whose value `tensor` is, if it is one.

    Returns: a tensor; for a variable it has a method `assign(value)` that writes to that part.

    Raises:
      TypeError: for an index of another kind. ValueError: if an index is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[1, 2, 3], [4, 5, 6]])
    ...     print(x[:, -1].numpy(), x[0, ::2].numpy(), x[..., None].shape)
    [3 6] [1 3] (2, 3, 1)
    """
    entries = key if isinstance(key, list | tuple) else (key,)
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    masks = dict(MASKS)
    for i, entry in enumerate(entries):
        bit = 1 << i
        if isinstance(entry, slice):
            if entry.start is None:
                masks["begin_mask"] |= bit
            if entry.stop is None:
                masks["end_mask"] |= bit
            begin.append(0 if entry.start is None else _bound(entry.start))
            end.append(0 if entry.stop is None else _bound(entry.stop))
            strides.append(1 if entry.step is None else _bound(entry.step))
            continue
        if entry is Ellipsis or entry is None:
            masks["new_axis_mask" if entry is None else "ellipsis_mask"] |= bit
            begin.append(0)
            end.append(0)
        else:
            masks["shrink_axis_mask"] |= bit
            at = _bound(entry)
            begin.append(at)
            end.append(at + 1)
        strides.append(1)
    bounds: list[Any]
    if context.modes.top.eager:
        bounds = [
            EagerTensor(np.array(part, np.int64), dtypes.int64) for part in (begin, end, strides)
        ]
        part = strided_slice_op(tensor, *bounds, **masks)
        return part if variable is None else _assignable(part, variable, bounds, masks, None)
    with name_scope(None, "strided_slice", [tensor, *begin, *end, *strides]) as scope:
        if begin:
            bounds = [_packed(part) for part in (begin, end, strides)]
        else:
            bounds = [convert_to_tensor(np.zeros(0, np.int32))] * 3
        if any(t.dtype == dtypes.int64 for t in bounds):
            bounds = [t if t.dtype == dtypes.int64 else _int64(t) for t in bounds]
        part = strided_slice_op(tensor, *bounds, **masks, name=scope)
    return (
        part if variable is None else _assignable(part, variable, bounds, masks, f"{scope}_assign")
    )


def _assignable(part: Any, variable: Any, bounds: Any, masks: Any, default: str | None) -> Tensor:
    """Gives a part of a variable's value the method `assign`."""

    def assign(value: Any, name: str | None = None) -> Any:
        return variable._assign_slice(bounds, value, name or default, masks)

    part.assign = assign
    return part


def _packed(part: list[Any]) -> Tensor:
    if all(type(bound) is int and -(2**31) <= bound < 2**31 for bound in part):
        return of_array(np.array(part, np.int32), dtypes.int32, "stack")
    return stack(part)


def _int64(tensor: Tensor) -> Any:
    return raw.Cast(tensor, DstT=dtypes.int64)


def _bound(value: Any) -> Any:
    """An index or bound: an int, or a scalar integer tensor of the graph."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if is_dense_tensor_like(value):
        value = convert_to_tensor(value)
        if not value.dtype.is_integer or value._dims not in ((), None):
            raise TypeError(_BAD_INDEX.format(index=value))
        return int(value) if context.modes.top.eager else value
    if isinstance(value, np.integer | Dimension) or (
        isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu"
    ):
        return int(value)
    raise TypeError(_BAD_INDEX.format(index=value))
