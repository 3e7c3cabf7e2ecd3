"""What stands around the session of a monitored one: hooks, threads that end, recovery."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import AbortedError, UnavailableError
from hybridflow._src.platform import tf_logging
from hybridflow._src.runtime.config import RunMetadata, RunOptions
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunValues,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.train.hooks.session_run_hook import SessionRunHook
    from hybridflow._src.train.sessions.coordinator import Coordinator

# Something that a session depends on has gone away: another session may do.
LOST = (AbortedError, UnavailableError)
_LOST = (
    "An error was raised%s. This may be due to a preemption in a connected worker or parameter "
    "server. The current session will be closed and a new session will be created. Error: %s"
)


class StepContext:
    """What a function given to `MonitoredSession.run_step_fn` may do.

    Args:
      session: the session, whose own runs call no hooks.
      run_with_hooks_fn: runs with hooks.
    """

    def __init__(self, session: Any, run_with_hooks_fn: Callable[..., Any]) -> None:
        self._session = session
        self._run_with_hooks = run_with_hooks_fn

    @property
    def session(self) -> Any:
        """The session, whose own runs call no hooks."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """`MonitoredSession.run`."""
        return self._run_with_hooks(*args, **kwargs)

    def request_stop(self) -> None:
        """Leaves the function; there is to be no further step.

        Raises:
          StopIteration: always.
        """
        raise StopIteration("step_fn has requested the iterations to stop.")


class WrappedSession:
    """A session, or one that is wrapped already, until it is closed."""

    def __init__(self, sess: Any) -> None:
        self._sess = sess

    @property
    def graph(self) -> Any:
        """The graph that the session runs."""
        return self._sess.graph

    @property
    def sess_str(self) -> str:
        """The target that the session was made for."""
        target: str = self._sess.sess_str
        return target

    def should_stop(self) -> bool:
        """Tells whether it is to run no more; so it is after it was closed."""
        if self._check_stop() or self._sess is None:
            return True
        return isinstance(self._sess, WrappedSession) and self._sess.should_stop()

    def _check_stop(self) -> bool:
        return False

    def close(self) -> None:
        """Closes the session."""
        sess, self._sess = self._sess, None
        if sess is not None:
            with contextlib.suppress(*LOST):
                sess.close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """`Session.run`."""
        return self._sess.run(*args, **kwargs)

    def run_step_fn(
        self, step_fn: Callable[[Any], Any], raw_session: Any, run_with_hooks: Any
    ) -> Any:
        """Calls a function with a `StepContext`."""
        return step_fn(StepContext(raw_session, run_with_hooks or self.run))


class RecoverableSession(WrappedSession):
    """A session that is made anew where one is lost (`AbortedError`, `UnavailableError`).

    Args:
      sess_creator: an object with `create_session`.
    """

    def __init__(self, sess_creator: Any) -> None:
        self._creator = sess_creator
        super().__init__(self._create())

    def _create(self) -> Any:
        while True:
            try:
                return self._creator.create_session()
            except LOST as error:
                tf_logging.info(_LOST, " while a session was being created", error)

    def _check_stop(self) -> bool:
        try:
            return self._sess is None or bool(self._sess._check_stop())
        except LOST as error:
            tf_logging.info(_LOST, " while considering whether the session is complete", error)
            self.close()
            self._sess = self._create()
            return False
        except Exception:
            return True

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """`Session.run`, as often as it takes."""
        return self._persist(
            lambda: self._sess.run(
                fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata
            )
        )

    def run_step_fn(
        self, step_fn: Callable[[Any], Any], raw_session: Any, run_with_hooks: Any
    ) -> Any:
        """Calls a function with a `StepContext`, as often as it takes."""
        return self._persist(lambda: self._sess.run_step_fn(step_fn, raw_session, self._sess.run))

    def _persist(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                if self._sess is None:
                    self._sess = self._create()
                return step()
            except LOST as error:
                tf_logging.info(_LOST, "", error)
                self.close()


class CoordinatedSession(WrappedSession):
    """A session with threads beside it: what one of them raises, it raises.

    Args:
      sess: the session.
      coord: the coordinator of the threads.
      stop_grace_period_secs: how long they may still run when it is closed.
    """

    def __init__(self, sess: Any, coord: Coordinator, stop_grace_period_secs: float = 120) -> None:
        super().__init__(sess)
        self._coord = coord
        self._grace = stop_grace_period_secs

    def _check_stop(self) -> bool:
        self._coord.raise_requested_exception()
        return self._coord.should_stop()

    def close(self) -> None:
        """Has the threads end, and closes the session."""
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._grace, ignore_live_threads=True)
        finally:
            # What is worth knowing, `join` raises.
            with contextlib.suppress(Exception):
                super().close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """`Session.run`; where a thread had lost something first, that is what is raised."""
        try:
            return self._sess.run(*args, **kwargs)
        except LOST:
            raise
        except Exception as error:
            try:
                self._coord.raise_requested_exception()
            except LOST:
                raise
            except Exception:
                pass
            raise error


class HookedSession(WrappedSession):
    """A session whose runs call hooks.

    Args:
      sess: the session.
      hooks: the hooks.
    """

    def __init__(self, sess: Any, hooks: Sequence[SessionRunHook]) -> None:
        super().__init__(sess)
        self._hooks = hooks
        self._should_stop = False

    def _check_stop(self) -> bool:
        return self._should_stop

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """`Session.run`, with what hooks want fetched and fed.

        Raises:
          RuntimeError: if it was to run no more, or a tensor is fed twice.
        """
        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._sess)
        options = options or RunOptions()
        run_metadata = run_metadata or RunMetadata()
        wanted: dict[Any, Any] = {"caller": fetches}
        feeds = self._asked(context, wanted, feed_dict, options)
        found = self._sess.run(
            fetches=wanted, feed_dict=feeds, options=options, run_metadata=run_metadata
        )
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(found.get(hook), options, run_metadata))
        self._should_stop = self._should_stop or context.stop_requested
        return found["caller"]

    def _asked(
        self, context: SessionRunContext, fetches: dict[Any, Any], feed_dict: Any, options: Any
    ) -> Any:
        """Asks the hooks what they want: adds to the fetches and options, and gives the feeds."""
        feeds: dict[Any, Any] = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                fetches[hook] = request.fetches
            if request.feed_dict:
                _check_apart(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options:
                _merge_options(options, request.options)
        if feeds and feed_dict:
            _check_apart(feed_dict, feeds, "Same tensor is fed by a SessionRunHook and user.")
            feeds.update(feed_dict)
        return feeds or feed_dict


def _check_apart(one: Any, other: Any, message: str) -> None:
    both = [key for key in one if key in other]
    if both:
        raise RuntimeError(f"{message} Conflict(s): {both}")


def _merge_options(options: Any, more: Any) -> None:
    """Adds what a hook wants of a run: the larger number, all that is watched."""
    for name in ("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs"):
        setattr(options, name, max(getattr(options, name), getattr(more, name)))
    options.debug_options.debug_tensor_watch_opts.extend(more.debug_options.debug_tensor_watch_opts)
