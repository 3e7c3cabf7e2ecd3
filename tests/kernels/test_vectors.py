"""Vectors in kernels: compiled for machines of several widths they are what they mean in Python."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from hybridflow._src.kernels import target, uncompiled, vectors
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import ELEMENT_TYPES
from tests.kernels.building import MACHINES, built

SPECIAL = [0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 6e-8, 65504.0, 1e30, -1e-30, 3.0]

# Words: addresses of x, y, z, of the result, a count.
OPERATIONS = """
def kernel(a):
    x = load_{F}(word(a, 0))
    y = load_{F}(word(a, 1))
    z = load_{F}(word(a, 2))
    to = word(a, 3)
    n = word(a, 4)
    size = {size}
    number = {T}(2.5)
    store_{F}(to, x + y)
    store_{F}(to + size, x - y)
    store_{F}(to + 2 * size, x * y)
    store_{F}(to + 3 * size, x / y)
    store_{F}(to + 4 * size, fma(x, y, z))
    store_{F}(to + 5 * size, maximum(x, y))
    store_{F}(to + 6 * size, minimum(x, y))
    store_{F}(to + 7 * size, select(x > y, x, z))
    store_{F}(to + 8 * size, select(x == y, x, z))
    store_{F}(to + 9 * size, select(x != y, x, z))
    store_{F}(to + 10 * size, select(x <= y, x, z))
    store_{F}(to + 11 * size, spread_{F}(word(a, 1)))
    store_{F}(to + 12 * size, splat_{F}(number))
    store_{F}(to + 13 * size, load_first_{F}(word(a, 2), n))
    store_first_{F}(to + 14 * size, y, n)
    store_{F}(to + 15 * size, splat_{F}(add_up_{F}(x)))
    store_{F}(to + 16 * size, sqrt(y))
    store_{F}(to + 17 * size, load_bytes_{F}(word(a, 5)))
    store_{F}(to + 18 * size, load_first_bytes_{F}(word(a, 5), n))
    store_bytes_{F}(to + 19 * size, load_bytes_{F}(word(a, 5)))
    store_first_bytes_{F}(to + 20 * size, load_bytes_{F}(word(a, 5)), n)
    return 0
"""
RESULTS = 21


def _call(function, *words):
    array = np.array(words, np.int64)
    assert function(array.ctypes.data) == 0


def _numbers(form, seed):
    rng = np.random.default_rng(seed)
    chosen = rng.choice([*SPECIAL, *rng.uniform(-9, 9, 12)], form.lanes)
    with np.errstate(over="ignore", under="ignore"):
        return chosen.astype(ELEMENT_TYPES[form.element])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("form", vectors.FORMS.values(), ids=lambda form: form.name)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_operations_compiled_and_in_python_are_the_same(form, machine):
    number = vectors.COMPUTED[form.element]
    kernel = Kernel(OPERATIONS.format(F=form.name, T=number, size=form.size), "operations")
    compiled, plain = built(kernel, machine), uncompiled.function_of(kernel)
    for seed in range(20):
        inputs = [_numbers(form, 3 * seed + i) for i in range(3)]
        found = []
        for function in (compiled, plain):
            # What is not written is there to be seen.
            to = np.full(RESULTS * form.lanes, 7, inputs[0].dtype)
            octets = np.arange(255, 255 - form.lanes, -1, dtype=np.uint8)
            count = seed % (form.lanes + 3) - 1
            addresses = (array.ctypes.data for array in (*inputs, to))
            _call(function, *addresses, count, octets.ctypes.data)
            found.append(to)
        np.testing.assert_array_equal(*found)
        for x in found:
            # Which of two zeros is the larger is not said.
            x.reshape(RESULTS, -1)[5:7] += 0.0
        np.testing.assert_array_equal(*[np.signbit(x[~np.isnan(x)]) for x in found])


@pytest.mark.parametrize("form", vectors.FORMS.values(), ids=lambda form: form.name)
def test_first_elements_alone_are_touched(form):
    """The last bytes before a page that must not be touched."""
    mmap = pytest.importorskip("mmap")
    kernel = Kernel(
        f"""
def kernel(a):
    n = word(a, 1)
    x = load_first_{form.name}(word(a, 0), n)
    store_first_{form.name}(word(a, 0), x + x, n)
    return 0
""",
        "first",
    )
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert protect(start + page, page, 0) == 0
    function = built(kernel, "")
    itemsize = np.dtype(ELEMENT_TYPES[form.element]).itemsize
    for count in range(form.lanes + 1):
        at = page - count * itemsize
        cells = np.frombuffer(memory, ELEMENT_TYPES[form.element], count, at)
        cells[...] = np.arange(count)
        _call(function, start + at, count)
        assert cells.tolist() == [2.0 * i for i in range(count)]


def test_registers_of_this_machine():
    found = vectors.registers()
    features = target.cpu()[1].split(",")
    assert found.bits == (512 if "+avx512f" in features else 256 if "+avx2" in features else 128)
    assert found.form("f16").lanes == found.form("f32").lanes == 2 * found.form("f64").lanes
    assert found.form("f64").size * 8 == found.bits


def test_a_kernel_of_vectors_uses_whole_registers():
    """Also where LLVM would by itself take halves of them."""
    form = vectors.registers().form("f32")
    source = f"""
def kernel(a):
    store_{form.name}(word(a, 0), load_{form.name}(word(a, 0)) * splat_{form.name}(f32(2)))
    return 0
"""
    x = np.arange(form.lanes, dtype=np.float32)
    _call(built(Kernel(source, "twice"), ""), x.ctypes.data)
    assert x.tolist() == [2.0 * i for i in range(form.lanes)]
