"""Symbolic tensors and operations."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


@pytest.mark.parametrize(
    ("shape", "text", "representation"),
    [
        ([None, 3], 'Tensor("x:0", shape=(?, 3), dtype=float32)', "shape=(?, 3) dtype=float32"),
        ([], 'Tensor("x:0", shape=(), dtype=float32)', "shape=() dtype=float32"),
        (None, 'Tensor("x:0", dtype=float32)', "shape=<unknown> dtype=float32"),
        ([2], 'Tensor("x:0", shape=(2,), dtype=float32)', "shape=(2,) dtype=float32"),
    ],
)
def test_text(graph, shape, text, representation):
    x = hf.placeholder(hf.float32, shape, name="x")
    assert str(x) == text
    assert repr(x) == f"<hf.Tensor 'x:0' {representation}>"


def test_text_with_a_device(graph):
    with hf.device("/cpu:0"):
        x = hf.placeholder(hf.float32, [], name="x")
    assert str(x) == 'Tensor("x:0", shape=(), dtype=float32, device=/device:CPU:0)'
    assert x.device == "/device:CPU:0"


def test_properties(graph):
    a, b = hf.constant([1.0, 2.0]), hf.constant([3.0, 4.0])
    c = hf.add(a, b, name="c")
    assert (c.name, c.value_index, c.dtype, c.graph) == ("c:0", 0, hf.float32, graph)
    assert c.shape == c.get_shape() == [2]
    assert c.device == ""
    assert c.op.outputs == [c]
    assert (c.op.inputs[0], c.op.inputs[1]) == (a, b)
    first, second = hf.unstack(hf.constant([1, 2]), name="u")
    assert (first.name, second.name, second.value_index) == ("u:0", "u:1", 1)


def test_consumers(graph):
    a = hf.constant(1.0)
    assert a.consumers() == []
    b = a + 2.0
    c = hf.add(a, a)
    assert a.consumers() == [b.op, c.op, c.op]
    a.consumers().clear()
    assert len(a.consumers()) == 3


def test_set_shape_adds_what_is_known(graph):
    x = hf.placeholder(hf.float32)
    assert x.shape.ndims is None
    x.set_shape([None, 3])
    x.set_shape([2, None])
    assert x.shape.as_list() == [2, 3]
    x.set_shape(None)
    x.set_shape(hf.TensorShape([2, 3]))
    for bad in ([2, 4], [2], []):
        with pytest.raises(ValueError, match=r"not compatible|must have the same rank|dimensions"):
            x.set_shape(bad)
    assert x.shape.as_list() == [2, 3]


def test_identity_is_equality(graph):
    a, b = hf.constant(1.0), hf.constant(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert a in [b, a]
    assert {a: 1}[a] == 1
    assert (a == 1.0) is False
    assert (a == np.ones(2)) is False or not np.any(a == np.ones(2))


def test_there_is_no_value_while_the_graph_is_built(graph):
    x = hf.placeholder(hf.float32, [2], name="x")
    with pytest.raises(TypeError, match=r"`tf.Tensor` as a Python `bool`.*x:0.*hf.cond"):
        bool(x)
    with pytest.raises(TypeError, match="Python `bool`"):
        assert not x
    with pytest.raises(TypeError, match=r"`Tensor` objects are not iterable.*x:0.*hf.unstack"):
        list(x)
    with pytest.raises(TypeError, match="not iterable"):
        _, _ = x
    with pytest.raises(TypeError, match=r"len\(\) is not defined for .*x:0"):
        len(x)
    for use in (np.array, np.asarray, np.sum, lambda t: np.add(t, 1)):
        with pytest.raises(TypeError, match=r"x:0.* has no value while its graph is built"):
            use(x)
    for convert in (int, float, complex):
        with pytest.raises(TypeError):
            convert(x)
    with pytest.raises(TypeError):
        [1, 2, 3][x]
    with pytest.raises(TypeError, match=r"not .*iterable"):
        1.0 in x  # noqa: B015


def test_numpy_leaves_operators_to_the_tensor(graph):
    x = hf.placeholder(hf.float32, [2])
    array = np.ones(2, np.float32)
    for result in (
        array + x,
        x + array,
        array * x,
        array - x,
        array / x,
        array > x,
        array[None] @ hf.ones([2, 2]),
        np.float32(2) * x,
        x * np.float32(2),
        np.array(2, np.float32) - x,
    ):
        assert type(result) is hf.Tensor


def test_a_tensor_is_part_of_its_graph(graph):
    x = hf.placeholder(hf.float32, name="x")
    assert copy.copy(x) is x
    assert copy.deepcopy(x) is x
    assert copy.deepcopy({"x": [x]})["x"][0] is x
    assert copy.deepcopy(x.op) is copy.copy(x.op) is x.op
    with pytest.raises(TypeError, match=r"x:0.* is part of a graph and cannot be pickled"):
        pickle.dumps(x)
    with pytest.raises(TypeError, match="Operation 'x' is part of a graph and cannot be pickled"):
        pickle.dumps(x.op)


def test_eval_needs_a_session(graph):
    x = hf.constant(2.0, name="x")
    with pytest.raises(ValueError, match="Cannot evaluate 'x:0': no default session"):
        x.eval()
    with pytest.raises(ValueError, match="Cannot evaluate 'x': no default session"):
        x.op.run()
    with hf.Session() as sess:
        assert x.eval() == 2
        assert x.op.run() is None
    other = hf.Session(graph=hf.Graph())
    with pytest.raises(ValueError, match=r"given session to evaluate 'x:0'.*graph is different"):
        x.eval(session=other)
    with other.as_default(), pytest.raises(ValueError, match="default session to evaluate 'x:0'"):
        x.eval()
    sess = hf.Session()
    y = x + 1.0
    assert y.eval({x: 5.0}, sess) == 6
    assert y.eval(session=sess) == 3


# -- operations ------------------------------------------------------------------------------------


def test_an_operation(graph):
    a = hf.constant([[1.0]], name="a")
    with hf.control_dependencies([a]):
        b = hf.matmul(a, a, transpose_b=True, name="b")
    op = b.op
    assert (op.name, op.type, op.graph, op.device) == ("b", "MatMul", graph, "")
    assert op.values() == (b,)
    assert list(op.inputs) == [a, a]
    assert op.control_inputs == []
    assert (op.get_attr("transpose_b"), op.get_attr("transpose_a")) == (True, False)
    assert op.get_attr("T") is hf.float32
    with pytest.raises(ValueError, match="No attr named 'nope' in op 'b' of type MatMul"):
        op.get_attr("nope")
    assert repr(op) == "<hf.Operation 'b' type=MatMul>"


def test_node_def(graph):
    a, b = hf.unstack(hf.constant([1, 2], name="c"), name="u")
    with hf.control_dependencies([hf.no_op(name="n")]), hf.device("/cpu:0"):
        s = hf.add(a, b, name="s")
        z = hf.add(b, 1, name="z")
    node = z.op.node_def
    assert (node.name, node.op, node.device) == ("z", "Add", "/device:CPU:0")
    # It waits for n through the constant.
    assert node.input == ["u:1", "z/y"]
    assert z.op.inputs[1].op.node_def.input == ["^n"]
    assert s.op.node_def.input == ["u", "u:1", "^n"]
    assert 'name: "z"\nop: "Add"\ninput: "u:1"\n' in str(node)
    assert [n.name for n in graph.as_graph_def().node][:2] == ["c", "u"]
    assert graph.as_graph_def(from_version=2).node[0].name == "n"
    assert str(graph.as_graph_def()).startswith('node {\n  name: "c"\n')


def test_the_traceback_is_the_users(graph):
    def make():
        return hf.constant(1.0) + 2.0  # this line made it

    op = make().op
    filename, lineno, line = op.user_frame
    assert filename == __file__
    assert line.endswith("# this line made it")
    frames = op.traceback
    assert (frames[-1].name, frames[-1].lineno, frames[-1].line) == ("make", lineno, line)
    assert frames[-2].name == "test_the_traceback_is_the_users"
    assert not any("_src" in frame.filename for frame in frames)
    constant = op.inputs[1].op
    assert constant.user_frame == op.user_frame


def test_every_way_to_an_op_records_the_users_line(graph):
    x = hf.placeholder(hf.float32, [2])
    made = [
        hf.constant(1.0),
        hf.convert_to_tensor(1.0),
        hf.convert_to_tensor([x, x]),
        hf.no_op().outputs or hf.constant(1),
        x + 1.0,
        -x,
        hf.reduce_sum(x),
        x[0],
        hf.cond(hf.constant(True), lambda: x, lambda: x),
    ]
    for item in made:
        assert item.op.user_frame[0] == __file__


def test_colocation_groups(graph):
    a = hf.constant(1.0, name="a")
    assert a.op.colocation_groups() == [b"loc:@a"]
    with pytest.raises(ValueError, match="No attr named '_class'"):
        a.op.get_attr("_class")
    with hf.colocate_with(a):
        b = hf.constant(1.0, name="b")
    assert b.op.colocation_groups() == b.op.get_attr("_class") == [b"loc:@a"]


def test_references(graph):
    x, v = hf.constant(1.0), hf.Variable(1.0)
    names = {x.ref(): "x", v.ref(): "v"}
    assert (names[x.ref()], names[v.experimental_ref()]) == ("x", "v")
    assert x.ref() == x.ref() != v.ref()
    assert x.ref() != x
    assert x.ref().deref() is x
    assert repr(x.ref()) == f"<Reference wrapping {x!r}>"
