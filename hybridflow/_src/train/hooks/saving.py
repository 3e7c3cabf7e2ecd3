"""Hooks that save checkpoints and summaries as training goes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.platform import tf_logging
from hybridflow._src.summary.writer import FileWriterCache
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from hybridflow._src.train.hooks.timers import SecondOrStepTimer
from hybridflow._src.train.training_util import global_step_read
from hybridflow._src.train.writing import add_graph_to

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CheckpointSaverHook", "CheckpointSaverListener", "SummarySaverHook"]


class CheckpointSaverListener:
    """What is called before and after a `CheckpointSaverHook` saves; define what you need.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> class Tell(hf.train.CheckpointSaverListener):
    ...     def after_save(self, session, global_step_value):
    ...         print("saved at step", global_step_value)
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     count = hf.assign_add(hf.train.get_or_create_global_step(), 1)
    ...     scaffold = hf.train.Scaffold()
    ...     hook = hf.train.CheckpointSaverHook(
    ...         folder, save_steps=10, scaffold=scaffold, listeners=[Tell()])
    ...     creator = hf.train.ChiefSessionCreator(scaffold)
    ...     with hf.train.MonitoredSession(creator, [hook]) as session:
    ...         for _ in range(3):
    ...             _ = session.run(count)
    ...     hf.summary.FileWriterCache.clear()
    saved at step 1
    saved at step 3
    """

    def begin(self) -> None:
        """Called once, before the session is made: ops may still be added to the default graph."""

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Called before each save."""

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Called after each save."""

    def end(self, session: Any, global_step_value: int) -> None:
        """Called at the end, after the last save."""


class CheckpointSaverHook(SessionRunHook):
    """Saves checkpoints: after the first run, every so many seconds or steps, and at the end.

    Args:
      checkpoint_dir: the folder.
      save_secs: save after so many seconds.
      save_steps: save after so many steps, instead.
      saver: the saver; the one in the collection of savers if neither it nor a scaffold is given.
      checkpoint_basename: how the files' names begin.
      scaffold: the scaffold whose saver is used, instead.
      listeners: `CheckpointSaverListener`s.

    Raises:
      ValueError: unless exactly one of seconds and steps is given, and at most one of saver and
        scaffold.

    >>> import hybridflow as hf
    >>> hf.train.CheckpointSaverHook("folder", save_secs=60, save_steps=100)
    Traceback (most recent call last):
    ValueError: Can not provide both every_secs and every_steps.
    """

    def __init__(
        self,
        checkpoint_dir: Any,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
        listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> None:
        tf_logging.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver = saver
        self._folder = os.fspath(checkpoint_dir)
        self._save_path = os.path.join(self._folder, checkpoint_basename)
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)
        self._listeners = list(listeners or ())

    def begin(self) -> None:
        self._writer = FileWriterCache.get(self._folder)
        self._step = global_step_read("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        if self._timer.last_triggered_step() is None:
            # Not in `begin`, in which other hooks add to the graph.
            saver = self._get_saver()
            add_graph_to(self._writer, get_default_graph(), self._folder, saver)
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        # What was read is the value before the run, which may have counted or not.
        if not self._timer.should_trigger_for_step(run_values.results + 1):
            return
        step = int(run_context.session.run(self._step))
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            self._save(run_context.session, step)

    def end(self, session: Any) -> None:
        step = int(session.run(self._step))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Any, step: int) -> None:
        tf_logging.info("Saving checkpoints for %d into %s.", step, self._save_path)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._get_saver().save(session, self._save_path, global_step=step)
        log = messages.SessionLog(
            status=messages.SessionLog.CHECKPOINT, checkpoint_path=self._save_path
        )
        self._writer.add_session_log(log, step)
        for listener in self._listeners:
            listener.after_save(session, step)

    def _get_saver(self) -> Any:
        if self._saver is None and self._scaffold is not None:
            return self._scaffold.saver
        if self._saver is None:
            found = get_collection(GraphKeys.SAVERS)
            if not found:
                raise RuntimeError(
                    f"No items in collection {GraphKeys.SAVERS}. Please add a saver to the "
                    "collection or provide a saver or scaffold."
                )
            if len(found) > 1:
                raise RuntimeError(
                    f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which "
                    "one to use by passing it to the constructor."
                )
            self._saver = found[0]
        return self._saver


class SummarySaverHook(SessionRunHook):
    """Writes summaries: of the first run, and every so many steps or seconds.

    Args:
      save_steps: write after so many steps.
      save_secs: write after so many seconds, instead.
      output_dir: the folder, where no writer is given.
      summary_writer: a `FileWriter`.
      scaffold: the scaffold whose summaries are written.
      summary_op: a summary, or a list of them, instead.

    Raises:
      ValueError: unless exactly one of seconds and steps, and of scaffold and summary, is given.

    >>> import hybridflow as hf
    >>> hf.train.SummarySaverHook(save_steps=10, output_dir="folder")
    Traceback (most recent call last):
    ValueError: Exactly one of scaffold or summary_op must be provided.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
        scaffold: Any = None,
        summary_op: Any = None,
    ) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op = summary_op
        self._writer = summary_writer
        self._folder = output_dir
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self) -> None:
        if self._writer is None and self._folder:
            self._writer = FileWriterCache.get(self._folder)
        self._step = global_step_read("SummarySaverHook")
        self._next_step: int | None = None

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        self._due = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        fetches = {"global_step": self._step}
        summaries = self._summaries() if self._due else None
        if summaries is not None:
            fetches["summary"] = summaries
        return SessionRunArgs(fetches)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._writer is None:
            return
        step = int(run_values.results["global_step"]) + 1
        if self._due:
            step = int(run_context.session.run(self._step))
        if self._next_step is None:
            self._writer.add_session_log(
                messages.SessionLog(status=messages.SessionLog.START), step
            )
        if self._due:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: Any) -> None:
        if self._writer is not None:
            self._writer.flush()

    def _summaries(self) -> Any:
        op = self._scaffold.summary_op if self._summary_op is None else self._summary_op
        return op if op is None or isinstance(op, list) else [op]
