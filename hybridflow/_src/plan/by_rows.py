"""Loops whose bodies compute each row of a batch by itself: threads share the rows.

Each thread then runs all turns for some of the rows, and never waits for another one. What belongs
to no row, as the number of the turn, each computes for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.located import is_locating
from hybridflow._src.plan.panels import is_by_panels
from hybridflow._src.plan.products import cut, rows_of
from hybridflow._src.plan.steps import ByRows, Call, Cut
from hybridflow._src.plan.values import OUTER, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.plan.steps import LoopVariable

    # Steps with their positions.
    Steps = Sequence[tuple[int, Any]]


def by_rows(
    parts: Sequence[Steps],
    variables: Sequence[LoopVariable],
    names: Mapping[Buffer, Buffer],
    added: Sequence[Buffer],
) -> ByRows | None:
    """How threads can share a loop; None if they cannot.

    Args:
      parts: the steps of its condition and of its body. names: what their buffers are outside.
      added: the stacks that the body adds to.
    """
    changing = [v.even for v in variables if v.even is not v.odd and v.even.shape]
    largest = sorted(changing, key=lambda b: -b.size)
    for rows in dict.fromkeys(buffer.shape[0] for buffer in largest):
        if rows > 1:
            try:
                return _Check(rows, variables, names, added).of(parts)
            except _Together:
                continue
    return None


class _Together(Exception):
    """Rows are not computed each by itself."""


class _Check:
    """Goes through the steps of a loop.

    What is written in the loop consists of rows, of which each is written and read for itself, or
    is the same for all of them.
    """

    def __init__(
        self,
        rows: int,
        variables: Sequence[LoopVariable],
        names: Mapping[Buffer, Buffer],
        added: Sequence[Buffer],
    ) -> None:
        self._rows = rows
        self._names = names
        self._added = set(added)
        self._cuts: dict[int, Cut] = {}
        self._variables = tuple(
            v.even is not v.odd and v.even.shape[:1] == (rows,) for v in variables
        )
        # For what is written in the loop whether it consists of rows.
        self._is_rows: dict[Buffer, bool] = {}
        for variable, is_rows in zip(variables, self._variables, strict=True):
            self._is_rows[variable.even] = self._is_rows[variable.odd] = is_rows

    def of(self, parts: Sequence[Steps]) -> ByRows:
        """How the loop is shared.

        Raises:
          _Together: if it cannot be.
        """
        for part in parts:
            for _, step in part:
                if isinstance(step, GroupCall):
                    self._group(step)
                elif isinstance(step, Call):
                    self._call(step)
                else:
                    raise _Together
        steps = [step for part in parts for _, step in part]
        cut = sum(step.work for step in steps if id(step) in self._cuts)
        if 2 * cut < sum(step.work for step in steps):
            raise _Together  # each thread would do most of it
        return ByRows(self._rows, self._cuts, self._variables)

    def _called(self, buffer: Buffer) -> Buffer:
        return self._names.get(buffer, buffer)

    def _reads_rows(self, buffer: Buffer) -> bool:
        return self._is_rows.get(self._called(buffer), False)

    def _note(self, buffer: Buffer, is_rows: bool) -> None:
        """Notes of what is written whether it consists of rows."""
        called = self._called(buffer)
        if called is buffer and buffer.kind == OUTER:
            raise _Together
        if self._is_rows.setdefault(called, is_rows) is not is_rows:
            raise _Together

    def _group(self, step: GroupCall) -> None:
        stored = {s.operand for s in step.nest.stores} | {t.operand for t in step.nest.totals}
        reads = any(
            self._reads_rows(place.buffer) for i, place in enumerate(step.places) if i not in stored
        )
        cut = self._cut(step, stored)
        if cut is None and reads:
            raise _Together
        for operand in stored:
            self._note(step.places[operand].buffer, cut is not None)
        if cut is not None:
            self._cuts[id(step)] = cut

    def _cut(self, step: GroupCall, stored: set[int]) -> Cut | None:
        """How a group is cut into rows; None if it is done for all of them."""
        if step.nest.totals:
            return None
        for loop in (-2, -1) if step.nest.phases == 1 else (-2,):
            each, rest = divmod(step.sizes[loop], self._rows)
            if not rest and all(
                self._is_cut(step, operand, loop, each)
                for operand, place in enumerate(step.places)
                if operand in stored or self._reads_rows(place.buffer)
            ):
                return Cut(loop, each)
        return None

    def _is_cut(self, step: GroupCall, operand: int, loop: int, each: int) -> bool:
        """Whether an operand has the rows where the cut is."""
        place, strides = step.places[operand], step.strides[operand]
        row, rest = divmod(place.buffer.size, self._rows)
        if rest or strides[loop] * each != row or min(strides) < 0:
            return False
        reach = (each - 1) * strides[loop] + sum(
            (n - 1) * s
            for i, (n, s) in enumerate(zip(step.sizes, strides, strict=True), -len(strides))
            if i != loop
        )
        return place.offset >= 0 and place.offset + reach + place.buffer.dtype.itemsize <= row

    def _call(self, step: Call) -> None:
        reads = [value for value in step.reads if self._reads_rows(value.buffer)]
        if is_locating(step):
            if reads:
                raise _Together
            return
        of = _rows_of(step)
        is_cut = of is not None and self._is_cut_product(step, of)
        if reads and not (is_cut and reads == [of]):
            raise _Together
        for buffer in step.writes:
            if buffer in step.private:
                continue  # each thread has memory of its own for all of it
            if self._called(buffer) in self._added and is_cut is False and buffer.kind == OUTER:
                continue  # each thread adds the same
            self._note(buffer, is_cut)
        if is_cut:
            self._cuts[id(step)] = Cut(0, 1)

    def _is_cut_product(self, step: Call, value: Value) -> bool:
        """Whether a product with the rows of a value has a row for each of the batch."""
        result = step.writes[0]
        if len(value.shape) != 2 or value.shape[0] != self._rows:
            return False
        if result.shape[0] != self._rows:
            return False
        down, reach = value.strides[0], value.offset + value.shape[1] * value.dtype.itemsize
        is_batch = down * self._rows == value.buffer.size and value.offset >= 0 and reach <= down
        return is_batch or not self._reads_rows(value.buffer)


def _rows_of(step: Call) -> Value | None:
    """What a product multiplies by rows; None of other calls."""
    found: Value | None = step.args[2] if is_by_panels(step) else rows_of(step)
    return found


def cut_product(step: Call, rows: range) -> list[Any]:
    """The arguments of a product for some of its rows."""
    if is_by_panels(step):
        return [rows.start, rows.stop, *step.args[2:]]
    return cut(step, rows)
