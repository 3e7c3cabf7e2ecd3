"""From kernels to addresses, in the background: from the cache, else by the compile worker.

Work is done by one thread, which starts with the first job and sleeps between jobs; the worker
process ends when it has been idle for a while. Nothing here makes the program wait.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

from hybridflow._src.kernels import cache, driver, loader
from hybridflow._src.kernels.crew import LINGER, SHARE, Crew
from hybridflow._src.kernels.pipes import receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.kernels.kernel import Kernel

_IDLE_SECONDS = 20.0
# The worker imports from where this process does, and never from the folder that it was started in.
# Numba would import SciPy for its own linear algebra, which takes as long as to compile a kernel or
# three.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; sys.modules['scipy'] = None; "
    "from hybridflow._src.kernels.worker import main; main()"
)


class CompileError(Exception):
    """A kernel could not be made."""


class _Worker:
    """The compile worker's process."""

    def __init__(self) -> None:
        import subprocess

        # Settings of Numba for the program are none for kernels: keys do not tell of them.
        environment = {
            name: value
            for name, value in os.environ.items()
            if name != "PYTHONPATH" and not name.startswith("NUMBA_")
        }
        path = [os.path.abspath(folder) for folder in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *path],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),
            env=environment,
            start_new_session=True,  # an interrupt at the keyboard is for the program alone
        )

    def compile(self, kernel: Kernel) -> bytes:
        """The object code of a kernel.

        Raises:
          CompileError: if Numba refuses it. OSError, EOFError: if the process is gone, or is no
            worker.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        send(stdin.fileno(), f"{kernel.symbol}\n{kernel.source}".encode())
        answer = receive(stdout.fileno())
        if answer.startswith(b"-"):
            raise CompileError(f"Kernel {kernel.label}: {answer[1:].decode(errors='replace')}")
        if not answer.startswith(b"+"):
            raise OSError(f"{sys.executable} does not run the compile worker.")
        return answer[1:]

    def abandon(self) -> None:
        """Closes the pipes, by which the process ends unless another process has them open."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def kill(self) -> None:
        """Ends the process; whoever waits for its answer is told."""
        self._process.kill()
        self._process.wait()


class Compiler:
    """Makes kernels and keeps them: one for the process.

    Attributes:
      compiled, loaded, failed: how many kernels the worker compiled, how many came from the cache,
        and how many could not be made.
      forks: how often the process was forked off from one that had imported this. Jobs of the
        parent are not done in the child.
    """

    def __init__(self) -> None:
        self.compiled = self.loaded = self.failed = self.forks = 0
        self.closed = False
        self._addresses: dict[Kernel, int] = {}
        self._errors: dict[Kernel, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = False
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._worker: _Worker | None = None

    # -- jobs --------------------------------------------------------------------------------------

    def submit(self, job: Callable[[], None]) -> None:
        """Has a job done in the background; it may call `obtain`."""
        # The lock itself: between a condition and its lock an interrupt could come.
        with self._lock:
            # An interrupt may have come while it was started.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._serve, name="hybridflow-compiler", daemon=True
                )
                try:
                    self._thread.start()
                except RuntimeError:
                    return  # there can be no more threads, or the process is about to end
            self._jobs.append(job)
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until no job is left; tells whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, seconds)

    def _serve(self) -> None:
        changed = self._changed
        while True:
            with changed:
                self._busy = False
                changed.notify_all()
                while not self._jobs:
                    idle = None if self._worker is None else _IDLE_SECONDS
                    if not changed.wait(idle) and not self._jobs:
                        self._end_worker()
                job = self._jobs.popleft()
                self._busy = True
            try:
                job()
            except Exception:  # a defect: told to whoever looks, and no reason to stop compiling
                import logging

                logging.getLogger("hybridflow").exception("A compile job failed.")

    # -- kernels -----------------------------------------------------------------------------------

    def obtain(self, kernels: Iterable[Kernel]) -> dict[Kernel, int]:
        """The addresses of kernels. It takes as long as it takes: for jobs alone.

        Raises:
          CompileError: if one cannot be made.
        """
        return {kernel: self._obtain(kernel) for kernel in kernels}

    def _obtain(self, kernel: Kernel) -> int:
        address = self._addresses.get(kernel)
        if address is not None:
            return address
        if kernel in self._errors:
            raise CompileError(self._errors[kernel])
        try:
            address = self._addresses[kernel] = self._make(kernel)
        except (CompileError, OSError, EOFError, RuntimeError, ValueError, ImportError) as error:
            self.failed += 1
            self._errors[kernel] = f"{type(error).__name__}: {error}"
            raise CompileError(self._errors[kernel]) from error
        return address

    def _make(self, kernel: Kernel) -> int:
        with _loading:
            key = kernel.key
        code = cache.load(key)
        if code is not None:
            try:
                with _loading:
                    address = loader.load(code, kernel.symbol)
                self.loaded += 1
                return address
            except RuntimeError:
                pass  # an entry that is no object code: made anew
        code = self._compile(kernel)
        with _loading:
            address = loader.load(code, kernel.symbol)
        self.compiled += 1
        cache.store(key, code)
        return address

    def _compile(self, kernel: Kernel) -> bytes:
        for attempt in (1, 2):
            if self.closed:
                raise CompileError("The process is about to end.")
            if self._worker is None:
                # Not while the process forks: the child would keep open what tells of the start.
                with _loading:
                    self._worker = _Worker()
            try:
                return self._worker.compile(kernel)
            except (OSError, EOFError):
                # The process is gone, killed perhaps for its memory: once more with another.
                self._end_worker()
                if attempt == 2:
                    raise
        raise AssertionError

    def entry(self) -> driver.Entry:
        """The way into programs. For jobs alone."""
        if self._entry is None:
            self._entry = driver.Entry(self._obtain(driver.ENTRY))
        return self._entry

    def crew(self) -> Crew:
        """How programs are run side by side. For jobs alone."""
        if self._crew is None:
            share, linger = (
                driver.python_function(self._obtain(kernel), 0) for kernel in (SHARE, LINGER)
            )
            self._crew = Crew(self.entry().enter, share, linger)
        return self._crew

    _entry: driver.Entry | None = None
    _crew: Crew | None = None

    # -- processes ---------------------------------------------------------------------------------

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            worker.abandon()

    def close(self) -> None:
        """Ends all work at the end of the program."""
        self.closed = True
        # LLVM must be at rest while the process ends, so this is not given back.
        _loading.acquire(timeout=10)
        worker = self._worker
        if worker is not None:
            worker.kill()

    def after_fork(self) -> None:
        """Forgets the parent's thread and worker, in the child."""
        if self._worker is not None:
            self._worker.abandon()
            _parents.append(self._worker)
        self.forks += 1
        self._reset()


# Workers of the process that this one was forked from: never waited for here.
_parents: list[_Worker] = []
# Held while LLVM is used or the worker is started, and while the process forks.
_loading = threading.Lock()
COMPILER = Compiler()
atexit.register(COMPILER.close)


def _before_fork() -> None:
    if not COMPILER.closed:
        _loading.acquire()


def _after_fork_in_parent() -> None:
    if not COMPILER.closed:
        _loading.release()


def _after_fork_in_child() -> None:
    _after_fork_in_parent()
    COMPILER.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
