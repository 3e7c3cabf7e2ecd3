"""What stands behind TensorFlow's import paths."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import math

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim import contrib_eager, contrib_layers
from hybridflow._src.cli.shim.inner import inspect_checkpoint
from hybridflow._src.cli.shim.missing import error_for
from hybridflow._src.cli.shim.names import find, instead_of, nearest, offered, shown
from hybridflow._src.cli.shim.table import EXTRAS, MODULES, ROOTS
from hybridflow._src.layers.arguments import normalize_tuple
from hybridflow._src.runtime.conversions import register_session_run_conversion_functions
from hybridflow.distributions import bijectors


def test_every_name_that_the_table_offers_is_there():
    for path, sources in MODULES.items():
        assert path in ROOTS or path.rpartition(".")[0] in MODULES, path
        names = set(offered(path))
        for source in sources:
            if source.partition(".")[0] in EXTRAS:
                continue
            module = importlib.import_module(source)
            assert names >= set(getattr(module, "__all__", ()))
            assert all(hasattr(module, name) for name in getattr(module, "__all__", ()))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tensorflow", "tf"),
        ("tensorflow.nn.relu", "tf.nn.relu"),
        ("tensorflow.compat.v1.nn", "tf.nn"),
        ("tensorflow.python.ops.nn", "tensorflow.python.ops.nn"),
        ("tensorflow_probability", "tensorflow_probability"),
    ],
)
def test_paths_are_shown_as_programs_write_them(path, text):
    assert shown(path) == text


@pytest.mark.parametrize(
    ("path", "name", "found"),
    [
        ("tensorflow", "sub", "tf.subtract"),
        ("tensorflow", "neg", "tf.negative"),
        ("tensorflow.train", "matmul", "tf.matmul"),
        ("tensorflow", "layers.relu", "tf.nn.relu"),
        ("tensorflow.contrib.rnn", "xyz", None),
        ("tensorflow.contrib", "bayesflow", None),
        ("tensorflow", "feature_column.numeric_column", None),
        ("tensorflow", "AdamOptimiser", "tf.train.AdamOptimizer"),
    ],
)
def test_nearest(path, name, found):
    assert nearest(path, name) == found


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("tensorflow.contrib.session_bundle", True),
        ("tensorflow.contrib.session_bundle.exporter", True),
        ("tensorflow.contrib.session_bundles", False),
    ],
)
def test_what_took_the_place_of_a_module(path, told):
    assert (instead_of(path) is not None) is told
    assert ("there: tf.saved_model" in str(error_for(path, "Exporter"))) is told


def test_an_extra_that_cannot_be_imported_offers_nothing(monkeypatch):
    monkeypatch.setitem(EXTRAS, "hybridflow_without_six", "contrib")
    monkeypatch.setitem(MODULES, "tensorflow.contrib.slim", ("hybridflow_without_six.slim",))
    spec = importlib.machinery.ModuleSpec("hybridflow_without_six", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert "arg_scope" not in offered("tensorflow.contrib.slim")


# ---- tf.contrib.eager ----


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("tensorflow.layers", "conv2d", hf.layers.conv2d),
        ("tensorflow.compat.v1.layers", "Dense", hf.layers.Dense),
        ("tensorflow.python.layers.base", "Layer", hf.layers.Layer),
        ("tensorflow.python.layers.convolutional", "Conv2D", hf.layers.Conv2D),
        ("tensorflow.python.layers.utils", "normalize_tuple", normalize_tuple),
        ("tensorflow.losses", "huber_loss", hf.losses.huber_loss),
        ("tensorflow.python.ops.losses.losses_impl", "Reduction", hf.losses.Reduction),
        ("tensorflow.python.ops.losses.util", "add_loss", hf.losses.add_loss),
        ("tensorflow.metrics", "auc", hf.metrics.auc),
        ("tensorflow.python.ops.metrics_impl", "mean", hf.metrics.mean),
        ("tensorflow.python.ops.check_ops", "assert_rank", hf.assert_rank),
        ("tensorflow.contrib.distributions", "Normal", hf.distributions.Normal),
        ("tensorflow.contrib.distributions.bijectors", "Identity", bijectors.Identity),
        (
            "tensorflow.python.client.session",
            "register_session_run_conversion_functions",
            register_session_run_conversion_functions,
        ),
    ],
)
def test_what_programs_name_by_its_path(path, name, value):
    assert find(path, name) == (value,)


@pytest.fixture
def eager():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        yield


def test_implicit_gradients(eager):
    v = hf.get_variable("v", initializer=3.0)
    hf.get_variable("unused", initializer=1.0)

    def loss(x):
        return v * v * x

    value, ((grad, variable),) = contrib_eager.implicit_value_and_gradients(loss)(2.0)
    assert (float(value), float(grad)) == (18.0, 12.0)
    assert variable is v
    ((grad, _),) = contrib_eager.implicit_gradients(loss)(hf.constant(1.0))
    assert float(grad) == 6.0
    optimizer = hf.train.GradientDescentOptimizer(0.5)
    optimizer.apply_gradients(contrib_eager.implicit_gradients(loss)(1.0))
    assert float(v) == 0.0


def test_gradients_function(eager):
    def f(x, y):
        return x * x * y

    def floats(tensors):
        return [float(t) for t in tensors]

    assert floats(contrib_eager.gradients_function(f)(2.0, 3.0)) == [12.0, 4.0]
    assert floats(contrib_eager.gradients_function(f, params=[1])(2.0, 3.0)) == [4.0]
    assert floats(contrib_eager.gradients_function(f, "x")(2.0, 3.0)) == [12.0]
    value, grads = contrib_eager.value_and_gradients_function(f)(2.0, 3.0)
    assert float(value) == 12.0
    assert floats(grads) == [12.0, 4.0]


def test_gradients_of_an_argument_that_is_given_twice(eager):
    x = hf.constant(3.0)
    strided = contrib_eager.gradients_function(
        lambda x, k, strides: hf.nn.conv2d(x, k, strides, "SAME"), params=[0]
    )
    one, two = np.float32([[[[1.0]]]]), np.float32([[[[2.0]]]])
    assert strided(one, two, [1, 1, 1, 1])[0].numpy() == two
    found = contrib_eager.gradients_function(lambda x, y: x * x * y)(x, x, dy=2.0)
    assert [float(t) for t in found] == [36.0, 18.0]


def test_gradients_of_nothing(eager):
    with pytest.raises(ValueError, match="returns None"):
        contrib_eager.implicit_gradients(lambda: None)()
    with pytest.raises(ValueError, match="No trainable variables"):
        contrib_eager.implicit_gradients(lambda: hf.constant(1.0))()
    with pytest.raises(ValueError, match="did you forget to return"):
        contrib_eager.gradients_function(lambda x: None)(1.0)
    with pytest.raises(ValueError, match="no argument 'z'"):
        contrib_eager.gradients_function(lambda x: x, "z")
    assert contrib_eager.num_gpus() == 0


# ---- tf.contrib.layers ----


@pytest.mark.parametrize(("mode", "n"), [("FAN_IN", 300.0), ("FAN_OUT", 100.0), ("FAN_AVG", 200.0)])
@pytest.mark.parametrize("uniform", [True, False])
def test_variance_scaling(eager, mode, n, uniform):
    initializer = contrib_layers.variance_scaling_initializer(2.0, mode, uniform, seed=1)
    values = initializer([300, 100]).numpy()
    limit = math.sqrt(3.0 * 2.0 / n) if uniform else 2.0 * math.sqrt(1.3 * 2.0 / n)
    assert 0.99 * limit < np.abs(values).max() <= limit
    # Cutting at two deviations leaves 0.774 of a normal distribution's variance.
    wanted = 2.0 / n if uniform else 1.3 * 0.774 * 2.0 / n
    np.testing.assert_allclose(values.var(), wanted, rtol=0.03)


def test_xavier_is_glorot(eager):
    hf.set_random_seed(1)
    ours = contrib_layers.xavier_initializer(seed=4)([5, 3]).numpy()
    hf.set_random_seed(1)
    core = hf.glorot_uniform_initializer(seed=4)([5, 3]).numpy()
    np.testing.assert_array_equal(ours, core)
    with pytest.raises(TypeError, match="non-floating"):
        contrib_layers.xavier_initializer(dtype=hf.int32)
    with pytest.raises(ValueError, match="FAN_SIDE"):
        contrib_layers.variance_scaling_initializer(mode="FAN_SIDE")


# ---- tf.compat ----


def test_text_and_bytes():
    assert hf.compat.as_bytes("ä") == hf.compat.as_bytes("ä".encode()) == b"\xc3\xa4"
    assert hf.compat.as_text(b"\xc3\xa4") == hf.compat.as_str("ä") == "ä"
    assert hf.compat.as_str_any(b"a") == "a"
    assert hf.compat.as_str_any(3) == "3"
    for function in (hf.compat.as_bytes, hf.compat.as_text):
        with pytest.raises(TypeError, match="Expected binary or unicode string, got 3"):
            function(3)


def test_what_objects_of_a_program_are_saved_by():
    """Programs find the classes at the builder of TensorFlow's savers."""
    path = "tensorflow.python.training.saver"
    (builder, *_) = find(path, "BaseSaverBuilder")
    assert builder.SaveableObject is hf.train.SaveableObject
    assert builder.SaveSpec is hf.train.SaveSpec
    assert find(path, "Saver")[0] is hf.train.Saver
    assert find(path, "latest_checkpoint")[0] is hf.train.latest_checkpoint


def test_a_checkpoint_as_text(tmp_path, capsys):
    show = inspect_checkpoint.print_tensors_in_checkpoint_file
    with hf.Graph().as_default(), hf.Session() as session:
        for name in "ab":
            session.run(hf.get_variable(name, initializer=[1.0, 2.0]).initializer)
        path = hf.train.Saver().save(session, str(tmp_path / "m"))
    for given, lines in (
        (("b", False), ["tensor_name:  b", "[1. 2.]"]),
        ((None, True), ["tensor_name:  a", "[1. 2.]", "tensor_name:  b", "[1. 2.]"]),
        ((None, False, True), ["tensor_name:  a", "tensor_name:  b"]),
        (("", False), ["a (DT_FLOAT) [2]", "b (DT_FLOAT) [2]", ""]),
        (("c", False), ["tensor_name:  c", f"Key c not found in checkpoint {path}"]),
    ):
        show(path, *given)
        assert capsys.readouterr().out.splitlines() == lines
    show(f"{path}x", "", True)
    assert "Failed to find any matching files" in capsys.readouterr().out
