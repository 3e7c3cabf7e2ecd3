"""Matrix products in native programs, whole and divided among threads."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import blas, products
from hybridflow._src.plan import sharing
from tests import native
from tests.plan.sessions import plan_of, program_of

SHAPES = {
    "wide": ([5, 40], [40, 67]),
    "high": ([70, 3], [3, 18]),
    "even": ([64, 32], [32, 64]),
    "odd": ([33, 7], [7, 50]),
    "small": ([3, 4], [4, 5]),
    "inner": ([17, 300], [300, 9]),
    "batches": ([5, 20, 8], [5, 8, 35]),
    "many": ([6, 4, 18, 2], [6, 4, 2, 17]),
}


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    """However little there is to do, threads share it."""
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1)


def _close(found, wanted):
    for mine, right in zip(found, wanted, strict=True):
        assert mine.dtype == right.dtype
        bound = np.finfo(right.dtype).eps * 8 * np.abs(right).max()
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound)


@pytest.mark.parametrize("threads", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_parts_of_all_products(monkeypatch, dtype, threads):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    rng = np.random.default_rng(0)
    with hf.Graph().as_default():
        fetches, feed, wanted = [], {}, []
        for shapes in SHAPES.values():
            a, b = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
            for left, right in ((0, 0), (1, 0), (0, 1), (1, 1)):
                given = [
                    np.ascontiguousarray(np.swapaxes(array, -1, -2)) if turned else array
                    for array, turned in ((a, left), (b, right))
                ]
                places = [hf.placeholder(dtype, array.shape) for array in given]
                feed.update(zip(places, given, strict=True))
                y = hf.matmul(*places, transpose_a=bool(left), transpose_b=bool(right))
                fetches.append(y)
                wanted.append(np.matmul(a.astype(np.float64), b).astype(dtype))
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        with hf.Session(config=config) as session:
            program = program_of(session, fetches, feed)
            _close(session.run(fetches, feed), wanted)
            assert not native.fallbacks(plan_of(session, fetches))
        shared = [len(what.programs) for kind, what in program._segments if kind == "shared"]
        # All but those that are too small for two parts.
        assert len(shared) == (0 if threads == 1 else 4 * (len(SHAPES) - 1))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_product_that_is_subtracted_is_so_once(threads):
    x0, w0 = np.ones((40, 20), np.float32), np.full((20, 50), 2, np.float32)
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [40, 20])
        w = hf.get_variable("w", initializer=w0)
        loss = hf.reduce_sum(hf.matmul(x, w))
        step = hf.train.GradientDescentOptimizer(0.25).minimize(loss)
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        with hf.Session(config=config) as session:
            session.run(w.initializer)
            program = program_of(session, step, {x: x0})
            session.run(w.initializer)
            for _ in range(3):
                session.run(step, {x: x0})
            np.testing.assert_array_equal(session.run(w), w0 - 3 * 0.25 * 40)
        kinds = [kind for kind, _ in program._segments]
        assert ("shared" in kinds) == (threads == 3)


@pytest.mark.parametrize(
    ("rows", "columns", "parts", "expected"),
    [
        (64, 1024, 2, (1, 2)),
        (1024, 64, 2, (2, 1)),
        (512, 512, 4, (2, 2)),
        (64, 1024, 16, (1, 16)),
        (2048, 1024, 16, (4, 4)),
        (10, 30, 16, (1, 2)),
        (30, 10, 16, (2, 1)),
        (3, 3, 2, (1, 1)),
        (40, 40, 7, (1, 3)),
    ],
)
def test_division(rows, columns, parts, expected):
    assert products.division(rows, columns, parts) == expected


@pytest.mark.parametrize(
    "shapes",
    [((300, 400), (400, 310)), ((3, 260, 300), (300, 280)), ((2, 1, 300, 64), (5, 64, 999))],
)
def test_large_products_of_arrays(monkeypatch, shapes):
    library = blas.find()
    assert library is not None
    if not all(library.threads):
        pytest.skip("this BLAS does not tell its number of threads")
    during = []
    tell = ctypes.CFUNCTYPE(ctypes.c_int)(library.threads[0])
    before, run = tell(), blas.pool.run

    def noted(crew, shared):
        during.append(tell())
        run(crew, shared)

    monkeypatch.setattr(blas.pool, "run", noted)
    a, b = (np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes))
    found = blas.matmul(a, b)
    np.testing.assert_allclose(found, np.matmul(a, b), rtol=0, atol=1e-12)
    assert during == [1]
    assert tell() == before
