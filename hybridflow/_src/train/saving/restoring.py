"""Variables get what a checkpoint holds, while memory never holds much beside them.

To go back to what variables were, all of that would have to be kept until the last tensor is read.
So everything is read and checked before the first variable changes, and little of it is kept: what
variables without a value get, and as many bytes as the largest tensor has. The rest is read once
more, tensor by tensor, from files that have stayed open. What interrupts then is heard when all
variables have their new values.
"""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.framework.errors import DataLossError, OpError
from hybridflow._src.framework.locks import mending
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.storage import Storage, undone_on_error
from hybridflow._src.ops.saving.checkpoints import Kept, kept
from hybridflow._src.ops.state.variable_ops import check_assigned
from hybridflow._src.platform import free_memory
from hybridflow._src.platform.system_errors import translated
from hybridflow._src.variables.eager_variable import EagerVariable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from hybridflow._src.formats.tensor_reader import TensorReader
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.train.saving.saveables import SaveableObject

    Opener = Callable[[str], TensorReader]

_CHANGED = (
    "{path} was changed while it was restored: {problem} These variables have got values of it, "
    "the others have those from before: {names}"
)


class Wanted(NamedTuple):
    """A tensor to be read and the shape that it gets; in a graph by which op."""

    tensor: Kept
    shape: tuple[int, ...]
    op: Operation | None = None

    def read(self, memory: np.ndarray | None = None) -> np.ndarray:
        """The value, which nobody else has; in `memory`, if it is as large."""
        tensor = self.tensor
        fits = memory is not None and (memory.dtype, memory.size) == (tensor.dtype, tensor.count)
        out = memory.reshape(tensor.shape) if memory is not None and fits else None
        del memory  # there is no room for both
        found: np.ndarray = self._said(tensor.read, out)
        return found.reshape(self.shape)

    def check(self) -> None:
        """Reads it and keeps nothing."""
        self._said(self.tensor.check)

    def _said(self, function: Callable[..., Any], *args: Any) -> Any:
        """What a function gives; its error says the op."""
        try:
            return function(*args)
        except OpError as error:
            error._op = error._op or self.op
            raise


# Memory that is given up goes back to the system when it is so many bytes. What variables had may
# be smaller than what they get by what aligns it, so that the C library cannot use it again.
_LARGE = 1 << 20

# What each variable is to get.
Restored = list[tuple[Storage, Wanted]]


# -- what is to be restored ------------------------------------------------------------------------


def restore_saveables(path: str, saveables: Sequence[SaveableObject], reshape: bool) -> None:
    """Restores in eager mode.

    Raises:
      OpError, ValueError: if something is not there, does not fit, or cannot be read.
    """
    found = _variables_of(path, saveables, reshape)
    if found is not None:
        restore(found)
        return
    read = [
        raw.RestoreV2(path, [spec.name], [spec.slice_spec], dtypes=[spec.tensor.dtype])
        for saveable in saveables
        for spec in saveable.specs
    ]
    tensors = iter([tensor for (tensor,) in read])

    def assign() -> None:
        for saveable in saveables:
            shapes = [spec.tensor.shape.as_list() for spec in saveable.specs]
            values = [next(tensors) for _ in saveable.specs]
            saveable.restore(values, shapes if reshape else None)

    undone_on_error(assign)


def _variables_of(path: str, saveables: Sequence[SaveableObject], reshape: bool) -> Restored | None:
    """What eager variables are to get, or None if something else is restored or does not fit."""
    found: Restored = []
    with translated(path):
        reader = open_checkpoint(path)
    for saveable in saveables:
        variable = getattr(saveable, "variable", None)
        if not isinstance(variable, EagerVariable):
            return None
        (spec,) = saveable.specs
        tensor = Kept(reader, spec.name, spec.slice_spec, variable.dtype)
        if reshape and not variable.shape.is_fully_defined():
            return None
        shape = tuple(map(int, variable.shape.dims or ())) if reshape else tensor.shape
        if math.prod(shape) != tensor.count or not variable.shape.is_compatible_with(shape):
            return None
        found.append((variable._storage, Wanted(tensor, shape)))
    return found


def restore_plan(plan: Plan, feeds: Sequence[Any]) -> None:
    """Runs a plan that restores.

    Raises:
      OpError: of the class that fits what went wrong, with the op.
    """
    found = _restored_by(plan, feeds)
    if found is None:
        plan.run(feeds)
    else:
        restore(found)


def _restored_by(plan: Plan, feeds: Sequence[Any]) -> Restored | None:
    """What a plan restores, or None if it does something else too, or would fail."""
    if plan.fetches:
        return None
    found: Restored = []
    opener = functools.cache(open_checkpoint)
    buffers = plan.template.copy()
    for slot, value in zip(plan.feeds, feeds, strict=True):
        buffers[slot] = value
    for step in plan.instructions:
        try:
            results = _results(step, [buffers[slot] for slot in step.inputs], found, opener)
        except OpError:
            return None
        if results is None:
            return None
        for slot, value in zip(step.outputs, results, strict=True):
            buffers[slot] = value
    return found


