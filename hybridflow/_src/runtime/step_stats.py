"""What one run did, as TensorFlow's `StepStats` tells it."""

from __future__ import annotations

from typing import Any, ClassVar

from hybridflow._src.runtime.message import Message, Repeated


class NodeExecStats(Message):
    """One stretch of work; times are in microseconds.

    A kernel may do the work of several ops: `node_name` is the last of them, and `timeline_label`
    names the kernel and all of them.
    """

    _fields: ClassVar[dict[str, Any]] = {
        "node_name": "",
        "all_start_micros": 0,
        "op_start_rel_micros": 0,
        "op_end_rel_micros": 0,
        "all_end_rel_micros": 0,
        "memory": list,
        "output": list,
        "timeline_label": "",
        "scheduled_micros": 0,
        "thread_id": 0,
        "referenced_tensor": list,
    }


class DeviceStepStats(Message):
    """What was done on one device."""

    _fields: ClassVar[dict[str, Any]] = {"device": "", "node_stats": Repeated.of(NodeExecStats)}


class StepStats(Message):
    """What was done in one run, by device."""

    _fields: ClassVar[dict[str, Any]] = {"dev_stats": Repeated.of(DeviceStepStats)}
