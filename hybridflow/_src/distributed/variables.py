"""Variables that begin with the values of one rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.ops.collectives.gathering import broadcast
from hybridflow._src.ops.control_flow import ordering
from hybridflow._src.ranks import job
from hybridflow._src.train.hooks.session_run_hook import SessionRunHook
from hybridflow._src.variables.initialization import global_variables
from hybridflow._src.variables.sharded import rank_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BroadcastGlobalVariablesHook", "broadcast_global_variables", "broadcast_variables"]

_EAGER = (
    "hvd.broadcast_global_variables() does not support eager execution, where there is no list of "
    "all variables. Use `hvd.broadcast_variables(variables, root_rank=0)`, with those of the model "
    "and `optimizer.variables()`."
)


def broadcast_variables(variables: Iterable[Any], root_rank: int) -> Any:
    """Gives variables the values that they have on one rank.

    Args:
      variables: the variables, in the same order on all ranks. Parts of a table that each rank has
        for itself stay as they are.
      root_rank: the rank whose values all get.

    Returns: the operation that does so; None in eager mode, where it has been done.

    Raises:
      ValueError: before `init`, or for a rank that there is not. FailedPreconditionError: when it
        runs, if other ranks do not do the same.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0])
    ...     hf.distributed.broadcast_variables([v], root_rank=0)
    """
    shared = [v for v in variables if rank_of(v) is None]
    assigned = [v.assign(broadcast(v, root_rank)) for v in shared]
    return None if context.modes.top.eager else ordering.group(*assigned)


def broadcast_global_variables(root_rank: int) -> Any:
    """Gives all global variables of the default graph the values that they have on one rank.

    Args:
      root_rank: the rank whose values all get.

    Returns: the operation that does so; it runs after variables are initialized.

    Raises:
      ValueError: before `init`, or for a rank that there is not. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     v = hf.get_variable("v", initializer=[1.0])
    ...     session.run(hf.global_variables_initializer())
    ...     session.run(hf.distributed.broadcast_global_variables(0))
    """
    if context.modes.top.eager:
        raise RuntimeError(_EAGER)
    return broadcast_variables(global_variables(), root_rank)


class BroadcastGlobalVariablesHook(SessionRunHook):
    """Has all ranks begin with the variables of one, where a monitored session has been made.

    Only the rank that saves needs a folder of checkpoints: what it restores comes to the others by
    this hook.

    Args:
      root_rank: the rank whose values all get.
      device: accepted for compatibility.

    >>> import hybridflow as hf
    >>> hvd = hf.distributed
    >>> hvd.init()
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0])
    ...     with hf.train.MonitoredSession(hooks=[hvd.BroadcastGlobalVariablesHook(0)]) as session:
    ...         print(session.run(v))
    [1.]
    """

    def __init__(self, root_rank: int, device: str = "") -> None:
        job.current()
        self.root_rank = root_rank
        self.bcast_op: Any = None

    def begin(self) -> None:
        """Makes the operation."""
        if self.bcast_op is None or self.bcast_op.graph is not get_default_graph():
            self.bcast_op = broadcast_global_variables(self.root_rank)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Runs it."""
        session.run(self.bcast_op)
