"""Hooks that feed each run, and that evaluate something at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FeedFnHook", "FinalOpsHook"]


class FeedFnHook(SessionRunHook):
    """Feeds each run with what a function gives.

    Args:
      feed_fn: called before each run; gives a dict from tensors to values.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [])
    ...     y = x * 2.0
    ...     hook = hf.train.FeedFnHook(lambda: {x: 3.0})
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         print(session.run(y))
    6.0
    """

    def __init__(self, feed_fn: Callable[[], dict[Any, Any]]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())


class FinalOpsHook(SessionRunHook):
    """Evaluates something at the end of a session.

    Args:
      final_ops: tensors in any structure that `Session.run` takes.
      final_ops_feed_dict: what is fed.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=1.0)
    ...     double = v.assign(v * 2.0)
    ...     hook = hf.train.FinalOpsHook({"v": v})
    ...     with hf.train.MonitoredSession(hooks=[hook]) as session:
    ...         _ = session.run(double)
    >>> print(hook.final_ops_values["v"])
    2.0
    """

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._final_ops = final_ops
        self._feed_dict = final_ops_feed_dict
        self._values: Any = None

    @property
    def final_ops_values(self) -> Any:
        """The values at the end, in the structure of the fetches; None before that."""
        return self._values

    def end(self, session: Any) -> None:
        if self._final_ops is not None:
            self._values = session.run(self._final_ops, feed_dict=self._feed_dict)
