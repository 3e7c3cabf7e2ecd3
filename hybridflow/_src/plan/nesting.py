"""Control flow ops as steps of native code: their bodies become parts of the program.

Inside a part, what lies in memory of the program around it is called by buffers of its own, for
which *names* say what they are outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.plan import sharing
from hybridflow._src.plan.arrangement import Arrangement
from hybridflow._src.plan.arrays import is_unwritten
from hybridflow._src.plan.carried import Carried, Names, array_of, buffers_of, check_same, outer
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.nested import Choosing, Repeating
from hybridflow._src.plan.steps import Call, Choice, Loop, LoopVariable, Unsupported
from hybridflow._src.plan.translation import Translation
from hybridflow._src.plan.values import CONSTANT, PLANNED, Buffer, Items, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import Part
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan

# What the call of a kernel costs, as bytes that could be moved meanwhile.
_CALL_WORK = 256
# For fewer turns there always is room in a stack.
_FEW_TURNS = 15


class Nesting(Translation):
    """Lowers a plan with the control flow ops in it."""

    def __init__(
        self,
        plan: Plan,
        notes: Notes,
        by_host: set[Storage],
        outside: dict[int, str],
        threads: int,
        most: int,
    ) -> None:
        super().__init__(plan, notes, by_host, outside, threads, most)
        # How many threads would work on a body that is a program of its own.
        self._all_threads = threads

    def _nested(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        self._check_storages(inputs)
        # What `_snapshot` has copied stands in other buffers now.
        inputs = [self._content(slot) for slot in step.inputs]
        if isinstance(step.compute, Choosing):
            return self._choice(step, step.compute, inputs)
        assert isinstance(step.compute, Repeating)
        return self._loop(step, step.compute, inputs)

    def _inside(self, part: Part, contents: Sequence[Any], names: Names) -> _Inside | None:
        """A body that is given some contents first, then its captures; None if it has not run."""
        if part.plan not in self._notes:
            return None
        made = _Inside(self, part, [*contents, *map(names.inside, names.captures(part))])
        for _ in made.turns():
            pass
        return made

    # -- one of several ----------------------------------------------------------------------------

    def _choice(self, step: Instruction, nested: Choosing, inputs: list[Any]) -> list[Any]:
        chooser = inputs[0]
        if not isinstance(chooser, Value) or chooser.shape:
            raise Unsupported("what chooses is no scalar")
        if chooser.dtype == np.bool_:  # the first part is that for true
            chooser = self.lowering.elementwise(
                lambda x: np.logical_not(x).astype(np.int64), chooser
            )
        outputs: dict[int, Buffer] = {}
        parts: list[Arrangement | None] = []
        all_names: list[dict[Buffer, Buffer]] = []
        reads = [chooser]
        storages: dict[Storage, None] = {}
        for part, places in zip(nested.parts, nested.places, strict=True):
            names = Names(inputs[nested.first :])
            made = self._inside(part, [], names)
            if made is None:
                parts.append(None)
                all_names.append({})
                continue
            found: list[Value] = []
            for place, new in zip(places, made.fetches, strict=True):
                if not isinstance(new, Value) or isinstance(new, Stack):
                    raise Unsupported("a branch that gives no array of numbers")
                new = made.fresh(new, names.of)
                out = outputs.setdefault(place, Buffer(PLANNED, new.shape, new.dtype))
                if out.shape != new.shape or out.dtype != new.dtype:
                    raise Unsupported("branches that give different shapes")
                names.of[new.buffer] = out
                found.append(new)
            parts.append(made.arranged(found, names.of))
            all_names.append(names.of)
            reads += names.reads
            storages.update(dict.fromkeys(made.lowering.current))
        results = [outputs.get(place) for place in range(len(step.outputs))]
        found_outputs = [
            self._unseen(step, place) if buffer is None else buffer
            for place, buffer in enumerate(results)
        ]
        choice = Choice(chooser, tuple(parts), tuple(all_names), tuple(reads), tuple(found_outputs))
        self.lowering.nested(choice, list(storages))
        return [Value.whole(buffer) for buffer in found_outputs]

    @staticmethod
    def _unseen(step: Instruction, place: int) -> Buffer:
        """Memory for what no branch that has run gives: of the shape that the graph knows."""
        tensor = step.op.outputs[place]
        dims, dtype = tensor._dims or (), np.dtype(tensor.dtype.np)
        shape = tuple(d for d in dims if d is not None)
        if tensor._dims is None or len(shape) < len(dims) or dtype.kind not in "biuf":
            raise Unsupported("a branch that has not run gives what has no known shape")
        return Buffer(PLANNED, shape, dtype)

    # -- turns -------------------------------------------------------------------------------------

    def _loop(self, step: Instruction, nested: Repeating, inputs: list[Any]) -> list[Any]:
        condition, body = nested.parts
        lowering = self.lowering
        names = Names(inputs[nested.first :])
        carried = [
            self._carried(body.plan, index, item, names)
            for index, item in enumerate(inputs[: nested.first])
        ]
        for_test, for_body = ([one.inside() for one in carried] for _ in range(2))
        test = self._inside(condition, for_test, names)
        if test is None:
            raise Unsupported("a loop that has not run")
        flag = array_of(test.fetches[0])
        if flag.dtype != np.bool_ or flag.shape:
            raise Unsupported("a condition that is no flag")
        made = self._inside(body, for_body, names)
        variables, after = [], []
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
        turn = Buffer(PLANNED, (), np.dtype(np.int64))
        turns = Buffer(PLANNED, (), np.dtype(np.int32))
        kept = self._stacks(step, nested, made, names, turn, Value.whole(turns))
        stacks = [stack.buffer for stack in kept if stack.strides[0]]
        parts = (
            test.arranged([flag], ()),
            None if made is None else made.arranged(after, in_even),
        )
        places = dict.fromkeys(buffer for v in variables for buffer in (v.even, v.odd))
        loop = Loop(
            step,
            parts,
            ({**names.of, **in_even}, {**names.of, **in_odd}),
            flag,
            tuple(variables),
            turn,
            turns,
            tuple(stacks),
            len(variables) == nested.first
            and len(stacks) == len(kept)
            and not (made is not None and any(isinstance(v, Stack) for v in made.fetches)),
            sum(work_of(item) for part in parts if part is not None for item in part.steps),
            (*[v.first for v in variables], *names.reads),
            (*places, turn, turns, *stacks),
        )
        storages = {s for one in (test, made) if one is not None for s in one.lowering.current}
        lowering.nested(loop, list(storages))
        return [
            *[one.result(step) for one in carried],
            Value.whole(turns),
            *kept,
        ]

    def _carried(self, body: Plan, index: int, item: Any, names: Names) -> Carried:
        """How a loop variable goes from turn to turn."""
        if isinstance(item, Value) and not isinstance(item, Stack):
            return Carried(self.lowering.packed(item))
        slot, maker = body.fetches[index], None
        makers = {slot: made for made in body.instructions for slot in made.outputs}
        while slot in makers and makers[slot].op.type == "Identity":
            (slot,) = makers[slot].inputs
        if slot == body.feeds[index] or body not in self._notes:  # it has not run so far
            return Carried(item, is_kept=True, names=names)
        maker = makers.get(slot)
        if maker is None or maker.op.type != "ArrayItemsWrite":
            raise Unsupported("a loop variable that is no array of numbers")
        element = self._notes[body][maker.inputs[2]]
        if is_unwritten(item) and element.shape is not None:
            new = self.lowering.new_items(len(item), element.shape, element.dtype)
            return Carried(new, items=new, is_new=True)
        if not isinstance(item, Items):
            raise Unsupported("an array that others have")
        return Carried(item, items=item)

    def _stacks(
        self,
        step: Instruction,
        nested: Repeating,
        made: _Inside | None,
        names: Names,
        turn: Buffer,
        turns: Value,
    ) -> list[Stack]:
        """What is kept of each turn, which the body adds to."""
        # As much again as there was, since memory that is not touched costs nothing.
        room = 1 << max(nested.longest, _FEW_TURNS).bit_length()
        if made is None:
            if nested.saved:
                raise Unsupported("a loop that has not run")
            return []
        captured = dict(names.of)
        number = outer((), turn.dtype)
        names.of[number.buffer] = turn
        stacks = []
        made.lowering.op = step.op
        for item in made.fetches[nested.count :]:
            if not isinstance(item, Value):
                raise Unsupported("what a turn keeps is no array of numbers")
            known = self._invariant(item, captured)
            if known is not None:
                again = Value(known, (room, *item.shape), (0, *item.strides), item.offset)
                stacks.append(Stack(again, turns))
                continue
            stack = Buffer(PLANNED, (room, *item.shape), item.dtype)
            inside = outer(stack.shape, stack.dtype)
            names.of[inside.buffer] = stack
            made.lowering.push(inside, item, number)
            stacks.append(Stack(Value.whole(stack), turns))
        for kept in stacks:
            kept.maker = step
        return stacks

    def _invariant(self, item: Value, captured: dict[Buffer, Buffer]) -> Buffer | None:
        """Where the value of an item lies that is the same in all turns; None if it changes."""
        if isinstance(item, Stack):
            return None
        if item.buffer.kind == CONSTANT:
            return item.buffer
        if item.buffer.storage is not None:
            return self.lowering.variable(item.buffer.storage).buffer
        return captured.get(item.buffer)


class _Inside(Nesting):
    """Lowers a body, to run inside the program of the plan around it.

    Args:
      contents: what it is fed: values of the plan around it, or objects as they are.
    """

    def __init__(self, outer: Nesting, part: Part, contents: Sequence[Any]) -> None:
        super().__init__(part.plan, outer._notes, set(), outer._outside, 1, outer.lowering.most)
        self._all_threads = outer._all_threads
        self._contents = contents

    def _feed(self, index: int, slot: int) -> Any:
        content, note = self._contents[index], self._seen[slot]
        is_array = isinstance(content, Value) and not isinstance(content, Stack)
        if is_array and note.value is None:
            if content.shape != note.shape or content.dtype != note.dtype:
                raise Unsupported("shapes that are not always the same")
            if 0 in content.shape:
                raise Unsupported("empty arrays")
        self._slots[slot] = content
        return content

    def _check_fetches(self) -> None:
        """The program around it looks at what it gives."""

    def _host(self, step: Instruction, inputs: list[Any], why: str) -> None:
        raise Unsupported(f"{step.op.type} inside: {why}")

    def fresh(self, value: Value, taken: Any) -> Value:
        """A value that is all of a buffer of the body's own, which is not among those taken."""
        if value.buffer.kind == PLANNED and value.buffer not in taken and value.is_whole:
            return value
        return self.lowering.copy(value)

    def arranged(self, fetches: Sequence[Value], elsewhere: Any) -> Arrangement:
        """Its steps.

        Raises:
          Unsupported: if threads would share some of them, as they do where the body is a program
            of its own; if it works with empty arrays, or writes to variables.
        """
        if self.lowering.written:
            raise Unsupported("a variable that is written to")
        found = Arrangement(self.lowering, fetches, [b for b in elsewhere if b.kind == PLANNED])
        steps, threads = found.steps, self._all_threads
        works = [step.work for _, step in steps if isinstance(step, GroupCall | Call)]
        if threads > 1 and max(works, default=0) >= sharing.WORTH_SHARING:
            raise Unsupported("work that threads share")
        if any(len(batch) > 1 for batch in sharing.batches(steps, threads, found.parts)):
            raise Unsupported("work that threads share")
        return found


def work_of(item: tuple[int, Any]) -> int:
    """How much a step is to do: as bytes that could be moved meanwhile."""
    _, step = item
    if isinstance(step, GroupCall):
        return step.work + _CALL_WORK
    if isinstance(step, Call):
        moved = sum(v.size * v.dtype.itemsize for v in step.reads)
        moved += sum(b.size for b in step.writes)
        return max(step.work, moved) + _CALL_WORK
    return _CALL_WORK
