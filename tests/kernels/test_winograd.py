"""The kernels of Winograd's convolution, against NumPy and direct convolution."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.convolution import winograd
from hybridflow._src.kernels.convolution.geometry import phases
from hybridflow._src.kernels.convolution.tiles import Tile
from hybridflow._src.kernels.vectors import Registers
from tests.kernels.building import MACHINES, built
from tests.kernels.convolving import Run, by_numpy, fenced, geometry

# Images, output channels, padding.
CASES = {
    "plain": ((2, 8, 14, 32), 32, "SAME"),
    "odd sizes": ((2, 9, 7, 16), 48, "SAME"),
    "valid": ((3, 10, 13, 16), 70, "VALID"),
    "odd channels": ((1, 7, 11, 21), 37, "SAME"),
    "few channels": ((1, 6, 6, 6), 5, "SAME"),
    "explicit": ((1, 6, 5, 17), 33, ((0, 4), (2, 1))),
    "one pixel": ((5, 1, 1, 16), 32, "SAME"),
    "much padding": ((1, 2, 2, 16), 16, ((5, 3), (4, 6))),
    "deep": ((1, 7, 7, 256), 96, "SAME"),
    "many items": ((9, 14, 14, 64), 32, "SAME"),
}
WIDTHS = {"": None, "avx2": Registers(16, 256)}
WIDTHS = {name: WIDTHS[name] for name in MACHINES} | {"128": Registers(16, 128)}
# Errors, of the largest value; F(4x4) is allowed more. NumPy has its own in float64.
LIMITS = {("float32", 2): 8e-7, ("float64", 2): 4e-15, ("float32", 4): 2e-5, ("float64", 4): 4e-14}


def _inputs(case, dtype="float32"):
    shape, filters, padding = case
    rng = np.random.default_rng(0)
    w = rng.standard_normal((3, 3, shape[-1], filters))
    g = geometry(shape, w.shape, padding=padding)
    x, dy = (rng.standard_normal(s) for s in (shape, (g.batch, *g.output, filters)))
    return g, *(fenced(array.astype(dtype)) for array in (x, w, dy))


def _run(width="", parts=1):
    machine = width if width in MACHINES else ""
    return Run(functools.partial(built, machine=machine), WIDTHS[width], parts)


def _forward(run, m, g, x, w):
    y = run.empty((g.batch, *g.output, g.filters), x.dtype)
    return y, run.by_winograd(m, g, x, run.packed_for(g, x, w), y)


def _to_input(run, m, g, w, dy):
    (phase,) = phases(g)
    dx = run.empty((g.batch, *g.size, g.channels), dy.dtype)
    packed = run.packed_back(g, phase, dy, w)
    return dx, run.by_winograd(m, phase.geometry, dy, packed, dx)


def _check(run, m, g, x, w, dy):
    expected = by_numpy(g, x, w, dy)
    found = [_forward(run, m, g, x, w), _to_input(run, m, g, w, dy)]
    for (mine, marks), right in zip(found, expected, strict=False):
        assert not marks.any()
        assert mine.shape == right.shape
        bound = LIMITS[x.dtype.name, m] * np.abs(right).max()
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound)
    return [mine for mine, _ in found]


@pytest.mark.parametrize(("dtype", "m"), LIMITS)
@pytest.mark.parametrize("name", CASES)
def test_convolution_and_its_gradient_to_the_input(name, dtype, m):
    inputs = _inputs(CASES[name], dtype)
    alone = _check(_run(), m, *inputs)
    # Ranges do not matter, nor how the work is cut.
    for parts in (2, 5):
        again = _check(_run(parts=parts), m, *inputs)
        for one, other in zip(alone, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("width", [name for name in WIDTHS if name])
@pytest.mark.parametrize("name", ["odd channels", "valid", "plain"])
def test_other_registers(name, width):
    _check(_run(width), 2, *_inputs(CASES[name]))


def test_kernels_run_as_python():
    _check(Run(uncompiled.function_of, Registers(16, 128)), 2, *_inputs(((1, 3, 4, 5), 6, "SAME")))


@pytest.mark.parametrize("channels", [64, 512])
def test_errors_are_below_those_of_direct_convolution(channels):
    g, x, w, dy = _inputs(((1, 7, 7, channels), 64, "SAME"))
    right, *_ = by_numpy(g, x, w, dy)
    run = _run()
    errors = [np.abs(y - right).max() for y in (_forward(run, 2, g, x, w)[0], run.forward(g, x, w))]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("of", ["image", "filter"])
def test_what_is_no_finite_number_leaves_marks(value, of):
    g, x, w, _ = _inputs(CASES["many items"])
    if of == "image":
        x[4, 13, 13, 5] = value
    else:
        w[1, 2, 3, 4] = value
    _, marks = _forward(_run(), 2, g, x, w)
    assert marks.any()
    # Of few images few items saw it.
    assert marks.all() == (of == "filter" and not np.isfinite(value)) or of == "filter"


@pytest.mark.parametrize("marked", [False, True])
def test_marks_let_direct_convolution_run(marked):
    g, x, w, dy = _inputs(CASES["plain"])
    run = _run()
    marks = np.zeros(5, np.int32)
    marks[3] = marked
    y = run.forward(g, x, w, marks=marks)
    if marked:
        np.testing.assert_allclose(y, by_numpy(g, x, w, dy)[0], rtol=0, atol=1e-4)
    else:
        assert np.isnan(y).all()


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_cuts(threads):
    tile = Tile.of("f32", 64, Registers(32, 512))
    for batch, size, channels in [
        (1, 56, 64),
        (32, 56, 64),
        (1, 14, 256),
        (2, 14, 256),
        (8, 7, 512),
    ]:
        g = geometry((batch, size, size, channels), (3, 3, channels, channels))
        cut = winograd.Cut.of(g, tile, 2, threads)
        blocks = batch * (-(-size // 2)) ** 2
        assert cut.items * cut.shares % threads == 0 or cut.shares == channels // tile.width
        assert cut.run >= -(-blocks // cut.items)
        # Little is multiplied for nothing.
        assert cut.run * cut.items <= 1.25 * blocks + 6 * threads
