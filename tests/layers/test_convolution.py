"""Convolutional and pooling layers: both data formats, all executions, what they refuse.

Names, ops and values are those recorded from TensorFlow: tests/variables/test_recorded_names.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.layers import arguments
from tests.execution import EXECUTIONS, Execution

RNG = np.random.default_rng(5)
INPUTS = {
    1: RNG.normal(size=(2, 7, 3)).astype(np.float32),
    2: RNG.normal(size=(2, 6, 5, 3)).astype(np.float32),
    3: RNG.normal(size=(2, 4, 5, 4, 3)).astype(np.float32),
}
L = hf.layers
CONVOLUTIONS = {
    "Conv1D": (1, lambda **k: L.Conv1D(4, 3, 2, "same", **k)),
    "Conv2D": (2, lambda **k: L.Conv2D(4, (3, 2), (2, 1), **k)),
    "Conv2D, dilated": (2, lambda **k: L.Conv2D(4, 2, dilation_rate=2, **k)),
    "Conv3D": (3, lambda **k: L.Conv3D(4, 2, **k)),
    "SeparableConv1D": (1, lambda **k: L.SeparableConv1D(4, 3, 2, "same", **k)),
    "SeparableConv1D, dilated": (1, lambda **k: L.SeparableConv1D(4, 2, dilation_rate=2, **k)),
    "SeparableConv2D": (2, lambda **k: L.SeparableConv2D(4, 2, depth_multiplier=2, **k)),
    "Conv2DTranspose": (2, lambda **k: L.Conv2DTranspose(4, 3, 2, "same", **k)),
    "Conv2DTranspose, valid": (2, lambda **k: L.Conv2DTranspose(4, (1, 3), 2, **k)),
    "Conv3DTranspose": (3, lambda **k: L.Conv3DTranspose(4, 2, 2, **k)),
}
POOLINGS = {
    f"{kind}{rank}D": (rank, lambda k=kind, r=rank, **a: getattr(L, f"{k}{r}D")(2, 2, "same", **a))
    for kind in ("MaxPooling", "AveragePooling")
    for rank in (1, 2, 3)
}
ALL = {**CONVOLUTIONS, **POOLINGS}


def channels_first(array):
    return np.moveaxis(array, -1, 1)


@pytest.mark.parametrize("name", ALL)
def test_data_formats_and_shapes(name):
    """What comes out has the shape foretold, and is the same for channels that come first."""
    rank, make = ALL[name]
    x = INPUTS[rank]
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        one = make()
        y = one(hf.constant(x))
        assert one.compute_output_shape(x.shape).as_list() == list(y.shape.as_list())
        two = make(data_format="channels_first")
        turned = two(hf.constant(channels_first(x)))
        assert two.compute_output_shape(channels_first(x).shape) == turned.shape
        for ours, theirs in zip(two.weights, one.weights, strict=True):
            ours.assign(theirs)
        if one.weights:
            one.bias.assign([1.0, 2.0, 3.0, 4.0])
            two.bias.assign([1.0, 2.0, 3.0, 4.0])
        y = one(hf.constant(x)).numpy()
        turned = two(hf.constant(channels_first(x))).numpy()
        np.testing.assert_allclose(turned, channels_first(y), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize("name", ALL)
def test_executions_agree(name, execution):
    rank, make = ALL[name]
    x = INPUTS[rank]
    ones = "ones"
    options = {} if name in POOLINGS else {"kernel_initializer": ones}
    if name.startswith("Separable"):
        options = {"depthwise_initializer": ones, "pointwise_initializer": ones}
    expected = Execution("eager")(lambda x: make(**options)(x), x)
    layer = make(**options) if execution == "function" else None
    found = Execution(execution)(lambda x: (layer or make(**options))(x), x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_unknown_sizes(name):
    rank, make = ALL[name]
    x = INPUTS[rank]
    with hf.Graph().as_default(), hf.Session() as session:
        feed = hf.placeholder(hf.float32, [None] * (rank + 1) + [3])
        y = make()(feed)
        channels = 3 if name in POOLINGS else 4
        assert y.shape.as_list() == [None] * (rank + 1) + [channels]
        session.run(hf.global_variables_initializer())
        assert session.run(y, {feed: x}).shape == tuple(
            make().compute_output_shape(x.shape).as_list()
        )


def test_kernels_are_regularized_and_constrained():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = L.Conv2D(
            2, 3, kernel_regularizer="l2", kernel_constraint="non_neg", activation=hf.nn.relu
        )
        x = hf.constant(INPUTS[2])
        layer(x)
        assert len(layer.losses) == 1
        step = hf.train.GradientDescentOptimizer(0.1)
        step.minimize(lambda: hf.reduce_mean(layer(x)) + layer.losses[0])
        assert (layer.kernel.numpy() >= 0).all()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_gradients_reach_all_variables(name):
    rank, make = CONVOLUTIONS[name]
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = make()
        x = hf.constant(INPUTS[rank])
        layer(x)
        with hf.GradientTape() as tape:
            loss = hf.reduce_sum(layer(x) ** 2.0)
        assert all(g is not None for g in tape.gradient(loss, layer.trainable_weights))


def test_arguments_that_do_not_fit():
    x = hf.Graph()
    with x.as_default():
        image = hf.zeros([1, 4, 4, 3])
        for make, message in (
            (lambda: L.conv2d(image, 2, (3, 3, 3)), "`kernel_size` argument must be a tuple of 2"),
            (lambda: L.conv2d(image, 2, 3, None), "`strides` argument must be a tuple of 2"),
            (lambda: L.conv2d(image, 2, (3, "a")), "including element a of type"),
            (lambda: L.conv2d(image, 2, 3, padding="full"), "`padding` argument must be one of"),
            (lambda: L.max_pooling2d(image, 2, 2, data_format="NHWC"), "`data_format` argument"),
            (lambda: L.conv1d(image, 2, 3), "expected ndim=3, found ndim=4"),
            (lambda: L.max_pooling3d(image, 2, 2), "expected ndim=5, found ndim=4"),
        ):
            with pytest.raises(ValueError, match=message):
                make()
        unknown = hf.placeholder(hf.float32, [None, 4, 4, None])
        for layer in (L.Conv2D(2, 3), L.SeparableConv2D(2, 3), L.Conv2DTranspose(2, 3)):
            with pytest.raises(ValueError, match="channel dimension of the inputs to"):
                layer(unknown)


def test_lengths():
    """Sizes agree with counting windows."""
    for length in range(1, 12):
        for size in range(1, 4):
            for step in (1, 2, 3):
                valid = len(range(0, length - size + 1, step))
                same = len(range(0, length, step))
                find = arguments.conv_output_length
                assert max(find(length, size, "valid", step), 0) == valid
                assert find(length, size, "same", step) == same
                back = arguments.deconv_output_length(length, size, "valid", step)
                assert find(back, size, "valid", step) == length
    assert arguments.conv_output_length(4, 2, "full", 1) == 5
    assert arguments.deconv_output_length(4, 2, "full", 1) == 3
    assert arguments.conv_input_length(3, 3, "full", 2) == 3
    for find in (arguments.conv_output_length, arguments.conv_input_length):
        assert find(None, 3, "same", 2) is None
    with pytest.raises(ValueError, match="Input rank not supported"):
        arguments.convert_data_format("channels_last", 2)
    with pytest.raises(ValueError, match="Invalid data_format"):
        arguments.convert_data_format("NHWC", 4)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("eager", [True, False])
def test_pooling_of_no_images(eager, padding):
    images = np.ones([0, 8, 8, 3], np.float32)
    with hf.eager_mode() if eager else hf.Graph().as_default():
        x = hf.constant(images) if eager else hf.placeholder(hf.float32, [None, 8, 8, 3])
        found = [
            hf.layers.max_pooling2d(x, 2, 2, padding),
            hf.layers.average_pooling2d(x, 2, 2, padding),
        ]
        if not eager:
            with hf.Session() as session:
                found = session.run(found, {x: images})
        assert [y.shape for y in found] == [(0, 4, 4, 3)] * 2


def test_sizes_of_tensors_as_windows_and_strides():
    """A `Dimension` stands for its number, as programs take it from a shape."""
    with hf.Graph().as_default(), hf.Session() as session:
        values = np.arange(96, dtype=np.float32).reshape(2, 4, 4, 3)
        x = hf.constant(values)
        height, width = x.get_shape()[1], x.get_shape()[2]
        mean, first = values.mean((1, 2), keepdims=True), values[:, :1, :1]
        for found, wanted in (
            (hf.nn.avg_pool(x, [1, height, width, 1], [1, 1, 1, 1], "VALID"), mean),
            (hf.layers.average_pooling2d(x, x.get_shape()[1:3], 1), mean),
            (hf.nn.conv2d(x, hf.eye(3)[None, None], [1, height, width, 1], "SAME"), first),
            (hf.space_to_depth(x, hf.Dimension(4)), values.reshape(2, 1, 1, 48)),
        ):
            np.testing.assert_allclose(session.run(found), wanted, rtol=1e-6)
