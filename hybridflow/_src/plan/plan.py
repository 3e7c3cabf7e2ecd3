"""Plans: a part of a graph as a flat list of instructions over numbered buffers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hybridflow._src.framework import dispatch, fp
from hybridflow._src.framework.errors import InvalidArgumentError, OpError
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.storage import Guard, Storage, is_journaled, undone_on_error
from hybridflow._src.plan import schedule
from hybridflow._src.plan.effects import effects_of, is_reference, source_of
from hybridflow._src.plan.native import native_of
from hybridflow._src.plan.passes import Passes
from hybridflow._src.plan.values import own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

    # Told of each instruction that has run, and of what it gave.
    Watch: TypeAlias = Callable[["Instruction", Sequence[Any]], None]


class Kernels(dict["Operation", "Callable[..., Any]"]):
    """The stateful kernels of one owner (a session), by op: made once, shared by all its plans.

    Attributes:
      guard: shared by the variables of the owner.
      threads: how many threads work on one large kernel; 0 leaves it to the process.
    """

    def __init__(self, threads: int = 0) -> None:
        super().__init__()
        self.guard = Guard()
        self.threads = threads


_NOT_FED = (
    "You must feed a value for placeholder tensor '{name}' with dtype {dtype} and shape {shape}: "
    "`session.run(..., feed_dict={{{name}: value}})`."
)


class Instruction(NamedTuple):
    """One step: `compute` applied to the buffers `inputs` (and `attrs`), results into `outputs`.

    `release` are the buffers that nothing later uses. `locked` is the buffer of the variable whose
    lock is held meanwhile, and between it and its neighbours with the same one.
    """

    op: Operation
    compute: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: dict[str, Any]
    release: tuple[int, ...]
    locked: int | None = None

    def results(self, inputs: list[Any]) -> Sequence[Any]:
        """Runs it: what it gives for each of its outputs.

        Raises:
          OpError: of the class that fits what went wrong, with the op.
        """
        try:
            result = self.compute(*inputs, **self.attrs)
        except Exception as error:
            problem = explained(error, self.op, inputs)
            if problem is error:
                raise
            raise problem from error
        if (
            len(self.outputs) == 1
            and result.__class__ is not tuple
            and result.__class__ is not list
        ):
            return (result,)
        return result if self.outputs else ()


# Told of each plan when it is made.
observers: list[Callable[[Plan], None]] = []


class Plan:
    """What `Session.run` executes: built once for given fetches and feeds, run any number of times.

    Attributes:
      instructions: in the order in which they run.
      feeds: the buffer of each fed tensor.
      fetches: the buffer of each fetched tensor.
      native: the native executor, which takes over from the interpreter; None where there is none.
      threads: how many threads work on one large kernel; 0 leaves it to the process.
      bodies: the plans of control flow bodies inside.
      passes: what was done to make it, and the time that each took.
    """

    __slots__ = (
        "_stretches",
        "_writes",
        "bodies",
        "feeds",
        "fetches",
        "instructions",
        "native",
        "passes",
        "template",
        "threads",
    )

    def __init__(
        self,
        instructions: list[Instruction],
        template: list[Any],
        feeds: list[int],
        fetches: list[int],
        threads: int,
        bodies: Sequence[Plan],
        passes: Passes,
    ) -> None:
        self.instructions = instructions
        self.threads = threads
        self.bodies = tuple(bodies)
        self.passes = passes
        self.feeds = feeds
        self.fetches = fetches
        # The buffers at the start of a run: constants are there, all else is None.
        self.template = template
        # The instructions by the lock under which they run.
        self._stretches = [
            (lock, list(steps)) for lock, steps in groupby(instructions, lambda step: step.locked)
        ]
        self._writes = any(effects_of(step.op).writes for step in instructions)
        self.native = native_of(self)
        for tell in observers:
            tell(self)

    def run(self, feeds: Sequence[Any], owned: bool = False) -> list[Any]:
        """Runs the plan and gives the fetched values: arrays that nobody may write to, or if
        `owned` the caller's own.

        If it fails, variables have the values from before.

        Raises:
          OpError: of the class that fits what went wrong, with the op that failed.
        """
        status = fp.state()
        try:
            fp.silence()
            return self.run_silenced(feeds, owned)
        finally:
            fp.restore(status)

    def run_silenced(self, feeds: Sequence[Any], owned: bool = False) -> list[Any]:
        """`run` for one who has silenced floating-point status: a body inside another plan."""
        if self.native is not None:
            results = self.native.run(feeds)
            if results is not None:
                return results
        results = self.interpret(feeds)
        return [own(value) for value in results] if owned else results

    def interpret(
        self,
        feeds: Sequence[Any],
        seen: Watch | None = None,
        given: Mapping[int, Sequence[Any]] | None = None,
    ) -> list[Any]:
        """Runs the instructions one by one.

        Args:
          seen: told what each gave.
          given: what some gave already, by their identity.
        """
        if self._writes and not is_journaled():
            return undone_on_error(self._interpret, feeds, seen, given or {})
        return self._interpret(feeds, seen, given or {})

    def _interpret(
        self,
        feeds: Sequence[Any],
        seen: Watch | None,
        given: Mapping[int, Sequence[Any]],
    ) -> list[Any]:
        buffers = self.template.copy()
        for slot, value in zip(self.feeds, feeds, strict=True):
            buffers[slot] = value
        for locked, steps in self._stretches:
            if locked is None:
                _run_steps(steps, buffers, seen, given)
            else:
                holding(buffers[locked].lock, _run_steps, steps, buffers, seen, given)
        return [buffers[slot] for slot in self.fetches]


def _run_steps(
    steps: Sequence[Instruction],
    buffers: list[Any],
    seen: Watch | None,
    given: Mapping[int, Sequence[Any]],
) -> None:
    """Runs instructions that follow each other."""
    for step in steps:
        results = given.get(id(step)) if given else None
        if results is None:
            results = step.results([buffers[i] for i in step.inputs])
        for slot, value in zip(step.outputs, results, strict=True):
            buffers[slot] = value
        if seen is not None:
            seen(step, results)
        for slot in step.release:
            buffers[slot] = None


def explained(error: Exception, op: Operation, inputs: list[Any]) -> Exception:
    """The error to raise for one that an op raised: with the op, and shapes where they matter."""
    if not isinstance(error, OpError):
        if not isinstance(error, (ValueError, TypeError, IndexError, OverflowError)):
            return error
        error = dispatch.explain(op.op_def, op.name, inputs, op.attrs, error)
    if error._op is None:
        error._op = op
        error._node_def = op.node_def
    return error


class _Builder:
    """Builds one plan: numbers buffers and turns ops into instructions."""

    def __init__(self, kernels: Kernels, references: frozenset[Tensor]) -> None:
        self.kernels = kernels
        # Feeds that are variables themselves, not their values.
        self.references = references
        self.template: list[Any] = []
        self.slots: dict[Tensor, int] = {}
        self.steps: list[Instruction] = []
        self.bodies: list[Plan] = []

    def new_slot(self, value: Any = None) -> int:
        self.template.append(value)
        return len(self.template) - 1

    def slot_of(self, tensor: Tensor) -> int:
        slot = self.slots.get(tensor)
        if slot is None:
            slot = self.slots[tensor] = self.new_slot()
        return slot

    def value_slot(self, tensor: Tensor, user: Operation, fed: frozenset[Tensor]) -> int:
        """The buffer with the value of `tensor`; a variable's reference is read here and now."""
        given = tensor in fed and tensor not in self.references
        if not tensor._dtype.is_ref_dtype or given or not is_reference(tensor):
            return self.slot_of(tensor)
        slot = self.new_slot()
        self.steps.append(Instruction(user, Storage.read, (self.slot_of(tensor),), (slot,), {}, ()))
        return slot

    def add(self, op: Operation, fed: frozenset[Tensor]) -> None:
        op_def = op.op_def
        if op_def.name == "Const":
            self.slots[op.outputs[0]] = self.new_slot(op.attrs["value"])
            return
        if op_def.name == "Placeholder":
            tensor = op.outputs[0]
            raise InvalidArgumentError(
                op.node_def,
                op,
                _NOT_FED.format(name=op.name, dtype=tensor.dtype.name, shape=tensor.shape),
            )
        if op_def.effect == "lock":
            self.add_locked(op, fed)
            return
        inputs = []
        references = [arg.ref for arg in op_def.inputs]
        captured = _captured_references(op)
        for index, tensor in enumerate(op.inputs):
            if index < len(references) and references[index]:
                inputs.append(self.slot_of(source_of(tensor).outputs[0]))
            elif tensor in captured:
                inputs.append(self.slot_of(tensor))
            else:
                inputs.append(self.value_slot(tensor, op, fed))
        attrs = {key: value for key, value in op.attrs.items() if key in op_def.defaults}
        compute = op_def.compute
        if op.bodies:
            plans = [build_body(body, self.kernels) for body in op.bodies]
            self.bodies += plans
            compute = op_def.kernel(op, *plans)  # type: ignore[misc]
            attrs = {}
        elif compute is None:
            compute = self.kernels.get(op)
            if compute is None:
                # Two threads may build plans of one session at once: all must get the same kernel.
                made = op_def.kernel(**attrs)  # type: ignore[misc]
                if op_def.name in ("VariableV2", "VarHandleOp"):
                    made().guard = self.kernels.guard
                compute = self.kernels.setdefault(op, made)
            attrs = {}
        # Outputs that are fed keep what was fed.
        outputs = [self.new_slot() if t in fed else self.slot_of(t) for t in op.outputs]
        self.steps.append(Instruction(op, compute, tuple(inputs), tuple(outputs), attrs, ()))

    def add_locked(self, op: Operation, fed: frozenset[Tensor]) -> None:
        """The ops of a body that runs while a variable is locked, as instructions in its place."""
        (body,) = op.bodies
        first = len(self.steps)
        outside = fed.union(body.captures)
        for inner in schedule.order(schedule.prune([], body.effects, outside), outside):
            self.add(inner, fed)
        locked = self.slot_of(source_of(op.inputs[0]).outputs[0])
        self.steps[first:] = [step._replace(locked=locked) for step in self.steps[first:]]

    def with_releases(self, kept: set[int]) -> list[Instruction]:
        """The instructions, each told which buffers it is the last to use."""
        seen = set(kept)
        seen.update(i for i, value in enumerate(self.template) if value is not None)
        result = []
        for step in reversed(self.steps):
            last = [
                slot for slot in dict.fromkeys((*step.inputs, *step.outputs)) if slot not in seen
            ]
            seen.update(last)
            result.append(step._replace(release=tuple(last)))
        result.reverse()
        return result


