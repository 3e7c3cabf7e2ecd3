"""The kernels of convolutions of single channels, for registers of each width, against NumPy."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.convolution import depthwise
from hybridflow._src.kernels.vectors import Registers
from tests.kernels.building import MACHINES, built
from tests.kernels.convolving import Run, fenced, geometry, patches

WIDTHS = {"": Registers(32, 512), "avx2": Registers(16, 256), "128": Registers(16, 128)}
WIDTHS = {name: WIDTHS[name] for name in WIDTHS if name in MACHINES or name == "128"}
# Images, filter, stride, padding, dilation.
CASES = {
    "blocks of all sizes": ((2, 5, 19, 21), (3, 3, 21, 1), (1, 1), "SAME", (1, 1)),
    "strided and dilated": ((1, 9, 30, 16), (2, 4, 16, 1), (2, 3), "SAME", (1, 2)),
    "a wide filter": ((1, 4, 11, 5), (2, 9, 5, 1), (1, 1), "SAME", (1, 1)),
}


def _check(run, form, case):
    g = geometry(*case)
    rng = np.random.default_rng(0)
    x, w, dy = (
        fenced(rng.standard_normal(shape).astype(np.float32))
        for shape in (case[0], case[1], (g.batch, *g.output, g.channels))
    )
    _, found, _ = patches(g, x.astype(np.float64))
    row = depthwise.Row(g.kernel[1], g.stride[1], g.dilation[1])
    words = *g.size, g.channels, *g.output, *g.kernel, *g.stride, *g.dilation, *g.before
    y = run.empty(dy.shape, np.float32)
    apart = g._replace(filters=g.channels).apart(4)
    count = g.batch * g.output[0]
    run(depthwise.depthwise(form, row), count, x, w, y, *words, *apart)
    np.testing.assert_allclose(y, np.einsum("nijklc,klc->nijc", found, w[..., 0]), atol=2e-5)
    sums = run.empty((3, *g.kernel, g.channels), np.float32)
    run(depthwise.to_filter(form, row), 3, x, sums, dy, *words, 3, count)
    dw = np.einsum("nijklc,nijc->klc", found, dy)
    np.testing.assert_allclose(sums.sum(0), dw, atol=2e-5)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_each_width_of_registers(name, width):
    machine = width if width in MACHINES else ""
    run = Run(functools.partial(built, machine=machine), parts=2)
    _check(run, WIDTHS[width].form("f32"), CASES[name])


def test_kernels_run_as_python():
    case = ((1, 3, 6, 3), (2, 3, 3, 1), (1, 1), "SAME", (1, 1))
    _check(Run(uncompiled.function_of, parts=2), Registers(16, 128).form("f32"), case)
