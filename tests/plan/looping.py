"""Helpers for tests of native control flow: programs that run natively, and what they must give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of

Build = Callable[..., list[Any]]


def interpreted(build: Build, runs: Iterable[Sequence[Any]]) -> list[list[np.ndarray]]:
    """What the interpreter gives for these feeds, one run after the other."""
    with native.interpreter_alone(), hf.Graph().as_default(), hf.Session() as session:
        return _values(session, build, runs)[0]


def natively(
    build: Build, runs: Iterable[Sequence[Any]], config: Any = None
) -> tuple[list[list[np.ndarray]], Any]:
    """What the same runs give where programs take over, and the plan."""
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        return _values(session, build, runs)


def without(*passes: str, threads: int = 0) -> Any:
    """The configuration of a session that leaves out passes over loops."""
    config = hf.ConfigProto(intra_op_parallelism_threads=threads)
    config.graph_options.optimizer_options.without_loop_passes = passes
    return config


def _values(session: Any, build: Build, runs: Iterable[Sequence[Any]]) -> tuple[list[Any], Any]:
    runs = [[np.asarray(array) for array in run] for run in runs]
    feeds = [hf.placeholder(hf.as_dtype(array.dtype), [None] * array.ndim) for array in runs[0]]
    fetches = build(*feeds)
    session.run(hf.global_variables_initializer())
    found = []
    for run in runs:
        found.append(session.run(fetches, dict(zip(feeds, run, strict=True))))
        native.wait()
    return found, plan_of(session, fetches)


def check(
    build: Build, *runs: Sequence[Any], fallbacks: Sequence[str] = (), config: Any = None
) -> Any:
    """Holds native runs to the interpreter's; gives the plan.

    Args:
      build: gives what is fetched, for placeholders of the kinds that the runs feed.
      runs: the first one is taken three times, so that there is a program.
      fallbacks: what may run by its NumPy meaning.
      config: of the native runs.
    """
    every = [runs[0], runs[0], *runs]
    wanted = interpreted(build, every)
    found, plan = natively(build, every, config)
    for number, (got, want) in enumerate(zip(found, wanted, strict=True)):
        for x, y in zip(got, want, strict=True):
            assert np.shape(x) == np.shape(y)
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5, err_msg=f"run {number}")
    assert native.programs(plan), native.fallbacks(plan)
    assert native.fallbacks(plan) == list(fallbacks)
    return plan
