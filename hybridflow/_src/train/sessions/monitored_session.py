"""`MonitoredSession` and its kin: sessions that initialize themselves, recover, and call hooks."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import OutOfRangeError
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.train.sessions import wrapped
from hybridflow._src.train.sessions.coordinator import Coordinator
from hybridflow._src.train.sessions.creators import ChiefSessionCreator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.train.hooks.session_run_hook import SessionRunHook
    from hybridflow._src.train.sessions.scaffold import Scaffold

__all__ = ["MonitoredSession", "SingularMonitoredSession"]

_NOT_EAGER = (
    "Monitored sessions run a graph, and eager mode has none: build the model and the session "
    "inside `with hf.Graph().as_default():`."
)
# The end of the input, or of what was to be done, is a good end.
_GOOD_ENDS = (OutOfRangeError, StopIteration)


class _CoordinatedCreator:
    """Makes sessions with hooks and threads.

    Attributes:
      tf_sess: the session made last. coord: the coordinator of its threads.
    """

    def __init__(
        self, creator: Any, hooks: list[SessionRunHook], stop_grace_period_secs: float
    ) -> None:
        self._creator = creator
        self._hooks = hooks
        self._grace = stop_grace_period_secs
        self.tf_sess: Any = None
        self.coord: Coordinator | None = None

    def create_session(self) -> wrapped.CoordinatedSession:
        self.tf_sess = sess = self._creator.create_session()
        self.coord = coord = Coordinator(clean_stop_exception_types=[])
        for runner in sess.graph.get_collection(GraphKeys.QUEUE_RUNNERS):
            runner.create_threads(sess, coord=coord, daemon=True, start=True)
        for hook in self._hooks:
            hook.after_create_session(sess, coord)
        hooked = wrapped.HookedSession(sess, self._hooks)
        return wrapped.CoordinatedSession(hooked, coord, self._grace)


class _MonitoredSession:
    """What `MonitoredSession` and `SingularMonitoredSession` share."""

    StepContext = wrapped.StepContext
    # It has started them when it was made: `start_queue_runners` has nothing to do.
    starts_queue_runners = True

    def __init__(
        self,
        session_creator: Any,
        hooks: Iterable[SessionRunHook] | None,
        should_recover: bool,
        stop_grace_period_secs: float,
    ) -> None:
        if context.modes.top.eager:
            raise RuntimeError(_NOT_EAGER)
        graph = get_default_graph()
        self._graph_was_finalized = graph.finalized
        self._hooks = list(hooks or ())
        for hook in self._hooks:
            hook.begin()
        self._coordinated_creator = _CoordinatedCreator(
            session_creator or ChiefSessionCreator(), self._hooks, stop_grace_period_secs
        )
        self._sess: wrapped.WrappedSession | None = (
            wrapped.RecoverableSession(self._coordinated_creator)
            if should_recover
            else self._coordinated_creator.create_session()
        )

    @property
    def graph(self) -> Any:
        """The graph that the session runs; None after it was closed."""
        sess = self._tf_sess()
        return None if sess is None else sess.graph

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """`Session.run`, with hooks.

        Raises:
          RuntimeError: if a hook has asked that there be no more runs, or the session is closed.
            What hooks and threads raise, and as `Session.run` does.
        """
        return self._open().run(
            fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata
        )

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Calls a function that may run with hooks and without.

        Args:
          step_fn: a function of one argument, `step_context`: a `StepContext`, whose `session`
            runs without hooks, and `run_with_hooks` with them.

        Returns: what the function does.

        Raises:
          ValueError: if the function takes other arguments. StopIteration: if it has called
            `request_stop`; the `with` statement takes it as a good end.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default():
        ...     x = hf.constant(1.0)
        ...     def step(step_context):
        ...         return step_context.run_with_hooks(x) + step_context.session.run(x)
        ...     with hf.train.MonitoredSession() as session:
        ...         print(session.run_step_fn(lambda step_context: step(step_context)))
        2.0
        """
        arguments = [name for name in inspect.signature(step_fn).parameters if name != "self"]
        if arguments != ["step_context"]:
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and "
                "`step_context` arguments if it's an instance method. Got "
                f"{tuple(arguments)} instead."
            )
        return self._open().run_step_fn(step_fn, self._tf_sess(), None)

    def _open(self) -> wrapped.WrappedSession:
        if self._sess is None:
            raise RuntimeError("Session is already closed.")
        return self._sess

    def should_stop(self) -> bool:
        """Tells whether a hook or a thread has asked that there be no more runs."""
        return self._sess is None or self._sess.should_stop()

    def close(self) -> None:
        """Calls the hooks' `end`, has threads end, and closes the session.

        Raises:
          RuntimeError: if it is closed. What hooks and threads raise.
        """
        self._close(good=True)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> bool:
        good = kind is None or issubclass(kind, _GOOD_ENDS)
        self._close(good)
        return good

    def _close(self, good: bool) -> None:
        try:
            if good:
                for hook in self._hooks:
                    hook.end(self._tf_sess())
        finally:
            try:
                self._open().close()
            finally:
                self._sess = None
                self._coordinated_creator.tf_sess = None
                self._coordinated_creator.coord = None
                if not self._graph_was_finalized:
                    get_default_graph()._unsafe_unfinalize()

    def _is_closed(self) -> bool:
        return self._tf_sess() is None

    def _tf_sess(self) -> Any:
        return self._coordinated_creator.tf_sess


class MonitoredSession(_MonitoredSession):
    """A session that initializes itself, recovers, and calls hooks.

    When it is made, it calls the hooks' `begin`, completes and finalizes the default graph, makes a
    session, restores or initializes the variables, and calls the hooks' `after_create_session`.
    Each run calls their `before_run` and `after_run`. Where an error says that something was lost
    (`AbortedError`, `UnavailableError`), a session is made anew, and the run repeated. The end of a
    `with` statement closes it: hooks' `end` is called, unless by an error other than
    `OutOfRangeError` and `StopIteration`, which are good ends and go no further.

    Args:
      session_creator: makes the session; a `ChiefSessionCreator` if it is None.
      hooks: the hooks.
      stop_grace_period_secs: how long threads may still run when it is closed.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     with hf.train.MonitoredSession() as session:
    ...         print(session.run(v))
    [1. 2.]
    """

    def __init__(
        self,
        session_creator: Any = None,
        hooks: Iterable[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ) -> None:
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A `MonitoredSession` that does not recover, and gives the session itself.

    Args:
      hooks: the hooks.
      scaffold: the ops beside the model; a default one if it is None.
      master: the target of the session.
      config: options of the session.
      checkpoint_dir: the folder whose latest checkpoint is restored.
      stop_grace_period_secs: how long threads may still run when it is closed.
      checkpoint_filename_with_path: the checkpoint that is restored, instead.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=1.0)
    ...     with hf.train.SingularMonitoredSession() as session:
    ...         print(session.raw_session().run(v))
    1.0
    """

    def __init__(
        self,
        hooks: Iterable[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        creator = ChiefSessionCreator(
            scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path
        )
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> Any:
        """The session itself, whose runs call no hooks; None after it was closed."""
        return self._tf_sess()
