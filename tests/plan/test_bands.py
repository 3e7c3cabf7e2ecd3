"""Steps of layers that are done band by band: some images at a time."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels.convolution import winograd
from hybridflow._src.plan import in_bands
from hybridflow._src.plan.joining import Bands
from tests import native
from tests.plan.sessions import plan_of, program_of


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Bands of what is small, too."""
    monkeypatch.setattr(in_bands, "_WORTH", 1)
    monkeypatch.setattr(in_bands, "_BAND", 1 << 14)


def _numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _run(build, shapes, threads, in_bands, odd=None, checked=True):
    """What a network of placeholders gives, and the labels of the kernels of each band."""
    config = hf.ConfigProto(intra_op_parallelism_threads=threads)
    if not in_bands:
        config.graph_options.optimizer_options.without_loop_passes = ["images in bands"]
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        inputs = [hf.placeholder(hf.float32, shape) for shape in shapes]
        fetches = build(*inputs)
        feed = {
            x: _numbers(i, *shape) for i, (x, shape) in enumerate(zip(inputs, shapes, strict=True))
        }
        for number, place, value in odd or ():
            feed[inputs[number]][place] = value
        session.run(hf.global_variables_initializer())
        program = program_of(session, fetches, feed)
        session.run(hf.global_variables_initializer())
        found = [session.run(fetches, feed) for _ in range(2)]
        assert not native.fallbacks(plan_of(session, fetches))
    kernels = program.kernels
    bands = [step for _, step in program.steps if isinstance(step, Bands)]
    return found, [[kernels[at].label for at, _ in step.members] for step in bands]


def _same(build, shapes, kinds, odd=None, threads=(1, 2), exact=True):
    """Holds what bands give to what the same steps give one after the other.

    Args:
      kinds: how the names of kernels begin of which some band has one after the other.
      exact: whether nothing depends on sums over images, which are added up in another order.
    """
    for number in threads:
        wanted, none = _run(build, shapes, number, False, odd)
        found, bands = _run(build, shapes, number, True, odd)
        assert not none
        for kind in kinds:
            assert any(_has(labels, kind) for labels in bands), bands
        for mine, right in zip(found, wanted, strict=True):
            for one, other in zip(mine, right, strict=True):
                limit = 0 if exact and np.ndim(one) > 1 else 2e-6 * np.abs(other).max()
                np.testing.assert_allclose(one, other, rtol=0, atol=limit)
    return found


def _has(labels, kind):
    rest = iter(labels)
    return all(any(label.startswith(start) for label in rest) for start in kind)


def _conv(x, w, stride=1, padding="SAME"):
    return hf.nn.conv2d(x, w, [1, stride, stride, 1], padding)


SIZES = {
    "direct": ((8, 9, 7, 3), (3, 3, 3, 19)),
    "single filter": ((8, 9, 7, 5), (3, 3, 5, 1)),
    "winograd": ((8, 13, 11, 32), (3, 3, 32, 20)),
    "large": ((6, 12, 30, 16), (5, 5, 16, 48)),
    "pointwise": ((4, 9, 9, 12), (1, 1, 12, 30)),
}


@pytest.mark.parametrize("case", SIZES)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_bias_relu_and_a_residual_after_a_convolution(monkeypatch, case, padding):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    image, filters = SIZES[case]
    size = [n if padding == "SAME" else n - k + 1 for n, k in zip(image[1:], filters, strict=False)]
    shapes = [image, filters, filters[3:], (image[0], *size[:2], filters[3])]

    def build(x, w, b, r):
        return [hf.nn.relu(hf.nn.bias_add(_conv(x, w, 1, padding), b) + r)]

    firsts = {"winograd": "winograd", "single filter": "narrow"}
    _same(build, shapes, [(firsts.get(case, "convolution"), "group")])


