"""A loop as a step of native code: its variables, what is kept of its turns, and sums over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan import sharing
from hybridflow._src.plan.arrays import is_unwritten
from hybridflow._src.plan.at_once import counted, length
from hybridflow._src.plan.before import Before
from hybridflow._src.plan.by_rows import by_rows
from hybridflow._src.plan.carried import Carried, Names, array_of, buffers_of, check_same, outer
from hybridflow._src.plan.changes import Changes, RowOfProduct
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.in_registers import Part, in_registers
from hybridflow._src.plan.located import Row, is_locating
from hybridflow._src.plan.nested import Turns
from hybridflow._src.plan.panels import is_by_panels, kernel_for
from hybridflow._src.plan.passes import SCALARS_IN_REGISTERS, SHARED_ROWS, SUMS_AFTER
from hybridflow._src.plan.reading import Reading, is_any_of
from hybridflow._src.plan.steps import ByRows, Call, Loop, LoopVariable, Unsupported
from hybridflow._src.plan.sums import Sums
from hybridflow._src.plan.values import CONSTANT, MOVING, PLANNED, Buffer, Items, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.arrangement import Arrangement
    from hybridflow._src.plan.in_registers import InRegisters
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import Repeating
    from hybridflow._src.plan.nesting import Inside, Nesting
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.sums import Sum, Term

# For fewer turns there always is room in a stack.
_FEW_TURNS = 15


class _Kept(NamedTuple):
    """Rows that a body computes where they lie in stacks: one of each in a turn.

    Attributes:
      number: where that of the row lies, and how much less it is.
    """

    number: Value
    less: int
    rows: list[Row]


class Turning:
    """Lowers a loop.

    Args:
      outer: lowers the plan around it.
      inputs: first values of the loop variables, then what the parts capture.
    """

    def __init__(
        self, outer: Nesting, step: Instruction, nested: Repeating, inputs: Sequence[Any]
    ) -> None:
        self._outer = outer
        self._step = step
        self._nested = nested
        self._inputs = inputs
        self._names = Names(inputs[nested.first :])
        # As much room again as there were turns, since memory that is not touched costs nothing.
        self._room = _room_for(nested.longest)
        self._turn = Buffer(PLANNED, (), np.dtype(np.int64))
        self._turns = Buffer(PLANNED, (), np.dtype(np.int32))
        # What the body computes where it is wanted; and the stacks that it adds to.
        self._placed: list[Value] = []
        self._stacks: list[Buffer] = []

    def results(self) -> list[Any]:
        """Adds the loop to the steps; gives its outputs."""
        step, nested, names = self._step, self._nested, self._names
        condition, body = nested.parts
        sums = self._sums()
        carried = [
            self._carried(body.plan, index, item, sums is not None and index in sums.found)
            for index, item in enumerate(self._inputs[: nested.first])
        ]
        for_test, for_body = ([one.inside() for one in carried] for _ in range(2))
        test = self._outer.inside(condition, for_test, names)
        if test is None:
            raise Unsupported("a loop that has not run")
        if test.lowering.written:
            raise Unsupported("a condition that writes to a variable")
        flag = array_of(test.fetches[0])
        if flag.dtype != np.bool_ or flag.shape:
            raise Unsupported("a condition that is no flag")
        if flag.buffer.kind == MOVING:
            flag = test.lowering.copy(flag)
        made = self._outer.inside(body, for_body, names, 2, self._changes(sums))
        numbers = self._numbers(carried)
        written = [] if made is None else list(made.lowering.written)
        variables, after = [], []
        # Of variables that are arrays of numbers the places in the parts, and what they become.
        plain: list[tuple[Value, Value, Value]] = []
        in_even: dict[Buffer, Buffer] = {}
        in_odd: dict[Buffer, Buffer] = {}
        for index, one in enumerate(carried):
            if one.is_kept:
                continue
            before = for_body[index]
            new = before if made is None else made.fetches[index]
            if one.items is not None:
                check_same(new, before)
                for inside in (for_test[index], before):
                    for item, place in zip(buffers_of(inside), one.places(), strict=True):
                        in_even[item.buffer] = in_odd[item.buffer] = place.even
                variables += one.places()
                continue
            if index in numbers:
                one.even = self._turns
                variables.append(LoopVariable(one.first, one.even, one.even))
                for inside in (for_test[index], before):
                    in_even[inside.buffer] = in_odd[inside.buffer] = one.even
                continue
            first, new = one.first, array_of(new)
            even = odd = Buffer(PLANNED, first.shape, first.dtype)
            if new.shape != first.shape or new.dtype != first.dtype:
                raise Unsupported("a loop variable whose shape changes")
            if made is not None and not (new.buffer is before.buffer and new.is_whole):
                new = made.fresh(new, in_even)
                odd = Buffer(PLANNED, first.shape, first.dtype)
                in_even[new.buffer], in_odd[new.buffer] = odd, even
                after.append(new)
            for inside in (for_test[index], before):
                in_even[inside.buffer], in_odd[inside.buffer] = even, odd
            one.even = even
            variables.append(LoopVariable(first, even, odd))
            plain.append((for_test[index], before, new))
        stacks, of_sums = self._keep(made, sums, for_body, in_even)
        parts: tuple[Any, ...] = (
            test.arranged([flag], ()),
            None if made is None else made.arranged([*after, *self._placed], in_even),
        )
        in_one = None
        if not (stacks or self._stacks or written) and len(plain) == len(variables):
            in_one = self._in_one(parts, flag, plain)
        if in_one is None:
            work = sum(work_of(item) for part in parts if part is not None for item in part.steps)
        else:
            work, parts = in_one.work, ()
            variables = [LoopVariable(v.first, v.even, v.even) for v in variables]
        most = max(nested.longest, 1)
        found = None
        if in_one is None and made is not None and work * most >= sharing.WORTH_SHARING:
            if not written:
                found = self._by_rows(parts, variables, {**names.of, **in_even}, most)
            if found is None and self._could_be_outside():
                for inside, part in ((test, parts[0]), (made, parts[1])):
                    if part is not None:
                        inside.check_threads(part)
        places = dict.fromkeys(buffer for v in variables for buffer in (v.even, v.odd))
        kept = [stack.buffer for stack in stacks if stack.strides[0]]
        loop = Loop(
            step,
            parts,
            ({**names.of, **in_even}, {**names.of, **in_odd}),
            flag,
            tuple(variables),
            self._turn,
            self._turns,
            tuple(kept),
            found is None
            and not written
            and len(variables) == nested.first
            and len(kept) == len(stacks)
            and not (made is not None and any(isinstance(v, Stack) for v in made.fetches)),
            work,
            (*[v.first for v in variables], *names.reads),
            tuple(dict.fromkeys((*places, self._turn, self._turns, *self._stacks))),
            most,
            () if found is None else self._ranges(found.rows),
            found,
            in_one,
            0 if test.lowering.fallible else self._least(),
        )
        storages = {s for one in (test, made) if one is not None for s in one.lowering.current}
        lowering = self._outer.lowering
        lowering.nested(loop, storages, written)
        if in_one is not None:
            for part in (test, made):
                for ops in () if part is None else part.lowering.ops.values():
                    lowering.ops[len(lowering.steps) - 1].update(ops)
        totals = {} if sums is None else {i: self._total(s, of_sums) for i, s in sums.found.items()}
        return [
            *[totals.get(i) or one.result(step) for i, one in enumerate(carried)],
            Value.whole(self._turns),
            *stacks,
        ]

    def _in_one(
        self,
        parts: Sequence[Arrangement | None],
        flag: Value,
        variables: Sequence[tuple[Value, Value, Value]],
    ) -> InRegisters | None:
        """How one kernel runs all turns, if it can.

        Args:
          variables: for each where the condition has it and where the body, and what it becomes.
        """
        without = self._nested.parts[1].plan.options.without
        if SCALARS_IN_REGISTERS in without or any(p is None or p.fixed for p in parts):
            return None
        test, body = (part.steps for part in parts if part is not None)
        in_test, in_body, new = ([v[n] for v in variables] for n in range(3))
        return in_registers(Part(test, in_test, [flag]), Part(body, in_body, new))

    def _could_be_outside(self) -> bool:
        """Whether its parts could be programs of their own: what they are given is arrays."""
        return not any(isinstance(item, Stack | Turns) for item in self._inputs)

    def _by_rows(
        self,
        parts: Sequence[Any],
        variables: Sequence[LoopVariable],
        names: dict[Buffer, Buffer],
        most: int,
    ) -> ByRows | None:
        """How threads share the rows of the loop, of `most` turns, if they do."""
        outer, body = self._outer, self._nested.parts[1].plan
        if outer.all_threads == 1 or outer.is_inside or SHARED_ROWS in body.options.without:
            return None
        condition = Reading(self._nested.parts[0].plan, outer.notes)
        ends_by_rows = is_any_of(condition, condition.plan.fetches[0])
        steps = [part.steps for part in parts]
        found = by_rows(steps, variables, names, self._stacks, ends_by_rows, most)
        if found is not None:
            ranges = self._ranges(found.rows)
            for part in parts:
                for position, step in part.steps:
                    if id(step) in found.cuts and isinstance(step, Call) and is_by_panels(step):
                        part.kernels[position] = kernel_for(step, ranges)
        return found

    def _ranges(self, rows: int) -> tuple[range, ...]:
        """The rows of each thread."""
        count = min(self._outer.all_threads, rows)
        return tuple(range(rows * n // count, rows * (n + 1) // count) for n in range(count))

    # -- loop variables ----------------------------------------------------------------------------

    def _numbers(self, carried: Sequence[Carried]) -> set[int]:
        """The loop variables that are the number of the turn: the loop itself counts them.

        None are in a loop of scalars, which one kernel may run.
        """
        changing = [one for one in carried if not one.is_kept]
        if all(one.items is None and one.first.size == 1 for one in changing):
            return set()
        plan = self._nested.parts[1].plan
        if plan not in self._outer.notes:
            return set()
        body, found = Reading(plan, self._outer.notes), set()
        for index, one in enumerate(carried):
            if not one.is_kept and one.items is None and one.first.dtype == self._turns.dtype:
                values = counted(body, index, one.first, 1)
                if values is not None and values.tolist() == [0, 1]:
                    found.add(index)
        return found

    def _least(self) -> int:
        """How many turns there are, where that is known before; else 0."""
        nested, notes = self._nested, self._outer.notes
        if any(part.plan not in notes for part in nested.parts):
            return 0
        condition, body = (Reading(part.plan, notes) for part in nested.parts)
        counters = {}
        for index in range(nested.count):
            values = counted(body, index, self._inputs[index], nested.longest)
            if values is not None:
                counters[index] = values
        return length(condition, counters, nested, self._inputs) or 0

    def _carried(self, body: Plan, index: int, item: Any, is_sum: bool) -> Carried:
        """How a loop variable goes from turn to turn."""
        lowering, notes = self._outer.lowering, self._outer.notes
        if is_sum:
            return Carried(item, is_kept=True, names=self._names)
        if isinstance(item, Value) and not isinstance(item, Stack):
            return Carried(lowering.packed(item))
        slot, maker = body.fetches[index], None
        makers = {slot: made for made in body.instructions for slot in made.outputs}
        while slot in makers and makers[slot].op.type == "Identity":
            (slot,) = makers[slot].inputs
        if slot == body.feeds[index] or body not in notes:  # it has not run so far
            return Carried(item, is_kept=True, names=self._names)
        maker = makers.get(slot)
        if maker is None or maker.op.type != "ArrayItemsWrite":
            raise Unsupported("a loop variable that is no array of numbers")
        element = notes[body][maker.inputs[2]]
        if is_unwritten(item) and element.shape is not None:
            room = max(self._room, _room_for(self._nested.largest))
            grows = room if maker.attrs["dynamic"] else None
            new = lowering.new_items(len(item), element.shape, element.dtype, grows)
            return Carried(new, items=new, is_new=True)
        if not isinstance(item, Items):
            raise Unsupported("an array that others have")
        return Carried(item, items=item)

    # -- what is kept of each turn -----------------------------------------------------------------

    def _keep(
        self,
        made: Inside | None,
        sums: Sums | None,
        for_body: Sequence[Any],
        taken: dict[Buffer, Buffer],
    ) -> tuple[list[Stack], dict[int, Value]]:
        """The stacks that the body adds to; and what is kept for sums, by its place in the body.

        Args:
          taken: what the body computes where loop variables lie.
        """
        if made is None:
            if self._nested.saved:
                raise Unsupported("a loop that has not run")
            return [], {}
        # Of what the loop captures, before there are names for its stacks.
        captured = dict(self._names.of)
        made.lowering.op = self._step.op
        number = outer((), self._turn.dtype)
        self._names.of[number.buffer] = self._turn
        in_order = _Kept(number, 0, [])
        turns = Value.whole(self._turns)
        stacks = []
        for item in made.fetches[self._nested.count :]:
            if not isinstance(item, Value):
                raise Unsupported("what a turn keeps is no array of numbers")
            known = self._invariant(made, item, captured)
            if known is None:
                value = self._push(made, item, in_order, taken)
            else:
                value = Value(known, (self._room, *item.shape), (0, *item.strides), item.offset)
            stacks.append(Stack(value, turns))
        for stack in stacks:
            stack.maker = self._step
        of_sums: dict[int, Value] = {}
        if sums is not None and sums.found:
            self._keep_for_sums(made, sums, for_body, taken, in_order, of_sums)
        self._locate(made, in_order)
        return stacks, of_sums

    def _push(self, made: Inside, item: Value, kept: _Kept, taken: dict[Buffer, Buffer]) -> Value:
        """A stack to which the body adds a value, which it computes there if it can."""
        stack = Buffer(PLANNED, (self._room, *item.shape), item.dtype)
        inside = outer(stack.shape, stack.dtype)
        self._names.of[inside.buffer] = stack
        self._stacks.append(stack)
        if made.lowering.in_place and item.dtype in SHORT_NAMES:
            here = made.fresh(item, taken)
            here.buffer.kind = MOVING
            start = Value(
                inside.buffer, inside.shape, inside.strides, -kept.less * inside.strides[0]
            )
            kept.rows.append(Row(here.buffer, start))
            self._placed.append(here)
        else:
            made.lowering.push(inside, item, kept.number)
        return Value.whole(stack)

    def _locate(self, made: Inside, kept: _Kept) -> None:
        if kept.rows:
            made.lowering.locate_first(kept.number, self._room + kept.less, kept.rows)

    def _invariant(
        self, made: Inside, item: Value, captured: dict[Buffer, Buffer]
    ) -> Buffer | None:
        """Where the value of an item lies that is the same in all turns; None if it changes."""
        if isinstance(item, Stack):
            return None
        if item.buffer.kind == CONSTANT:
            return item.buffer
        if item.buffer.storage in made.lowering.written:
            return None
        if item.buffer.storage is not None:
            return self._outer.lowering.variable(item.buffer.storage).buffer
        return captured.get(item.buffer)

    # -- what is done otherwise --------------------------------------------------------------------

    def _changes(self, sums: Sums | None) -> Changes:
        """What the body does otherwise, after what is done before the loop."""
        nested, inside = self._nested, self._names.inside
        part = nested.parts[1]
        if part.plan not in self._outer.notes:
            return Changes()
        captures = self._inputs[nested.first :]
        feeds = part.plan.feeds[nested.first :]
        given = {slot: captures[i] for slot, i in zip(feeds, part.captures, strict=True)}
        before = Before(self._outer, part.plan, given, nested.longest)
        without = {*before.done, *map(id, before.columns.values())}
        kept: list[int] = []
        if sums is not None:
            without |= sums.instructions
            terms = [term for one in sums.found.values() for term in one.terms]
            kept = [slot for term in terms for slot in (term.a, term.b) if slot is not None]
        without |= before.unneeded(kept)
        splits = {
            step: [
                one._replace(product=inside(one.product)) if isinstance(one, RowOfProduct) else one
                for one in split
            ]
            for step, split in before.splits.items()
        }
        known = {slot: inside(value) for slot, value in before.results()}
        panels = {key: inside(value) for key, value in before.panels.items()}
        return Changes(without, known, splits, before.columns, panels)

    # -- sums over the turns -----------------------------------------------------------------------

    def _sums(self) -> Sums | None:
        """What is summed up after the loop."""
        condition, body = (part.plan for part in self._nested.parts)
        notes = self._outer.notes
        if body not in notes or SUMS_AFTER in body.options.without:
            return None
        sums = Sums(Reading(condition, notes), Reading(body, notes), self._nested.first)
        for index in list(sums.found):
            first = self._inputs[index]
            if not isinstance(first, Value) or isinstance(first, Stack):
                del sums.found[index]
        return sums

    def _keep_for_sums(
        self,
        made: Inside,
        sums: Sums,
        for_body: Sequence[Any],
        taken: dict[Buffer, Buffer],
        in_order: _Kept,
        of_sums: dict[int, Value],
    ) -> None:
        """Has the body keep what is summed up.

        What a stack that it reads backwards has already is left there, and all else kept in that
        order.
        """
        kept = in_order
        if sums.countdown is not None and made.lowering.in_place:
            left = for_body[sums.countdown[0]]
            kept = _Kept(left, 1, [])
        for one in sums.found.values():
            for term in one.terms:
                for slot in (term.b, term.a):
                    if slot is None or slot in of_sums:
                        continue
                    known = self._known_stack(slot, sums) if kept is not in_order else None
                    if known is None:
                        known = self._push(made, array_of(made.content(slot)), kept, taken)
                    of_sums[slot] = known
        if kept is not in_order:
            self._locate(made, kept)

    def _known_stack(self, slot: int, sums: Sums) -> Value | None:
        """The stack of which a buffer of the body is the item after as many turns as are left."""
        assert sums.countdown is not None
        body = sums.body
        item = body.made_by(slot, "StackItem")
        if item is None or body.source(item.inputs[1]) != sums.countdown[1]:
            return None
        place = body.source(item.inputs[0])
        if place not in body.plan.feeds:
            return None
        captures = self._nested.parts[1].captures
        at = body.plan.feeds.index(place) - self._nested.first
        stack = self._inputs[self._nested.first + captures[at]] if at >= 0 else None
        if not isinstance(stack, Stack) or isinstance(stack, Items) or not stack.is_packed:
            return None
        return Value(stack.buffer, stack.shape, stack.strides, stack.offset)

    def _total(self, one: Sum, of_sums: dict[int, Value]) -> Value:
        """A sum over the turns."""
        lowering, first = self._outer.lowering, self._inputs[one.number]
        total = None
        for term in one.terms:
            value = self._term(term, of_sums)
            value = lowering.reshape(value, first.shape)
            total = value if total is None else lowering.elementwise(np.add, total, value)
        assert total is not None
        known = first.constant
        if known is None or known.any():
            total = lowering.elementwise(np.add, first, total)
        return total

    def _term(self, term: Term, of_sums: dict[int, Value]) -> Value:
        lowering, turns = self._outer.lowering, Value.whole(self._turns)
        b = of_sums[term.b]
        if term.a is None:
            return lowering.sum_of_rows(b, turns)
        return lowering.product_of_turns(of_sums[term.a], b, turns, max(self._nested.longest, 1))


def _room_for(turns: int) -> int:
    """How much room there is in a stack where there were some turns."""
    return 1 << max(turns, _FEW_TURNS).bit_length()


def work_of(item: tuple[int, Any]) -> int:
    """How much a step is to do: as bytes that could be moved meanwhile."""
    _, step = item
    if isinstance(step, GroupCall):
        return step.work + sharing.CALL_WORK
    if isinstance(step, Call) and not is_locating(step):
        moved = sum(v.size * v.dtype.itemsize for v in step.reads)
        moved += sum(b.size for b in step.writes)
        return max(step.work, moved) + sharing.CALL_WORK
    return sharing.CALL_WORK
