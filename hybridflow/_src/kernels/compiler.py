"""From kernels to addresses, in the background: from the cache, else by the compile worker.

Work is done by one thread, which starts with the first job and sleeps between jobs; the worker
process ends when it has been idle for a while. Nothing here makes the program wait.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

from hybridflow._src.kernels import cache, driver, loader
from hybridflow._src.kernels.pipes import receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.kernels.kernel import Kernel

_IDLE_SECONDS = 20.0


class CompileError(Exception):
    """A kernel could not be made."""


class _Worker:
    """The compile worker's process."""

    def __init__(self) -> None:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hybridflow._src.kernels.worker"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # an interrupt at the keyboard is for the program alone
        )

    def compile(self, kernel: Kernel) -> bytes:
        """The object code of a kernel.

        Raises:
          CompileError: if Numba refuses it. OSError, EOFError: if the process is gone.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        request = {"symbol": kernel.symbol, "source": kernel.source}
        send(stdin.fileno(), json.dumps(request).encode())
        problem = json.loads(receive(stdout.fileno()))["error"]
        if problem:
            raise CompileError(f"Kernel {kernel.label}: {problem}")
        return receive(stdout.fileno())

    def abandon(self) -> None:
        """Closes the pipes, by which the process ends unless another process has them open."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def close(self) -> None:
        """Ends the process."""
        self.abandon()
        self._process.kill()
        self._process.wait()


class Compiler:
    """Makes kernels and keeps them: one for the process.

    Attributes:
      compiled, loaded, failed: how many kernels the worker compiled, how many came from the cache,
        and how many could not be made.
    """

    def __init__(self) -> None:
        self.compiled = self.loaded = self.failed = 0
        self._addresses: dict[Kernel, int] = {}
        self._errors: dict[Kernel, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._worker: _Worker | None = None

    # -- jobs --------------------------------------------------------------------------------------

    def submit(self, job: Callable[[], None]) -> None:
        """Has a job done in the background; it may call `obtain`."""
        with self._changed:
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="hybridflow-compiler", daemon=True
                )
                self._thread.start()
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
                    if not changed.wait(_IDLE_SECONDS) and not self._jobs:
                        self._end_worker()
                job = self._jobs.popleft()
                self._busy = True
            try:
                job()
            except Exception:  # a defect: told to whoever looks, and no reason to stop compiling
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
            if self._worker is None:
                self._worker = _Worker()
            try:
                return self._worker.compile(kernel)
            except (OSError, EOFError, ValueError):
                # The process is gone, killed perhaps for its memory: once more with another.
                self._end_worker()
                if attempt == 2:
                    raise
        raise AssertionError

    def enter(self) -> Callable[[int], int]:
        """The function that runs a program; see `driver`. For jobs alone."""
        if self._enter is None:
            self._enter = driver.python_function(self._obtain(driver.ENTRY))
        return self._enter

    _enter: Callable[[int], int] | None = None

    # -- processes ---------------------------------------------------------------------------------

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """Ends the worker process at the end of the program."""
        self._end_worker()

    def after_fork(self) -> None:
        """Forgets the parent's thread and worker, in the child."""
        if self._worker is not None:
            self._worker.abandon()
            _parents.append(self._worker)
        self._reset()


# Workers of the process that this one was forked from: never waited for here.
_parents: list[_Worker] = []
# Held while LLVM is used, and while the process forks: LLVM's own locks must be free in the child.
_loading = threading.Lock()
COMPILER = Compiler()
atexit.register(COMPILER.close)


def _after_fork() -> None:
    _loading.release()
    COMPILER.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_after_fork
    )


def available() -> bool:
    """Whether kernels are compiled at all: not under `NUMBA_DISABLE_JIT` or without a Python to
    run the worker."""
    return not os.environ.get("NUMBA_DISABLE_JIT", "").strip("0") and bool(sys.executable)
