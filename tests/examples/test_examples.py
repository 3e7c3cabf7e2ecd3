"""The example programs, shortened: they run in both modes, to the same numbers, and learn."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "scripts" / "examples"
# For each program the steps of the shortened run, and what it shows that is to fall.
PROGRAMS = {
    "linear_regression": (100, "mean squared error"),
    "logistic_regression": (60, "loss"),
    "mlp_constraints": (60, "loss"),
    "convolution": (30, "loss"),
    "residual": (30, "loss"),
    "autoencoder": (60, "loss"),
    "nmf": (40, "unexplained"),
    "portfolio": (60, "loss"),
    "embeddings": (500, "loss"),
    "characters": (40, "loss"),
    "siamese": (40, "loss"),
    "gan": (60, "means differ by"),
    "digit_strings": (40, "loss"),
    "translator": (60, "loss"),
    "speeches": (60, "loss"),
    "recommender": (80, "loss"),
    "pictures": (60, "loss"),
}
NUMBER = r"-?\d+(?:\.\d+)?"


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a program's main function and gives what it prints."""

    def call(name: str, mode: str, steps: int) -> str:
        monkeypatch.syspath_prepend(str(FOLDER))
        program = runpy.run_path(str(FOLDER / f"{name}.py"), run_name="example")
        program["main"](["--mode", mode, "--steps", str(steps)])
        return capsys.readouterr().out

    return call


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(NUMBER, text)]


def shown(text: str, what: str) -> list[float]:
    return [float(number) for number in re.findall(rf"{what} +({NUMBER})", text)]


def test_each_program_has_a_test():
    names = {path.stem for path in FOLDER.glob("*.py")} - {
        "two_modes",
        "digits",
        "recovering",
        "play",
        "on_ranks",  # see tests/distributed
        "table_on_ranks",
    }
    assert names == {*PROGRAMS, "policy_gradient", "serve"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_modes_learn_alike(run, name):
    steps, what = PROGRAMS[name]
    graph = run(name, "graph", steps)
    falling = shown(graph, what)
    assert len(falling) >= 10
    assert falling[-1] < 0.9 * falling[0]
    eager = run(name, "eager", steps)
    # Rounding differs, also by when machine code takes over, and grows from step to step: so do
    # the last digits, a digit of a hundred that is read otherwise, the shades of a picture.
    np.testing.assert_allclose(numbers(eager), numbers(graph), rtol=3e-2, atol=2e-3)


def test_constraints_hold(run):
    norm, _, smallest, accuracy = numbers(
        "".join(run("mlp_constraints", "graph", 150).splitlines()[-2:])
    )
    assert norm <= 1.0001
    assert smallest >= 0.0
    assert accuracy > 80.0
    weights = run("portfolio", "eager", 150).splitlines()
    assert "sum of the weights 1.000000, smallest 0." in weights[-2]
    assert "smallest entries 0.0000 and 0.0000" in run("nmf", "eager", 60)


def test_filters_of_the_residual_network_stay_in_their_ball(run):
    norm, _, accuracy = numbers("".join(run("residual", "graph", 60).splitlines()[-2:]))
    assert norm <= 1.0001
    assert accuracy > 80.0


def test_the_autoencoder_shows_what_it_makes(run):
    told = run("autoencoder", "eager", 150).splitlines()
    lost, *pictures = told[-19:]
    assert 0.0 < shown(lost, "held out:")[0] < 60.0
    assert [len(line) for line in pictures] == [0, *[92] * 8, 0, *[92] * 8]


def test_the_embeddings_know_something(run):
    told = dict(line.split(maxsplit=1) for line in run("embeddings", "graph", 600).splitlines())
    assert {"love", "night", "moon", "queen", "wall"} <= set(told)
    assert all(len(told[word].split()) == 5 for word in ("love", "night", "moon"))


def test_the_siamese_network_has_one_tower(run):
    told = run("siamese", "graph", 100)
    assert "one tower: tower/first:0 tower/bias:0 tower/second:0\n" in told
    assert shown(told, "told right:")[0] > 75.0


def test_speeches_tell_who_holds_them(run):
    right, most = numbers("".join(run("speeches", "graph", 150).splitlines()[-2:]))[-2:]
    assert right > most + 5.0


def test_pictures_come_back_out_of_records(run):
    assert shown(run("pictures", "eager", 150), "told right:")[0] > 90.0


def test_the_recommended_speak_next(run):
    *_, recommended, most, when = run("recommender", "eager", 200).splitlines()
    assert numbers(recommended)[-1] > 1.5 * numbers(most)[-1]
    assert len(when.split(", ")) == 3


def test_the_pole_learns_to_stand(run):
    told = run("policy_gradient", "graph", 12)
    ticks = shown(told, "stood for")
    assert ticks[-1] > 2 * ticks[0]
    first = run("policy_gradient", "eager", 2)
    assert shown(first, "stood for") == shown(run("policy_gradient", "graph", 2), "stood for")


def test_as_a_person_runs_it(tmp_path):
    done = subprocess.run(
        [sys.executable, str(FOLDER / "logistic_regression.py"), "--steps", "100"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "test accuracy" in done.stdout


def test_a_frozen_graph_is_served(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    program = runpy.run_path(str(FOLDER / "serve.py"), run_name="example")
    program["main"](["--port", "0", "--requests", "12"])
    values = shown(capsys.readouterr().out, r"\d+\.\d:")
    assert len(values) == 12
    assert 310 < values[0] < 325
    assert 345 < values[-1] < 365
    assert values == sorted(values)


def test_the_characters_become_words(run):
    told = run("characters", "graph", 150).splitlines()
    written = "\n".join(told[told.index(next(x for x in told if x.startswith("step  149"))) + 1 :])
    assert len(written) == 201
    assert " the " in written or " and " in written or " to " in written


def test_strings_of_digits_are_read(run):
    told = run("digit_strings", "graph", 400)
    assert shown(told, "wrong of 100 digits:")[0] < 15.0
    says = re.findall(r"says (\d+), read (\d*), by searching (\d*)", told)
    assert len(says) == 3
    assert all(len(read) == len(truth) for truth, read, _ in says)


def test_numbers_that_were_never_seen_are_translated(run):
    told = run("translator", "graph", 150)
    assert shown(told, "word by word:")[0] > 80.0
    assert shown(told, "by search:")[0] > 90.0
    assert "nine hundred and sixty two: neuf cent soixante deux\n" in told
