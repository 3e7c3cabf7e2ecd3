"""PyTorch: a matrix in compressed rows, and its CTC loss."""

from __future__ import annotations

from typing import Any

import torch

from perf.workloads.sparse import SPOKEN, Product, Spoken
from perf.workloads.subject import Answers, Subject, implements


@implements("product")
def product(problem: Product) -> Subject:
    pairs = torch.from_numpy(problem.indices.T.copy())
    matrix = torch.sparse_coo_tensor(pairs, torch.from_numpy(problem.values), problem.shape)
    rows = matrix.coalesce().to_sparse_csr()
    dense = torch.from_numpy(problem.dense)
    return Answers(lambda: rows @ dense)


@implements("spoken")
def spoken(problem: Spoken) -> Subject:
    times, batch, classes = problem.logits.shape
    logits = torch.from_numpy(problem.logits.copy()).requires_grad_()
    labels = torch.from_numpy(problem.labels).long()
    lengths = torch.full((batch,), times), torch.full((batch,), labels.shape[1])

    def step() -> None:
        logits.grad = None
        scores = logits.log_softmax(2)
        torch.nn.functional.ctc_loss(
            scores, labels, *lengths, blank=classes - 1, reduction="sum"
        ).backward()

    def result() -> list[Any]:
        step()
        return [logits.grad.numpy()]

    return Subject(step, result, tolerance=SPOKEN)
