"""hybridflow: sparse matrices and labels in a graph."""

from __future__ import annotations

import hybridflow as hf
from perf.peers.hybridflow import Program
from perf.peers.sparse import tf1
from perf.workloads.sparse import Product, Spoken
from perf.workloads.subject import Subject, implements


@implements("product", "graph")
def product(problem: Product) -> Subject:
    return tf1.product(hf, Program(), problem)


@implements("spoken", "graph")
def spoken(problem: Spoken) -> Subject:
    return tf1.spoken(hf, Program(), problem)
