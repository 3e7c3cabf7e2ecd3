"""Values of which each rank has a part: gradients of tables that lie in parts on the ranks."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.indexed_slices import IndexedSlices, sum_repeated
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.collectives.reducing import sums

if TYPE_CHECKING:
    from collections.abc import Sequence

_marked: weakref.WeakSet[Any] = weakref.WeakSet()


def marked_as_part(value: Any) -> Any:
    """A tensor or `IndexedSlices`, noted to be this rank's part of what lies on all of them."""
    _marked.add(value)
    return value


def is_part(value: Any) -> bool:
    """Whether other ranks have the other parts of this tensor, or of these `IndexedSlices`."""
    return isinstance(value, Tensor | IndexedSlices) and value in _marked


def half_of_squares(parts: Sequence[Any]) -> Tensor:
    """Half of the sum of all squares in tensors or `IndexedSlices`, of whose parts this rank has
    some; all ranks ask together. Rows that come several times count as their sum.
    """
    halves = []
    for part in parts:
        rows = part
        if isinstance(part, IndexedSlices):
            rows, _ = sum_repeated(part.values, part.indices)
        halves.append(raw.L2Loss(rows))
    (total,) = sums([raw.AddN(halves)], "Allreduce")
    return total
