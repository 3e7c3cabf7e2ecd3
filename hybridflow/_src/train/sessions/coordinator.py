"""`Coordinator`: several threads that end together, and pass on what one of them raised."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import OutOfRangeError
from hybridflow._src.framework.locks import Flag, holding, new_lock
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Coordinator", "LooperThread"]

# Seconds from one look to the next, at threads that are to end by themselves.
_PAUSE = 0.1


class Coordinator:
    """Lets threads end together: one asks for it, the others see that, all are waited for.

    An exception that a thread reports is raised where the threads are joined.

    Args:
      clean_stop_exception_types: exceptions that are a good end when they are reported, and are not
        raised; `OutOfRangeError`, the end of the input, if it is None.

    >>> import hybridflow as hf
    >>> import threading
    >>> coord, counted = hf.train.Coordinator(), []
    >>> def work():
    ...     while not coord.should_stop():
    ...         counted.append(len(counted))
    ...         if len(counted) == 3:
    ...             coord.request_stop()
    >>> thread = threading.Thread(target=work)
    >>> thread.start()
    >>> coord.join([thread])
    >>> counted
    [0, 1, 2]
    """

    def __init__(
        self, clean_stop_exception_types: Iterable[type[BaseException]] | None = None
    ) -> None:
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (OutOfRangeError,)
        self._clean = tuple(clean_stop_exception_types)
        self._lock = new_lock()
        self._stopped = Flag()
        self._reported: BaseException | None = None
        self._joined = False
        self._registered_threads: dict[Any, None] = {}

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to end.

        Args:
          ex: an exception, or what `sys.exc_info()` gave; of several that are reported the first is
            raised by `join`. After `join` it is raised here.
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        if error is not None and not isinstance(error, BaseException):
            error = ValueError(f"ex must be an exception or what sys.exc_info() gives, got: {ex!r}")
        if isinstance(error, self._clean):
            error = None
        holding(self._lock, self._request_stop, error)

    def _request_stop(self, error: BaseException | None) -> None:
        if self._joined and error is not None:
            raise error
        if not self._stopped.is_set():
            if error is not None and self._reported is None:
                kind = type(error).__name__
                tf_logging.info("Error reported to Coordinator: %s, %s", kind, error)
                self._reported = error
            self._stopped.set()

    def clear_stop(self) -> None:
        """Begins anew: nobody is asked to end, and nothing was reported."""

        def clear() -> None:
            self._joined = False
            self._reported = None
            self._stopped.clear()

        holding(self._lock, clear)

    def should_stop(self) -> bool:
        """Tells whether threads are asked to end."""
        return self._stopped.is_set()

    def stop_on_exception(self) -> StopOnException:
        """A context manager: an exception that leaves it is reported, and goes no further.

        >>> import hybridflow as hf
        >>> coord = hf.train.Coordinator()
        >>> with coord.stop_on_exception():
        ...     raise ValueError("no luck")
        >>> coord.join()
        Traceback (most recent call last):
        ValueError: no luck
        """
        return StopOnException(self)

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until threads are asked to end, so many seconds at most; tells whether they are."""
        return self._stopped.wait(timeout)

    def register_thread(self, thread: Any) -> None:
        """Has `join` wait for a thread too."""
        self._registered_threads[thread] = None

    def join(
        self,
        threads: Iterable[Any] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Waits until threads have ended, and raises what was reported.

        Args:
          threads: threads to wait for, beside those that are registered.
          stop_grace_period_secs: how long threads may still run after they were asked to end.
          ignore_live_threads: whether those that run on after that are no error.

        Raises:
          RuntimeError: if some run on. Whatever was reported to `request_stop`.
        """
        waited = list(dict.fromkeys([*list(self._registered_threads), *(threads or ())]))
        while any(t.is_alive() for t in waited) and not self.wait_for_stop(_PAUSE):
            pass
        end = time.monotonic() + stop_grace_period_secs
        for thread in waited:
            if thread.is_alive():
                thread.join(max(end - time.monotonic(), 0.0))
        left = " ".join([thread.name for thread in waited if thread.is_alive()])
        holding(self._lock, self._end)
        self.raise_requested_exception()
        if left and not ignore_live_threads:
            raise RuntimeError(f"Coordinator stopped with threads still running: {left}")
        if left:
            tf_logging.info("Coordinator stopped with threads still running: %s", left)

    def _end(self) -> None:
        self._joined = True
        self._registered_threads.clear()

    @property
    def joined(self) -> bool:
        """Whether `join` has waited."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raises what was reported to `request_stop`, if anything was."""
        if self._reported is not None:
            raise self._reported


class StopOnException:
    """The context manager of `Coordinator.stop_on_exception`."""

    def __init__(self, coord: Coordinator) -> None:
        self._coord = coord

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if error is not None:
            self._coord.request_stop((kind, error, traceback))
        return True


class LooperThread(threading.Thread):
    """A thread that calls something again and again, until its coordinator asks it to end.

    What that raises is reported to the coordinator, and ends the thread. A class of your own may
    define `run_loop` instead of giving a target.

    Args:
      coord: the coordinator.
      timer_interval_secs: seconds from one call to the next; None for no pause.
      target: what is called. args, kwargs: its arguments.

    Raises:
      ValueError: if `coord` is no coordinator, or there are arguments and no target.

    >>> import hybridflow as hf
    >>> coord, calls = hf.train.Coordinator(), []
    >>> def call(what):
    ...     calls.append(what)
    ...     coord.request_stop()
    >>> looper = hf.train.LooperThread.loop(coord, 60, call, args=("now",))
    >>> coord.join()
    >>> calls
    ['now']
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Iterable[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord!r:.200}")
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        super().__init__(daemon=True)
        self._coord = coord
        self._interval = timer_interval_secs
        self._call = target, tuple(args or ()), kwargs or {}
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> LooperThread:
        """Makes such a thread and starts it."""
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        """What the thread does."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._interval is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                due = time.time()
                while not self._coord.wait_for_stop(due - time.time()):
                    due += self._interval
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called when the thread starts."""

    def stop_loop(self) -> None:
        """Called when the thread ends as it was asked to."""

    def run_loop(self) -> None:
        """Called again and again."""
        target, args, kwargs = self._call
        if target is not None:
            target(*args, **kwargs)
