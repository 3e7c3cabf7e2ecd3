"""Loops whose bodies compute each row of a batch by itself: threads share the rows.

Each thread then runs all turns for some of the rows, and never waits for another one. What belongs
to no row, as the number of the turn, each computes for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels import looping, loops
from hybridflow._src.plan import sharing
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.located import is_locating
from hybridflow._src.plan.lowering import is_gathering
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
    ends_by_rows: bool,
    turns: int,
) -> ByRows | None:
    """How threads share a loop; None if they cannot, or it is not worth it.

    Args:
      parts: the steps of its condition and of its body. names: what their buffers are outside.
      added: the stacks that the body adds to. ends_by_rows: whether the condition holds if it does
        for some of the rows. turns: how many there are.
    """
    changing = [v.even for v in variables if v.even is not v.odd and v.even.shape]
    largest = sorted(changing, key=lambda b: -b.size)
    for rows in dict.fromkeys(buffer.shape[0] for buffer in largest):
        if rows > 1:
            try:
                return _Check(rows, variables, names, added).of(parts, ends_by_rows, turns)
            except _Together:
                continue
    return None


# Totals of flags over all that there is.
_OF_FLAGS, _OVER_ALL = ("logical_and", "logical_or"), (loops.OF_CELLS, loops.OF_ROWS)


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
        # Arrays that start with no element, each of which consists of rows; and who writes them.
        self._new = {v.even for v in variables if v.even is v.odd is v.first.buffer}
        self._columns: dict[Buffer, Call] = {}
        self._variables = tuple(
            v.even is not v.odd and v.even.shape[:1] == (rows,) for v in variables
        )
        # For what is written in the loop whether it consists of rows.
        self._is_rows: dict[Buffer, bool] = {}
        for variable, is_rows in zip(variables, self._variables, strict=True):
            self._is_rows[variable.even] = self._is_rows[variable.odd] = is_rows

    def of(self, parts: Sequence[Steps], ends_by_rows: bool, turns: int) -> ByRows:
        """How the loop is shared.

        Raises:
          _Together: if it cannot be, or is not worth it.
        """
        end_together = False
        for number, part in enumerate(parts):
            for _, step in part:
                if isinstance(step, GroupCall):
                    self._group(step, ends_by_rows and not number)
                    end_together |= bool(step.nest.totals and id(step) in self._cuts)
                elif isinstance(step, Call):
                    self._call(step)
                else:
                    raise _Together
        steps = [step for part in parts for _, step in part]
        for step in steps:
            if self._touches_columns(step):
                raise _Together
        cut = sum(step.work for step in steps if id(step) in self._cuts)
        whole = sum(step.work + sharing.CALL_WORK for step in steps)
        # Two threads spare half of what is cut.
        if 2 * cut < whole or cut * turns // 2 < sharing.WORTH_SHARING:
            raise _Together  # each thread would do most of it
        columns = frozenset(self._columns)
        return ByRows(self._rows, self._cuts, self._variables, columns, end_together)

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

    def _group(self, step: GroupCall, ends: bool) -> None:
        """Notes how a group is done; each thread ends for itself where it `ends` the loop."""
        stored = {s.operand for s in step.nest.stores}
        totals = {t.operand for t in step.nest.totals}
        reads = any(
            self._reads_rows(place.buffer)
            for i, place in enumerate(step.places)
            if i not in stored | totals
        )
        is_of_all = any(
            t.ufunc not in _OF_FLAGS or t.over not in _OVER_ALL for t in step.nest.totals
        )
        cut = None
        if not totals or (ends and reads and not is_of_all):
            cut = self._cut(step, stored, totals)
        if cut is None and reads:
            raise _Together
        for operand in stored | totals:
            self._note(step.places[operand].buffer, cut is not None and operand in stored)
        if cut is not None:
            self._cuts[id(step)] = cut

    def _cut(self, step: GroupCall, stored: set[int], totals: set[int]) -> Cut | None:
        """How a group is cut into rows; None if it is done for all of them."""
        for loop in (-2, -1) if step.nest.phases == 1 else (-2,):
            each, rest = divmod(step.sizes[loop], self._rows)
            if not rest and all(
                step.has_rows(operand, loop, self._rows)
                for operand, place in enumerate(step.places)
                if operand in stored or (operand not in totals and self._reads_rows(place.buffer))
            ):
                return Cut(loop, each)
        return None

    def _call(self, step: Call) -> None:
        reads = [value for value in step.reads if self._reads_rows(value.buffer)]
        if is_locating(step):
            if reads:
                raise _Together
            return
        if step.kernel is looping.WRITE:
            self._write(step, reads)
            return
        of = _rows_of(step)
        is_cut = self._is_cut_call(step, of)
        if any(value not in of for value in reads) or (reads and not is_cut):
            raise _Together
        for buffer in step.writes:
            if buffer in step.private:
                continue  # each thread has memory of its own for all of it
            if self._called(buffer) in self._added and not is_cut and buffer.kind == OUTER:
                continue  # each thread adds the same
            self._note(buffer, is_cut)
        if is_cut:
            self._cuts[id(step)] = Cut(0, 1)

    def _is_cut_call(self, step: Call, of: Sequence[Value]) -> bool:
        """Whether what a call does with rows of values it does for each of the batch."""
        if not of or step.writes[0].shape[:1] != (self._rows,):
            return False
        return all(
            value.shape[:1] == (self._rows,)
            and (self._is_batch(value) or not self._reads_rows(value.buffer))
            for value in of
        )

    def _is_batch(self, value: Value) -> bool:
        """Whether the rows of a value are those of its buffer."""
        return value.shape[:1] == (self._rows,) and value.has_rows(0)

    def _write(self, step: Call, reads: Sequence[Value]) -> None:
        """The write of an element that consists of rows."""
        _, item, _, data, _, _, number, _ = step.args
        called = self._called(data.buffer)
        is_new = called in self._new and called not in self._columns
        if list(reads) != [item] or not self._is_batch(item) or not is_new or data.offset or number:
            raise _Together
        self._columns[called] = step
        self._cuts[id(step)] = Cut(0, 1)

    def _touches_columns(self, step: Any) -> bool:
        """Whether a step touches elements otherwise than by writing them."""
        if isinstance(step, GroupCall):
            buffers = [place.buffer for place in step.places]
        else:
            buffers = [*[value.buffer for value in step.reads], *step.writes]
            if is_locating(step):
                buffers += [row.of.buffer for row in step.args[-1]]
        return any(self._columns.get(self._called(b), step) is not step for b in buffers)


def _rows_of(step: Call) -> tuple[Value, ...]:
    """What a call takes by rows, each by itself."""
    if is_by_panels(step):
        return (step.args[2],)
    if is_gathering(step):
        return (step.args[0],)
    return rows_of(step)


def cut_call(step: Call, rows: range, of: int) -> list[Any]:
    """The arguments of such a call for some of `of` rows."""
    args = list(step.args)
    if is_by_panels(step):
        args[:2] = rows.start, rows.stop
    elif is_gathering(step):
        args[1] = args[1] // of * len(rows)
        args[0], args[5] = (_part(value, rows, of) for value in (args[0], args[5]))
    elif step.kernel is looping.WRITE:
        args[2] = args[2] // of * len(rows)
        args[1] = _part(args[1], rows, of)
        args[3] = args[3].moved(args[7] // of * rows.start)
    else:
        return cut(step, rows, of)
    return args


def _part(value: Value, rows: range, of: int) -> Value:
    """A value that is packed, from the first of some rows on."""
    return value.moved(value.size * value.dtype.itemsize // of * rows.start)
