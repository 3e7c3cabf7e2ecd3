"""`Session`: runs a graph. It owns the values of the graph's variables, and plans made so far."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import AbortedError, InvalidArgumentError, NotFoundError
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.stack import Opener
from hybridflow._src.framework.waiting import within
from hybridflow._src.graphs.graph_util import extract_sub_graph
from hybridflow._src.ops.allocation import MEMORY
from hybridflow._src.plan.plan import Plan
from hybridflow._src.plan.planning import Kernels, build
from hybridflow._src.runtime.config import options_of
from hybridflow._src.runtime.fetches import (
    Fetches,
    expand_feed,
    feed_array,
    feed_keys,
    feed_tensor,
    freeze,
)
from hybridflow._src.runtime.partial_run import PartialRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.stack import Opened, Pushed
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.runtime.config import ConfigProto, RunMetadata

_NO_CLUSTER = (
    "No session factory registered for the given session options: {{target: {target!r}}}. Sessions "
    "run graphs in this process; there are no clusters, and no distributed training."
)

_NO_TASK = (
    "ConfigProto.cluster_def names task {task} of job {job!r} at {address!r}, where no server of "
    "this process is. Sessions run graphs in this process: its own servers are {known}."
)
_CPU = "/job:{job}/replica:0/task:{task}/device:CPU:0"

# What the sessions of a server of this process share, by its target and the graph: a lock, and the
# values of variables. These outlive the sessions.
LOCAL_TARGETS: dict[str, dict[Graph, tuple[Any, Kernels]]] = {}
# What sessions with such a target have as options where they say none.
LOCAL_CONFIGS: dict[str, Any] = {}

_NOT_REENTRANT = (
    "Session context managers are not re-entrant: the session would be closed at the end of the "
    "inner block. `with sess.as_default():` makes it the default any number of times."
)
_CLOSED = (
    "Attempted to use a closed Session. Its `with` block or its `close()` has ended it, and the "
    "values of its variables with it: run inside the block, or make a new Session."
)
_RESET = (
    "The server {target!r} was reset by Session.reset(), which ended this session: make a new one. "
    "Its variables have no values until they are initialized."
)
_EMPTY = (
    "The Session graph is empty. Add operations to the graph before calling run(). A session runs "
    "the graph that was the default when it was made, or `hf.Session(graph=...)`."
)
_EMPTY_EAGER = (
    "The Session graph is empty. Add operations to the graph before calling run(). In eager mode "
    "ops run at once and none are added: `t.numpy()` is the value, no session is needed."
)


class _Runnable:
    """A plan with the fetches it was made for."""

    __slots__ = ("feeds", "fetches", "plan")

    def __init__(self, plan: Plan, fetches: Fetches, feeds: list[Tensor]) -> None:
        self.plan = plan
        self.fetches = fetches
        self.feeds = feeds

    def run(self, arrays: Sequence[Any]) -> Any:
        return self.fetches.pack(self.plan.run(arrays, owned=True))

    def traced(self, arrays: Sequence[Any], run_metadata: RunMetadata) -> Any:
        """What `run` gives; `run_metadata` is told what happened."""
        return self.fetches.pack(run_metadata.record(self.plan, arrays))

    def graphs(self) -> list[Any]:
        """What ran, of the graph, as `GraphDef`s: one, since all of it runs on one device."""
        fetched = [*self.fetches.operations, *(tensor.op for tensor in self.fetches.tensors)]
        if not fetched:
            return []
        whole = fetched[0].graph.as_graph_def()
        return [extract_sub_graph(whole, [op.name for op in fetched])]

    def quick(self, values: Sequence[Any]) -> list[Any] | None:
        """The fetched values, if the plan's program can take these feeds as they are."""
        return self.plan.quick(values)


def _key(fetches: Any, feeds: Any) -> tuple[Any, ...]:
    """What runs with a flat list of fetches, or one, and these feeds are found by."""
    if fetches.__class__ is list:
        return (list, *fetches, None, *feeds) if feeds else (list, *fetches)
    return (fetches, None, *feeds) if feeds else (fetches,)


def _seconds(options: Any) -> float:
    """How long a run may wait; 0 for any time."""
    return float(getattr(options, "timeout_in_ms", 0)) / 1000


def _is_traced(options: Any) -> bool:
    return bool(getattr(options, "trace_level", 0))


