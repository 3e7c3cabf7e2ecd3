"""The examples on many ranks: they learn, and go on from checkpoints on other numbers of ranks."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.distributed.launching import ROOT, mpiexec

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")

EXAMPLES = ROOT / "scripts" / "examples"


def run(count, program, folder, steps):
    ended = mpiexec(
        count, "-m", "hybridflow", "run", EXAMPLES / program, "--folder", folder, "--steps", steps
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_tables_go_on_in_other_parts(tmp_path):
    first = run(2, "table_on_ranks.py", tmp_path, 300)
    second = run(3, "table_on_ranks.py", tmp_path, 310)
    assert sorted(re.findall(r"rank (\d): (\d+) of 488", first)) == [("0", "244"), ("1", "244")]
    assert len(re.findall(r"rank \d: 16[23] of 488", second)) == 3
    steps = [int(step) for step in re.findall(r"step (\d+) ", first + second)]
    assert steps == [0, 299, 309]
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", first + second)]
    assert losses[-1] < 0.95 * losses[0]


def test_training_goes_on(tmp_path):
    first = run(2, "on_ranks.py", tmp_path, 60)
    words = ["-m", "hybridflow", "run", EXAMPLES / "on_ranks.py", "--folder", tmp_path]
    second = subprocess.run(
        [sys.executable, *map(str, words), "--steps", "110"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0, second.stderr
    steps = [int(step) for step in re.findall(r"step (\d+) ", first + second.stdout)]
    assert steps == [0, 50, 59, 100, 109]
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", first + second.stdout)]
    assert losses[-1] < 0.5 * losses[0]
