"""Makes plans: the ops of a graph as instructions, in order, over numbered buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.resources import Resources, Settled
from hybridflow._src.framework.signature import takes_variable
from hybridflow._src.framework.storage import Guard, Storage
from hybridflow._src.framework.tensor_shape import bracketed
from hybridflow._src.framework.waiting import Waits
from hybridflow._src.plan import schedule
from hybridflow._src.plan.collectives import Begin, End, arranged, is_collective
from hybridflow._src.plan.effects import effects_of, is_reference, read_from, source_of
from hybridflow._src.plan.instruction import Instruction
from hybridflow._src.plan.native import native_of
from hybridflow._src.plan.options import DEFAULT
from hybridflow._src.plan.passes import Passes
from hybridflow._src.plan.plan import Plan
from hybridflow._src.plan.pruning import Pruning, prune
from hybridflow._src.plan.stages import Stage, WaitingPlan, split
from hybridflow._src.ranks import job as jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.plan.options import Options


class Kernels(dict["Operation", "Callable[..., Any]"]):
    """The stateful kernels of one owner (a session), by op: made once, shared by all its plans.

    Attributes:
      guard: shared by the variables of the owner.
      resources: what its ops share by name. waits: what waits for other threads on its behalf.
      options: how its plans run.
    """

    def __init__(self, options: Options = DEFAULT) -> None:
        super().__init__()
        self.guard = Guard()
        self.resources = Resources()
        self.waits = Waits()
        self.options = options

    def close(self) -> None:
        """Drops all of them, and ends what waits."""
        self.waits.close()
        self.clear()
        self.resources.clear()


# Told of each plan when it is made.
observers: list[Callable[[Plan], None]] = []
_NOT_FED = (
    "You must feed a value for placeholder tensor '{name}' with dtype {dtype}{shape}: "
    "`session.run(..., feed_dict={{{name}: value}})`."
)


def _is_proven(tensor: Tensor) -> bool:
    """Whether a shape rule has seen all of a tensor that it looks at: integers may be sizes."""
    if tensor.op.record.name == "Const":
        return True
    return tensor.dtype.is_floating and tensor.shape.is_fully_defined()


class _Builder:
    """Builds one plan: numbers buffers and turns ops into instructions."""

    def __init__(self, kernels: Kernels, references: frozenset[Tensor]) -> None:
        self.kernels = kernels
        # Feeds that are variables themselves, not their values.
        self.references = references
        # Who reads a variable once more, instead of using an earlier read.
        self.late: dict[Operation, set[Tensor]] = {}
        # What is needed of loops and choices that are not needed whole.
        self.parts: dict[Operation, Operation] = {}
        self.template: list[Any] = []
        self.slots: dict[Tensor, int] = {}
        self.steps: list[Instruction] = []
        self.bodies: list[Plan] = []
        # The transfers of collectives that have begun.
        self.begun: dict[Operation, int] = {}

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
        if tensor in self.late.get(user, ()):
            tensor = tensor.op.inputs[0]
        elif tensor not in self.references and (
            tensor in fed or not tensor._dtype.is_ref_dtype or not is_reference(tensor)
        ):
            return self.slot_of(tensor)
        slot = self.new_slot()
        self.steps.append(Instruction(user, Storage.read, (self.slot_of(tensor),), (slot,), {}, ()))
        return slot

    def reference_slot(self, tensor: Tensor) -> int:
        """The buffer with the variable itself that a body captures, or of which it does a read."""
        if tensor not in self.references and not tensor._dtype.is_ref_dtype:
            variable = read_from(tensor)
            assert variable is not None
            return self.slot_of(variable.outputs[0])
        return self.slot_of(tensor)

    def needed(
        self, tensors: Sequence[Tensor], operations: Sequence[Operation], fed: frozenset[Tensor]
    ) -> list[Operation]:
        """What these need, in order."""
        pruning = Pruning(tensors, operations, fed)
        self.parts.update(pruning.parts())
        return schedule.order(pruning.ops(), fed)

    def add(self, op: Operation, fed: frozenset[Tensor]) -> None:
        whole, op = op, self.parts.get(op, op)
        op_def = op.record
        if op_def.name == "Const":
            self.slots[op.outputs[0]] = self.new_slot(op.attrs["value"])
            return
        if op_def.name == "Placeholder":
            tensor = op.outputs[0]
            dims = tensor._dims
            shape = f" and shape {bracketed(dims)}" if dims else ""
            dtype = dtypes.native_name(tensor.dtype)
            raise InvalidArgumentError(
                None, op, _NOT_FED.format(name=op.name, dtype=dtype, shape=shape)
            )
        if op_def.effect == "lock":
            self.add_locked(op, fed)
            return
        if op_def.effect == "call":
            self.add_called(op, fed)
            return
        if is_collective(op) and jobs.here().size > 1:  # inside of what is called
            self.begin(Begin(op), fed)
            self.end(End(op), fed)
            return
        inputs = []
        captured = _captured_references(op, fed - self.references) if op.bodies else frozenset()
        for index, tensor in enumerate(op.inputs):
            if takes_variable(op_def.inputs, index):
                inputs.append(self.slot_of(source_of(tensor).outputs[0]))
            elif tensor in captured:
                inputs.append(self.reference_slot(tensor))
            else:
                inputs.append(self.value_slot(tensor, whole, fed))
        attrs = {key: value for key, value in op.attrs.items() if key in op_def.defaults}
        compute = op_def.compute
        if op.bodies:
            plans = [build_body(body, self.kernels, captured) for body in op.bodies]
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
                if isinstance(made, Settled):
                    made.settle(self.kernels.resources, op.name)
                compute = self.kernels.setdefault(op, made)
            attrs = {}
        # Outputs that are fed keep what was fed.
        outputs = [self.new_slot() if t in fed else self.slot_of(t) for t in op.outputs]
        unproven = op_def.checked and not all(map(_is_proven, op.inputs))
        self.steps.append(
            Instruction(op, compute, tuple(inputs), tuple(outputs), attrs, (), None, unproven)
        )

    def begin(self, begin: Begin, fed: frozenset[Tensor]) -> None:
        """Adds what begins a collective."""
        op = begin.op
        inputs = tuple([self.value_slot(tensor, op, fed) for tensor in op.inputs])
        self.begun[op] = self.new_slot()
        self.steps.append(Instruction(op, begin, inputs, (self.begun[op],), {}, ()))

    def end(self, end: End, fed: frozenset[Tensor]) -> None:
        """Adds what ends a collective that has begun."""
        op = end.op
        outputs = [self.new_slot() if t in fed else self.slot_of(t) for t in op.outputs]
        self.steps.append(Instruction(op, end, (self.begun[op],), tuple(outputs), {}, ()))

    def add_locked(self, op: Operation, fed: frozenset[Tensor]) -> None:
        """The ops of a body that runs while a variable is locked, as instructions in its place."""
        (body,) = op.bodies
        first = len(self.steps)
        outside = fed.union(body.captures)
        for inner in self.needed([], body.effects, outside):
            self.add(inner, fed)
        locked = self.slot_of(source_of(op.inputs[0]).outputs[0])
        self.steps[first:] = [step._replace(locked=locked) for step in self.steps[first:]]

    def add_called(self, op: Operation, fed: frozenset[Tensor]) -> None:
        """The ops of a function's body as instructions in the place of the call."""
        (body,) = op.bodies
        for inside, outside in zip(body.inputs, op.inputs, strict=False):
            self.slots[inside] = self.value_slot(outside, op, fed)
        results = [*body.outputs, *body.saved]
        given = fed.union(body.captures, body.inputs)
        for inner in self.needed(results, body.effects, given):
            self.add(inner, given)
        for result, tensor in zip(results, op.outputs, strict=True):
            if tensor not in fed:  # outputs that are fed keep what was fed
                self.slots[tensor] = self.slot_of(result)

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


