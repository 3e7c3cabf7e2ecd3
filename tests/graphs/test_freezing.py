"""Frozen graphs: constants in place of variables, whatever the graph comes from."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.saved_model.freezing import freeze_graph


@pytest.fixture(scope="module", params=[False, True], ids=["reference", "resource"])
def files(request, tmp_path_factory):
    """The folder of a graph in all forms, `y = (v + w) * v` with values 3 and 4."""
    folder = tmp_path_factory.mktemp("model")
    with hf.Graph().as_default() as graph, hf.Session() as session:
        with hf.variable_scope("", use_resource=request.param):
            v, w = hf.get_variable("v", initializer=3.0), hf.get_variable("w", initializer=4.0)
        y = hf.multiply(v + w, v, name="y")
        hf.group(hf.assign(w, 5.0), name="start")
        session.run([v.initializer, w.initializer])
        saver = hf.train.Saver()
        hf.train.write_graph(graph, str(folder), "graph.pb", as_text=False)
        hf.train.write_graph(graph, str(folder), "graph.pbtxt")
        (folder / "saver").write_bytes(saver.as_saver_def().SerializeToString())
        saver.save(session, f"{folder}/m")
        x = hf.placeholder(hf.float32, [])
        hf.saved_model.simple_save(session, f"{folder}/saved", {"x": x}, {"y": y})
    return folder


def frozen(files, checkpoint=True, nodes="y", start="", output="", left="", **where):
    sources = {name: str(files / file) for name, file in where.items()}
    graph, saver = sources.pop("input_graph", ""), sources.pop("input_saver", "")
    path = f"{files}/m" if checkpoint else None
    return freeze_graph(
        graph, saver, True, path, nodes, None, None, output, True, start, "", left, **sources
    )


def value_of(graph_def):
    with hf.Graph().as_default(), hf.Session() as session:
        (y,) = hf.import_graph_def(graph_def, return_elements=["y:0"])
        return session.run(y)


@pytest.mark.parametrize(
    "where",
    [
        {"input_graph": "graph.pb"},
        {"input_graph": "graph.pbtxt"},
        {"input_graph": "graph.pbtxt", "input_saver": "saver"},
        {"input_meta_graph": "m.meta"},
        {"checkpoint": False, "input_saved_model_dir": "saved"},
    ],
    ids=["bytes", "text", "saver", "meta graph", "SavedModel"],
)
def test_what_is_frozen(files, where):
    graph_def = frozen(files, **where)
    assert not {node.op for node in graph_def.node} & {"VariableV2", "VarHandleOp"}
    assert value_of(graph_def) == 21.0


def test_initializers_and_lists(files):
    assert value_of(frozen(files, start="start", input_meta_graph="m.meta")) == 24.0
    found = frozen(files, input_meta_graph="m.meta", left="w")
    kinds = {node.name: node.op for node in found.node}
    assert kinds["v"] == "Const"
    assert kinds["w"] in ("VariableV2", "VarHandleOp")


def test_what_cannot_be(files):
    with pytest.raises(ValueError, match="output_node_names"):
        frozen(files, nodes="", input_graph="graph.pb")
    with pytest.raises(ValueError, match="no graph to freeze"):
        frozen(files)
    with pytest.raises(hf.errors.NotFoundError, match="'None' doesn't exist"):
        frozen(files, checkpoint=False, input_graph="graph.pb")
    with pytest.raises(OSError, match="none does not exist"):
        frozen(files, input_graph="none")
    with pytest.raises(OSError, match="Cannot parse file"):
        frozen(files, input_graph="m.data-00000-of-00001")


def test_the_program(files):
    words = ["-m", "tensorflow.python.tools.freeze_graph", "--input_graph", files / "graph.pb"]
    words += ["--input_checkpoint", files / "m", "--output_node_names=y"]
    words += ["--output_graph", files / "out.pb", "--input_binary=true"]
    command = [sys.executable, "-m", "hybridflow", "run", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = messages.GraphDef.FromString((files / "out.pb").read_bytes())
    assert value_of(found) == 21.0
