"""`Supervisor`: the older way to train, save, summarize and go on."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import AbortedError
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection, get_collection
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.platform import tf_logging
from hybridflow._src.summary.summary import merge_all
from hybridflow._src.summary.writer import FileWriter
from hybridflow._src.train.saving.saver import Saver
from hybridflow._src.train.sessions.coordinator import Coordinator, LooperThread
from hybridflow._src.train.sessions.services import (
    SVStepCounterThread,
    SVSummaryThread,
    SVTimerCheckpointThread,
)
from hybridflow._src.train.sessions.session_manager import SessionManager
from hybridflow._src.train.training_util import global_step as value_of
from hybridflow._src.train.writing import add_graph_to
from hybridflow._src.variables.initialization import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.runtime.session import Session

__all__ = ["Supervisor", "basic_train_loop"]

# No value was given.
USE_DEFAULT: Any = type("UseDefault", (), {"__repr__": lambda self: "USE_DEFAULT"})()


class Supervisor:
    """Makes a session from the latest checkpoint, and saves and summarizes in threads beside it.

    `MonitoredTrainingSession` is the newer way. Where an op is not given, the first one in its
    collection is used, or else one is made; None stands for none. The graph is read-only then.

    Args:
      graph: the graph; the default one if it is None.
      ready_op: a string tensor that names what is not initialized; empty when all is ready.
      ready_for_local_init_op: the same, to be empty before `local_init_op` is run.
      is_chief: whether it initializes and saves; else it waits until another has initialized.
      init_op: initializes the global variables. init_feed_dict: what is fed to it.
      local_init_op: initializes local variables and tables.
      logdir: the folder of checkpoints and events; without one nothing is saved.
      summary_op: all summaries.
      saver: the saver.
      global_step: the global step.
      save_summaries_secs: seconds from one summary to the next; 0 for none.
      save_model_secs: seconds from one checkpoint to the next; 0 for none.
      recovery_wait_secs: seconds from one look to the next, where it waits.
      stop_grace_secs: how long threads may still run when it stops.
      checkpoint_basename: how the names of checkpoints begin.
      session_manager: a `SessionManager`, instead of one made from all these.
      summary_writer: a `FileWriter`; None for no events.
      init_fn: called with the session after `init_op`.

    Raises:
      RuntimeError: in eager mode.
      ValueError: for one that is no chief, if a variable stands on no device.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> def train(folder, last_step):
    ...     with hf.Graph().as_default():
    ...         step = hf.train.get_or_create_global_step()
    ...         count = hf.assign_add(step, 1)
    ...         supervisor = hf.train.Supervisor(logdir=folder)
    ...         with supervisor.managed_session() as session:
    ...             while session.run(step) < last_step:
    ...                 print(session.run(count), end=" ")
    ...             supervisor.saver.save(session, supervisor.save_path, global_step=step)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     train(folder, last_step=2)
    ...     train(folder, last_step=4)
    1 2 3 4
    """

    USE_DEFAULT = USE_DEFAULT

    def __init__(
        self,
        graph: Graph | None = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Any = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: Any = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float = 120,
        save_model_secs: float = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: SessionManager | None = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Session], Any] | None = None,
    ) -> None:
        if context.modes.top.eager:
            raise RuntimeError(
                "Supervisors are not compatible with eager execution. Use `with hf.graph_mode():`."
            )
        graph = get_default_graph() if graph is None else graph
        self._graph = graph
        with graph.as_default():
            self._ready_op = _first(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = _first(
                ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, _none
            )
            self._init_op = _first(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._local_init_op = _first(local_init_op, GraphKeys.LOCAL_INIT_OP, _local_init_op)
            self._saver = _first(saver, GraphKeys.SAVERS, _saver)
            self._summary_op = _first(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = _first(global_step, GraphKeys.GLOBAL_STEP, _global_step)
        self._init_feed_dict = init_feed_dict
        self._init_fn = init_fn
        self._is_chief = is_chief
        self._coord = Coordinator()
        self._grace = stop_grace_secs
        self._logdir = os.fspath(logdir) if is_chief and logdir else None
        self._save_summaries_secs = save_summaries_secs if is_chief else None
        self._save_model_secs = save_model_secs if is_chief else None
        self._save_path = self._logdir and os.path.join(self._logdir, checkpoint_basename)
        self._summary_writer = None
        if is_chief and summary_writer is not USE_DEFAULT:
            self._summary_writer = summary_writer
        elif self._logdir:
            self._summary_writer = FileWriter(self._logdir)
        self._graph_is_written = False
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op,
            ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op,
            graph=graph,
            recovery_wait_secs=recovery_wait_secs,
        )
        if not is_chief:
            for op in graph.get_operations():
                if op.type in ("Variable", "VariableV2") and not op.device:
                    raise ValueError(
                        f"When using replicas, all Variables must have their device set: {op}"
                    )
        graph.finalize()

    # -- what it has -------------------------------------------------------------------------------

    @property
    def is_chief(self) -> bool:
        """Whether it initializes and saves."""
        return self._is_chief

    @property
    def session_manager(self) -> SessionManager:
        """What makes its sessions."""
        return self._session_manager

    @property
    def coord(self) -> Coordinator:
        """The coordinator of its threads."""
        return self._coord

    @property
    def init_op(self) -> Any:
        """Initializes the global variables."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        """Names what is not initialized."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """Names what is to be initialized before local variables."""
        return self._ready_for_local_init_op

    @property
    def summary_writer(self) -> Any:
        """The `FileWriter`, or None."""
        return self._summary_writer

    @property
    def summary_op(self) -> Any:
        """All summaries, or None."""
        return self._summary_op

    @property
    def save_summaries_secs(self) -> float | None:
        """Seconds from one summary to the next."""
        return self._save_summaries_secs

    @property
    def global_step(self) -> Any:
        """The global step, or None."""
        return self._global_step

    @property
    def saver(self) -> Any:
        """The saver, or None."""
        return self._saver

    @property
    def save_model_secs(self) -> float | None:
        """Seconds from one checkpoint to the next."""
        return self._save_model_secs

    @property
    def save_path(self) -> str | None:
        """How the paths of checkpoints begin."""
        return self._save_path

    # -- sessions and threads ----------------------------------------------------------------------

    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> ManagedSession:
        """A context manager that gives a session, and stops and closes all at its end.

        What the block or a thread raises is raised at the end, but for `OutOfRangeError`, the end
        of the input.

        Args:
          master: the target of the session.
          config: its options.
          start_standard_services: whether threads save and summarize.
          close_summary_writer: whether the events are closed at the end.
        """
        made = (master, config, start_standard_services)
        return ManagedSession(self, made, close_summary_writer)

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Session:
        """A session in which all is ready.

        Args:
          master: its target.
          config: its options.
          wait_for_checkpoint: whether to wait for a checkpoint.
          max_wait_secs: how many seconds to wait at most.
          start_standard_services: whether threads save and summarize.

        Raises:
          RuntimeError, DeadlineExceededError: as the `SessionManager` does.
        """
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
        if self._is_chief:
            sess = self._session_manager.prepare_session(
                master,
                init_op=self._init_op,
                saver=self._saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                tf_logging.info("Starting standard services.")
                self.start_standard_services(sess)
        else:
            sess = self._session_manager.wait_for_session(
                master, config=config, max_wait_secs=max_wait_secs
            )
        if start_standard_services:
            tf_logging.info("Starting queue runners.")
            self.start_queue_runners(sess)
        return sess

    def _write_graph(self) -> None:
        writer = None if self._graph_is_written else self._summary_writer
        add_graph_to(writer, self._graph, self._logdir, self._saver)
        self._graph_is_written = self._graph_is_written or bool(writer)

    def start_standard_services(self, sess: Session) -> list[LooperThread]:
        """Starts the threads that summarize, count steps and save; gives them.

        Raises:
          RuntimeError: for one that is no chief.
        """
        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors "
                "can write events."
            )
        if not self._logdir:
            tf_logging.warning("Standard services need a 'logdir' passed to the SessionManager")
            return []
        if self._global_step is not None and self._summary_writer:
            step = value_of(sess, self._global_step)
            start = messages.SessionLog(status=messages.SessionLog.START)
            self._summary_writer.add_session_log(start, step)
        threads: list[LooperThread] = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SVSummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(SVStepCounterThread(self, sess))
        if self._saver and self._save_model_secs:
            threads.append(SVTimerCheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def start_queue_runners(
        self, sess: Session, queue_runners: Iterable[Any] | None = None
    ) -> list[Any]:
        """Starts the threads of queue runners, by default those in their collection; gives them.

        Raises:
          RuntimeError: in eager mode.
        """
        if context.modes.top.eager:
            raise RuntimeError("Queues are not compatible with eager execution.")
        if queue_runners is None:
            queue_runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS)
        threads: list[Any] = []
        for runner in queue_runners:
            threads += runner.create_threads(sess, coord=self._coord, daemon=True, start=True)
        return threads

    def loop(
        self,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> LooperThread:
        """Starts a thread that calls something again and again; see `LooperThread`."""
        return LooperThread.loop(self._coord, timer_interval_secs, target, args, kwargs)

    def stop(
        self,
        threads: Iterable[Any] | None = None,
        close_summary_writer: bool = True,
        ignore_live_threads: bool = False,
    ) -> None:
        """Has all threads end, and closes the events.

        Args:
          threads: threads to wait for, beside its own.
          close_summary_writer: whether the events are closed.
          ignore_live_threads: whether threads that run on are no error.

        Raises:
          RuntimeError: if threads run on. What a thread has raised.
        """
        self._coord.request_stop()
        try:
            self._coord.join(threads, self._grace, ignore_live_threads)
        finally:
            if close_summary_writer and self._summary_writer:
                stop = messages.SessionLog(status=messages.SessionLog.STOP)
                self._summary_writer.add_session_log(stop)
                self._summary_writer.close()
                self._graph_is_written = False

    def request_stop(self, ex: Any = None) -> None:
        """`Coordinator.request_stop`."""
        self._coord.request_stop(ex)

    def should_stop(self) -> bool:
        """`Coordinator.should_stop`."""
        return self._coord.should_stop()

    def stop_on_exception(self) -> Any:
        """`Coordinator.stop_on_exception`."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """`Coordinator.wait_for_stop`."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess: Session, summary: Any, global_step: int | None = None) -> None:
        """Writes a summary.

        Args:
          sess: a session.
          summary: a `Summary` message, or the value of a summary op.
          global_step: its step; the session's by default.

        Raises:
          TypeError: if it is no summary. RuntimeError: without a writer.
        """
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if not isinstance(summary, (bytes, messages.Summary)):
            raise TypeError(f"Expected a Summary message or its bytes, got {summary!r:.200}.")
        if global_step is None and self._global_step is not None:
            global_step = value_of(sess, self._global_step)
        self._summary_writer.add_summary(summary, global_step)

    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = start_queue_runners
    StartStandardServices = start_standard_services
    Stop = stop
    RequestStop = request_stop
    Loop = loop
    ShouldStop = should_stop
    StopOnException = stop_on_exception
    WaitForStop = wait_for_stop
    SummaryComputed = summary_computed


