"""`SyncReplicasOptimizer`, which is refused."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.errors import UnimplementedError

__all__ = ["SyncReplicasOptimizer"]

_REFUSED = (
    "SyncReplicasOptimizer gathers the gradients of many workers, and there are none: sessions run "
    "graphs in this process. Use {optimizer} itself; for the effect of many workers on one, feed a "
    "batch as large as all of theirs."
)


class SyncReplicasOptimizer:
    """Refused: there are no other workers whose gradients could be gathered.

    Raises:
      UnimplementedError: always.

    >>> import hybridflow as hf
    >>> hf.train.SyncReplicasOptimizer(hf.train.GradientDescentOptimizer(0.1), 2)
    Traceback (most recent call last):
    hybridflow.errors.UnimplementedError: SyncReplicasOptimizer gathers the gradients of many ...
    """

    def __init__(
        self,
        opt: Any,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: Any = None,
        variables_to_average: Any = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
    ) -> None:
        raise UnimplementedError(None, None, _REFUSED.format(optimizer=type(opt).__name__))
