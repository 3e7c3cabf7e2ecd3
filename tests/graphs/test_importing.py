"""`import_graph_def`: names, maps, both forms of control flow, and graphs that are none."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.graphs import builder


def build(function):
    """The graph that a function makes, as a message."""
    with hf.Graph().as_default() as graph:
        function()
    return graph.as_graph_def()


def simple():
    x = hf.placeholder(hf.float32, [None], name="x")
    y = hf.multiply(x, 2.0, name="y")
    with hf.control_dependencies([hf.no_op(name="n")]):
        hf.split(y, 2, name="z")


def test_names_and_elements():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        found = hf.import_graph_def(build(simple), return_elements=["x:0", "y", "z:1"])
        assert [e.name for e in found] == ["import/x:0", "import/y", "import/z:1"]
        # It waits through the constant.
        assert [op.name for op in found[2].op.inputs[0].op.control_inputs] == ["import/n"]
        x, _, z = found
        assert session.run(z, {x: [1, 2]}).tolist() == [4]
        assert hf.import_graph_def(build(simple)) is None
        assert graph.get_operation_by_name("import_1/y").type == "Mul"
        hf.import_graph_def(build(simple), name="")
        assert graph.get_tensor_by_name("y:0").shape.as_list() == [None]
        hf.import_graph_def(build(simple), name="")
        assert graph.get_operation_by_name("y_1").inputs[0].name == "x_1:0"


def test_ops_of_several_lists():
    def stitched():
        parts = [hf.constant([0, 2], name="a"), hf.constant([1], name="b")]
        hf.dynamic_stitch(parts, [hf.constant([1.0, 3.0]), hf.constant([2.0])], name="c")

    with hf.Graph().as_default(), hf.Session() as session:
        (c,) = hf.import_graph_def(build(stitched), return_elements=["c:0"])
        assert session.run(c).tolist() == [1, 2, 3]


def test_what_is_mapped():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant([1.0, 2.0])
        done = hf.no_op(name="done")
        (z,) = hf.import_graph_def(build(simple), {"x:0": x, "^n": done}, ["z:1"], name="a")
        assert session.run(z).tolist() == [4]
        assert z.op.inputs[0].op.control_inputs == [done]
        (z,) = hf.import_graph_def(build(simple), {"y": x}, ["z:0"])
        assert session.run(z).tolist() == [1]
        (y,) = hf.import_graph_def(build(simple), {"x:0": [5.0, 1.0]}, ["y:0"])
        assert session.run(y).tolist() == [10, 2]


def test_what_there_is_not():
    graph_def = build(simple)
    with hf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match=r"were not found in graph_def: \[B:0\]"):
            hf.import_graph_def(graph_def, {"B:0": hf.constant(1.0)})
        for name in ("B", "y:1", "B:0", "y:0:0"):
            with pytest.raises(ValueError, match=f"Requested return_element '{name}' not found"):
                hf.import_graph_def(graph_def, return_elements=[name])
        with pytest.raises(TypeError, match="graph_def must be a GraphDef proto"):
            hf.import_graph_def("text")
        with pytest.raises(ValueError, match="requires a non-empty `name`"):
            hf.import_graph_def(graph_def, {"x:0": 1.0}, name="")
        with pytest.raises(TypeError, match="input_map must be a dictionary mapping strings"):
            hf.import_graph_def(graph_def, {1: 2})
        with pytest.raises(TypeError, match="return_elements must be a list of strings"):
            hf.import_graph_def(graph_def, return_elements=[1])
        # What failed has left nothing behind.
        assert [op.name for op in graph.get_operations()] == ["Const"]
        assert hf.constant(1.0, name="import/y").name == "import/y:0"


def test_not_in_eager_mode():
    with hf.eager_mode(), pytest.raises(RuntimeError, match="adds to a graph, and eager mode has"):
        hf.import_graph_def(messages.GraphDef())


def test_missing_ops_are_named_together():
    graph_def = build(simple)
    graph_def.node.add(name="a", op="Bucketize")
    graph_def.library.function.add().node_def.add(name="b", op="Nonsense")
    with (
        hf.Graph().as_default(),
        pytest.raises(ValueError, match="No op named Bucketize, Nonsense in defined operations"),
    ):
        hf.import_graph_def(graph_def)


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"min_consumer": 25}, "min consumer version 25 above current version 24"),
        ({"producer": -1}, "producer version -1 below min producer 0"),
        ({"bad_consumers": [24]}, "disallows consumer version 24"),
    ],
)
def test_versions(versions, message):
    graph_def = build(simple)
    graph_def.versions.MergeFrom(messages.VersionDef(**versions))
    with hf.Graph().as_default(), pytest.raises(ValueError, match=message):
        hf.import_graph_def(graph_def)


def test_gradients_flow_through_what_was_imported():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [])
        (s,) = hf.import_graph_def(build(nested), {"x:0": x}, ["s:0"])
        (gradient,) = hf.gradients(s, x)
        here, step = 0.75, 1e-3
        numeric = (session.run(s, {x: here + step}) - session.run(s, {x: here - step})) / (2 * step)
        assert abs(session.run(gradient, {x: here}) - numeric) < 1e-2


# -- control flow ----------------------------------------------------------------------------------


def nested():
    x = hf.placeholder(hf.float32, [], name="x")
    w = hf.constant(1.5)
    y = hf.cond(
        x > 0.0,
        lambda: hf.cond(x > 1.0, lambda: x * w, lambda: x + w),
        lambda: hf.case([(x < -5.0, lambda: hf.exp(x))], lambda: -x),
    )

    def body(i, s):
        step = lambda j, t: (j + 1, hf.tanh(t * w + x))  # noqa: E731
        return i + 1, hf.while_loop(lambda j, t: j < i, step, [0, s])[1]

    _, s = hf.while_loop(lambda i, s: i < 4, body, [0, y])
    hf.identity(s, name="s")
    rows = hf.while_loop(
        lambda i, r: i < 3,
        lambda i, r: (i + 1, hf.concat([r, [x]], 0)),
        [0, hf.zeros([0])],
        [hf.TensorShape([]), hf.TensorShape([None])],
    )[1]
    hf.identity(rows, name="rows")
    hf.map_fn(lambda v: v * x, rows, name="mapped")


def test_control_flow_comes_back():
    graph_def = build(nested)
    again = graph_def
    for _ in range(2):
        # What was imported is exported, and that imported.
        with hf.Graph().as_default() as graph:
            hf.import_graph_def(again, name="")
        again = graph.as_graph_def()
    with hf.Graph().as_default() as first:
        nested()
    for value in (-7.0, -1.0, 0.5, 3.0):
        results = []
        for built in (first, graph):
            with hf.Session(graph=built) as session:
                names = ["s:0", "rows:0"]
                results.append([session.run(name, {"x:0": value}) for name in names])
        assert results[0][0] == results[1][0]
        assert results[0][1].tolist() == results[1][1].tolist() == [value] * 3


def test_gradients_of_loops_are_written_and_read():
    def model():
        x = hf.placeholder(hf.float32, [2], name="x")
        _, y = hf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, hf.tanh(y * x)), [0, x])
        hf.identity(hf.gradients(y, x)[0], name="gradient")
        z = hf.cond(x[0] > 0.0, lambda: hf.exp(x) * x, lambda: x)
        hf.identity(hf.gradients(z, x)[0], name="other")

    with hf.Graph().as_default() as graph:
        hf.import_graph_def(build(model), name="")
    with hf.Graph().as_default() as first:
        model()
    for value in ([0.5, -2.0], [-0.5, 1.0]):
        for name in ("gradient:0", "other:0"):
            a, b = (hf.Session(graph=g).run(name, {"x:0": value}) for g in (first, graph))
            np.testing.assert_array_equal(a, b)


def node(graph_def, name, op, inputs=(), **attrs):
    found = graph_def.node.add(name=name, op=op, input=inputs)
    for key, value in attrs.items():
        found.attr[key].MergeFrom(value)
    return found


def class_of(*names):
    return messages.AttrValue(list={"s": [name.encode() for name in names]})


def test_what_stands_beside_what():
    graph_def = build(simple)
    node(graph_def, "w", "Neg", ["y"], T=messages.AttrValue(type=1), _class=class_of("loc:@x"))
    with hf.Graph().as_default():
        (w,) = hf.import_graph_def(graph_def, return_elements=["w"])
        assert w.colocation_groups() == [b"loc:@import/x"]


def test_attributes_that_are_no_text():
    graph_def = messages.GraphDef()
    shape = messages.AttrValue(shape=messages.TensorShapeProto())
    kind = messages.AttrValue(type=1)
    name = messages.AttrValue(s=b"\xd2\xff")
    node(graph_def, "v", "VariableV2", dtype=kind, shape=shape, shared_name=name)
    with hf.Graph().as_default() as graph:
        hf.import_graph_def(graph_def, name="")
        assert graph.as_graph_def().node[0].attr["shared_name"].s == b"\xd2\xff"


SRC = {"SrcT": messages.AttrValue(type=1)}
FLOAT = {"T": messages.AttrValue(type=1)}


def switched():
    """A condition as TensorFlow 1 writes it, with an operation that only one branch runs."""
    graph_def = build(lambda: [hf.placeholder(hf.bool, [], name="p"), hf.constant(2.0, name="x")])
    node(graph_def, "cond/Switch", "Switch", ["p", "p"], T=messages.AttrValue(type=10))
    node(graph_def, "cond/t", "Identity", ["cond/Switch:1"], T=messages.AttrValue(type=10))
    node(graph_def, "cond/f", "Identity", ["cond/Switch"], T=messages.AttrValue(type=10))
    node(graph_def, "cond/x", "Switch", ["x", "p"], **FLOAT)
    node(graph_def, "cond/neg", "Neg", ["cond/x:1", "^cond/t"], **FLOAT)
    node(graph_def, "cond/exp", "Exp", ["cond/x", "^cond/f"], **FLOAT)
    merged = {"N": messages.AttrValue(i=2), **FLOAT}
    node(graph_def, "cond/Merge", "Merge", ["cond/exp", "cond/neg"], **merged)
    node(graph_def, "cond/Merge_1", "Merge", ["cond/x", "cond/x:1"], **merged)
    node(graph_def, "which", "Identity", ["cond/Merge:1"], T=messages.AttrValue(type=3))
    return graph_def


def test_switch_and_merge():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.import_graph_def(switched(), name="")
        names = ["cond/Merge:0", "cond/Merge_1:0", "which:0"]
        assert session.run(names, {"p:0": True}) == [-2.0, 2.0, 1]
        assert session.run(names, {"p:0": False}) == [np.float32(np.exp(np.float32(2.0))), 2.0, 0]
        assert len([op for op in graph.get_operations() if op.type == "If"]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.node.add(name="x", op="NoOp"), "Duplicate name 'x' in GraphDef"),
        (lambda g: g.node.add(op="NoOp"), "has no name"),
        (lambda g: g.node.add(name="a", op="Neg", input=["b"]), "Input tensor 'b:0' not found"),
        (
            lambda g: g.node.add(name="a", op="Neg", input=["x:7"]),
            "Input tensor 'x:7' not found",
        ),
        (
            lambda g: g.node.add(name="a", op="Neg", input=["x:x"]),
            "Cannot convert 'x:x' to a tensor name",
        ),
        (lambda g: g.node.add(name="a", op="Neg", input=["^x", "x"]), "must come after the others"),
        (lambda g: g.node.add(name="a", op="Neg", input=["^q"]), "Control input '.q' not found"),
        (lambda g: g.node.add(name="a", op="Neg", input=["x", "x"]), "More inputs specified"),
        (
            lambda g: node(g, "a", "Neg", ["x"], _class=class_of("loc:@nobody")),
            "Specified colocation to an op that does not exist during import: nobody in a",
        ),
        (
            lambda g: g.node.add(name="a", op="Neg"),
            r"Input types mismatch \(expected 'T' but got ''\)",
        ),
        (lambda g: g.node.add(name="a", op="Neg", input=["a"]), "a cycle that is no loop"),
        (lambda g: g.node.add(name="a", op="Neg", input=["p"]), "has DataType bool"),
        (lambda g: g.node.add(name="a", op="Cast", input=["x"]), "lacks the attribute 'DstT'"),
        (lambda g: node(g, "a", "Cast", ["x"], DstT=messages.AttrValue(type=77)), "number 77"),
        (lambda g: node(g, "a", "Cast", ["x"], DstT=messages.AttrValue(s=b"?")), "is no type"),
        (lambda g: node(g, "a", "Const", dtype=messages.AttrValue(type=1)), "lacks the attribute"),
        (
            lambda g: node(
                g,
                "a",
                "Cast",
                ["x"],
                DstT=messages.AttrValue(type=2),
                Truncate=messages.AttrValue(b=True),
            ),
            "attribute 'Truncate' is True, which does not exist here; the default False does",
        ),
        (
            lambda g: node(g, "a", "Neg", ["x"], later=messages.AttrValue(i=3)),
            "attribute 'later' is 3, which does not exist here",
        ),
        (
            lambda g: g.node.add(name="a", op="Add", input=["cond/exp", "cond/neg"]),
            "different branches",
        ),
        (lambda g: g.node.add(name="a", op="Merge", input=["x", "x"]), "does not bring the two"),
        (lambda g: g.node.add(name="a", op="Merge", input=["cond/exp"]), "does not bring the two"),
        (
            lambda g: [
                node(g, "b", "Cast", ["cond/x"], DstT=messages.AttrValue(type=3), **SRC),
                g.node.add(name="a", op="Merge", input=["b", "cond/neg"]),
            ],
            "must have the same type",
        ),
        (lambda g: g.node.add(name="a", op="Exit", input=["x"]), "is in no loop"),
        (lambda g: g.node.add(name="a", op="Switch", input=["x"]), "has 1 inputs"),
        (lambda g: g.node.add(name="a", op="Identity", input=["cond/x:2"]), "has 2 outputs, not 3"),
        (lambda g: g.node.add(name="a", op="If", input=["p"]), "no function ''"),
        (lambda g: g.node.add(name="a", op="While", input=["p"]), "no function ''"),
        (lambda g: g.node.add(name="a", op="PartitionedCall", input=["p"]), "no function ''"),
    ],
)
def test_what_is_no_graph(change, message):
    graph_def = switched()
    change(graph_def)
    with hf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match=message):
            hf.import_graph_def(graph_def)
        assert graph.get_operations() == []


def doubling(depth):
    """Functions each of which calls the next one twice."""
    graph_def = messages.GraphDef()
    for level in range(depth):
        function = graph_def.library.function.add()
        function.signature.name = f"f{level}"
        function.signature.output_arg.add(name="y", type=1)
        for name in "ab":
            found = function.node_def.add(name=name, op="PartitionedCall")
            found.attr["f"].func.name = f"f{(level + 1) % depth}"
            found.attr["Tout"].list.type.append(1)
        function.ret["y"] = "a:output:0"
    graph_def.node.add(name="a", op="PartitionedCall").attr["f"].func.name = "f0"
    return graph_def


def test_functions_without_end():
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="Functions call each other more than 50 deep"):
            hf.import_graph_def(doubling(2))
        with pytest.raises(ValueError, match="Functions call each other more than 50 deep"):
            hf.import_graph_def(doubling(60))


def test_cut_and_changed_files():
    """Whatever the bytes, there is a graph or an error."""
    rng = np.random.default_rng(0)
    whole = switched().SerializeToString()
    for _ in range(400):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(0, 256)
        data = data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.3 else data
        try:
            graph_def = messages.GraphDef.FromString(bytes(data))
        except messages.decode_error():
            continue
        with hf.Graph().as_default() as graph:
            try:
                hf.import_graph_def(graph_def)
            except ValueError:
                assert graph.get_operations() == []


def test_a_queue_keeps_its_lack_of_a_shared_name():
    """What is read and written once more is what it was."""
    with hf.Graph().as_default() as graph:
        hf.FIFOQueue(3, [hf.float32], name="q")
        message = graph.as_graph_def()
    with hf.Graph().as_default() as graph:
        hf.import_graph_def(message, name="")
        assert graph.as_graph_def() == message


def test_functions_that_ask_for_any_number_of_nodes(monkeypatch):
    """Each calls the one before twice; a small file cannot hold up its reader."""
    monkeypatch.setattr(builder, "MOST_NODES", 500)
    with hf.Graph().as_default() as graph:
        hf.constant(1.0, name="x")
        message = graph.as_graph_def()
    kind = hf.float32.as_datatype_enum
    for number in range(40):
        function = message.library.function.add()
        function.signature.name = f"f{number}"
        function.signature.input_arg.add(name="a", type=kind)
        function.signature.output_arg.add(name="b", type=kind)
        function.ret["b"] = "second:b:0"
        type_ = f"f{number - 1}" if number else "Identity"
        function.node_def.add(name="first", op=type_, input=["a"])
        function.node_def.add(name="second", op=type_, input=["first:b:0"])
        if not number:
            function.node_def[1].input[0] = "first:output:0"
            function.ret["b"] = "second:output:0"
            for node in function.node_def:
                node.attr["T"].type = kind
    message.node.add(name="y", op="f39", input=["x"])
    with hf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match="make more than 4600 nodes"):
            hf.import_graph_def(message)
        assert not graph.get_operations()


def test_what_stands_beside_an_op_without_a_device_has_none():
    """A device function of the program says nothing of it, as in TensorFlow."""
    with hf.Graph().as_default() as graph:
        a = hf.no_op(name="a")
        with hf.colocate_with(a):
            hf.no_op(name="b")
        message = graph.as_graph_def()
    for device_of_a in ("", "/device:CPU:1"):
        devices = {"a": device_of_a, "b": "/device:CPU:0"}
        with hf.Graph().as_default(), hf.device(lambda op, known=devices: known[op.name]):
            a, b = hf.import_graph_def(message, return_elements=["a", "b"], name="")
        assert (a.device, b.device) == (device_of_a, device_of_a)


def test_definitions_of_ops_are_accepted_and_those_that_exist_here_used():
    with hf.Graph().as_default(), hf.Session() as session:
        (y,) = hf.import_graph_def(build(simple), {"x": [3.0, 1.0]}, ["y:0"], op_dict={"Mul": None})
        assert session.run(y).tolist() == [6.0, 2.0]


def test_an_error_says_what_was_given_and_names_the_node_once():
    graph_def = build(
        lambda: hf.matmul(
            hf.placeholder(hf.float32, [None, 3], name="x"), hf.ones([3, 2]), name="y"
        )
    )
    for given in (hf.float32, [1, 4]), (hf.int32, [1, 3]):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(*given)
            with pytest.raises(ValueError, match=r"input_map\['x:0'\] was given") as caught:
                hf.import_graph_def(graph_def, {"x:0": x})
            assert type(caught.value) is ValueError
            assert len(graph.get_operations()) == 1
    del next(node for node in graph_def.node if node.name == "x").attr["dtype"]
    with hf.Graph().as_default(), pytest.raises(ValueError, match="lacks the") as caught:
        hf.import_graph_def(graph_def)
    assert str(caught.value).count("'import/x'") == 1


def test_what_gradients_must_not_pass():
    """TensorFlow guards gradients that have none by an op with a message."""
    graph_def = build(lambda: hf.stop_gradient(hf.placeholder(hf.float32, name="x"), name="y"))
    node = next(node for node in graph_def.node if node.name == "y")
    node.op = "PreventGradient"
    node.attr["message"].s = b"There is no second derivative."
    with hf.Graph().as_default(), hf.Session() as session:
        (y,) = hf.import_graph_def(graph_def, return_elements=["y:0"], name="")
        assert session.run(y, {"x:0": 3.0}) == 3.0


def test_a_gather_within_a_batch():
    """Later TensorFlows write it as one op, with `batch_dims`."""
    params = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    indices = np.array([[2, 0], [1, 1]], np.int32)
    graph_def = build(
        lambda: hf.gather(hf.constant(params), hf.constant(indices), axis=1, name="y")
    )
    node = next(node for node in graph_def.node if node.name == "y")
    node.attr["batch_dims"].i = 1
    with hf.Graph().as_default(), hf.Session() as session:
        (y,) = hf.import_graph_def(graph_def, return_elements=["y:0"])
        assert y.name == "import/y:0"
        wanted = np.stack([p[i] for p, i in zip(params, indices, strict=True)])
        np.testing.assert_array_equal(session.run(y), wanted)


@pytest.mark.parametrize(
    ("op", "inputs", "attrs", "message"),
    [
        ("Neg", ["x"], {"T": {"type": 3}}, "was passed float32 incompatible with expected int32"),
        ("Identity", ["x"], {"T": {"type": 9999}}, "number 9999 does not exist"),
        ("AddN", ["x", "x"], {"T": {"type": 1}, "N": {"i": 1 << 40}}, "not as many as its attr"),
        ("AddN", ["x", "x"], {"T": {"type": 1}, "N": {"i": 0}}, "must be at least minimum 1"),
        ("IdentityN", ["x"], {"T": {"list": {"type": [3]}}}, "incompatible with expected int32"),
        ("Split", ["i", "x"], {"T": {"type": 1}, "num_split": {"i": -1}}, "at least minimum 1"),
    ],
)
def test_attributes_that_inputs_contradict(op, inputs, attrs, message):
    def given():
        hf.constant([1.0, 2.0], name="x")
        hf.constant(0, name="i")

    graph_def = build(given)
    node = graph_def.node.add(name="y", op=op, input=inputs)
    for name, value in attrs.items():
        node.attr[name].CopyFrom(messages.AttrValue(**value))
    with hf.Graph().as_default(), pytest.raises(ValueError, match=message):
        hf.import_graph_def(graph_def)


def test_parts_of_a_later_embedding():
    """From 1.5 on TensorFlow puts what partitioned variables gave together by another op."""
    with hf.Graph().as_default() as graph:
        hf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]], name="rows")
        graph_def = graph.as_graph_def()
    (node,) = [node for node in graph_def.node if node.op == "DynamicStitch"]
    node.op = "ParallelDynamicStitch"
    with hf.Graph().as_default(), hf.Session() as session:
        (rows,) = hf.import_graph_def(graph_def, return_elements=["rows:0"])
        assert session.run(rows).tolist() == [10, 20, 30]


def test_batch_norm_with_gradient_of_a_later_tensorflow():
    """1.15 writes ops with one output more, which the gradient takes and which says nothing."""
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype(np.float32)
    with hf.Graph().as_default() as graph, hf.Session() as session:
        given = hf.placeholder(hf.float32, [2, 3, 3, 4], name="x")
        y, _, _ = hf.nn.fused_batch_norm(given, hf.fill([4], 2.0), hf.fill([4], 1.0))
        hf.identity(hf.gradients(hf.reduce_sum(y**3), given)[0], name="slope")
        wanted = session.run("slope:0", {given: x})
        graph_def = graph.as_graph_def()
    forward = y.op.name
    for node in graph_def.node:
        if node.op.startswith("FusedBatchNorm"):
            if "Grad" in node.op:
                node.input.append(f"{forward}:5")
            node.op = node.op.removesuffix("V2") + "V3"
            node.attr["U"].type = hf.float32.as_datatype_enum
    graph_def.node.add(name="zeros", op="ZerosLike", input=[f"{forward}:5"]).attr[
        "T"
    ].type = hf.float32.as_datatype_enum
    assert {"FusedBatchNormV3", "FusedBatchNormGradV3"} < {node.op for node in graph_def.node}
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph_def, name="")
        found, zeros = session.run(["slope:0", "zeros:0"], {"x:0": x})
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert zeros.shape == (0,)
