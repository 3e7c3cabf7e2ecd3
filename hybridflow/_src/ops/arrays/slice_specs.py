"""What strided slices say: entries that pick, range over, keep or add a dimension."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.kernels.slices import OPEN_BEGIN, OPEN_END, Axis
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

# What a strided slice says beside its bounds: bit i of a mask changes the meaning of entry i.
MASKS: dict[str, Any] = {
    "begin_mask": 0,
    "end_mask": 0,
    "ellipsis_mask": 0,
    "new_axis_mask": 0,
    "shrink_axis_mask": 0,
}


def elements(tensor: Tensor) -> list[int | None] | None:
    """The entries of an integer vector as far as they are known; None if their number is not."""
    value = constant_value(tensor)
    if value is not None:
        if value.ndim != 1:
            raise ValueError(f"Shape must be rank 1 but is rank {value.ndim}")
        return value.tolist()
    (count,) = shape_rules.with_rank(tensor, 1)
    if tensor.op.type == "Pack" and tensor.op.attrs["axis"] == 0:
        parts = [constant_value(t) for t in tensor.op.inputs]
        return [None if p is None else int(p) for p in parts]
    return None if count is None else [None] * count


def walk(rank: int, count: int, masks: dict[str, Any]) -> Iterable[tuple[int, str, int]]:
    """For each entry of a slice spec its index, kind and the dimension of the input it is about.

    The kinds are "new", "pick" (an index), "range", and "keep" for the dimensions that the ellipsis
    stands for (at the end, if there is none).
    """
    ellipsis = masks["ellipsis_mask"] & ((1 << count) - 1)
    if ellipsis & (ellipsis - 1):
        raise ValueError("Multiple ellipses in slice spec not allowed")
    used = bin(~(masks["new_axis_mask"] | ellipsis) & ((1 << count) - 1)).count("1")
    if used > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")
    dim = 0
    for i in range(count):
        bit = 1 << i
        if ellipsis & bit:
            for _ in range(rank - used):
                yield i, "keep", dim
                dim += 1
        elif masks["new_axis_mask"] & bit:
            yield i, "new", dim
        else:
            yield i, "pick" if masks["shrink_axis_mask"] & bit else "range", dim
            dim += 1
    while dim < rank:
        yield count, "keep", dim
        dim += 1


def check_pick(begin: int, stride: int | None, dim: int, size: int | None) -> None:
    if stride is not None and stride <= 0:
        raise ValueError("only stride 1 allowed on non-range indexing.")
    if size is not None and not -size <= begin < size:
        raise ValueError(f"slice index {begin} of dimension {dim} out of bounds.")


def range_of(begin: Any, end: Any, stride: int, i: int, masks: dict[str, Any]) -> builtins.slice:
    if stride == 0:
        raise ValueError(f"strides[{i}] must be non-zero")
    return builtins.slice(
        None if masks["begin_mask"] >> i & 1 else begin,
        None if masks["end_mask"] >> i & 1 else end,
        stride,
    )


def index_of(
    dims: tuple[int, ...], begin: Any, end: Any, strides: Any, masks: dict[str, Any]
) -> tuple[Any, ...]:
    """The index that means for a NumPy array of shape `dims` what the slice spec means."""
    begin, end, strides = begin.tolist(), end.tolist(), strides.tolist()
    if not len(begin) == len(end) == len(strides):
        raise ValueError("Expected begin, end, and strides to be 1D equal size tensors")
    index: list[Any] = []
    for i, kind, dim in walk(len(dims), len(begin), masks):
        if kind == "pick":
            check_pick(begin[i], strides[i], dim, dims[dim])
            index.append(begin[i])
        elif kind == "range":
            index.append(range_of(begin[i], end[i], strides[i], i, masks))
        else:
            index.append(None if kind == "new" else builtins.slice(None))
    # The ellipsis makes NumPy return an array where only one element is left.
    return (*index, ...)


def masks_of(op: Any) -> dict[str, Any]:
    return {name: op.get_attr(name) for name in MASKS}


def picks_row(op: Any) -> bool:
    """Whether a strided slice, or its gradient, is about one row: `x[i]`, `x[i, :]`."""
    begin, _, strides = (elements(t) for t in op.inputs[1:4])
    masks = masks_of(op)
    if begin is None or strides is None or masks["new_axis_mask"]:
        return False
    open_masks = masks["begin_mask"] & masks["end_mask"]
    return (
        masks["shrink_axis_mask"] == 1
        and not masks["ellipsis_mask"] & 1
        and all(
            masks["ellipsis_mask"] >> i & 1 or (open_masks >> i & 1 and strides[i] == 1)
            for i in range(1, len(begin))
        )
    )


def axes(b: Any, dims: Any, strides: Any, shape: Any, masks: dict[str, Any]) -> list[Axis]:
    """How a slice spec cuts each dimension, where the slice has a shape that was seen."""
    steps = b.known(strides).tolist()
    sizes = iter(shape)
    axes = []
    for i, kind, _ in walk(len(dims), len(steps), masks):
        if kind == "pick":
            axes.append(Axis(i, None))
        elif kind == "range":
            opened = OPEN_BEGIN * (masks["begin_mask"] >> i & 1)
            opened |= OPEN_END * (masks["end_mask"] >> i & 1)
            axes.append(Axis(i, next(sizes), steps[i], opened))
        elif kind == "keep":
            axes.append(Axis(None, next(sizes)))
        else:
            next(sizes)
    return axes
