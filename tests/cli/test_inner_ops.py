"""What programs take from inside TensorFlow's modules of ops and shapes."""

from __future__ import annotations

import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.names import find


def inner(path):
    module, _, name = f"tensorflow.python.{path}".rpartition(".")
    return find(module, name)[0]


def test_names_and_scopes():
    strip, prepend = (
        inner("framework.ops.strip_name_scope"),
        inner("framework.ops.prepend_name_scope"),
    )
    assert strip("a/b/c", "a/b") == "c"
    assert strip("^a/c", "a") == "^c"
    assert strip("a/c", None) == "a/c"
    assert prepend("c", "a/") == "a/c"
    assert prepend("^c", "a") == "^a/c"
    assert prepend("c", "") == "c"
    uid = inner("framework.ops.uid")
    assert uid() < uid()


def test_shapes_that_tensors_hold():
    as_shape = inner("framework.tensor_util.constant_value_as_shape")
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [None, 3])
        assert as_shape(hf.shape(x)).as_list() == [None, 3]
        assert as_shape(hf.stack([hf.shape(x)[0], 5])).as_list() == [None, 5]
        assert as_shape(hf.constant([2, 4])).as_list() == [2, 4]
    broadcast = inner("framework.common_shapes.broadcast_shape")
    assert broadcast(hf.TensorShape([3, 1]), hf.TensorShape([4])).as_list() == [3, 4]


def test_a_gradient_that_must_not_be_taken():
    prevent = inner("ops.array_ops.prevent_gradient")
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant(2.0)
        y = prevent(x, "it is not there")
        assert session.run(y) == 2.0
        with pytest.raises(LookupError, match="it is not there"):
            hf.gradients(y, x)


def test_kinds_of_variables():
    is_resource = inner("ops.resource_variable_ops.is_resource_variable")
    with hf.Graph().as_default():
        assert is_resource(hf.get_variable("v", [2], use_resource=True))
        assert not is_resource(hf.get_variable("w", [2]))
        assert not is_resource(hf.constant(1.0))
