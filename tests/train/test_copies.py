"""Copies and pickles of variables, optimizers, initializers and constraints."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import hybridflow as hf


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.fixture
def _eager():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        yield


def step(optimizer, variable):
    optimizer.minimize(lambda: hf.reduce_sum(variable * variable), var_list=[variable])
    return variable.numpy()


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_an_eager_variable_is_independent(how):
    with hf.name_scope("outside"):
        v = hf.Variable(
            [1.0, 2.0], trainable=False, name="v", constraint=hf.constraints.MaxNorm(3.0)
        )
    w = how(v)
    assert (w.name, w.dtype, w.trainable, w.shape) == (v.name, v.dtype, False, v.shape)
    assert w.constraint.get_config() == v.constraint.get_config()
    v.assign_add([1.0, 1.0])
    w.assign_sub([1.0, 1.0])
    np.testing.assert_array_equal([v.numpy(), w.numpy()], [[2.0, 3.0], [0.0, 1.0]])
    with hf.GradientTape() as tape:
        tape.watch([v, w])
        y = v * w
    np.testing.assert_array_equal(tape.gradient(y, w).numpy(), v.numpy())


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("dtype", [hf.int64, hf.float16, hf.complex64, hf.bool, hf.string])
def test_a_copy_has_the_dtype(dtype):
    value = {hf.string: "a", hf.bool: True}.get(dtype, 1)
    v = hf.Variable([value], dtype=dtype, validate_shape=False)
    for w in (copy.deepcopy(v), pickled(v)):
        assert w.dtype is v.dtype
        assert w.shape.ndims is None
        np.testing.assert_array_equal(w.numpy(), v.numpy())


def test_a_variable_copied_while_a_graph_is_built_stays_eager():
    with hf.eager_mode():
        v = hf.Variable([1.0])
    with hf.Graph().as_default() as graph:
        w = copy.deepcopy(v)
        assert not graph.get_operations()
    assert w.numpy() == [1.0]


@pytest.mark.parametrize("resource", [False, True])
def test_a_variable_of_a_graph_says_what_to_write(resource):
    with hf.Graph().as_default():
        v = hf.get_variable("v", [2], use_resource=resource)
        for how in (copy.copy, copy.deepcopy):
            with pytest.raises(NotImplementedError, match=r"'v:0' is part of a graph.*session.run"):
                how(v)
        with pytest.raises(TypeError, match=r"'v:0' is part of a graph.*session.run"):
            pickle.dumps(v)


OPTIMIZERS = {
    "sgd": lambda: hf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: hf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adam": lambda: hf.train.AdamOptimizer(0.1, 0.8),
    "adagrad": lambda: hf.train.AdagradOptimizer(0.1),
    "adadelta": lambda: hf.train.AdadeltaOptimizer(0.1),
    "rmsprop": lambda: hf.train.RMSPropOptimizer(0.1, centered=True),
    "ftrl": lambda: hf.train.FtrlOptimizer(0.1),
}


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("name", OPTIMIZERS)
class TestOptimizers:
    def used(self, name):
        v = hf.Variable([1.0, 2.0])
        optimizer = OPTIMIZERS[name]()
        for _ in range(4):
            step(optimizer, v)
        return optimizer, v

    @pytest.mark.parametrize("optimizer_first", [False, True])
    def test_copied_along_with_its_variables(self, name, optimizer_first):
        optimizer, v = self.used(name)
        if optimizer_first:
            other, w = copy.deepcopy((optimizer, v))
        else:
            w, other = copy.deepcopy((v, optimizer))
        for _ in range(3):
            np.testing.assert_array_equal(step(optimizer, v), step(other, w))

    def test_copied_alone(self, name):
        optimizer, v = self.used(name)
        other = copy.deepcopy(optimizer)
        before = v.numpy()
        results = []
        for each in (optimizer, other):
            v.assign(before)
            results.append([step(each, v) for _ in range(3)])
        np.testing.assert_array_equal(*results)

    def test_pickled_it_is_configured_alike(self, name):
        optimizer, _ = self.used(name)
        other, fresh = pickled(optimizer), OPTIMIZERS[name]()
        assert other.variables() == []
        v, w = hf.Variable([1.0, 2.0]), hf.Variable([1.0, 2.0])
        for _ in range(3):
            np.testing.assert_array_equal(step(other, v), step(fresh, w))


def test_an_optimizer_of_a_graph_is_copied_as_it_was_configured():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.Variable(1.0)
        optimizer = hf.train.AdamOptimizer(0.1)
        first = optimizer.minimize(v * v)
        for other in (copy.deepcopy(optimizer), pickled(optimizer)):
            assert other.get_slot(v, "m") is None
            second = other.minimize(v * v)
            results = []
            for train in (first, second):
                session.run(hf.global_variables_initializer())
                session.run([train])
                results.append(session.run(v))
            assert results[0] == results[1]


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize(
    "thing",
    [
        hf.variance_scaling_initializer(2.0, seed=1),
        hf.constant_initializer([1.0, 2.0]),
        hf.constraints.Box(0.0, 1.0),
        hf.constraints.Chain(hf.constraints.NonNeg(), hf.constraints.MaxNorm(2.0)),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_initializers_and_constraints(thing):
    for how in (copy.copy, copy.deepcopy, pickled):
        other = how(thing)
        assert type(other) is type(thing)
        assert str(other.get_config()) == str(thing.get_config())


@pytest.mark.usefixtures("_eager")
def test_a_function_is_copied_with_the_object_it_belongs_to():
    class Model:
        def __init__(self):
            self.w = hf.Variable(2.0)
            self.call = hf.function(self.body)

        def body(self, x):
            return x * self.w

    model = Model()
    assert float(model.call(hf.constant(3.0))) == 6.0
    other = copy.deepcopy(model)
    other.w.assign(5.0)
    assert float(other.call(hf.constant(3.0))) == 15.0
    assert float(model.call(hf.constant(3.0))) == 6.0
