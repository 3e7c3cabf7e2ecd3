"""Control flow ops as steps of native code: their bodies become parts of the program.

Inside a part, what lies in memory of the program around it is called by buffers of its own, for
which *names* say what they are outside.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.plan import sharing
from hybridflow._src.plan.arrangement import Arrangement
from hybridflow._src.plan.at_once import at_once
from hybridflow._src.plan.carried import Names
from hybridflow._src.plan.changes import (
    WHOLE,
    Changes,
    PartOfProduct,
    RowOfProduct,
    columns_of,
    second_of,
)
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.nested import Choosing, Repeating
from hybridflow._src.plan.passes import ROWS_IN_PLACE
from hybridflow._src.plan.reading import Reading
from hybridflow._src.plan.steps import Call, Choice, Unsupported
from hybridflow._src.plan.translation import Translation
from hybridflow._src.plan.turning import Turning
from hybridflow._src.plan.values import PLANNED, Buffer, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.plan.changes import Part as PartOfMatrix
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import Part
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan

# A body that does what its instructions say.
_NO_CHANGES = Changes()


class Nesting(Translation):
    """Lowers a plan with the control flow ops in it.

    Attributes:
      all_threads: how many threads would work on a body that is a program of its own.
      is_inside: whether it is about a body inside the program of another plan.
    """

    is_inside = False
    may_meet = True

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
        self.all_threads = threads

    def _nested(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        self._check_storages(inputs)
        # What `_snapshot` has copied stands in other buffers now.
        inputs = [self._content(slot) for slot in step.inputs]
        if isinstance(step.compute, Choosing):
            return self._choice(step, step.compute, inputs)
        assert isinstance(step.compute, Repeating)
        return self._loop(step, step.compute, inputs)

    def inside(
        self,
        part: Part,
        contents: Sequence[Any],
        names: Names,
        first: int = 0,
        changes: Changes = _NO_CHANGES,
    ) -> Inside | None:
        """A body that is given some contents first, then its captures; None if it has not run.

        Args:
          first: for how many steps there is room before all others.
          changes: what it does otherwise than its instructions say.
        """
        if part.plan not in self.notes:
            return None
        given = [*contents, *map(names.inside, names.captures(part))]
        made = Inside(self, part, given, changes)
        made.lowering.steps += [None] * first
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
        written: dict[Storage, None] = {}
        for part, places in zip(nested.parts, nested.places, strict=True):
            names = Names(inputs[nested.first :])
            made = self.inside(part, [], names)
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
            arranged = made.arranged(found, names.of)
            made.check_threads(arranged)
            parts.append(arranged)
            all_names.append(names.of)
            reads += names.reads
            storages.update(dict.fromkeys(made.lowering.current))
            written.update(dict.fromkeys(made.lowering.written))
        results = [outputs.get(place) for place in range(len(step.outputs))]
        found_outputs = [
            self._unseen(step, place) if buffer is None else buffer
            for place, buffer in enumerate(results)
        ]
        choice = Choice(chooser, tuple(parts), tuple(all_names), tuple(reads), tuple(found_outputs))
        self.lowering.nested(choice, storages, written)
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

    def _loop(self, step: Instruction, nested: Repeating, inputs: list[Any]) -> list[Any]:
        found = at_once(self, step, nested, inputs)
        return Turning(self, step, nested, inputs).results() if found is None else found


class Inside(Nesting):
    """Lowers a body, to run inside the program of the plan around it.

    Args:
      contents: what it is fed: values of the plan around it, or objects as they are.
    """

    is_inside = True
    may_meet = False

    def __init__(
        self, outer: Nesting, part: Part, contents: Sequence[Any], changes: Changes
    ) -> None:
        super().__init__(part.plan, outer.notes, set(), outer._outside, 1, outer.lowering.most)
        self.all_threads = outer.all_threads
        self._contents = contents
        self._changes = changes
        self._reading = Reading(part.plan, outer.notes)
        self._slots.update(changes.known)
        self.lowering.in_place = ROWS_IN_PLACE not in part.plan.options.without

    def _feed(self, index: int, slot: int) -> Any:
        content, note = self._contents[index], self._seen[slot]
        is_array = isinstance(content, Value) and not isinstance(content, Stack)
        if is_array and note.value is None:
            if content.shape != note.shape or content.dtype != note.dtype:
                raise Unsupported("shapes that are not always the same")
            if 0 in content.shape:
                raise Unsupported("empty arrays")
        self._set(slot, content)
        return content

    def _lower(self, position: int, step: Instruction) -> None:
        if id(step) not in self._changes.without:
            super()._lower(position, step)

    def _native(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        split = self._changes.splits.get(id(step))
        if split is not None:
            parts = [self._part_of(step, part) for part in split]
            return [functools.reduce(functools.partial(self.lowering.elementwise, np.add), parts)]
        product = self._changes.columns.get(id(step))
        if product is not None:
            columns = columns_of(step, self._reading)
            first, _ = product.inputs
            return [
                self._product(product, first, (None, columns[slot])) if slot in columns else None
                for slot in step.outputs
            ]
        if (id(step), WHOLE) in self._changes.panels:
            return [self._product(step, step.inputs[0], WHOLE)]
        return super()._native(step, inputs)

    def _part_of(self, step: Instruction, part: RowOfProduct | PartOfProduct) -> Value:
        """A part of the sum that a product is."""
        if isinstance(part, PartOfProduct):
            return self._product(step, part.slot, (part.rows, None))
        pick, of = part.pick, part.product
        self.lowering.seen = [of.shape[1:]]
        rest = [self._content(slot) for slot in pick.inputs[1:]]
        native = pick.op.record.native
        assert callable(native)
        row: Value = native(self.lowering, of, *rest, **pick.attrs)
        return row

    def _product(self, step: Instruction, slot: int, part: PartOfMatrix) -> Value:
        """The product of a matrix with a part of the second one of a product."""
        lowering, first = self.lowering, self._content(slot)
        packed = self._changes.panels.get((id(step), part))
        shape = self._reading.shape(step.outputs[0])
        if packed is not None and shape is not None:
            wide = shape[1] if part[1] is None else part[1][1] - part[1][0]
            return lowering.product_with_panels(first, packed, wide)
        if step.attrs["transpose_a"]:
            first = lowering.view(np.transpose, first)
        second = second_of(lowering, step, self._content(step.inputs[1]), part)
        return lowering.product(first, second)

    def content(self, slot: int) -> Any:
        """What lies in a buffer of the body."""
        return self._content(slot)

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
        """Its steps."""
        return Arrangement(self.lowering, fetches, [b for b in elsewhere if b.kind == PLANNED])

    def check_threads(self, found: Arrangement) -> None:
        """Checks that one thread can do its steps.

        Raises:
          Unsupported: if threads would share some of them, as they do where the body is a program
            of its own.
        """
        steps, threads = found.steps, self.all_threads
        works = [step.work for _, step in steps if isinstance(step, GroupCall | Call)]
        if threads > 1 and max(works, default=0) >= sharing.WORTH_SHARING:
            raise Unsupported("work that threads share")
        if any(len(batch) > 1 for batch in sharing.batches(steps, threads, found.parts)):
            raise Unsupported("work that threads share")
