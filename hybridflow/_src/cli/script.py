"""`hybridflow run`: a TF-1.x program runs as under `python`, on hybridflow."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.cli import program as programs
from hybridflow._src.cli import tracebacks
from hybridflow._src.cli.program import Program, Unreadable
from hybridflow._src.cli.shim import process
from hybridflow._src.framework import seeds
from hybridflow._src.framework.default_graph import enable_eager_execution
from hybridflow._src.ranks import failing, launching, whole_lines

if TYPE_CHECKING:
    import types


def run(program: Program, mode: str, seed: int | None) -> int:
    """Runs a program as `__main__` and gives the exit status.

    Args:
      program: what runs.
      mode: "eager" or "graph", the mode it starts in.
      seed: seed of NumPy, `random`, and all graphs that it sets no seed for.

    Raises:
      SystemExit: where the program does. KeyboardInterrupt: when it was interrupted; it has been
        shown then.
    """
    if launching.launch() is not None:
        whole_lines.install()
    try:
        start = program.begin()
    except Unreadable as error:
        print(f"hybridflow: {error}", file=sys.stderr)
        failing.ends_job_at_exit(2)
        return 2
    prepare()
    if mode == "eager":
        enable_eager_execution()
    if seed is not None:
        seeds.set_seed_of_unset(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
    try:
        start()
    except SystemExit as end:
        if end.code:
            failing.ends_job_at_exit(end.code)
        raise
    except BaseException as error:
        sys.excepthook(type(error), error, _below_us(error.__traceback__))
        failing.ends_job_at_exit()
        if isinstance(error, KeyboardInterrupt):
            # Python itself ends the process as the signal does; it has been shown already.
            sys.excepthook = _silent
            raise
        return 1
    return 0


def _below_us(trace: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback as `python` has it, from the program's own first line on."""
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, programs.__file__):
        trace = trace.tb_next
    return trace


def prepare() -> None:
    """Makes this process, and those that it starts by `multiprocessing`, one that runs scripts."""
    sys.excepthook = tracebacks.show
    process.install(prepare)


def _silent(*_: Any) -> None:
    """In place of `sys.excepthook` where the exception has been shown."""
