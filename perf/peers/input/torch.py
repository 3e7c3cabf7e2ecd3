"""PyTorch: a data loader of a tensor, and one of lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from perf.workloads.input import BATCH, Lines, Rows, numbered
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
