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


def test_structures_up_to_another_one():
    flatten, mapped = inner("util.nest.flatten_up_to"), inner("util.nest.map_structure_up_to")
    check = inner("util.nest.assert_shallow_structure")
    tree = {"b": [1, (2, 3)], "a": [[4], 5]}
    assert flatten({"a": 0, "b": [0, 0]}, tree) == [[[4], 5], 1, (2, 3)]
    assert flatten(0, tree) == [tree]
    assert mapped([0, 0], lambda x, y: (x, y), [1, [2]], [3, 4]) == [(1, 3), ([2], 4)]
    for shallow, given, error in (
        ([0], 1, TypeError),
        ([0], {"a": 1}, TypeError),
        ([0], [1, 2], ValueError),
        ({"a": 0}, {"b": 1}, ValueError),
    ):
        with pytest.raises(error):
            check(shallow, given)
    with pytest.raises(ValueError, match="no sequences"):
        mapped([0], len)


def test_states_of_zeros():
    zeros = inner("ops.rnn_cell_impl._zero_state_tensors")
    with hf.eager_mode():
        found = zeros((3, [hf.TensorShape([2, 4])]), 5, hf.float32)
        assert [t.shape.as_list() for t in (found[0], found[1][0])] == [[5, 3], [5, 2, 4]]
