"""Convolution, pooling, batch normalization as one op: what samples and recordings do not show."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.ops import windows
from hybridflow._src.ops.windows import Windows


def naive(x, filters, geometry):
    """Convolution as its definition says."""
    y = np.zeros((len(x), *geometry.outputs, filters.shape[-1]))
    for at in itertools.product(*map(range, geometry.outputs)):
        for place in itertools.product(*map(range, geometry.sizes)):
            element = [
                o * s + k * r - b
                for o, s, k, r, b in zip(
                    at, geometry.strides, place, geometry.rates, geometry.before, strict=True
                )
            ]
            inside = zip(element, geometry.inputs, strict=True)
            if all(0 <= e < n for e, n in inside):
                y[(slice(None), *at)] += x[(slice(None), *element)] @ filters[place]
    return y


@st.composite
def convolutions(draw):
    """Sizes of an image and a filter, strides, dilations, padding."""
    small = st.integers(1, 3)
    strides = draw(st.tuples(small, small))
    rates = draw(st.tuples(small, small))
    sizes = draw(st.tuples(small, small))
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    least = [
        (k - 1) * r + 1 if padding == "VALID" else 1 for k, r in zip(sizes, rates, strict=True)
    ]
    image = [draw(st.integers(n, n + 4)) for n in least]
    return image, sizes, strides, rates, padding


class TestConv2D:
    @given(convolutions(), st.integers(0, 2), st.sampled_from(["NHWC", "NCHW"]))
    @settings(max_examples=60, deadline=None)
    def test_is_what_its_definition_says(self, case, batch, data_format):
        image, sizes, strides, rates, padding = case
        rng = np.random.default_rng(0)
        x, filters = rng.normal(size=(batch, *image, 2)), rng.normal(size=(*sizes, 2, 3))
        wanted = naive(x, filters, Windows.over(image, sizes, strides, rates, padding))
        first = data_format == "NCHW"
        with hf.eager_mode():
            y = hf.nn.conv2d(
                np.moveaxis(x, -1, 1) if first else x,
                filters,
                [1, 1, *strides] if first else [1, *strides, 1],
                padding,
                data_format=data_format,
                dilations=[1, 1, *rates] if first else [1, *rates, 1],
            ).numpy()
        np.testing.assert_allclose(np.moveaxis(y, 1, -1) if first else y, wanted, atol=1e-12)

    @pytest.mark.parametrize("limit", [1, 300, 2000])
    def test_patches_come_in_parts(self, monkeypatch, execution, limit):
        rng = np.random.default_rng(1)
        x, filters = rng.normal(size=(3, 6, 5, 2)), rng.normal(size=(3, 2, 2, 2))

        def function(x, filters):
            return hf.nn.conv2d(x, filters, [1, 2, 1, 1], "SAME")

        wanted = [execution(function, x, filters), *execution.gradient(function, x, filters)]
        monkeypatch.setattr(windows, "_PATCH_BYTES", limit)
        got = [execution(function, x, filters), *execution.gradient(function, x, filters)]
        for left, right in zip(got, wanted, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-12)

    def test_half_precision_is_rounded_once(self, execution):
        rng = np.random.default_rng(2)
        x, filters = rng.normal(size=(1, 8, 8, 16)), rng.normal(size=(3, 3, 16, 2))
        x, filters = x.astype(np.float16), filters.astype(np.float16)

        def function(x, filters):
            return hf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME")

        wanted = execution(function, x.astype(np.float32), filters.astype(np.float32))
        got = execution(function, x, filters)
        assert got.dtype == np.float16
        np.testing.assert_allclose(got, wanted.astype(np.float16), rtol=1e-3)

    @pytest.mark.parametrize(
        ("shape", "kwargs", "message"),
        [
            ((2, 2, 3, 1), {}, "Dimensions must be equal, but are 2 and 3"),
            ((5, 2, 2, 1), {"padding": "VALID"}, "subtracting 5 from 4"),
            ((2, 2, 2, 1), {"padding": "EVEN"}, '"EVEN" is not in the list of allowed values'),
            ((2, 2, 2, 1), {"data_format": "HWC"}, '"HWC" is not in the list'),
            ((2, 2, 2, 1), {"strides": [1, 1, 1]}, "strides must contain 4 values, but got: 3"),
            ((2, 2, 2, 1), {"strides": [1, 0, 1, 1]}, "strides must be positive"),
            ((2, 2, 2, 1), {"strides": [1, 1, 1, 2]}, "batch and depth"),
            ((2, 2, 2), {}, "must be rank 4 but is rank 3"),
        ],
    )
    def test_what_does_not_fit(self, execution, shape, kwargs, message):
        kwargs = {"strides": [1, 1, 1, 1], "padding": "SAME", **kwargs}
        with pytest.raises(ValueError, match=message):
            execution(
                lambda x, f: hf.nn.conv2d(x, f, **kwargs), np.ones((1, 4, 4, 2)), np.ones(shape)
            )

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (
                lambda x, w: hf.nn.conv2d(x, w, [2, 2], "SAME"),
                ValueError,
                r"strides must contain 4 values, but got: 2.*batch and channels too; got \[2, 2\]",
            ),
            (
                lambda x, w: hf.nn.convolution(x, w, "SAME", strides=[1, 2, 2, 1]),
                ValueError,
                r"len\(strides\)=4 but should be 2: one for each inner.*got \[1, 2, 2, 1\]",
            ),
            (
                lambda x, w: hf.nn.conv2d_transpose(x, w, 8, [1, 2, 2, 1]),
                ValueError,
                r"output_shape must have shape \(4,\), got \(\): .* \[batch, ..., channels\]",
            ),
            (
                lambda x, w: hf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", rate=2),
                ValueError,
                r"one int for each inner dimension, such as \[2, 2\] for images; got shape \(\)",
            ),
            (
                lambda x, w: hf.nn.atrous_conv2d(x, w, [2, 2], "SAME"),
                TypeError,
                r"`rate` must be a whole number, got \[2, 2\]",
            ),
            (
                lambda x, w: hf.nn.atrous_conv2d_transpose(x, w, [1, 4, 4, 2], [2, 2], "SAME"),
                TypeError,
                r"`rate` must be a whole number, got \[2, 2\]",
            ),
        ],
    )
    def test_lists_of_another_length(self, execution, call, error, message):
        with pytest.raises(error, match=message):
            execution(call, np.ones((1, 4, 4, 2)), np.ones((2, 2, 2, 2)))

    def test_shapes_that_do_not_fit_at_run_time(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32)
            y = hf.nn.conv2d(x, hf.ones([2, 2, 3, 1]), [1, 1, 1, 1], "SAME")
            with pytest.raises(hf.errors.InvalidArgumentError, match="are 2 and 3"):
                session.run(y, {x: np.ones((1, 4, 4, 2))})

    def test_a_transpose_of_no_convolution(self, execution):
        def function(value, filters):
            return hf.nn.conv2d_transpose(value, filters, [1, 9, 4, 1], [1, 2, 2, 1])

        with pytest.raises(hf.errors.InvalidArgumentError, match="doesn't match computed"):
            execution(function, np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)))


class TestPooling:
    def test_infinities(self, execution):
        x = np.full((1, 2, 2, 1), -np.inf)
        args = [1, 2, 2, 1], [1, 1, 1, 1], "SAME"
        assert (execution(lambda t: hf.nn.max_pool(t, *args), x) == -np.inf).all()
        (dx,) = execution.gradient(lambda t: hf.nn.max_pool(t, *args), x)
        assert dx.ravel().tolist() == [1, 1, 1, 1]

    def test_across_images(self, execution):
        with pytest.raises(hf.errors.UnimplementedError, match="batch dimension"):
            execution(
                lambda t: hf.nn.avg_pool(t, [2, 1, 1, 1], [1, 1, 1, 1], "SAME"),
                np.ones((2, 2, 2, 1)),
            )

    def test_integers(self, execution):
        x = np.array([-3, -1, -2, -4], np.int8).reshape(1, 2, 2, 1)
        y = execution(lambda t: hf.nn.max_pool(t, [1, 3, 3, 1], [1, 1, 1, 1], "SAME"), x)
        assert y.dtype == np.int8
        assert (y == -1).all()


class TestFusedBatchNorm:
    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
    def test_is_what_moments_and_batch_normalization_give(self, execution, training, data_format):
        rng = np.random.default_rng(3)
        x = rng.normal(size=(3, 2, 4, 5))
        axes, at = ([0, 2, 3], (-1, 1, 1)) if data_format == "NCHW" else ([0, 1, 2], (-1,))
        channels = x.shape[1 if data_format == "NCHW" else 3]
        vectors = [rng.uniform(0.5, 1.5, channels) for _ in range(2 if training else 4)]

        def fused(x, *vectors):
            return hf.nn.fused_batch_norm(
                x, *vectors, epsilon=0.01, data_format=data_format, is_training=training
            )[0]

        def composed(x, scale, offset, *statistics):
            mean, variance = statistics or hf.nn.moments(x, axes)
            scale, offset, mean, variance = (
                hf.reshape(v, at) for v in (scale, offset, mean, variance)
            )
            return hf.nn.batch_normalization(x, mean, variance, offset, scale, 0.01)

        np.testing.assert_allclose(
            execution(fused, x, *vectors), execution(composed, x, *vectors), atol=1e-12
        )
        grads = (execution.gradient(f, x, *vectors) for f in (fused, composed))
        for got, wanted in zip(*grads, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-11)

    def test_the_variance_is_the_unbiased_one(self, execution):
        x = np.random.default_rng(4).normal(size=(2, 3, 2, 2))

        def statistics(x):
            return hf.stack(hf.nn.fused_batch_norm(x, hf.ones([2], x.dtype), [0.0, 0.0])[1:])

        mean, variance = execution(statistics, x)
        np.testing.assert_allclose(mean, x.mean((0, 1, 2)))
        np.testing.assert_allclose(variance, x.var((0, 1, 2), ddof=1))

    def test_no_images(self, execution):
        def fused(x, scale, offset):
            return hf.nn.fused_batch_norm(x, scale, offset)[0]

        grads = execution.gradient(fused, np.ones((0, 2, 2, 3)), np.ones(3), np.ones(3))
        assert [grad.tolist() for grad in grads] == [[], [0.0] * 3, [0.0] * 3]

    def test_statistics_are_not_given_in_training(self):
        with hf.eager_mode(), pytest.raises(ValueError, match="must be None"):
            hf.nn.fused_batch_norm(hf.ones([1, 1, 1, 1]), [1.0], [0.0], mean=[0.0])

    def test_half_precision_has_statistics_in_single(self):
        with hf.eager_mode():
            y, mean, _ = hf.nn.fused_batch_norm(hf.ones([1, 2, 2, 1], hf.float16), [1.0], [0.5])
        assert (y.dtype, mean.dtype) == (hf.float16, hf.float32)
        assert (y.numpy() == 0.5).all()


class TestFractionalPooling:
    def test_regions_are_the_same_where_they_are_deterministic(self):
        x = np.random.default_rng(5).normal(size=(1, 40, 40, 1))
        for deterministic in (True, False):
            with hf.Graph().as_default(), hf.Session() as session:
                pool = hf.nn.fractional_max_pool(x, [1, 1.5, 1.5, 1], deterministic=deterministic)
                first, second = (session.run(pool[1]) for _ in range(2))
            assert (first == second).all() == deterministic
            assert set(np.diff(first)) == {1, 2}

    def test_seeds_are_for_deterministic_regions(self, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match="should be 0"):
            execution(
                lambda x: hf.nn.fractional_avg_pool(x, [1, 2, 2, 1], seed=3)[0],
                np.ones((1, 5, 5, 1)),
            )


def test_a_transposes_shape_of_tensors():
    with hf.Graph().as_default(), hf.Session() as session:
        images = hf.placeholder(hf.float32, [None, 3, 3, 2])
        size = hf.shape(images)
        filters = hf.ones([3, 3, 5, 2])
        shape = [size[0], 6, 2 * size[2], size[3] * 2 + 1]
        found = hf.nn.conv2d_transpose(images, filters, shape, [1, 2, 2, 1])
        assert session.run(found, {images: np.ones([1, 3, 3, 2])}).shape == (1, 6, 6, 5)
        shape = [size[0], 6, 6, hf.constant(4)]
        with pytest.raises(ValueError, match="4 != 5"):
            hf.nn.conv2d_transpose(images, filters, shape, [1, 2, 2, 1])