def _finish(
    runnable: _Runnable, arrays: list[Any], options: Any, run_metadata: Any, seconds: float
) -> Any:
    """Runs within so many seconds, if that is not 0, and fills the metadata as options ask for."""
    traced = run_metadata is not None and _is_traced(options)
    rest = (arrays, run_metadata) if traced else (arrays,)
    work = runnable.traced if traced else runnable.run
    values = within(seconds, work, *rest) if seconds else work(*rest)
    if run_metadata is not None:
        wanted = getattr(options, "output_partition_graphs", False)
        run_metadata.partition_graphs = runnable.graphs() if wanted else []
    return values


class DeviceAttributes(NamedTuple):
    """A device of a session.

    Attributes:
      name: its full name. device_type: its kind. memory_limit_bytes: how much memory it has.
    """

    name: str
    device_type: str
    memory_limit_bytes: int


def _tasks_of(cluster: Any) -> list[tuple[str, int]]:
    """The jobs and tasks of a `ClusterDef`, each of which must be a server of this process.

    Raises:
      NotFoundError: if one is not.
    """
    found = []
    for job in [] if cluster is None else cluster.job:
        for task, address in sorted(job.tasks.items()):
            if f"grpc://{address}" not in LOCAL_TARGETS:
                known = ", ".join(sorted(LOCAL_TARGETS)) or "none"
                text = _NO_TASK.format(task=task, job=job.name, address=address, known=known)
                raise NotFoundError(None, None, text)
            found.append((job.name, task))
    return found


def _container(op: Operation) -> str:
    """The container that an operation keeps its value in."""
    name = op.attrs.get("container") or ""
    return name.decode() if isinstance(name, bytes) else str(name)


