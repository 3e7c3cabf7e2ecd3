"""What the measurements share: timing in turns with a baseline, and the closing list of figures."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--targets", action="store_true", help="fail where a target is missed")


_figures: list[str] = []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _figures:
        terminalreporter.section("figures")
        for line in _figures:
            terminalreporter.write_line(line)


class Figures:
    """Takes figures down and, where asked to, holds them to their targets."""

    def __init__(self, enforce: bool) -> None:
        self._enforce = enforce

    def add(self, what: str, value: float, unit: str, target: float, note: str = "") -> None:
        """Notes `value`, which should be at most `target`."""
        verdict = "ok" if value <= target else "MISSED"
        line = f"{what:44} {value:9.3f} {unit:6} (target {target:g}: {verdict})  {note}"
        _figures.append(line.rstrip())
        if self._enforce:
            assert value <= target, line


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request.config.getoption("--targets"))


@pytest.fixture(autouse=True)
def _collected() -> None:
    """Garbage of one measurement is not collected in the next."""
    gc.collect()


def seconds(call: Callable[[], Any], number: int) -> float:
    """The time of one call, from a loop of `number`."""
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number


@pytest.fixture
def in_turns() -> Callable[..., tuple[float, ...]]:
    """Times functions in turns and gives the best time of each, in seconds."""

    def measure(
        *calls: Callable[[], Any], number: int = 10_000, rounds: int = 9
    ) -> tuple[float, ...]:
        best = [float("inf")] * len(calls)
        for _ in range(rounds):
            for index, call in enumerate(calls):
                best[index] = min(best[index], seconds(call, number))
        return tuple(best)

    return measure
