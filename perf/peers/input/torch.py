"""PyTorch: data loaders of a tensor, of lines, of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from perf.workloads.input import BATCH, Lines, Records, Rows, numbered, parsed
from perf.workloads.input import batches as subject
from perf.workloads.subject import Subject, implements


@implements("batches")
def batches(problem: Rows) -> Subject:
    loader = DataLoader(TensorDataset(torch.from_numpy(problem.values)), BATCH, shuffle=True)

    def taken() -> Iterator[Any]:
        while True:
            for (batch,) in loader:
                yield batch.numpy()

    return subject(problem, taken().__next__)


@implements("lines")
def lines(problem: Lines) -> Subject:
    number = {word: at for at, word in enumerate(problem.words)}

    def together(texts: list[str]) -> Any:
        return torch.tensor([number.get(word, -1) for text in texts for word in text.split()])

    def taken() -> Iterator[Any]:
        while True:
            with open(problem.file.name, encoding="utf-8") as file:
                for batch in DataLoader(file.readlines(), BATCH, collate_fn=together):
                    yield batch.numpy()

    return numbered(problem, taken().__next__)


@implements("records")
def records(problem: Records) -> Subject:
    """It has no parser of `Example`s: the numbers are taken from where they lie."""

    def together(pieces: list[bytes]) -> Any:
        return torch.from_numpy(problem.numbers(b"".join(pieces)))

    def taken() -> Iterator[Any]:
        size = problem.length
        while True:
            with open(problem.file.name, "rb") as file:
                pieces = [file.read(size) for _ in range(problem.records)]
            for batch in DataLoader(pieces, BATCH, collate_fn=together):
                yield batch.numpy()

    return parsed(problem, taken().__next__)
