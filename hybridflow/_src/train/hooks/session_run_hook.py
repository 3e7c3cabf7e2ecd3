"""`SessionRunHook`: what is called before and after each run of a monitored session."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues"]


class SessionRunHook:
    """Something beside the runs of a monitored session; a class of your own defines what it needs.

    >>> import hybridflow as hf
    >>> class Show(hf.train.SessionRunHook):
    ...     def after_run(self, run_context, run_values):
    ...         print("ran", run_context.original_args.fetches.name)
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0, name="x")
    ...     with hf.train.MonitoredSession(hooks=[Show()]) as session:
    ...         _ = session.run(x)
    ran x:0
    """

    def begin(self) -> None:
        """Called once, before the session is made: ops may still be added to the default graph."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when a session has been made, also after one was lost.

        Args:
          session: the session.
          coord: the `Coordinator` of its threads.
        """

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Called before each run; what it gives is fetched and fed besides, or nothing is."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run that succeeded, with the values of what `before_run` asked for."""

    def end(self, session: Any) -> None:
        """Called before the session is closed, unless an error other than the end of input came."""


class SessionRunArgs(NamedTuple):
    """What a run is called with.

    Attributes:
      fetches, feed_dict: as `Session.run` takes them. options: a `RunOptions`, or None.

    >>> import hybridflow as hf
    >>> hf.train.SessionRunArgs("loss:0")
    SessionRunArgs(fetches='loss:0', feed_dict=None, options=None)
    """

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave.

    Attributes:
      results: the values of the fetches that the hook asked for, in their structure.
      options: the `RunOptions` of the run. run_metadata: its `RunMetadata`.

    >>> import hybridflow as hf
    >>> hf.train.SessionRunValues(0.5, None, None).results
    0.5
    """

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """What a hook is told of the run, and how it asks that there be no more.

    >>> import hybridflow as hf
    >>> context = hf.train.SessionRunContext(hf.train.SessionRunArgs("loss:0"), None)
    >>> context.request_stop()
    >>> context.stop_requested
    True
    """

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """What the program called the run with."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session, whose own runs call no hooks."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        """Whether this is to be the last run."""
        return self._stop_requested

    def request_stop(self) -> None:
        """Makes this the last run."""
        self._stop_requested = True
