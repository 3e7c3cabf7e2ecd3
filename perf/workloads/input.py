"""Input: rows in a random order, another one in each epoch; lines of text as numbers of words."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from perf.workloads.subject import Subject

BATCH = 128


class Rows(NamedTuple):
    """Rows to be shuffled, all of them, and batched."""

    values: np.ndarray  # [n, width], n a multiple of the batch


def _rows(count: int, width: int) -> Rows:
    return Rows(np.random.default_rng(7).random((count, width), np.float32))


class TextFile:
    """A file with these lines, which is gone when nobody has it."""

    def __init__(self, lines: list[str]) -> None:
        number, self.name = tempfile.mkstemp(".txt")
        with open(number, "w", encoding="utf-8") as file:
            file.writelines(lines)
        weakref.finalize(self, os.unlink, self.name)


class Lines(NamedTuple):
    """Lines of words, to be split and numbered, a batch of lines at a time."""

    file: TextFile
    lines: int  # how many, a multiple of the batch
    words: list[str]  # in the order of their numbers; others are -1


def _lines(count: int, words: int) -> Lines:
    rng = np.random.default_rng(7)
    known = [f"word{number}" for number in range(words)]
    lines = []
    for length in rng.integers(4, 25, count):
        # Words are the rarer the higher their numbers; some are not known.
        numbers = (words * 1.05 * rng.random(length) ** 2).astype(int)
        lines.append(" ".join(f"word{number}" for number in numbers) + "\n")
    return Lines(TextFile(lines), count, known)


def batches(problem: Rows, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes a batch of rows."""
    return _epochs(len(problem.values) // BATCH, take)


def numbered(problem: Lines, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes the numbers of the words in a batch of lines."""
    subject = _epochs(problem.lines // BATCH, take)
    # The subject has the file as long as it is.
    return subject._replace(facts=lambda: {"bytes": os.path.getsize(problem.file.name)})


def _epochs(count: int, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes one of so many batches; what all of an epoch come to is
    compared.
    """
    taken = 0

    def step() -> Any:
        nonlocal taken
        taken = (taken + 1) % count
        return take()

    def result() -> list[np.ndarray]:
        while taken:
            step()
        return [np.sum([np.sum(step(), axis=0) for _ in range(count)], axis=0)]

    return Subject(step, result, tolerance=1e-3)


FAMILIES: dict[str, Any] = {"batches": _rows, "lines": _lines}
