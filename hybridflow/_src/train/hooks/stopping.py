"""Hooks that say how long training lasts: until a step, from a step on."""

from __future__ import annotations

import time
from typing import Any

from hybridflow._src.platform import tf_logging
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from hybridflow._src.train.training_util import global_step_read

__all__ = ["GlobalStepWaiterHook", "StopAtStepHook"]

_PAUSE = 0.5
# After how many steps a wait says again that it waits.
_STEPS = 1000


class StopAtStepHook(SessionRunHook):
    """Ends training at a global step.

    Args:
      num_steps: after so many steps from where the first session began.
      last_step: at this step, instead.

    Raises:
      ValueError: unless exactly one of both is given.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     step = hf.train.get_or_create_global_step()
    ...     count = hf.assign_add(step, 1)
    ...     hook = hf.train.StopAtStepHook(last_step=3)
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         while not session.should_stop():
    ...             print(session.run(count))
    1
    2
    3
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self) -> None:
        self._step = global_step_read("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last_step is None:
            self._last_step = int(session.run(self._step)) + (self._num_steps or 0)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        assert self._last_step is not None
        # What was read is the value before the run, which may have counted or not.
        if (
            run_values.results + 1 >= self._last_step
            and run_context.session.run(self._step) >= self._last_step
        ):
            run_context.request_stop()


class GlobalStepWaiterHook(SessionRunHook):
    """Holds the first run back until others have brought the global step to a number.

    Args:
      wait_until_step: the number.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     step = hf.train.get_or_create_global_step()
    ...     hook = hf.train.GlobalStepWaiterHook(wait_until_step=0)
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         print(session.run(step))
    0
    """

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step

    def begin(self) -> None:
        self._started = False
        self._step = global_step_read("GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> None:
        if self._started:
            return
        told = None
        while self._wait_until_step > 0:
            step = run_context.session.run(self._step)
            if step >= self._wait_until_step:
                break
            if told is None or step - told > _STEPS:
                tf_logging.info(
                    "Waiting for global step %d before starting training. Current step is %d.",
                    self._wait_until_step,
                    step,
                )
                told = step
            time.sleep(_PAUSE)
        self._started = True
