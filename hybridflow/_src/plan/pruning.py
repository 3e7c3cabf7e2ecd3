"""Which ops a run needs; of a loop or a choice also which of its results, and what inside of it.

A loop variable that nothing needs is not computed, nor is what it alone needs: as in TensorFlow,
where each loop variable is a chain of ops of its own.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from hybridflow._src.framework.operation import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.tensor import Tensor


def prune(
    tensors: Iterable[Tensor],
    operations: Iterable[Operation],
    fed: frozenset[Tensor],
    done: frozenset[Operation] = frozenset(),
) -> list[Operation]:
    """The ops that `tensors` and `operations` need when `fed` are given, in order of making.

    For what is `done` nobody has to wait.
    """
    return Pruning(tensors, operations, fed, done).ops()


class Pruning:
    """What a run needs; more may be wanted of it later.

    Args:
      tensors, operations: what it gives and runs.
      fed: tensors that are given. done: operations for which nobody has to wait.

    Attributes:
      used: those of the tensors given that it needs.
    """

    def __init__(
        self,
        tensors: Iterable[Tensor],
        operations: Iterable[Operation],
        fed: frozenset[Tensor],
        done: frozenset[Operation] = frozenset(),
    ) -> None:
        self._fed = fed
        # Who is to wait for an op whose outputs are all fed has not to wait.
        self._given = {t.op for t in fed if fed.issuperset(t.op.outputs)} | done
        self._needed: set[Operation] = set()
        self._nests: dict[Operation, _Nest] = {}
        self._pending: list[Operation] = []
        # Loops and choices of which more is wanted.
        self._growing: set[Operation] = set()
        self.used: set[Tensor] = set()
        for op in operations:
            self._run(op)
        self.want(tensors)

    def want(self, tensors: Iterable[Tensor]) -> None:
        """Wants the values of some tensors."""
        self._want(tensors)
        needed, given, pending, growing = self._needed, self._given, self._pending, self._growing
        while pending or growing:
            inputs: Iterable[Tensor]
            if pending:
                op = pending.pop()
                if op in needed:
                    continue
                inputs = op.inputs
            else:  # the last one: nothing else is to want more of it
                op = max(growing, key=lambda op: op._id)
                growing.remove(op)
                inputs = self._nests[op].needed()
            if op not in needed:
                needed.add(op)
                for control in op.controls:
                    if control not in given:
                        self._run(control)
            self._want(inputs)

    def ops(self) -> list[Operation]:
        """The ops needed, in order of making."""
        return sorted(self._needed, key=lambda op: op._id)

    def parts(self) -> dict[Operation, Operation]:
        """The loops and choices among them of which not all is needed, and what is as an op."""
        made = ((op, nest.part()) for op, nest in self._nests.items())
        return {op: part for op, part in made if part is not op}

    def _want(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            op = tensor.op
            if tensor in self._fed:
                self.used.add(tensor)
            elif _has_parts(op):
                self._grow(op, (tensor,))
            elif op not in self._needed:
                self._pending.append(op)

    def _run(self, op: Operation) -> None:
        if _has_parts(op):
            self._grow(op, op.outputs)
        else:
            self._pending.append(op)

    def _grow(self, op: Operation, outputs: Iterable[Tensor]) -> None:
        nest = self._nests.get(op)
        if nest is None:
            nest = self._nests[op] = _Nest(op)
            self._growing.add(op)
        if nest.want(outputs):
            self._growing.add(op)


def _has_parts(op: Operation) -> bool:
    """Whether it is a loop or a choice, whose results are computed apart from each other."""
    return bool(op.bodies) and op.record.effect is None


class _Nest:
    """What is needed of a loop or a choice."""

    def __init__(self, op: Operation) -> None:
        self._op = op
        self._is_loop = bool(op.bodies[-1].inputs)
        self._inside = [
            Pruning((), body.effects, frozenset((*body.inputs, *body.captures)))
            for body in op.bodies
        ]
        self._outputs: set[Tensor] = set()
        # The inputs before the captures: loop variables, or what chooses.
        self._count = len(op.bodies[-1].inputs) if self._is_loop else 1
        self._first: set[int] = set() if self._is_loop else {0}
        if self._is_loop:  # how many turns there are
            self._inside[0].want(op.bodies[0].outputs)

    def want(self, outputs: Iterable[Tensor]) -> bool:
        """Wants outputs; tells whether one of them is new."""
        new = [t for t in outputs if t not in self._outputs]
        self._outputs.update(new)
        first = 1 if self._is_loop else 0
        for body, inside in zip(self._op.bodies[first:], self._inside[first:], strict=True):
            inside.want([t for output in new for t in _results(body, output)])
        if self._is_loop:
            self._first.update(t.value_index for t in new if t.value_index < self._count)
        return bool(new)

    def needed(self) -> list[Tensor]:
        """Those of the op's inputs that are needed."""
        if self._is_loop:
            self._add_variables()
        used = {t for inside in self._inside for t in inside.used}
        inputs = enumerate(self._op.inputs)
        return [t for i, t in inputs if (i in self._first if i < self._count else t in used)]

    def _add_variables(self) -> None:
        """Finds the loop variables that the condition needs, or others in the next turn."""
        condition, body = self._op.bodies
        in_condition, in_body = self._inside
        while True:
            new = [
                i
                for i, (x, y) in enumerate(zip(condition.inputs, body.inputs, strict=True))
                if i not in self._first and (x in in_condition.used or y in in_body.used)
            ]
            if not new:
                return
            self._first.update(new)
            in_body.want([body.outputs[i] for i in new])

    def part(self) -> Operation:
        """What is needed, as an op like it; the op itself if that is all."""
        op = self._op
        inputs = tuple(self.needed())
        kept = [t for t in op.outputs if self._is_kept(t)]
        if len(inputs) == len(op.inputs) and len(kept) == len(op.outputs):
            return op
        bodies = zip(op.bodies, self._inside, strict=True)
        part = Operation(
            op.graph,
            op.record,
            op.name,
            inputs,
            op.attrs,
            op.controls,
            op.body,
            tuple(self._part_of(body, inside) for body, inside in bodies),
            op._id,
            op._frames,
        )
        part.outputs = kept
        return part

    def _is_kept(self, output: Tensor) -> bool:
        if self._is_loop and output.value_index <= self._count:
            return output.value_index == self._count or output.value_index in self._first
        return output in self._outputs

    def _part_of(self, body: Body, inside: Pruning) -> Body:
        part = copy.copy(body)
        results = enumerate(body.outputs)
        if self._is_loop:
            part.inputs = [body.inputs[i] for i in sorted(self._first)]
            is_body = body is self._op.bodies[1]
            part.outputs = [t for i, t in results if i in self._first or not is_body]
        else:
            part.outputs = [t for i, t in results if self._op.outputs[i] in self._outputs]
        part.captures = {t: None for t in body.captures if t in inside.used}
        part.saved = {t: outside for t, outside in body.saved.items() if outside in self._outputs}
        parts = inside.parts()
        part.operations = [parts.get(op, op) for op in inside.ops()]
        return part


def _results(body: Body, output: Tensor) -> list[Tensor]:
    """What a body gives for one of the op's outputs."""
    if output.value_index < len(body.outputs):
        return [body.outputs[output.value_index]]
    return [t for t, outside in body.saved.items() if outside is output]
