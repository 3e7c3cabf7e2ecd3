"""Loops of scalars that one kernel runs: bit for bit what the interpreter gives."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import layout, program
from hybridflow._src.plan.passes import SCALARS_IN_REGISTERS
from hybridflow._src.plan.steps import Choice, Loop
from tests import native
from tests.plan.looping import interpreted, natively, without


@pytest.fixture(params=["plain", "compiled"])
def kernels(request):
    """Kernels as Python functions, and compiled."""
    if request.param == "compiled":
        yield
    else:
        with native.uncompiled_kernels():
            yield


@pytest.fixture
def uncompiled():
    with native.uncompiled_kernels():
        yield


def loops_in(arrangement):
    """All loops of a program, those inside others too."""
    for _, step in arrangement.steps:
        if isinstance(step, Loop | Choice):
            if isinstance(step, Loop):
                yield step
            for part in step.parts:
                if part is not None:
                    yield from loops_in(part)


def check(build, *runs, config=None, has_functions=False):
    """Holds native runs to the interpreter's; tells for each loop whether it is in registers.

    Where there are functions that vector math computes in its own way, they are held to native
    runs without the pass.
    """
    every = [runs[0], runs[0], *runs]
    if has_functions:
        wanted, _ = natively(build, every, without(SCALARS_IN_REGISTERS))
    else:
        wanted = interpreted(build, every)
    found, plan = natively(build, every, config)
    for got, want in zip(found, wanted, strict=True):
        for x, y in zip(got, want, strict=True):
            assert np.asarray(x).dtype == np.asarray(y).dtype
            np.testing.assert_array_equal(x, y)
            np.testing.assert_array_equal(np.signbit(x), np.signbit(y))
    assert native.fallbacks(plan) == []
    (made, *_) = native.programs(plan)
    return [loop.in_registers is not None for loop in loops_in(made)]


def turns(count, body, *first):
    return list(
        hf.while_loop(lambda i, *_: i < count, lambda i, *v: (i + 1, *body(*v)), [0, *first])
    )


COUNTS = [7, 0, 1, 2, 40]


def on(*values):
    """Runs of these values with some numbers of turns."""
    return [(np.int32(n), *values) for n in COUNTS]


# -- what is computed ------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [None, without(SCALARS_IN_REGISTERS)], ids=["with", "without"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32", "int64"])
def test_numbers_are_those_of_the_interpreter(uncompiled, dtype, config):
    def build(n, x, y):
        # Integers wrap around; floats are rounded, overflow, and become NaN.
        return turns(n, lambda a, b, c: (a * 3 + y, b - a, -c * c + a), x, x, y)

    values = np.asarray([3.3, -0.7]).astype(dtype)
    assert check(build, *on(*values), config=config) == [config is None]


def test_special_values(kernels):
    def build(n, x, y):
        def body(a, b, c, flag):
            greatest = hf.maximum(a, b) / c
            flag = hf.logical_or(hf.is_nan(greatest), hf.logical_not(flag))
            return b, hf.where(flag, -a, a * b), hf.minimum(c, greatest), flag

        return turns(n, body, x, y, x - y, x > y)

    for pair in [(0.0, -0.0), (np.inf, 1.0), (np.nan, 2.0), (1e30, -1e30), (1.5, 0.0)]:
        assert check(build, *on(*map(np.float32, pair))) == [True]


def test_places_change_pass_through_and_become_constants(kernels):
    def build(n, x):
        def body(a, b, c, d, e):
            return b, a, c, hf.constant(2.5), a

        return turns(n, body, x, x * 2, x * 3, x * 4, x * 5)

    assert check(build, *on(np.float32(1.25))) == [True]


def test_what_is_captured(kernels):
    """Elements of vectors, variables, constants, and what is computed once."""

    def build(n, x):
        w = hf.get_variable("w", initializer=np.float32(1.5), use_resource=True)
        vector = hf.stack([x, x + 1, x + 2])[::-1]

        def body(a, b):
            return hf.sin(a) * w + vector[1] + hf.exp(x), hf.logical_xor(b, a > w)

        return turns(n, body, vector[2], x > 0)

    assert check(build, *on(np.float32(0.25)), has_functions=True) == [True]


def test_conditions(uncompiled):
    """A flag that is a variable, captured, or computed from what the body does not change."""

    def a_variable(n, x):
        def body(go, i, a):
            return i + 1 < n, i + 1, a * 0.5

        return list(hf.while_loop(lambda go, i, a: go, body, [n > 0, 0, x]))

    def captured(n, x):
        never = n > 100
        return [hf.while_loop(lambda a: never, lambda a: [a + 1], [x])]

    def two(n, x):
        def body(i, a):
            return i + 1, a + 1.5

        return list(hf.while_loop(lambda i, a: (i < n) & (a < 9.0), body, [0, x]))

    assert check(a_variable, *on(np.float32(3))) == [True]
    assert check(two, *on(np.float32(3))) == [True]
    # Its body has never run.
    assert check(captured, *on(np.float32(3))) == [False]


def test_arrays_of_one_element(uncompiled):
    def build(n, x):
        one = hf.reshape(x, [1, 1])
        return turns(n, lambda a, b: (hf.tanh(a) + one, hf.squeeze(a) * b), one, x)

    assert check(build, *on(np.float32(0.5)), has_functions=True) == [True]


def test_loops_inside_loops_and_branches(kernels):
    def build(n, x):
        def body(a):
            inner = turns(n - 3, lambda b: [b * 0.75 + a], a)[1]
            return [hf.cond(a > 1.0, lambda: inner, lambda: turns(3, lambda c: [c * a - x], x)[1])]

        return turns(n, body, x)

    assert check(build, *on(np.float32(0.9))) == [False, True, True]


def test_what_is_no_scalar_is_not_in_registers(uncompiled):
    def vector(n, x):
        return turns(n, lambda a: [hf.tanh(a) + x], hf.stack([x, x]))

    def passing(n, x):
        return turns(n, lambda a, b: (hf.tanh(a) + x, b), x, hf.stack([x, x + 1.0, x]))

    def gradient(n, x):
        return hf.gradients(turns(n, lambda a: [hf.tanh(a) + x], x)[1], [x])

    def array(n, x):
        items = hf.TensorArray(hf.float32, 40, element_shape=[])
        found = turns(5, lambda a, i: (a + x, i.write(hf.cast(a, hf.int32), a)), 0.0, items)
        return [found[1], found[2].gather([0, 1])]

    for build, x in ((vector, 0.5), (passing, 0.5), (gradient, 0.5), (array, 1.0)):
        assert not any(check(build, *on(np.float32(x)), has_functions=True))


def test_a_divisor_that_may_be_zero_is_checked_by_a_kernel_of_its_own(uncompiled):
    def known(n, x):
        return turns(n, lambda a: [hf.where(a % 2 > 0, 3 * a + 1, a // 2)], x)

    def unknown(n, x):
        return turns(n, lambda a: [3 * a + 100 // (x + a)], x)

    assert check(known, *on(np.int32(27))) == [True]
    assert check(unknown, *on(np.int32(27))) == [False]


# -- pauses ----------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    """Loops pause after each turn."""
    monkeypatch.setattr(layout, "UNTIL_PAUSE", 0)
    monkeypatch.setattr(program, "UNTIL_PAUSE", 0)


def nested(n, x):
    return turns(n, lambda a: [turns(n, lambda b: [b * 0.75 + a], x)[1]], x)


@pytest.mark.usefixtures("impatient")
def test_it_goes_on_where_it_paused(kernels):
    assert check(nested, *on(np.float32(0.5))) == [False, True]


@pytest.mark.usefixtures("impatient", "uncompiled")
def test_a_run_that_was_interrupted_leaves_nothing(monkeypatch):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        y = nested(n, hf.constant(0.5))[1]
        for _ in range(3):
            wanted = session.run(y, {n: 3})
        pauses = []
        real = program.Program._go_on

        def interrupted(self, *args):
            pauses.append(None)
            if len(pauses) == 2:
                raise KeyboardInterrupt
            return real(self, *args)

        monkeypatch.setattr(program.Program, "_go_on", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.run(y, {n: 3})
        assert session.run(y, {n: 3}) == wanted


def test_explain_names_all_ops():
    with hf.Graph().as_default(), hf.Session() as session, native.uncompiled_kernels():
        x = hf.placeholder(hf.float32, [])
        y = turns(3, lambda a: [hf.multiply(a, x, name="shrink")], x)[1]
        for _ in range(3):
            session.run(y, {x: 0.5})
        text = str(hf.explain(y, {x: 0.5}, session))
    assert "loop of scalars" in text
    assert "shrink" in text


# -- random programs -------------------------------------------------------------------------------

DTYPES = ["float16", "float32", "float64", "int16", "int32", "int64"]
FLOATS = [hf.sqrt, hf.floor, hf.reciprocal]
NUMBERS = [hf.negative, hf.abs, hf.square, hf.sign]
PAIRS = [hf.add, hf.subtract, hf.multiply, hf.maximum, hf.minimum]
FLAGS = [hf.less, hf.greater_equal, hf.equal, hf.not_equal]


class Drawing:
    """A random body over variables of any dtype."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.dtypes = [self.pick(DTYPES) for _ in range(self.rng.integers(1, 4))]
        self.first = [np.asarray(self.rng.normal(scale=3)).astype(d) for d in self.dtypes]
        self.parts = [self.number(d, 3) for d in self.dtypes]
        self.limit = self.number("float64", 2)

    def pick(self, options):
        return options[self.rng.integers(len(options))]

    def number(self, dtype, depth):
        """A function from the variables to a scalar."""
        if not depth or not self.rng.integers(5):
            at = self.rng.integers(len(self.dtypes) + 1)
            is_cut = at < len(self.dtypes) and dtype[0] == "i" != self.dtypes[at][0]
            if at == len(self.dtypes) or is_cut:  # floats that fit no integer: C leaves it open
                value = np.asarray(self.rng.normal()).astype(dtype)
                return lambda v: hf.constant(value)
            return lambda v: hf.cast(v[at], dtype)
        kind = self.rng.integers(4)
        x, y = (self.number(dtype, depth - 1) for _ in range(2))
        if kind == 0:
            function = self.pick(NUMBERS + FLOATS * dtype.startswith("f"))
            return lambda v: function(x(v))
        if kind == 1:
            other = self.pick(DTYPES)
            if dtype.startswith("i") and other.startswith("f"):
                other = "int64"
            z = self.number(other, depth - 1)
            return lambda v: hf.cast(z(v), dtype)
        if kind == 2:
            compare = self.pick(FLAGS)
            a, b = (self.number(dtype, depth - 1) for _ in range(2))
            return lambda v: hf.where(compare(a(v), b(v)), x(v), y(v))
        pair = self.pick(PAIRS)
        return lambda v: pair(x(v), y(v))

    def build(self, n, *first):
        goes_on = lambda i, *v: (i < n) & hf.logical_not(self.limit(v) > 50.0)  # noqa: E731
        body = lambda i, *v: (i + 1, *[part(v) for part in self.parts])  # noqa: E731
        return list(hf.while_loop(goes_on, body, [0, *first]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, 60, 20)], ids=str)
def test_random_loops(uncompiled, seeds):
    in_registers = []
    for seed in seeds:
        drawing = Drawing(seed)
        try:
            in_registers += check(drawing.build, *[(np.int32(n), *drawing.first) for n in (5, 1)])
        except AssertionError as error:
            raise AssertionError(f"loop {seed}: {error}") from error
    assert sum(in_registers) > len(seeds) // 2
