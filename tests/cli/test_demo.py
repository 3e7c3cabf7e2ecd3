"""`hybridflow demo` as a person runs it, shortened."""

from __future__ import annotations

import pathlib
import runpy
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = pathlib.Path(__file__).parents[2] / "scripts" / "examples" / "digits.py"


@pytest.fixture(scope="module")
def program():
    return runpy.run_path(str(PROGRAM), run_name="demo")


def test_both_modes_agree_and_keep_the_constraint(program, capsys, tmp_path):
    results = program["main"](["--steps", "120", "--plot", str(tmp_path / "curves.png")])
    eager, graph = results
    assert [r.mode for r in results] == ["eager", "graph"]
    np.testing.assert_allclose(eager.losses, graph.losses, atol=1e-5)
    assert eager.losses[-1] < 0.5 * eager.losses[0]
    assert min(r.accuracy for r in results) > 0.85
    assert max(r.largest_norm for r in results) <= program["MAX_NORM"] * (1 + 1e-6)
    shown = capsys.readouterr().out
    assert "test accuracy" in shown
    assert "eager" in shown


def test_the_constraint_acts(program):
    """With a bound that plain training would pass, the norms stay at it."""
    namespace = program["max_norm"].__globals__
    bound = namespace["MAX_NORM"]
    namespace["MAX_NORM"] = 0.5
    try:
        train, test = program["load"]()
        result = program["train_as_graph"](train, test, 20, lambda: None)
        assert result.largest_norm == pytest.approx(0.5, rel=1e-5)
    finally:
        namespace["MAX_NORM"] = bound


def test_the_data(program):
    train, test = program["load"]()
    assert len(train.images) + len(test.images) == 1797
    assert train.images.shape[1] == 64
    assert train.images.min() >= 0.0
    assert train.images.max() == 1.0
    assert set(test.labels) == set(range(10))


def test_the_command_line():
    run = [sys.executable, "-m", "hybridflow"]
    done = subprocess.run([*run, "--help"], capture_output=True, text=True, check=True)
    assert "demo" in done.stdout
    version = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("hybridflow ")
    wrong = subprocess.run([*run, "dance"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "invalid choice" in wrong.stderr
    options = subprocess.run([*run, "demo", "--help"], capture_output=True, text=True, check=True)
    assert "--steps" in options.stdout
