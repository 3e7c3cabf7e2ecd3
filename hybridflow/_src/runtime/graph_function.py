"""Part of a function graph as a callable on eager tensors, through which tapes can
differentiate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.backprop import Gradients, is_trainable
from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dispatch import EagerOp, record
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.late import late
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.control_flow.bodies import differentiable
from hybridflow._src.plan.plan import Plan
from hybridflow._src.plan.planning import build
from hybridflow._src.plan.pruning import prune

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.plan.planning import Kernels
    from hybridflow._src.runtime.func_graph import FuncGraph


class GraphFunction:
    """Computes `outputs` of a graph from values for `inputs`, and runs `effects`.

    A call that a tape records keeps the values that its gradient needs, and where a gradient of
    that gradient may be asked for, those that it needs too: so nothing ever runs a second time.
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
        """`Plan.quick` without `extra`."""
        plan = self._plans.get(())
        return None if plan is None else plan.quick(values)

    def __call__(self, inputs: Sequence[EagerTensor]) -> list[EagerTensor]:
        """The outputs as eager tensors, recorded on the tapes of this thread."""
        tapes = context.tapes.top
        arrays = [t._a for t in inputs]
        if not tapes or not any(tape.tracks(inputs) for tape in tapes):
            return self._wrap(self.run(arrays), self.outputs)
        kept = self._kept(len(tapes) > 1 or any(tape.persistent for tape in tapes))
        results = self._wrap(self.run(arrays, kept), [*self.outputs, *kept])
        record(EagerOp(_call, tuple(inputs), results, {"function": self, "kept": kept}))
        return results[: len(self.outputs)]

    @staticmethod
    def _wrap(values: list[Any], tensors: Sequence[Tensor]) -> list[EagerTensor]:
        return [wrap(v, t.dtype.base_dtype) for v, t in zip(values, tensors, strict=True)]

    def _kept(self, higher: bool) -> tuple[Tensor, ...]:
        """What a recorded call keeps beside inputs and outputs: the same for every such call."""
        kept = self._kept_for.get(higher)
        if kept is None:
            known = {*self.inputs, *self.outputs}
            found = dict.fromkeys(t for t in self._needed((), higher) if t not in known)
            # A gradient of kept values needs further ones: the graph is finite, so this ends.
            while higher and (
                more := [
                    t for t in self._needed(tuple(found), higher) if t not in known | found.keys()
                ]
            ):
                found.update(dict.fromkeys(more))
            kept = self._kept_for[higher] = tuple(found)
        return kept

    def _needed(self, kept: tuple[Tensor, ...], higher: bool) -> list[Tensor]:
        """What gradients of the outputs and of `kept`, or of some of these, use of the function."""
        targets = self._targets(kept)
        needed = list(self.gradient_for(targets).needed)
        if len(targets) > 1:
            # Where a gradient reaches some of an op's outputs, zeros stand for those of the others.
            for op in prune(self.outputs, self.effects, frozenset(self.inputs)):
                if len(op.outputs) > 1:
                    needed += [t for t in op.outputs if is_trainable(t)]
        return needed

    def _targets(self, kept: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(dict.fromkeys(t for t in (*self.outputs, *kept) if differentiable(t)))

    def gradient_for(self, targets: tuple[Tensor, ...]) -> _Gradient:
        """The gradient of `targets` with respect to the inputs."""
        gradient = self._gradients.get(targets)
        if gradient is None:
            gradient = holding(self.graph.building, _Gradient, self, targets)
            self._gradients[targets] = gradient
        return gradient


class _Gradient:
    """The gradient of some tensors of a `GraphFunction` with respect to its inputs.

    Attributes:
      needed: the tensors of the function that it uses.
      captured: eager tensors that it alone uses.
      sources: the inputs that it gives a gradient for.
      function: computes the gradients from those of the targets and the needed tensors.
    """

    def __init__(self, forward: GraphFunction, targets: tuple[Tensor, ...]) -> None:
        graph = forward.graph
        graph.begin()
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
        first, effects = graph.first, graph.effects
        needed: dict[Tensor, None] = {}
        captures = {inside.op: outside for outside, inside in graph.captures.items()}
        captured: dict[Tensor, EagerTensor] = {}
        for op in prune(outputs, effects, frozenset(forward.inputs)):
            if op in captures:
                captured[op.outputs[0]] = captures[op]
            if op._id > first:
                needed.update((t, None) for t in op.inputs if _is_forward(t, first))
        needed.update((g, None) for g in outputs if _is_forward(g, first))
        self.needed = tuple(t for t in needed if t not in captured)
        self.captured = list(captured.values())
        inputs = [*seeds, *self.needed, *captured]
        self.function = GraphFunction(graph, inputs, outputs, effects, forward.kernels)


def _is_forward(tensor: Tensor, first: int) -> bool:
    """Tells whether a tensor was there before the gradient was built, and has to be passed to
    it.
    """
    return tensor.op._id <= first and tensor.op.type != "Const"


def _call_gradient(op: EagerOp, *dys: Any) -> list[Any]:
    function: GraphFunction = op.attrs["function"]
    kept = op.attrs["kept"]
    seeds = Gradients()
    values: dict[Tensor, Any] = {}
    for tensor, value, dy in zip((*function.outputs, *kept), op.outputs, dys, strict=True):
        values[tensor] = value
        if dy is not None:
            seeds.add(tensor, dy)
    values.update(zip(function.inputs, op.inputs, strict=True))
    # An output that nothing used has no gradient: zeros would not do, since 0 * inf is NaN.
    targets = tuple(t for t in function._targets(kept) if seeds.of(t) is not None)
    gradient = function.gradient_for(targets)
    if not values.keys() >= set(gradient.needed):
        # A loop inside would have had to save a value for the sake of its shape.
        targets = function._targets(kept if set(targets) - set(function.outputs) else ())
        gradient = function.gradient_for(targets)
    given: list[Any] = [
        raw.ZerosLike(values[t]) if (dy := seeds.of(t)) is None else convert_to_tensor(dy)
        for t in targets
    ]
    kept_values = [values[t] for t in gradient.needed]
    grads = gradient.function([*given, *kept_values, *gradient.captured])
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
