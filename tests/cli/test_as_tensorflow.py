"""`hybridflow.as_tensorflow()`, and pytest's plugin that calls it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def python(tmp_path):
    """Runs Python with arguments in a folder, where files are written first."""

    def call(*arguments, files=None, **environment):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
            check=False,
        )

    return call


THEIRS = {"other/tensorflow/__init__.py": "__version__ = '2.0.0'\n"}


def test_import_tensorflow_gives_hybridflow(python):
    done = python(
        "-c",
        textwrap.dedent(
            """
            import hybridflow as hf
            tf = hf.as_tensorflow()
            import tensorflow
            import tensorflow.compat.v1 as tf1
            from tensorflow.python.ops import math_ops
            assert hf.as_tensorflow() is tensorflow is tf
            assert tf.add is tf1.add is math_ops.add is hf.add
            print(tf.__version__, tf1.VERSION)
            """
        ),
        files=THEIRS,
        PYTHONPATH=os.pathsep.join(["other", os.getcwd()]),
    )
    assert (done.stdout, done.stderr) == ("1.15.0 2.15.0\n", "")


def test_what_is_shown_is_tensorflows(python):
    code = """
import hybridflow
print(hybridflow.zeros([2]))
tf = hybridflow.as_tensorflow()
x = tf.zeros([2], name="x")
print([x, x.op, tf.Variable(x, name="v")])
"""
    shown = """Tensor("zeros:0", shape=(2,), dtype=float32)
[<tf.Tensor 'x:0' shape=(2,) dtype=float32>, <tf.Operation 'x' type=Const>, \
<tf.Variable 'v:0' shape=(2,) dtype=float32_ref>]
"""
    assert python("-c", code).stdout == shown


def test_the_version_can_be_set(python):
    code = """
import hybridflow
tf = hybridflow.as_tensorflow()
import tensorflow.compat.v1 as tf1
print(tf.__version__, tf.VERSION, tf.version.VERSION, tf1.__version__, tf1.version.VERSION)
"""
    done = python("-c", code, HYBRIDFLOW_TF_VERSION="2.3.4")
    assert done.stdout == "2.3.4 2.3.4 2.3.4 2.3.4 2.3.4\n"
    unset = python("-c", code, HYBRIDFLOW_TF_VERSION="").stdout
    assert unset == "1.15.0 1.15.0 1.15.0 2.15.0 2.15.0\n"


@pytest.mark.parametrize("version", ["junk", "1", "1.15 beta", "v1.15.0", "1..5"])
def test_what_is_no_version_is_refused(python, version):
    code = "import hybridflow; hybridflow.as_tensorflow()"
    done = python("-c", code, HYBRIDFLOW_TF_VERSION=version)
    wanted = f"ValueError: HYBRIDFLOW_TF_VERSION={version!r} is no version: expected numbers"
    assert wanted in done.stderr
    for words in (["run", "-c", "print(3)"], ["run", "--check", "-c", "3"], ["-c", "print(3)"]):
        done = python("-m", "hybridflow", *words, HYBRIDFLOW_TF_VERSION=version)
        assert f"hybridflow: error: {wanted[12:]}" in done.stderr
        assert (done.returncode, done.stdout) == (2, "")


def test_the_real_tensorflow_is_left_alone(python):
    done = python(
        "-c",
        textwrap.dedent(
            """
            import sys, tensorflow, hybridflow
            before = list(sys.meta_path), dict(sys.modules)
            try:
                hybridflow.as_tensorflow()
            except RuntimeError as error:
                print(error)
            import tensorflow as again
            assert again is tensorflow and again.__version__ == "2.0.0"
            assert sys.meta_path == before[0]
            """
        ),
        files=THEIRS,
        PYTHONPATH=os.pathsep.join(["other", os.getcwd()]),
    )
    assert done.stderr == ""
    assert done.stdout.startswith("TensorFlow is imported already (tensorflow 2.0.0, from ")
    assert os.path.join("other", "tensorflow", "__init__.py") in done.stdout
    assert "before the first `import tensorflow`" in done.stdout


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_started_processes_have_the_names_too(python, method):
    # Imported by name there, as in a notebook, so that nothing but the call has to do it.
    done = python(
        "-c",
        textwrap.dedent(
            f"""
            import multiprocessing
            import hybridflow
            hybridflow.as_tensorflow()
            from work import work
            with multiprocessing.get_context({method!r}).Pool(1) as pool:
                print(pool.map(work, [1.0, 2.0]))
            """
        ),
        files={
            "work.py": """
                import tensorflow as tf
                def work(x):
                    with tf.Graph().as_default(), tf.Session() as sess:
                        return float(sess.run(tf.constant(x) * 2.0))
                """
        },
    )
    assert done.stdout == "[2.0, 4.0]\n", done.stderr


SUITE = {
    "conftest.py": """
        import tensorflow as tf
        import pytest

        @pytest.fixture
        def two():
            return tf.constant(2.0)
        """,
    "test_it.py": """
        import tensorflow.compat.v1 as tf1
        import tensorflow as tf

        class AddTest(tf.test.TestCase):
            def test_in_session(self):
                with self.test_session():
                    self.assertAllEqual(tf.add([1], 2).eval(), [3])

        def test_twice(two):
            assert tf1.Session().run(two) == 2.0
        """,
}


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_the_plugin_of_pytest(python, workers):
    quiet = ["-q", "-p", "no:cacheprovider", *workers]
    plugin = ["-p", "hybridflow.pytest_tensorflow"]
    done = python("-m", "pytest", *quiet, *plugin, files=SUITE)
    assert "2 passed" in done.stdout, done.stdout
    without = python("-m", "pytest", *quiet, files=SUITE)
    assert "No module named 'tensorflow'" in without.stdout + without.stderr


def test_the_plugin_beside_the_real_tensorflow(python):
    theirs = {**THEIRS, "early.py": "import tensorflow\n", "test_it.py": "def test(): pass\n"}
    plugins = ["-p", "early", "-p", "hybridflow.pytest_tensorflow"]
    path = os.pathsep.join(["other", ".", os.getcwd()])
    done = python("-m", "pytest", *plugins, files=theirs, PYTHONPATH=path)
    assert done.returncode != 0
    assert "RuntimeError: TensorFlow is imported already" in done.stderr


def test_a_suite_runs_by_the_command(python):
    tail = ["run", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = python("-m", "hybridflow", *tail, files=SUITE)
    assert "2 passed" in done.stdout, done.stdout
    broken = {"test_it.py": "import tensorflow as tf\ndef test(): assert tf.add is None\n"}
    done = python("-m", "hybridflow", *tail, files=broken)
    assert done.returncode == 1
    assert "1 failed" in done.stdout
