"""Convolution, pooling and what moves images about: cases for `record_family.py`."""

import numpy as np

ONES = [1, 1, 1, 1]
TWOS = [1, 2, 2, 1]
ONES_3D = [1, 1, 1, 1, 1]


def numbers(seed, *shape):
    """Float32 numbers with few digits."""
    return np.random.RandomState(seed).uniform(-1, 1, shape).round(2).astype("float32")


def distinct(seed, *shape):
    """Float32 numbers of which no two are equal."""
    order = np.random.RandomState(seed).permutation(int(np.prod(shape)))
    return (order.reshape(shape) * 0.25 - 2).astype("float32")


def convolutions():
    """Two dimensions: strides, paddings, formats, gradients as functions, transposed."""
    x, small = numbers(1, 2, 5, 4, 2), numbers(2, 1, 3, 3, 2)
    filters, even = numbers(3, 3, 2, 2, 3), numbers(4, 2, 2, 2, 2)
    for label, args, kwargs in (
        ("same", [x, filters, ONES, "SAME"], {}),
        ("valid", [x, filters, ONES, "VALID"], {}),
        ("same_strided", [x, filters, TWOS, "SAME"], {}),
        ("valid_strided", [x, even, [1, 2, 1, 1], "VALID"], {}),
        ("one", [small, numbers(5, 1, 1, 2, 2), ONES, "SAME"], {}),
        ("dilated", [x, even, ONES, "SAME"], {"dilations": [1, 2, 2, 1]}),
        ("too_large", [small, filters, ONES, "VALID"], {"data_format": "NHWC"}),
        ("channels", [small, numbers(6, 2, 2, 3, 1), ONES, "SAME"], {}),
    ):
        yield "nn.conv2d/" + label, "nn.conv2d", args, kwargs
    dy = numbers(7, 2, 3, 2, 3)
    name = "nn.conv2d_backprop_input"
    yield name, name, [[2, 5, 4, 2], filters, dy, TWOS, "SAME"], {}
    name = "nn.conv2d_backprop_filter"
    yield name, name, [x, [3, 2, 2, 3], dy, TWOS, "SAME"], {}
    name = "nn.conv2d_transpose"
    yield name + "/same", name, [small, even, [1, 6, 5, 2], TWOS], {}
    yield name + "/valid", name, [small, even, [1, 4, 4, 2], ONES, "VALID"], {}
    yield name + "/wrong", name, [small, even, [1, 9, 4, 2], TWOS, "SAME"], {}
    name = "nn.atrous_conv2d"
    yield name + "/same", name, [x, even, 2, "SAME"], {}
    yield name + "/valid", name, [x, even, 2, "VALID"], {}
    name = "nn.atrous_conv2d_transpose"
    yield name + "/same", name, [small, even, [1, 3, 3, 2], 2, "SAME"], {}
    yield name + "/valid", name, [small, even, [1, 5, 5, 2], 2, "VALID"], {}
    name = "nn.conv1d"
    yield name + "/same", name, [numbers(8, 2, 5, 2), numbers(9, 3, 2, 2), 2, "SAME"], {}
    yield name + "/valid", name, [numbers(8, 2, 5, 2), numbers(9, 3, 2, 2), 1, "VALID"], {}
    name = "nn.convolution"
    line, short = numbers(10, 1, 6, 1), numbers(11, 2, 1, 2)
    yield name + "/1d", name, [line, short, "SAME"], {}
    yield name + "/1d_dilated", name, [line, short, "SAME"], {"dilation_rate": [2]}
    yield name + "/2d", name, [x, even, "VALID"], {"strides": [2, 1]}
    yield name + "/2d_dilated", name, [x, even, "VALID"], {"dilation_rate": [3, 2]}
    depthwise = numbers(12, 2, 3, 2, 2)
    name = "nn.depthwise_conv2d_native"
    yield name + "/same", name, [x, depthwise, TWOS, "SAME"], {}
    yield name + "/valid", name, [x, depthwise, ONES, "VALID"], {}
    name, dy = "nn.depthwise_conv2d_native_backprop_input", numbers(30, 2, 3, 2, 4)
    yield name, name, [[2, 5, 4, 2], depthwise, dy, TWOS, "SAME"], {}
    name = "nn.depthwise_conv2d_native_backprop_filter"
    yield name, name, [x, [2, 3, 2, 2], dy, TWOS, "SAME"], {}
    name = "nn.depthwise_conv2d"
    yield name + "/plain", name, [x, depthwise, ONES, "SAME"], {}
    yield name + "/rate", name, [x, depthwise, ONES, "SAME"], {"rate": [2, 1]}
    name = "nn.separable_conv2d"
    yield name, name, [x, depthwise, numbers(13, 1, 1, 4, 3), ONES, "SAME"], {}


