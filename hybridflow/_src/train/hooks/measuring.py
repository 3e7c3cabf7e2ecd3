"""Hooks that measure: steps a second, and what each step of a run takes."""

from __future__ import annotations

import os
from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.whole import write_whole
from hybridflow._src.platform import tf_logging
from hybridflow._src.platform.system_errors import translated
from hybridflow._src.runtime.config import RunOptions
from hybridflow._src.summary.writer import FileWriterCache
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from hybridflow._src.train.hooks.timers import SecondOrStepTimer
from hybridflow._src.train.training_util import get_global_step, global_step_read

__all__ = ["ProfilerHook", "StepCounterHook"]

# So many runs in a row that do not count make a warning.
_STILL = 20
_NOT_COUNTED = (
    "It seems that global step (tf.train.get_global_step) has not been increased. Current value "
    "(could be stable): %s vs previous value: %s. You could increase the global step by passing "
    "tf.train.get_global_step() to Optimizer.apply_gradients or Optimizer.minimize."
)


class StepCounterHook(SessionRunHook):
    """Logs how many steps a second there are, and writes it as a summary "global_step/sec".

    Args:
      every_n_steps: after so many steps.
      every_n_secs: after so many seconds, instead.
      output_dir: the folder, where no writer is given.
      summary_writer: a `FileWriter`.

    Raises:
      ValueError: unless exactly one of steps and seconds is given.

    >>> import hybridflow as hf
    >>> hf.train.StepCounterHook(every_n_secs=10)
    Traceback (most recent call last):
    ValueError: exactly one of every_n_steps and every_n_secs should be provided.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
    ) -> None:
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_secs=every_n_secs, every_steps=every_n_steps)
        self._writer = summary_writer
        self._folder = output_dir
        self._before: int | None = None
        self._still = 0

    def begin(self) -> None:
        if self._writer is None and self._folder:
            self._writer = FileWriterCache.get(self._folder)
        self._step = global_step_read("StepCounterHook")
        self._tag = f"{get_global_step().op.name}/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        # What was read is the value before the run, which may have counted or not.
        read = int(run_values.results)
        if self._timer.should_trigger_for_step(read + 1):
            step = int(run_context.session.run(self._step))
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None and steps is not None:
                    self._tell(steps / seconds if seconds else float("inf"), step)
        self._still = self._still + 1 if read == self._before else 0
        if self._still == _STILL:
            self._still = 0
            tf_logging.warning(_NOT_COUNTED, read, self._before)
        self._before = read

    def _tell(self, rate: float, step: int) -> None:
        if self._writer is not None:
            value = messages.Summary.Value(tag=self._tag, simple_value=rate)
            self._writer.add_summary(messages.Summary(value=[value]), step)
        tf_logging.info("%s: %g", self._tag, rate)


class ProfilerHook(SessionRunHook):
    """Writes what each step of a run takes, for chrome://tracing and Perfetto: timeline-STEP.json.

    Args:
      save_steps: after so many steps.
      save_secs: after so many seconds, instead.
      output_dir: the folder.
      show_dataflow, show_memory: accepted for compatibility.

    Raises:
      ValueError: unless exactly one of steps and seconds is given.

    >>> import hybridflow as hf
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     count = hf.assign_add(hf.train.get_or_create_global_step(), 1)
    ...     hook = hf.train.ProfilerHook(save_steps=2, output_dir=folder)
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         for _ in range(4):
    ...             _ = session.run(count)
    ...     print(sorted(os.listdir(folder)))
    ['timeline-1.json', 'timeline-3.json']
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: Any = "",
        show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:
        self._folder = os.fspath(output_dir)
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self) -> None:
        self._step = global_step_read("ProfilerHook")
        self._next_step: int | None = None

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        self._due = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        options = RunOptions(trace_level=RunOptions.FULL_TRACE) if self._due else None
        return SessionRunArgs(self._step, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        step = int(run_values.results) + 1
        if self._due:
            step = int(run_context.session.run(self._step))
            self._timer.update_last_triggered_step(step)
            text = run_values.run_metadata.chrome_trace()
            path = os.path.join(self._folder, f"timeline-{step}.json")
            tf_logging.info("Saving timeline for %d into '%s'.", step, path)
            with translated(path):
                write_whole(path, lambda file: file.write(text.encode()))
        self._next_step = step + 1
