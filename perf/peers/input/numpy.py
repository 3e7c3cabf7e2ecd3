"""Batches as one writes them by hand: rows by a permutation, words by a dict, records by where
their numbers lie.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from perf.workloads.input import BATCH, Lines, Records, Rows, numbered, parsed
from perf.workloads.input import batches as subject
from perf.workloads.subject import Subject, implements


@implements("batches")
def batches(problem: Rows) -> Subject:
    rng = np.random.default_rng(1)
    values = problem.values

    def taken() -> Iterator[np.ndarray]:
        while True:
            order = rng.permutation(len(values))
            for start in range(0, len(values), BATCH):
                yield values[order[start : start + BATCH]]

    return subject(problem, taken().__next__)


@implements("lines")
def lines(problem: Lines) -> Subject:
    number = {word: at for at, word in enumerate(problem.words)}

    def taken() -> Iterator[np.ndarray]:
        while True:
            with open(problem.file.name, encoding="utf-8") as file:
                for _ in range(problem.lines // BATCH):
                    words = " ".join(file.readline() for _ in range(BATCH)).split()
                    yield np.array([number.get(word, -1) for word in words])

    return numbered(problem, taken().__next__)


@implements("records")
def records(problem: Records) -> Subject:
    def taken() -> Iterator[np.ndarray]:
        while True:
            with open(problem.file.name, "rb") as file:
                while data := file.read(problem.length * BATCH):
                    yield problem.numbers(data)

    return parsed(problem, taken().__next__)