def volumes():
    """Three dimensions."""
    x, filters = numbers(14, 1, 3, 3, 2, 2), numbers(15, 2, 2, 1, 2, 2)
    name = "nn.conv3d"
    yield name + "/same", name, [x, filters, ONES_3D, "SAME"], {}
    yield name + "/valid", name, [x, filters, [1, 1, 2, 1, 1], "VALID"], {}
    name = "nn.conv3d_transpose"
    yield name, name, [x, filters, [1, 5, 3, 4, 2], [1, 2, 1, 2, 1]], {}
    name = "nn.conv3d_backprop_filter_v2"
    dy = numbers(16, 1, 3, 3, 2, 2)
    yield name, name, [x, [2, 2, 1, 2, 2], dy, ONES_3D, "SAME"], {}
    volume = distinct(17, 1, 3, 3, 2, 1)
    for name in ("nn.max_pool3d", "nn.avg_pool3d"):
        yield name + "/same", name, [volume, [1, 2, 2, 2, 1], [1, 2, 1, 1, 1], "SAME"], {}
        yield name + "/valid", name, [volume, [1, 2, 3, 1, 1], ONES_3D, "VALID"], {}


def pools():
    """Two dimensions, and in general; normalization beside."""
    x = distinct(18, 2, 5, 4, 2)
    for name in ("nn.max_pool", "nn.avg_pool"):
        for label, args in (
            ("same", [x, [1, 3, 2, 1], TWOS, "SAME"]),
            ("valid", [x, TWOS, TWOS, "VALID"]),
            ("overlapping", [x, TWOS, ONES, "SAME"]),
            ("too_large", [x, [1, 6, 6, 1], ONES, "VALID"]),
        ):
            yield name + "/" + label, name, args, {}
    equal = np.ones([1, 3, 3, 1], "float32")
    yield "nn.max_pool/equal", "nn.max_pool", [equal, TWOS, ONES, "VALID"], {}
    yield "nn.max_pool/depth", "nn.max_pool", [x, [1, 1, 1, 2], [1, 1, 1, 2], "VALID"], {}
    name = "nn.max_pool_with_argmax"
    yield name, name, [x, [1, 3, 2, 1], TWOS, "SAME"], {}
    name = "nn.pool"
    line = distinct(19, 1, 6, 2)
    yield name + "/1d", name, [line, [3], "MAX", "SAME"], {"strides": [2]}
    yield name + "/dilated", name, [x, [2, 2], "AVG", "VALID"], {"dilation_rate": [2, 1]}
    image = distinct(29, 1, 7, 9, 1)
    for name in ("nn.fractional_max_pool", "nn.fractional_avg_pool"):
        for label, pseudo, overlapping in (("random", False, False), ("pseudo", True, True)):
            ratios = [1.0, 1.5, 2.3, 1.0]
            kwargs = {"deterministic": True, "seed": 5, "seed2": 7}
            yield name + "/" + label, name, [image, ratios, pseudo, overlapping], kwargs
    name = "nn.lrn"
    x = numbers(20, 1, 2, 2, 5)
    yield name + "/plain", name, [x], {}
    yield name + "/near", name, [x], {"depth_radius": 1, "bias": 1.5, "alpha": 0.3, "beta": 0.75}
    yield "nn.local_response_normalization", "nn.local_response_normalization", [x, 2, 1.0, 0.5], {}
    image, form = distinct(21, 1, 4, 4, 2), numbers(22, 2, 3, 2)
    for name in ("nn.dilation2d", "nn.erosion2d"):
        yield name + "/same", name, [image, form, ONES, ONES, "SAME"], {}
        yield name + "/valid", name, [image, form, [1, 2, 1, 1], ONES, "VALID"], {}


def moves():
    """Images in other shapes."""
    x = numbers(23, 1, 4, 4, 2)
    yield "space_to_depth", "space_to_depth", [x, 2], {}
    yield "space_to_depth/wrong", "space_to_depth", [x, 3], {}
    yield "depth_to_space", "depth_to_space", [numbers(24, 1, 2, 1, 8), 2], {}
    block, pads = np.array([2, 3], "int32"), np.array([[0, 0], [1, 1]], "int32")
    yield "space_to_batch_nd", "space_to_batch_nd", [x, block, pads], {}
    yield "space_to_batch_nd/literal", "space_to_batch_nd", [x, [2, 3], [[0, 0], [1, 1]]], {}
    many = numbers(25, 6, 2, 2, 1)
    yield "batch_to_space_nd", "batch_to_space_nd", [many, block, pads], {}
    yield "batch_to_space_nd/literal", "batch_to_space_nd", [many, [2, 3], [[0, 0], [1, 1]]], {}
    yield "space_to_batch", "space_to_batch", [x, [[1, 1], [0, 0]], 2], {}
    yield "batch_to_space", "batch_to_space", [numbers(26, 4, 2, 2, 1), [[1, 0], [0, 1]], 2], {}
    name = "extract_image_patches"
    yield name + "/same", name, [x, [1, 3, 2, 1], TWOS, ONES, "SAME"], {}
    yield name + "/valid", name, [x, TWOS, ONES, TWOS, "VALID"], {}
    name = "reverse_sequence"
    lengths = np.array([3, 0], "int32")
    yield name, name, [numbers(27, 2, 4), lengths, 1, 0], {}
    yield name + "/other", name, [numbers(28, 4, 3, 2), lengths], {"seq_dim": 0, "batch_dim": 2}
    sizes = [5, 4]
    yield (
        "required_space_to_batch_paddings",
        "required_space_to_batch_paddings",
        [sizes, [2, 3], [[1, 0], [0, 0]]],
        {},
    )


def cases():
    """All cases of this file."""
    for part in (convolutions, volumes, pools, moves):
        yield from part()
