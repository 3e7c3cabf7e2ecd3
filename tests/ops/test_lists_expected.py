"""What is said where one number or tensor stands for a list of them."""

from __future__ import annotations

import pytest

import hybridflow as hf


def test_two_tensors_are_no_list():
    with hf.Graph().as_default():
        x = hf.ones([2])
        with pytest.raises(TypeError, match=r"as one list, `hf.stack\(\[x, y\]\)`.*got <hf.Tensor"):
            hf.stack(x, x)


@pytest.mark.parametrize("convolution", [hf.nn.conv2d, hf.nn.depthwise_conv2d])
def test_one_stride_is_no_list(convolution):
    with hf.Graph().as_default():
        x = hf.ones([1, 4, 4, 1])
        with pytest.raises(TypeError, match=r"4 ints.*`strides=\[1, 2, 2, 1\]`.*got 2\."):
            convolution(x, x, 2, "SAME")


def test_one_stride_of_three_dimensions():
    with hf.Graph().as_default():
        x = hf.ones([1, 4, 4, 4, 1])
        with pytest.raises(TypeError, match=r"5 ints.*`strides=\[1, 1, 1, 1, 1\]`.*got 1\."):
            hf.nn.conv3d(x, x, 1, "SAME")


@pytest.mark.parametrize("pool", [hf.nn.max_pool, hf.nn.avg_pool, hf.nn.max_pool_with_argmax])
def test_one_size_of_windows_is_no_list(pool):
    with hf.Graph().as_default():
        x = hf.ones([1, 4, 4, 1])
        with pytest.raises(TypeError, match=r"4 ints.*`ksize=\[1, 2, 2, 1\]`.*got 2\."):
            pool(x, 2, [1, 2, 2, 1], "SAME")
        with pytest.raises(TypeError, match=r"4 ints.*`strides=\[1, 2, 2, 1\]`.*got 2\."):
            pool(x, [1, 2, 2, 1], 2, "SAME")


_IMAGE, _ONES = [1, 4, 4, 1], [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("strides", lambda x: hf.nn.conv2d_transpose(x, hf.ones(_ONES), _IMAGE, 2)),
        ("strides", lambda x: hf.nn.dilation2d(x, hf.ones([1, 1, 1]), 2, _ONES, "SAME")),
        ("rates", lambda x: hf.nn.dilation2d(x, hf.ones([1, 1, 1]), _ONES, 2, "SAME")),
        ("strides", lambda x: hf.nn.erosion2d(x, hf.ones([1, 1, 1]), 2, _ONES, "SAME")),
        ("rates", lambda x: hf.nn.erosion2d(x, hf.ones([1, 1, 1]), _ONES, 2, "SAME")),
        ("ksizes", lambda x: hf.extract_image_patches(x, 2, _ONES, _ONES, "SAME")),
        ("strides", lambda x: hf.extract_image_patches(x, _ONES, 2, _ONES, "SAME")),
        ("rates", lambda x: hf.extract_image_patches(x, _ONES, _ONES, 2, "SAME")),
    ],
)
@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
def test_one_number_for_images(name, call, mode):
    with mode(), pytest.raises(TypeError, match=rf"4 ints.*`{name}=\[1, 2, 2, 1\]`.*got 2\."):
        call(hf.ones(_IMAGE))


def test_one_stride_of_a_transposed_convolution_of_volumes():
    with hf.Graph().as_default():
        x, filters = hf.ones([1, 4, 4, 4, 1]), hf.ones([1, 1, 1, 1, 1])
        with pytest.raises(TypeError, match=r"5 ints.*got 1\."):
            hf.nn.conv3d_transpose(x, filters, [1, 4, 4, 4, 1], 1)


@pytest.mark.parametrize("pool", [hf.nn.fractional_max_pool, hf.nn.fractional_avg_pool])
def test_one_ratio_is_no_list(pool):
    said = r"4 floats.*\[1\.0, 1\.5, 1\.5, 1\.0\]`; got 1\.5\."
    with hf.Graph().as_default(), pytest.raises(TypeError, match=said):
        pool(hf.ones(_IMAGE), 1.5)


def test_one_number_for_the_inner_dimensions():
    with hf.Graph().as_default():
        x = hf.ones(_IMAGE)
        with pytest.raises(TypeError, match=r"2 ints.*`strides=\[2, 2\]`; got 2\."):
            hf.nn.convolution(x, hf.ones(_ONES), "SAME", 2)
        with pytest.raises(TypeError, match=r"2 ints.*`dilation_rate=\[2, 2\]`; got 2\."):
            hf.nn.convolution(x, hf.ones(_ONES), "SAME", dilation_rate=2)
        with pytest.raises(TypeError, match=r"2 ints.*`window_shape=\[3, 3\]`; got 3\."):
            hf.nn.pool(x, 3, "MAX", "SAME")
        with pytest.raises(TypeError, match=r"1 int,.*`window_shape=\[3\]`; got 3\."):
            hf.nn.pool(hf.placeholder(hf.float32), 3, "MAX", "SAME")


def test_a_list_for_one_stride():
    with hf.Graph().as_default(), pytest.raises(TypeError, match=r"`stride`.*got \[1\]\."):
        hf.nn.conv1d(hf.ones([1, 4, 1]), hf.ones([1, 1, 1]), [1], "SAME")


@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
def test_concat_in_the_order_before_tensorflow_1(mode):
    with mode(), pytest.raises(TypeError, match=r"tensors come first.*`hf.concat\(values, 1\)`"):
        hf.concat(1, [hf.ones([2, 2]), hf.ones([2, 2])])
