"""hybridflow: a dataset in a graph."""

from __future__ import annotations

import hybridflow as hf
from perf.peers.hybridflow import Program, wait
from perf.peers.input import tf1
from perf.workloads.input import Lines, Records, Rows, Training
from perf.workloads.subject import Subject, implements


@implements("batches", "graph")
def batches(problem: Rows) -> Subject:
    return tf1.shuffled(hf, Program(), problem)


@implements("lines", "graph")
def lines(problem: Lines) -> Subject:
    return tf1.looked_up(hf, Program(), problem, hf.contrib.lookup.index_table_from_tensor)


@implements("records", "graph")
def records(problem: Records) -> Subject:
    return tf1.parsed_records(hf, Program(), problem)


@implements("fed", "graph")
def fed(problem: Training) -> Subject:
    return tf1.trained(hf, Program(), problem, True)._replace(ready=wait)


@implements("fed", "without input")
def without_input(problem: Training) -> Subject:
    return tf1.trained(hf, Program(), problem, False)._replace(ready=wait)
