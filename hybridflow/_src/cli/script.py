"""`hybridflow run`: a TF-1.x script runs as under `python SCRIPT`, on hybridflow."""

from __future__ import annotations

import builtins
import io
import os
import random
import sys
import types
from importlib.machinery import SourceFileLoader
from multiprocessing import spawn
from typing import Any

import numpy as np

from hybridflow._src.cli import tracebacks
from hybridflow._src.cli.shim import finder
from hybridflow._src.framework import seeds
from hybridflow._src.framework.default_graph import enable_eager_execution


def run(path: str, arguments: list[str], mode: str, seed: int | None) -> int:
    """Runs a script as `__main__` and gives the exit status.

    Args:
      path: the script's file.
      arguments: what follows in `sys.argv`.
      mode: "eager" or "graph", the mode it starts in.
      seed: seed of NumPy, `random`, and all graphs that it sets no seed for.

    Raises:
      SystemExit: where the script does. KeyboardInterrupt: when it was interrupted; it has been
        shown then.
    """
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        print(f"hybridflow: can't open file {path!r}: {error}", file=sys.stderr)
        return 2
    prepare()
    if mode == "eager":
        enable_eager_execution()
    if seed is not None:
        seeds.set_seed_of_unset(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
    module = _main_module(path, arguments)
    try:
        exec(compile(source, module.__file__ or path, "exec"), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        # Without this frame, so that it is shown as under `python SCRIPT`.
        trace = None if error.__traceback__ is None else error.__traceback__.tb_next
        sys.excepthook(type(error), error, trace)
        if isinstance(error, KeyboardInterrupt):
            # Python itself ends the process as the signal does; it has been shown already.
            sys.excepthook = _silent
            raise
        return 1
    return 0


def prepare() -> None:
    """Makes this process, and those that it starts by `multiprocessing`, one that runs scripts."""
    finder.install()
    sys.excepthook = tracebacks.show
    spawn.get_preparation_data = _preparation_data


def _main_module(path: str, arguments: list[str]) -> types.ModuleType:
    """A new `__main__`; `sys.argv` and `sys.path` as the script expects them."""
    full = os.path.abspath(path)
    sys.argv[:] = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    module = types.ModuleType("__main__")
    module.__dict__.update(
        __file__=full,
        __cached__=None,
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", full),
    )
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    sys.modules["__main__"] = module
    return module


def _silent(*_: Any) -> None:
    """In place of `sys.excepthook` where the exception has been shown."""


class _Prepare:
    """Calls `prepare` where it is unpickled: at the start of a process that is not forked."""

    def __reduce__(self) -> Any:
        return prepare, ()


_plain_preparation_data = spawn.get_preparation_data


def _preparation_data(name: str) -> dict[str, Any]:
    data = {"hybridflow": _Prepare(), **_plain_preparation_data(name)}
    if name == "ignore":
        # A fork server asks, which would run the script unprepared; what it forks is prepared.
        data.pop("init_main_from_path", None)
    return data
