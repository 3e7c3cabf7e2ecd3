"""The workloads of the table on hybridflow and NumPy, in this process, for pytest-benchmark.

The suite (`scripts/bench`) measures all peers in turns; this is for looking at one thing closely:
`--benchmark-compare`, `--benchmark-cprofile`, `--benchmark-histogram`.
"""

from __future__ import annotations

import importlib

import pytest

from perf.suite.server import settled
from perf.workloads.problems import FAMILIES
from perf.workloads.subject import IMPLEMENTATIONS
from perf.workloads.table import TABLE


def _makers(peer):
    IMPLEMENTATIONS.clear()
    importlib.reload(importlib.import_module(f"perf.peers.{peer}"))
    return dict(IMPLEMENTATIONS)


MAKERS = {peer: _makers(peer) for peer in ("numpy", "hybridflow")}
CASES = [
    pytest.param(workload, makers[key], id=f"{workload.name}-{peer}:{key[1]}")
    for workload in TABLE
    if workload.in_process
    for peer, makers in MAKERS.items()
    for key in makers
    if key[0] == workload.family
]


@pytest.mark.parametrize(("workload", "make"), CASES)
def test_workload(benchmark, workload, make):
    subject = make(FAMILIES[workload.family](**workload.params))
    if subject is None:
        pytest.skip("this way is for other problems")
    settled(subject)
    benchmark.group = workload.name
    benchmark.extra_info.update(subject.facts())
    with subject.mode():
        benchmark(subject.step)
