"""What is measured: a subject is one peer's way to do one workload."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np


class Subject(NamedTuple):
    """One peer's way to do a workload.

    Attributes:
      step: does it once, and returns when it is done.
      result: the arrays that the steps so far have led to, to be compared with NumPy's.
      ready: called after two steps; returns when the third is as quick as it gets.
      facts: what else there is to know, after `ready`.
      mode: a context in which steps run.
      compared: whether its result has to be NumPy's.
      tolerance: how well: elements differ by at most `tolerance * (|element| + 0.01 * most)`, with
        `most` the largest of them, at least 1.
    """

    step: Callable[[], Any]
    result: Callable[[], list[Any]]
    ready: Callable[[], Any] = lambda: None
    facts: Callable[[], dict[str, Any]] = dict
    mode: Callable[[], Any] = contextlib.nullcontext
    compared: bool = True
    tolerance: float = 1e-4


class Answers(Subject):
    """A subject whose result is what a step gives: one array, or a list of some."""

    def __new__(cls, step: Callable[[], Any], **rest: Any) -> Answers:
        def result() -> list[Any]:
            found = step()
            return [np.asarray(a) for a in (found if isinstance(found, list) else [found])]

        return super().__new__(cls, step, result, **rest)


# The subjects of a peer's modules: by family and variant the function that makes one for a problem.
IMPLEMENTATIONS: dict[tuple[str, str], Callable[[Any], Subject]] = {}
# The variant of NumPy's that others are compared with where it is not timed itself.
REFERENCE = "reference"
# Where the modules of a peer are.
_PARTS = ("networks", "files", "input", "sparse", "sequences")
_FOLDERS = ("perf.peers", *[f"perf.peers.{part}" for part in _PARTS])


def load(peer: str) -> list[ModuleType]:
    """Imports the modules of a peer, so that its subjects are known."""
    names = [f"{folder}.{peer}" for folder in _FOLDERS]
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]


def implements(family: str, variant: str = "") -> Callable[[Any], Any]:
    """Marks a function that makes a peer's subject for a problem of a family.

    It gives None for problems that the peer has no way to do.
    """

    def mark(make: Callable[[Any], Subject]) -> Callable[[Any], Subject]:
        IMPLEMENTATIONS[family, variant] = make
        return make

    return mark
