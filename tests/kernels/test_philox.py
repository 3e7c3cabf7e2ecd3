"""Blocks of random words by a kernel are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from hybridflow._src.framework import philox
from hybridflow._src.framework.late import late
from hybridflow._src.framework.random_numbers import truncated_normal, uniform
from hybridflow._src.kernels import jobs, uncompiled
from hybridflow._src.kernels import philox as kernels
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.compiler import COMPILER
from tests.kernels.building import built

F = np.dtype(np.float32)
STARTS = [0, 5, (1 << 64) - 3, (1 << 128) - 2, 0x0123456789ABCDEF_FEDCBA9876543210]


@pytest.fixture
def alone(monkeypatch):
    """The kernel as of a process that has asked for no blocks."""
    fresh = Alone(kernels.KERNEL, worth=5000)
    monkeypatch.setattr(kernels, "BLOCKS", fresh)
    return fresh


def _words(seed, start, offsets):
    keys = philox.Philox(seed, 1)._keys
    return late.philox_blocks(start & philox._U64, start >> 64, offsets, keys)


@pytest.mark.parametrize("start", STARTS)
def test_words(monkeypatch, start):
    monkeypatch.setattr(philox, "_MANY", 1 << 60)
    seed = 0xFEDCBA98_76543210
    for offsets in (np.arange(40), np.arange(33)[::-1] * 7, np.arange(0), [(1 << 64) - 1, 0]):
        offsets = np.asarray(offsets, np.uint64)
        right = philox.Philox(seed, 1).words(start, offsets)
        for function in (built(kernels.KERNEL), uncompiled.function_of(kernels.KERNEL)):
            monkeypatch.setattr(kernels.BLOCKS, "_function", function)
            found = _words(seed, start, offsets)
            assert found.dtype == right.dtype
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("start", STARTS)
def test_words_of_few_blocks(start):
    generator = philox.Philox(0xFEDCBA98_76543210, 1)
    for offsets in (np.arange(philox._FEW), np.arange(0), [(1 << 64) - 1, 0]):
        offsets = np.asarray(offsets, np.uint64)
        found = generator.words(start, offsets)
        more = generator.words(start, np.concatenate([offsets, np.zeros(9, np.uint64)]))
        assert found.dtype == more.dtype
        np.testing.assert_array_equal(found, more[: len(offsets)])


@pytest.mark.parametrize("draw", [uniform, truncated_normal])
def test_numbers_go_on_when_the_kernel_is_there(monkeypatch, alone, draw):
    count = 8000
    with monkeypatch.context() as context:
        context.setattr(philox, "_MANY", 1 << 60)
        generator = philox.Philox(3, 4)
        right = [draw(generator, count, F) for _ in range(5)]
    generator = philox.Philox(3, 4)
    found = [draw(generator, count, F)]
    assert alone._asked is None
    found += [draw(generator, count, F) for _ in range(2)]
    assert COMPILER.wait(60)
    assert alone._function is not None
    found += [draw(generator, count, F) for _ in range(2)]
    np.testing.assert_array_equal(found, right)


def test_where_nothing_is_compiled_numpy_goes_on(monkeypatch, alone):
    alone.worth = 1
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setattr(jobs.JOBS, "submit", lambda *_: pytest.fail("a kernel was asked for"))
    generator = philox.Philox(3, 4)
    first = uniform(generator, 8000, F)
    assert alone._function is None
    assert not np.array_equal(uniform(generator, 8000, F), first)
