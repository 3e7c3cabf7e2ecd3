"""PyTorch: a data loader of a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from perf.workloads.input import BATCH, Rows
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
