"""Graphs with their collections and savers: written, read, and taken apart by name scopes."""

from __future__ import annotations

import os

import numpy as np
import pytest
from google.protobuf import any_pb2, wrappers_pb2

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.graphs.meta_graph import (
    copy_scoped_meta_graph,
    export_scoped_meta_graph,
    import_scoped_meta_graph,
)


def model(use_resource=False):
    x = hf.placeholder(hf.float32, [None, 3], name="x")
    with hf.variable_scope("net", use_resource=use_resource):
        w = hf.get_variable("w", [3, 2], initializer=hf.ones_initializer())
        b = hf.get_variable("b", [2], trainable=False, initializer=hf.zeros_initializer())
    y = hf.add(hf.matmul(x, w), b, name="y")
    loss = hf.reduce_mean(hf.square(y), name="loss")
    hf.add_to_collection("losses", loss)
    hf.add_to_collection("words", "text")
    hf.add_to_collection("numbers", 7)
    hf.add_to_collection("rates", 0.5)
    hf.add_to_collection("objects", object())
    hf.add_to_collection(("no", "string"), 1)
    step = hf.train.get_or_create_global_step()
    hf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step, name="train")
    return w


@pytest.mark.parametrize("use_resource", [False, True])
def test_training_goes_on(tmp_path, use_resource):
    """What is imported restores, trains, saves, and has the graph's collections."""
    batch = {"x:0": np.ones([4, 3], np.float32)}
    with hf.Graph().as_default(), hf.Session() as session:
        model(use_resource)
        session.run(hf.global_variables_initializer())
        session.run("train", batch)
        path = hf.train.Saver(max_to_keep=3).save(session, str(tmp_path / "m"), global_step=1)
        session.run("train", batch)
        expected = session.run("loss:0", batch)
    with hf.Graph().as_default() as graph, hf.Session() as session:
        saver = hf.train.import_meta_graph(f"{path}.meta")
        saver.restore(session, path)
        session.run("train", batch)
        assert session.run("loss:0", batch) == expected
        assert session.run(hf.train.get_global_step()) == 2
        assert [v.name for v in hf.trainable_variables()] == ["net/w:0"]
        assert {v.name for v in hf.global_variables()} == {
            "net/w:0",
            "net/b:0",
            "net/w/Momentum:0",
            "global_step:0",
        }
        w = hf.trainable_variables()[0]
        assert w in hf.global_variables()
        assert isinstance(w, hf.ResourceVariable) == use_resource
        assert graph.get_collection("losses") == [graph.get_tensor_by_name("loss:0")]
        assert graph.get_collection("words") == [b"text"]
        assert graph.get_collection("numbers") == [7]
        assert graph.get_collection("rates") == [0.5]
        assert graph.get_collection("objects") == []
        assert saver.save(session, str(tmp_path / "m"), global_step=2).endswith("m-2")
        assert hf.train.latest_checkpoint(str(tmp_path)).endswith("m-2")
        session.run(hf.global_variables_initializer())
        assert session.run(w).tolist() == [[1, 1]] * 3
        # The graph can be built on.
        hf.train.GradientDescentOptimizer(0.1).minimize(graph.get_tensor_by_name("loss:0"))


