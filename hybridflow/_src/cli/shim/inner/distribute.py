"""`tf.distribute`: programs that ask how many machines there are learn that there is one."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ReduceOp",
    "get_replica_context",
    "get_strategy",
    "has_strategy",
    "in_cross_replica_context",
]


class ReduceOp(enum.Enum):
    """What is made of the values of several copies of a model."""

    SUM = "SUM"
    MEAN = "MEAN"


class _OnlyReplica:
    """The one copy of a model that there is, and the strategy that keeps it."""

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0

    @property
    def strategy(self) -> _OnlyReplica:
        """What distributes it."""
        return self

    @property
    def extended(self) -> _OnlyReplica:
        """The strategy, for who extends it."""
        return self

    def scope(self) -> contextlib.AbstractContextManager[_OnlyReplica]:
        """A context manager in which models are made."""
        return contextlib.nullcontext(self)

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """The sum or the mean over all copies: what the one has.

        Raises:
          ValueError: for an axis, along which there is nothing to sum.
        """
        if axis is not None:
            raise ValueError(f"One copy has nothing to reduce along axis {axis!r}: expected None.")
        return value

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """Calls a function of the values of all copies: of this one's."""
        return merge_fn(self.strategy, *args, **(kwargs or {}))


_ONLY = _OnlyReplica()


def get_replica_context() -> _OnlyReplica:
    """The copy of a model that is being computed."""
    return _ONLY


def get_strategy() -> _OnlyReplica:
    """What distributes models: a strategy of one copy."""
    return _ONLY


def has_strategy() -> bool:
    """False: nothing distributes models."""
    return False


def in_cross_replica_context() -> bool:
    """False: there is always one copy."""
    return False
