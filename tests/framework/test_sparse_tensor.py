"""Sparse tensors: their parts, what is known of their shape, what they become."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import nest

VALUE = hf.SparseTensorValue(np.array([[0, 1], [2, 0]]), np.array([3.0, 4.0]), np.array([3, 3]))


@pytest.fixture(params=["eager", "graph"])
def mode(request):
    if request.param == "eager":
        with hf.eager_mode():
            yield request.param
    else:
        with hf.Graph().as_default():
            yield request.param


def test_its_parts(mode):
    s = hf.SparseTensor([[0, 1], [2, 0]], [3.0, 4.0], [3, 3])
    assert s.indices.dtype == hf.int64
    assert s.dense_shape.dtype == hf.int64
    assert s.dtype == s.values.dtype == hf.float32
    assert s.shape.as_list() == s.get_shape().as_list() == [3, 3]
    assert str(s).startswith("SparseTensor(indices=")
    other = s.with_values(s.values * 2.0)
    assert other.indices is s.indices
    assert other.dense_shape is s.dense_shape


def test_of_a_value(mode):
    for value in (VALUE, hf.SparseTensor(*VALUE)):
        s = hf.SparseTensor.from_value(value)
        assert s.dtype == hf.float64
        assert s.shape.as_list() == [3, 3]
    with pytest.raises(TypeError, match="Neither a SparseTensor nor SparseTensorValue"):
        hf.SparseTensor.from_value((1, 2, 3))


@pytest.mark.parametrize(
    ("indices", "values", "shape"),
    [
        ([0, 1], [1.0, 2.0], [3]),
        ([[0], [1]], 1.0, [3]),
        ([[0], [1]], [1.0], [3]),
        ([[0], [1]], [1.0, 2.0], [3, 3]),
        ([[0], [1]], [1.0, 2.0], 3),
    ],
)
def test_parts_that_do_not_fit(mode, indices, values, shape):
    with pytest.raises(ValueError):
        hf.SparseTensor(indices, values, shape)


def test_indices_are_int64(mode):
    with pytest.raises(ValueError, match="int64"):
        hf.SparseTensor(hf.constant([[0]]), [1.0], [2])


def test_shapes_known_in_part():
    with hf.Graph().as_default():
        size = hf.placeholder(hf.int64, [])
        s = hf.SparseTensor([[0, 1]], [1.0], [3, size])
        assert s.shape.as_list() == [3, None]
        s = hf.sparse_placeholder(hf.float32)
        assert s.shape.ndims is None
        s = hf.sparse_placeholder(hf.float32, [None, 2])
        assert s.shape.as_list() == [None, None]
        assert s.indices.shape.as_list() == [None, 2]


def test_names_of_placeholders():
    with hf.Graph().as_default():
        s = hf.sparse_placeholder(hf.float32, name="s")
        assert [t.name for t in (s.indices, s.values, s.dense_shape)] == [
            "s/indices:0",
            "s/values:0",
            "s/shape:0",
        ]
        assert s.name == "s/values:0"
        assert s.op is s.values.op
        assert s.graph is s.indices.graph
        s = hf.sparse_placeholder(hf.float32, [2, 3], "known")
        assert s.dense_shape.op.type == "Const"
        s = hf.sparse_placeholder(hf.string, hf.constant([2, 3], hf.int64))
        assert s.indices.shape.as_list() == [None, 2]
    with hf.eager_mode(), pytest.raises(RuntimeError, match="eager"):
        hf.sparse_placeholder(hf.float32)


def test_it_becomes_no_tensor_unasked(mode):
    s = hf.SparseTensor(*VALUE)
    for use in (hf.convert_to_tensor, hf.reduce_sum, lambda x: hf.constant(1.0, hf.float64) + x):
        with pytest.raises(TypeError, match="sparse_tensor_to_dense"):
            use(s)


def test_convert_to_tensor_or_sparse_tensor(mode):
    convert = hf.convert_to_tensor_or_sparse_tensor
    s = hf.SparseTensor(*VALUE)
    assert convert(s) is s
    assert isinstance(convert(VALUE), hf.SparseTensor)
    assert isinstance(convert([1, 2]), hf.Tensor)
    assert convert([1, 2], hf.float32).dtype == hf.float32
    assert convert(VALUE, hf.float64).dtype == hf.float64
    with pytest.raises(RuntimeError, match="requested = float32, actual = float64"):
        convert(s, hf.float32)


def test_gradients_and_copies_of_slices(mode):
    s = hf.SparseTensor(*VALUE)
    assert hf.convert_to_tensor_or_indexed_slices(s) is s
    assert copy.copy(s).values is s.values


def test_structures_take_it_as_one_leaf_of_three_parts(mode):
    s = hf.SparseTensor(*VALUE)
    x = hf.constant(1.0)
    structure = {"a": [s, x], "b": None}
    assert nest.flatten(structure) == [s, x, None]
    parts = nest.flatten_parts(structure)
    assert parts == [s.indices, s.values, s.dense_shape, x, None]
    again = nest.pack_parts(structure, parts)
    assert again["a"][0].values is s.values
    assert again["a"][1] is x
    with pytest.raises(ValueError, match="5 parts, but 4"):
        nest.pack_parts(structure, parts[:4])
    with pytest.raises(TypeError, match="kinds of leaves"):
        nest.assert_same_structure([s], [x])
