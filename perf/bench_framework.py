"""The costs that every program pays: an eager op, an op of a graph, a run, the import."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import OPS

# -- eager -----------------------------------------------------------------------------------------


@pytest.fixture
def sixteen():
    with hf.eager_mode():
        x, y = (np.arange(16, dtype=np.float32) for _ in range(2))
        yield x, y, hf.constant(x), hf.constant(y)


def test_eager_add(benchmark, figures, in_turns, sixteen):
    x, y, a, b = sixteen
    benchmark(lambda: a + b)
    base, add = in_turns(lambda: np.add(x, y), lambda: a + b)
    note = f"np.add {base * 1e6:.2f} us, a + b {add * 1e6:.2f} us, ratio {add / base:.1f}"
    figures.add("eager a + b over np.add, 16 floats", (add - base) * 1e6, "us", 0.6, note)


@pytest.mark.parametrize(
    ("name", "target"), [("a + 1.0", 1.2), ("hf.add(a, b)", 3), ("op record", 2.5), ("tape", 8)]
)
def test_other_eager_calls(benchmark, figures, in_turns, sixteen, name, target):
    x, y, a, b = sixteen
    add = OPS["Add"]

    def taped():
        with hf.GradientTape() as tape:
            tape.watch(a)
            return a + b

    call = {
        "a + 1.0": lambda: a + 1.0,
        "hf.add(a, b)": lambda: hf.add(a, b),
        "op record": lambda: add(a, b),
        "tape": taped,
    }[name]
    benchmark(call)
    base, found = in_turns(lambda: np.add(x, y), call)
    figures.add(f"eager {name} over np.add", (found - base) * 1e6, "us", target)


# -- building graphs -------------------------------------------------------------------------------

OPERATIONS = 10_000


def build(second):
    """Adds 10,000 ops; `second` gives the other operand."""
    with hf.Graph().as_default():
        x = hf.constant([1.0] * 16)
        y = second()
        for _ in range(OPERATIONS):
            x = x + y


@pytest.mark.parametrize(
    ("name", "second", "ops", "target"),
    [
        ("tensor + tensor", lambda: hf.constant([1.0] * 16), 1, 15),
        ("tensor + 1.0", lambda: 1.0, 2, 15),
    ],
)
def test_building_a_graph(benchmark, figures, in_turns, name, second, ops, target):
    benchmark.pedantic(build, args=(second,), rounds=5, iterations=1, warmup_rounds=1)
    (best,) = in_turns(lambda: build(second), number=1, rounds=5)
    figures.add(f"graph, an op of {name}", best / OPERATIONS / ops * 1e6, "us", target)


# -- running graphs --------------------------------------------------------------------------------


@pytest.fixture
def tiny():
    with hf.Graph().as_default(), hf.Session() as sess:
        x = hf.placeholder(hf.float32, [None])
        y = x + hf.constant([1.0] * 16)
        long = y
        for _ in range(100):
            long = long + 1.0
        yield sess, x, y, long


@pytest.mark.parametrize(
    ("name", "target"), [("run(add, feed)", 10), ("make_callable", 8), ("100 adds, each", 2)]
)
def test_a_session(benchmark, figures, in_turns, tiny, name, target):
    sess, x, y, long = tiny
    array = np.zeros(16, np.float32)
    call = sess.make_callable(y, [x])
    run, times = {
        "run(add, feed)": (lambda: sess.run(y, {x: array}), 1),
        "make_callable": (lambda: call(array), 1),
        "100 adds, each": (lambda: sess.run(long, {x: array}), 100),
    }[name]
    benchmark(run)
    base, found = in_turns(lambda: np.add(array, 1.0), run, number=1000)
    figures.add(f"session, {name}, less np.add", (found / times - base) * 1e6, "us", target)


# -- importing -------------------------------------------------------------------------------------


def started(program):
    """The seconds that a new process takes for `program`."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(hf.__file__)))
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": folder}
    )
    return time.perf_counter() - start


def test_import(benchmark, figures):
    if sys.dont_write_bytecode:
        pytest.skip("PYTHONDONTWRITEBYTECODE is set: the sources would be compiled each time")
    rounds = 15
    started("import hybridflow")
    pairs = [(started("import numpy"), started("import hybridflow")) for _ in range(rounds)]
    benchmark.pedantic(started, args=("import hybridflow",), rounds=5)
    ratio = statistics.median(both / numpy for numpy, both in pairs)
    note = "numpy {:.0f} ms, hybridflow with it {:.0f} ms".format(
        *(1e3 * min(column) for column in zip(*pairs, strict=True))
    )
    figures.add("import hybridflow over import numpy", ratio, "times", 1.4, note)
