"""`hybridflow run` as a person uses it: scripts behave as under `python SCRIPT`."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time

import pexpect
import pytest

from hybridflow._src.cli.shim import missing

HYBRIDFLOW = [sys.executable, "-m", "hybridflow"]


@pytest.fixture
def folder(tmp_path):
    """Writes files given by name, dedented, and gives the folder."""

    def write(**files: str):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(textwrap.dedent(text))
        return tmp_path

    return write


def call(command, cwd, **options):
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), **options.pop("env", {})}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env=environment, check=False, **options
    )


def run(folder, *arguments, **options):
    """`hybridflow run` with the arguments, in the folder."""
    return call([*HYBRIDFLOW, "run", *arguments], folder, **options)


# ---- what Python does ----

ORDINARY = {
    "arguments": """
        import sys
        print(__name__, sys.argv, sys.path[0])
        """,
    "main module": """
        import os, sys
        main = sys.modules["__main__"]
        assert main.__dict__ is globals()
        print(sorted(n for n in dir(main) if n != "main"), __file__, __spec__, __package__)
        print(__loader__.get_source("__main__")[:8], __doc__, __builtins__)
        """,
    "neighbours": """
        import neighbour
        print(neighbour.value, neighbour.__file__)
        """,
    "relative import": "from . import neighbour",
    "input": """
        import sys
        print(input("name? "), sys.stdin.read())
        """,
    "exit": "import sys; sys.exit(7)",
    "exit with text": "import sys; sys.exit('that went wrong')",
    "exit with nothing": "raise SystemExit",
    "error": """
        def f(x):
            return 1 / x
        try:
            f(0)
        except ZeroDivisionError:
            raise ValueError("no")
        """,
    "own hook": """
        import sys, traceback
        sys.excepthook = lambda kind, error, trace: print(
            kind.__name__, error, len(traceback.extract_tb(trace)))
        raise KeyError(3)
        """,
    "syntax": "x = (\ny = 3\n",
    "future": """
        from __future__ import annotations
        def f(x: nonsense): pass
        print(f.__annotations__)
        """,
    "encoding": "# -*- coding: latin-1 -*-\nprint('done')\n",
    "interrupt": "raise KeyboardInterrupt",
    "at exit": """
        import atexit, threading, time
        atexit.register(print, "bye")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        raise ValueError("first")
        """,
    "pickle": """
        import pickle
        class Thing:
            pass
        again = pickle.loads(pickle.dumps(Thing()))
        print(type(again) is Thing, Thing.__module__)
        """,
    "bare": "",
}
for method in ("fork", "spawn", "forkserver"):
    ORDINARY[method] = f"""
        import multiprocessing
        def work(x):
            return x * x
        if __name__ == "__main__":
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                print(pool.map(work, range(4)))
        """


@pytest.mark.parametrize("name", ORDINARY)
def test_behaves_as_under_python(folder, name):
    where = folder(script=ORDINARY[name], neighbour="value = 3")
    tail = ["script.py", "--flag", "a b", "--", "-x"]
    options = {"input": "Ada\nand the rest\n", "timeout": 60}
    wanted = call([sys.executable, *tail], where, **options)
    same(run(where, *tail, **options), wanted)


@pytest.mark.parametrize("name", sorted(set(ORDINARY) - {"main module"}))
def test_modules_behave_as_under_python(folder, name):
    where = folder(script=ORDINARY[name], neighbour="value = 3")
    tail = ["-m", "script", "--flag", "a b", "--", "-x"]
    options = {"input": "Ada\nand the rest\n", "timeout": 60}
    same(run(where, *tail, **options), call([sys.executable, *tail], where, **options))


@pytest.mark.parametrize("name", sorted(set(ORDINARY) - {"main module", "spawn", "forkserver"}))
def test_code_behaves_as_under_python(folder, name):
    where = folder(neighbour="value = 3")
    tail = ["-c", textwrap.dedent(ORDINARY[name]), "--flag", "a b", "--", "-x"]
    options = {"input": "Ada\nand the rest\n", "timeout": 60}
    same(run(where, *tail, **options), call([sys.executable, *tail], where, **options))


@pytest.mark.parametrize("tail", [[], ["-"], ["-", "--flag", "a b", "-x"]])
# Python itself loses a pipe's text where it says its encoding.
@pytest.mark.parametrize(
    "name", sorted(set(ORDINARY) - {"main module", "spawn", "forkserver", "input", "encoding"})
)
def test_standard_input_behaves_as_under_python(folder, name, tail):
    where = folder(neighbour="value = 3")
    options = {"input": textwrap.dedent(ORDINARY[name]), "timeout": 60}
    same(run(where, *tail, **options), call([sys.executable, *tail], where, **options))


def same(found, wanted):
    assert found.stdout == wanted.stdout
    assert found.stderr == wanted.stderr
    assert found.returncode == wanted.returncode


@pytest.mark.parametrize(
    ("tail", "names"),
    [
        (["-m", "script"], "__spec__.name, __package__, __loader__.name, __file__"),
        (["-c", ORDINARY["future"] + "print(sorted(dir()))"], None),
        (["-"], "__loader__, __spec__, __package__, __file__, __doc__, __builtins__"),
    ],
)
def test_the_main_module_of_other_programs(folder, tail, names):
    text = f"import sys\nprint(sys.modules['__main__'].__dict__ is globals(), {names})"
    tail = [textwrap.dedent(word) for word in tail]
    where = folder(script=text)
    same(run(where, *tail, input=text), call([sys.executable, *tail], where, input=text))


def test_without_any_word_standard_input_runs(folder):
    """As with `python`: a prompt is for a terminal."""
    text = "import sys\nprint(sys.argv, __name__)\nif True:\n    print('in')\nprint('out')\n"
    where = folder(script="")
    same(call(HYBRIDFLOW, where, input=text), call([sys.executable], where, input=text))
    failing = "import tensorflow as tf\nprint(tf.constant(1.0).name)\nraise SystemExit(3)"
    done = call(HYBRIDFLOW, where, input=failing)
    assert (done.stdout, done.stderr, done.returncode) == ("Const:0\n", "", 3)
    assert call(HYBRIDFLOW, where, input="").stdout == ""


@pytest.mark.parametrize("name", ["nothing", "package", "nothing.at.all", "script.py"])
def test_no_such_module(folder, name):
    where = folder(package__part="", script="")
    same(run(where, "-m", name), call([sys.executable, "-m", name], where))


def test_packages_run_by_name(folder):
    where = folder(package__part="def f(tf): return tf.constant(1.0).name")
    (where / "package" / "__init__.py").write_text("import sys; print(sys.argv)")
    main = "from . import part; import tensorflow as tf; print(part.f(tf))"
    (where / "package" / "__main__.py").write_text(main)
    done = run(where, "-mpackage", "-m", "--help")
    assert done.stdout == "['-m', '-m', '--help']\nConst:0\n", done.stderr


def test_options_stand_before_the_program(folder):
    where = folder(script="import sys, tensorflow as tf; print(tf.executing_eagerly(), sys.argv)")
    for tail in (["script.py", "--mode"], ["-m", "script", "--mode"], ["-", "--mode"]):
        text = (where / "script.py").read_text()
        done = run(where, "--mode", "eager", *tail, input=text)
        assert done.stdout.startswith("True ["), done.stderr
        assert done.stdout.endswith("'--mode']\n")
    for letter in "mc":
        done = run(where, f"-{letter}")
        assert done.returncode == 2
        assert done.stderr.endswith(f"argument -{letter}: expected one argument\n")


def test_nothing_is_read_from_a_terminal(tmp_path):
    command = shlex.join([*HYBRIDFLOW, "run"])
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    text, status = pexpect.run(command, cwd=tmp_path, env=environment, withexitstatus=True)
    assert text.endswith(b"the following arguments are required: SCRIPT\r\n")
    assert status == 2


def test_a_script_elsewhere_and_behind_a_link(folder):
    where = folder(below__script=ORDINARY["neighbours"], below__neighbour="value = 4")
    (where / "link.py").symlink_to(where / "below" / "script.py")
    for name in ("below/script.py", "link.py"):
        assert run(where, name).stdout == call([sys.executable, name], where).stdout
        assert run(where, name).stdout.startswith("4 ")


def test_no_script(folder):
    done = run(folder(), "nothing.py")
    assert done.returncode == 2
    assert "can't open file 'nothing.py'" in done.stderr


def test_a_program_without_a_command(folder):
    where = folder(script="import sys, tensorflow as tf\nprint(sys.argv[1:], tf.ones([1]).name)")
    assert call([*HYBRIDFLOW, "script.py", "--x"], where).stdout == "['--x'] ones:0\n"
    (where / "bare").write_text("print('bare')")
    assert call([*HYBRIDFLOW, "bare"], where).stdout == "bare\n"
    assert call([*HYBRIDFLOW, "-m", "script", "-y"], where).stdout == "['-y'] ones:0\n"
    code = "import tensorflow as tf; print(tf.zeros([1]).name)"
    assert call([*HYBRIDFLOW, "-c", code], where).stdout == "zeros:0\n"
    assert "can't open file 'none.py'" in call([*HYBRIDFLOW, "none.py"], where).stderr
    assert "invalid choice: 'none'" in call([*HYBRIDFLOW, "none"], where).stderr


def test_a_misspelled_name_of_ours(folder):
    where = folder(script="import hybridflow as hf\nhf.matmull(1.0)")
    for command in (HYBRIDFLOW, [*HYBRIDFLOW, "run"], [sys.executable]):
        told = call([*command, "script.py"], where).stderr
        assert told.endswith("no attribute 'matmull'. Did you mean: 'matmul'?\n")


def test_a_signal_ends_it_as_it_ends_python(folder):
    where = folder(script="import time\nprint('on', flush=True)\ntime.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(
        [*HYBRIDFLOW, "run", "script.py"],
        cwd=where,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "on\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1
    assert "hybridflow" not in errors


# ---- TensorFlow's names ----


def test_import_paths(folder):
    where = folder(
        script="""
        import hybridflow as hf
        import tensorflow as tf
        import tensorflow.compat.v1 as tf1
        import tensorflow.contrib.eager as tfe
        from tensorflow.contrib import layers
        from tensorflow.python.client import session
        from tensorflow.python.eager import backprop, context
        from tensorflow.python.framework import (
            constant_op, dtypes, errors, ops, random_seed, tensor_shape, tensor_util, test_util)
        from tensorflow.python.ops import array_ops, ctc_ops, init_ops, math_ops, nn_ops
        from tensorflow.python.ops import gradients_impl, resource_variable_ops, state_ops
        from tensorflow.python.ops import variable_scope, variables
        from tensorflow.python.platform import gfile, test, tf_logging as logging
        from tensorflow.python.training import adam, training_util
        from tensorflow.python.util import compat, nest
        from tensorflow import constant as c

        pairs = [
            (tf.constant, hf.constant), (c, hf.constant), (tf1.get_variable, hf.get_variable),
            (tf.nn.relu, hf.nn.relu), (tf1.nn.relu, hf.nn.relu),
            (tf.train.AdamOptimizer, hf.train.AdamOptimizer),
            (adam.AdamOptimizer, hf.train.AdamOptimizer),
            (tf.contrib.opt.LazyAdamOptimizer, hf.contrib.opt.LazyAdamOptimizer),
            (tfe.Variable, hf.ResourceVariable), (tf.contrib.eager.defun, hf.function),
            (tfe.EagerVariableStore, hf.EagerVariableStore),
            (backprop.GradientTape, hf.GradientTape),
            (variable_scope.variable_scope, hf.variable_scope),
            (variable_scope.AUTO_REUSE, hf.AUTO_REUSE), (variables.Variable, hf.Variable),
            (init_ops.Zeros, hf.zeros_initializer),
            (init_ops.ones_initializer, hf.ones_initializer),
            (resource_variable_ops.ResourceVariable, hf.ResourceVariable),
            (ops.reset_default_graph, hf.reset_default_graph), (ops.Tensor, hf.Tensor),
            (dtypes.float32, hf.float32), (errors.NotFoundError, hf.errors.NotFoundError),
            (session.Session, hf.Session), (tensor_shape.TensorShape, hf.TensorShape),
            (tf.keras.constraints.NonNeg, hf.constraints.NonNeg),
            (tf.contrib.framework.get_or_create_global_step,
             hf.train.get_or_create_global_step),
            (training_util.get_global_step, hf.train.get_global_step),
            (gfile.Exists, hf.gfile.Exists), (tf.gfile.Exists, hf.gfile.Exists),
            (tf.python.framework.ops.Graph, hf.Graph), (nn_ops.relu, hf.nn.relu),
            (ctc_ops.ctc_loss, hf.nn.ctc_loss),
            (gradients_impl.gradients, hf.gradients), (state_ops.assign, hf.assign),
            (context.executing_eagerly, hf.executing_eagerly),
        ]
        for ours, theirs in pairs:
            assert ours is theirs, (ours, theirs)
        print(compat.as_bytes("a"), nest.flatten([[1], 2]), random_seed.get_seed(3))
        print(int(tensor_util.constant_value(tf.constant(3))), tf.__version__, tf1.VERSION)
        print(type(layers.xavier_initializer()).__name__, hasattr(tf, "nothing"))
        print(tf.flags is tf.flags)
        from tensorflow import *
        print(matmul is hf.matmul, __name__)
        """
    )
    done = run(where, "script.py")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "b'a' [1, 2] (87654321, 3)",
        "3 1.15.0 2.15.0",
        "VarianceScaling False",
        "True",
        "True __main__",
    ]


def test_the_shim_stays_in_its_process(folder):
    where = folder(
        script="""
        import subprocess, sys
        import tensorflow
        print(tensorflow.constant)
        print(subprocess.run([sys.executable, "-c", "import tensorflow"], capture_output=True,
                             text=True).stderr[-60:])
        """
    )
    lines = run(where, "script.py").stdout.splitlines()
    assert "ModuleNotFoundError: No module named 'tensorflow'" in lines[-2:][0] + lines[-1]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_started_processes_have_the_names_too(folder, method):
    where = folder(
        script=f"""
        import multiprocessing
        import tensorflow as tf
        def work(x):
            with tf.Graph().as_default(), tf.Session() as sess:
                return float(sess.run(tf.constant(x) * 2.0))
        if __name__ == "__main__":
            with multiprocessing.get_context({method!r}).Pool(1) as pool:
                print(pool.map(work, [1.0, 2.0]))
        """
    )
    done = run(where, "script.py", timeout=120)
    assert done.stdout == "[2.0, 4.0]\n", done.stderr


USES = {
    "tf.constnat(1)": ("tf.constnat", "tf.constant"),
    "tf.mul(1, 2)": ("tf.mul", "tf.multiply"),
    "tf.train.relu": ("tf.train.relu", "tf.nn.relu"),
    "tf.math.matmul(1, 2)": ("tf.math.matmul", "tf.matmul"),
    "tf.nn.sofmax": ("tf.nn.sofmax", "tf.nn.softmax"),
    "tf.contrib.layers.l2_regularizers": (
        "tf.contrib.layers.l2_regularizers",
        "tf.contrib.layers.l2_regularizer",
    ),
    "nothing()": ("tf.nothing", None),
    "class C(nothing): pass": ("tf.nothing", None),
    "isinstance(3, nothing)": ("tf.nothing", None),
    "with nothing: pass": ("tf.nothing", None),
    "slim.conv2d(3)": ("tf.contrib.slim.conv2d", "tf.layers.conv2d"),
    "deep.there.it_is": ("tf.contrib.slim.nets.there", None),
    "tf.contrib.tpu.there.it_is": ("tf.contrib.tpu.there", None),
    "array_ops.reshap": (
        "tensorflow.python.ops.array_ops.reshap",
        "tensorflow.python.ops.array_ops.reshape",
    ),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_missing_raises_when_it_is_used(folder, use):
    name, near = USES[use]
    where = folder(
        script=f"""
        import tensorflow as tf
        import tensorflow.contrib.slim as slim
        import tensorflow.contrib.slim.nets as deep
        from tensorflow import nothing
        from tensorflow.python.ops import array_ops, nothing_ops
        print("so far so good")
        {use}
        """
    )
    done = run(where, "script.py")
    assert done.returncode == 1
    assert done.stdout == "so far so good\n"
    last = done.stderr.splitlines()[-1]
    assert f"hybridflow has no {name}" in last
    assert f"{where / 'script.py'}, line 8)" in last
    if near:
        assert last.endswith(f"The nearest that is there: {near}.")
    assert f"line 8, in <module>\n    {use}" in done.stderr


# A package as tf_slim is, that is found on the path.
SLIM = {
    "tf_slim/__init__.py": """
        from tf_slim import layers, nets
        from tf_slim.layers import conv2d
        from tf_slim.ops.arg_scope import arg_scope
        """,
    "tf_slim/layers/__init__.py": "from tf_slim.layers.layers import *",
    "tf_slim/layers/layers.py": """
        import tensorflow.compat.v1 as tf
        __all__ = ["conv2d"]
        def conv2d(x): return tf.constant(x)
        """,
    "tf_slim/nets/__init__.py": "from tf_slim.nets import vgg",
    "tf_slim/nets/vgg.py": "depth = 16",
    "tf_slim/ops/__init__.py": "",
    "tf_slim/ops/arg_scope.py": "__all__ = ['arg_scope']\ndef arg_scope(x): return x",
    "tf_slim/ops/variables.py": """
        __all__ = ["model_variable"]
        def model_variable(): return "theirs"
        """,
    "tf_slim/ops/framework_ops.py": "__all__ = []",
    "tf_slim/training/__init__.py": "",
    "tf_slim/training/training.py": "__all__ = ['train']\ndef train(): return 'trains'",
    "tf_slim/training/evaluation.py": "__all__ = ['evaluate_once']\ndef evaluate_once(): pass",
}

CONTRIB = """
    import hybridflow as hf
    import tensorflow as tf
    from tensorflow.contrib import layers, slim
    from tensorflow.contrib.slim.nets import vgg
    from tensorflow.contrib.framework import arg_scope
    print(slim.conv2d(1.0).name, layers.conv2d is slim.conv2d, vgg.depth, slim.nets is not None)
    print(slim.arg_scope is arg_scope, tf.contrib.framework.model_variable())
    print(layers.xavier_initializer().__class__.__name__, layers.l2_regularizer.__module__)
    print(tf.contrib.framework.get_global_step is hf.train.get_global_step)
    from tensorflow.contrib.training.python.training import evaluation
    print(tf.contrib.training.train(), evaluation.evaluate_once.__module__)
    from tensorflow.contrib.framework.python.ops import arg_scope as inner
    from tensorflow.contrib.framework.python.ops import variables
    print(inner is arg_scope, variables.model_variable())
    """


def test_contrib_is_that_of_tf_slim(tmp_path):
    for name, text in {**SLIM, "script.py": CONTRIB}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    done = run(tmp_path, "script.py")
    assert done.stdout.splitlines() == [
        "Const:0 True 16 True",
        "True theirs",
        "VarianceScaling hybridflow._src.variables.regularizers",
        "True",
        "trains tf_slim.training.evaluation",
        "True theirs",
    ], done.stderr


SESSIONS = """
    from unittest import mock
    import tensorflow as tf
    from tensorflow.python.platform import tf_logging
    from tensorflow.python.training import monitored_session, saver, training_util

    step = tf.train.get_or_create_global_step()
    count = training_util._increment_global_step(2)
    read = training_util._get_or_create_global_step_read()
    hook = tf.train.LoggingTensorHook([step.name], every_n_iter=1)
    hook.begin()
    with tf.Session() as session, mock.patch.object(tf_logging, "info") as info:
        session.run(tf.global_variables_initializer())
        hooked = monitored_session._HookedSession(session, [hook])
        print(hooked.run([read, count]), isinstance(hooked, monitored_session._WrappedSession))
    print(info.call_count, info.call_args[0][0] % info.call_args[0][1:])
    tf_logging.set_verbosity(tf.logging.INFO)
    print(tf_logging.info is not info, saver._get_saver_or_default() is not None)
    with tf.Graph().as_default():
        print(training_util._get_or_create_global_step_read())
        try:
            training_util._increment_global_step(1)
        except ValueError as error:
            print(str(error)[:19])
    """


def test_private_names_of_sessions_and_what_is_patched(folder):
    """A name that a program patches in `tf_logging` hooks see patched."""
    done = run(folder(script=SESSIONS), "script.py")
    assert done.stdout.splitlines() == [
        "[np.int64(0), np.int64(2)] True",
        "1 global_step:0 = 0",
        "True True",
        "None",
        "Global step tensor ",
    ], done.stderr


OWN_TESTS = """
    import tensorflow as tf
    from tensorflow.python.framework import tensor_util, test_util
    from tensorflow.python.platform import googletest
    from tensorflow.python.saved_model import simple_save
    from tensorflow.python.saved_model import signature_def_utils_impl

    class Mine(test_util.TensorFlowTestCase):
        count = 0

        def setUp(self):
            super().setUp()
            Mine.count += 1

        @test_util.run_in_graph_and_eager_modes()
        def test_both(self):
            print("eager" if tf.executing_eagerly() else "graph", Mine.count)
            v = tf.get_variable("v", initializer=2.0)
            self.evaluate(v.initializer if not tf.executing_eagerly() else v.read_value())
            self.assertEqual(self.evaluate(v * 2.0), 4.0)

        @test_util.run_in_graph_and_eager_modes
        @test_util.run_deprecated_v1
        def test_values(self):
            array = tensor_util.MakeNdarray(tf.contrib.util.make_tensor_proto([1, 2]))
            self.assertAllEqual(array, self.evaluate(tf.constant([1, 2])))

    print(simple_save.simple_save is tf.saved_model.simple_save)
    print(signature_def_utils_impl.build_signature_def().method_name == "")
    googletest.main()
    """


def test_tests_by_tensorflows_inner_paths(folder):
    done = run(folder(script=OWN_TESTS), "script.py")
    assert done.stdout.splitlines() == ["True", "True", "graph 1", "eager 2"], done.stderr
    assert "OK (skipped=1)" in done.stderr


STRIPPED = """
    import tensorflow as tf
    from tensorflow.python.tools import strip_unused_lib

    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.multiply(tf.add(x, 1.0, name="a"), 2.0, name="y")
    tf.negative(y, name="later")
    tf.train.write_graph(tf.get_default_graph(), ".", "given.pb", as_text=False)
    number = tf.float32.as_datatype_enum
    strip_unused_lib.strip_unused_from_files("given.pb", True, "made.pb", True, "a", "y", number)
    found = tf.GraphDef()
    found.ParseFromString(open("made.pb", "rb").read())
    print(sorted(node.name for node in found.node))
    """


EAGER_TESTS = """
    import tensorflow as tf
    from tensorflow.python.eager import context, test
    from tensorflow.python.training import checkpoint_ops

    class Mine(test.TestCase):
        def test_mode(self):
            print(tf.executing_eagerly(), context.num_gpus())

    wanted = tf.contrib.framework.load_embedding_initializer
    print(checkpoint_ops._load_embedding_initializer is wanted)
    test.main()
    """


def test_eager_tests_by_tensorflows_inner_paths(folder):
    done = run(folder(script=EAGER_TESTS), "script.py")
    assert done.stdout.splitlines() == ["True", "True 0"], done.stderr


def test_what_is_not_needed_is_stripped_from_files(folder):
    done = run(folder(script=STRIPPED), "script.py")
    assert done.stdout == "['a', 'y', 'y/y']\n", done.stderr


GENERATED = """
    import tensorflow as tf
    from tensorflow.python.ops import gen_lookup_ops, gen_nn_ops, gen_math_ops

    table = gen_lookup_ops._mutable_hash_table_v2(tf.string, tf.float32, name="t")
    insert = gen_lookup_ops._lookup_table_insert_v2(table, ["a", "b"], values=[1.0, 2.0])
    found = gen_lookup_ops.lookup_table_find_v2(table, ["b", "c"], 7.0)
    kept = gen_lookup_ops._lookup_table_export_v2(table, tf.string, Tvalues=tf.float32)
    slope = gen_nn_ops._relu_grad([1.0, 2.0], [-1.0, 1.0], name="slope")
    pooled = gen_nn_ops._max_pool([[[[1.0], [5.0]]]], [1, 1, 2, 1], [1, 1, 2, 1], "VALID")
    with tf.Session() as session:
        session.run(insert)
        print(session.run(found), session.run(kept[1]), session.run(slope), slope.op.type)
        print(session.run(pooled), gen_math_ops.mat_mul is not None)
    for wrong in ({}, {"features": [1.0], "gradients": [2.0]}, {"features": [1.0], "axis": 2}):
        try:
            gen_nn_ops._relu_grad([1.0], **wrong)
        except TypeError as error:
            print(str(error).split("[")[0])
    print(hasattr(gen_nn_ops, "_no_such_op"))
    """


def test_functions_that_tensorflow_generates(folder):
    done = run(folder(script=GENERATED), "script.py")
    assert done.stdout.splitlines() == [
        "[2. 7.] [1. 2.] [0. 2.] ReluGrad",
        "[[[[5.]]]] True",
        "relu_grad() lacks ",
        "relu_grad() takes ",
        "relu_grad() takes ",
        "False",
    ], done.stderr


def test_without_tf_slim_the_error_names_the_extra(folder):
    where = folder(script="import tensorflow as tf\ntf.contrib.slim.conv2d(1.0)")
    done = run(where, "script.py")
    last = done.stderr.splitlines()[-1]
    assert "hybridflow has no tf.contrib.slim.conv2d" in last
    assert "There is more with tf_slim: pip install 'hybridflow[contrib]'." in last
    own = folder(script="import tensorflow as tf\nprint(tf.contrib.layers.xavier_initializer())")
    assert "VarianceScaling" in run(own, "script.py").stdout


def test_a_missing_name_can_be_asked_for(folder):
    where = folder(
        script="""
        import tensorflow as tf
        from tensorflow import nothing
        print(hasattr(tf, "nothing"), getattr(tf, "nothing", 3), hasattr(tf, "estimator"))
        """
    )
    assert run(where, "script.py").stdout == "False 3 False\n"


def test_what_is_missing_is_said_in_other_processes_too(folder):
    where = folder(
        script="""
        import pickle
        import tensorflow as tf
        try:
            tf.nothing
        except AttributeError as error:
            again = pickle.loads(pickle.dumps(error))
            print(str(again) == str(error), repr(again) == repr(error), error)
        """
    )
    done = run(where, "script.py")
    assert done.stdout.startswith("True True hybridflow has no tf.nothing (")


def test_nothing_is_looked_for_where_a_name_is_only_asked_for(monkeypatch):
    monkeypatch.setattr(missing, "nearest", lambda *_: pytest.fail("looked for"))
    assert not hasattr(missing.Missing("tensorflow.nothing"), "name")


# ---- tracebacks ----

FAILING = """
    import tensorflow as tf
    def constraint(w):
        return tf.matmul(w, tf.ones([5, 5]))
    def model():
        w = tf.get_variable("w", [2, 2], constraint=constraint)
        loss = tf.reduce_sum(w)
        return tf.train.AdamOptimizer(0.1).minimize(loss)
    model()
    """


def test_tracebacks_end_at_the_users_line(folder):
    where = folder(script=FAILING)
    done = run(where, "script.py")
    files = re.findall(r'File "([^"]*)", line (\d+)', done.stderr)
    # The constraint, which hybridflow calls, is the user's too.
    assert files == [(str(where / "script.py"), line) for line in ("9", "8", "4")]
    assert "inside hybridflow left out; HYBRIDFLOW_TRACEBACK=full shows them" in done.stderr
    full = run(where, "script.py", env={"HYBRIDFLOW_TRACEBACK": "full"})
    assert "_src/train/optimizer.py" in full.stderr
    assert "left out" not in full.stderr
    assert full.stderr.splitlines()[-1] == done.stderr.splitlines()[-1]


# ---- options ----


def test_modes(folder):
    where = folder(
        script="""
        import tensorflow as tf
        print(tf.executing_eagerly(), tf.constant(1.0) + 1.0)
        """
    )
    assert run(where, "script.py").stdout == 'False Tensor("add:0", shape=(), dtype=float32)\n'
    assert run(where, "--mode", "graph", "script.py").stdout.startswith("False Tensor(")
    eager = run(where, "--mode", "eager", "script.py").stdout
    assert eager == "True tf.Tensor(2.0, shape=(), dtype=float32)\n"
    wrong = run(where, "--mode", "lazy", "script.py")
    assert wrong.returncode == 2
    assert "invalid choice: 'lazy'" in wrong.stderr


def test_the_seed(folder):
    where = folder(
        script="""
        import random
        import numpy as np
        import tensorflow as tf
        def draw(seed=None):
            with tf.Graph().as_default(), tf.Session() as sess:
                if seed is not None:
                    tf.set_random_seed(seed)
                return sess.run(tf.random_uniform([2])).tolist()
        print(draw(), draw(), np.random.rand(), random.random())
        print(draw(5))
        """
    )
    one, again, other = (
        run(where, "--seed", seed, "script.py").stdout.splitlines() for seed in ("1", "1", "2")
    )
    assert one == again
    assert one[0] != other[0]
    assert one[1] == other[1]
    assert run(where, "script.py").stdout != run(where, "script.py").stdout


# ---- --check ----

CHECKED = """
    import tensorflow as tf
    import tensorflow.contrib.slim as slim
    from tensorflow.python.ops import math_ops, rnn_ops
    from tensorflow import nothing, constant
    import numpy as np

    estimator = tf.estimator
    FLAGS = tf.flags.FLAGS

    def model(x):
        x = estimator.LinearRegressor(x)
        x = math_ops.matmul(x, np.ones([3, 3]))
        raise SystemExit(FLAGS.batch, tf.GraphKeys.LOSSES, tf.GraphKeys.LOSES)
        return slim.conv2d(tf.nn.relu(x), tf.nn.sofmax(x).foo.bar, tf.float32.name)

    tf.nn.relu(tf.AUTO_REUSE)
    raise AssertionError("this must not run")
    """


def test_check_lists_all_names_without_running(folder):
    where = folder(script=CHECKED)
    done = run(where, "--check", "script.py")
    assert done.returncode == 1
    assert done.stderr == ""
    *lines, summary = done.stdout.splitlines()
    found = {}
    for line in lines:
        state, name, rest = re.fullmatch(r"(\w+)\s+(\S+)\s+(.*)", line).groups()
        found[name] = (state, rest)
    assert found == {
        "tf.AUTO_REUSE": ("present", "line 17"),
        "tf.GraphKeys.LOSES": ("MISSING", "line 14"),
        "tf.GraphKeys.LOSSES": ("present", "line 14"),
        "tf.constant": ("present", "line 5"),
        "tf.contrib.slim.conv2d": ("MISSING", "line 15  (nearest: tf.layers.conv2d)"),
        "tf.estimator": ("MISSING", "line 8"),
        "tf.estimator.LinearRegressor": ("MISSING", "line 12"),
        "tf.flags.FLAGS": ("present", "line 9"),
        "tf.float32": ("present", "line 15"),
        "tf.nn.relu": ("present", "lines 15, 17"),
        "tf.nn.sofmax": ("MISSING", "line 15  (nearest: tf.nn.softmax)"),
        "tf.nothing": ("MISSING", "line 5"),
        "tensorflow.python.ops.math_ops.matmul": ("present", "line 13"),
        "tensorflow.python.ops.rnn_ops": found["tensorflow.python.ops.rnn_ops"],
    }
    assert found["tensorflow.python.ops.rnn_ops"][0] == "MISSING"
    assert summary == "script.py uses 14 names of TensorFlow; 7 missing."
    # What is missing stands last, beside the sum.
    assert [line.split()[0] for line in lines] == ["present"] * 7 + ["MISSING"] * 7


def test_check_sees_what_a_star_brings(folder):
    where = folder(script="from tensorflow import *\nx = placeholder(float32)\nnn.rleu(x)\n")
    done = run(where, "--check", "script.py")
    assert [line.split() for line in done.stdout.splitlines()[:-1]] == [
        ["present", "tf.float32", "line", "2"],
        ["present", "tf.placeholder", "line", "2"],
        ["MISSING", "tf.nn.rleu", "line", "3", "(nearest:", "tf.nn.relu)"],
    ]


def test_check_of_a_script_that_has_all(folder):
    where = folder(script="import tensorflow as tf\nprint(tf.constant(1))")
    done = run(where, "--check", "script.py")
    assert done.returncode == 0
    assert done.stdout == (
        "present  tf.constant  line 2\nscript.py uses one name of TensorFlow; none missing.\n"
    )


def test_check_of_other_programs(folder):
    text = "import tensorflow as tf\nprint(tf.constant(1), tf.constnat(1))"
    where = folder(script=text, package__part="")
    (where / "package" / "__main__.py").write_text(text)
    for name, tail in {
        "script": ["-m", "script"],
        "package": ["-m", "package"],
        "<string>": ["-c", text],
        "<stdin>": ["-"],
    }.items():
        done = run(where, "--check", *tail, input=text)
        assert done.stdout.endswith(f"{name} uses 2 names of TensorFlow; 1 missing.\n")
        assert done.returncode == 1
    done = run(where, "--check", "-m", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no module named 'nothing'" in done.stderr


def test_check_of_what_is_no_script(folder):
    where = folder(script="print 'Python 2'")
    done = run(where, "--check", "script.py")
    assert done.returncode == 2
    assert "script.py is no Python 3" in done.stderr
    assert run(where, "--check", "nothing.py").returncode == 2