def _captured_references(op: Operation, given: frozenset[Tensor]) -> frozenset[Tensor]:
    """The variables kept by reference that the bodies of an op use: references that they capture,
    and reads of variables that they write, but for those whose value is `given`.
    """
    captures = {t for body in op.bodies for t in body.captures}
    found = {t for t in captures if t._dtype.is_ref_dtype and is_reference(t)}
    snapshots = {t: source for t in captures if (source := read_from(t, given)) is not None}
    if snapshots:
        writes = effects_of(op).writes
        found.update(t for t, source in snapshots.items() if source in writes)
    return frozenset(found)


def build(
    tensors: Sequence[Tensor],
    operations: Sequence[Operation],
    feeds: Sequence[Tensor],
    kernels: Kernels,
    references: frozenset[Tensor] = frozenset(),
    done: frozenset[Operation] = frozenset(),
) -> Plan:
    """The plan that computes `tensors` and runs `operations` when `feeds` are given.

    For those of the feeds that are in `references` variables are given, not values. For operations
    that are `done` nobody has to wait.

    Raises:
      InvalidArgumentError: if it needs a placeholder that is not fed.
    """
    passes = Passes()
    fed = frozenset(feeds)
    pruning = Pruning(tensors, operations, fed, done)
    passes.done("prune")
    parts = split(pruning.ops(), tensors, fed)
    if parts is None:
        return _made(Plan, passes, pruning, tensors, feeds, kernels, references)
    before = None
    kept = [t for t in parts.kept if t.op not in parts.waiting]
    given = [t for t in parts.kept if t.op in parts.waiting]
    values = [*parts.needed, *kept]
    if values or parts.controls:
        before = build(values, parts.controls, feeds, kernels, references, done)
    done = done.union(parts.before)
    inputs = [*feeds, *parts.needed]
    waits = Pruning(given, parts.waiting, frozenset(inputs), done)
    waiting = _made(WaitingPlan, passes, waits, given, inputs, kernels, references)
    there = [*feeds, *values, *given]
    done = done.union(parts.waiting)
    operations = [op for op in operations if op not in done]
    rest = prune(tensors, operations, frozenset(there), done)
    used = {*tensors, *[t for op in rest for t in op.inputs]}
    chosen = list({t: i for i, t in enumerate(there) if t in used}.values())
    later = [there[i] for i in chosen]
    plan = build(tensors, operations, later, kernels, references, done)
    stage = Stage(before, len(parts.needed), waiting, chosen, kernels.waits, plan.first)
    plan.first = stage.run
    return plan


