"""The ops of queues; what they do is in `queue_state`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.dtypes import int64
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.framework.waiting import Waiting
from hybridflow._src.ops.data_flow import queue_state
from hybridflow._src.ops.data_flow.handles import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.ops.data_flow.queue_state import Queue


def _maker(kind: type[Queue]) -> Callable[..., Queue]:
    def make(name: str, component_types: Any, shapes: Any, capacity: int, **rest: Any) -> Queue:
        dims = [as_shape(shape)._dims for shape in shapes]
        return kind(name, component_types, dims, int(capacity), **rest)

    return make


_ATTRS = {"component_types": REQUIRED, "shapes": (), "capacity": -1}

fifo_queue = named("queue", "FIFOQueueV2", _maker(queue_state.Queue), _ATTRS)
padding_queue = named("queue", "PaddingFIFOQueueV2", _maker(queue_state.PaddingQueue), _ATTRS)


def _priority(name: str, component_types: Any, shapes: Any, capacity: int) -> Queue:
    """The priority comes before the components that the attributes name."""
    make = _maker(queue_state.PriorityQueue)
    return make(name, [int64, *component_types], [(), *shapes] if shapes else (), capacity)


priority_queue = named("queue", "PriorityQueueV2", _priority, {**_ATTRS, "component_types": ()})

random_shuffle_queue = named(
    "queue",
    "RandomShuffleQueueV2",
    _maker(queue_state.RandomShuffleQueue),
    {**_ATTRS, "min_after_dequeue": 0, "seed": 0, "seed2": 0},
)


def _op(
    name: str,
    inputs: str,
    outputs: str,
    begin: Callable[..., Any],
    attrs: dict[str, Any] | None = None,
) -> OpDef:
    """The record of an op that may wait."""
    return OpDef(
        name,
        f"handle: resource{inputs} -> {outputs}",
        attrs=attrs or {},
        shape=lambda attrs, *_: [None] * len(attrs.get("component_types", ())),
        compute=Waiting(begin),
        grad=not_differentiable,
        stateful=True,
    )


_COMPONENTS = "components: N*component_types"

enqueue = _op(
    "QueueEnqueueV2",
    ", components: ...",
    "",
    lambda queue, *components, timeout_ms: queue.enqueue(*components),
    {"timeout_ms": -1},
)
enqueue_many = _op(
    "QueueEnqueueManyV2",
    ", components: ...",
    "",
    lambda queue, *components, timeout_ms: queue.enqueue_many(*components),
    {"timeout_ms": -1},
)
dequeue = _op(
    "QueueDequeueV2",
    "",
    _COMPONENTS,
    lambda queue, component_types, timeout_ms: queue.dequeue(),
    {"component_types": REQUIRED, "timeout_ms": -1},
)
dequeue_many = _op(
    "QueueDequeueManyV2",
    ", n: int32",
    _COMPONENTS,
    lambda queue, n, component_types, timeout_ms: queue.dequeue_many(n),
    {"component_types": REQUIRED, "timeout_ms": -1},
)
dequeue_up_to = _op(
    "QueueDequeueUpToV2",
    ", n: int32",
    _COMPONENTS,
    lambda queue, n, component_types, timeout_ms: queue.dequeue_many(n, up_to=True),
    {"component_types": REQUIRED, "timeout_ms": -1},
)
close = _op(
    "QueueCloseV2",
    "",
    "",
    lambda queue, cancel_pending_enqueues: queue.close(cancel_pending_enqueues),
    {"cancel_pending_enqueues": False},
)


def _asked(name: str, output: str, ask: Callable[[Queue], Any]) -> OpDef:
    """The record of an op that tells something of a queue."""
    return OpDef(
        name,
        f"handle: resource -> {output}",
        shape=lambda attrs, handle: (),
        compute=ask,
        grad=not_differentiable,
        stateful=True,
    )


size = _asked("QueueSizeV2", "size: int32", lambda queue: np.asarray(queue.size(), np.int32))
is_closed = _asked("QueueIsClosedV2", "is_closed: bool", lambda queue: np.asarray(queue.is_closed))
