"""What is done before a loop, once for all turns: its invariants, and products of rows.

What a body computes from captured values alone is the same in all turns. Where it multiplies a row
of a captured value, which another index names in each turn, with a matrix that stays the same, the
rows of one product of all are these products; so they are where it looks up several rows of a
table. Of `[row, state] x matrix`, as cells of recurrent networks have it, that is the part of the
first rows of the matrix; the sum of both parts is rounded once more than the product of both
together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.storage import Storage
from hybridflow._src.plan.changes import (
    WHOLE,
    PartOfProduct,
    RowOfProduct,
    columns_of,
    second_of,
    used_columns,
)
from hybridflow._src.plan.effects import effects_of
from hybridflow._src.plan.nested import Nested
from hybridflow._src.plan.passes import INVARIANTS, PACKED_ONCE, PRODUCTS_BEFORE
from hybridflow._src.plan.reading import Reading
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.translation import Translation
from hybridflow._src.plan.values import Items, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hybridflow._src.plan.changes import Part, Split
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.plan import Plan

# What picks a row by an index.
_PICKING = ("GatherV2", "Gather", "StridedSlice", "ArrayItemsRead")
# And several rows by several indices.
_SEVERAL = ("GatherV2", "Gather")
# How many times as many rows may be multiplied as there were turns.
_MOST_ROWS = 2
# For fewer turns matrices are not packed.
_MANY_TURNS = 4


class Before(Translation):
    """Lowers what a body does before its loop.

    Args:
      outer: lowers the plan around it.
      given: what the body captures, by its buffers.
      turns: how many turns there were at most.

    Attributes:
      done: the identities of instructions that are done before the loop.
      splits: products of which a part is, by the identities of their instructions.
      columns, panels: see `Changes`.
    """

    def __init__(
        self, outer: Translation, plan: Plan, given: Mapping[int, Any], turns: int
    ) -> None:
        super().__init__(
            plan, outer.notes, outer._by_host, outer._outside, outer.lowering.threads, 0
        )
        self.lowering = outer.lowering
        self._slots.update(given)
        self._reading = Reading(plan, outer.notes)
        self._turns = turns
        self.done: set[int] = set()
        self.splits: dict[int, Split] = {}
        self.columns: dict[int, Instruction] = {}
        self.panels: dict[tuple[int, Part], Value] = {}
        self._needed: set[int] = set()
        # Whether turns write to variables, which are not the same in all of them then.
        self._writes = any(effects_of(step.op).writes for step in plan.instructions)
        before, self.lowering.ending = self.lowering.ending, set()
        if INVARIANTS not in plan.options.without:
            for step in plan.instructions:
                self._do(step)
        if PRODUCTS_BEFORE not in plan.options.without:
            for step in plan.instructions:
                if step.op.type == "MatMul" and id(step) not in self.done:
                    self._split(step)
            self.columns = used_columns(self._reading)
        if PACKED_ONCE not in plan.options.without and turns >= _MANY_TURNS:
            for step in plan.instructions:
                if step.op.type == "MatMul" and id(step) not in self.done:
                    self._pack(step)
        self.lowering.ending = before

    def results(self) -> Iterator[tuple[int, Value]]:
        """What the rest of the body needs: buffers, and where they lie outside."""
        rest = [s for s in self._plan.instructions if id(s) not in self.done]
        used = {slot for step in rest for slot in step.inputs}.union(self._plan.fetches)
        for step in self._plan.instructions:
            if id(step) in self.done:
                yield from ((slot, self._slots[slot]) for slot in step.outputs if slot in used)

    def unneeded(self, kept: Iterable[int]) -> set[int]:
        """The identities of instructions that only products asked for which are split.

        Args:
          kept: buffers that are needed beside those that are fetched.
        """
        needed = {*self._plan.fetches, *kept}
        found = set()
        for step in reversed(self._plan.instructions):
            record = step.op.record
            is_pure = not (record.stateful or step.op.bodies) and record.effect in (None, "read")
            if is_pure and step.outputs and needed.isdisjoint(step.outputs):
                found.add(id(step))
                continue
            split = self.splits.get(id(step))
            needed.update(step.inputs if split is None else step.inputs[1:])
            for part in split or ():
                needed.update(
                    [part.slot] if isinstance(part, PartOfProduct) else part.pick.inputs[1:]
                )
        return found if self.splits else set()

    # -- invariants --------------------------------------------------------------------------------

    def _is_known(self, slot: int) -> bool:
        return slot in self._slots or self._seen[slot].value is not None

    def _do(self, step: Instruction) -> None:
        record = step.op.record
        if (
            (self._writes and (record.effect == "read" or step.compute == Storage.read))
            or isinstance(step.compute, Nested)
            or record.stateful
            or record.effect not in (None, "read")
            or not step.outputs
            or not all(map(self._is_known, step.inputs))
            or all(self._seen[slot].value is not None for slot in step.outputs)
        ):
            return
        self.lowering.op = step.op
        try:
            found = self._native(step, [self._content(slot) for slot in step.inputs])
        except Unsupported:
            return
        if any(not isinstance(value, Value) or isinstance(value, Stack) for value in found):
            return
        self._slots.update(zip(step.outputs, found, strict=True))
        self.done.add(id(step))

    # -- products of rows --------------------------------------------------------------------------

    def _split(self, step: Instruction) -> None:
        """Takes the products of rows out of a product."""
        first, second = step.inputs
        if step.attrs["transpose_a"] or not isinstance(self._outside_of(second), Value):
            return
        self.lowering.op = step.op
        found: Split = []
        start = 0
        for slot in self._beside(first):
            shape = self._reading.shape(slot)
            if shape is None or len(shape) != 2:
                return
            rows = (start, start + shape[1])
            start += shape[1]
            found.append(self._row(slot, step, rows) or PartOfProduct(slot, rows))
        if any(isinstance(part, RowOfProduct) for part in found):
            self.splits[id(step)] = found

    def _beside(self, slot: int) -> list[int]:
        """The buffers that lie beside each other in a matrix."""
        joined = self._reading.made_by(slot, "ConcatV2")
        if joined is None:
            return [slot]
        *values, axis = joined.inputs
        at = self._reading.known(axis)
        if at is None or int(at) not in (1, -1):
            return [slot]
        return [one for value in values for one in self._beside(value)]

    def _outside_of(self, slot: int) -> Any:
        """What an invariant buffer is outside."""
        slot = self._reading.source(slot)
        if not self._is_known(slot):
            return None
        content = self._content(slot)
        if isinstance(content, Storage):
            return None
        return content

    def _row(self, slot: int, step: Instruction, rows: tuple[int, int]) -> RowOfProduct | None:
        """The part of a product that belongs to a row that the body picks, or to several."""
        pick = self._reading.made_by(slot, *_PICKING)
        if pick is None or id(pick) in self.done:
            return None
        source, matrix = self._outside_of(pick.inputs[0]), self._outside_of(step.inputs[1])
        shape = self._reading.shape(slot)
        if not isinstance(source, Value) or isinstance(source, Items) or shape is None:
            return None
        if self._axis_of(pick) != 0 or len(source.shape) < 2:
            return None
        count = math.prod(source.shape[:-1])
        multiplied = shape[0] * max(self._turns, 1)
        if source.shape[1:] == shape:
            if count > _MOST_ROWS * multiplied:
                return None
        elif source.shape[1:] != shape[1:] or pick.op.type not in _SEVERAL or count > multiplied:
            return None
        lowering = self.lowering
        try:
            columns = second_of(lowering, step, matrix, (rows, None))
            flat = lowering.reshape(source, (count, source.shape[-1]))
            product = self._product(flat, columns)
            product = lowering.reshape(product, (*source.shape[:-1], columns.shape[1]))
        except Unsupported:
            return None
        if isinstance(source, Stack):
            product = Stack(product, source.turns)
        return RowOfProduct(pick, product)

    def _product(self, rows: Value, matrix: Value) -> Value:
        lowering = self.lowering
        if PACKED_ONCE in self._plan.options.without or not lowering.has_panels(matrix.dtype):
            return lowering.product(rows, matrix)
        # Of a table and weights that stay as they are it is the same from run to run.
        return lowering.product_with_panels(rows, lowering.in_panels(matrix), matrix.shape[1], True)

    def _axis_of(self, pick: Instruction) -> int | None:
        """Along which axis an instruction picks by an index; None if it picks several."""
        kind = pick.op.type
        if kind == "GatherV2":
            axis = self._reading.known(pick.inputs[2])
            return None if axis is None else int(axis)
        return 0

    # -- matrices that are packed ------------------------------------------------------------------

    def _pack(self, step: Instruction) -> None:
        """Packs the parts of the second matrix of a product that the body multiplies with."""
        first, second = step.inputs
        shape, matrix = self._reading.shape(first), self._outside_of(second)
        if step.attrs["transpose_a"] or shape is None or not isinstance(matrix, Value):
            return
        if not self.lowering.suits_panels(shape, matrix):
            return
        parts: list[Part] = [WHOLE]
        split = self.splits.get(id(step))
        if split is not None:
            parts = [(one.rows, None) for one in split if isinstance(one, PartOfProduct)]
        for user in self._plan.instructions:
            if self.columns.get(id(user)) is step:
                parts = [(None, ends) for ends in columns_of(user, self._reading).values()]
        self.lowering.op = step.op
        for part in parts:
            rows = second_of(self.lowering, step, matrix, part)
            self.panels[id(step), part] = self.lowering.in_panels(rows)
