"""TensorFlow loads what we write, and gives our numbers.

What it gave is recorded, for the very graphs that are written today: `record_exported.py` ran them.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.graphs import files
from hybridflow._src.graphs.op_list import tensorflow_ops
from tests.recorded.exported_models import CASES, FOLDER, graph_of


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_what_tensorflow_ran(name):
    recorded = messages.GraphDef.FromString((FOLDER / f"{name}.pb").read_bytes())
    assert graph_of(name).as_graph_def() == recorded


def values_of(name, graph):
    """What is fetched of a model, trained if it can be."""
    feed, fetches = CASES[name]
    names = [op.name for op in graph.get_operations()]
    with hf.Session(graph=graph) as session:
        if "init" in names:
            session.run("init")
        if "train" in names:
            for _ in range(3):
                session.run("train", feed)
                session.run("other", feed)
        return dict(zip(fetches, session.run(fetches, feed), strict=True))


# Which graphs use no ops that 1.4 lacks.
IN_1_4 = ("mlp", "convolutional", "training", "rows", "others", "patches")


@pytest.mark.parametrize("name", CASES)
def test_tensorflow_gives_our_numbers(name):
    values = values_of(name, graph_of(name))
    for version in ["1_15", "2_21"] + ["1_4"] * (name in IN_1_4):
        with np.load(FOLDER / f"{version}.npz") as recorded:
            for key, value in values.items():
                wanted = recorded[f"{name}/{key}"]
                np.testing.assert_allclose(value, wanted, 1e-5, 1e-6, err_msg=version)


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read(name):
    with hf.Graph().as_default() as graph:
        hf.import_graph_def(graph_of(name).as_graph_def(), name="")
    ours = values_of(name, graph_of(name))
    for key, value in values_of(name, graph).items():
        np.testing.assert_allclose(value, ours[key], rtol=1e-6, atol=1e-7)


def incomplete(graph_def):
    """The nodes that lack an attribute for which TensorFlow has no default."""
    functions = graph_def.library.function
    nodes = [*graph_def.node, *[node for function in functions for node in function.node_def]]
    return [
        (node.name, node.op, attr.name)
        for node in nodes
        for attr in (tensorflow_ops()[node.op].attr if node.op in tensorflow_ops() else ())
        if not attr.HasField("default_value") and attr.name not in node.attr
    ]


def test_no_node_is_unknown_to_tensorflow():
    """Whatever the model does: training too."""
    for name in CASES:
        graph_def = graph_of(name).as_graph_def()
        used = hf.contrib.util.ops_used_by_graph_def(graph_def)
        assert not set(used) - tensorflow_ops().keys(), name
        assert incomplete(graph_def) == [], name


def test_attributes_that_came_after_1_4_are_left_out():
    """Unless they say something."""
    with hf.Graph().as_default() as graph:
        x = hf.zeros([1, 8, 8, 2])
        for number, dilations in enumerate(([1, 1, 1, 1], [1, 2, 2, 1])):
            filters, strides = hf.ones([2, 2, 2, 2]), [1, 1, 1, 1]
            hf.nn.conv2d(x, filters, strides, "SAME", dilations=dilations, name=f"y{number}")
        hf.fill(hf.placeholder(hf.int32, [2]), 1.0, name="fill")
    nodes = {node.name: node for node in graph.as_graph_def().node}
    assert "dilations" not in nodes["y0"].attr
    assert list(nodes["y1"].attr["dilations"].list.i) == [1, 2, 2, 1]
    assert set(nodes["fill"].attr) == {"T"}


def test_no_node_lacks_an_attribute():
    with hf.Graph().as_default() as graph:
        late.load_ops()
        for record in [r for r in OPS.values() if r.written and r.samples]:
            for sample in record.samples(np.random.default_rng(0)):
                record(*[hf.constant(arg) for arg in sample.args], **sample.attrs)
        queues = [hf.FIFOQueue(3, hf.float32, []) for _ in range(2)]
        hf.QueueBase.from_list(1, queues).dequeue()
        # The nodes that others know them by have their names.
        graph_def = graph.as_graph_def()
        assert {op.name for op in graph.get_operations()} <= {n.name for n in graph_def.node}
        assert incomplete(graph_def) == []


def test_other_ops_compute_the_same():
    """Each op that is written by others gives in a graph that was read what it gave before."""
    late.load_ops()
    names = []
    with hf.Graph().as_default() as graph:
        for record in [r for r in OPS.values() if r.written and r.samples]:
            for sample in record.samples(np.random.default_rng(0)):
                found = record(*[hf.constant(arg) for arg in sample.args], **sample.attrs)
                names += [t.name for t in (found if isinstance(found, list) else [found])]
        with hf.Session() as session:
            expected = session.run(names)
    graph_def = graph.as_graph_def()
    used = hf.contrib.util.ops_used_by_graph_def(graph_def)
    assert set(used) - tensorflow_ops().keys() == {"IsotonicRegression"}  # of TensorFlow 2.5
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph_def, name="")
        for name, value, wanted in zip(names, session.run(names), expected, strict=True):
            np.testing.assert_allclose(value, wanted, 1e-5, 1e-6, err_msg=name)


def test_sizes_that_are_not_known():
    """A gradient is tiled and a recurrence written out, whatever shapes a run brings."""
    x = np.array([[2.0, 0.0, 3.0], [1.0, 4.0, 0.5]], np.float32)
    with hf.Graph().as_default() as graph:
        given = hf.placeholder(hf.float32, name="x")
        axes = hf.placeholder(hf.int32, [None], name="axes")
        slope = hf.gradients(hf.reduce_prod(given, axes) * hf.reduce_sum(given), given)[0]
        hf.gradients(hf.reduce_sum(slope * slope), given, name="second")
        (second,) = hf.gradients(slope, given)
        hf.identity(second, name="y")
    with hf.Graph().as_default() as read:
        hf.import_graph_def(graph.as_graph_def(), name="")
    feeds = {"x:0": x, "axes:0": [1]}
    values = [hf.Session(graph=g).run("y:0", feeds) for g in (graph, read)]
    np.testing.assert_allclose(*values, rtol=1e-5)


def test_ops_that_tensorflow_lacks_are_told(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(files, "_told", set())
    with hf.Graph().as_default() as graph:
        ids = hf.zeros([2, 1, 2], hf.int32)
        hf.contrib.seq2seq.gather_tree(ids, ids, [2], 9, name="beams")
    for _ in range(2):
        hf.train.write_graph(graph, tmp_path, "graph.pb", as_text=False)
    hf.train.write_graph(messages.SaverDef(), tmp_path, "saver.pbtxt")  # no graph at all
    (told,) = [r.getMessage() for r in caplog.records if "does not load" in r.getMessage()]
    assert "GatherTree, which is in tf.contrib.seq2seq, (node 'beams')" in told


def test_one_of_several_queues_is_read():
    with hf.Graph().as_default() as graph:
        queues = [hf.FIFOQueue(3, hf.float32, []) for _ in range(2)]
        hf.group(*[queue.enqueue(i + 1.0) for i, queue in enumerate(queues)], name="fill")
        index = hf.placeholder(hf.int32, [], name="index")
        hf.identity(hf.QueueBase.from_list(index, queues).dequeue(), name="y")
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        session.run("fill")
        assert [session.run("y:0", {"index:0": i}) for i in (1, 0)] == [2.0, 1.0]
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"2 is not in \[0, 2\)"):
            session.run("y:0", {"index:0": 2})


class TestReadsBeforeWrites:
    """A write waits for what reads its variable in the same run, since TensorFlow has no order."""

    def waits(self, node):
        found = {n.name: n for n in hf.get_default_graph().as_graph_def().node}[node]
        return [name[1:] for name in found.input if name[0] == "^"]

    @pytest.mark.parametrize("resource", [False, True], ids=["reference", "resource"])
    def test_a_gradient_that_reads_another_variable(self, resource):
        with hf.Graph().as_default(), hf.variable_scope("", use_resource=resource):
            v = hf.get_variable("v", [2, 2])
            w = hf.get_variable("w", [2, 2])
            loss = hf.reduce_sum(hf.matmul(hf.matmul(hf.placeholder(hf.float32, [2, 2]), v), w))
            hf.train.GradientDescentOptimizer(1.0).minimize(loss, name="train")
            waits = self.waits("train/update_w/" + "Resource" * resource + "ApplyGradientDescent")
            # That of a resource variable uses the value that was read.
            assert waits == ([] if resource else ["gradients/MatMul_1_grad/MatMul"])

    def test_who_runs_apart_is_not_waited_for(self):
        """Nor who is fed something else, or does something else."""
        with hf.Graph().as_default():
            v = hf.get_variable("v", [])
            x = hf.placeholder(hf.float32, [], name="x")
            hf.multiply(v, x, name="fed")
            seen = hf.Print(v, [v], name="seen")
            hf.multiply(v, 2.0, name="apart")
            together = hf.add(v, 1.0, name="together")
            step = hf.assign_add(v, 1.0, name="step")
            hf.group(step, together, seen, hf.identity(x))
            assert self.waits("step") == ["together"]
