"""`hybridflow show`: signatures, inputs, outputs, ops, sizes, and ops that are missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hybridflow as hf
from hybridflow._src.cli.main import main
from hybridflow._src.formats import messages

RECORDED = Path(__file__).parents[1] / "recorded" / "graphs"


@pytest.fixture
def shown(capsys):
    """Shows a model and gives what is printed, the columns one space apart."""

    def show(path, status=0):
        assert main(["show", str(path)]) == status
        printed = capsys.readouterr()
        return [" ".join(line.split()) for line in (printed.out + printed.err).splitlines()]

    return show


def test_a_saved_model(shown):
    for path in (RECORDED / "1_15/saved_model", RECORDED / "1_15/saved_model/saved_model.pb"):
        lines = shown(path)
        assert lines[0] == "tags: serve"
        assert "written: by TensorFlow 1.15.5" in lines
        assert "variables: 2, of 3 values, 0.0 MB" in lines
        assert "signature 'serving_default' (tensorflow/serving/predict)" in lines
        assert "input x float32 (?, 2) x:0" in lines
        assert "output y float32 (?, 1) y:0" in lines
        assert "MatMul 1" in lines
        assert lines[-1] == "missing here: none"


def test_a_frozen_graph(shown):
    lines = shown(RECORDED / "1_4/mlp.pb")
    assert "input x Placeholder float32 (?, 4)" in lines
    assert "output probabilities Softmax float32" in lines
    assert any(line.startswith("constants: ") for line in lines)
    assert not any("signature" in line for line in lines)


def test_functions_and_missing_ops(shown, tmp_path):
    graph_def = messages.GraphDef.FromString((RECORDED / "1_15/loops_functions.pb").read_bytes())
    graph_def.node.add(name="a\x1b[31m", op="Bucketize")
    (tmp_path / "graph.pb").write_bytes(graph_def.SerializeToString())
    (tmp_path / "graph.pbtxt").write_text(str(graph_def))
    for name in ("graph.pb", "graph.pbtxt"):
        lines = shown(tmp_path / name)
        assert "functions and outside" in lines[0]
        assert lines[-1] == "missing here: Bucketize"
        assert "output a?[31m Bucketize" in lines


def test_a_graph_of_a_checkpoint(shown, tmp_path):
    with hf.Graph().as_default():
        hf.get_variable("w", [1000, 500])
        hf.train.export_meta_graph(str(tmp_path / "m.meta"))
    lines = shown(tmp_path / "m.meta")
    assert lines[0] == "written: by hybridflow, for TensorFlow 1.4.0"
    assert "variables: 1, of 500,000 values, 2.0 MB" in lines


def test_no_model(shown, tmp_path):
    (tmp_path / "graph.pb").write_bytes(b"\xff")
    assert "holds no graph" in shown(tmp_path / "graph.pb", 1)[0]
    assert shown(tmp_path / "none.pb", 1) == [f"hybridflow: {tmp_path}/none.pb does not exist"]
    assert shown(tmp_path, 1) == [f"hybridflow: {tmp_path} holds no SavedModel"]
    assert "does not exist" in shown(tmp_path / "m.meta", 1)[0]


def test_a_checkpoint(shown, tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(hf.get_variable("v", initializer=1.0).initializer)
        path = hf.train.Saver().save(session, str(tmp_path / "m"), 3)
    for asked in (path, tmp_path):
        (told,) = shown(asked, 1)
        assert f"`hybridflow checkpoint {path}` shows the tensors" in told
        assert f"`hybridflow show {path}.meta` its graph" in told


def test_nobody_reads_to_the_end():
    """As with `head`: no traceback."""
    command = [sys.executable, "-m", "hybridflow", "show", str(RECORDED / "1_15" / "mlp.pb")]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_ops_of_our_own(shown, tmp_path):
    """What TensorFlow would refuse is said, with a node: training under a monotone constraint."""
    with hf.Graph().as_default() as graph:
        v = hf.get_variable("v", [3], constraint=hf.constraints.Monotone())
        hf.train.GradientDescentOptimizer(0.1).minimize(hf.reduce_sum(v * v))
        hf.train.write_graph(graph, str(tmp_path), "graph.pb", as_text=False)
    lines = shown(tmp_path / "graph.pb")
    (told,) = [line for line in lines if line.startswith("missing in TensorFlow")]
    assert "IsotonicRegression, which is in TensorFlow from 2.5 on, (node '" in told
    assert lines[-1] == "missing here: none"
    plain = shown(RECORDED / "1_15" / "mlp.pb")
    assert not [line for line in plain if line.startswith("missing in TensorFlow")]
