"""Frozen graphs made smaller compute the same."""

from __future__ import annotations

import runpy
import sys

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.table import PROGRAMS
from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import make_ndarray
from hybridflow._src.graphs.inference import (
    ensure_graph_is_valid,
    fold_batch_norms,
    optimize_for_inference,
    strip_unused,
)

X = np.random.RandomState(0).randn(2, 6, 6, 3).astype(np.float32)


def normed(x, name, is_training=False):
    n = x.shape[-1].value
    draw = np.random.RandomState(len(name))
    given = [draw.rand(n) + 0.5, draw.randn(n), draw.randn(n), draw.rand(n) + 0.5]
    scale, offset, mean, variance = [
        hf.get_variable(f"{name}/{i}", initializer=v.astype(np.float32))
        for i, v in enumerate(given)
    ]
    known = {} if is_training else {"mean": mean, "variance": variance}
    return hf.nn.fused_batch_norm(
        x, scale, offset, is_training=is_training, epsilon=0.01, name=name, **known
    )[0]


@pytest.fixture(scope="module")
def frozen():
    """Norms that can be folded behind two kinds of convolution, and four that cannot."""
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.set_random_seed(1)
        x = hf.placeholder(hf.float32, [None, 6, 6, 3], name="x")
        checked = hf.check_numerics(hf.identity(x * 2.0, name="between"), "no")
        filters = hf.get_variable("filters", [3, 3, 3, 8])
        a = normed(hf.nn.conv2d(checked, filters, [1, 1, 1, 1], "SAME", name="conv"), "norm")
        depth = hf.get_variable("depth", [3, 3, 8, 2])
        b = hf.nn.depthwise_conv2d_native(hf.nn.relu(a), depth, [1, 1, 1, 1], "SAME", name="deep")
        b = normed(b, "deep_norm")
        # The same filters once more, without a norm; then what stays.
        twice = hf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME", name="twice")
        used = normed(twice, "used") + twice
        batch = hf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME", name="batch")
        batch = normed(batch, "of_batch", is_training=True)
        fed = hf.placeholder(hf.float32, [3, 3, 3, 8], name="fed")
        live = normed(hf.nn.conv2d(x, fed, [1, 1, 1, 1], "SAME"), "live")
        other = normed(x, "no_convolution")
        total = hf.add_n([hf.reduce_mean(v, [1, 2, 3]) for v in (used, batch, live, other)])
        hf.add(hf.reduce_mean(b, [1, 2, 3]), total, name="y")
        hf.identity(b, name="b")
        session.run(hf.global_variables_initializer())
        return hf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["y", "b"]
        )


def run(graph_def, outputs, feeds):
    with hf.Graph().as_default(), hf.Session() as session:
        found = hf.import_graph_def(
            graph_def, name="", return_elements=[f"{name}:0" for name in outputs]
        )
        graph = session.graph
        return session.run(
            found,
            {f"{name}:0": value for name, value in feeds.items() if name in graph._by_name},
        )


def test_it_computes_the_same(frozen):
    feeds = {"x": X, "fed": X[0, :3, :3, :, None] * np.ones(8, np.float32)}
    wanted = run(frozen, ["y", "b"], feeds)
    for found in (
        fold_batch_norms(frozen),
        optimize_for_inference(frozen, ["x", "fed"], ["y", "b"], 1),
        optimize_for_inference(frozen, ["x", "fed"], ["y", "b"], [hf.float32, 1]),
    ):
        for value, other in zip(run(found, ["y", "b"], feeds), wanted, strict=True):
            np.testing.assert_allclose(value, other, rtol=2e-5, atol=1e-6)
        left = {node.name for node in found.node if node.op.startswith("FusedBatchNorm")}
        assert left == {"used", "of_batch", "live", "no_convolution"}
        nodes = {node.name: node for node in found.node}
        assert nodes["norm"].op == nodes["deep_norm"].op == "BiasAdd"
        # What others use stays, what nobody uses goes.
        assert "filters" in nodes
        assert not {"depth", "norm/0", "deep_norm/3", "norm/0/read"} & set(nodes)
    ops = {node.op for node in found.node}
    assert not ops & {"CheckNumerics", "Identity"} - {"Identity"}
    assert [node.name for node in found.node if node.op == "Identity"] == ["b"]


