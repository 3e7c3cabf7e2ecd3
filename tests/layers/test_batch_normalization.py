"""Batch normalization: statistics, running means, variants, in all executions.

Names, ops and values are those recorded from TensorFlow: tests/variables/test_recorded_names.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

RNG = np.random.default_rng(7)
ROWS = RNG.normal(3, 2, (8, 3)).astype(np.float32)
IMAGES = RNG.normal(3, 2, (4, 5, 6, 3)).astype(np.float32)


def normalized(x, axes, epsilon=1e-3):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize(
    ("x", "options", "axes"),
    [
        (ROWS, {}, (0,)),
        (IMAGES, {}, (0, 1, 2)),
        (IMAGES, {"fused": False}, (0, 1, 2)),
        (IMAGES, {"axis": 1}, (0, 2, 3)),
        (IMAGES, {"axis": 1, "fused": False}, (0, 2, 3)),
        (IMAGES, {"axis": [1, 3]}, (0, 2)),
        (IMAGES, {"center": False, "scale": False}, (0, 1, 2)),
    ],
)
def test_a_batch_is_normalized(x, options, axes, execution):
    layer = hf.layers.BatchNormalization(**options) if execution == "function" else None

    def body(x):
        made = layer or hf.layers.BatchNormalization(**options)
        return made(x, training=True)

    found = Execution(execution)(body, x)
    np.testing.assert_allclose(found, normalized(x, axes), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("x", [ROWS, IMAGES])
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_running_means(mode, x):
    axes = tuple(range(x.ndim - 1))
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = hf.layers.BatchNormalization(momentum=0.75)
        train = lambda x: layer(x, training=True)  # noqa: E731
        infer = layer
        if mode == "function":
            train, infer = hf.function(train), hf.function(layer)
        mean, variance = np.zeros(3), np.ones(3)
        for batch in (x, x * 2, x + 1):
            train(hf.constant(batch))
            # The op that does all at once gives the unbiased variance.
            bias = batch[..., 0].size / (batch[..., 0].size - 1) if x.ndim == 4 else 1
            mean = 0.75 * mean + 0.25 * batch.mean(axes)
            variance = 0.75 * variance + 0.25 * batch.var(axes) * bias
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-4)
        np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-4)
        expected = (x - mean) / np.sqrt(variance + 1e-3)
        np.testing.assert_allclose(infer(hf.constant(x)).numpy(), expected, rtol=1e-3, atol=1e-4)
        assert layer.trainable_weights == [layer.gamma, layer.beta]
        assert layer.non_trainable_weights == [layer.moving_mean, layer.moving_variance]


@pytest.mark.parametrize("x", [ROWS, IMAGES])
def test_a_tensor_says_whether_one_trains(x):
    axes = tuple(range(x.ndim - 1))
    with hf.Graph().as_default(), hf.Session() as session:
        training = hf.placeholder(hf.bool, [])
        layer = hf.layers.BatchNormalization(momentum=0.5)
        y = layer(hf.constant(x), training=training)
        updates = hf.get_collection(hf.GraphKeys.UPDATE_OPS)
        assert layer.updates == updates
        session.run(hf.global_variables_initializer())
        session.run(updates, {training: False})
        np.testing.assert_array_equal(session.run(layer.moving_mean), np.zeros(3))
        plain = session.run(y, {training: False})
        np.testing.assert_allclose(plain, x / np.sqrt(1.001), rtol=1e-4, atol=1e-5)
        session.run(updates, {training: True})
        np.testing.assert_allclose(session.run(layer.moving_mean), x.mean(axes) / 2, rtol=1e-4)
        found = session.run(y, {training: True})
        np.testing.assert_allclose(found, normalized(x, axes), rtol=1e-3, atol=1e-4)


def test_virtual_batches():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = hf.layers.BatchNormalization(virtual_batch_size=2, momentum=0.0)
        found = layer(hf.constant(ROWS), training=True).numpy()
        parts = ROWS.reshape(2, 4, 3)
        np.testing.assert_allclose(
            found, normalized(parts, (0,)).reshape(8, 3), rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(
            layer.moving_mean.numpy().ravel(), parts.mean(0).mean(0), rtol=1e-5
        )
        assert layer(hf.constant(ROWS)).shape.as_list() == [8, 3]


def test_adjustment():
    def adjustment(shape):
        return hf.fill([shape[0], 1], 2.0), hf.fill([shape[0], 1], 1.0)

    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = hf.layers.BatchNormalization(adjustment=adjustment)
        found = layer(hf.constant(ROWS), training=True).numpy()
        np.testing.assert_allclose(found, normalized(ROWS, (0,)) * 2 + 1, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("eager", [False, True])
def test_renormalization_starts_as_normalization_and_uses_running_means(eager):
    def steps(number, run):
        results = [run(ROWS * 1.5 + i) for i in range(number)]
        return results[-1]

    with hf.eager_mode() if eager else hf.Graph().as_default():
        with hf.EagerVariableStore().as_default():
            layer = hf.layers.BatchNormalization(
                renorm=True, renorm_momentum=0.5, momentum=0.5, renorm_clipping={"dmax": 10.0}
            )
            if eager:
                train = lambda x: layer(hf.constant(x), training=True).numpy()  # noqa: E731
            else:
                feed = hf.placeholder(hf.float32, [None, 3])
                training = hf.placeholder(hf.bool, [])
                y = layer(feed, training=training)
                session = hf.Session()
                session.run(hf.global_variables_initializer())
                session.run(layer.updates, {feed: ROWS, training: False})
                assert np.isfinite(session.run(layer.moving_mean)).all()
                train = lambda x: session.run(  # noqa: E731
                    [y, *layer.updates], {feed: x, training: True}
                )[0]
            first = train(ROWS)
            np.testing.assert_allclose(first, normalized(ROWS, (0,)), rtol=1e-2, atol=1e-3)
            last = steps(5, train)
            assert np.isfinite(last).all()
            # The correction keeps what the running means are not yet at.
            assert abs(last.mean(0)).max() > 0.05
        assert len(layer.non_trainable_weights) == 6


def test_half_precision():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        for x in (ROWS, IMAGES):
            layer = hf.layers.BatchNormalization()
            found = layer(hf.constant(x.astype(np.float16)), training=True)
            assert found.dtype == hf.float16
            assert layer.gamma.dtype.base_dtype == hf.float32
            expected = normalized(x, tuple(range(x.ndim - 1)))
            np.testing.assert_allclose(found.numpy(), expected, atol=2e-2)


def test_running_means_are_not_partitioned():
    with hf.Graph().as_default():
        partitioner = hf.fixed_size_partitioner(2)
        with hf.variable_scope("parts", partitioner=partitioner):
            hf.layers.batch_normalization(hf.zeros([2, 4]), training=True)
        names = [v.op.name for v in hf.global_variables()]
        root = "parts/batch_normalization"
        assert f"{root}/gamma/part_0" in names
        assert f"{root}/moving_mean" in names


def test_arguments_that_do_not_fit():
    with hf.Graph().as_default():
        x = hf.zeros([4, 3])
        for options, message in (
            ({"axis": 2}, "`axis` argument 2 is out of range for input with rank 2"),
            ({"axis": [1, -1]}, "Duplicate axis"),
            ({"virtual_batch_size": 0}, "must be a positive integer"),
            ({"virtual_batch_size": 2, "axis": 0}, "axis cannot include 0"),
            ({"virtual_batch_size": 2, "adjustment": len}, "adjustment cannot be specified"),
            ({"renorm": True, "renorm_clipping": {"max": 1}}, "contains keys not in"),
        ):
            with pytest.raises(ValueError, match=message):
                hf.layers.batch_normalization(x, **options)
        with pytest.raises(TypeError, match="axis must be int or list"):
            hf.layers.batch_normalization(x, axis="last")
        with pytest.raises(ValueError, match="undefined `axis` dimension"):
            hf.layers.batch_normalization(hf.placeholder(hf.float32, [3, None]))
        with pytest.raises(ValueError, match="undefined rank"):
            hf.layers.batch_normalization(hf.placeholder(hf.float32))


def test_training_with_updates_in_a_graph():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, 3])
        hidden = hf.layers.batch_normalization(hf.layers.dense(x, 4), training=True, momentum=0.9)
        loss = hf.losses.mean_squared_error(
            hf.reduce_sum(x, 1, keep_dims=True), hf.layers.dense(hidden, 1)
        )
        with hf.control_dependencies(hf.get_collection(hf.GraphKeys.UPDATE_OPS)):
            train = hf.train.AdamOptimizer(0.05).minimize(loss)
        session.run(hf.global_variables_initializer())
        first = session.run(loss, {x: ROWS})
        for _ in range(60):
            session.run(train, {x: ROWS})
        assert session.run(loss, {x: ROWS}) < 0.2 * first
