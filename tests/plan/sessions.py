"""Helpers for tests of what a session's plans become."""

from __future__ import annotations

from typing import Any

from tests import native


def plan_of(session: Any, fetches: Any) -> Any:
    """The plan of the last runnable that fetches these."""
    wanted = fetches if isinstance(fetches, list | tuple) else [fetches]
    for runnable in reversed(session._runnables.values()):
        found = [*runnable.fetches.tensors, *runnable.fetches.operations]
        if all(item in found for item in wanted):
            return runnable.plan
    raise AssertionError("not run yet")


def program_of(session: Any, fetches: Any, feed_dict: Any = None) -> Any:
    """The native program, after as many runs as it takes."""
    for _ in range(2):
        session.run(fetches, feed_dict)
    native.wait()
    plan = plan_of(session, fetches)
    assert native.programs(plan), native.fallbacks(plan)
    return native.programs(plan)[-1]