def _captured_references(op: Operation) -> frozenset[Tensor]:
    """The variables kept by reference that the bodies of an op use."""
    return frozenset(
        t for body in op.bodies for t in body.captures if t._dtype.is_ref_dtype and is_reference(t)
    )


def build(
    tensors: Sequence[Tensor],
    operations: Sequence[Operation],
    feeds: Sequence[Tensor],
    kernels: Kernels,
    references: frozenset[Tensor] = frozenset(),
) -> Plan:
    """The plan that computes `tensors` and runs `operations` when `feeds` are given.

    For those of the feeds that are in `references` variables are given, not values.

    Raises:
      InvalidArgumentError: if it needs a placeholder that is not fed.
    """
    fed = frozenset(feeds)
    builder = _Builder(kernels, references)
    fed_slots = [builder.slot_of(t) for t in feeds]
    passes = Passes()
    needed = schedule.prune(tensors, operations, fed)
    passes.done("prune")
    fetched_references = [
        t for t in tensors if t not in fed and t._dtype.is_ref_dtype and is_reference(t)
    ]
    fetched: dict[Tensor, int] = {}
    for tensor in dict.fromkeys(fetched_references):
        # A variable fetched by its reference: the value from before the step.
        needed.remove(tensor.op)
        builder.add(tensor.op, fed)
        fetched[tensor] = builder.value_slot(tensor, tensor.op, fed)
    ordered = schedule.order(needed, fed)
    passes.done("order")
    for op in ordered:
        builder.add(op, fed)
    fetches = [fetched.get(t, -1) for t in tensors]
    fetches = [builder.slot_of(t) if s < 0 else s for s, t in zip(fetches, tensors, strict=True)]
    kept = {*fetches, *fed_slots}
    instructions = builder.with_releases(kept)
    passes.done("instructions")
    return Plan(
        instructions,
        builder.template,
        fed_slots,
        fetches,
        kernels.threads,
        builder.bodies,
        passes,
    )


def build_body(body: Body, kernels: Kernels) -> Plan:
    """The plan of a control flow body, fed with its inputs and captures.

    It gives the body's outputs, then the values inside that gradients asked for.
    """
    feeds = [*body.inputs, *body.captures]
    references = frozenset(t for t in body.captures if t._dtype.is_ref_dtype and is_reference(t))
    return build([*body.outputs, *body.saved], body.effects, feeds, kernels, references)
