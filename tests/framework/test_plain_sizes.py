"""Shapes whose sizes are ints and None, as `tf.enable_v2_tensorshape` makes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim import root
from hybridflow._src.framework.tensor_shape import dimension_at_index


@pytest.fixture
def graph() -> Iterator[None]:
    with hf.Graph().as_default():
        yield


@pytest.fixture
def plain_sizes() -> Iterator[None]:
    root.enable_v2_tensorshape()
    yield
    root.disable_v2_behavior()


def test_items(plain_sizes: None) -> None:
    shape = hf.TensorShape([2, None])
    assert shape[0] == 2
    assert type(shape[0]) is int
    assert shape[1] is None
    assert list(shape) == [2, None]
    assert shape[:1].as_list() == [2]
    assert hf.TensorShape(None)[3] is None
    assert [type(d) for d in shape.dims or ()] == [hf.Dimension] * 2
    assert type(dimension_at_index(shape, 0)) is hf.Dimension
    with pytest.raises(IndexError):
        shape[2]


def test_text(plain_sizes: None, graph: None) -> None:
    assert str(hf.TensorShape([2, None])) == "(2, None)"
    assert repr(hf.TensorShape([2, None])) == "TensorShape([2, None])"
    assert repr(hf.TensorShape(None)) == "TensorShape(None)"
    assert str(hf.TensorShape(None)) == "<unknown>"
    x = hf.placeholder(hf.float32, [None, 3], name="x")
    assert str(x) == 'Tensor("x:0", shape=(None, 3), dtype=float32)'


def test_dimensions_are_back(graph: None) -> None:
    root.enable_v2_tensorshape()
    root.disable_v2_tensorshape()
    assert type(hf.TensorShape([2])[0]) is hf.Dimension
    assert [type(d) for d in hf.TensorShape([2])] == [hf.Dimension]


def test_what_asks_shapes_for_sizes_gets_them(plain_sizes: None, graph: None) -> None:
    """Layers, cells, losses and sparse tensors, whose modules take sizes out of shapes."""
    images = hf.placeholder(hf.float32, [None, 5, 5, 2])
    for layer in (
        hf.layers.Conv2D(4, 3),
        hf.layers.SeparableConv2D(4, 3),
        hf.layers.Conv2DTranspose(4, 3),
        hf.layers.BatchNormalization(),
        hf.layers.Dense(4),
        hf.layers.Flatten(),
    ):
        assert layer(images).shape.ndims in (2, 4)
    rows = hf.placeholder(hf.float32, [3, 4, 2])
    for cell in (
        hf.nn.rnn_cell.LSTMCell(5, num_proj=2),
        hf.nn.rnn_cell.GRUCell(2),
        hf.contrib.rnn.LayerNormBasicLSTMCell(2),
        hf.contrib.rnn.AttentionCellWrapper(hf.nn.rnn_cell.GRUCell(2), 3, state_is_tuple=True),
    ):
        with hf.variable_scope(type(cell).__name__):
            outputs, _ = hf.nn.dynamic_rnn(cell, rows, dtype=hf.float32)
        assert outputs.shape.as_list() == [3, 4, 2]
    labels = hf.placeholder(hf.int32, [None])
    logits = hf.placeholder(hf.float32, [None, 3])
    weights = hf.placeholder(hf.float32, [None, 1])
    assert hf.losses.sparse_softmax_cross_entropy(labels, logits, weights).shape.ndims == 0
    assert hf.metrics.accuracy(labels, labels, weights[:, 0])[0].shape.ndims == 0
    sparse = hf.SparseTensor(hf.zeros([2, 3], hf.int64), hf.zeros([2]), [4, 4, 4])
    assert hf.sparse_reshape(sparse, [16, 4]).indices.shape.as_list() == [2, 2]
    assert hf.nn.embedding_lookup([hf.ones([2, 3])] * 2, [1, 2]).shape.as_list() == [2, 3]


def test_values_are_the_same(plain_sizes: None) -> None:
    with hf.eager_mode():
        x = hf.constant(np.arange(6.0).reshape(2, 3))
        assert x.shape[1] == 3
        np.testing.assert_array_equal(hf.reshape(x, [x.shape[1], -1]).shape, [3, 2])
