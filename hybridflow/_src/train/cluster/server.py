"""`Server`: a cluster of one task, which is this process."""

from __future__ import annotations

import itertools
from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.framework.errors import InvalidArgumentError, UnimplementedError
from hybridflow._src.framework.locks import Flag
from hybridflow._src.runtime.session import LOCAL_CONFIGS, LOCAL_TARGETS
from hybridflow._src.train.cluster.cluster_spec import ClusterSpec

__all__ = ["Server"]

_MANY = (
    "A server for task {task} of job {job!r} in a cluster of {count} tasks: sessions run graphs in "
    "this process, and nothing is sent to others. A cluster of one task, or "
    "`hf.train.Server.create_local_server()`, works."
)
_ports = itertools.count()


class Server:
    """A cluster of one task, for programs that ask for a server: sessions run in this process.

    Sessions of one graph with its target share the values of variables, which outlive them.

    Args:
      server_or_cluster_def: a `ServerDef`, a `ClusterDef`, a `ClusterSpec`, or what makes one.
      job_name: the job; the only one by default.
      task_index: the number of the task; the only one by default.
      protocol: what is said to be spoken; "grpc" by default.
      config: options of sessions that have none of their own.
      start: accepted for compatibility.

    Raises:
      UnimplementedError: for a cluster of several tasks. InvalidArgumentError: if its address has
        no port.
      TypeError, ValueError: if it is no cluster, or the job or the task must be named.

    >>> import hybridflow as hf
    >>> server = hf.train.Server.create_local_server()
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(2.0)
    ...     with hf.Session(server.target) as session:
    ...         print(session.run(x))
    2.0
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ) -> None:
        self._server_def = _server_def(server_or_cluster_def, job_name, task_index, protocol)
        job, task = self._server_def.job_name, self._server_def.task_index
        cluster = ClusterSpec(self._server_def.cluster)
        address = cluster.task_address(job, task)
        count = sum([cluster.num_tasks(name) for name in cluster.jobs])
        if count > 1:
            raise UnimplementedError(None, None, _MANY.format(task=task, job=job, count=count))
        # Port 0 asks for any that is free.
        host, _, port = address.rpartition(":")
        if not port.removeprefix("#").isdigit():
            text = f"Could not parse port for local server from {address!r}: expected host:port."
            raise InvalidArgumentError(None, None, text)
        self._target = f"grpc://{address}" if port != "0" else f"grpc://{host}:#{next(_ports)}"
        LOCAL_TARGETS.setdefault(self._target, {})
        if config is not None:
            LOCAL_CONFIGS[self._target] = config

    def start(self) -> None:
        """Does nothing: it is at work from the start."""

    def join(self) -> None:
        """Waits for ever."""
        Flag().wait()

    @property
    def server_def(self) -> Any:
        """What it serves: a `ServerDef` message."""
        return self._server_def

    @property
    def target(self) -> str:
        """The target for a session."""
        return self._target

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A cluster of its own."""
        return Server({"local": ["localhost:0"]}, protocol="grpc", config=config, start=start)


def _server_def(given: Any, job: str | None, task: int | None, protocol: str | None) -> Any:
    if isinstance(given, messages.ServerDef):
        found = messages.ServerDef()
        found.CopyFrom(given)
        job = given.job_name if job is None else job
        task = given.task_index if task is None else task
        protocol = given.protocol if protocol is None else protocol
    else:
        try:
            cluster = ClusterSpec(given)
        except TypeError as error:
            raise TypeError(
                "Could not convert `server_or_cluster_def` to a `tf.train.ServerDef` or "
                f"`tf.train.ClusterSpec`: {error}"
            ) from None
        if job is None:
            if len(cluster.jobs) != 1:
                raise ValueError("Must specify an explicit `job_name`.")
            job = cluster.jobs[0]
        if task is None:
            numbers = cluster.task_indices(job)
            if len(numbers) != 1:
                raise ValueError("Must specify an explicit `task_index`.")
            task = numbers[0]
        found = messages.ServerDef(cluster=cluster.as_cluster_def())
    found.job_name, found.task_index, found.protocol = job, task, protocol or "grpc"
    return found
