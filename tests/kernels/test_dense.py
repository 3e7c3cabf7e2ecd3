"""The kernel of products by register tiles against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from hybridflow._src.kernels import dense, uncompiled
from hybridflow._src.kernels.vectors import Registers
from tests.kernels.building import MACHINES, built
from tests.kernels.convolving import assert_fence_stands, fenced

WIDTHS = {"": None, "avx2": Registers(16, 256)}
WIDTHS = {name: WIDTHS[name] for name in MACHINES} | {"128": Registers(16, 128)}
SHORT = {"float32": "f32", "float64": "f64"}
# Matrices, rows, inner size, columns.
SIZES = [
    (1, 1, 1, 1),
    (1, 12, 7, 32),
    (1, 13, 5, 33),
    (1, 35, 64, 50),
    (1, 1, 70, 100),
    (1, 40, 3, 1),
    (1, 23, 0, 9),
    (1, 6, dense.STRIP + 1, 17),
    (1, 3, 2 * dense.STRIP + 40, 70),
    (5, 11, 4, 20),
    (3, 30, 9, 65),
]


def _bits(x):
    return int(np.float64(x).view(np.int64))


class Product:
    """The kernel for matrices that lie in some way."""

    def __init__(self, make, machine, a, b, *, copied, alpha=1.0, scale=1.0, onto=None):
        element, size = SHORT[a.dtype.name], a.dtype.itemsize
        tile = dense.tile(element, machine)
        (count, rows, inner), columns = a.shape, b.shape[2]
        start = np.full((count, rows, columns), np.nan, a.dtype) if onto is None else onto
        self.result = fenced(start)
        self._kept = (
            a,
            b,
            np.asarray(scale, a.dtype),
            fenced(np.zeros(dense.scratch(tile, inner), a.dtype)),
        )
        a, b, scale, scratch = self._kept
        self._run = make(dense.product(element, machine))
        self.items = dense.items(tile, count, rows, columns)
        self._words = [
            *(0, self.items, a.ctypes.data, *a.strides[1:], rows, columns, inner),
            *(_bits(alpha), scale.ctypes.data, _bits(onto is not None)),
            *(b.ctypes.data, *b.strides[1:], scratch.ctypes.data),
            *(self.result.ctypes.data, columns * size, copied),
            *(a.strides[0], b.strides[0], rows * columns * size),
        ]

    def __call__(self, parts=1):
        for part in range(parts):
            words = np.array(self._words, np.int64)
            words[:2] = [self.items * part // parts, self.items * (part + 1) // parts]
            assert self._run(words.ctypes.data) == 0
        assert_fence_stands(self.result)
        assert_fence_stands(self._kept[3])
        return self.result


def _turned(array):
    """The same matrices, whose columns follow each other."""
    return np.swapaxes(fenced(np.ascontiguousarray(np.swapaxes(array, 1, 2))), 1, 2)


def _ways(a, b):
    """The matrices as they may lie, and whether panels are copied."""
    for first in (a, _turned(a)):
        yield first, b, False
        yield first, b, True
        yield first, _turned(b), True


def _draw(sizes, dtype):
    count, rows, inner, columns = sizes
    rng = np.random.default_rng(sum(sizes))
    shapes = (count, rows, inner), (count, inner, columns), (count, rows, columns)
    return [fenced(rng.standard_normal(shape).astype(dtype)) for shape in shapes]


def _close(found, right, of):
    bound = np.finfo(found.dtype).eps * 8 * max(1.0, of)
    np.testing.assert_allclose(found, right, rtol=0, atol=bound)


def _make(width):
    return lambda kernel: built(kernel, width if width in MACHINES else "")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "x".join(map(str, sizes)))
def test_products(sizes, dtype, width):
    a, b, onto = _draw(sizes, dtype)
    right = a.astype(np.float64) @ b.astype(np.float64)
    of = float((np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)).max())
    for first, second, copied in _ways(a, b):
        if second.strides[2] != a.dtype.itemsize and second.strides[1] != a.dtype.itemsize:
            continue  # where there is one row or column only
        given = _make(width), WIDTHS[width], first, second
        alone = Product(*given, copied=copied)()
        _close(alone, right, of)
        for parts in (2, 3):
            np.testing.assert_array_equal(Product(*given, copied=copied)(parts), alone)
        added = Product(*given, copied=copied, alpha=-1.0, scale=0.5, onto=onto)()
        _close(added, onto - 0.5 * right, of + float(np.abs(onto).max()))


@pytest.mark.parametrize("turned", [False, True])
def test_as_python(turned):
    a, b, onto = _draw((2, 5, 6, 19), "float32")
    second = _turned(b) if turned else b
    narrow = Registers(16, 128)
    run = Product(uncompiled.function_of, narrow, a, second, copied=turned, onto=onto)
    _close(run(), onto + a @ b, 20.0)


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("copied", [False, True])
def test_what_is_not_finite_stays_in_its_row_and_column(dtype, copied):
    a, b, _ = _draw((1, 30, 40, 70), dtype)
    a[0, 3, 5], a[0, 17, 0] = np.nan, np.inf
    b[0, 39, 69], b[0, 2, 33] = -np.inf, np.nan
    with np.errstate(all="ignore"):
        right = a @ b
    for second in (b, _turned(b)) if copied else (b,):
        found = Product(_make(""), None, a, second, copied=copied)()
        np.testing.assert_array_equal(np.isnan(found), np.isnan(right))
        np.testing.assert_array_equal(np.isinf(found), np.isinf(right))
        np.testing.assert_array_equal(
            np.sign(found[np.isinf(found)]), np.sign(right[np.isinf(right)])
        )


def test_zeros_times_what_is_not_finite():
    a, b = np.zeros((1, 3, 2), np.float32), np.full((1, 2, 40), np.inf, np.float32)
    assert np.isnan(Product(_make(""), None, a, b, copied=False)()).all()
