"""`get_variable` in graph mode: making a variable, and asking for it again."""

from __future__ import annotations

import itertools
import time

import pytest

import hybridflow as hf

VARIABLES = 500


def make(use_resource):
    with hf.Graph().as_default(), hf.variable_scope("scope"):
        for index in range(VARIABLES):
            hf.get_variable(f"v{index}", [2, 3], use_resource=use_resource)


@pytest.mark.parametrize("use_resource", [False, True], ids=["reference", "resource"])
def test_a_new_variable(benchmark, figures, in_turns, use_resource):
    benchmark.pedantic(make, args=(use_resource,), rounds=5, warmup_rounds=1)
    (best,) = in_turns(lambda: make(use_resource), number=1, rounds=5)
    kind = "resource" if use_resource else "reference"
    figures.add(f"get_variable, a new {kind}", best / VARIABLES * 1e6, "us", 60)


@pytest.mark.parametrize("use_resource", [False, True], ids=["reference", "resource"])
def test_the_same_variable_again(benchmark, figures, in_turns, use_resource):
    kind = "resource" if use_resource else "reference"
    with hf.Graph().as_default():
        with hf.variable_scope("scope"):
            for index in range(10):
                hf.get_variable(f"v{index}", [2, 3], use_resource=use_resource)
        names = itertools.cycle([f"v{index}" for index in range(10)])
        with hf.variable_scope("scope", reuse=True):

            def again():
                return hf.get_variable(next(names), [2, 3], use_resource=use_resource)

            benchmark(again)
            (best,) = in_turns(again, number=2000)
    figures.add(f"get_variable, the same {kind} again", best * 1e6, "us", 6)


MANY = 10_000


def make_many(eager: bool, number: int) -> float:
    """The seconds that it takes to make one of so many variables in one graph or store."""
    zeros = hf.zeros_initializer()
    with (
        hf.eager_mode() if eager else hf.Graph().as_default(),
        hf.EagerVariableStore().as_default(),
    ):
        start = time.perf_counter()
        for _ in range(number):
            with hf.variable_scope(None, "layer"):
                hf.get_variable("w", [2, 3], initializer=zeros)
        return (time.perf_counter() - start) / number


@pytest.mark.parametrize("eager", [False, True], ids=["graph", "store"])
def test_many_variables(benchmark, figures, eager):
    benchmark.pedantic(make_many, args=(eager, MANY), rounds=1)
    few, many = (min(make_many(eager, number) for _ in range(3)) for number in (MANY // 10, MANY))
    note = f"{few * 1e6:.1f} and {many * 1e6:.1f} us each"
    what = f"one of {MANY} variables over one of {MANY // 10}, {'store' if eager else 'graph'}"
    figures.add(what, many / few, "times", 2, note)


def test_variable_scope(benchmark, figures, in_turns):
    def opened():
        with hf.variable_scope("scope"):
            pass

    with hf.Graph().as_default():
        benchmark(opened)
        (best,) = in_turns(opened, number=1000)
    figures.add("variable_scope, opened and closed", best * 1e6, "us", 20)
