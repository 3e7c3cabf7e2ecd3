"""Networks: layers made of layers, how they are named, and their checkpoints."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import hybridflow as hf

tfe = hf.contrib.eager


class Two(tfe.Network):
    def __init__(self, name=None, first=None):
        super().__init__(name=name)
        self.first = self.track_layer(first or hf.layers.Dense(2, use_bias=False))
        self.second = self.track_layer(hf.layers.Dense(1, use_bias=False))

    def call(self, inputs):
        return self.second(self.first(inputs))


class Outer(tfe.Network):
    def __init__(self):
        super().__init__()
        self.parts = [self.track_layer(Two()) for _ in range(2)]

    def call(self, inputs):
        return self.parts[0](inputs) + self.parts[1](inputs)


@pytest.fixture(params=["graph", "eager"])
def run(request):
    """Gives values of tensors and variables, in one mode."""
    if request.param == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield lambda value: hf.convert_to_tensor(value).numpy()
    else:
        with hf.Graph().as_default(), hf.Session() as session:

            def run(value):
                session.run(hf.report_uninitialized_variables())
                session.run([v.initializer for v in fresh()])
                return session.run(value)

            seen = []

            def fresh():
                new = [v for v in hf.global_variables() if all(v is not old for old in seen)]
                seen.extend(new)
                return [v for v in new if not session.run(hf.is_variable_initialized(v))]

            yield run


X = np.array([[1.0, -2.0, 0.5]], np.float32)


def names(network):
    return [v.name for v in network.variables]


def test_names_are_those_of_the_network_and_its_layers(run):
    x = hf.constant(X)
    net, other = Two(), Two()
    with pytest.raises(ValueError, match="does not yet have a final name"):
        net.name  # noqa: B018
    other(x)
    net(x)
    assert names(other) == ["two/dense/kernel:0", "two/dense_1/kernel:0"]
    assert (net.name, names(net)[1]) == ("two_1", "two_1/dense_1/kernel:0")
    outer = Outer()
    with hf.variable_scope("around"):
        inside = Two("own")
    inside(x)
    assert inside.name == "around/own"
    outer(x)
    assert names(outer)[2] == "outer/two_1/dense/kernel:0"
    assert outer.parts[1] is outer.get_layer("two_1") is outer.get_layer(index=1)
    np.testing.assert_allclose(run(net(x)), run(net(x)))
    expected = X @ run(net.variables[0]) @ run(net.variables[1])
    np.testing.assert_allclose(run(net(x)), expected, rtol=1e-5)
    assert len(net.trainable_weights) == 2
    assert net.losses == net.non_trainable_weights == []


def test_a_layer_of_two_networks_is_named_by_the_first(run):
    first = Two()
    second = Two("other", first=first.first)
    x = hf.constant(X)
    second(x)
    first(x)
    assert names(second) == ["two/dense/kernel:0", "other/dense/kernel:0"]
    assert second.variables[0] is first.variables[0]
    gone = Two()
    orphan = Two("orphan", first=gone.first)
    del gone
    gc.collect()
    with pytest.raises(ValueError, match="garbage collected"):
        orphan(x)


def test_ops_are_named_as_variables_are():
    with hf.Graph().as_default() as graph:
        x = hf.constant(X, name="ignored")
        Outer()(x)
        found = {op.name.split("/")[0] for op in graph.get_operations()}
        assert found == {"ignored", "outer"}
        product = next(op for op in graph.get_operations() if op.type == "MatMul")
        assert product.name == "outer/two/dense/MatMul"


def test_what_is_refused(run):
    x = hf.constant(X)
    net = Two("net")
    net(x)
    with hf.variable_scope("scope"):
        pass
    for name in ("net", "scope"):
        with pytest.raises(ValueError, match="Names must be unique"):
            Two(name)(x)
    for call, error, why in (
        (lambda: Two("a/b"), ValueError, "slashes"),
        (lambda: tfe.Network(hf.get_variable_scope()), ValueError, "VariableScopes"),
        (lambda: net.track_layer(1), TypeError, "not a tf.layers.Layer"),
        (lambda: net.track_layer(hf.layers.Dense(1, name="dense")), ValueError, "two Layers"),
        (lambda: net.get_layer("nothing"), ValueError, "No such layer"),
        (lambda: net.get_layer(index=2), ValueError, "only has 2"),
        (lambda: net.get_layer(), ValueError, "either"),
        (lambda: net.get_layer("dense", 0), ValueError, "Exactly one"),
        (lambda: net.add_variable("v", []), RuntimeError, "layer of its own"),
        (lambda: net.add_loss(1.0), RuntimeError, "add it to a layer"),
        (lambda: setattr(net, "trainable", False), AttributeError, "mark its layers"),
        (lambda: tfe.Sequential([1]), TypeError, "callables"),
        (lambda: tfe.save_network_checkpoint(Two(), "x"), ValueError, "before it was first called"),
    ):
        with pytest.raises(error, match=why):
            call()
    assert net.track_layer(net.first) is net.first
    assert len(net.layers) == 2


def test_layers_and_functions_in_a_row(run):
    x = hf.constant(X)
    net = tfe.Sequential(
        [hf.layers.Dense(3, use_bias=False), hf.nn.relu, hf.layers.Dropout(1 - 1e-6)]
    )
    kept = run(net(x))
    np.testing.assert_allclose(kept, np.maximum(X @ run(net.variables[0]), 0), rtol=1e-5)
    np.testing.assert_allclose(run(net(x, training=True)), 0)
    assert net.name == "sequential"


def test_checkpoints(run, tmp_path):
    x = hf.constant(X)
    saved = Outer()
    expected = run(saved(x))
    path = tfe.save_network_checkpoint(saved, str(tmp_path), global_step=3)
    assert path == str(tmp_path / "outer-3")
    assert sorted(dict(hf.train.list_variables(path)))[0] == "two/dense/kernel"
    again = Outer()
    again(x)
    tfe.restore_network_checkpoint(again, path)
    np.testing.assert_allclose(run(again(x)), expected)
    # Variables that are made later begin with the values; the last checkpoint counts.
    part = tfe.save_network_checkpoint(saved.parts[0], str(tmp_path / "part"))
    later = Outer()
    tfe.restore_network_checkpoint(later, path)
    tfe.restore_network_checkpoint(later.parts[1], part)
    later(x)
    for index, number in enumerate((0, 1, 0, 1)):
        np.testing.assert_array_equal(run(later.variables[index]), run(saved.variables[number]))
    with pytest.raises(ValueError, match="two variables named 'same'"):
        tfe.save_network_checkpoint(saved, str(tmp_path / "b"), map_func=lambda name: "same")
    with pytest.raises(hf.errors.NotFoundError):
        tfe.restore_network_checkpoint(later, part)
