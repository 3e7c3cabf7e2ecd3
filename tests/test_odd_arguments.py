"""Arguments of a wrong kind: an error of Python's or TensorFlow's class, never one from inside."""

import numpy as np
import pytest

import hybridflow as hf

HUGE = 10**400  # more than a float holds
REFUSED = (TypeError, ValueError, hf.errors.OpError)
X = np.ones([1, 4, 4, 2], np.float32)

# Calls that must be refused, in either mode.
CALLS = {
    "a name that is a dict": lambda: hf.reduce_logsumexp([1.0], name={"a": 1}),
    "a name that is a number": lambda: hf.assert_rank([1.0], 1, name=np.int64(3)),
    "a scope's name that is a tuple": lambda: hf.name_scope((1,)).__enter__(),
    "a constant's illegal name": lambda: hf.constant(1.0, name="?") if in_graph() else refuse(),
    "an infinite axis": lambda: hf.nn.softmax([[1.0]], float("inf")),
    "an infinite axis to squeeze": lambda: hf.squeeze([[1.0]], float("inf")),
    "axes that are fractions": lambda: hf.nn.sufficient_statistics([[1.0]], 1.5),
    "an infinite size": lambda: hf.zeros([float("inf")]),
    "a size of more than 64 bits": lambda: hf.get_variable("v", [HUGE]),
    "filters beyond 64 bits": lambda: hf.layers.conv2d(X, HUGE, 3),
    "an infinite rate": lambda: hf.nn.pool(X, [2, 2], "MAX", "VALID", [float("inf"), 1]),
    "a pooling type of None": lambda: hf.nn.pool(X, [2, 2], None, "VALID"),
    "padding of None": lambda: hf.layers.conv2d(X, 1, 3, padding=None),
    "a data format of None": lambda: hf.layers.max_pooling2d(X, 2, 1, data_format=None),
    "a layer's input of None": lambda: hf.layers.flatten(None),
    "a layer's input that has no dtype": lambda: hf.layers.dropout(object()),
    "no axis to normalize": lambda: hf.layers.batch_normalization(X, axis=()),
    "an equation of None": lambda: hf.einsum(None, [1.0]),
    "a mode of None": lambda: hf.pad([1.0], [[1, 1]], mode=None),
    "a separator of None": lambda: hf.string_join([["a"]], separator=None),
    "a device that is a number": lambda: hf.device(True).__enter__(),
    "a scope to show that is a number": lambda: hf.variables(True),
    "nothing to map": lambda: hf.map_fn(lambda x: x, ()),
    "labels of None": lambda: hf.metrics.mean_squared_error(None, [1.0]),
    "labels of None, relatively": lambda: hf.metrics.mean_relative_error(None, [1.0], [1.0]),
    "a bound that no float holds": lambda: hf.constraints.MaxNorm(HUGE),
    "a seed that is a float": lambda: hf.random_uniform([2], seed=1.5),
    "a graph seed that is text": lambda: hf.set_random_seed("1"),
    "windows of no size": lambda: fetched(hf.nn.fractional_max_pool(X, [1.0, 5.0, 1.0, 1.0])[0]),
    "a list to save": lambda: hf.train.Saver([[]]) if in_graph() else refuse(),
    "a folder that is not there": lambda: hf.train.update_checkpoint_state("/nowhere/at/all", "m"),
}


def in_graph():
    return not hf.executing_eagerly()


def refuse():
    raise ValueError("eagerly, this is no error, or a later one")


def fetched(tensor):
    """The value of a tensor, for what shows only when it runs."""
    return hf.Session().run(tensor) if in_graph() else tensor


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("what", CALLS)
def test_arguments_of_a_wrong_kind_are_refused(what, mode):
    opened = hf.Graph().as_default() if mode == "graph" else hf.eager_mode()
    with opened, hf.EagerVariableStore().as_default():
        seed_before = hf.random_uniform([2], seed=1)
        with pytest.raises(REFUSED) as caught:
            CALLS[what]()
        assert str(caught.value), "an error that says nothing"
        assert type(caught.value).__module__ != "numpy.exceptions"
        # Nothing is left open.
        assert hf.get_variable_scope().name == ""
        assert hf.random_uniform([2], seed=1).shape == seed_before.shape


def _fresh(draw, seed):
    """A function that draws first numbers: eagerly a stream goes on until a seed is set."""

    def function():
        hf.set_random_seed(np.int64(3))
        return draw(seed)

    return function


def test_an_empty_name_of_a_constant_is_the_default_one():
    with hf.Graph().as_default():
        assert hf.constant(1.0, name="").name == "Const:0"


def _packing(packed):
    return lambda x: hf.convert_to_tensor(packed(x))


def test_numbers_of_numpy_are_packed_with_tensors(execution):
    for packed in (lambda x: [np.float32(2), x], lambda x: [x, np.ones([], np.float32), 3]):
        got = execution(_packing(packed), np.float32(1))
        assert got.dtype == np.float32
        assert got.shape == (len(packed(0)),)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_a_seed_may_be_any_integer(execution, kind):
    for draw in (
        lambda seed: hf.random_uniform([3], seed=seed),
        lambda seed: hf.random_normal([3], seed=seed),
        lambda seed: hf.multinomial([[0.0] * 50], 5, seed=seed),
    ):
        first, second = (execution(_fresh(draw, seed)) for seed in (kind(7), 7))
        np.testing.assert_array_equal(first, second)


def test_a_graphs_seed_may_be_any_integer():
    drawn = []
    for seed in (5, np.int64(5)):
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(seed)
            drawn.append(session.run(hf.random_uniform([3])))
    np.testing.assert_array_equal(*drawn)
