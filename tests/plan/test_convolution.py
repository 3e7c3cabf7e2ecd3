"""Convolutions in native programs."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan.steps import Loop
from tests import native
from tests.plan.sessions import plan_of, program_of

LIMITS = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-14}


@pytest.fixture
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


def _numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def _agree(found, wanted):
    for mine, right in zip(found, wanted, strict=True):
        assert mine.dtype == right.dtype
        bound = LIMITS[mine.dtype.name] * np.abs(right).max()
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", LIMITS)
def test_sizes_need_no_new_kernels(graph, dtype, data_format):
    first = data_format == "NCHW"
    x = hf.placeholder(dtype, [None] * 4)
    w = hf.placeholder(dtype, [None] * 4)
    strides = [1, 1, 2, 2] if first else [1, 2, 2, 1]
    y = hf.nn.conv2d(x, w, strides, "SAME", data_format=data_format)
    fetches = [y, *hf.gradients(hf.reduce_sum(y * y), [x, w])]

    def feed(batch, high, channels, filters):
        images = _numbers(batch, batch, high, 13, channels)
        if first:
            images = np.moveaxis(images, -1, 1)
        return {x: images, w: _numbers(high, 3, 3, channels, filters) / 9}

    with hf.Session() as session:
        given = feed(2, 7, 32, 32)
        wanted = session.run(fetches, given)
        program_of(session, fetches, given)
        _agree(session.run(fetches, given), wanted)
        for sizes in ((3, 7, 32, 32), (2, 9, 32, 32), (2, 7, 64, 32), (2, 7, 32, 60)):
            other = feed(*sizes)
            wanted = session.run(fetches, other)
            with native.assert_no_compile():
                program_of(session, fetches, other)
            _agree(session.run(fetches, other), wanted)
        assert not native.fallbacks(plan_of(session, fetches))


@pytest.mark.parametrize("images", [1, 5])
def test_threads_share_the_work_and_change_nothing(graph, images):
    x = hf.placeholder(hf.float32, [None, 28, 28, 16])
    w = hf.placeholder(hf.float32, [3, 3, 16, 96])
    y = hf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME")
    fetches = [y, *hf.gradients(hf.reduce_sum(y * y), [x, w])]
    feed = {x: _numbers(0, images, 28, 28, 16), w: _numbers(1, 3, 3, 16, 96)}
    found = []
    for threads in (1, 3):
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        with hf.Session(config=config) as session:
            program = program_of(session, fetches, feed)
            shared = [len(what.programs) for kind, what in program._segments if kind == "shared"]
            assert shared.count(3) >= 3 if threads == 3 else not shared
            found.append(session.run(fetches, feed))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_filter_is_packed_once_for_each_of_its_values(graph):
    w = hf.get_variable("w", [3, 3, 8, 8], initializer=hf.ones_initializer())
    x = hf.placeholder(hf.float32, [1, 5, 7, 8])
    strides = [1, 1, 1, 1]
    twice = hf.nn.conv2d(hf.nn.conv2d(x, w, strides, "SAME"), w, strides, "SAME")
    with hf.control_dependencies([twice]):
        write = w.assign(w * 2.0)
    with hf.control_dependencies([write]):
        after = hf.nn.conv2d(x, w.read_value(), strides, "SAME")
    feed = {x: np.ones((1, 5, 7, 8))}
    with hf.Session() as session:
        session.run(w.initializer)
        program = program_of(session, [twice, after], feed)
        assert [k.label for k in program.kernels.values()].count("pack_filter_f32") == 2
        session.run(w.initializer)
        found = session.run([twice, after], feed)
    assert found[0][0, 2, 3, 0] == 72.0**2
    assert found[1][0, 2, 3, 0] == 144.0


def test_writes_stay_inside(graph, monkeypatch):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    x = hf.placeholder(hf.float32, [2, 11, 7, 3])
    w = hf.placeholder(hf.float32, [3, 3, 3, 5])
    y = hf.nn.conv2d(x, w, [1, 3, 3, 1], "SAME")
    fetches = [y, *hf.gradients(hf.reduce_sum(y * y), [x, w])]
    feed = {x: _numbers(0, 2, 11, 7, 3), w: _numbers(1, 3, 3, 3, 5)}
    with hf.Session() as session:
        wanted = session.run(fetches, feed)
        program_of(session, fetches, feed)
        _agree(session.run(fetches, feed), wanted)


@pytest.mark.parametrize("channels", [8, 32])
def test_a_constant_filter_is_packed_once_for_all_steps(graph, channels):
    filters = _numbers(1, 3, 3, channels, 32).astype(np.float32) / 9
    x = hf.placeholder(hf.float32, [2, 14, 14, channels])
    w = hf.placeholder(hf.float32, filters.shape)
    fetches = [
        [
            hf.nn.conv2d(x, f, [1] * 4, "SAME"),
            hf.gradients(hf.nn.conv2d(x, f, [1] * 4, "SAME"), x)[0],
        ]
        for f in (hf.constant(filters), w)
    ]
    images = _numbers(0, 2, 14, 14, channels)
    with hf.Session() as session:
        found = []
        for fetched, feed in zip(fetches, ({x: images}, {x: images, w: filters}), strict=True):
            program = program_of(session, fetched, feed)
            labels = [program.kernels[position].label for position, _ in program.steps]
            packed = [k for k in labels if "filter" in k and "convolution" not in k]
            assert bool(packed) == (fetched is fetches[1])
            found.append(session.run(fetched, feed))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_constant_filter_of_a_loop_is_packed_once(graph):
    filters = hf.constant(_numbers(1, 3, 3, 4, 4).astype(np.float32) / 9)
    x = hf.placeholder(hf.float32, [1, 4, 4, 4])
    _, y = hf.while_loop(
        lambda i, _: i < 3,
        lambda i, y: (i + 1, y + hf.nn.conv2d(y, filters, [1] * 4, "SAME")),
        [0, x],
    )
    feed = {x: _numbers(0, 1, 4, 4, 4)}
    with hf.Session() as session:
        wanted = session.run(y, feed)
        program = program_of(session, y, feed)
        (loop,) = [step for _, step in program.steps if isinstance(step, Loop)]
        body = loop.parts[1]
        assert [step.kernel.label for _, step in body.fixed] == ["pack_filter_f32"]
        _agree([session.run(y, feed)], [wanted])


def test_what_kernels_write_begins_with_a_line_of_the_caches(graph):
    x = hf.placeholder(hf.float32, [1, 12, 12, 16])
    y = hf.nn.conv2d(x, _numbers(1, 3, 3, 16, 36).astype(np.float32), [1] * 4, "SAME")
    kept = hf.Variable(hf.zeros(y.shape))
    write = kept.assign(hf.nn.relu(y))
    feed = {x: _numbers(0, *x.shape.as_list())}
    with hf.Session() as session:
        session.run(kept.initializer)
        program = program_of(session, [y, write.op], feed)
        results = [session.run([y, write.op], feed)[0] for _ in range(3)]
        memory = [buffer.array for _, step in program.fixed for buffer in step.writes]
        memory += [program.block.array(buffer) for buffer in program.block.buffers]
        memory += [storage._array for storage in program.written]
    assert len(memory) >= 3
    for array in [*results, *memory]:
        assert array.nbytes < 1 << 12 or array.ctypes.data % 64 == 0


def test_what_constants_alone_give_is_not_lost_where_it_is_fetched(graph):
    images, filters = _numbers(0, 2, 5, 5, 3), _numbers(1, 3, 3, 3, 4)
    x = hf.placeholder(hf.float64, images.shape)
    y = hf.nn.conv2d(hf.constant(images), hf.constant(filters), [1] * 4, "SAME")
    z = hf.nn.conv2d(x, filters, [1] * 4, "SAME")
    with hf.Session() as session:
        for _ in range(3):
            program_of(session, [y, z], {x: images})
            for found in session.run([y, z], {x: images}):
                _agree([found], [session.run(z, {x: images})])
                found[...] = 0.0


# -- Winograd's algorithm --------------------------------------------------------------------------


def _both(dtype, data_format, shape, filters, padding="SAME"):
    """A convolution of 3x3 and its gradients, and what to feed."""
    images = _numbers(0, *shape)
    images = np.moveaxis(images, -1, 1) if data_format == "NCHW" else images
    x = hf.placeholder(dtype, [None] * 4)
    w = hf.placeholder(dtype, [None] * 4)
    y = hf.nn.conv2d(x, w, [1] * 4, padding, data_format=data_format)
    fetches = [y, *hf.gradients(hf.reduce_sum(y * y), [x, w])]
    return x, w, fetches, {x: images, w: _numbers(1, 3, 3, shape[-1], filters) / 9}


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_by_winograd(graph, monkeypatch, dtype, data_format, padding):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    *_, fetches, feed = _both(dtype, data_format, (2, 13, 15, 24), 40, padding)
    with hf.Session() as session:
        wanted = session.run(fetches, feed)
        program = program_of(session, fetches, feed)
        labels = [kernel.label for kernel in program.kernels.values()]
        assert sum(label.startswith("winograd_2") for label in labels) == 2
        _agree(session.run(fetches, feed), wanted)
        assert not native.fallbacks(plan_of(session, fetches))


@pytest.mark.parametrize("strides", [(2, 2), (1, 2), (2, 1)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_phases_of_3x3_lie_between_others(graph, monkeypatch, strides, padding):
    """Of a filter of 5x5 and a stride of 2 some phases of the gradient are filters of 3x3."""
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    x = hf.placeholder(hf.float32, [None] * 4)
    w = hf.placeholder(hf.float32, [None] * 4)
    y = hf.nn.conv2d(x, w, [1, *strides, 1], padding)
    up = hf.nn.conv2d_transpose(y, w, hf.shape(x), [1, *strides, 1], padding)
    fetches = [up, *hf.gradients(hf.reduce_sum(y * y), [x, w])]
    size = [5 if stride == 2 else 3 for stride in strides]
    feed = {x: _numbers(0, 40, 9, 10, 24), w: _numbers(1, *size, 24, 40) / 9}
    with hf.Session() as session:
        wanted = session.run(fetches, feed)
        program_of(session, fetches, feed)
        _agree(session.run(fetches, feed), wanted)
        assert not native.fallbacks(plan_of(session, fetches))


@pytest.mark.parametrize("dtype", LIMITS)
def test_larger_blocks_are_an_option(graph, monkeypatch, dtype):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    *_, fetches, feed = _both(dtype, "NHWC", (2, 13, 15, 24), 40)
    config = hf.ConfigProto()
    config.graph_options.optimizer_options.winograd_block = 4
    with hf.Session(config=config) as session:
        wanted = session.run(fetches, feed)
        labels = [k.label for k in program_of(session, fetches, feed).kernels.values()]
        assert sum(label.startswith("winograd_4") for label in labels) == 2
        for mine, right in zip(session.run(fetches, feed), wanted, strict=True):
            # The errors that `OptimizerOptions` promises; NumPy's meaning has its own.
            bound = {"float16": 2e-3, "float32": 2e-5, "float64": 4e-14}[dtype]
            np.testing.assert_allclose(mine, right, rtol=0, atol=bound * np.abs(right).max())


@pytest.mark.parametrize("block", [1, 3, -2, "4", None])
def test_blocks_of_other_sizes_are_refused(graph, block):
    config = hf.ConfigProto()
    config.graph_options.optimizer_options.winograd_block = block
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"winograd_block=.*expected 2 or 4"):
        hf.Session(config=config)


def test_sizes_need_no_new_kernels_by_winograd(graph):
    x, w, fetches, feed = _both("float32", "NHWC", (6, 14, 14, 32), 32)
    with hf.Session() as session:
        program_of(session, fetches, feed)
        for batch, high, channels, filters in [(5, 14, 32, 32), (2, 19, 32, 32), (2, 14, 64, 60)]:
            other = {
                x: _numbers(0, batch, high, 14, channels),
                w: _numbers(1, 3, 3, channels, filters) / 9,
            }
            wanted = session.run(fetches, other)
            with native.assert_no_compile():
                program_of(session, fetches, other)
            _agree(session.run(fetches, other), wanted)


@pytest.mark.parametrize("images", [1, 6])
def test_threads_change_nothing_by_winograd(graph, images):
    *_, fetches, feed = _both("float32", "NHWC", (images, 14, 14, 64), 64)
    found = []
    for threads in (1, 3):
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        with hf.Session(config=config) as session:
            program_of(session, fetches, feed)
            found.append(session.run(fetches, feed))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of", ["images", "filter"])
def test_what_is_no_finite_number_is_as_in_direct_convolution(graph, of, value):
    x, w, fetches, feed = _both("float32", "NHWC", (3, 14, 14, 32), 32)
    with hf.Session() as session:
        program_of(session, fetches[0], feed)
        finite = session.run(fetches[0], feed)
        if of == "images":
            feed[x][1, 5, 6, 7] = value
            seen = np.zeros(finite.shape, bool)
            seen[1, 4:7, 5:8] = True
        else:
            feed[w][1, 1, 3, 4] = value
            seen = np.zeros(finite.shape, bool)
            seen[..., 4] = True
        found = session.run(fetches[0], feed)
    np.testing.assert_allclose(found[~seen], finite[~seen], rtol=0, atol=1e-4)
    assert (np.isnan if np.isnan(value) else np.isinf)(found[seen]).all()


def _without_padding(x, w, dy, strides):
    """A convolution with "SAME" padding and its gradients, of products inside the images alone."""
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(w.shape)
    before = [
        max(0, (n - 1) * s + k - size) // 2
        for n, s, k, size in zip(dy.shape[1:3], strides, w.shape, x.shape[1:3], strict=False)
    ]
    for i, j, k, m in np.ndindex(*dy.shape[1:3], *w.shape[:2]):
        h, v = i * strides[0] + k - before[0], j * strides[1] + m - before[1]
        if 0 <= h < x.shape[1] and 0 <= v < x.shape[2]:
            y[:, i, j] += x[:, h, v] @ w[k, m]
            dx[:, h, v] += dy[:, i, j] @ w[k, m].T
            dw[k, m] += x[:, h, v].T @ dy[:, i, j]
    return y, dx, dw


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("filters", [2, 19])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_padding_has_no_products(graph, strides, filters, bad):
    """An infinite filter or gradient shows where it meets an image, not where it meets padding."""
    x, w = hf.placeholder(hf.float32, [2, 5, 7, 3]), hf.placeholder(hf.float32, [3, 4, 3, filters])
    y = hf.nn.conv2d(x, w, [1, *strides, 1], "SAME")
    dy = hf.placeholder(hf.float32, y.shape)
    fetches = [y, *hf.gradients(y, [x, w], dy)]
    images, grads = _numbers(0, *x.shape.as_list()), _numbers(1, *y.shape.as_list())
    weights = _numbers(2, *w.shape.as_list())
    with hf.Session() as session:
        program_of(session, fetches, {x: images, w: weights, dy: grads})
        for place in np.ndindex(3, 4):
            odd, odder = weights.copy(), grads.copy()
            odd[(*place, 1, 1)] = bad
            odder[0, place[0] % y.shape[1].value, place[1] % y.shape[2].value, 1] = bad
            for feed in ({x: images, w: odd, dy: grads}, {x: images, w: weights, dy: odder}):
                wanted = _without_padding(feed[x], feed[w], feed[dy], strides)
                with hf.Session() as first:
                    interpreted = first.run(fetches, feed)
                for found in (interpreted, session.run(fetches, feed)):
                    for mine, right in zip(found, wanted, strict=True):
                        np.testing.assert_allclose(mine, right, 1e-4, 1e-4)


DEPTHWISE = {
    "plain": ((2, 9, 7, 33), (3, 3), (1, 1), "SAME", (1, 1), "NHWC"),
    "strided": ((3, 11, 8, 5), (3, 4), (2, 3), "SAME", (1, 1), "NHWC"),
    "dilated": ((2, 10, 9, 70), (3, 2), (1, 1), "VALID", (2, 3), "NHWC"),
    "channels first": ((2, 8, 6, 40), (5, 3), (2, 2), "SAME", (1, 1), "NCHW"),
    "several": ((2, 9, 21, 7), (3, 3), (2, 1), "SAME", (1, 1), "NHWC"),
    "wide": ((1, 3, 40, 16), (2, 3), (1, 2), "VALID", (1, 1), "NHWC"),
    "beyond": ((1, 2, 3, 32), (5, 7), (1, 1), "SAME", (1, 1), "NHWC"),
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("case", DEPTHWISE)
def test_depthwise(graph, monkeypatch, case, dtype, threads):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    shape, size, strides, padding, dilations, data_format = DEPTHWISE[case]
    first = data_format == "NCHW"
    images = _numbers(0, *shape)
    images = np.moveaxis(images, -1, 1) if first else images
    x = hf.placeholder(dtype, images.shape)
    each = 3 if case == "several" else 1
    f = hf.placeholder(dtype, [*size, shape[-1], each])
    lists = [[1, 1, *v] if first else [1, *v, 1] for v in (strides, dilations)]
    y = hf.nn.depthwise_conv2d_native(
        x, f, lists[0], padding, data_format=data_format, dilations=lists[1]
    )
    fetches = [y, *hf.gradients(hf.reduce_sum(y * y), [x, f])]
    feed = {x: images, f: _numbers(1, *size, shape[-1], each)}
    config = hf.ConfigProto(intra_op_parallelism_threads=threads)
    with hf.Session(config=config) as session:
        wanted = session.run(fetches, feed)
        program_of(session, fetches, feed)
        _agree(session.run(fetches, feed), wanted)
        assert not native.fallbacks(plan_of(session, fetches))