@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_of_a_chain_of_convolutions(monkeypatch, stride):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")

    def build(x, v, w, b):
        h = hf.nn.relu(hf.nn.bias_add(_conv(x, v, stride), b))
        y = hf.nn.max_pool(hf.nn.relu(_conv(h, w)), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        return [y, *hf.gradients(hf.reduce_sum(y * y), [x, v, w, b])]

    shapes = [(8, 14, 10, 16), (3, 3, 16, 32), (3, 3, 32, 32), (32,)]
    _same(build, shapes, [("winograd", "group", "max_pool"), ("winograd", "group")])


def test_norms_of_batches(monkeypatch):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")

    def build(x, v, w, s, o):
        h = hf.nn.relu(hf.nn.fused_batch_norm(_conv(x, v), s, o)[0])
        y = hf.nn.relu(hf.nn.fused_batch_norm(_conv(h, w), s, o)[0] + h)
        return [y, *hf.gradients(hf.reduce_sum(y * y), [x, v, w, s, o])]

    shapes = [(8, 12, 12, 20), (3, 3, 20, 28), (3, 3, 28, 28), (28,), (28,)]
    kinds = [
        ("winograd", "partial"),
        ("group", "winograd", "partial"),
        ("group", "winograd", "group", "partial"),
    ]
    _same(build, shapes, kinds)


def test_depthwise_convolutions_and_the_mean_of_windows():
    def build(x, f, b):
        y = hf.nn.relu(hf.nn.depthwise_conv2d(x, f, [1] * 4, "SAME") + b)
        return [hf.nn.avg_pool(y, [1, 3, 3, 1], [1, 2, 2, 1], "SAME"), *hf.gradients(y, [x, f, b])]

    _same(build, [(8, 9, 11, 24), (3, 3, 24, 1), (24,)], [("depthwise", "group", "mean")])


def test_sums_over_columns_are_added_up():
    def build(x, w, b):
        z = hf.nn.relu(hf.nn.bias_add(_conv(x, w), b))
        first = [hf.reduce_sum(z, [0, 1, 2]), hf.reduce_max(z, [0, 1, 2])]
        return [*first, z, *hf.gradients(hf.reduce_sum(z * z), [x, w, b])]

    shapes = [(10, 9, 9, 16), (3, 3, 16, 40), (40,)]
    found = _same(build, shapes, [("winograd", "group"), ("group", "winograd")])
    total, most, z = found[0][:3]
    np.testing.assert_allclose(total, z.sum((0, 1, 2), np.float64), rtol=1e-5)
    np.testing.assert_array_equal(most, z.max((0, 1, 2)))


def test_sums_of_all_cells_are_rounded_once():
    def build(x, w):
        y = _conv(x, w)
        return [hf.reduce_sum(y * y), y]

    (found, again), bands = _run(build, [(8, 9, 9, 16), (3, 3, 16, 40)], 1, True)
    assert not any(_has(labels, ("winograd", "group")) for labels in bands)
    np.testing.assert_array_equal(found[0], again[0])
    np.testing.assert_allclose(found[0], (found[1].astype(np.float64) ** 2).sum(), rtol=1e-6)


def test_what_is_fetched_in_between_is_whole():
    def build(x, w, b):
        y = _conv(x, w)
        z = hf.nn.bias_add(y, b)
        return [y, z, hf.nn.relu(z), y * 2.0, hf.reduce_sum(y, [0, 1, 2]), hf.reduce_max(z, [1, 2])]

    found = _same(build, [(8, 20, 20, 16), (3, 3, 16, 40), (40,)], [("winograd", "group")])
    np.testing.assert_array_equal(found[0][3], 2 * found[0][0])
    np.testing.assert_array_equal(found[0][2], np.maximum(found[0][1], 0))


def test_who_reads_other_images_waits_for_all():
    """Reversed, shifted, transposed, repeated, sliced: none of these goes image by image."""

    def build(x, w):
        y = _conv(x, w)
        other = hf.concat([y[1:], y[:1]], 0)
        swapped = hf.transpose(y, [2, 1, 0, 3])
        tail = y[2:] * y[:-2]
        return [
            hf.nn.relu(y + hf.reverse(y, [0])),
            hf.nn.relu(y) * other,
            swapped * 3.0,
            tail + y[0],
            y + hf.reduce_mean(y, 0, keepdims=True),
            hf.reshape(y, [10, 5, -1]) * 2.0 - y[0, 0, 0, 0],
        ]

    _same(build, [(10, 6, 10, 16), (3, 3, 16, 32)], [], exact=False)


def test_who_needs_what_comes_between_stays_where_it_is():
    def build(x, v, w):
        y, z = _conv(x, v), _conv(x, w)
        total = hf.reduce_sum(z, [0, 1, 2])
        return [hf.nn.relu(y + z), hf.nn.relu(y + total), y * z + total]

    _same(build, [(8, 10, 10, 16), (3, 3, 16, 32), (3, 3, 16, 32)], [], exact=False)


@pytest.mark.parametrize("images", [1, 2, 3, 5, 7, 17, 33])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_numbers_of_images_that_no_one_divides(images, threads):
    def build(x, v, w, b, s):
        h = hf.nn.relu(hf.nn.bias_add(_conv(x, v), b))
        y = hf.nn.relu(hf.nn.fused_batch_norm(_conv(h, w, 2), s, b)[0])
        return [y, *hf.gradients(y, [x, v, w, b, s])]

    shapes = [(images, 9, 11, 16), (3, 3, 16, 33), (3, 3, 33, 33), (33,), (33,)]
    _same(build, shapes, [], threads=[threads])


def test_variables_change_after_they_were_read():
    def build(x):
        w = hf.get_variable("w", initializer=hf.constant(_numbers(5, 3, 3, 16, 32)))
        b = hf.get_variable("b", initializer=hf.constant(_numbers(6, 32)))
        y = hf.nn.relu(hf.nn.bias_add(_conv(x, w), b))
        loss = hf.reduce_mean(y * y)
        train = hf.train.GradientDescentOptimizer(0.5).minimize(loss)
        with hf.control_dependencies([train]):
            after = hf.nn.relu(hf.nn.bias_add(_conv(x, w.read_value()), b.read_value()))
        return [y, loss, after]

    _same(build, [(8, 8, 8, 16)], [("winograd", "group")])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of", ["images", "filter", "bias", "residual"])
def test_what_is_no_finite_number(of, value):
    """Where there is such a number, a band is computed directly: the others are not."""

    def build(x, w, b, r):
        y = _conv(x, w)
        return [y, hf.nn.relu(hf.nn.bias_add(y, b) + r)]

    shapes = [(8, 14, 14, 32), (3, 3, 32, 32), (32,), (8, 14, 14, 32)]
    place = {"images": (3, 5, 6, 7), "filter": (1, 1, 3, 4), "bias": (4,), "residual": (7, 0, 0, 3)}
    odd = [(list(place).index(of), place[of], value)]
    for threads in (1, 2):
        ((y, z), again), bands = _run(build, shapes, threads, True, odd)
        assert _has(bands[0], ("winograd", "pack", "convolution", "group"))
        np.testing.assert_array_equal(again, [y, z])
        ((wanted, right), _), _ = _run(build, shapes, threads, False, odd)
        for mine, other in ((y, wanted), (z, right)):
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(other))
            np.testing.assert_array_equal(np.isposinf(mine), np.isposinf(other))
            np.testing.assert_array_equal(np.isneginf(mine), np.isneginf(other))
            limit = 2e-6 * np.abs(other[np.isfinite(other)]).max()
            np.testing.assert_allclose(mine, other, rtol=0, atol=limit)