def _results(
    step: Instruction, inputs: list[Any], found: Restored, opener: Opener
) -> Sequence[Any] | None:
    """What an instruction gives, with `Wanted` for what is to be read; None if it does more."""
    op, kind = step.op, step.op.type
    if step.compute == Storage.read or kind in ("VariableV2", "VarHandleOp", "NoOp"):
        return step.results(inputs)
    if op.bodies or step.locked is not None:
        return None
    if kind == "RestoreV2":
        prefix, names, specs = inputs
        tensors = kept(prefix, names, specs, step.attrs["dtypes"], opener)
        return [Wanted(tensor, tensor.shape, op) for tensor in tensors]
    if not any(isinstance(value, Wanted) for value in inputs):
        does_more = op.record.stateful or op.record.effect == "write"
        return None if does_more else step.results(inputs)
    if kind == "Identity":
        return inputs
    if kind == "Reshape" and not isinstance(inputs[1], Wanted):
        wanted, shape = inputs[0], tuple(map(int, inputs[1]))
        fits = math.prod(shape) == math.prod(wanted.shape) and min(shape, default=0) >= 0
        return [wanted._replace(shape=shape)] if fits else None
    if kind in ("Assign", "AssignVariableOp"):
        storage, wanted = inputs
        check_assigned(storage, wanted.shape, **step.attrs)
        found.append((storage, wanted))
        return [wanted] * len(step.outputs)
    return None


# -- how it is restored ----------------------------------------------------------------------------


def restore(variables: Restored) -> None:
    """Gives variables what they are to get.

    Raises:
      OpError: if something cannot be read. All variables are as before then, but if another program
        has changed the files meanwhile: the error says so.
    """
    readers = {wanted.tensor.reader: None for _, wanted in variables}
    with contextlib.ExitStack() as opened:
        for reader in readers:
            opened.enter_context(reader.opened())
        writing = _Writing(*_checked(variables))
        mending(writing.go_on, writing.go_on)
    writing.raise_problem()


class _Writing:
    """Gives variables their values.

    Args:
      values: what has been read. rest: what is to be read.
    """

    def __init__(self, values: list[tuple[Storage, np.ndarray]], rest: Restored) -> None:
        self._values = values
        self._rest = rest
        guards = {storage.guard for storage, _ in (*values, *rest)}
        # Else a program that runs may still use what a variable had.
        self._may_reuse = not [guard for guard in guards if not guard.let_go()]
        self._spare: np.ndarray | None = None
        self._given_up = 0
        self._names: list[str] = []
        self._problem: Exception | None = None

    def go_on(self) -> None:
        """Gives all, or goes on after an interrupt."""
        while self._values:
            self._give(*self._values[-1])
            self._values.pop()
        while self._rest and self._problem is None:
            storage, wanted = self._rest[-1]
            # Memory that has been touched before is written much quicker.
            spare, self._spare = [self._spare], None
            try:
                value = wanted.read(spare.pop())
            except Exception as error:
                self._problem = error
                return
            self._give(storage, value)
            self._rest.pop()

    def _give(self, storage: Storage, value: np.ndarray) -> None:
        size = 0 if storage.is_empty else value.nbytes
        spare = [storage.give(value)]
        self._names.append(storage.name)
        self._spare = spare.pop() if self._may_reuse else None
        if self._spare is None:
            spare.clear()
            self._given_up += size
        if self._given_up >= _LARGE:
            self._given_up = 0
            free_memory.give_back()

    def raise_problem(self) -> None:
        """Raises what went wrong, if something did."""
        problem = self._problem
        if problem is None:
            return
        if not self._names:
            raise problem
        wanted = self._rest[-1][1]
        text = _CHANGED.format(
            path=wanted.tensor.reader.prefix,
            problem=getattr(problem, "message", problem),
            names=", ".join(sorted(set(self._names))),
        )
        raise DataLossError(None, wanted.op, text) from problem


def _checked(variables: Restored) -> tuple[list[tuple[Storage, np.ndarray]], Restored]:
    """Reads all; gives what was kept of it, and what is to be read once more."""
    values: list[tuple[Storage, np.ndarray]] = []
    rest: Restored = []
    room = max([wanted.tensor.size for _, wanted in variables], default=0)
    for storage, wanted in variables:
        size = wanted.tensor.size
        if storage.is_empty or size <= room or not wanted.tensor.reader.reads_twice:
            values.append((storage, wanted.read()))
            room -= 0 if storage.is_empty else size
        else:
            wanted.check()
            rest.append((storage, wanted))
    return values, rest
