"""`replica_device_setter`: puts variables on parameter servers, one after the other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.cluster.cluster_spec import ClusterSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["replica_device_setter"]

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")


class _Turns:
    """Gives the numbers of servers in turns."""

    def __init__(self, servers: int) -> None:
        self._next = itertools.cycle(range(servers))

    def __call__(self, op: Any) -> int:
        return next(self._next)


def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Sequence[str] | None = None,
    ps_strategy: Callable[[Any], int] | None = None,
) -> Callable[[Any], str] | None:
    """A device function, for `hf.device`: variables stand on parameter servers, in turns.

    Args:
      ps_tasks: how many parameter servers there are; `cluster` tells if it is given.
      ps_device: the device of the parameter servers.
      worker_device: the device of all else.
      merge_devices: whether what an inner device leaves open is filled in.
      cluster: a `ClusterSpec`, or what makes one.
      ps_ops: the op types that stand on parameter servers; those of variables by default.
      ps_strategy: gives the number of the server for an operation; they take turns by default.

    Returns: the function; None without parameter servers.

    Raises:
      TypeError: if `cluster` is none, or `ps_strategy` cannot be called.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.device(hf.train.replica_device_setter(ps_tasks=2)):
    ...     v = hf.get_variable("v", [1])
    ...     w = hf.get_variable("w", [1])
    ...     print(v.device, w.device, (v + w).device)
    /job:ps/task:0 /job:ps/task:1 /job:worker
    """
    if cluster is not None:
        tasks = ClusterSpec(cluster).as_dict()
        ps_tasks = len(tasks.get(DeviceSpec.from_string(ps_device).job or "") or ())
    if not ps_tasks:
        return None
    if not merge_devices:
        tf_logging.warning(
            "DEPRECATION: It is recommended to set merge_devices=true in replica_device_setter"
        )
    if ps_strategy is None:
        ps_strategy = _Turns(ps_tasks)
    if not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")
    strategy = ps_strategy
    served = _VARIABLES if ps_ops is None else ps_ops

    def device_function(op: Any) -> str:
        given: str = op.device or ""
        if given and not merge_devices:
            return given
        own = DeviceSpec.from_string(given)
        kind = op.type if hasattr(op, "type") else op.op
        if ps_device and kind in served:
            found = DeviceSpec.from_string(ps_device)
            if found.job and own.job in (None, found.job):
                found.task = strategy(op)
        else:
            found = DeviceSpec.from_string(worker_device or "")
        found.merge_from(own)
        return found.to_string()

    return device_function
