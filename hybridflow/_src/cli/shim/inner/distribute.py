"""`tf.distribute`: programs that ask how many machines there are learn that there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["get_replica_context", "has_strategy", "in_cross_replica_context"]


class _OnlyReplica:
    """The one copy of a model that there is."""

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0
    strategy = None

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """Calls a function of the values of all copies: of this one's."""
        return merge_fn(self.strategy, *args, **(kwargs or {}))


_ONLY = _OnlyReplica()


def get_replica_context() -> _OnlyReplica:
    """The copy of a model that is being computed."""
    return _ONLY


def has_strategy() -> bool:
    """False: nothing distributes models."""
    return False


def in_cross_replica_context() -> bool:
    """False: there is always one copy."""
    return False
