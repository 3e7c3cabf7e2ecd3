"""Ranks of two machines, which are network namespaces with a slow link between them.

One point of the cost model of docs/ranks.md is measured against what it predicts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.distributed.launching import MPIEXEC, ROOT, is_open_mpi

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")

BITS = 100_000_000  # a second, each way
SMALL, LARGE = 4, 4_000_000
# hydra starts its proxy on a host by `launcher HOST PROXY ...`.
LAUNCHER = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec "$(cat "$(dirname "$0")/$host")" sh -c "$*"
"""


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def await_link(name: str) -> None:
    """Waits until the wire carries something: MPI would find that nobody is at its other end."""
    until = time.monotonic() + 10
    while "state UP" not in command("ip", "-n", name, "link", "show", "wire"):
        assert time.monotonic() < until, f"the wire of {name} stays down"
        time.sleep(0.01)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The names of two namespaces with a link, by their addresses."""
    if is_open_mpi():
        pytest.skip("Open MPI's launcher needs a daemon in each namespace")
    if not shutil.which("ip") or not shutil.which("tc"):
        pytest.skip("`ip` and `tc` (iproute2) are not installed")
    names = {f"10.89.7.{n}": f"hybridflow-{os.getpid()}-{n}" for n in (1, 2)}
    with contextlib.ExitStack() as stack:
        try:
            for name in names.values():
                command("ip", "netns", "add", name)
                stack.callback(command, "ip", "netns", "del", name)
            first, second = names.values()
            ends = ["type", "veth", "peer", "name", "wire", "netns", second]
            command("ip", "-n", first, "link", "add", "name", "wire", *ends)
            for address, name in names.items():
                inside = ("ip", "-n", name)
                command(*inside, "addr", "add", f"{address}/24", "dev", "wire")
                command(*inside, "link", "set", "wire", "up")
                command(*inside, "link", "set", "lo", "up")
                slow = ["tbf", "rate", f"{BITS}bit", "burst", "64kb", "latency", "100ms"]
                command("tc", "-n", name, "qdisc", "add", "dev", "wire", "root", *slow)
                (tmp_path / address).write_text(name)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network of one's own: {' '.join(error.cmd)}: {error.stderr.strip()}")
        for name in names.values():
            await_link(name)
        yield names


def test_a_sum_over_a_slow_link(figures: Any, machines: dict[str, str], tmp_path: Path) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    first, _ = machines.values()
    options = f"-launcher ssh -launcher-exec {launcher} -hosts {','.join(machines)}".split()
    options += ["-iface", "wire", "-ppn", "1", "-n", "2"]
    program = [sys.executable, "-m", "perf.network", str(SMALL), str(LARGE)]
    ended = subprocess.run(
        [*f"ip netns exec {first}".split(), MPIEXEC, *options, *program],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HYBRIDFLOW_NUM_THREADS": "1",
            # MPICH goes by UCX, which would find that the memory is shared; elsewhere by libfabric.
            "UCX_TLS": "tcp,self",
            "UCX_NET_DEVICES": "wire",
            "FI_PROVIDER": "tcp",
            "FI_TCP_IFACE": "wire",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["local_size"] == 1
    small, large = found["seconds"]
    # Of two ranks, the sum of n bytes: two latencies, as of the smallest one, and n / B.
    predicted = small + 8 * LARGE / BITS
    note = f"{large:.3f} s, predicted {predicted:.3f} s"
    figures.add("4 MB over 100 Mbit/s, over the prediction", large / predicted, "x", 1.25, note)
