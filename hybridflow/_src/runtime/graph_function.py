"""Part of a function graph as a callable on eager tensors, through which tapes can
differentiate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dispatch import EagerOp, record
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.registry import late, raw
from hybridflow._src.ops.control_flow.bodies import differentiable
from hybridflow._src.plan import schedule
from hybridflow._src.plan.plan import Plan, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.plan.plan import Kernels
    from hybridflow._src.runtime.func_graph import FuncGraph


class GraphFunction:
    """Computes `outputs` of a graph from values for `inputs`, and runs `effects`.

    While one tape records, the values that its gradient needs are kept; while several do, all
    values are, since the gradient of a gradient may need any of them.
    """

    def __init__(
        self,
        graph: FuncGraph,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        effects: Sequence[Operation],
        kernels: Kernels,
    ) -> None:
        self.graph = graph
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.effects = list(effects)
        self.kernels = kernels
        self._plans: dict[tuple[Tensor, ...], Plan] = {}
        self._gradients: dict[tuple[Tensor, ...], _Gradient] = {}
        self._kept_for: dict[bool, tuple[Tensor, ...]] = {}

    def run(self, values: Sequence[Any], extra: tuple[Tensor, ...] = ()) -> list[Any]:
        """The arrays of the outputs, and of `extra` tensors of the graph."""
        plan = self._plans.get(extra)
        if plan is None:
            plan = build([*self.outputs, *extra], self.effects, self.inputs, self.kernels)
            self._plans[extra] = plan
        return plan.run(values)

    def plans(self) -> list[Plan]:
        """The plans made so far."""
        return list(self._plans.values())

    def quick(self, values: Sequence[Any]) -> list[Any] | None:
        """`run` without `extra`, by the native program that ran last, if it can take these values.

        Of the inputs these are the first ones; the others are as they were.
        """
        plan = self._plans.get(())
        native = None if plan is None else plan.native
        program = None if native is None else native.latest
        return None if program is None else program.quick(values)

    def __call__(self, inputs: Sequence[EagerTensor]) -> list[EagerTensor]:
        """The outputs as eager tensors, recorded on the tapes of this thread."""
        tapes = context.tapes.top
        arrays = [t._a for t in inputs]
        if not tapes or not any(tape.tracks(inputs) for tape in tapes):
            return self._wrap(self.run(arrays), self.outputs)
        kept = self._kept(len(tapes) > 1)
        results = self._wrap(self.run(arrays, kept), [*self.outputs, *kept])
        record(EagerOp(_call, tuple(inputs), results, {"function": self, "kept": kept}))
        return results[: len(self.outputs)]

    @staticmethod
    def _wrap(values: list[Any], tensors: Sequence[Tensor]) -> list[EagerTensor]:
        return [wrap(v, t.dtype.base_dtype) for v, t in zip(values, tensors, strict=True)]

    def _kept(self, everything: bool) -> tuple[Tensor, ...]:
        """What a recorded call keeps beside inputs and outputs: the same for every such call."""
        kept = self._kept_for.get(everything)
        if kept is None:
            gradient = self.gradient_for(self._targets(()))
            found = self._everything() if everything else gradient.needed
            known = {*self.inputs, *self.outputs}
            kept = self._kept_for[everything] = tuple(t for t in found if t not in known)
        return kept

    def _everything(self) -> tuple[Tensor, ...]:
        """All tensors computed on the way, outside control flow bodies."""
        fed = frozenset(self.inputs)
        ops = schedule.prune(self.outputs, self.effects, fed)
        return tuple(
            t
            for op in ops
            for t in op.outputs
            if t not in fed and op.type != "Const" and t.dtype is not dtypes.resource
        )

    def _targets(self, kept: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(t for t in (*self.outputs, *kept) if differentiable(t))

    def gradient_for(self, targets: tuple[Tensor, ...]) -> _Gradient:
        """The gradient of `targets` with respect to the inputs."""
        gradient = self._gradients.get(targets)
        if gradient is None:
            gradient = self._gradients[targets] = _Gradient(self, targets)
        return gradient


class _Gradient:
    """The gradient of some tensors of a `GraphFunction` with respect to its inputs.

    Attributes:
      needed: the tensors of the function that it uses.
      sources: the inputs that it gives a gradient for.
      function: computes the gradients from those of the targets and the needed tensors.
    """

    def __init__(self, forward: GraphFunction, targets: tuple[Tensor, ...]) -> None:
        graph = forward.graph
        first = graph.version
        graph.tracing = False
        candidates = [t for t in forward.inputs if differentiable(t)]
        with graph.as_default():
            seeds = [
                raw.Placeholder(dtype=t.dtype.base_dtype, shape=t.shape, name="gradient")
                for t in targets
            ]
            grads = late.gradients(list(targets), candidates, seeds, stop_gradients=forward.inputs)
            grads = [convert_to_tensor(g) if isinstance(g, IndexedSlices) else g for g in grads]
        pairs = [(t, g) for t, g in zip(candidates, grads, strict=True) if g is not None]
        self.sources = [t for t, _ in pairs]
        outputs = [g for _, g in pairs]
        needed: dict[Tensor, None] = {}
        for op in schedule.prune(outputs, (), frozenset(forward.inputs)):
            if op._id > first:
                needed.update((t, None) for t in op.inputs if _is_forward(t, first))
        needed.update((g, None) for g in outputs if _is_forward(g, first))
        self.needed = tuple(needed)
        self.function = GraphFunction(graph, [*seeds, *self.needed], outputs, (), forward.kernels)


def _is_forward(tensor: Tensor, first: int) -> bool:
    """Tells whether a tensor was there before the gradient was built, and has to be passed to
    it.
    """
    return tensor.op._id <= first and tensor.op.type != "Const"


def _call_gradient(op: EagerOp, *dys: Any) -> list[Any]:
    function: GraphFunction = op.attrs["function"]
    kept = op.attrs["kept"]
    by_target = dict(zip((*function.outputs, *kept), dys, strict=True))
    by_tensor = dict(zip((*function.outputs, *kept), op.outputs, strict=True))
    by_tensor.update(zip(function.inputs, op.inputs, strict=True))  # type: ignore[arg-type]
    targets = tuple(t for t in function._targets(kept) if by_target[t] is not None)
    if not set(targets) - set(function.outputs):
        targets = function._targets(())
    gradient = function.gradient_for(targets)
    missing = tuple(t for t in gradient.needed if t not in by_tensor)
    if missing:
        # Values inside loops and branches that only a higher derivative asks for.
        arrays = function.run([t._a for t in op.inputs], missing)[len(function.outputs) :]  # type: ignore[attr-defined]
        by_tensor.update(zip(missing, function._wrap(arrays, missing), strict=True))
    seeds = [
        raw.ZerosLike(by_tensor[t]) if by_target[t] is None else convert_to_tensor(by_target[t])
        for t in targets
    ]
    values: list[Any] = [*seeds, *[by_tensor[t] for t in gradient.needed]]
    grads = gradient.function(values)
    by_source = dict(zip(gradient.sources, grads, strict=True))
    return [by_source.get(t) for t in function.inputs]


_call = OpDef(
    "PartitionedCall",
    "inputs: ... -> outputs: N*Tout",
    attrs={"function": None, "kept": ()},
    shape=lambda attrs, *_: [],
    compute=lambda *inputs, function, kept: function.run(inputs, kept),
    grad=_call_gradient,
    stateful=True,
)
