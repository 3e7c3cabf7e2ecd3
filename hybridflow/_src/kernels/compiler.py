"""From kernels to addresses, in the background: from the cache, else by the compile worker.

It takes as long as it takes, so it is for jobs. The worker's process ends when there have been none
for a while.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.kernels import cache, driver, loader
from hybridflow._src.kernels.crew import LINGER, SHARE, Crew
from hybridflow._src.kernels.jobs import JOBS
from hybridflow._src.kernels.worker_process import CompileError, Worker, WorkerGone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hybridflow._src.kernels.kernel import Kernel

# A kernel for which the worker was ended is tried again: after so many seconds, in which others
# have their turns. Then it is given up: it may be what ends it.
_PAUSES = (0.0, 1.0, 10.0)


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
        # How often the worker was ended while it made a kernel.
        self._ended: dict[Kernel, int] = {}
        self._worker: Worker | None = None
        self._entry: driver.Entry | None = None
        self._crew: Crew | None = None

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until no job is left; tells whether that is so."""
        return JOBS.wait(seconds)

    # -- kernels -----------------------------------------------------------------------------------

    def make(self, kernels: Iterable[Kernel]) -> Iterator[float]:
        """Makes kernels, one in each turn of a job; gives how long the next one has to wait.

        Raises:
          CompileError: if one cannot be made.
        """
        for kernel in kernels:
            while not self._try(kernel):
                yield _PAUSES[self._ended[kernel] - 1]
            yield 0.0

    def missing(self, kernels: Iterable[Kernel]) -> list[Kernel]:
        """Those of some kernels that would have to be compiled. For jobs alone.

        Raises:
          CompileError: if none can be.
        """
        unknown = [kernel for kernel in dict.fromkeys(kernels) if kernel not in self._addresses]
        try:
            with _loading:
                return [kernel for kernel in unknown if not cache.has(kernel.key)]
        except ImportError as error:
            raise CompileError(f"{type(error).__name__}: {error}") from error

    def obtain(self, kernels: Iterable[Kernel]) -> dict[Kernel, int]:
        """The addresses of kernels, which are made at once if they have not been.

        Raises:
          CompileError: if one cannot be made.
        """
        kernels = list(kernels)
        for kernel in kernels:
            while not self._try(kernel):
                pass
        return {kernel: self._addresses[kernel] for kernel in kernels}

    def _try(self, kernel: Kernel) -> bool:
        """Makes a kernel, if it is not there; False if the worker was ended meanwhile."""
        if kernel in self._addresses:
            return True
        if kernel in self._errors:
            raise CompileError(self._errors[kernel])
        try:
            self._addresses[kernel] = self._make(kernel)
        except WorkerGone:
            count = self._ended[kernel] = self._ended.get(kernel, 0) + 1
            if count > len(_PAUSES):
                why = f"kernel {kernel.label}: the compile worker was ended {count} times over it"
                raise self._given_up(kernel, why) from None
            return False
        except CompileError as error:
            raise self._given_up(kernel, str(error)) from None
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            raise self._given_up(kernel, f"{type(error).__name__}: {error}") from error
        return True

    def _given_up(self, kernel: Kernel, why: str) -> CompileError:
        self.failed += 1
        self._errors[kernel] = why
        return CompileError(why)

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
        if self.closed:
            raise CompileError("the process is about to end")
        if self._worker is None:
            # Not while the process forks: the child would keep open what tells of the start.
            with _loading:
                self._worker = Worker()
        try:
            return self._worker.compile(kernel)
        except (CompileError, WorkerGone):
            if not self._worker.is_ready:
                self.end_worker()
            raise

    @staticmethod
    def needed(is_shared: bool) -> tuple[Kernel, ...]:
        """The kernels that run programs, those that threads share, too."""
        return (driver.ENTRY, SHARE, LINGER) if is_shared else (driver.ENTRY,)

    def entry(self) -> driver.Entry:
        """The way into programs. For jobs alone."""
        if self._entry is None:
            self._entry = driver.Entry(self.obtain([driver.ENTRY])[driver.ENTRY])
        return self._entry

    def crew(self) -> Crew:
        """How programs are run side by side. For jobs alone."""
        if self._crew is None:
            found = self.obtain([SHARE, LINGER])
            share, linger = (driver.python_function(found[k], 0) for k in (SHARE, LINGER))
            self._crew = Crew(self.entry().enter, share, linger)
        return self._crew

    # -- processes ---------------------------------------------------------------------------------

    def end_worker(self) -> None:
        """Ends the worker's process, if there is one."""
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
        """Forgets the parent's worker, in the child."""
        if self._worker is not None:
            self._worker.abandon()
            _parents.append(self._worker)
            self._worker = None
        self.forks += 1


# Workers of the process that this one was forked from: never waited for here.
_parents: list[Worker] = []
# Held while LLVM is used or the worker is started: not while the process forks.
_loading = new_lock()
COMPILER = Compiler()
JOBS.idle = COMPILER.end_worker
atexit.register(COMPILER.close)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=COMPILER.after_fork)
