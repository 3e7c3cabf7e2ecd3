"""Threads of a `Supervisor`: they write summaries, count steps and save checkpoints on a timer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.sessions.coordinator import LooperThread
from hybridflow._src.train.training_util import global_step

if TYPE_CHECKING:
    from hybridflow._src.train.sessions.supervisor import Supervisor

# How often the steps a second are logged.
_TIMES = 10


class SVSummaryThread(LooperThread):
    """Writes the summaries."""

    def __init__(self, sv: Supervisor, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self) -> None:
        sv = self._sv
        if sv.global_step is None:
            summary, step = self._sess.run(sv.summary_op), None
        else:
            summary, step = self._sess.run([sv.summary_op, sv.global_step])
        if sv.summary_writer:
            tf_logging.info("Recording summary at step %s.", step)
            sv.summary_writer.add_summary(summary, step)


class SVStepCounterThread(LooperThread):
    """Writes how many steps a second there are.

    Args:
      sv: the supervisor.
      sess: the session.
      step_counter: what counts; the supervisor's global step by default.
    """

    def __init__(self, sv: Supervisor, sess: Any, step_counter: Any = None) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess
        self._counter = sv.global_step if step_counter is None else step_counter
        self._tag = f"{self._counter.op.name}/sec"
        self._told = 0

    def start_loop(self) -> None:
        self._time = time.time()
        self._step = global_step(self._sess, self._counter)

    def run_loop(self) -> None:
        step, now = global_step(self._sess, self._counter), time.time()
        steps, seconds = step - self._step, now - self._time
        self._step, self._time = step, now
        rate = steps / seconds if seconds > 0 else float("inf")
        if self._sv.summary_writer:
            value = messages.Summary.Value(tag=self._tag, simple_value=rate)
            self._sv.summary_writer.add_summary(messages.Summary(value=[value]), step)
        if self._told < _TIMES:
            self._told += 1
            tf_logging.info("%s: %g", self._tag, rate)


class SVTimerCheckpointThread(LooperThread):
    """Saves checkpoints."""

    def __init__(self, sv: Supervisor, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_model_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self) -> None:
        sv = self._sv
        tf_logging.info("Saving checkpoint to path %s", sv.save_path)
        sv.saver.save(self._sess, sv.save_path, global_step=sv.global_step)
        if sv.summary_writer and sv.global_step is not None:
            log = messages.SessionLog(
                status=messages.SessionLog.CHECKPOINT, checkpoint_path=sv.save_path
            )
            sv.summary_writer.add_session_log(log, global_step(self._sess, sv.global_step))
