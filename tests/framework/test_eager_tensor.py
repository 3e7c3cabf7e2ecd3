"""Eager tensors: values, and the protocols of Python and NumPy."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture(autouse=True)
def _eager():
    with hf.eager_mode():
        yield


DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_a_value_of_every_dtype(dtype, shape):
    array = np.ones(shape, dtype)
    t = hf.constant(array)
    assert (t.dtype.name, t.shape, t.ndim) == (dtype, shape, len(shape))
    value = t.numpy()
    assert value.dtype == array.dtype
    np.testing.assert_array_equal(value, array)
    assert isinstance(value, np.ndarray if shape else np.generic)


def test_numpy_gives_an_array_of_the_callers_own():
    t = hf.constant([1.0, 2.0])
    value = t.numpy()
    value[0] = 9
    assert t.numpy().tolist() == [1, 2]


def test_it_does_not_share_memory_with_what_it_was_made_of():
    array = np.zeros(3)
    t = hf.constant(array)
    u = hf.convert_to_tensor(array)
    array[:] = 5
    assert t.numpy().tolist() == u.numpy().tolist() == [0, 0, 0]


def test_strings():
    t = hf.constant(["a", b"b"])
    assert t.dtype is hf.string
    assert t.numpy().tolist() == [b"a", b"b"]
    assert hf.constant("ä").numpy() == "ä".encode()


def test_text():
    assert repr(hf.constant(0.1)) == "<hf.Tensor: shape=(), dtype=float32, device=CPU:0, numpy=0.1>"
    assert str(hf.constant(0.1)) == "hf.Tensor(0.1, shape=(), dtype=float32)"
    assert str(hf.constant([True])) == "hf.Tensor([ True], shape=(1,), dtype=bool)"
    assert str(hf.constant("s")) == "hf.Tensor(b's', shape=(), dtype=string)"
    two = hf.constant([[1, 2], [3, 4]])
    assert str(two) == "hf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)"
    shown = "<hf.Tensor: shape=(2, 2), dtype=int32, device=CPU:0, numpy=\narray([[1, 2]"
    assert repr(two).startswith(shown)


def test_places():
    t = hf.constant(1.0)
    assert t.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    assert t.cpu() is t
    t.set_shape([])
    t.set_shape(None)
    with pytest.raises(ValueError, match=r"shape \(\) is not compatible with supplied shape"):
        t.set_shape([1])


@pytest.mark.parametrize("attribute", ["op", "graph", "name", "value_index"])
def test_it_belongs_to_no_graph(attribute):
    t = hf.constant(1.0)
    with pytest.raises(AttributeError, match=f"Tensor.{attribute} is meaningless when eager"):
        getattr(t, attribute)
    assert not hasattr(t, attribute)


def test_what_else_it_lacks():
    t = hf.constant(1.0)
    with pytest.raises(AttributeError, match="'EagerTensor' object has no attribute 'nope'"):
        t.nope  # noqa: B018
    with pytest.raises(AttributeError, match=r"consumers\(\) is meaningless"):
        t.consumers()
    with pytest.raises(NotImplementedError, match=r"use `t.numpy"):
        t.eval()


def test_identity_is_equality():
    a, b = hf.constant(1.0), hf.constant(1.0)
    assert a == a
    assert a != b
    assert len({a, b}) == 2


def test_it_is_freed_with_its_last_user():
    t = hf.constant([1.0])
    watch = weakref.ref(t)
    del t
    assert watch() is None or gc.collect() is None or watch() is None


# -- as a Python number ----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, 2.5, True, False])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_is_a_number(value, shape):
    t = hf.constant(value, shape=shape)
    assert (bool(t), int(t), float(t), complex(t)) == (
        bool(value),
        int(value),
        float(value),
        complex(value),
    )
    assert type(float(t)) is float
    assert type(int(t)) is int
    assert type(bool(t)) is bool


@pytest.mark.parametrize("convert", [bool, int, float, complex, lambda t: f"{t:.2f}"])
@pytest.mark.parametrize("shape", [(2,), (0,), (2, 2)])
def test_more_or_less_than_one_element_is_no_number(convert, shape):
    error = ValueError if convert is bool else TypeError  # as an array of NumPy's has it
    with pytest.raises(error, match="Only a tensor with one element can become a"):
        convert(hf.zeros(shape))


def test_complex_is_no_real_number():
    with pytest.raises(TypeError):
        float(hf.constant(1j))


def test_index():
    items = ["a", "b", "c"]
    i = hf.constant(1)
    assert items[i] == "b"
    assert items[i:] == ["b", "c"]
    assert list(range(hf.constant(2, hf.int64))) == [0, 1]
    assert np.arange(5)[i] == 1
    for bad in (hf.constant(1.0), hf.constant([1]), hf.constant(True)):
        with pytest.raises(TypeError, match="Only an integer tensor of rank 0"):
            items[bad]


def test_format():
    t = hf.constant(3.14159)
    assert f"{t:.2f} {hf.constant(7):03d}" == "3.14 007"
    assert f"{t}" == str(t)
    assert f"{t!r}" == repr(t)
    assert f"{hf.constant([2.5]):.1f}" == "2.5"


def test_branches_follow_the_value():
    taken = "yes" if hf.constant(2.0) > 1.0 else "no"
    assert taken == "yes"
    n = hf.constant(0)
    while n < 3:
        n = n + 1
    assert int(n) == 3


# -- as a sequence ---------------------------------------------------------------------------------


def test_iteration_gives_rows():
    rows = list(hf.constant([[1, 2], [3, 4], [5, 6]]))
    assert [r.numpy().tolist() for r in rows] == [[1, 2], [3, 4], [5, 6]]
    a, b = hf.constant([1.0, 2.0])
    assert (float(a), float(b)) == (1, 2)
    assert list(hf.zeros([0, 3])) == []
    assert [float(x) for x in reversed(list(hf.constant([1.0, 2.0])))] == [2, 1]
    with pytest.raises(TypeError, match="Cannot iterate over a scalar tensor"):
        iter(hf.constant(1.0))


def test_iteration_is_differentiable():
    x = hf.constant([1.0, 2.0])
    with hf.GradientTape() as tape:
        tape.watch(x)
        a, b = x
        y = a * b
    assert tape.gradient(y, x).numpy().tolist() == [2, 1]


def test_len():
    assert len(hf.zeros([3, 2])) == 3
    assert len(hf.zeros([0])) == 0
    with pytest.raises(TypeError, match=r"Scalar tensor has no `len\(\)`"):
        len(hf.constant(1.0))


# -- NumPy -----------------------------------------------------------------------------------------


def test_array_protocol():
    t = hf.constant([1.0, 2.0])
    view = np.asarray(t)
    assert view.dtype == np.float32
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    own = np.array(t)
    own[0] = 9
    assert t.numpy().tolist() == [1, 2]
    assert np.asarray(t, np.float64).dtype == np.float64
    assert np.array(hf.constant(5)).shape == ()
    assert np.sum(t) == 3
    assert np.stack([t, t]).shape == (2, 2)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="copy= came with 2.0")
def test_array_protocol_with_copy():
    t = hf.constant([1.0, 2.0])
    assert np.shares_memory(np.asarray(t, copy=False), np.asarray(t))
    assert not np.shares_memory(np.asarray(t, copy=True), np.asarray(t))
    with pytest.raises(ValueError, match="cannot become an array of float64 without a copy"):
        np.asarray(t, np.float64, copy=False)


def test_dlpack():
    t = hf.constant([[1.0, 2.0], [3.0, 4.0]])
    array = np.from_dlpack(t)
    np.testing.assert_array_equal(array, t.numpy())
    assert not np.shares_memory(array, np.asarray(t))
    assert t.__dlpack_device__() == np.zeros(1).__dlpack_device__()
    with pytest.raises(BufferError, match="gives DLPack a copy"):
        t.__dlpack__(copy=False)


OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
OTHERS = {
    "float": 2.0,
    "int": 2,
    "array": np.array([3.0, 0.5], np.float32),
    "scalar": np.float32(2.5),
    "rank 0": np.array(2.5, np.float32),
    "list": [3.0, 0.5],
    "other width": np.float32(2.5),
}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("other", OTHERS)
def test_numpy_and_python_operands_on_either_side(operator, other):
    apply, operand = OPERATORS[operator], OTHERS[other]
    array = np.array([1.5, 2.0], np.float32)
    t = hf.constant(array)
    left, right = apply(t, operand), apply(operand, t)
    assert isinstance(left, hf.EagerTensor)
    assert isinstance(right, hf.EagerTensor)
    plain = np.asarray(operand, np.float32)
    np.testing.assert_allclose(left.numpy(), apply(array, plain), rtol=1e-6)
    np.testing.assert_allclose(right.numpy(), apply(plain, array), rtol=1e-6)
    expected = hf.bool if operator[0] in "<>" else hf.float32
    assert left.dtype is right.dtype is expected


def test_a_tensors_dtype_decides_over_that_of_an_array():
    t = hf.constant([1.0, 2.0])
    for other in (np.ones(2), np.float64(1), np.ones(2, np.int32)):
        for result in (t + other, other + t):
            assert result.dtype is hf.float32
            assert result.numpy().tolist() == [2, 3]


def test_two_tensors_of_different_dtypes_are_an_error():
    a, b = hf.constant([1.0, 2.0]), hf.constant([1, 2])
    for use in (lambda: a + b, lambda: b + a, lambda: a < b):
        with pytest.raises(TypeError, match="does not match type"):
            use()


def test_functions_of_numpy_give_arrays():
    t = hf.constant([1.0, 4.0])
    assert type(np.sqrt(t)) is np.ndarray
    assert type(np.add(t, t)) is np.ndarray
    assert np.mean(t) == 2.5
    assert np.concatenate([t, t]).shape == (4,)


# -- pickling and copying --------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [1.5, [1, 2], [[True]], "text", np.zeros((0, 2)), 1j])
def test_pickling(protocol, value):
    t = hf.constant(value)
    u = pickle.loads(pickle.dumps(t, protocol))
    assert isinstance(u, hf.EagerTensor)
    assert (u.dtype, u.shape) == (t.dtype, t.shape)
    np.testing.assert_array_equal(u.numpy(), t.numpy())
    # Anything that an eager tensor does, it does still.
    assert hf.identity(u).dtype is t.dtype


def test_a_pickle_needs_no_mode():
    data = pickle.dumps(hf.constant([1.0]))
    with hf.graph_mode():
        assert pickle.loads(data).numpy().tolist() == [1]


def test_copies_are_the_tensor_itself():
    t = hf.constant([1.0])
    assert copy.copy(t) is t
    assert copy.deepcopy([t])[0] is t


# -- where it does not belong ----------------------------------------------------------------------


def test_in_a_graph_it_teaches():
    t = hf.constant(7.0)
    with hf.Graph().as_default():
        for use in (
            lambda: t + 1.0,
            lambda: 1.0 + t,
            lambda: hf.constant(1.0) + t,
            lambda: t + hf.constant(1.0),
            lambda: hf.reduce_sum(t),
            lambda: t + t,
            lambda: -t,
            lambda: list(hf.convert_to_tensor(t)),
        ):
            with pytest.raises(RuntimeError, match=r"EagerTensor.*7\.0.*`t.numpy\(\)`"):
                use()
        assert hf.Session().run(hf.constant(t.numpy()) + 1.0) == 8


def test_values_stay_readable_outside_eager_mode():
    t = hf.constant([1.0, 2.0])
    with hf.graph_mode():
        assert float(t.numpy()[0]) == float(np.asarray(t)[0]) == 1
        assert str(t) == "hf.Tensor([1. 2.], shape=(2,), dtype=float32)"
        assert len(t) == 2


def test_a_resource_has_no_array():
    v = hf.get_variable("v", [2])
    handle = v.handle
    assert handle.dtype is hf.resource
    assert handle.shape == []
    for use in (lambda: handle.numpy(), lambda: np.asarray(handle), lambda: bool(handle)):
        with pytest.raises(TypeError, match="dtype resource has no value as an array"):
            use()
    assert "resource" in repr(handle)


def test_a_program_may_set_attributes_of_its_own():
    t = hf.constant(1.0)
    t.origin = "here"
    assert t.origin == "here"
    assert not hasattr(hf.constant(1.0), "origin")


def test_a_tensor_holds_little_else_than_its_array():
    t = hf.constant(1.0)
    assert t.__dict__ == {}
    assert sys.getsizeof(t) < 128
