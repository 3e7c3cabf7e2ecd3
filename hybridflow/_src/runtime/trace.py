"""What one run did and when: TensorFlow's `StepStats`, and traces for chrome://tracing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hybridflow._src.plan.profile import profile
from hybridflow._src.runtime.step_stats import DeviceStepStats, NodeExecStats, StepStats
from hybridflow._src.runtime.step_view import BEGIN, WAIT, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.profile import Profile

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


def traced(plan: Plan, feeds: Sequence[Any]) -> tuple[list[Any], StepStats]:
    """Runs a plan, and gives the fetched values and what it did."""
    results, found = profile(plan, plan.ready(feeds))
    return results, step_stats(found)


def step_stats(found: Profile) -> StepStats:
    """A profile in TensorFlow's form."""
    steps = steps_of(found.plan, found.program)
    threads: dict[str, int] = {}
    nodes = []
    for timing in sorted(found.timings, key=lambda t: t.start):
        step = steps[timing.step]
        start = 1e6 * (found.at + timing.start - found.start)
        micros = 1e6 * timing.seconds
        nodes.append(
            NodeExecStats(
                node_name=step.ops[-1] if step.ops else step.what,
                all_start_micros=round(start),
                op_end_rel_micros=round(micros, 3),
                all_end_rel_micros=round(micros, 3),
                scheduled_micros=round(1e6 * found.at),
                timeline_label=f"{', '.join(step.ops)} = {step.what}",
                thread_id=threads.setdefault(timing.thread, len(threads)),
            )
        )
    nodes += list(_in_flight(nodes, len(threads)))
    return StepStats(dev_stats=[DeviceStepStats(device=_DEVICE, node_stats=nodes)])


def _in_flight(nodes: Sequence[Any], lane: int) -> Iterator[Any]:
    """Transfers between ranks, from where they begin to where they have been waited for: what runs
    meanwhile costs no time of its own.

    Args:
      lane: the number of a thread that is shown for them.
    """
    begun: dict[str, Any] = {}
    for node in nodes:
        kind, _, what = node.timeline_label.rpartition(" = ")[2].partition(": ")
        if kind == BEGIN:
            begun[node.node_name] = node
        elif kind == WAIT and node.node_name in begun:
            first = begun.pop(node.node_name)
            micros = node.all_start_micros + node.all_end_rel_micros - first.all_start_micros
            yield NodeExecStats(
                node_name=node.node_name,
                all_start_micros=first.all_start_micros,
                op_end_rel_micros=round(micros, 3),
                all_end_rel_micros=round(micros, 3),
                scheduled_micros=first.scheduled_micros,
                timeline_label=f"{node.node_name} = in flight: {what}",
                thread_id=lane,
            )


class Timeline:
    """Writes the trace of a run, as `tensorflow.python.client.timeline.Timeline` does.

    Args:
      step_stats: `RunMetadata.step_stats` of a run with `RunOptions(trace_level=FULL_TRACE)`.
      graph: accepted for compatibility.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     options = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
    ...     metadata = hf.RunMetadata()
    ...     _ = session.run(hf.constant(1.0) + 2.0, options=options, run_metadata=metadata)
    >>> Timeline(metadata.step_stats).generate_chrome_trace_format()[:16]
    '{"traceEvents": '
    """

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        self._step_stats = step_stats

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False
    ) -> str:
        """JSON text in the Trace Event Format, which chrome://tracing and Perfetto show.

        Args:
          show_dataflow, show_memory: accepted for compatibility.

        References: the Trace Event Format of the Catapult project: a complete event is
        `{"ph": "X", "name", "cat", "ts", "dur", "pid", "tid", "args"}` with times in microseconds.
        """
        events: list[dict[str, Any]] = []
        for number, device in enumerate(self._step_stats.dev_stats):
            events.append(_named("process_name", number, 0, device.device))
            for thread in sorted({node.thread_id for node in device.node_stats}):
                events.append(_named("thread_name", number, thread, f"thread {thread}"))
            for node in device.node_stats:
                ops, _, what = node.timeline_label.rpartition(" = ")
                events.append(
                    {
                        "ph": "X",
                        "name": node.node_name,
                        "cat": "Op",
                        "ts": node.all_start_micros,
                        "dur": node.all_end_rel_micros,
                        "pid": number,
                        "tid": node.thread_id,
                        "args": {"ops": ops.split(", ") if ops else [], "kernel": what},
                    }
                )
        return json.dumps({"traceEvents": events})


def _named(what: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}
