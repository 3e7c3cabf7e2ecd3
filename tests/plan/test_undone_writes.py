"""A program that stops for what it has not seen: what it wrote is undone, and written once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hybridflow as hf
from tests import native


@pytest.fixture(params=["compiled", "uncompiled"], autouse=True)
def kernels(request):
    if request.param == "compiled":
        yield
        return
    with native.uncompiled_kernels():
        yield


def variable(is_resource=True):
    start = hf.zeros_initializer()
    return hf.get_variable("v", [1], hf.float64, start, use_resource=is_resource)


def adds_one(v):
    return v.assign_add([1.0])


def scatters(v):
    return hf.scatter_add(v, [0, 0], np.full(2, 0.5))


def called_in_a_branch(v):
    """A branch that the interpreter runs, for a Python function in it."""

    def branch():
        one = hf.py_func(lambda: 1.0, [], hf.float64, stateful=True)
        one.set_shape([])
        with hf.control_dependencies([v.assign_add([1.0])]):
            return hf.identity(one)

    return hf.cond(hf.reduce_all(v >= 0.0), branch, lambda: hf.constant(0.0, hf.float64))


def found(build, runs):
    """What each run gives that begins with the variable at zero."""
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        fetched = build(n)
        start = hf.global_variables_initializer()
        values = []
        for k in runs:
            session.run(start)
            values.append(np.ravel(session.run(fetched, {n: k})).tolist())
            native.wait()
        return values


@pytest.mark.parametrize("write", [adds_one, scatters, called_in_a_branch])
@pytest.mark.parametrize("where", ["outside", "in a branch"])
def test_sizes_that_values_tell(write, where):
    """Each of a size that is new is written once."""

    def build(n):
        v = variable()

        def then():
            with hf.control_dependencies([write(v)]):
                return hf.size(hf.range(n * 3))

        size = then() if where == "outside" else hf.cond(n > 0, then, lambda: hf.constant(0))
        with hf.control_dependencies([size]):
            return [v.read_value(), hf.cast(size, hf.float64)[None]]

    runs = [1, 1, 1, 2, 3, 4, 2, 9, 1]
    assert found(build, runs) == [[1.0, 3.0 * n] for n in runs]


@pytest.mark.parametrize("is_resource", [True, False])
def test_sizes_that_grow_from_turn_to_turn(is_resource):
    def build(n):
        v = variable(is_resource)

        def body(i, total):
            with hf.control_dependencies([total, v.assign_sub([hf.cast(i + 1, hf.float64)])]):
                size = hf.size(hf.range(i * 3))
            return i + 1, total + size

        total = hf.while_loop(lambda i, _: i < n, body, [0, 0], parallel_iterations=1)[1]
        with hf.control_dependencies([total]):
            return [hf.identity(v), hf.cast(total, hf.float64)[None]]

    runs = [4, 4, 4, 4, 2, 6, 6]
    wanted = [[-sum(range(1, n + 1)), 3 * sum(range(n))] for n in runs]
    assert found(build, runs) == wanted


STEPS = {
    "adds": adds_one,
    "scatters": scatters,
    "chooses": None,
}


@pytest.mark.parametrize("steps", list(itertools.product(STEPS, repeat=3)), ids=" ".join)
def test_writes_before_and_after_a_branch_that_is_new(steps):
    """A variable that a body writes to several times, with a branch in between."""

    def build(n):
        v = variable()

        def choice(i):
            return hf.cond(hf.equal(i % 2, 0), lambda: adds_one(v) + 0.0, lambda: v + 0.0)

        def body(i, a):
            for step in steps:
                with hf.control_dependencies([a]):
                    done = choice(i) if step == "chooses" else STEPS[step](v)
                with hf.control_dependencies([done]):
                    a = a * 2.0 - v.read_value()
            return i + 1, a

        start = hf.ones([1], hf.float64)
        a = hf.while_loop(lambda i, _: i < n, body, [0, start], parallel_iterations=1)[1]
        with hf.control_dependencies([a]):
            return [v.read_value(), a]

    runs = [2, 0, 3, 1, 5, 3, 2, 5]
    wanted = []
    for n in runs:
        v, a = 0.0, 1.0
        for i in range(n):
            for step in steps:
                v += step != "chooses" or i % 2 == 0
                a = a * 2.0 - v
        wanted.append([v, a])
    assert found(build, runs) == wanted
