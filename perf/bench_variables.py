"""`get_variable` in graph mode: making a variable, and asking for it again."""

from __future__ import annotations

import itertools

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
