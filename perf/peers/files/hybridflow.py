"""hybridflow: a saver in a graph."""

from __future__ import annotations

import hybridflow as hf
from perf.peers.files import tf1
from perf.peers.hybridflow import Program
from perf.workloads.files import Kept
from perf.workloads.subject import Subject, implements


@implements("save", "graph")
def save(problem: Kept) -> Subject:
    return tf1.saved(hf, Program(), problem)


@implements("restore", "graph")
def restore(problem: Kept) -> Subject:
    return tf1.restored(hf, Program(), problem)
