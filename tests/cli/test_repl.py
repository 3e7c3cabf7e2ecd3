"""The prompt as a person uses it: a real terminal, driven by pexpect."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pexpect
import pytest

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])|\r")
_COLOR = r"(?:\x1b\[[0-9;]*m)*"
# Python's own console: as where IPython is not installed.
_PLAIN = (
    "import sys; sys.modules['IPython'] = None; "
    "from hybridflow._src.cli.main import main; sys.exit(main(['repl']))"
)


class Terminal:
    """A prompt in a terminal of its own, with an empty home folder."""

    def __init__(self, home, plain: bool, **environment: str) -> None:
        self.plain = plain
        program = ["-c", _PLAIN] if plain else ["-m", "hybridflow"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.getcwd(),
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
            "TERM": "xterm",
            "COLUMNS": "110",
            "PROMPT_TOOLKIT_NO_CPR": "1",
            **environment,
        }
        self.child = pexpect.spawn(
            sys.executable,
            program,
            env=environment,
            encoding="utf-8",
            dimensions=(60, 110),
            timeout=60,
        )
        self.count = 1
        self.banner = self._answer()

    def _answer(self) -> str:
        """What has been printed up to the next prompt."""
        if self.plain:
            self.child.expect(r">>> ")
        else:
            self.child.expect(rf"In \[{_COLOR}{self.count}{_COLOR}\]: ")
        return _ESCAPES.sub("", self.child.before)

    def send(self, source: str) -> None:
        """Types a line, or pastes several and ends them as a person does."""
        source = source.strip("\n")
        several = "\n" in source
        if self.plain:
            for line in source.split("\n"):
                self.child.sendline(line)
            if several:
                self.child.sendline("")
        elif several:
            self.child.send(f"\x1b[200~{source}\x1b[201~\x1b\r")
        else:
            self.child.send(f"{source}\r")

    def __call__(self, source: str) -> str:
        """Runs a line or a cell, and gives what it printed."""
        self.send(source)
        return self.read()

    def read(self) -> str:
        self.count += 1
        if self.plain:
            return self._answer()
        # IPython draws the input while it is typed: the answer comes after the last of it.
        return self._answer().rpartition(f"In [{self.count - 1}]: ")[2]

    def interrupt(self, source: str, after: float) -> str:
        """Runs what would take for ever, and types Ctrl-C when it has run for a while."""
        self.send(source)
        self.child.expect("running")
        time.sleep(after)
        self.child.sendintr()
        return self.read()

    def close(self) -> None:
        self.child.sendeof()
        # pexpect gives a process a tenth of a second to die, and a busy machine needs more.
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close()


@pytest.fixture(params=["ipython", "plain"])
def terminal(request, tmp_path):
    opened = Terminal(tmp_path, request.param == "plain")
    yield opened
    opened.close()


@pytest.fixture
def ipython(tmp_path):
    opened = Terminal(tmp_path, plain=False)
    yield opened
    opened.close()


def test_the_first_minute(terminal):
    assert "hybridflow" in terminal.banner
    assert "eager mode" in terminal.banner
    assert ("IPython is not installed" in terminal.banner) == terminal.plain
    assert ("pip install ipython" in terminal.banner) == terminal.plain
    shown = (
        "<hf.Tensor: shape=(2,), dtype=float32, device=CPU:0, numpy=array([2., 4.], dtype=float32)>"
    )
    assert shown in terminal("hf.constant([1.0, 2.0]) * 2.0")
    assert "(3,)" in terminal("np.zeros(3).shape")
    assert "True" in terminal("hf.executing_eagerly()")
    long = terminal("hf.zeros([2000])")
    assert "array([0., 0., 0., ..., 0., 0., 0.]" in re.sub(r"\s+", " ", long)
    assert "shape=(2000,)" in long
    terminal(
        "hf.get_variable('layer/w', [2], initializer=hf.ones_initializer(), constraint=hf.abs)"
    )
    shown = "<hf.Variable 'layer/w:0' shape=(2,) dtype=float32 device=CPU:0 constraint=abs, numpy="
    assert shown in terminal("hf.get_variable('layer/w', [2])")
    tree = terminal("hf.variables()")
    assert re.search(r"layer\n└── w +\(2,\) +float32 +8 B +yes +abs", tree)
    assert "1 trainable (2 elements)" in tree


def test_a_model_function_written_anew(terminal):
    model = (
        "def model(units):\n"
        "    with hf.variable_scope('model'):\n"
        "        return hf.get_variable('w', [units])\n"
    )
    terminal(model)
    terminal("first = model(2)")
    terminal(model.replace("[units]", "shape=[units]"))
    assert "True" in terminal("model(2) is first")
    told = terminal("model(3)")
    assert "Trying to share variable model/w" in told
    assert "specified shape (3,) and found shape (2,)" in told
    assert "even where the function that made it has been written anew" in told
    assert "return hf.get_variable('w', [units])" in told
    assert "hf.reset_default_graph()" in told
    terminal("hf.reset_default_graph()")
    assert "(3,)" in terminal("model(3).numpy().shape")


def test_tracebacks_end_at_the_users_line(terminal, tmp_path):
    terminal("def f(x):\n    return hf.matmul(x, x)\n")
    told = terminal("f(hf.ones([2, 3]))")
    assert "Dimensions must be equal, but are 3 and 2" in told
    assert "return hf.matmul(x, x)" in told
    assert "_src" not in told
    assert "inside hybridflow left out; HYBRIDFLOW_TRACEBACK=full shows them" in told
    assert told.count("ShapeError") == (1 if terminal.plain else 2)
    full = Terminal(tmp_path, terminal.plain, HYBRIDFLOW_TRACEBACK="full")
    told = full("hf.matmul(hf.ones([2, 3]), hf.ones([2, 3]))")
    full.close()
    assert "dispatch.py" in told
    assert "left out" not in told


def test_a_name_that_is_misspelled(terminal):
    terminal("values = 1")
    for typed, meant in (
        ("hf.matmull(1.0)", "matmul"),
        ("hf.nn.dense(1.0)", "hybridflow.layers.dense"),
        ("valuse + 1", "values"),
        ("hf.ones([2]).shpe", "shape"),
    ):
        told = terminal(typed)
        assert told.count(f"Did you mean: '{meant}'?") == 1
        assert "__init__.py" not in told
        assert "_deferred.py" not in told
    # The marks below a line stand below what they are about.
    told = terminal("0 + (1 / 0)")
    if terminal.plain and sys.version_info >= (3, 11):
        assert re.search(r"^    0 \+ \(1 / 0\)\n         ~~\^~~$", told, re.M)


LOOP = """
def loop():
    print("run" + "ning")
    while True:
        with hf.variable_scope("deep"), hf.name_scope("er"), hf.GradientTape() as tape:
            y = hf.reduce_sum(hf.square(a)) + hf.reduce_sum(hf.square(b))
        grads = tape.gradient(y, [a, b])
        optimizer.apply_gradients(zip(grads, [a, b]))
