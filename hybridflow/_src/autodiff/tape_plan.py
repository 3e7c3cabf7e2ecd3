"""Gradients of tapes as plans: what is recorded again and again is differentiated once.

A plan depends on which ops were recorded, how their inputs and outputs hang together, and on what
`plan.frequent` says: its key. When a key comes often the gradient is built in a graph, whose inputs
are the recorded tensors, and run as one native call from then on.

A gradient function is asked once and for all where that is enough. Ops with bodies, functions of
users and ops with state take the ordinary way each time, and so does a gradient that is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.autodiff.recorded import Recorded
from hybridflow._src.framework.convert import constant_of
from hybridflow._src.framework.dispatch import EagerOp
from hybridflow._src.framework.dtypes import resource
from hybridflow._src.framework.eager_tensor import wrap
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.kernels.jobs import is_deterministic
from hybridflow._src.plan.frequent import Frequent, is_static, plain
from hybridflow._src.plan.planning import Kernels, build
from hybridflow._src.plan.pruning import Pruning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.eager_tensor import EagerTensor
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.tensor import Tensor

# Planning costs about ten gradients.
_OFTEN = 3
_MOST_KEYS = 256
# No plan is made for more ops than this.
_MOST_OPS = 2000

_plans: Frequent[_TapePlan] = Frequent(_OFTEN, _MOST_KEYS)


def planned_gradient(recorded: Recorded) -> list[Any] | None:
    """For each source a tensor, `IndexedSlices` or None; or None if there is no plan (yet)."""
    if len(recorded.ops) > _MOST_OPS or is_deterministic():
        return None
    numbers: dict[Any, int] = {}
    key = _key_of(recorded, numbers)
    if key is None:
        return None
    plan = _plans.get(key, lambda: _TapePlan(recorded, list(numbers)))
    return None if plan is None else plan.run(list(numbers))


# -- keys ------------------------------------------------------------------------------------------


def _key_of(recorded: Recorded, numbers: dict[Any, int]) -> tuple[Any, ...] | None:
    """What a plan depends on; numbers all tensors in order of appearance.

    None where a gradient may depend on more: on bodies, functions of users or a state.
    """
    parts: list[Any] = []
    add = parts.append
    get = numbers.get
    for op in recorded.ops:
        op_def = op.record
        if op_def.stateful and op_def.effect != "read":
            return None
        add(op_def)
        for index, tensor in enumerate(op.inputs):
            number = get(tensor)
            if number is None:
                number = numbers[tensor] = len(numbers)
                if tensor._dtype.is_floating:
                    add(tensor._a.shape)  # type: ignore[attr-defined]
                    add(tensor._dtype.as_datatype_enum)
                else:
                    add(_described(tensor, op_def, index))
            add(number)
        for tensor in op.outputs:
            numbers[tensor] = len(numbers)
            add(tensor._a.shape)
            add(tensor._dtype.as_datatype_enum)
        if op.attrs:
            add(plain(op.attrs))
    for tensor, seed in zip(recorded.targets, recorded.seeds, strict=True):
        if tensor not in recorded.tracked:
            add(None)
            continue
        for other in (tensor, seed):
            if other is not None and other not in numbers:
                numbers[other] = len(numbers)
                add(_described(other, None, 0))
            add(get(other))
    for tensor in recorded.sources:
        add(get(tensor) if tensor in recorded.tracked else None)
    return tuple(parts)


def _described(tensor: Any, op_def: OpDef | None, index: int) -> tuple[Any, ...]:
    """What of a tensor from outside a plan depends on."""
    array = tensor._a
    enum = tensor._dtype.as_datatype_enum
    if array.__class__ is not np.ndarray:
        return enum, np.shape(array.value)
    if op_def is not None and is_static(array, op_def, index):
        return enum, array.shape, array.tobytes()
    return enum, array.shape


# -- plans -----------------------------------------------------------------------------------------


class _TapePlan:
    """The gradient of what a tape recorded, as a plan fed with the tensors that it uses."""

    def __init__(self, recorded: Recorded, tensors: Sequence[EagerTensor]) -> None:
        graph = Graph()
        with graph.as_default():
            inside = _inside(graph, recorded.ops, tensors)
            grads = _built(recorded, inside)
        # Of each source, what is fetched: nothing, its gradient, or the parts of `IndexedSlices`.
        self._parts = [_parts(grad) for grad in grads]
        fetches = [part for parts in self._parts for part in parts]
        # Where each has a gradient that is a tensor, the dtypes: the usual case.
        usual = all(len(parts) == 1 for parts in self._parts)
        self._dtypes = [part._dtype for part in fetches] if usual else None
        inputs = frozenset(t for t in inside.values() if t.op.type == "Placeholder")
        used = Pruning(fetches, (), inputs).used
        feeds = {n: t for n, t in enumerate(map(inside.get, tensors)) if t in used}
        self._feeds = list(feeds)
        self._has_variables = any(t._dtype is resource for t in feeds.values())
        self._plan = build(fetches, (), list(feeds.values()), Kernels())

    def run(self, tensors: Sequence[Any]) -> list[Any] | None:
        """The gradients for the recorded tensors, or None where the plan fails."""
        arrays = [tensors[number]._a for number in self._feeds]
        values = None if self._has_variables else self._plan.quick(arrays)
        if values is None:
            try:
                values = self._plan.run(arrays)
            except OpError:  # The ordinary way shows what is wrong.
                return None
        if self._dtypes is not None:
            return [wrap(v, dtype) for v, dtype in zip(values, self._dtypes, strict=True)]
        arrived = iter(values)
        return [_given([wrap(next(arrived), t._dtype) for t in parts]) for parts in self._parts]


def _inside(
    graph: Graph, ops: Sequence[EagerOp], tensors: Sequence[EagerTensor]
) -> dict[Tensor, Tensor]:
    """What stands in the graph for each recorded tensor: an input, or a constant for axes."""
    inside: dict[Tensor, Tensor] = {}
    for op in ops:
        for index, tensor in enumerate(op.inputs):
            array = tensor._a  # type: ignore[attr-defined]
            if tensor in inside or array.__class__ is not np.ndarray:
                continue
            if is_static(array, op.record, index):
                inside[tensor] = constant_of(graph, array, tensor._dtype, "Const")
        inside.update((t, add_input(graph, t, t._dims, "value")) for t in op.outputs)
    for tensor in tensors:
        if tensor not in inside:
            inside[tensor] = add_input(graph, tensor, tensor._dims, "value")
    return inside


def _built(recorded: Recorded, inside: dict[Any, Any]) -> list[Any]:
    """The gradients for the sources, built in the graph."""
    ops = []
    of_use = [t for t in recorded.sources if t in inside]
    for op in recorded.ops:
        outputs: Any = [inside[t] for t in op.outputs]
        ops.append(EagerOp(op.record, tuple([inside[t] for t in op.inputs]), outputs, op.attrs))
        of_use += op.outputs
    wanted = {inside[t] for t in of_use if t in recorded.tracked}

    def those(tensors: Sequence[Any]) -> list[Any]:
        return [inside.get(tensor, tensor) for tensor in tensors]

    targets, seeds, sources = map(those, (recorded.targets, recorded.seeds, recorded.sources))
    return Recorded(ops, wanted, targets, seeds, sources).gradient()


def _parts(grad: Any) -> list[Tensor]:
    """The tensors that a gradient consists of."""
    if isinstance(grad, IndexedSlices):
        return [
            grad.values,
            grad.indices,
            *([] if grad.dense_shape is None else [grad.dense_shape]),
        ]
    return [] if grad is None else [grad]


def _given(parts: list[EagerTensor]) -> Any:
    """The gradient that consists of these tensors."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else IndexedSlices(*parts)