def _made(
    kind: type[Plan],
    passes: Passes,
    pruning: Pruning,
    tensors: Sequence[Tensor],
    feeds: Sequence[Tensor],
    kernels: Kernels,
    references: frozenset[Tensor],
) -> Plan:
    """The plan of the ops that are needed."""
    fed = frozenset(feeds)
    needed = pruning.ops()
    builder = _Builder(kernels, references)
    builder.parts = pruning.parts()
    fed_slots = [builder.slot_of(t) for t in feeds]
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
    if ordered is not needed:  # something is written
        builder.late = schedule.late_readers(needed, fed)
    passes.done("order")
    for item in arranged(ordered, tensors, fed):
        if isinstance(item, Begin):
            builder.begin(item, fed)
        elif isinstance(item, End):
            builder.end(item, fed)
        else:
            builder.add(item, fed)
    fetches = [fetched.get(t, -1) for t in tensors]
    fetches = [builder.slot_of(t) if s < 0 else s for s, t in zip(fetches, tensors, strict=True)]
    kept = {*fetches, *fed_slots}
    instructions = builder.with_releases(kept)
    passes.done("instructions")
    plan = kind(
        instructions,
        builder.template,
        fed_slots,
        fetches,
        kernels.options,
        builder.bodies,
        passes,
    )
    if kind is Plan:
        plan.native = native_of(plan)
    for tell in observers:
        tell(plan)
    return plan


def build_body(body: Body, kernels: Kernels, references: frozenset[Tensor]) -> Plan:
    """The plan of a control flow body, fed with its inputs and captures.

    It gives the body's outputs, then the values inside that gradients asked for. Those of the
    captures that are among `references` are variables.
    """
    feeds = [*body.inputs, *body.captures]
    mine = references.intersection(body.captures)
    return build([*body.outputs, *body.saved], body.effects, feeds, kernels, mine)
