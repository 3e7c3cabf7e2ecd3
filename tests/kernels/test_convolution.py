"""The kernels of convolution against NumPy in float64."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.vectors import Registers
from tests.kernels.building import MACHINES, built
from tests.kernels.convolving import Run, by_numpy, fenced, geometry

# Images, filter, stride, padding, dilation. Rows are of 7 or 14 pixels, and of multiples of 12
# numbers under a row of the filter, where another size is not the point: a pair of heights is a
# kernel.
CASES = {
    "plain": ((2, 9, 14, 4), (3, 3, 4, 5), (1, 1), "SAME", (1, 1)),
    "valid": ((2, 8, 16, 4), (3, 3, 4, 33), (1, 1), "VALID", (1, 1)),
    "even filter": ((1, 7, 14, 3), (2, 4, 3, 40), (1, 1), "SAME", (1, 1)),
    "stride 2": ((3, 13, 13, 8), (3, 3, 8, 20), (2, 2), "SAME", (1, 1)),
    "stride 3, uneven": ((2, 20, 19, 12), (7, 7, 12, 70), (3, 3), "SAME", (1, 1)),
    "two strides": ((2, 12, 17, 7), (3, 5, 7, 33), (3, 2), "VALID", (1, 1)),
    "stride beyond the filter": ((2, 9, 13, 24), (1, 1, 24, 32), (2, 2), "SAME", (1, 1)),
    "stride 3 of 2": ((1, 10, 20, 6), (2, 2, 6, 3), (3, 3), "VALID", (1, 1)),
    "1 x 1": ((2, 6, 7, 70), (1, 1, 70, 48), (1, 1), "SAME", (1, 1)),
    "dilated": ((2, 13, 14, 12), (3, 3, 12, 34), (1, 1), "SAME", (2, 3)),
    "dilated columns": ((1, 9, 18, 5), (2, 3, 5, 6), (1, 1), "VALID", (1, 2)),
    "dilated and strided": ((1, 15, 21, 12), (3, 3, 12, 7), (2, 3), "SAME", (3, 2)),
    "explicit": ((2, 6, 7, 6), (3, 2, 6, 9), (1, 1), ((0, 4), (5, 1)), (1, 1)),
    "only padding": ((1, 2, 2, 3), (2, 2, 3, 4), (1, 1), ((6, 5), (8, 5)), (1, 1)),
    "one pixel": ((1, 1, 1, 65), (3, 3, 65, 31), (1, 1), "SAME", (1, 1)),
    "filter beyond the image": ((2, 3, 7, 4), (7, 9, 4, 5), (1, 1), "SAME", (1, 1)),
    "one channel": ((3, 28, 14, 1), (5, 5, 1, 32), (1, 1), "SAME", (1, 1)),
    "to one channel": ((2, 10, 14, 8), (3, 3, 8, 1), (1, 1), "SAME", (1, 1)),
    "deep": ((2, 7, 7, 128), (3, 3, 128, 96), (1, 1), "SAME", (1, 1)),
    "wide": ((1, 40, 168, 20), (3, 3, 20, 17), (1, 1), "SAME", (1, 1)),
    "no images": ((0, 9, 14, 4), (3, 3, 4, 5), (1, 1), "SAME", (1, 1)),
}
WIDTHS = {"": None, "avx2": Registers(16, 256)}
WIDTHS = {name: WIDTHS[name] for name in MACHINES} | {"128": Registers(16, 128)}


def _inputs(case, dtype, seed=0):
    g = geometry(*case)
    rng = np.random.default_rng(seed)
    shapes = (*case[:2], (g.batch, *g.output, g.filters))
    x, w, dy = (fenced(rng.standard_normal(shape).astype(dtype)) for shape in shapes)
    return g, x, w, dy


def _check(run, g, x, w, dy):
    expected = by_numpy(g, x, w, dy)
    found = [run.forward(g, x, w), run.to_input(g, w, dy), run.to_filter(g, x, dy)]
    for mine, right in zip(found, expected, strict=True):
        assert mine.shape == right.shape
        bound = 4e-6 if x.dtype == np.float32 else 1e-14
        largest = np.abs(right).max(initial=1e-30)
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound * largest)
    return found


def _run(width, parts=1):
    machine = width if width in MACHINES else ""
    return Run(functools.partial(built, machine=machine), WIDTHS[width], parts)


# Of float64 those that take all kernels but few heights.
DOUBLES = ["valid", "stride 2", "dilated", "one channel", "no images"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, "float32") for name in CASES] + [(name, "float64") for name in DOUBLES],
)
def test_convolution_and_its_gradients(name, dtype):
    g, x, w, dy = _inputs(CASES[name], dtype)
    alone = _check(_run(""), g, x, w, dy)
    # Ranges do not matter, nor whether output channels are shared.
    again = _check(_run("", parts=3), g, x, w, dy)
    for one, other in zip(alone, again, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(_run("", parts=2).forward(g, x, w, shares=2), alone[0])


@pytest.mark.parametrize("width", [name for name in WIDTHS if name])
@pytest.mark.parametrize("name", ["valid", "stride 2", "dilated", "explicit", "one channel"])
def test_other_registers(name, width):
    _check(_run(width), *_inputs(CASES[name], "float32"))


@pytest.mark.parametrize("channels", [(2, 3), (3, 5)])
def test_kernels_run_as_python(channels):
    c, o = channels
    case = ((1, 3, 4, c), (2, 3, c, o), (1, 1), "SAME", (1, 1))
    _check(Run(uncompiled.function_of, parts=2), *_inputs(case, "float32"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_goes_no_further_than_its_window(value):
    g, x, w, dy = _inputs(CASES["dilated"], "float32")
    x[1, 6, 7, 3] = dy[0, 5, 5, 20] = value
    run = _run("")
    found = [run.forward(g, x, w), run.to_input(g, w, dy), run.to_filter(g, x, dy)]
    expected = by_numpy(g, x, w, dy)
    for mine, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isfinite(mine), np.isfinite(right))
