"""hybridflow: a dataset in a graph."""

from __future__ import annotations

import hybridflow as hf
from perf.peers.hybridflow import Program
from perf.peers.input import tf1
from perf.workloads.input import Lines, Rows
from perf.workloads.subject import Subject, implements


@implements("batches", "graph")
def batches(problem: Rows) -> Subject:
    return tf1.shuffled(hf, Program(), problem)


@implements("lines", "graph")
def lines(problem: Lines) -> Subject:
    return tf1.looked_up(hf, Program(), problem, hf.contrib.lookup.index_table_from_tensor)