def test_items_that_end_within_an_image(monkeypatch):
    """Winograd's items are runs of blocks, whatever image they belong to."""
    monkeypatch.setattr(winograd, "_LEAST", 41)
    monkeypatch.setattr(winograd, "_MOST", 41)

    def build(x, w, b):
        return [hf.nn.relu(hf.nn.bias_add(_conv(x, w), b))]

    shapes = [(12, 11, 13, 16), (3, 3, 16, 32), (32,)]
    _same(build, shapes, [("winograd", "group")])
    odd = [(0, (6, 10, 12, 3), np.nan)]
    ((y,), _), bands = _run(build, shapes, 2, True, odd)
    assert _has(bands[0], ("winograd", "group"))
    seen = np.isnan(y).nonzero()
    assert set(seen[0]) == {6}
    assert set(seen[1]) == {9, 10}
    assert set(seen[2]) == {11, 12}


def test_explanations_show_what_is_joined():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [8, 16, 16, 16])
        w, b = hf.constant(_numbers(0, 3, 3, 16, 32)), hf.constant(_numbers(1, 32))
        y = hf.nn.relu(hf.nn.bias_add(_conv(x, w), b), name="active")
        feed = {x: _numbers(2, 8, 16, 16, 16)}
        program_of(session, y, feed)
        found = hf.explain(y, feed, session)
    (step,) = [s for s in found.plans[0].steps if s.what == "bands"]
    assert step.ops[-1] == "active"
    ((name, members),) = step.parts
    assert name == "band"
    assert members[0].what.startswith("winograd")
    assert "active" in members[-1].ops
    assert step.bytes == sum(member.bytes for member in members)
    assert "band: winograd" in str(found)


