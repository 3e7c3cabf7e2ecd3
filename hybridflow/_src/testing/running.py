"""Programs of tests."""

from __future__ import annotations

import sys
import unittest
from typing import Any, NoReturn

from hybridflow._src.framework.errors import UnimplementedError
from hybridflow._src.platform import app
from hybridflow._src.testing.benchmark import run_benchmarks

__all__ = ["create_local_cluster", "main"]

_BENCHMARKS = "--benchmarks="


def main(argv: list[str] | None = None) -> None:
    """Runs the tests of the module `__main__`, or its benchmarks, and ends the process.

    Args:
      argv: the program's arguments; None: those it was started with. With `--benchmarks=REGEXP` the
        benchmarks with such names run instead of tests.

    Raises:
      SystemExit: with status 0 if all tests passed, else 1.
    """
    arguments = list(sys.argv if argv is None else argv)
    patterns = [a[len(_BENCHMARKS) :] for a in arguments if a.startswith(_BENCHMARKS)]

    def run(rest: list[str]) -> None:
        if patterns:
            run_benchmarks(patterns[-1])
        else:
            unittest.main(module="__main__", argv=rest)

    app.run(main=run, argv=[a for a in arguments if not a.startswith(_BENCHMARKS)])


def create_local_cluster(
    num_workers: int,
    num_ps: int,
    protocol: str = "grpc",
    worker_config: Any = None,
    ps_config: Any = None,
) -> NoReturn:
    """Refused: sessions run graphs in this process, and there are no servers.

    Raises:
      UnimplementedError: always.

    >>> import hybridflow as hf
    >>> hf.test.create_local_cluster(1, 1)
    Traceback (most recent call last):
    hybridflow.errors.UnimplementedError: create_local_cluster starts servers, and there are none...
    """
    raise UnimplementedError(
        None,
        None,
        "create_local_cluster starts servers, and there are none: sessions run graphs in this "
        "process. Use hf.Session().",
    )
