"""What one kernel holds, and how much a plan has compiled, are bounded; values are the same."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import building, translation
from tests import native
from tests.plan.sessions import program_of

# Of the source of a kernel.
LINES = 800


def program(fetches, feeds, session):
    """The native program, whose values are the interpreter's."""
    with native.uncompiled_kernels():
        wanted = session.run(fetches, feeds)
        found = program_of(session, fetches, feeds)
        for one, other in zip(wanted, session.run(fetches, feeds), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    return found


def inputs(count):
    xs = [hf.placeholder(hf.float32, [3]) for _ in range(count)]
    return xs, {x: np.full(3, number, np.float32) for number, x in enumerate(xs)}


def sum_of_many():
    xs, feeds = inputs(400)
    return [hf.add_n(xs), hf.accumulate_n(xs[::-1])], feeds


def concatenation_of_many():
    xs, feeds = inputs(300)
    return [hf.concat(xs, 0), hf.stack(xs, 1)], feeds


def many_values_of_one():
    (x,), feeds = inputs(1)
    return [x * float(number) + 1.0 for number in range(400)], feeds


def many_totals_of_one():
    (x,), feeds = inputs(1)
    return [hf.reduce_sum(x * float(number)) for number in range(200)], feeds


def a_long_chain():
    (x,), feeds = inputs(1)
    for number in range(600):
        x = hf.tanh(x) * (1.0 + 1e-3 * number)
    return [x], feeds


def many_updates():
    (x,), feeds = inputs(1)
    variables = [hf.Variable(np.zeros(3, np.float32)) for _ in range(200)]
    loss = hf.add_n([hf.reduce_sum(hf.square(v - x - 1.0)) for v in variables])
    gradients = hf.gradients(loss, variables)
    return [loss, *gradients], feeds


@pytest.mark.parametrize(
    "build",
    [
        sum_of_many,
        concatenation_of_many,
        many_values_of_one,
        many_totals_of_one,
        a_long_chain,
        many_updates,
    ],
)
def test_what_a_kernel_holds_is_bounded(build):
    with hf.Graph().as_default(), hf.Session() as session:
        fetches, feeds = build()
        session.run(hf.global_variables_initializer())
        found = program(fetches, feeds, session)
    assert not found.fallbacks
    assert max(kernel.lines for kernel in found.kernels.values()) <= LINES


def mixed(rng, x, w, count):
    """Ops of many kinds in an order that does not repeat."""
    known = [x, w]
    one = [
        hf.tanh,
        hf.sin,
        hf.square,
        hf.nn.relu,
        hf.negative,
        lambda a: hf.reduce_sum(a, 1, keepdims=True) * 0.1 + w,
        lambda a: hf.transpose(a) * 0.5,
        lambda a: hf.nn.softmax(a),
    ]
    two = [hf.add, hf.subtract, hf.multiply, hf.maximum]
    for _ in range(count):
        a, b = (known[-1 - rng.integers(min(len(known), 12))] for _ in range(2))
        made = two[rng.integers(4)](a, b) if rng.random() < 0.4 else one[rng.integers(8)](a)
        known.append(hf.tanh(made))
    return hf.add_n([hf.reduce_mean(a) for a in known[-8:]])


def test_a_large_plan_has_few_kernels(monkeypatch):
    # As if none had been made before.
    monkeypatch.setattr(native.PythonCompiler, "missing", lambda _, kernels: list(set(kernels)))
    found = []
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [4, 4])
        w = hf.get_variable("w", initializer=np.eye(4, dtype=np.float32))
        loss = mixed(np.random.default_rng(0), x, w, 400)
        gradients = hf.gradients(loss, [x, w])
        session.run(hf.global_variables_initializer())
        feeds = {x: np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)}
        for most in (10**9, 1000):
            monkeypatch.setattr(building, "_MOST_LINES", most)
            fetches = [hf.identity(fetch) for fetch in (loss, *gradients)]
            found.append(program(fetches, feeds, session))
    fused, plain = found
    assert not plain.fallbacks
    assert len(plain.steps) > 3 * len(fused.steps)
    with native.uncompiled_kernels():
        # Where more is moved, more may be compiled.
        assert building._most_lines(fused) == 1000
        monkeypatch.setattr(building, "_BYTES_A_LINE", 1)
        assert building._most_lines(fused) == 3000
        assert building._lines(plain) < building._lines(fused) / 2


def test_jobs_have_turns_while_a_large_plan_is_lowered(monkeypatch):
    monkeypatch.setattr(translation, "_A_TURN", 10)
    turns = []
    real = building.build

    def build(*arguments):
        for pause in real(*arguments):
            turns.append(pause)
            yield pause

    monkeypatch.setattr(building, "build", build)
    with hf.Graph().as_default(), hf.Session() as session:
        program(*a_long_chain(), session)
    assert len(turns) >= 100