class BaseSession:
    """What `Session` and `InteractiveSession` share."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        from_default = graph is None
        if not from_default and not hasattr(graph, "as_default"):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        if not isinstance(target, str):
            raise TypeError(f"target must be a string, but got {type(target)}")
        if target and target not in LOCAL_TARGETS:
            raise NotFoundError(None, None, _NO_CLUSTER.format(target=target))
        config = LOCAL_CONFIGS.get(target) if config is None else config
        self._graph: Graph = get_default_graph() if graph is None else graph
        self._target = target
        self._config = config
        self._seconds = float(getattr(config, "operation_timeout_in_ms", 0)) / 1000
        self._closed = False
        self._aborted = False
        self._runnables: dict[Any, _Runnable] = {}
        # Those with one fetch or a flat list, by these and the feeds: found without a closer look.
        self._quick: dict[Any, _Runnable] = {}
        self._partial_runs: dict[str, PartialRun] = {}
        own = new_lock(), Kernels(options_of(config))
        self._tasks = _tasks_of(getattr(config, "cluster_def", None))
        isolated = bool(self._tasks) or getattr(config, "isolate_session_state", False)
        self._shares = bool(target) and not isolated
        self._edition = 0
        self._graph.keepers.add(self)
        self._lock, self._kernels = (
            LOCAL_TARGETS[target].setdefault(self._graph, own) if self._shares else own
        )

    @property
    def graph(self) -> Graph:
        """The graph that this session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph as a `GraphDef` message, with shapes if `graph_options.infer_shapes` asks."""
        options = getattr(self._config, "graph_options", None)
        return self._graph.as_graph_def(add_shapes=bool(getattr(options, "infer_shapes", False)))

    def list_devices(self) -> list[DeviceAttributes]:
        """The devices that ops run on: one, or one for each task of the session's own cluster.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     print([device.name for device in session.list_devices()])
        ['/job:localhost/replica:0/task:0/device:CPU:0']
        """
        tasks = self._tasks or [("localhost", 0)]
        names = [_CPU.format(job=job, task=task) for job, task in tasks]
        return [DeviceAttributes(name, "CPU", MEMORY) for name in names]

    @property
    def sess_str(self) -> str:
        """The target that the session was made for."""
        return self._target

    def graph_was_edited(self) -> None:
        """Forgets the plans made so far: operations of the graph have got other inputs."""
        self._runnables.clear()
        self._quick.clear()
        self._edition += 1

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Frees the values of the session's variables, and ends what waits in it, such as for an
        element of a queue; the session cannot run any more.
        """
        self._closed = True
        self._runnables.clear()
        self._quick.clear()
        self._partial_runs.clear()
        if not self._shares:
            self._kernels.close()

    def _abort(self) -> None:
        """Has it run no more: what it shares was reset."""
        self._aborted = True
        self._runnables.clear()
        self._quick.clear()
        self._partial_runs.clear()

    def _gone(self) -> Exception:
        """Why it runs no more."""
        if self._closed:
            return RuntimeError(_CLOSED)
        return AbortedError(None, None, _RESET.format(target=self._target))

    def as_default(self) -> Pushed[Any, BaseSession]:
        """A context manager that makes this the default session of the thread.

        It neither closes the session at its end nor makes the session's graph the default graph.
        """
        return context.sessions.scope(self)

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Runs what is needed for `fetches` once and gives their values.

        Args:
          fetches: a tensor, operation, variable or name of one, `SparseTensor`, `IndexedSlices`, or
            a nested list, tuple, namedtuple or dict of these.
          feed_dict: values for tensors, by tensor (or name, or nested tuple of tensors); for a
            sparse one a `SparseTensorValue`, or a tuple of its indices, values and shape.
          options: a `RunOptions`; with a `trace_level` each step of the run is timed, with
            `timeout_in_ms` it waits so long at most.
          run_metadata: a `RunMetadata`, which takes what was found.

        Returns: the structure of `fetches` with a NumPy array or scalar for each tensor, a
        `SparseTensorValue` for each sparse one and None for each operation. The arrays are the
        caller's own.

        A variable that is read without depending on a write of this run gives its value from before
        it.

        Raises:
          RuntimeError: if the session is closed or the graph is empty. TypeError, ValueError: for
            fetches or feeds that do not fit the graph. FailedPreconditionError: if a variable has
            no value. DeadlineExceededError: if it waits too long. OpError: if an op fails.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as sess:
        ...     x = hf.placeholder(hf.float32, [None])
        ...     print(sess.run({"twice": x * 2.0}, {x: [1, 2]}))
        {'twice': array([2., 4.], dtype=float32)}
        """
        seconds = self._seconds if options is None else _seconds(options) or self._seconds
        if not seconds and run_metadata is None:
            try:
                known = self._quick.get(_key(fetches, feed_dict))
            except TypeError:
                known = None
            if known is not None and (not feed_dict or feed_dict.__class__ is dict):
                values = known.quick(tuple(feed_dict.values()) if feed_dict else ())
                if values is not None:
                    return known.fetches.pack(values)
        runnable, arrays = self.prepared(fetches, feed_dict)
        return _finish(runnable, arrays, options, run_metadata, seconds)

    def prepared(self, fetches: Any, feed_dict: Any) -> tuple[_Runnable, list[Any]]:
        """The plan for these fetches and feeds, and the arrays that are fed.

        Raises:
          RuntimeError, TypeError, ValueError, InvalidArgumentError: as `run` does.
        """
        if self._closed or self._aborted:
            raise self._gone()
        if feed_dict is not None and not hasattr(feed_dict, "items"):
            raise TypeError(f"feed_dict must be a dictionary, got {feed_dict!r:.200}.")
        feeds = tuple(feed_dict) if feed_dict else ()
        try:
            runnable = self._runnables.get((freeze(fetches), feeds))
        except TypeError:
            raise TypeError(
                f"Fetch argument {fetches!r:.200} has invalid type {type(fetches)}, must be a "
                "string or Tensor, and keys of feed_dict must be tensors."
            ) from None
        pairs = [pair for key in feeds for pair in expand_feed(key, feed_dict[key])]
        if runnable is None:
            runnable = self._make(fetches, [key for key, _ in pairs])
            self._runnables[freeze(fetches), feeds] = runnable
            key = _key(fetches, feeds)
            plain = not any(isinstance(item, list | tuple | dict) for item in key)
            own = len(pairs) == len(feeds) and all(
                pair[0] is feed for pair, feed in zip(pairs, feeds, strict=True)
            )
            if own and plain:
                self._quick[key] = runnable
        arrays = [
            feed_array(tensor, value)
            for tensor, (_, value) in zip(runnable.feeds, pairs, strict=True)
        ]
        return runnable, arrays

    def _make(self, fetches: Any, feed_keys: Sequence[Any]) -> _Runnable:
        graph = self._graph
        if not graph.version:
            raise RuntimeError(_EMPTY_EAGER if context.modes.top.eager else _EMPTY)
        parsed = Fetches(graph, fetches)
        feeds = [feed_tensor(graph, key) for key in feed_keys]
        if len(set(feeds)) != len(feeds):
            raise ValueError("feed_dict names the same tensor twice.")
        plan = self._plan(parsed.tensors, parsed.operations, feeds)
        return _Runnable(plan, parsed, feeds)

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Begins a run in steps.

        Args:
          fetches: all that the steps fetch.
          feeds: the tensors that they feed, one or a list.

        Returns: a handle for `partial_run`.

        Raises:
          RuntimeError, TypeError, ValueError: as `run` does.
        """
        self._check_open()
        keys = feeds if isinstance(feeds, (list, tuple)) else [] if feeds is None else [feeds]
        tensors = [feed_tensor(self._graph, key) for item in keys for key in feed_keys(item)]
        found = PartialRun(Fetches(self._graph, fetches), tensors, self._plan)
        handle = f"partial run {len(self._partial_runs)}"
        self._partial_runs[handle] = found
        return handle

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
        """Runs one step: what `fetches` need, and no step before has run.

        Args:
          handle: as `partial_run_setup` gave it.
          fetches: some of what was named there.
          feed_dict: values for some of the feeds that were named there.

        Returns: as `run` does.

        Raises:
          InvalidArgumentError: for another handle, for what was fetched or fed before or was not
            named, and if `fetches` need a feed that is still to come. Otherwise as `run` does.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     a, b = hf.placeholder(hf.float32, []), hf.placeholder(hf.float32, [])
        ...     double = a * 2.0
        ...     total = double + b
        ...     run = session.partial_run_setup([double, total], [a, b])
        ...     first = session.partial_run(run, double, {a: 3.0})
        ...     print(first, session.partial_run(run, total, {b: first + 1.0}))
        6.0 13.0
        """
        self._check_open()
        found = self._partial_runs.get(handle)
        if found is None:
            raise InvalidArgumentError(
                None, None, "Must run 'setup' before performing partial runs!"
            )
        pairs = [pair for key in feed_dict or () for pair in expand_feed(key, feed_dict[key])]
        tensors = [feed_tensor(self._graph, key) for key, _ in pairs]
        arrays = [feed_array(t, value) for t, (_, value) in zip(tensors, pairs, strict=True)]
        parsed = Fetches(self._graph, fetches)
        return parsed.pack(holding(found.lock, found.step, parsed, tensors, arrays))

    def _plan(
        self,
        tensors: Sequence[Tensor],
        operations: Sequence[Operation],
        feeds: Sequence[Tensor],
        done: frozenset[Operation] = frozenset(),
    ) -> Plan:
        references: frozenset[Tensor] = frozenset()
        args = tensors, operations, feeds, self._kernels, references, done
        return holding(self._lock, build, *args)

    def _check_open(self) -> None:
        if self._closed or self._aborted:
            raise self._gone()
        if not self._graph.version:
            raise RuntimeError(_EMPTY_EAGER if context.modes.top.eager else _EMPTY)

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """A function that runs `fetches`, taking the values of `feed_list` as positional arguments.

        It does less work per call than `run`.

        For a sparse tensor in `feed_list` it takes a `SparseTensorValue`.

        Raises:
          TypeError: if `feed_list` is not a list or tuple; and as `run` does.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as sess:
        ...     x = hf.placeholder(hf.float32, [])
        ...     f = sess.make_callable(x + 1.0, [x])
        ...     print(f(2.0))
        3.0
        """
        if feed_list is not None and not isinstance(feed_list, (list, tuple)):
            raise TypeError("`feed_list` must be a list or tuple.")
        keys = list(feed_list or ())
        parts = [feed_keys(key) for key in keys]
        tensors = [key for part in parts for key in part]
        runnable, edition = self._make(fetches, tensors), self._edition
        feeds = runnable.feeds
        plain = all(
            len(part) == 1 and part[0] is key for part, key in zip(parts, keys, strict=True)
        )

        def call(*args: Any, options: Any = None, run_metadata: Any = None) -> Any:
            nonlocal runnable, edition
            if self._closed or self._aborted:
                raise self._gone()
            if edition != self._edition:
                runnable, edition = self._make(fetches, tensors), self._edition
            if len(args) != len(keys):
                raise ValueError(f"The callable takes {len(keys)} values, got {len(args)}.")
            if not plain:
                pairs = [expand_feed(key, value) for key, value in zip(keys, args, strict=True)]
                args = tuple([value for parts in pairs for _, value in parts])
            seconds = self._seconds if options is None else _seconds(options) or self._seconds
            if not seconds and run_metadata is None:
                values = runnable.quick(args)
                if values is not None:
                    return runnable.fetches.pack(values)
            arrays = [feed_array(t, v) for t, v in zip(feeds, args, strict=True)]
            return _finish(runnable, arrays, options, run_metadata, seconds)

        return call

    def __repr__(self) -> str:
        return f"<hf.{type(self).__name__}{' (closed)' if self._closed else ''} of {self._graph!r}>"


