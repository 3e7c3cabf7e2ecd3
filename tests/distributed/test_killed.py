"""Ranks that are killed: the job ends soon; started again it goes on from its last checkpoint."""

from __future__ import annotations

import random
import re
import shutil
import signal
import time
from os import kill

import numpy as np
import pytest

from tests.distributed.killed import STEPS
from tests.distributed.launching import started

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")

# So many kills come before a job is left to run to its end.
IN_TURN = 5


def start(count, kind, folder):
    folder.mkdir(exist_ok=True)
    return started(count, "-m", "tests.distributed.killed", kind, folder)


def finish(count, kind, folder):
    """Runs to the end; gives the step at which it began, and the weights."""
    with start(count, kind, folder) as process:
        told, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    begun = {int(step) for step in re.findall(r"begins at step (\d+)", told)}
    assert len(begun) == 1, told
    with np.load(folder / f"weights{count}.npz") as weights:
        return begun.pop(), dict(weights)


def ends_of_kill(kind, folder, chance):
    """Starts it on two ranks and kills one; gives the seconds until the job had ended."""
    with start(2, kind, folder) as process:
        pids = []
        while len(pids) < 2:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            pids += [int(pid) for pid in re.findall(r"pid (\d+)", line)]
        time.sleep(chance.uniform(0.0, 1.0))
        began = time.monotonic()
        if process.poll() is None:
            kill(chance.choice(pids), signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        return time.monotonic() - began, process.returncode, errors


def equal(found, wanted):
    return all(np.array_equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        ("tables", 1),
        *[pytest.param(kind, 50, marks=pytest.mark.slow) for kind in ("weights", "tables")],
    ],
)
def test_killed_at_any_moment(tmp_path, kind, kills):
    began, wanted = finish(2, kind, tmp_path / "whole")
    assert began == 0
    chance = random.Random(kills)
    for number in range(kills):
        folder = tmp_path / f"killed{number // IN_TURN}"
        seconds, code, errors = ends_of_kill(kind, folder, chance)
        assert seconds < 10
        assert errors.count("Traceback (most recent call last)") == 0, errors
        if (number + 1) % IN_TURN and number + 1 < kills:
            continue
        kept = shutil.copytree(folder, tmp_path / "kept")
        step, found = finish(2, kind, folder)
        print(f"kill {number}: exit {code}, {seconds:.2f} s, goes on at step {step} of {STEPS}")
        assert equal(found, wanted)
        # Again from there on other numbers of ranks, where sums are added in another order. Its
        # place is the same, since the folder's list of checkpoints has whole paths.
        shutil.rmtree(folder)
        kept.rename(folder)
        other, found = finish(3 if number % 2 else 1, kind, folder)
        assert other == step
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-4)
