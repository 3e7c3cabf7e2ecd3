"""Graphs as messages: nodes, attributes, control flow as functions."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.graphs import exporting
from hybridflow._src.graphs.op_list import definition, tensorflow_ops


@pytest.fixture
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


def test_a_node(graph):
    with hf.device("/cpu:0"), hf.control_dependencies([hf.no_op(name="n")]):
        x = hf.placeholder(hf.float32, [None, 3], name="x")
    y = hf.matmul(x, hf.ones([3, 2]), transpose_b=False, name="y")
    node = y.op.node_def
    assert isinstance(node, hf.NodeDef)
    assert (node.name, node.op, list(node.input)) == ("y", "MatMul", ["x", "ones"])
    assert node.attr["T"].type == hf.float32.as_datatype_enum
    assert not node.attr["transpose_b"].b
    node = x.op.node_def
    assert (node.device, list(node.input)) == ("/device:CPU:0", ["^n"])
    assert [dim.size for dim in node.attr["shape"].shape.dim] == [-1, 3]


def test_attributes_that_inputs_tell(graph):
    a, b = hf.constant(1), hf.constant(2)
    assert hf.stack([a, b]).op.node_def.attr["N"].i == 2
    assert hf.add_n([a, b]).op.node_def.attr["T"].type == hf.int32.as_datatype_enum
    assert hf.concat([[a], [b]], 0).op.node_def.attr["Tidx"].type == hf.int32.as_datatype_enum
    check = hf.Assert(hf.constant(True), [a, hf.constant("text")])
    assert list(check.node_def.attr["T"].list.type) == [3, 7]
    (found,) = hf.py_func(lambda x: x, [a], [hf.int32])
    assert "func" not in found.op.node_def.attr


def test_definitions(graph):
    assert hf.constant(1).op.op_def.name == "Const"
    assert hf.Variable(1).op.op_def.is_stateful
    assert [arg.name for arg in hf.add(1, 2).op.op_def.input_arg] == ["x", "y"]


# What 1.15 gave another form, and is written in that of 1.4.
AS_IN_1_4 = {"MutableDenseHashTableV2": "a further input"}

# Other forms here: datasets of Python functions and of sparse tensors, states of iterators.
IN_NO_FILE = ("DeserializeIterator", "GeneratorDataset", "SparseTensorSliceDataset")


def test_our_records_have_tensorflows_inputs_and_attributes():
    """What is written of each op is what TensorFlow reads."""
    late.load_ops()
    for name, record in OPS.items():
        known = tensorflow_ops().get(name)
        if name in IN_NO_FILE:
            continue
        of_python = {"func", "function"} & set(record.defaults)
        if known is None or record.written is not None or of_python or name in AS_IN_1_4:
            continue
        # Lists that stand one after the other are one list of a record whose inputs are any.
        if not record.inputs or record.inputs[-1].name != "features":
            assert len(known.input_arg) == len(record.inputs), name
            assert len(known.output_arg) in (len(record.outputs), 1), name
        given = {attr.name for attr in known.attr}
        told = {
            key
            for arg in [*known.input_arg, *known.output_arg]
            for key in (arg.type_attr, arg.number_attr, arg.type_list_attr)
        }
        for attr in known.attr:
            if not attr.HasField("default_value") and attr.name not in told:
                assert attr.name in record.defaults, (name, attr.name)
        # What is no attribute of TensorFlow's is worked out anew when it is read.
        for key in set(record.defaults) - given:
            later = isinstance(record.defaults[key], hf.DType)
            assert record.defaults[key] is None or record.read or later, (name, key)


def test_ops_that_tensorflow_lacks_have_a_definition():
    for name, record in OPS.items():
        if name not in tensorflow_ops():
            assert definition(record).name == name


def test_part_of_a_graph_and_shapes(graph):
    x = hf.placeholder(hf.float32, [2, None], name="x")
    before = graph.version
    hf.split(x, 2, name="parts")
    part = graph.as_graph_def(from_version=before, add_shapes=True)
    assert [node.name for node in part.node] == ["Const", "parts/split_dim", "parts"]
    shapes = part.node[-1].attr["_output_shapes"].list.shape
    assert [[d.size for d in shape.dim] for shape in shapes] == [[1, -1], [1, -1]]
    assert graph.graph_def_versions.producer == part.versions.producer == 24
    assert hf.Session().graph_def == graph.as_graph_def()


def test_an_empty_graph():
    assert hf.Graph().as_graph_def().versions.producer == 24


def test_colocation_and_variables(graph):
    v = hf.get_variable("v", [2])
    handle = hf.get_variable("r", [2], use_resource=True)
    assert list(v.initializer.node_def.attr["_class"].list.s) == [b"loc:@v"]
    # TensorFlow would share the values of variables with one `shared_name`.
    assert v.op.node_def.attr["shared_name"].s == b""
    assert handle.op.node_def.attr["shared_name"].s == b"r"
    assert v.op.node_def.attr["dtype"].type == hf.float32.as_datatype_enum


def functions(graph_def):
    return {f.signature.name: f for f in graph_def.library.function}


def test_a_condition_is_two_functions(graph):
    x = hf.placeholder(hf.float32, [], name="x")
    y = hf.cond(x > 0.0, lambda: x * 2.0, lambda: -x)
    graph_def = graph.as_graph_def()
    node = next(node for node in graph_def.node if node.op == "StatelessIf")
    assert node.name == "cond/If"
    assert y.op.inputs[0].op.node_def == node
    then = functions(graph_def)[node.attr["then_branch"].func.name]
    assert [n.op for n in then.node_def] == ["Const", "Mul", "Identity"]
    assert [list(n.input) for n in then.node_def][1:] == [
        ["arg_0", "cond/mul/y:output:0"],
        ["cond/mul:z:0"],
    ]
    assert dict(then.ret) == {"out_0": "cond/Identity:output:0"}
    # Nothing of the branches stands in the graph itself.
    assert {n.op for n in graph_def.node} == {
        "Placeholder",
        "Const",
        "Greater",
        "StatelessIf",
        "Identity",
    }


def test_a_branch_with_an_effect_is_no_stateless_one(graph):
    x = hf.placeholder(hf.bool, [])
    hf.cond(x, lambda: hf.random_uniform([]), lambda: 1.0)
    assert "If" in {node.op for node in graph.as_graph_def().node}


def test_a_loop_carries_what_it_captures(graph):
    n = hf.placeholder(hf.int32, [], name="n")
    hf.while_loop(lambda i: i < n, lambda i: [i + 1], [0])
    graph_def = graph.as_graph_def()
    node = next(node for node in graph_def.node if node.op == "StatelessWhile")
    assert list(node.input) == ["while/Const", "n"]
    body = functions(graph_def)[node.attr["body"].func.name]
    assert body.ret["out_1"] == "arg_1"
    assert list(node.attr["T"].list.type) == [3, 3]


def test_a_python_function_is_in_no_file(graph):
    (y,) = hf.py_func(lambda: 1, [], [hf.int32], name="f")
    hf.identity(y, name="y")
    with hf.Graph().as_default(), hf.Session() as session:
        (read,) = hf.import_graph_def(graph.as_graph_def(), return_elements=["y:0"])
        with pytest.raises(hf.errors.InvalidArgumentError, match="is not in the file"):
            session.run(read)
        assert session.run(read, {"import/f:0": 3}) == 3


def test_gradients_of_broadcasting_are_tensorflows(graph):
    w = hf.Variable(np.ones(3, np.float32))
    hf.gradients(hf.placeholder(hf.float32, [None, 3]) * w, [w])
    types = {node.op for node in graph.as_graph_def().node}
    assert "BroadcastGradientArgs" in types
    assert types <= set(tensorflow_ops())


def test_a_graph_as_a_file(graph, tmp_path):
    hf.constant(1.0, name="c")
    path = hf.train.write_graph(graph, str(tmp_path / "new"), "graph.pb", as_text=False)
    with open(path, "rb") as file:
        assert messages.GraphDef.FromString(file.read()) == graph.as_graph_def()
    path = hf.train.write_graph(graph.as_graph_def(), str(tmp_path), "graph.pbtxt")
    with open(path, encoding="utf-8") as file:
        assert 'name: "c"' in file.read()
    (tmp_path / "taken").mkdir()
    with pytest.raises(hf.errors.FailedPreconditionError):
        hf.train.write_graph(graph, str(tmp_path), "taken")


def test_a_locked_update_is_written_without_the_lock():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        constraint = hf.constraints.MaxNorm(1.0)
        w = hf.get_variable("w", initializer=[3.0, 4.0], constraint=constraint)
        optimizer = hf.train.GradientDescentOptimizer(0.5, use_locking=True)
        optimizer.minimize(hf.reduce_sum(w), name="train")
        assert "Locked" in {op.type for op in graph.get_operations()}
        session.run(w.initializer)
        session.run("train")
        expected = session.run(w)
        written = graph.as_graph_def()
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(written, name="")
        session.run("w/Assign")
        session.run("train")
        np.testing.assert_array_equal(session.run("w/read:0"), expected)


def test_a_custom_gradient_is_written_as_its_values():
    @hf.custom_gradient
    def cubed(x):
        return x * x * x, lambda dy: dy

    def model():
        x = hf.placeholder(hf.float32, [], name="x")
        hf.identity(hf.cond(x > 0.0, lambda: cubed(x), lambda: x), name="y")
        hf.identity(cubed(x), name="z")

    with hf.Graph().as_default() as graph:
        model()
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        assert session.run(["y:0", "z:0"], {"x:0": 2.0}) == [8.0, 8.0]


def test_shapes_inside_of_loops(graph):
    """Ops that are written as others have outputs of other names in functions."""
    x = hf.placeholder(hf.float32, [None, 2], name="x")

    def step(i, s):
        (g,) = hf.gradients(hf.reduce_sum(hf.reduce_mean(s * x, axis=1)), s)
        return i + 1, s + g

    hf.identity(hf.while_loop(lambda i, s: i < 2, step, [0, x])[1], name="y")
    written = graph.as_graph_def()
    feed = {"x:0": np.ones([3, 2], np.float32)}
    expected = hf.Session(graph=graph).run("y:0", feed)
    with hf.Graph().as_default() as read:
        hf.import_graph_def(written, name="")
    np.testing.assert_array_equal(hf.Session(graph=read).run("y:0", feed), expected)


def test_transforms_of_both_precisions_are_read_as_they_were():
    with hf.Graph().as_default() as graph:
        for dtype in (hf.float32, hf.float64):
            x = hf.placeholder(dtype, [4], name=f"x_{dtype.name}")
            hf.spectral.irfft(hf.spectral.rfft(x), name=f"y_{dtype.name}")
    node = next(n for n in graph.as_graph_def().node if n.op == "RFFT")
    assert set(node.attr) == {"_output_shapes"} & set(node.attr)  # which is what 1.x knows
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        for name in ("float32", "float64"):
            y = session.run(f"y_{name}:0", {f"x_{name}:0": [1.0, 2.0, 3.0, 5.0]})
            assert y.dtype == name
            np.testing.assert_allclose(y, [1.0, 2.0, 3.0, 5.0], 1e-6)


def test_parsing_is_read_as_it_was():
    feature = hf.train.Feature(int64_list=hf.train.Int64List(value=[5, 6]))
    features = hf.train.Features(feature={"a": feature})
    lists = hf.train.FeatureLists(feature_list={"l": hf.train.FeatureList(feature=[feature] * 3)})
    data = {
        "one": hf.train.Example(features=features).SerializeToString(),
        "many": hf.train.SequenceExample(context=features, feature_lists=lists).SerializeToString(),
    }
    with hf.Graph().as_default() as graph:
        one = hf.placeholder(hf.string, [None], name="one")
        many = hf.placeholder(hf.string, [], name="many")
        spec = {"a": hf.FixedLenFeature([2], hf.int64), "b": hf.VarLenFeature(hf.float32)}
        parsed = hf.parse_example(one, spec)
        steps = {"l": hf.FixedLenSequenceFeature([2], hf.int64), "s": hf.VarLenFeature(hf.int64)}
        context, found = hf.parse_single_sequence_example(many, spec, steps)
        tensors = [parsed["a"], parsed["b"].values, context["a"], context["b"].dense_shape]
        names = [t.name for t in [*tensors, found["l"], found["s"].indices]]
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        values = session.run(names, {"one:0": [data["one"]], "many:0": data["many"]})
    wanted = [[[5, 6]], [], [5, 6], [0], [[5, 6]] * 3, np.zeros((0, 2))]
    for value, expected in zip(values, wanted, strict=True):
        np.testing.assert_array_equal(value, expected)


NAN = np.array([0x7FC00001], np.uint32).view(np.float32)[0]


@pytest.mark.parametrize(
    ("array", "is_small"),
    [
        (np.full(1000, 7, np.int64), True),
        (np.full((30, 40), -0.0, np.float32), True),
        (np.full(1000, NAN, np.float32), True),
        (np.full(1000, 1 + 2j, np.complex128), True),
        (np.full(2000, True), True),
        (np.full((2, 1 << 20), 3, np.uint8), True),
        (np.where(np.arange(1000) == 1, 0.0, -0.0).astype(np.float32), False),
        (np.where(np.arange(3 << 20) == (2 << 20) + 5, 1, 0).astype(np.uint8), False),
        (np.zeros((4, 100))[:, ::2], True),
    ],
)
def test_one_value_that_fills_a_constant(graph, array, is_small):
    """It is written once; what is read back has the same bits."""
    hf.constant(array, name="c")
    message = graph.as_graph_def()
    assert (message.ByteSize() < 200) == is_small
    with hf.Graph().as_default(), hf.Session() as session:
        (c,) = hf.import_graph_def(message, return_elements=["c:0"])
        assert session.run(c).tobytes() == array.tobytes()


def test_a_graph_that_no_message_holds(graph, monkeypatch):
    monkeypatch.setattr(exporting, "LARGEST", 10_000)
    hf.constant(np.arange(5000), name="numbers")
    with pytest.raises(ValueError, match=r"larger than 2GB.*numbers \(40,"):
        graph.as_graph_def()


def test_a_graph_into_a_folder_that_cannot_be(graph, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(hf.errors.OpError, match="file"):
        hf.train.write_graph(graph, str(tmp_path / "file" / "folder"), "graph.pb")


@pytest.mark.parametrize("axes", [None, 1, [0, -1], []])
def test_gradients_of_products(graph, axes):
    """In TensorFlow's ops, right also where elements are 0."""
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    x[0, 1, 0] = x[2, 1, 1] = x[1, 1, 1] = 0
    fed = hf.placeholder(hf.float64, [None, 4, 2], name="x")
    (slope,) = hf.gradients(hf.reduce_prod(fed, axis=axes), fed)
    message = graph.as_graph_def()
    assert not {node.op for node in message.node} - set(tensorflow_ops())
    (read,) = hf.import_graph_def(message, {"x:0": fed}, [slope.name])
    with hf.Session() as session:
        expected, found = session.run([slope, read], {fed: x})
    np.testing.assert_allclose(found, expected, rtol=1e-12)
