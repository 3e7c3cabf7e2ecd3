"""Sums over the turns of a loop that are one product, or one sum, after it.

A loop variable that nothing asks for in the loop, and to which each turn adds `a^T b` or the sum of
the rows of `b`, is the product of all `a` with all `b`, one below the other, or the sum of all
rows of `b`: so are gradients of weights and biases. It is rounded as one product, or sum, over all
rows is, and not as a sum of as many as there are turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybridflow._src.plan.panels import Panels
from hybridflow._src.plan.reading import Reading, counts_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.plan.instruction import Instruction

_ADDING = ("Add", "AddV2", "AddN", "AccumulateNV2")


class Term(NamedTuple):
    """What a turn adds: the product of `a`, turned, with `b`; the sum of the rows of `b` without
    `a`; or `b` itself if it `is_plain`.

    Attributes:
      a, b: buffers of the body, `[rows, ...]` unless it is plain.
    """

    a: int | None
    b: int
    is_plain: bool = False


class Sum(NamedTuple):
    """A loop variable that is a sum over the turns.

    Attributes:
      number: which one. terms: what each turn adds. instructions: those that do it.
    """

    number: int
    terms: tuple[Term, ...]
    instructions: tuple[Instruction, ...]


class Sums:
    """The sums of a loop.

    Args:
      of_any: whether sums of anything count, and not those alone that are less work after the loop.

    Attributes:
      body: its instructions. found: the sums, by the numbers of their loop variables.
      countdown: which loop variable is the number of turns that are left, or None; and the buffer
        with it after the turn.
    """

    def __init__(self, condition: Reading, body: Reading, count: int, of_any: bool = False) -> None:
        self._condition = condition
        self._of_any = of_any
        self.body = body
        self.found: dict[int, Sum] = {}
        for index in range(count):
            one = self._sum(index)
            if one is not None:
                self.found[index] = one
        self.countdown: tuple[int, int] | None = None
        for index in range(count) if self.found else ():
            if counts_down(condition, body, index):
                self.countdown = index, body.source(body.plan.fetches[index])
                break

    @property
    def instructions(self) -> set[int]:
        """The identities of the instructions that need not be done."""
        return {id(step) for one in self.found.values() for step in one.instructions}

    def _sum(self, index: int) -> Sum | None:
        body, feed = self.body, self.body.plan.feeds[index]
        if self._condition.uses[self._condition.plan.feeds[index]] or body.uses[feed] != 1:
            return None
        instructions: list[Instruction] = []
        terms: list[Term] = []
        is_added = False
        for slot in self._added(body.plan.fetches[index], instructions):
            if slot == feed:
                is_added = True
                continue
            term = self._term(slot, instructions)
            if term is None and self._of_any:
                term = Term(None, slot, is_plain=True)
            if term is None or body.shape(slot) != body.shape(feed):
                return None
            terms.append(term)
        if not is_added or not terms:
            return None
        return Sum(index, tuple(terms), tuple(instructions))

    def _added(self, slot: int, instructions: list[Instruction]) -> Iterator[int]:
        """What a buffer is the sum of; all that leads there nobody else uses."""
        body = self.body
        pending = [slot]
        while pending:
            slot = pending.pop()
            passing = body.passed_on(slot)
            source = body.source(slot)
            maker = body.maker(source)
            used_once = all(body.uses[s] == 1 for p in [*passing] for s in p.outputs)
            if not used_once or (maker is not None and body.uses[source] != 1):
                yield slot  # a term of no kind
                continue
            instructions += passing
            if maker is not None and maker.op.type in _ADDING:
                instructions.append(maker)
                pending += maker.inputs
            else:
                yield source

    def _term(self, slot: int, instructions: list[Instruction]) -> Term | None:
        body, maker = self.body, self.body.maker(slot)
        if maker is None or body.uses[slot] != 1:
            return None
        if maker.op.type == "MatMul":
            a, b = maker.inputs
            turned, other = (maker.attrs[f"transpose_{n}"] for n in "ab")
            if not turned or other or not (self._is_matrix(a) and self._is_matrix(b)):
                return None
            instructions.append(maker)
            return Term(body.source(a), body.source(b))
        rows = maker.inputs[0]
        if not self._sums_rows(maker) or not self._is_matrix(rows):
            return None
        instructions.append(maker)
        return Term(None, body.source(rows))

    def _is_matrix(self, slot: int) -> bool:
        shape, dtype = self.body.shape(slot), self.body.seen[slot].dtype
        return shape is not None and len(shape) == 2 and Panels.has_panels(dtype)

    def _sums_rows(self, maker: Instruction) -> bool:
        """Whether it gives the sum of the rows of a matrix."""
        kind = maker.op.type
        if kind == "BiasAddGrad":
            return maker.attrs["data_format"] != "NCHW"
        if kind == "SumToShape":
            (x, y) = (self.body.shape(slot) for slot in (maker.inputs[0], maker.outputs[0]))
            return x is not None and y is not None and y in (x[1:], (1, *x[1:]))
        if kind == "Sum":
            axes = self.body.known(maker.inputs[1])
            return axes is not None and np.ravel(axes).tolist() == [0]
        return False
