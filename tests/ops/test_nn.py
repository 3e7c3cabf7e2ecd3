"""Nn ops: what the shared table of samples and the recorded values do not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf

NAN, INF = math.nan, math.inf


class TestActivations:
    @pytest.mark.parametrize(
        ("name", "x", "wanted"),
        [
            ("relu", [NAN, INF, -INF], [NAN, INF, 0]),
            ("relu6", [NAN, INF, -INF], [NAN, 6, 0]),
            ("elu", [NAN, INF, -INF], [NAN, INF, -1]),
            ("softplus", [NAN, INF, -INF], [NAN, INF, 0]),
            ("softplus", [1e4, -1e4, 0], [1e4, 0, math.log(2)]),
            ("sigmoid", [-INF, INF, 0], [0, 1, 0.5]),
        ],
    )
    def test_special_values(self, name, x, wanted, execution):
        got = execution(getattr(hf.nn, name), np.array(x))
        np.testing.assert_allclose(got, wanted, rtol=1e-15)

    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("relu", [0, 0, 1, 1, 1]),
            ("relu6", [0, 0, 1, 0, 0]),
            ("leaky_relu", [0.2, 0.2, 1, 1, 1]),
            ("elu", [math.exp(-1), 1, 1, 1, 1]),
        ],
    )
    def test_gradients_at_kinks(self, name, wanted, execution):
        x = np.array([-1.0, 0.0, 1.0, 6.0, 7.0])
        (dx,) = execution.gradient(getattr(hf.nn, name), x)
        np.testing.assert_allclose(dx, wanted, rtol=1e-15)

    def test_integers(self, execution):
        assert execution(hf.nn.relu, np.array([-1, 2], np.int8)).dtype == np.int8
        assert execution(hf.nn.relu6, np.array([-1, 9], np.int32)).tolist() == [0, 6]
        with pytest.raises(TypeError, match="int32 not in list"):
            execution(hf.nn.elu, np.array([1], np.int32))

    def test_small_values_are_accurate(self, execution):
        x = np.array([-1e-12])
        np.testing.assert_allclose(execution(hf.nn.elu, x), x, rtol=1e-11)
        np.testing.assert_allclose(execution(hf.nn.softplus, np.array([-40.0])), math.exp(-40))

    def test_crelu(self, execution):
        assert execution(hf.nn.crelu, np.array([[1.0, -3.0]])).tolist() == [[1, 0, 0, 3]]

    def test_leaky_relu_in_double_precision(self, execution):
        assert execution(hf.nn.leaky_relu, np.array([-1.0])).tolist() == [-0.2]


class TestSoftmax:
    @given(
        hnp.arrays(
            np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-50, 50)
        )
    )
    def test_adds_up_to_1_and_ignores_a_shift(self, x):
        with hf.eager_mode():
            y = hf.nn.softmax(x).numpy()
            np.testing.assert_allclose(y.sum(-1), np.ones(x.shape[:-1]))
            np.testing.assert_allclose(hf.nn.softmax(x + 700).numpy(), y, rtol=1e-9)
            np.testing.assert_allclose(np.exp(hf.nn.log_softmax(x).numpy()), y, rtol=1e-12)

    @pytest.mark.parametrize("function", [hf.nn.softmax, hf.nn.log_softmax])
    @pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
    def test_along_any_axis(self, function, axis):
        x = np.random.default_rng(0).normal(size=(2, 3, 4))
        e = np.exp(x)
        wanted = e / e.sum(axis, keepdims=True)
        wanted = np.log(wanted) if function is hf.nn.log_softmax else wanted
        with hf.eager_mode():
            np.testing.assert_allclose(function(x, axis).numpy(), wanted)
            np.testing.assert_allclose(function(x, dim=axis).numpy(), wanted)
        for shape in ([2, 3, 4], [None] * 3, None):
            with hf.Graph().as_default(), hf.Session() as session:
                p = hf.placeholder(hf.float64, shape)
                y = function(p, axis)
                np.testing.assert_allclose(session.run(y, {p: x}), wanted)
                assert session.run(hf.gradients(y, p)[0], {p: x}).shape == x.shape

    def test_an_axis_out_of_range(self, execution):
        with pytest.raises(ValueError, match="Invalid axis 2"):
            execution(lambda t: hf.nn.softmax(t, 2), np.ones((2, 2)))
        with pytest.raises(ValueError, match="rank 1 but is rank 0"):
            execution(hf.nn.softmax, np.array(1.0))
        with hf.eager_mode(), pytest.raises(ValueError, match="both 'axis' and 'dim'"):
            hf.nn.softmax(hf.ones([2]), axis=0, dim=0)

    def test_half_precision_is_computed_in_single(self, execution):
        x = np.linspace(0, 1, 5000).astype(np.float16)
        y = execution(hf.nn.softmax, x)
        assert y.dtype == np.float16
        assert y.astype(np.float64).sum() == pytest.approx(1, abs=0.02)


class TestDenseCrossEntropy:
    @pytest.mark.parametrize(
        "function",
        [hf.nn.softmax_cross_entropy_with_logits, hf.nn.softmax_cross_entropy_with_logits_v2],
    )
    @pytest.mark.parametrize("dim", [0, 1, 2, -1])
    def test_along_any_axis(self, function, dim):
        rng = np.random.default_rng(0)
        logits, labels = rng.normal(size=(2, 3, 4)), rng.uniform(size=(2, 3, 4))
        log_y = logits - np.log(np.exp(logits).sum(dim, keepdims=True))
        wanted = -(labels * log_y).sum(dim)
        with hf.eager_mode():
            got = function(labels=labels, logits=logits, dim=dim).numpy()
            np.testing.assert_allclose(got, wanted)
        for shape in ([2, 3, 4], [None, 3, None], None):
            with hf.Graph().as_default(), hf.Session() as session:
                x, z = (hf.placeholder(hf.float64, shape) for _ in range(2))
                loss = function(labels=z, logits=x, dim=dim)
                if shape:
                    at = dim % 3
                    assert loss.shape.as_list() == shape[:at] + shape[at + 1 :]
                feed = {x: logits, z: labels}
                np.testing.assert_allclose(session.run(loss, feed), wanted)
                assert session.run(hf.gradients(loss, x)[0], feed).shape == (2, 3, 4)

    def test_labels_have_a_gradient_in_v2_alone(self):
        with hf.Graph().as_default():
            x, z = hf.ones([1, 2]), hf.ones([1, 2])
            old = hf.nn.softmax_cross_entropy_with_logits(labels=z, logits=x)
            new = hf.nn.softmax_cross_entropy_with_logits_v2(labels=z, logits=x)
            assert hf.gradients(old, z) == [None]
            assert hf.gradients(new, z) != [None]

    def test_empty_batches_and_classes(self, execution):
        def loss(x):
            return hf.nn.softmax_cross_entropy_with_logits(labels=x, logits=x)

        for shape in ((0, 3), (2, 0), (0, 0), (2, 0, 3)):
            x = np.zeros(shape, np.float32)
            assert execution(loss, x).shape == shape[:-1]

    def test_half_precision(self, execution):
        def loss(x):
            return hf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0]], logits=x)

        assert execution(loss, np.ones((1, 2), np.float16)).dtype == np.float16

    def test_labels_take_the_dtype_of_the_logits(self, execution):
        def loss(x, z):
            return hf.nn.softmax_cross_entropy_with_logits(labels=z, logits=x)

        got = execution(loss, np.ones((1, 2), np.float32), np.array([[0, 1]], np.int32))
        assert got.dtype == np.float32

    @pytest.mark.parametrize(
        "function",
        [
            hf.nn.softmax_cross_entropy_with_logits,
            hf.nn.softmax_cross_entropy_with_logits_v2,
            hf.nn.sparse_softmax_cross_entropy_with_logits,
            hf.nn.sigmoid_cross_entropy_with_logits,
        ],
    )
    def test_arguments_must_be_named(self, function):
        with hf.eager_mode():
            x = hf.ones([1, 2])
            with pytest.raises(ValueError, match="with named arguments"):
                function(x, x)
            with pytest.raises(ValueError, match="Both labels and logits must be provided"):
                function(labels=x)

    @pytest.mark.parametrize(("x", "z"), [((1, 3), (1, 2)), ((2, 1), (1, 2))])
    def test_shapes_that_differ(self, x, z, execution):
        def loss(x, z):
            return hf.nn.softmax_cross_entropy_with_logits(labels=z, logits=x)

        with pytest.raises(ValueError, match="not compatible"):
            execution(loss, np.ones(x), np.ones(z))


class TestSparseCrossEntropy:
    @staticmethod
    def loss(x, z):
        return hf.nn.sparse_softmax_cross_entropy_with_logits(labels=z, logits=x)

    def test_labels_that_turn_out_to_be_no_vector(self):
        with hf.Graph().as_default(), hf.Session() as session:
            labels = hf.placeholder(hf.int32)
            loss = self.loss([[7.0]], labels)
            with pytest.raises(hf.errors.InvalidArgumentError, match="labels must be 1-D"):
                session.run(loss, {labels: 0})

    def test_equals_the_dense_one(self, execution):
        rng = np.random.default_rng(0)
        x, z = rng.normal(size=(4, 3)), np.array([0, 2, 1, 2])

        def dense(x):
            labels = hf.one_hot(z, 3, dtype=hf.float64)
            return hf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=x)

        np.testing.assert_allclose(execution(self.loss, x, z), execution(dense, x), rtol=1e-14)
        (sparse_grad,) = execution.gradient(lambda t: self.loss(t, z), x)
        (dense_grad,) = execution.gradient(dense, x)
        np.testing.assert_allclose(sparse_grad, dense_grad, atol=1e-15)

    @pytest.mark.parametrize("bad", [3, -1])
    def test_a_label_out_of_range(self, bad, execution):
        message = rf"label value of {bad} which is outside the valid range of \[0, 3\)"
        with pytest.raises(hf.errors.InvalidArgumentError, match=message):
            execution(self.loss, np.ones((2, 3)), np.array([1, bad]))

    @pytest.mark.parametrize(
        ("x", "z", "message"),
        [
            ((), (), "Logits cannot be scalars"),
            ((2, 3), (2, 1), r"Rank mismatch: Rank of labels \(received 2\).*\(received 2\)"),
            ((2, 3), (3,), "Dimensions must be equal, but are 2 and 3"),
        ],
    )
    def test_shapes_that_do_not_fit(self, x, z, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(self.loss, np.ones(x), np.zeros(z, np.int32))

    @pytest.mark.parametrize("shape", [(), (2,), (2, 1), (0,), (2, 0)])
    def test_any_rank(self, shape, execution):
        x, z = np.zeros((*shape, 4)), np.zeros(shape, np.int64)
        got = execution(self.loss, x, z)
        np.testing.assert_allclose(got, np.full(shape, math.log(4)))

    def test_unknown_shapes(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x, z = hf.placeholder(hf.float32), hf.placeholder(hf.int32)
            loss = self.loss(x, z)
            feed = {x: np.zeros((2, 1, 4)), z: np.zeros((2, 1))}
            assert session.run(loss, feed).shape == (2, 1)
            assert session.run(hf.gradients(loss, x)[0], feed).shape == (2, 1, 4)


class TestOtherLosses:
    def test_do_not_overflow(self, execution):
        x, z = np.array([1e4, -1e4, 0.0]), np.array([0.0, 1.0, 0.5])

        def sigmoid(x, z):
            return hf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x)

        assert execution(sigmoid, x, z).tolist() == [1e4, 1e4, math.log(2)]
        dx, dz = execution.gradient(sigmoid, x, z)
        assert dx.tolist() == [1, -1, 0]
        assert dz.tolist() == [-1e4, 1e4, 0]

    def test_weighted(self, execution):
        def weighted(x, z):
            return hf.nn.weighted_cross_entropy_with_logits(z, x, 3.0)

        x, z = np.array([1.0, -2.0]), np.array([1.0, 0.0])
        wanted = [3 * math.log1p(math.exp(-1)), math.log1p(math.exp(-2))]
        np.testing.assert_allclose(execution(weighted, x, z), wanted)

    def test_log_poisson(self, execution):
        def loss(z, c):
            return hf.nn.log_poisson_loss(z, c, compute_full_loss=True)

        z, c = np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.5, 0.5])
        stirling = 3 * math.log(3) - 3 + 0.5 * math.log(2 * math.pi * 3)
        wanted = np.exp(c) - c * z + [0, 0, stirling]
        np.testing.assert_allclose(execution(loss, z, c), wanted)

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (
                lambda x, z: hf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
                r"logits and labels must have the same shape \(\(3,\) vs \(2,\)\)",
            ),
            (
                lambda x, z: hf.nn.weighted_cross_entropy_with_logits(z, x, 1.0),
                "logits and targets must have the same shape",
            ),
            (
                lambda x, z: hf.nn.log_poisson_loss(z, x),
                "log_input and targets must have the same shape",
            ),
        ],
    )
    def test_shapes_that_differ(self, function, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(function, np.ones(3), np.ones(2))


class TestBias:
    @pytest.mark.parametrize(
        ("value", "bias", "data_format", "message"),
        [
            ((1, 2), (3,), None, "Dimensions must be equal, but are 2 and 3"),
            ((1, 2), (1,), None, "Dimensions must be equal"),
            ((2,), (2,), None, "at least rank 2 but is rank 1"),
            ((1, 2), (1, 2), None, "Shape must be rank 1 but is rank 2"),
            ((1, 2), (2,), "NCHW", "at least rank 3 but is rank 2"),
            ((1, 2), (2,), "HWCN", "data_format must be NHWC or NCHW"),
        ],
    )
    def test_shapes_that_do_not_fit(self, value, bias, data_format, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(lambda x, b: hf.nn.bias_add(x, b, data_format), np.ones(value), np.ones(bias))

    def test_channels_first(self, execution):
        x, b = np.zeros((1, 2, 2, 3)), np.array([1.0, 2.0])
        got = execution(lambda x, b: hf.nn.bias_add(x, b, "NCHW"), x, b)
        assert got[0, :, 0, 0].tolist() == [1, 2]

    def test_layers(self, execution):
        x, w, b = np.array([[1.0, 2.0]]), np.array([[3.0, -3.0], [4.0, 1.0]]), np.array([0.5, 0.5])
        assert execution(hf.nn.xw_plus_b, x, w, b).tolist() == [[11.5, -0.5]]
        assert execution(hf.nn.relu_layer, x, w, b).tolist() == [[11.5, 0]]
        with pytest.raises(ValueError, match="rank 2 but is rank 1"):
            execution(hf.nn.xw_plus_b, x[0], w, b)


class TestDropout:
    def test_keeps_the_mean_and_nothing_else(self, execution):
        x = np.full(20_000, 3.0, np.float32)
        y = execution(lambda t: hf.nn.dropout(t, 0.75, seed=1), x)
        assert set(y.tolist()) == {0.0, 4.0}
        assert np.mean(y > 0) == pytest.approx(0.75, abs=0.02)

    def test_noise_shape(self, execution):
        x = np.ones((50, 40), np.float32)
        y = execution(lambda t: hf.nn.dropout(t, 0.5, noise_shape=[50, 1], seed=1), x)
        assert (y == y[:, :1]).all()
        assert len(set(y[:, 0].tolist())) == 2

    def test_gradient_is_the_mask(self):
        with hf.eager_mode():
            x = hf.ones([100])
            with hf.GradientTape() as tape:
                tape.watch(x)
                y = hf.nn.dropout(x, 0.5, seed=3)
            assert tape.gradient(y, x).numpy().tolist() == y.numpy().tolist()

    def test_keep_prob_of_1_changes_nothing(self):
        with hf.eager_mode():
            x = hf.ones([2])
            assert hf.nn.dropout(x, 1.0) is x
            assert hf.nn.dropout(x, hf.constant(1.0)) is x

    @pytest.mark.parametrize("keep_prob", [0.0, 1.5, -1, 2, np.float32(0)])
    def test_keep_prob_out_of_range(self, keep_prob):
        with hf.eager_mode(), pytest.raises(ValueError, match=r"in the range \(0, 1\], got"):
            hf.nn.dropout(hf.ones([2]), keep_prob)

    def test_what_is_refused(self):
        with hf.eager_mode():
            with pytest.raises(ValueError, match="floating point tensor"):
                hf.nn.dropout(hf.constant([1]), 0.5)
            with pytest.raises(ValueError, match="incompatible"):
                hf.nn.dropout(hf.ones([2]), [0.5, 0.5])

    def test_keep_prob_may_be_fed(self):
        with hf.Graph().as_default(), hf.Session() as session:
            keep = hf.placeholder(hf.float32, [])
            y = hf.nn.dropout(hf.ones([1000]), keep, seed=1)
            assert y.shape.as_list() == [1000]
            assert session.run(y, {keep: 1.0}).tolist() == [1.0] * 1000
            assert set(session.run(y, {keep: 0.5}).tolist()) == {0.0, 2.0}


class TestMoments:
    @pytest.mark.parametrize("axes", [[0], [0, 1], [-1], []])
    @pytest.mark.parametrize("keep_dims", [False, True])
    def test_mean_and_variance(self, axes, keep_dims, execution):
        x = np.random.default_rng(0).normal(size=(3, 4, 2))
        mean, variance = execution(lambda t: hf.nn.moments(t, axes, keep_dims=keep_dims), x)
        np.testing.assert_allclose(mean, x.mean(tuple(axes), keepdims=keep_dims))
        np.testing.assert_allclose(variance, x.var(tuple(axes), keepdims=keep_dims), atol=1e-16)

    def test_gradient_of_the_variance(self, execution):
        x = np.array([1.0, 2.0, 6.0])
        (dx,) = execution.gradient(lambda t: hf.nn.moments(t, [0])[1], x)
        np.testing.assert_allclose(dx, 2 * (x - 3) / 3)

    def test_half_precision(self, execution):
        mean, variance = execution(lambda t: hf.nn.moments(t, [0]), np.array([1, 3], np.float16))
        assert (mean, variance) == (2, 1)
        assert mean.dtype == variance.dtype == np.float16

    def test_weighted(self, execution):
        x, w = np.array([[1.0, 3.0], [2.0, 8.0]]), np.array([[1.0], [3.0]])
        mean, variance = execution(lambda t, u: hf.nn.weighted_moments(t, [0], u), x, w)
        np.testing.assert_allclose(mean, np.average(x, 0, w[:, 0]))
        np.testing.assert_allclose(variance, np.average((x - mean) ** 2, 0, w[:, 0]))

    @pytest.mark.parametrize("shift", [None, 2.0])
    @pytest.mark.parametrize("known", [True, False])
    def test_by_sufficient_statistics(self, shift, known):
        x = np.random.default_rng(0).normal(2, 1, size=(5, 3))
        with hf.Graph().as_default(), hf.Session() as session:
            p = hf.placeholder(hf.float64, [5, 3] if known else [None, 3])
            statistics = hf.nn.sufficient_statistics(p, [0], shift)
            assert session.run(statistics[0], {p: x}) == 5
            mean, variance = session.run(hf.nn.normalize_moments(*statistics), {p: x})
        np.testing.assert_allclose(mean, x.mean(0))
        np.testing.assert_allclose(variance, x.var(0))

    def test_batch_normalization(self, execution):
        x = np.random.default_rng(0).normal(3, 2, size=(50, 4))

        def normalized(t):
            mean, variance = hf.nn.moments(t, [0])
            return hf.nn.batch_normalization(t, mean, variance, 1.0, 2.0, 1e-12)

        y = execution(normalized, x)
        np.testing.assert_allclose(y.mean(0), np.ones(4))
        np.testing.assert_allclose(y.std(0), np.full(4, 2.0))
        plain = execution(lambda t: hf.nn.batch_normalization(t, 3.0, 4.0, None, None, 0.0), x)
        np.testing.assert_allclose(plain, (x - 3) / 2)

    def test_l2_normalize(self, execution):
        x = np.array([[3.0, 4.0], [0.0, 0.0]])
        got = execution(lambda t: hf.nn.l2_normalize(t, 1), x)
        np.testing.assert_allclose(got, [[0.6, 0.8], [0, 0]])
        (dx,) = execution.gradient(lambda t: hf.nn.l2_normalize(t, 1), x)
        assert np.isfinite(dx).all()
        with hf.eager_mode(), pytest.raises(ValueError, match="both 'axis' and 'dim'"):
            hf.nn.l2_normalize(x, 0, dim=0)


class TestRanking:
    def test_top_k(self, execution):
        x = np.array([[1.0, NAN, 3.0], [2.0, 2.0, -INF]])
        values, indices = execution(lambda t: tuple(hf.nn.top_k(t, 3)), x)
        np.testing.assert_array_equal(values, [[NAN, 3, 1], [2, 2, -INF]])
        assert indices.tolist() == [[1, 2, 0], [0, 1, 2]]
        assert indices.dtype == np.int32

    def test_top_k_of_unsigned_and_smallest_integers(self, execution):
        x = np.array([0, 255, 7], np.uint8)
        assert execution(lambda t: hf.nn.top_k(t, 2).values, x).tolist() == [255, 7]
        x = np.array([-128, 127, 0], np.int8)
        assert execution(lambda t: hf.nn.top_k(t, 3).values, x).tolist() == [127, 0, -128]

    def test_top_k_of_rows_with_nan_and_equal_elements(self, execution):
        x = np.array([[1, np.nan, 3, 0.0, -0.0, np.nan, 3], [-np.inf, 2, np.inf, 2, 2, -1, 2]])
        for dtype in (np.float32, np.float16):
            values, indices = execution(lambda t: tuple(hf.nn.top_k(t, 6)), x.astype(dtype))
            assert indices.tolist() == [[1, 5, 2, 6, 0, 3], [2, 1, 3, 4, 6, 5]]
            np.testing.assert_array_equal(values, np.take_along_axis(x.astype(dtype), indices, 1))

    def test_top_k_gives_a_named_tuple(self):
        with hf.eager_mode():
            top = hf.nn.top_k([1.0, 2.0])
            assert top.values.numpy().tolist() == [2.0]
            assert top.indices.numpy().tolist() == [1]
            assert type(top).__name__ == "TopKV2"

    def test_more_than_there_are(self, execution):
        with pytest.raises(
            (ValueError, hf.errors.InvalidArgumentError), match=r"last dimension >= k = 5|k = 5"
        ):
            execution(lambda t: hf.nn.top_k(t, 5), np.ones(4))

    def test_in_top_k(self, execution):
        x = np.array([[0.1, 0.5, 0.5], [0.2, NAN, 0.3], [0.1, 0.2, INF]], np.float32)
        got = execution(lambda t: hf.nn.in_top_k(t, [2, 0, 2], 1), x)
        assert got.tolist() == [True, False, False]
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"targets\[0\] is out of range"):
            execution(lambda t: hf.nn.in_top_k(t, [7, 0, 2], 1), x)

    def test_zero_fraction(self, execution):
        assert execution(hf.nn.zero_fraction, np.array([0, 1, 0, 0])) == 0.75
        assert execution(hf.nn.zero_fraction, np.array([0.0])).dtype == np.float32
        assert np.isnan(execution(hf.nn.zero_fraction, np.zeros(0)))


class TestEmbedding:
    @pytest.mark.parametrize("strategy", ["mod", "div"])
    @pytest.mark.parametrize("count", [1, 2, 3, 5])
    @pytest.mark.parametrize("shape", [(), (7,), (2, 3), (0,)])
    def test_parts_together_are_the_table(self, strategy, count, shape, execution):
        table = np.arange(26.0).reshape(13, 2)
        ids = np.random.default_rng(0).integers(0, 13, shape)
        split = [table[i::count] for i in range(count)]
        if strategy == "div":
            split = np.array_split(table, count)

        def lookup(ids, *parts):
            return hf.nn.embedding_lookup(list(parts), ids, strategy)

        np.testing.assert_array_equal(execution(lookup, ids, *split), table[ids])

    def test_gradients_are_slices(self):
        with hf.Graph().as_default(), hf.Session() as session:
            parts = [hf.ones([2, 3]), hf.ones([1, 3])]
            rows = hf.nn.embedding_lookup(parts, [0, 2, 0, 1])
            grads = hf.gradients(rows, parts)
            assert all(isinstance(g, hf.IndexedSlices) for g in grads)
            dense = session.run([hf.convert_to_tensor(g) for g in grads])
            assert dense[0].tolist() == [[2] * 3, [1] * 3]
            assert dense[1].tolist() == [[1] * 3]

    def test_variables(self):
        with hf.eager_mode():
            table = hf.Variable([[1.0, 2.0], [3.0, 4.0]])
            with hf.GradientTape() as tape:
                rows = hf.nn.embedding_lookup(table, [1, 1])
            assert rows.numpy().tolist() == [[3, 4], [3, 4]]
            assert isinstance(tape.gradient(rows, table), hf.IndexedSlices)
        for resource in (False, True):
            with hf.Graph().as_default(), hf.Session() as session:
                table = hf.get_variable(
                    "table", initializer=np.arange(6.0).reshape(3, 2), use_resource=resource
                )
                rows = hf.nn.embedding_lookup(table, [2, 0])
                session.run(hf.global_variables_initializer())
                assert session.run(rows).tolist() == [[4, 5], [0, 1]]
                assert isinstance(hf.gradients(rows, table)[0], hf.IndexedSlices)

    def test_a_partitioned_variable(self):
        with hf.Graph().as_default(), hf.Session() as session:
            table = hf.get_variable(
                "table",
                [5, 2],
                initializer=hf.random_uniform_initializer(seed=1),
                partitioner=hf.fixed_size_partitioner(2),
            )
            rows = hf.nn.embedding_lookup(table, [4, 0, 3], "div")
            session.run(hf.global_variables_initializer())
            whole = session.run(table.as_tensor())
            np.testing.assert_array_equal(session.run(rows), whole[[4, 0, 3]])

    @pytest.mark.parametrize("count", [1, 2])
    def test_max_norm(self, count, execution):
        def lookup(x):
            return hf.nn.embedding_lookup([x] * count, [[0, 1]], max_norm=1.0)

        got = execution(lookup, np.array([[3.0, 4.0], [0.3, 0.4]]))
        wanted = [[0.6, 0.8], [0.3, 0.4] if count == 1 else [0.6, 0.8]]
        np.testing.assert_allclose(got, [wanted])

    def test_what_is_refused(self, execution):
        for nothing in ([], (), None):
            with hf.eager_mode(), pytest.raises(ValueError, match="Need at least one param"):
                hf.nn.embedding_lookup(nothing, [0])
        with pytest.raises(ValueError, match="Unrecognized partition strategy: x"):
            execution(lambda t: hf.nn.embedding_lookup([t, t], [0], "x"), np.ones((2, 2)))
        with pytest.raises(
            hf.errors.InvalidArgumentError, match=r"indices\[0\] = 2 is not in \[0, 2\)"
        ):
            execution(lambda t: hf.nn.embedding_lookup(t, [2]), np.ones((2, 2)))