"""


def test_ctrl_c_leaves_nothing_half_done(terminal):
    for name in "ab":
        terminal(f"{name} = hf.get_variable('{name}', [50], initializer=hf.ones_initializer())")
    terminal("optimizer = hf.train.AdamOptimizer(1e-3)")
    terminal(LOOP.strip())
    for after in (0.05, 0.11, 0.17, 0.23):
        assert "KeyboardInterrupt" in terminal.interrupt("loop()", after)
        assert "True" in terminal("bool((a.numpy() == b.numpy()).all())")
        assert "''" in terminal("hf.get_variable_scope().name")
        assert "'c:0'" in terminal("hf.Variable(1.0, name='c').name")
    assert "False" in terminal("bool((a.numpy() == 1.0).any())")


def test_ctrl_c_stops_a_long_run_of_a_graph(terminal):
    terminal(
        "def long():\n"
        "    with hf.Graph().as_default(), hf.Session() as sess:\n"
        "        i = hf.while_loop(lambda i: i >= 0, lambda i: i * 1, [hf.constant(1)])\n"
        "        print('run' + 'ning')\n"
        "        sess.run(i)\n"
    )
    assert "KeyboardInterrupt" in terminal.interrupt("long()", 0.3)
    assert "True None" in terminal("print(hf.executing_eagerly(), hf.get_default_session())")


# Kernels of 15 kinds: they take seconds to compile.
MANY_KERNELS = """
from hybridflow._src.kernels.compiler import COMPILER

for name in "ab":
    globals()[name] = hf.get_variable(name, [4, 4], initializer=hf.ones_initializer())
optimizer = hf.train.AdamOptimizer(1e-3)

@hf.function
def model(x):
    for count in range(1, 15):
        for _ in range(count):
            x = hf.tanh(x) + 1.0
        x = hf.matmul(x, x)
    return hf.reduce_mean(x)

def step():
    with hf.variable_scope("deep"), hf.name_scope("er"), hf.GradientTape() as tape:
        y = model(a) + model(b)
    optimizer.apply_gradients(zip(tape.gradient(y, [a, b]), [a, b]))

def loop():
    for _ in range(3):
        step()
    print("run" + "ning")
    while True:
        step()
