"""Rows that are used where they lie: a step says where that is, as the program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.kernels import looping
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.moments import Moments
from hybridflow._src.plan.steps import Call
from hybridflow._src.plan.values import MOVING, Buffer, Items, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

# The status where there is no such row.
_NONE = 1


class Row(NamedTuple):
    """A row as a buffer, and the value that it is a row of."""

    row: Buffer
    of: Value


class Rows(tuple[Row, ...]):
    """The argument of a call that says where rows lie."""

    __slots__ = ()


class Located(Moments):
    """Steps with rows that lie where they are.

    Attributes:
      in_place: whether rows are used so: what they are rows of must not change as long as they are.
    """

    in_place = False

    def can_locate(self, of: Value) -> bool:
        """Whether rows of a value are used where they lie."""
        return self.in_place and not (isinstance(of, Items) and not of.is_captured)

    def row(self, of: Value, index: Value, from_end: bool = False) -> Value:
        """The row that an index names, where it lies; a negative one counts `from_end`, or fails.

        The run fails if there is none.
        """
        buffer = Buffer(MOVING, of.shape[1:], of.dtype, len(self.steps))
        self._append_locating(index, of.shape[0], [Row(buffer, of)], from_end)
        return Value(buffer, of.shape[1:], of.strides[1:])

    def _append_locating(
        self, index: Value, count: int, rows: Sequence[Row], from_end: bool = False
    ) -> None:
        step = locating(index, count, rows, _NONE, count if from_end else 0)
        self._note_reads(step.reads, len(self.steps))
        self.fallible.append(len(self.steps))
        self.steps.append(step)

    def locate_first(self, index: Value, count: int, rows: Sequence[Row]) -> None:
        """Says where rows lie before all steps but those for which there was room.

        The run stops there if there are no more than `count` of them.
        """
        position = self.steps.index(None)
        self.steps[position] = locating(index, count, rows, looping.FULL)
        self.ops[position] = {self.op: None}
        self.fallible.append(position)


def locating(index: Value, count: int, rows: Sequence[Row], status: int, from_end: int = 0) -> Call:
    """The call that says where rows lie: of `count` of them those that an index names."""
    return Call(
        looping.locate(SHORT_NAMES[index.dtype]),
        (index, count, from_end, status, Rows(rows)),
        (index, *[row.of for row in rows]),
        tuple(row.row for row in rows),
        True,
        False,
    )


def is_locating(step: Call) -> bool:
    """Whether a call says where rows lie."""
    return isinstance(step.args[-1], Rows)
