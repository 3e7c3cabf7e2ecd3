"""Hooks that look at tensors: log them, stop where a loss is not a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from hybridflow._src.train.hooks.timers import NeverTriggerTimer, SecondOrStepTimer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LoggingTensorHook", "NanLossDuringTrainingError", "NanTensorHook"]


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors, with severity INFO: `hf.logging.set_verbosity` shows them.

    Args:
      tensors: tensors or their names, as a list or as a dict from what they are called in the log.
      every_n_iter: log at the first of so many runs.
      every_n_secs: log after so many seconds, instead.
      at_end: log at the end (too).
      formatter: makes the text from a dict of the values.

    Raises:
      ValueError: unless exactly one of both is given, or `at_end` alone; and if `every_n_iter` is
        not positive.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     loss = hf.constant(0.5, name="loss")
    ...     hook = hf.train.LoggingTensorHook({"loss": "loss:0"}, every_n_iter=10)
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         print(session.run(loss))
    0.5
    """

    def __init__(
        self,
        tensors: Any,
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[Any, Any]], str] | None = None,
    ) -> None:
        at_end_alone = at_end and every_n_iter is None and every_n_secs is None
        if not at_end_alone and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError(
                "either at_end and/or exactly one of every_n_iter and every_n_secs must be "
                "provided."
            )
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        self._tensors = tensors if isinstance(tensors, dict) else {t: t for t in tensors}
        self._formatter = formatter
        self._timer = (
            NeverTriggerTimer() if at_end_alone else SecondOrStepTimer(every_n_secs, every_n_iter)
        )
        self._at_end = at_end

    def begin(self) -> None:
        self._timer.reset()
        self._count = 0
        self._fetches = {tag: graph_element(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._due = self._timer.should_trigger_for_step(self._count)
        return SessionRunArgs(self._fetches) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._due:
            self._log(run_values.results)
        self._count += 1

    def end(self, session: Any) -> None:
        if self._at_end:
            self._log(session.run(self._fetches))

    def _log(self, values: dict[Any, Any]) -> None:
        seconds, _ = self._timer.update_last_triggered_step(self._count)
        with np.printoptions(suppress=True):
            if self._formatter is not None:
                tf_logging.info(self._formatter(values))
                return
            text = ", ".join([f"{tag} = {values[tag]}" for tag in self._tensors])
        if seconds is None:
            tf_logging.info("%s", text)
        else:
            tf_logging.info("%s (%.3f sec)", text, seconds)


class NanLossDuringTrainingError(RuntimeError):
    """A loss is not a number.

    >>> import hybridflow as hf
    >>> print(hf.train.NanLossDuringTrainingError())
    NaN loss during training.
    """

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Ends training where the loss is not a number.

    Args:
      loss_tensor: the loss.
      fail_on_nan_loss: whether that raises `NanLossDuringTrainingError`; else training just stops.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     loss = hf.log(hf.constant(-1.0))
    ...     hook = hf.train.NanTensorHook(loss, fail_on_nan_loss=False)
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         while not session.should_stop():
    ...             print(session.run(loss))
    nan
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss_tensor = loss_tensor
        self._fail_on_nan_loss = fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not np.isnan(run_values.results):
            return
        message = "Model diverged with loss = NaN."
        if self._fail_on_nan_loss:
            tf_logging.error(message)
            raise NanLossDuringTrainingError
        tf_logging.warning(message)
        run_context.request_stop()


def graph_element(item: Any) -> Any:
    """A tensor or operation of the default graph, given as it is or by its name.

    Raises:
      ValueError: if it is of another graph, or the name is that of an operation of several outputs.
    """
    graph = get_default_graph()
    if not isinstance(item, str):
        if getattr(item, "graph", None) is not graph:
            raise ValueError(
                f"Passed {item} should have graph attribute that is equal to current graph {graph}."
            )
        return item
    if ":" in item:
        return graph.as_graph_element(item)
    tensor = graph.get_tensor_by_name(f"{item}:0")
    if len(tensor.op.outputs) > 1:
        raise ValueError(
            f"Name {item} is ambiguous, as this `Operation` has multiple outputs (at least 2)."
        )
    return tensor
