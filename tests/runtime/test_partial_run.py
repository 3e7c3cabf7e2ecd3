"""Partial runs: each step runs what is new, once."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

INVALID = hf.errors.InvalidArgumentError


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_steps(session):
    a, b, c = (hf.placeholder(hf.float32, []) for _ in range(3))
    first = a + b
    second = first * c
    run = session.partial_run_setup([first, second], [a, b, c])
    value = session.partial_run(run, first, {a: 1, b: 2})
    assert (value, value.dtype) == (3, np.float32)
    assert session.partial_run(run, second, {c: value}) == 9
    # Two runs at once.
    runs = [session.partial_run_setup([first, second], [a, b, c]) for _ in range(2)]
    for run, x in zip(runs, (1, 2), strict=True):
        session.partial_run(run, first, {a: x, b: x})
    assert [session.partial_run(run, [second], {c: 1}) for run in runs] == [[2], [4]]


def test_nothing_runs_twice(session):
    calls = []
    x = hf.placeholder(hf.float32, [])
    drawn = hf.random_uniform([])
    called = hf.py_func(lambda v: (calls.append(1), v)[1], [drawn], hf.float32)
    count = hf.Variable(0.0)
    session.run(count.initializer)
    counted = count.assign_add(1.0).op
    with hf.control_dependencies([counted]):
        later = hf.identity(x)
    run = session.partial_run_setup([called, counted, called + x, drawn, later, count], [x])
    value = session.partial_run(run, [called, counted])[0]
    results = session.partial_run(
        run, [hf.get_default_graph().get_tensor_by_name("add:0"), drawn, later], {x: 2.0}
    )
    assert results == [np.float32(value + 2.0), value, 2.0]
    assert calls == [1]
    assert session.partial_run(run, count) == 1.0


def test_a_step_that_runs_the_session(session):
    x = hf.placeholder(hf.float32, [])
    doubled = x * 2.0
    y = hf.py_func(lambda v: session.run(doubled, {x: v}), [x], hf.float32)
    run = session.partial_run_setup([y], [x])
    assert session.partial_run(run, y, {x: 3.0}) == 6.0


def test_without_feeds_and_structures(session):
    x = hf.constant(2.0)
    y = {"a": [x * x], "b": x + 1.0}
    run = session.partial_run_setup(y)
    assert session.partial_run(run, {"a": y["a"]}) == {"a": [4.0]}
    assert session.partial_run(run, y["b"]) == 3.0


def test_what_is_wrong(session):
    a, b = hf.placeholder(hf.float32, [], name="a"), hf.placeholder(hf.float32, [], name="b")
    y, z = hf.identity(a, name="y"), hf.add(a, b, name="z")
    with pytest.raises(INVALID, match="Must run 'setup' before performing partial runs"):
        session.partial_run("none", y)
    run = session.partial_run_setup([y, z], [a, b])
    with pytest.raises(INVALID, match="needs the tensor 'b:0', which is to be fed"):
        session.partial_run(run, z, {a: 1.0})
    with pytest.raises(INVALID, match="Add:0 was not specified in partial_run_setup"):
        session.partial_run(run, hf.add(a, 1.0), {a: 1.0})
    assert session.partial_run(run, y, {a: 1.0}) == 1.0
    with pytest.raises(INVALID, match="y:0 has already been fetched"):
        session.partial_run(run, y)
    with pytest.raises(INVALID, match="a:0 has already been fed"):
        session.partial_run(run, z, {a: 1.0, b: 2.0})
    with pytest.raises(INVALID, match="Placeholder:0 was not specified in partial_run_setup"):
        session.partial_run(run, z, {hf.placeholder(hf.float32): 1.0, b: 2.0})
    with pytest.raises(INVALID, match="specify at least one target to fetch"):
        session.partial_run_setup([], [a])
    assert session.partial_run(run, z, {b: 2.0}) == 3.0
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
        session.partial_run_setup([y], [object()])
    session.close()
    for call in (lambda: session.partial_run(run, z), lambda: session.partial_run_setup([y])):
        with pytest.raises(RuntimeError, match="closed Session"):
            call()