"""


def test_ctrl_c_while_kernels_are_compiled(tmp_path, terminal):
    terminal(f"import os; os.environ['HYBRIDFLOW_CACHE_DIR'] = {str(tmp_path / 'kernels')!r}")
    (tmp_path / "program.py").write_text(MANY_KERNELS)
    terminal(f"exec(open({str(tmp_path / 'program.py')!r}).read())")
    for after in (0.02, 0.5, 0.02):
        assert "KeyboardInterrupt" in terminal.interrupt("loop()", after)
        assert "False" in terminal("COMPILER.wait(0)")
        assert "True" in terminal("bool((a.numpy() == b.numpy()).all())")
        assert "''" in terminal("hf.get_variable_scope().name")
        assert "'c:0'" in terminal("hf.Variable(1.0, name='c').name")
    worker = terminal("print('pid', COMPILER._worker.pid)").split("pid ")[1].split()[0]
    assert "True" in terminal("step(); COMPILER.wait(60)")
    # The worker that began has done it all, and what was run meanwhile runs natively now.
    assert f"{worker} 0" in terminal("print(COMPILER._worker.pid, COMPILER.failed)")
    assert "True" in terminal("hf.explain(model).plans[0].is_native")
    assert "True" in terminal("step(); bool((a.numpy() == b.numpy()).all())")


def test_completion_knows_variables_and_scopes(terminal):
    for name in ("model/layer/weights", "model/layer/bias", "other/v"):
        terminal(f"_ = hf.get_variable('{name}', [1])")
    terminal.child.send("hf.get_variable('model/layer/w\t")
    time.sleep(1.0)
    assert "'model/layer/weights:0'" in terminal("', [1]).name")
    terminal.child.send("hf.trainable_variables(scope='oth\t")
    time.sleep(1.0)
    # Readline closes the string as well.
    assert "'other/v:0'" in terminal(")[0].name" if terminal.plain else "')[0].name")
    terminal.child.send("hf.reduce_mea\t")
    time.sleep(1.0)
    # Readline opens the parenthesis as well.
    assert "2.0" in terminal("[1.0, 3.0]).numpy()" if terminal.plain else "([1.0, 3.0]).numpy()")


def test_graph_cells(ipython):
    told = ipython(
        "%%graph\n"
        "x = hf.placeholder_with_default([1.0, 2.0], [2])\n"
        "v = hf.get_variable('v', [2], initializer=hf.ones_initializer())\n"
        "{'sum': x + v, 'v': v}\n"
    )
    assert "array([2., 3.], dtype=float32)" in told
    assert "array([1., 1.], dtype=float32)" in told
    assert "v:0" in ipython("v.name")
    assert "True" in ipython("hf.executing_eagerly()")
    assert "0 variables" in ipython("hf.variables()")
    told = ipython("%%graph\ny = hf.ones([2])\nhf.matmul(y, y)\n")
    assert told.count("Cell In[5], line") == 2
    assert "hf.matmul(y, y)" in told
    assert "ShapeError" in told
    assert "_src" not in told
    assert "'no tensor'" in ipython("%%graph\n'no ' + 'tensor'\n")
    assert "True" in ipython("hf.executing_eagerly()")


NOTEBOOK = """
import hybridflow as hf
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
shell.run_line_magic("load_ext", "hybridflow")
print(shell.run_cell("%%graph\\nimport hybridflow as hf\\nhf.ones([2]) + 1.0").result)
shell.run_cell("hf.matmul(hf.ones([2, 3]), hf.ones([2, 3]))")
"""


def test_a_notebook_loads_it_as_an_extension(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        env={**os.environ, "PYTHONPATH": os.getcwd(), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[2. 2.]" in done.stdout
    assert "Dimensions must be equal" in done.stdout
    assert "_src" not in done.stdout


def test_history_is_kept(tmp_path):
    first = Terminal(tmp_path, plain=True)
    first("remembered = 1")
    first.child.sendeof()
    first.child.expect(pexpect.EOF)
    assert "remembered = 1" in (tmp_path / ".hybridflow_history").read_text()
    assert (tmp_path / ".hybridflow_history").stat().st_mode & 0o777 == 0o600
    second = Terminal(tmp_path, plain=True)
    second.child.send("\x1b[A\r")
    second.read()
    assert "1" in second("remembered")
    second.close()


def test_lines_from_a_pipe(tmp_path):
    told = pexpect.run(
        f"bash -c 'echo \"print(hf.constant(3) + 4)\" | {sys.executable} -m hybridflow repl'",
        env={**os.environ, "PYTHONPATH": os.getcwd(), "HOME": str(tmp_path)},
        encoding="utf-8",
    )
    assert "hf.Tensor(7, shape=(), dtype=int32)" in told