def test_a_pass_that_is_not_known_is_refused():
    config = hf.ConfigProto()
    config.graph_options.optimizer_options.without_loop_passes = ["bands"]
    with pytest.raises(hf.errors.InvalidArgumentError, match="'images in bands'"):
        hf.Session(config=config)


_KINDS = (*["conv"] * 3, "bias", *["relu", "norm"] * 2, "pool", "mean", "depthwise")


class _Random:
    """A random network: each layer takes what some layer before it has given."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.pick = lambda *choices: choices[rng.integers(len(choices))]
        self.shapes = [(int(rng.integers(2, 14)), self.pick(8, 11), 8, self.width())]
        self.layers = int(rng.integers(3, 8))
        self.seed = seed

    def width(self):
        return self.pick(3, 16, 32, 40)

    def add(self, *shape):
        """A variable."""
        value = _numbers(len(self.inputs), *shape) / np.float32(np.sqrt(shape[-1]))
        self.inputs.append(hf.Variable(value))
        return self.inputs[-1]

    def build(self, x):
        rng = np.random.default_rng(self.seed)
        self.pick = lambda *choices: choices[rng.integers(len(choices))]
        self.inputs, values, fetches = [], [x], []
        for _ in range(self.layers):
            x = values[-1] if rng.random() < 0.8 else self.pick(*values)
            values.append(self.layer(x))
            if rng.random() < 0.25:
                fetches.append(values[-1])
        loss = hf.add_n([hf.reduce_mean(v * v) for v in values[-2:]])
        grads = hf.gradients(loss, [values[0], *self.inputs])
        return [values[-1], *fetches, *[grad for grad in grads if grad is not None]]

    def layer(self, x):
        _, h, w, c = x.shape.as_list()
        kind = self.pick(*_KINDS)
        if kind in ("conv", "depthwise"):
            size = self.pick(1, 3, 3)
            stride, padding = self.pick(1, 1, 2), self.pick("SAME", "SAME", "VALID")
            if padding == "VALID" and min(h, w) < size:
                padding = "SAME"
            if kind == "conv":
                return _conv(x, self.add(size, size, c, self.width()), stride, padding)
            strides = [1, stride, stride, 1]
            return hf.nn.depthwise_conv2d(x, self.add(size, size, c, 1), strides, padding)
        if kind == "bias":
            return hf.nn.bias_add(x, self.add(c))
        if kind == "relu":
            return self.pick(hf.nn.relu(x), hf.nn.relu(x) + x, hf.tanh(x), hf.nn.relu(x * 0.5 + x))
        if kind == "norm":
            y = hf.nn.fused_batch_norm(x, self.add(c) + 1.0, self.add(c))[0]
            return self.pick(y, hf.nn.relu(y), y + x)
        if min(h, w) < 2:
            return x * 2.0
        pool = hf.nn.max_pool if kind == "pool" else hf.nn.avg_pool
        return pool(x, [1, 2, 2, 1], [1, 2, 2, 1], self.pick("SAME", "VALID"))


@pytest.mark.parametrize("seed", [0])  # each takes a dozen kernels of its own
def test_random_networks(monkeypatch, seed):
    monkeypatch.setattr(in_bands, "_BAND", 1 << (12 + seed % 6))
    network = _Random(seed)
    for threads in (1, 2):
        wanted, _ = _run(network.build, network.shapes, threads, False)
        found, _ = _run(network.build, network.shapes, threads, True)
        for mine, right in zip(found, wanted, strict=True):
            for one, other in zip(mine, right, strict=True):
                limit = 1e-4 * np.abs(other).max() + 1e-6
                np.testing.assert_allclose(one, other, rtol=0, atol=limit)
