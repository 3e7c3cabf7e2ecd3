"""A program that is killed goes on from its last checkpoint, to the weights of one that was not."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hybridflow as hf

ROOT = Path(hf.__file__).parents[1]
PROGRAM = ROOT / "scripts" / "examples" / "recovering.py"
STEPS = ("--steps", "120", "--save-steps", "3")


def start(folder):
    command = [sys.executable, str(PROGRAM), str(folder), *STEPS]
    environment = {**os.environ, "TF_DETERMINISTIC_OPS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(folder):
    """Runs to the end; gives the step at which it began, and the checksum of the weights."""
    told, _ = start(folder).communicate(timeout=300)
    return int(re.search(r"begins at step (\d+)", told)[1]), re.search(r"weights (\w+)", told)[1]


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_any_moment(tmp_path, kills):
    began, expected = finish(tmp_path / "whole")
    assert began == 0
    # As if it was killed after its last checkpoint.
    assert finish(tmp_path / "whole") == (120, expected)
    chance = random.Random(kills)
    for number in range(kills):
        folder = tmp_path / str(number)
        process = start(folder)
        # From when training begins; what comes before changes nothing.
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert finish(folder)[1] == expected
