"""`hybridflow explain` and `hybridflow cache`, as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hybridflow._src.cli.main import main
from hybridflow._src.kernels import cache

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
from hybridflow._src.kernels.compiler import COMPILER
from tensorflow.python.client import timeline

x = tf.placeholder(tf.float32, [None, 3])
w = tf.get_variable("w", [3, 2])
loss = tf.reduce_sum(tf.square(tf.matmul(x, w)), name="loss")
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
data = np.ones([4, 3], np.float32)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for number in range(int(sys.argv[1])):
        session.run([loss, train], {x: data})
        COMPILER.wait(60)
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    session.run(loss, {x: data}, options=options, run_metadata=metadata)
    trace = timeline.Timeline(metadata.step_stats).generate_chrome_trace_format()
    print("traced", "traceEvents" in trace)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def hybridflow(*arguments):
    command = [sys.executable, "-m", "hybridflow", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_script_is_explained(script):
    found = hybridflow("explain", script, "6", "3")
    assert found.returncode == 3, found.stderr
    first, _, report = found.stdout.partition("\n")
    assert first == "traced True"
    assert "loss, GradientDescent:" in report
    assert "run 6 times" in report
    assert "native: " in report
    assert "product_f32" in report
    assert "def kernel" not in report
    assert not found.stderr


def test_sources(script):
    found = hybridflow("explain", "--source", script, "4", "0")
    assert found.returncode == 0, found.stderr
    assert "# kernel product_f32 of step" in found.stdout


def test_a_script_that_fails_is_explained_too(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import tensorflow as tf\ntf.Session().run(tf.constant(1) + 2)\n1 / 0\n")
    found = hybridflow("explain", path)
    assert found.returncode == 1
    assert "add" in found.stdout
    assert "ZeroDivisionError" in found.stderr


def test_a_script_that_runs_nothing(tmp_path):
    path = tmp_path / "nothing.py"
    path.write_text("print('hello')\n")
    found = hybridflow("explain", path)
    assert found.stdout.splitlines() == ["hello", "No plan has run."]


# -- cache -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_info_and_clear(folder, capsys):
    assert main(["cache", "info"]) == 0
    assert capsys.readouterr().out.split() == [
        "folder:", str(folder), "kernels:", "0", "size:", "0.0", "MB"
    ]  # fmt: skip
    for number in range(3):
        assert cache.store(f"{number:064x}", bytes(100_000))
    assert main(["cache", "info"]) == 0
    shown = capsys.readouterr().out
    assert "kernels: 3" in shown
    assert "0.3 MB" in shown
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == "removed 3 kernels\n"
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == "removed 0 kernels\n"
    assert cache.entries() == []


def test_a_folder_that_is_not_used(folder, capsys):
    assert cache.store("0" * 64, b"code")
    folder.chmod(0o755)
    assert main(["cache", "info"]) == 0
    assert "not used: others may use it: its mode must be 0700" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 1
    assert "0700" in capsys.readouterr().err
    assert len(list(folder.iterdir())) == 1


def test_nonsense_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["cache", "burn"])
    assert "invalid choice" in capsys.readouterr().err


def test_run_explains_and_writes_a_trace(script, tmp_path):
    trace = tmp_path / "trace.json"
    found = hybridflow("run", "--explain", "--profile", trace, script, "4", "3")
    assert found.returncode == 3, found.stderr
    assert "traced True" in found.stdout
    assert "native: " in found.stdout
    events = json.loads(trace.read_text())["traceEvents"]
    named = {op for event in events for op in event["args"].get("ops", ())}
    assert {"loss", "MatMul"} <= named
    starts = [event["ts"] for event in events if event["ph"] == "X"]
    assert starts == sorted(starts)


def test_a_trace_that_cannot_be_written(script, tmp_path):
    found = hybridflow("run", "--profile", tmp_path / "nowhere" / "trace.json", script, "1", "0")
    assert found.returncode == 2
    assert "can't write" in found.stderr
    assert "traced" not in found.stdout
