"""The process of the compile worker, as the program that it works for sees it.

It is isolated. It runs no file of the user's: it has Python's standard library and the packages
that it needs, each from where this process has it, and nothing else can be imported there; so a
user's `yaml.py`, for which Numba looks, is never run. It reads no settings of Python's or Numba's,
of which the keys of kernels do not tell. And it is only ever started where this process is known
to be run by a Python: the executable of a frozen app is that app, which would start anew.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.pipes import receive, send

# Set for the worker, which must not start workers, whatever runs in its place.
_MARK = "HYBRIDFLOW_COMPILE_WORKER"
_PACKAGE = __name__.partition(".")[0]
# Besides the standard library.
_NEEDED = ("numpy", "llvmlite", "numba")
# What `main` writes is for us; what anything prints goes to the other stream. Our own package has
# the part alone that compiles.
_PROGRAM = f"""
import os, sys
from importlib.machinery import ModuleSpec, PathFinder
answers = os.dup(1)
os.dup2(2, 1)
own, *homes = sys.argv[1:]
homes = dict(zip({_NEEDED}, homes))
bare = {{"{_PACKAGE}": own, "{_PACKAGE}._src": os.path.join(own, "_src")}}
class Given:
    def find_spec(name, path=None, target=None):
        if name in homes:
            return PathFinder.find_spec(name, [homes[name]])
        if name in bare:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations.append(bare[name])
            return spec
sys.meta_path.insert(0, Given)
try:
    from {_PACKAGE}._src.kernels.worker import main
except BaseException as error:
    text = f"-{{type(error).__name__}}: {{error}}".encode()
    os.write(answers, len(text).to_bytes(8, "little") + text)
else:
    main(0, answers)
"""
# A worker that takes longer for one kernel is ended.
_MOST_SECONDS = 120.0
_SECONDS_TO_EXIT = 5.0
_NO_WORKER = "{} does not run the compile worker"


class CompileError(Exception):
    """A kernel could not be made."""


class WorkerGone(Exception):
    """The worker ended before it gave an answer: it was killed, perhaps for its memory."""


def _python() -> str:
    """The Python that runs the worker.

    Raises:
      CompileError: if there is none.
    """
    if getattr(sys, "frozen", False):
        raise CompileError("a frozen app has no Python to run the compile worker")
    if _MARK in os.environ:
        raise CompileError("the compile worker does not start another one")
    path = sys.executable or ""
    if "python" not in os.path.basename(path).lower():
        raise CompileError(f"{path or 'nothing'} is no Python to run the compile worker")
    return path


def _home(package: str) -> str:
    """The folder, or the archive, in which a package lies.

    Raises:
      CompileError: if it is not there.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CompileError(f"{package} is not there")
    return os.path.dirname(os.path.abspath(next(iter(spec.submodule_search_locations))))


def _command() -> list[str]:
    options = ["-I", "-S"]
    if sys.dont_write_bytecode:
        options.append("-B")
    if sys.pycache_prefix is not None:
        options += ["-X", f"pycache_prefix={os.path.abspath(sys.pycache_prefix)}"]
    homes = [os.path.join(_home(_PACKAGE), _PACKAGE), *map(_home, _NEEDED)]
    return [_python(), *options, "-c", _PROGRAM, *homes]


class Worker:
    """A process that compiles.

    Attributes:
      is_ready: whether it takes requests.

    Raises:
      CompileError: if it cannot be started.
    """

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
        self.is_ready = False
        try:
            self._process = subprocess.Popen(
                _command(),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.path.abspath(os.sep),
                env={**environment, _MARK: "1"},
                start_new_session=True,  # an interrupt at the keyboard is for the program alone
            )
        except OSError as error:
            raise CompileError(f"the compile worker does not start: {error}") from None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def compile(self, kernel: Kernel) -> bytes:
        """The object code of a kernel.

        Raises:
          CompileError: if it cannot be made, or the process is no worker. WorkerGone: if the
            process has ended, or takes too long and is ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        limit = threading.Timer(_MOST_SECONDS, self._process.kill)
        limit.daemon = True
        limit.start()
        try:
            send(stdin.fileno(), f"{kernel.symbol}\n{kernel.source}".encode())
            if not self.is_ready:
                self._take(receive(stdout.fileno()))
                self.is_ready = True
            return self._take(receive(stdout.fileno()), f"kernel {kernel.label}: ")
        except (EOFError, BrokenPipeError):
            if not self.is_ready and self._has_exited():
                raise CompileError(_NO_WORKER.format(sys.executable)) from None
            self.is_ready = False
            raise WorkerGone from None
        except OSError:
            raise CompileError(_NO_WORKER.format(sys.executable)) from None
        finally:
            limit.cancel()

    def _has_exited(self) -> bool:
        """Whether it ended of its own accord."""
        try:
            return self._process.wait(_SECONDS_TO_EXIT) >= 0
        except subprocess.TimeoutExpired:
            return False

    @staticmethod
    def _take(answer: bytes, what: str = "the compile worker does not start: ") -> bytes:
        if answer.startswith(b"-"):
            raise CompileError(f"{what}{answer[1:].decode(errors='replace')}")
        if not answer.startswith(b"+"):
            raise OSError
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
