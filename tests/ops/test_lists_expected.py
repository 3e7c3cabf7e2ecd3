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