def test_into_a_scope(tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        model()
        session.run(hf.global_variables_initializer())
        saver = hf.train.Saver()
        path = saver.save(session, str(tmp_path / "m"))
        saver.export_meta_graph(str(tmp_path / "text"), as_text=True)
    with hf.Graph().as_default(), hf.Session() as session:
        saver = hf.train.import_meta_graph(str(tmp_path / "text"), import_scope="a")
        saver.restore(session, path)
        assert session.run("a/net/w:0").sum() == 6
        assert [v.name for v in hf.trainable_variables()] == ["a/net/w:0"]
        import_scoped_meta_graph(f"{path}.meta", import_scope="a")
        assert hf.trainable_variables()[1].name == "a_1/net/w:0"


def test_no_variables_no_saver():
    with hf.Graph().as_default():
        hf.constant(1.0, name="c")
        meta_graph = hf.train.export_meta_graph(collection_list=[])
        assert not meta_graph.HasField("saver_def")
    with hf.Graph().as_default():
        assert hf.train.import_meta_graph(meta_graph) is None
        hf.get_variable("v", [])
        assert isinstance(hf.train.import_meta_graph(meta_graph), hf.train.Saver)


def test_what_is_noted():
    with hf.Graph().as_default():
        model()
        meta_graph = hf.train.export_meta_graph(clear_devices=True, strip_default_attrs=True)
    ops = [op.name for op in meta_graph.meta_info_def.stripped_op_list.op]
    assert "MatMul" in ops
    assert ops == sorted(ops)
    assert meta_graph.meta_info_def.stripped_default_attrs
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    assert "transpose_a" not in nodes["MatMul"].attr
    assert {"T", "_output_shapes"} <= set(nodes["MatMul"].attr)
    described = messages.VariableDef.FromString(
        meta_graph.collection_def["trainable_variables"].bytes_list.value[0]
    )
    assert described.variable_name == "net/w:0"


def test_one_saver_of_several():
    with hf.Graph().as_default():
        hf.get_variable("v", [2])
        savers = [hf.train.Saver(), hf.train.Saver()]
        for saver in savers:
            hf.add_to_collection(hf.GraphKeys.SAVERS, saver)
        meta_graph = savers[1].export_meta_graph(clear_extraneous_savers=True)
    names = [node.name for node in meta_graph.graph_def.node]
    assert "save_1/restore_all" in names
    assert "save/restore_all" not in names
    with hf.Graph().as_default():
        hf.train.import_meta_graph(meta_graph)
        (saver,) = hf.get_collection(hf.GraphKeys.SAVERS)
        assert saver.saver_def.restore_op_name == "save_1/restore_all"


def test_a_scope_alone():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        x = hf.constant([1.0, 2.0], name="x")
        with hf.name_scope("part"):
            v = hf.Variable([3.0, 4.0], name="v")
            hf.multiply(x, v, name="y")
        exported, variables = export_scoped_meta_graph(export_scope="part")
        assert list(variables) == ["v:0"]
        assert graph.get_collection("unbound_inputs") == ["$unbound_inputs_x"]
        with pytest.raises(ValueError, match=r"Graph contains unbound inputs: .unbound_inputs_x"):
            import_scoped_meta_graph(exported)
        mapped = {"$unbound_inputs_x": hf.constant([10.0, 10.0])}
        found = import_scoped_meta_graph(exported, import_scope="copy", input_map=mapped)
        session.run([v.initializer, found["v:0"].initializer])
        assert session.run("copy/y:0").tolist() == [30, 40]
    with hf.Graph().as_default():
        with hf.name_scope("one"):
            hf.Variable(1.0, name="v")
        assert copy_scoped_meta_graph("one", "two")["v:0"].name == "two/v:0"
        with pytest.raises(ValueError, match="need to be different"):
            copy_scoped_meta_graph("one", "one")


def test_files_that_are_none(tmp_path):
    with hf.Graph().as_default() as graph:
        with pytest.raises(OSError, match="does not exist"):
            hf.train.import_meta_graph(str(tmp_path / "m.meta"))
        (tmp_path / "m.meta").write_bytes(b"\xff\xfe")
        with pytest.raises(OSError, match="Cannot parse file"):
            hf.train.import_meta_graph(str(tmp_path / "m.meta"))
        (tmp_path / "m.meta").write_text("graph_deff { }")
        with pytest.raises(OSError, match="no field named"):
            hf.train.import_meta_graph(str(tmp_path / "m.meta"))
        damaged = messages.MetaGraphDef()
        damaged.collection_def["variables"].bytes_list.value.append(b"\xff")
        damaged.collection_def["losses"].int64_list.value.append(1)
        with pytest.raises(ValueError, match="Collection 'variables' of the graph is damaged"):
            hf.train.import_meta_graph(damaged)
        described = messages.VariableDef(variable_name="c:0")
        damaged.graph_def.node.add(name="c", op="NoOp")
        damaged.collection_def["variables"].bytes_list.value[0] = described.SerializeToString()
        with pytest.raises(ValueError, match="Collection 'variables' of the graph is damaged"):
            hf.train.import_meta_graph(damaged)
        assert graph.get_operations() == []
        assert graph.get_collection("losses") == []


def test_a_collection_of_your_own():
    class Pair:
        def __init__(self, x, name):
            self.x, self.name = x, name

    hf.register_proto_function(
        "pairs of test_meta_graph",
        hf.NameAttrList,
        lambda pair, export_scope=None: hf.NameAttrList(name=f"{pair.x.name} {pair.name}"),
        lambda proto, import_scope=None: proto.name.split(),
    )
    with pytest.raises(KeyError, match="has proto functions already"):
        hf.register_proto_function("pairs of test_meta_graph")
    with pytest.raises(TypeError, match="to_proto must be callable"):
        hf.register_proto_function("other", to_proto=1)
    with hf.Graph().as_default():
        hf.add_to_collection("pairs of test_meta_graph", Pair(hf.constant(1.0, name="c"), "p"))
        meta_graph = hf.train.export_meta_graph()
    with hf.Graph().as_default() as graph:
        hf.train.import_meta_graph(meta_graph)
        assert graph.get_collection("pairs of test_meta_graph") == [["c:0", "p"]]


def test_not_in_eager_mode():
    with hf.eager_mode():
        for function in (hf.train.export_meta_graph, lambda: hf.train.import_meta_graph("m")):
            with pytest.raises(RuntimeError, match="not supported when eager execution is enabled"):
                function()


def test_nothing_is_left_of_other_savers():
    with hf.Graph().as_default():
        savers = [
            hf.train.Saver({name: hf.get_variable(name, [2])}, name=f"saver_{name}")
            for name in "ab"
        ]
        found = savers[1].export_meta_graph(clear_extraneous_savers=True)
    assert not [node.name for node in found.graph_def.node if node.name.startswith("saver_a/")]
    assert [node.name for node in found.graph_def.node if node.name == "saver_b/restore_all"]


def test_messages_of_any_kind():
    """What a program packs with the protobuf library's own `Any` it gets back as that."""
    packed = any_pb2.Any()
    packed.Pack(wrappers_pb2.StringValue(value="text"))
    with hf.Graph().as_default() as graph:
        graph.add_to_collection("packed", packed)
        message = hf.train.export_meta_graph()
    with hf.Graph().as_default() as graph:
        hf.train.import_meta_graph(message)
        (found,) = graph.get_collection("packed")
    assert found == packed


def test_the_graph_of_a_large_model_is_small(tmp_path):
    """Slots begin with zeros, which no file needs one by one."""
    with hf.Graph().as_default() as graph, hf.Session() as session:
        v = hf.get_variable("v", [200, 1000])
        hf.train.AdamOptimizer().minimize(hf.reduce_sum(v * v))
        session.run(hf.global_variables_initializer())
        path = hf.train.Saver().save(session, str(tmp_path / "m"))
    assert os.path.getsize(f"{path}.meta") < 50_000
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.train.import_meta_graph(f"{path}.meta")
        (initializer,) = [op for op in graph.get_operations() if op.name == "v/Adam/Assign"]
        session.run(initializer)
        assert (session.run("v/Adam:0") == np.zeros((200, 1000))).all()


def test_what_reads_data_by_python_functions(tmp_path):
    """A program with an iterator and a Python function is saved like any other."""
    with hf.Graph().as_default(), hf.Session() as session:
        data = hf.data.Dataset.range(4).map(lambda x: x * x)
        x = hf.cast(data.make_one_shot_iterator().get_next(), hf.float32)
        y = hf.py_func(lambda a: a + 1, [x], hf.float32)
        v = hf.get_variable("v", initializer=0.0)
        step = hf.assign_add(v, y).op
        session.run(hf.global_variables_initializer())
        session.run(step)
        path = hf.train.Saver().save(session, str(tmp_path / "m"))
        assert os.path.exists(f"{path}.meta")
        session.run(step)
        assert session.run(v) == 3
        hf.train.Saver().restore(session, path)
        assert session.run(v) == 1