class ManagedSession:
    """The context manager of `Supervisor.managed_session`."""

    def __init__(
        self, supervisor: Supervisor, made: tuple[str, Any, bool], close_summary_writer: bool
    ) -> None:
        self._supervisor = supervisor
        self._made = made
        self._close_summary_writer = close_summary_writer
        self._sess: Session | None = None

    def __enter__(self) -> Session:
        master, config, services = self._made
        try:
            self._sess = self._supervisor.prepare_or_wait_for_session(
                master, config=config, start_standard_services=services
            )
        except Exception as error:
            self._end(error)
            raise
        return self._sess

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        self._end(error)
        # An exception was reported, and is raised again unless it is a good end.
        return isinstance(error, Exception)

    def _end(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self._supervisor.request_stop(error)
        try:
            self._supervisor.stop(close_summary_writer=self._close_summary_writer)
        finally:
            if self._sess is not None:
                with contextlib.suppress(Exception):
                    self._sess.close()


def basic_train_loop(
    supervisor: Supervisor,
    train_step_fn: Callable[..., Any],
    args: Iterable[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    master: str = "",
) -> None:
    """Calls a function again and again, in a session that a supervisor manages.

    Args:
      supervisor: the supervisor; its `request_stop` ends the loop.
      train_step_fn: called with the session, `args` and `kwargs`; after an `AbortedError` again in
        a new session.
      args, kwargs: further arguments.
      master: the target of the session.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     count = hf.assign_add(hf.train.get_or_create_global_step(), 1)
    ...     supervisor = hf.train.Supervisor()
    ...     def step(session):
    ...         if session.run(count) == 3:
    ...             supervisor.request_stop()
    ...     hf.train.basic_train_loop(supervisor, step)
    """
    retry = True
    while retry:
        retry = False
        try:
            with supervisor.managed_session(master) as sess:
                while not supervisor.should_stop():
                    train_step_fn(sess, *(args or ()), **(kwargs or {}))
        except AbortedError:
            retry = True


def _first(given: Any, key: str, make: Callable[[], Any]) -> Any:
    """What is given; else the first item of a collection; else what is made, and put there."""
    if given is not USE_DEFAULT:
        return given
    found = get_collection(key)
    if len(found) > 1:
        tf_logging.info("Found %d %s operations. Returning the first one.", len(found), key)
    if found:
        return found[0]
    made = make()
    if made is not None:
        add_to_collection(key, made)
    return made


def _none() -> None:
    return None


def _local_init_op() -> Any:
    return group(local_variables_initializer(), tables_initializer())


def _saver() -> Any:
    return Saver() if global_variables() else None


def _global_step() -> Any:
    try:
        found = get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if found.dtype.base_dtype in (dtypes.int32, dtypes.int64):
        return found
    tf_logging.warning("Found 'global_step' is not an int type: %s", found.dtype)
    return None
