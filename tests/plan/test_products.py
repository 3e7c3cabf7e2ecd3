"""Matrix products in native programs, whole and divided among threads."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import blas, products
from hybridflow._src.kernels.vectors import Registers
from hybridflow._src.plan import products as steps
from hybridflow._src.plan import sharing
from hybridflow._src.plan.arrays import Arrays
from hybridflow._src.plan.steps import Call
from hybridflow._src.plan.values import FED, Buffer, Value
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


@pytest.fixture(params=["tiles", "blas"])
def way(request, monkeypatch):
    """A function of threads that gives a configuration by which products go one of two ways."""
    monkeypatch.setattr(steps._Tiled, "is_quicker", lambda *_: True)

    def config(threads):
        made = hf.ConfigProto(intra_op_parallelism_threads=threads)
        if request.param == "blas":
            made.graph_options.optimizer_options.without_loop_passes = ["products by tiles"]
        return made

    config.name = request.param
    return config


def _ways(program):
    """Which way each product goes."""
    calls = [step for _, step in program.steps if isinstance(step, Call)]
    found = [steps.is_by_tiles(step) for step in calls if steps.is_product(step)]
    return ["tiles" if by_tiles else "blas" for by_tiles in found]


def _close(found, wanted):
    for mine, right in zip(found, wanted, strict=True):
        assert mine.dtype == right.dtype
        bound = np.finfo(right.dtype).eps * 8 * np.abs(right).max()
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound)


@pytest.mark.parametrize("threads", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_parts_of_all_products(monkeypatch, dtype, threads, way):
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
        with hf.Session(config=way(threads)) as session:
            program = program_of(session, fetches, feed)
            _close(session.run(fetches, feed), wanted)
            assert not native.fallbacks(plan_of(session, fetches))
        shared = [len(what.programs) for kind, what in program._segments if kind == "shared"]
        assert _ways(program) == [way.name] * len(fetches)
        # All but those that are too small for two parts.
        assert len(shared) == (0 if threads == 1 else 4 * (len(SHAPES) - 1))


def _layouts(x, y):
    """Pairs of matrices that lie in other ways than by rows."""
    yield x[:, ::2], y[::2]
    yield x[::-1], y[:, ::-1]
    yield x[3:, 1:], y[1:, 5:]
    yield hf.transpose(x)[:, 4:], x[4:, 3:9]
    yield x, hf.transpose(x)
    yield x[:1], y
    yield x, y[:, :1]
    yield x[:, :1], y[:1]
    yield x[:, 2:3], hf.transpose(x[:, 5:6])
    yield hf.transpose(hf.stack([x, x + 1]), [0, 2, 1]), hf.stack([x, x])
    yield hf.transpose(hf.stack([x, x + 1, x]), [1, 0, 2]), hf.stack([y] * 20)
    yield hf.reshape(hf.stack([x, x]), [2, 1, 20, 40]), hf.reshape(hf.stack([y, y]), [2, 1, 40, 67])


@pytest.mark.parametrize("threads", [1, 2])
def test_matrices_that_lie_in_other_ways(monkeypatch, threads, way):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    rng = np.random.default_rng(0)
    x0, y0 = (rng.standard_normal(shape).astype(np.float32) for shape in ([20, 40], [40, 67]))
    with hf.Graph().as_default():
        x, y = hf.placeholder(hf.float32, x0.shape), hf.placeholder(hf.float32, y0.shape)
        pairs = list(_layouts(x, y))
        fetches = [hf.matmul(a, b) for a, b in pairs]
        with hf.Session(config=way(threads)) as session:
            feed = {x: x0, y: y0}
            wanted = [a.astype(np.float64) @ b for a, b in session.run(pairs, feed)]
            program = program_of(session, fetches, feed)
            _close(session.run(fetches, feed), [w.astype(np.float32) for w in wanted])
            assert not native.fallbacks(plan_of(session, fetches))
        assert _ways(program) == [way.name] * len(fetches)


def test_results_are_the_same_whatever_the_threads(monkeypatch, way):
    a0, b0 = (np.random.default_rng(i).standard_normal((70, 70)) for i in range(2))
    found = []
    for threads in (1, 2, 5):
        with hf.Graph().as_default(), hf.Session(config=way(threads)) as session:
            a, b = hf.placeholder(hf.float64, [70, 70]), hf.placeholder(hf.float64, [70, 70])
            y = hf.matmul(a, b, transpose_b=True)
            program_of(session, y, {a: a0, b: b0})
            found.append(session.run(y, {a: a0, b: b0}))
    for other in found[1:]:
        if way.name == "tiles":
            np.testing.assert_array_equal(other, found[0])
        _close([other], [found[0]])


def test_other_sizes_take_the_same_kernel(way):
    kernels = set()
    with hf.Graph().as_default(), hf.Session(config=way(1)) as session:
        for rows, inner, columns in ((1, 5, 3), (32, 7, 128), (31, 60, 48), (64, 9, 10)):
            a = hf.placeholder(hf.float32, [rows, inner])
            b = hf.placeholder(hf.float32, [columns, inner])
            y = hf.matmul(a, b, transpose_b=True)
            feed = {a: np.ones((rows, inner), "f"), b: np.ones((columns, inner), "f")}
            program = program_of(session, y, feed)
            kernels |= {step.kernel for _, step in program.steps if isinstance(step, Call)}
    assert len(kernels) == 1


@pytest.mark.parametrize(
    ("bits", "core", "tiles"),
    [
        (512, "Haswell", [True] * 3),
        (512, "SkylakeX", [False] * 3),
        (512, "", [False] * 3),
        (256, "Zen", [True, False, False]),
        (128, "Haswell", [False] * 3),
    ],
)
def test_which_way_is_quicker(monkeypatch, bits, core, tiles):
    monkeypatch.setattr(steps, "registers", lambda: Registers(32, bits))
    library = blas.Blas({}, 64, (0, 0), core)
    lowering = Arrays(1)
    small, large = (Value.whole(Buffer(FED, (n, n), np.dtype("f4"))) for n in (30, 900))
    turned = Value(small.buffer, small.shape, small.strides[::-1])
    pairs = [(small, small), (large, large), (small, turned)]
    found = [steps._Tiled.of(lowering, *pair).is_quicker(library) for pair in pairs]
    assert found == tiles
    assert all(steps._Tiled.of(lowering, *pair).is_quicker(None) for pair in pairs)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_product_that_is_subtracted_is_so_once(threads, way):
    x0, w0 = np.ones((40, 20), np.float32), np.full((20, 50), 2, np.float32)
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [40, 20])
        w = hf.get_variable("w", initializer=w0)
        loss = hf.reduce_sum(hf.matmul(x, w))
        step = hf.train.GradientDescentOptimizer(0.25).minimize(loss)
        with hf.Session(config=way(threads)) as session:
            session.run(w.initializer)
            program = program_of(session, step, {x: x0})
            session.run(w.initializer)
            for _ in range(3):
                session.run(step, {x: x0})
            np.testing.assert_array_equal(session.run(w), w0 - 3 * 0.25 * 40)
        assert set(_ways(program)) == {way.name}
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