def test_norms_by_their_old_name():
    """Whose ops nothing here runs: the filters and the offset are the formula's."""
    shapes = {"filters": [1, 1, 2, 3], "mean": [3], "variance": [3], "offset": [3], "scale": [3]}
    draw = np.random.RandomState(2)
    values = {k: draw.rand(*shape).astype(np.float32) for k, shape in shapes.items()}
    for scaled in (True, False):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(hf.float32, [1, 4, 4, 2], name="x")
            c = {name: hf.constant(value, name=name) for name, value in values.items()}
            hf.nn.conv2d(x, c["filters"], [1, 1, 1, 1], "SAME", name="conv")
        graph_def = graph.as_graph_def()
        norm = graph_def.node.add(name="y", op="BatchNormWithGlobalNormalization")
        norm.input.extend(["conv", "mean", "variance", "offset", "scale"])
        norm.attr["variance_epsilon"].f = 0.5
        norm.attr["scale_after_normalization"].b = scaled
        found = {node.name: node for node in fold_batch_norms(graph_def).node}
        assert sorted(found) == ["conv", "conv/folded", "conv_bn_offset", "x", "y"]
        factor = (values["scale"] if scaled else 1.0) / np.sqrt(values["variance"] + 0.5)
        for name, wanted in (
            ("conv/folded", values["filters"] * factor),
            ("conv_bn_offset", values["offset"] - values["mean"] * factor),
        ):
            value = make_ndarray(found[name].attr["value"].tensor)
            assert value.dtype == np.float32
            np.testing.assert_allclose(value, wanted, rtol=1e-6)


def test_what_is_fed_becomes_a_placeholder(frozen):
    found = strip_unused(frozen, ["between"], ["b"], hf.float32.as_datatype_enum)
    nodes = {node.name: node for node in found.node}
    assert (nodes["between"].op, nodes["between"].attr["dtype"].type) == ("Placeholder", 1)
    assert not {"x", "y", "fed"} & set(nodes)
    (value,) = run(found, ["b"], {"between": 2 * X})
    np.testing.assert_array_equal(value, run(frozen, ["b"], {"x": X})[0])


def test_graphs_that_do_not_fit(frozen):
    with pytest.raises(ValueError, match="not in the graph: nowhere"):
        strip_unused(frozen, ["nowhere"], ["b"], 1)
    with pytest.raises(ValueError, match="There are 2 inputs, but 1 dtypes"):
        strip_unused(frozen, ["x", "fed"], ["b"], [1])
    twice = messages.GraphDef()
    twice.node.add(name="a", op="NoOp")
    twice.node.add(name="a", op="NoOp")
    dangling = messages.GraphDef()
    dangling.node.add(name="a", op="Neg", input=["b:1"])
    for graph_def, text in (
        (twice, "Duplicate node names detected for 'a'"),
        (dangling, "Input for 'a' not found: 'b:1'"),
    ):
        for check in (ensure_graph_is_valid, fold_batch_norms):
            with pytest.raises(ValueError, match=text):
                check(graph_def)


PROGRAM = "tensorflow.python.tools."
WORDS = {
    "optimize_for_inference": "--input {} --output {} --input_names between --output_names y,b",
    "strip_unused": (
        "--input_graph {} --output_graph {} --input_node_names between --output_node_names y,b "
        "--input_binary true"
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_programs(frozen, name, tmp_path, monkeypatch, capsys):
    """They do with files what the functions do."""
    source, target = tmp_path / "frozen.pb", tmp_path / "out.pb"
    source.write_bytes(frozen.SerializeToString())
    words = WORDS[name].format(source, target)
    monkeypatch.setattr(sys, "argv", [name, *words.split()])
    # As in a process of its own: another test may have imported it.
    monkeypatch.delitem(sys.modules, PROGRAMS[PROGRAM + name], raising=False)
    runpy.run_module(PROGRAMS[PROGRAM + name], run_name="__main__")
    function = {"optimize_for_inference": optimize_for_inference, "strip_unused": strip_unused}[
        name
    ]
    expected = function(frozen, ["between"], ["y", "b"], 1)
    assert messages.GraphDef.FromString(target.read_bytes()) == expected
    monkeypatch.setattr(sys, "argv", [name, *words.replace("between", "none").split()])
    with pytest.raises(SystemExit, match="1"):
        runpy.run_module(PROGRAMS[PROGRAM + name], run_name="__main__")
    assert f"{name}: Inputs that are not in the graph: none." in capsys.readouterr().err
