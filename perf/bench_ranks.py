"""Training on two ranks with one thread each, beside MPI's own sums and one process.

It needs two processors that have nothing else to do: ranks wait for each other.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.distributed.launching import mpiexec

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")


def measured(count: int, what: str) -> Any:
    ended = mpiexec(count, "-m", "perf.ranks", what, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_costs(figures):
    """The constants of the cost model, see docs/ranks.md."""
    latency, a_byte = measured(2, "costs")
    figures.add("a sum of 32 bytes", 1e6 * latency, "us", float("inf"))
    figures.add("a sum of 40 MB", 1e-9 / a_byte, "GB/s", float("inf"))


def test_transfers(figures):
    for what, (plain, ours), target in zip(
        ("40 MB of gradients", "1,000 gradients of 64 x 64"),
        measured(2, "transfers"),
        (1 / 0.9, 1 / 0.8),
        strict=True,
    ):
        figures.add(f"{what} over Allreduce", ours / plain, "x", target, f"{1e3 * ours:.2f} ms")


def test_weak_scaling(figures):
    alone, together = measured(1, "steps"), measured(2, "steps")
    for what, (one, _), (two, plain) in zip(
        ("digits", "convolution"), alone, together, strict=True
    ):
        note = (
            f"{1e6 * one:.0f} us alone, {1e6 * two:.0f} us on two ranks; "
            f"{1e6 * (one + plain):.0f} us with MPI's own sum of one buffer"
        )
        figures.add(f"step on two ranks over alone, {what}", two / one, "x", 1 / 0.9, note)
