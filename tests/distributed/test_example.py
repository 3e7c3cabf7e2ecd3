"""The example on many ranks: it learns, and goes on from checkpoints on another number of ranks."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.distributed.launching import ROOT, mpiexec

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")

PROGRAM = str(ROOT / "scripts" / "examples" / "on_ranks.py")


def test_training_goes_on(tmp_path):
    words = ["-m", "hybridflow", "run", PROGRAM, "--folder", tmp_path, "--steps"]
    first = mpiexec(2, *words, 60)
    assert first.returncode == 0, first.stderr
    second = subprocess.run(
        [sys.executable, *map(str, words), "110"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0, second.stderr
    steps = [int(step) for step in re.findall(r"step (\d+) ", first.stdout + second.stdout)]
    assert steps == [0, 50, 59, 100, 109]
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", first.stdout + second.stdout)]
    assert losses[-1] < 0.5 * losses[0]
