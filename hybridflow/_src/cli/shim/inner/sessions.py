"""`tensorflow.python.training.monitored_session` and `training_util`: what programs with sessions
of their own import.
"""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.train.sessions.wrapped import CoordinatedSession as _CoordinatedSession
from hybridflow._src.train.sessions.wrapped import HookedSession as _HookedSession
from hybridflow._src.train.sessions.wrapped import RecoverableSession as _RecoverableSession
from hybridflow._src.train.sessions.wrapped import WrappedSession as _WrappedSession
from hybridflow._src.train.training_util import get_global_step, global_step_read
from hybridflow._src.variables.updates import assign_add

__all__ = [
    "_CoordinatedSession",
    "_HookedSession",
    "_RecoverableSession",
    "_WrappedSession",
    "_get_or_create_global_step_read",
    "_increment_global_step",
]


def _get_or_create_global_step_read(graph: Any = None) -> Any:
    """The tensor by which hooks read the global step; None if there is no global step."""
    with (graph or get_default_graph()).as_default():
        return None if get_global_step() is None else global_step_read("its value")


def _increment_global_step(increment: Any, graph: Any = None) -> Any:
    """The operation that adds to the global step, after hooks have read it.

    Raises:
      ValueError: if there is no global step.
    """
    with (graph or get_default_graph()).as_default():
        step = get_global_step()
        if step is None:
            raise ValueError(
                "Global step tensor should be created by `tf.train.get_or_create_global_step()` "
                "before it is incremented."
            )
        with control_dependencies([global_step_read("its value")]):
            return assign_add(step, increment)
