"""Slices of tensors: start and length along each axis, and parts put together of those kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Extent = tuple[int, int]
# All of an axis, whatever its size.
FULL: Extent = (0, -1)


def extents_of(message: Any) -> tuple[Extent, ...]:
    """The extents of a `TensorSliceProto`."""
    return tuple(
        [
            (item.start, item.length) if item.WhichOneof("has_length") else FULL
            for item in message.extent
        ]
    )


def add_extents(message: Any, extents: Iterable[Extent]) -> None:
    """Fills a `TensorSliceProto`."""
    for extent in extents:
        item = message.extent.add()
        if extent != FULL:
            item.start, item.length = extent


def bounds(extents: Sequence[Extent], shape: Sequence[int]) -> list[Extent]:
    """The extents with numbers where they are `FULL`.

    Raises:
      ValueError: if they are no slice of `shape`.
    """
    if len(extents) != len(shape):
        raise ValueError(f"a slice has {len(extents)} axes, the tensor {len(shape)}")
    found = [
        (0, size) if extent == FULL else extent for extent, size in zip(extents, shape, strict=True)
    ]
    if any(
        start < 0 or length < 0 or start + length > size
        for (start, length), size in zip(found, shape, strict=True)
    ):
        raise ValueError(f"slice {found} lies outside of shape {list(shape)}")
    return found


def assemble(
    wanted: Sequence[Extent],
    shape: Sequence[int],
    kept: Iterable[tuple[Extent, ...]],
    create: Callable[[Sequence[int]], np.ndarray],
    read: Callable[[tuple[Extent, ...], np.ndarray | None], np.ndarray],
) -> np.ndarray:
    """Part of a tensor, of the slices in which it is kept.

    Args:
      wanted: the part.
      shape: of the whole.
      kept: the slices.
      create: makes an array for the part.
      read: gives the value of a slice, and where it is told an array puts it there.

    Raises:
      ValueError: if the slices do not cover it.
    """
    part = bounds(wanted, shape)
    # A damaged index must not make large what its slices do not fill.
    missing = math.prod([length for _, length in part])
    used = []
    for extents in dict.fromkeys(kept):
        held = bounds(extents, shape)
        common = [_overlap(a, b) for a, b in zip(part, held, strict=True)]
        if all(length > 0 for _, length in common):
            missing -= math.prod([length for _, length in common])
            used.append((extents, held, common))
    if missing:
        raise ValueError("the slices do not cover what is asked for")
    result = create([length for _, length in part])
    for extents, held, common in used:
        index: Any = (*_within(common, part), ...)  # so that it is an array, of a scalar too
        place = result[index]
        if common == held and place.flags.c_contiguous:
            read(extents, place)
        else:
            place[...] = read(extents, None)[_within(common, held)]
    return result


def _overlap(a: Extent, b: Extent) -> Extent:
    start = max(a[0], b[0])
    return start, min(a[0] + a[1], b[0] + b[1]) - start


def _within(common: Sequence[Extent], frame: Sequence[Extent]) -> tuple[slice, ...]:
    """Where `common` lies in an array that begins with `frame`."""
    return tuple(
        [
            slice(start - first, start - first + length)
            for (start, length), (first, _) in zip(common, frame, strict=True)
        ]
    )
