"""Loops whose turns do not need each other: all of them are done at once, and there is no loop.

Such a loop has variables that count, others that stay as they are, sums over the turns, and arrays
that it writes to; so have the loops of `map_fn` and of its gradient. What a turn computes is then a
row of what all of them do (`all_turns.py`): the product of a row with a matrix one of the product
of all rows. Products and sums are rounded as those of all rows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.op_def import ELEMENTWISE
from hybridflow._src.plan.all_turns import AllTurns, rows_in_one
from hybridflow._src.plan.arrays import Arrays, is_unwritten
from hybridflow._src.plan.carried import Names
from hybridflow._src.plan.passes import TURNS_AT_ONCE
from hybridflow._src.plan.reading import Reading
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.sums import Sums
from hybridflow._src.plan.translation import Translation
from hybridflow._src.plan.values import Stack, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import Repeating
    from hybridflow._src.plan.sums import Sum, Term

_COUNTING = {"Add": 1, "AddV2": 1, "Sub": -1}


def at_once(
    outer: Translation, step: Instruction, nested: Repeating, inputs: Sequence[Any]
) -> list[Any] | None:
    """The results of a loop of which all turns are done at once; None if they cannot be.

    Args:
      outer: lowers the plan around it. inputs: first values of the loop variables, then what the
        parts capture.
    """
    condition, body = (part.plan for part in nested.parts)
    if (
        condition not in outer.notes
        or body not in outer.notes
        or TURNS_AT_ONCE in body.options.without
    ):
        return None
    turns = _Turns.of(outer, nested, inputs)
    if turns is None:
        return None
    lowering = outer.lowering
    # Elsewhere first: what turns out to be impossible has left no steps then.
    names = Names(inputs)
    aside = Arrays(lowering.threads, lowering.most, lowering.block)
    aside.by_tiles = lowering.by_tiles
    try:
        _AtOnce(outer, aside, turns, [names.inside(item) for item in inputs]).results(step)
        return _AtOnce(outer, lowering, turns, inputs).results(step)
    except Unsupported:
        return None


class _Turns(NamedTuple):
    """The turns of a loop that do not need each other.

    Attributes:
      number: how many there are. counters: the variables that count, with their values before each
        turn and after the last one. order: 1, or -1 if the last turn is the first row.
      sums: the variables that are sums. written: those that are arrays that it writes to.
    """

    nested: Repeating
    number: int
    counters: dict[int, np.ndarray]
    order: int
    sums: Sums
    written: set[int]

    @staticmethod
    def of(outer: Translation, nested: Repeating, inputs: Sequence[Any]) -> _Turns | None:
        """The turns of a loop; None if they need each other, or their number is not known."""
        condition, body = (Reading(part.plan, outer.notes) for part in nested.parts)
        counters: dict[int, np.ndarray] = {}
        others = []
        for index, slot in enumerate(body.plan.fetches[: nested.count]):
            if body.source(slot) == body.plan.feeds[index]:
                continue
            values = counted(body, index, inputs[index], nested.longest)
            if values is None:
                others.append(index)
            else:
                counters[index] = values
        if not counters or any(_changes_something(step) for step in body.plan.instructions):
            return None
        count = length(condition, counters, nested, inputs)
        written = {i for i in others if is_unwritten(inputs[i]) and _is_only_written(body, i)}
        sums = Sums(condition, body, nested.count, of_any=True)
        if not count or any(
            index not in written and not (index in sums.found and isinstance(inputs[index], Value))
            for index in others
        ):
            return None
        counters = {index: values[: count + 1] for index, values in counters.items()}
        first = next(iter(counters.values()))
        order = -1 if first[1] < first[0] else 1
        return _Turns(nested, count, counters, order, sums, written)


def counted(body: Reading, index: int, first: Any, most: int) -> np.ndarray | None:
    """The values of a loop variable that counts, before up to so many turns and after the last."""
    known = first.constant if isinstance(first, Value) else None
    step = body.made_by(body.plan.fetches[index], *_COUNTING)
    if known is None or known.ndim or known.dtype.kind != "i" or step is None:
        return None
    by = body.known(step.inputs[1])
    if by is None or by.ndim or body.source(step.inputs[0]) != body.plan.feeds[index]:
        return None
    apart = _COUNTING[step.op.type] * int(by)
    values = int(known) + apart * np.arange(most + 1)
    limits = np.iinfo(known.dtype)
    if values.min() < limits.min or values.max() > limits.max:
        return None
    return values.astype(known.dtype)


def length(
    condition: Reading, counters: Mapping[int, np.ndarray], nested: Repeating, inputs: Sequence[Any]
) -> int | None:
    """After how many turns the condition fails; None if something else than counters decides."""
    plan = condition.plan
    part = nested.parts[0]
    given = [*range(nested.count), *[nested.count + i for i in part.captures]]
    values: dict[int, Any] = {}
    for slot, i in zip(plan.feeds, given, strict=True):
        item = inputs[i]
        known = item.constant if isinstance(item, Value) and not isinstance(item, Stack) else None
        values[slot] = counters.get(i, None if known is None or known.ndim else known)
    for step in plan.instructions:
        items = [values.get(slot, condition.known(slot)) for slot in step.inputs]
        is_known = all(item is not None for item in items)
        if is_known and step.op.record.native == ELEMENTWISE and len(step.outputs) == 1:
            values[step.outputs[0]] = step.compute(*items, **step.attrs)
        elif is_known and step.op.type == "Identity":
            (values[step.outputs[0]],) = items
    flags = values.get(plan.fetches[0])
    if not isinstance(flags, np.ndarray) or flags.ndim != 1 or flags.all():
        return None
    return int(np.argmin(flags))


def _changes_something(step: Instruction) -> bool:
    record = step.op.record
    return record.stateful or record.effect not in (None, "read")


def _is_only_written(body: Reading, index: int) -> bool:
    """Whether nothing is done with a variable but that an element is written to it."""
    slot, feed = body.plan.fetches[index], body.plan.feeds[index]
    write = body.made_by(slot, "ArrayItemsWrite")
    if write is None or body.source(write.inputs[0]) != feed:
        return False
    passing = [*body.passed_on(slot), *body.passed_on(write.inputs[0])]
    alone = [write.outputs[0], feed, *[out for step in passing for out in step.outputs]]
    return all(body.uses[one] == 1 for one in alone)


class _AtOnce(Translation):
    """Does what the turns of a loop do."""

    def __init__(
        self, outer: Translation, around: Arrays, turns: _Turns, inputs: Sequence[Any]
    ) -> None:
        part = turns.nested.parts[1]
        super().__init__(part.plan, outer.notes, outer._by_host, outer._outside, around.threads, 0)
        self.lowering: AllTurns = AllTurns(around, turns.number)
        self._around = around
        self._turns = turns
        self._inputs = inputs
        count = turns.nested.count
        given = [*range(count), *[count + i for i in part.captures]]
        for slot, i in zip(part.plan.feeds, given, strict=True):
            self._slots[slot] = inputs[i]
        for index, values in turns.counters.items():
            numbers = around.constant(values[:-1][:: turns.order])
            self._slots[part.plan.feeds[index]] = self.lowering.in_a_turn(numbers)

    def results(self, step: Instruction) -> list[Any]:
        """The outputs of the loop.

        Raises:
          Unsupported: if kernels cannot do something for all turns.
        """
        around, turns = self._around, self._turns
        count = turns.nested.count
        before, around.ending = around.ending, set()
        try:
            for position, one in enumerate(self._plan.instructions):
                if id(one) not in turns.sums.instructions:
                    self._lower(position, one)
            around.op = step.op
            variables = [self._variable(index) for index in range(count)]
            number = around.constant(np.asarray(turns.number, np.int32))
            stacks = [self._stack(slot, number) for slot in self._plan.fetches[count:]]
        finally:
            around.ending = before
        for one in (*variables, *stacks):
            if isinstance(one, Stack):
                one.maker = step
        return [*variables, number, *stacks]

    def _host(self, step: Instruction, inputs: list[Any], why: str) -> None:
        raise Unsupported(why)

    def _variable(self, index: int) -> Any:
        turns = self._turns
        if index in turns.counters:
            return self._around.constant(turns.counters[index][-1])
        if index in turns.written:
            return self._content(self._plan.fetches[index])
        if index in turns.sums.found:
            return self._total(turns.sums.found[index])
        return self._inputs[index]

    def _all(self, slot: int) -> Value:
        """`[turns, ...]`: what lies in a buffer of the body."""
        value = self._content(slot)
        if not isinstance(value, Value) or isinstance(value, Stack):
            raise Unsupported("what a turn keeps is no array of numbers")
        return self.lowering.in_all(value)

    def _stack(self, slot: int, number: Value) -> Stack:
        rows = self._all(slot)
        if self._turns.order < 0 and rows.strides[0]:
            down = rows.strides[0]
            last = rows.offset + (rows.shape[0] - 1) * down
            rows = Value(rows.buffer, rows.shape, (-down, *rows.strides[1:]), last)
        return Stack(rows, number)

    def _total(self, one: Sum) -> Value:
        around, first = self._around, self._inputs[one.number]
        total = None
        for term in one.terms:
            value = around.reshape(self._term(term), first.shape)
            total = value if total is None else around.elementwise(np.add, total, value)
        assert total is not None
        known = first.constant
        if known is None or known.any():
            total = around.elementwise(np.add, first, total)
        return total

    def _term(self, term: Term) -> Value:
        around, b = self._around, self._all(term.b)
        if term.a is not None:
            a, b = (rows_in_one(around.packed(value)) for value in (self._all(term.a), b))
            return around.product(around.view(np.transpose, a), b)
        return around.reduce(np.add, b, (0,) if term.is_plain else (0, 1))
