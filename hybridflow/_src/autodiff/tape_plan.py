"""Gradients of tapes as plans: what is recorded again and again is differentiated once.

A plan depends on which ops were recorded, how their inputs and outputs hang together, their
attributes, shapes and dtypes, and the values of small tensors of integers (axes, sizes): its key.
When a key comes often the gradient is built in a graph, whose inputs are the recorded tensors, and
run as one native call from then on.

A gradient function is asked once and for all where that is enough. Ops with bodies, functions of
users and ops with state take the ordinary way each time, and so does a gradient that is recorded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.autodiff.recorded import Recorded
from hybridflow._src.framework.convert import constant_of
from hybridflow._src.framework.dispatch import EagerOp
from hybridflow._src.framework.dtypes import DType, resource
from hybridflow._src.framework.eager_tensor import wrap
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.plan import schedule
from hybridflow._src.plan.planning import Kernels, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.eager_tensor import EagerTensor
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.tensor import Tensor

# A plan is made when its key has come so often before; planning costs about ten gradients.
_OFTEN = 3
# So many keys are known, and no plan is made for more ops than this.
_MOST_KEYS = 256
_MOST_OPS = 2000
# Integers up to this many are part of a key with their values, unless they are data.
_SMALL = 16
_PLAIN = frozenset((bool, bytes, complex, int, str))
_DATA = frozenset(("indices", "labels", "partitions", "segment_ids", "seq_lengths"))

# By key: how often it has come, or its plan, or None if no plan can be made.
_plans: dict[Any, int | _TapePlan | None] = {}
_making = new_lock()


def planned_gradient(recorded: Recorded) -> list[Any] | None:
    """For each source a tensor, `IndexedSlices` or None; or None if there is no plan (yet)."""
    if len(recorded.ops) > _MOST_OPS:
        return None
    numbers: dict[Any, int] = {}
    key = _key_of(recorded, numbers)
    if key is None:
        return None
    known = _plans.get(key, 0)
    if known.__class__ is int:
        known = holding(_making, _another, key, recorded, numbers)
    return None if known is None else known.run(list(numbers))  # type: ignore[union-attr]


def _another(key: Any, recorded: Recorded, numbers: dict[Any, int]) -> _TapePlan | None:
    """Counts a key that has no plan; the plan, if it has come often."""
    known = _plans.get(key, 0)
    if not isinstance(known, int):
        return known
    if known < _OFTEN:
        if len(_plans) >= _MOST_KEYS:
            # Those that came seldom go first.
            seldom = [other for other, count in _plans.items() if count.__class__ is int]
            for other in seldom or list(_plans)[: _MOST_KEYS // 2]:
                del _plans[other]
        _plans[key] = known + 1
        return None
    try:
        plan = _TapePlan(recorded, list(numbers))
    except Exception:  # The ordinary way shows what is wrong.
        plan = None
    _plans[key] = plan
    return plan


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
                add(_described(tensor, op_def, index))
            add(number)
        for tensor in op.outputs:
            numbers[tensor] = len(numbers)
            add(tensor._a.shape)
            add(tensor._dtype.as_datatype_enum)
        if op.attrs:
            add(_plain(op.attrs))
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
    if _is_static(array, op_def, index):
        return enum, array.shape, array.tobytes()
    return enum, array.shape


def _is_static(array: np.ndarray, op_def: OpDef | None, index: int) -> bool:
    """Whether the values of an op's input are part of its meaning: axes and sizes, not data."""
    if op_def is None or array.size > _SMALL or array.dtype.kind != "i":
        return False
    return op_def.inputs[min(index, len(op_def.inputs) - 1)].name not in _DATA


def _plain(value: Any) -> Any:
    """The value of an attribute as part of a key."""
    kind = value.__class__
    if kind is dict:
        return tuple([_plain(item) for item in value.values()])
    if kind is list or kind is tuple:
        return tuple([_plain(item) for item in value])
    if kind is float:
        return value, math.copysign(1.0, value)
    if kind is DType:
        return value.as_datatype_enum
    if kind is TensorShape:
        return value._dims
    # What is not known is like nothing else.
    return value if value is None or kind in _PLAIN else object()


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
        inputs = frozenset(t for t in inside.values() if t.op.type == "Placeholder")
        used = set(fetches)
        used.update(t for op in schedule.prune(fetches, (), inputs) for t in op.inputs)
        feeds = {n: t for n, t in enumerate(map(inside.get, tensors)) if t in inputs & used}
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
            if _is_static(array, op.record, index):
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