class Session(BaseSession, Opener):
    """Runs a graph and holds the values of its variables.

    Args:
      target: the target of a server of this process, or "".
      graph: the graph to run; the default graph if it is None.
      config: a `ConfigProto`.

    As a context manager it makes itself and its graph the default, and closes itself at the end.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     a = hf.constant(5.0) * hf.constant(6.0)
    ...     with hf.Session() as sess:
    ...         print(sess.run(a), a.eval())
    30.0 30.0
    """

    def __init__(
        self, target: str = "", graph: Graph | None = None, config: ConfigProto | None = None
    ) -> None:
        super().__init__(target, graph, config)

    def _open(self, opened: Opened) -> Session:
        if any(e.opened is not None and e.opened._opener is self for e in context.sessions.entries):
            raise RuntimeError(_NOT_REENTRANT)
        self._graph.as_default()._open(opened)
        self.as_default()._open(opened)
        opened.on_exit(self.close)
        return self

    if TYPE_CHECKING:

        def __enter__(self) -> Session:
            """Makes it, and its graph, the default."""

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Has new sessions of a server of this process begin without values of variables.

        Those that there are raise `AbortedError` when they are run.

        Args:
          target: the target of the server.
          containers: list of the containers (see `hf.container`) whose variables lose their values;
            all by default.
          config: accepted for compatibility.

        Raises:
          NotFoundError: if there is no such server.
        """
        if not target:
            return
        if target not in LOCAL_TARGETS:
            raise NotFoundError(None, None, _NO_CLUSTER.format(target=target))
        shared = LOCAL_TARGETS[target]
        for graph, (_, kernels) in list(shared.items()):
            for session in list(graph.keepers):
                if isinstance(session, BaseSession) and session._kernels is kernels:
                    session._abort()
            for op in [op for op in kernels if _container(op) in (containers or ())]:
                del kernels[op]
        if not containers:
            shared.clear()


class InteractiveSession(BaseSession):
    """A session that makes itself the default until it is closed, for use in a shell.

    A graph that it is given becomes the default graph as well.

    >>> import hybridflow as hf
    >>> sess = hf.InteractiveSession(graph=hf.Graph())
    >>> hf.constant(2.0).eval()
    np.float32(2.0)
    >>> sess.close()
    """

    _active = 0

    def __init__(
        self, target: str = "", graph: Graph | None = None, config: ConfigProto | None = None
    ) -> None:
        super().__init__(target, graph, config)
        if InteractiveSession._active:
            warnings.warn(
                "An interactive session is already active. Call `InteractiveSession.close()` "
                "explicitly to release what the other session holds.",
                stacklevel=2,
            )
        # As in TF, a graph that was not named stays the default only as long as it was to:
        # `reset_default_graph` still works, and the block that made it the default may end.
        self._mode: context.Mode | None = None
        if graph is not None or context.modes.top.eager:
            self._mode = context.Mode(False, graph)
            context.modes.push(self._mode)
        context.sessions.push(self)
        InteractiveSession._active += 1

    def close(self) -> None:
        """Closes the session and stops it from being the default."""
        if not self._closed:
            super().close()
            InteractiveSession._active -= 1
            context.sessions.discard(self)
            if self._mode is not None:
                context.modes.discard(self._mode)


def get_default_session() -> Any:
    """The innermost default session of the thread, or None.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     hf.get_default_session() is sess
    True
    """
    return context.sessions.top
