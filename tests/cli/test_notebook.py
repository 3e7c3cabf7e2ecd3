"""Notebooks as a person uses them: a real kernel, driven by nbclient."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Notebook:
    """A notebook with a kernel of its own: cells are run one by one."""

    def __init__(self, home: Path) -> None:
        self._document = nbformat.v4.new_notebook()
        self.client = nbclient.NotebookClient(
            self._document, timeout=120, allow_errors=True, kernel_name="python3"
        )
        self.client.create_kernel_manager()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
        }
        self.client.start_new_kernel(env=environment, cwd=str(home))
        self.client.start_new_kernel_client()

    def __call__(self, source: str) -> list[nbformat.NotebookNode]:
        """Runs a cell and gives its outputs."""
        cell = nbformat.v4.new_code_cell(source)
        self._document.cells.append(cell)
        self.client.execute_cell(cell, len(self._document.cells) - 1)
        return list(cell.outputs)

    def text(self, source: str) -> str:
        """Runs a cell and gives all that it shows, as text."""
        shown = []
        for output in self(source):
            if output.output_type == "stream":
                shown.append(output.text)
            elif output.output_type == "error":
                shown.append("\n".join(output.traceback))
            else:
                shown.append(output.data["text/plain"])
        return _ESCAPES.sub("", "\n".join(shown))

    @property
    def pid(self) -> int:
        return self.client.km.provisioner.pid

    def close(self) -> None:
        self.client._cleanup_kernel()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A notebook whose first cell has not loaded the extension."""
    opened = Notebook(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture
def notebook(bare):
    bare("%load_ext hybridflow")
    bare("hf.reset_default_graph()")
    return bare


def test_the_first_cell(bare):
    assert bare("%load_ext hybridflow") == []
    assert "numpy=array([2., 3.], dtype=float32)>" in bare.text("hf.ones([2]) + np.arange(1, 3)")
    assert bare.text("hf.executing_eagerly()") == "True"


def test_the_tree_of_variables_is_one_output(notebook):
    (output,) = notebook("w = hf.get_variable('layer/w', [2, 3])\nhf.variables()")
    assert output.output_type == "execute_result"
    assert set(output.data) == {"text/html", "text/plain"}
    assert "└── w" in output.data["text/html"]
    assert "└── w   (2, 3)   float32" in output.data["text/plain"]
    assert "\x1b" not in output.data["text/plain"]


def test_a_graph_cell(notebook):
    told = notebook.text("%%graph\nv = hf.get_variable('v', [2])\n{'ones': v * 0.0 + 1.0}")
    assert "{'ones': array([1., 1.], dtype=float32)}" in told
    assert notebook.text("hf.executing_eagerly()") == "True"


def test_a_plot_of_tensors(notebook):
    outputs = notebook(
        "import matplotlib.pyplot as plt\n"
        "x = hf.linspace(0.0, 1.0, 5)\n"
        "_ = plt.plot(x, hf.get_variable('y', initializer=x * x))"
    )
    assert ["image/png" in output.data for output in outputs] == [True]


def test_errors(notebook):
    told = notebook.text("hf.matmul(hf.ones([2, 3]), hf.ones([2, 3]))")
    assert "Dimensions must be equal" in told
    assert "_src" not in told
    assert "Did you mean: 'matmul'?" in notebook.text("hf.matmull")


def test_ctrl_c_leaves_nothing_half_done(notebook):
    notebook(
        "a, b = (hf.get_variable(n, [50], initializer=hf.ones_initializer()) for n in 'ab')\n"
        "optimizer = hf.train.AdamOptimizer(1e-3)\n"
        "def step():\n"
        "    with hf.variable_scope('deep'), hf.GradientTape() as tape:\n"
        "        y = hf.reduce_sum(hf.square(a)) + hf.reduce_sum(hf.square(b))\n"
        "    optimizer.apply_gradients(zip(tape.gradient(y, [a, b]), [a, b]))\n"
    )
    for after in (0.3, 0.5, 0.8):
        threading.Timer(after, os.kill, (notebook.pid, signal.SIGINT)).start()
        started = time.monotonic()
        told = notebook.text("while True:\n    step()")
        assert time.monotonic() - started < 60.0
        assert "KeyboardInterrupt" in told
        assert notebook.text("bool((a.numpy() == b.numpy()).all())") == "True"
        assert notebook.text("hf.get_variable_scope().name") == "''"


def test_a_notebook_that_has_built_a_graph_stays_in_graph_mode(tmp_path):
    opened = Notebook(tmp_path)
    try:
        opened("import hybridflow as hf\nhf.constant(1.0)\nnp = 'taken'")
        told = opened.text("%load_ext hybridflow\nprint(hf.executing_eagerly(), np)")
        assert "graph mode stays on" in told
        assert "False taken" in told
    finally:
        opened.close()
