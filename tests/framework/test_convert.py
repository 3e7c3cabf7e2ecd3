"""From values to arrays and tensors."""

from __future__ import annotations

import array
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from hybridflow._src.framework import convert
from hybridflow._src.framework.arrays import to_array

# -- arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, "int32", ()),
        (-(2**31), "int32", ()),
        (2**31, "int64", ()),
        (2**40, "int64", ()),
        ([1, 2**40], "int64", (2,)),
        (1.5, "float32", ()),
        (1e300, "float32", ()),
        ([1, 2.5], "float32", (2,)),
        ([[1.0, 2.0], [3.0, 4.0]], "float32", (2, 2)),
        (True, "bool", ()),
        ([True, False], "bool", (2,)),
        ([True, 1], "int32", (2,)),
        (1 + 2j, "complex128", ()),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ((1, 2), "int32", (2,)),
        (range(3), "int32", (3,)),
        ("text", "string", ()),
        (b"bytes", "string", ()),
        (["a", b"b"], "string", (2,)),
        (np.float64(1.5), "float64", ()),
        (np.int64(1), "int64", ()),
        (np.zeros((2, 3)), "float64", (2, 3)),
        (np.zeros(2, np.int8), "int8", (2,)),
        (np.zeros(2, ">f4"), "float32", (2,)),
        ([np.float64(1.5)], "float32", (1,)),
        ([np.int64(1)], "int32", (1,)),
        ([np.float16(1.5)], "float16", (1,)),
        (np.array(["a", "bc"]), "string", (2,)),
        (array.array("d", [1.0, 2.0]), "float32", (2,)),
        (hf.Dimension(3), "int32", ()),
        (hf.TensorShape([2, 3]), "int32", (2,)),
        (hf.TensorShape([]), "int32", (0,)),
        ([hf.Dimension(2), 3], "int32", (2,)),
        ([[hf.Dimension(2)], [3]], "int32", (2, 1)),
    ],
)
def test_the_dtype_that_a_value_gets(value, dtype, shape):
    result = to_array(value)
    assert (hf.as_dtype(result.dtype).name, result.shape) == (dtype, shape)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, hf.float32),
        (1, hf.float16),
        (True, hf.float32),
        (True, hf.int32),
        (1, hf.complex64),
        (1.5, hf.complex64),
        (200, hf.uint8),
        (2**63, hf.uint64),
        ([1, 2**63], hf.uint64),
        ([], hf.int32),
        ([[]], hf.bool),
        (np.float64(2.5), hf.float32),
        (np.array([1.5, -1.5]), hf.int32),
        ([np.float32(1.5), 2], hf.float64),
        ([hf.Dimension(2), 3], hf.int64),
        (hf.TensorShape([2, 3]), hf.int64),
        (range(2), hf.float64),
        ("a", hf.string),
    ],
)
def test_a_dtype_that_fits_is_taken(value, dtype):
    result = to_array(value, dtype)
    assert result.dtype == dtype.np
    if dtype is not hf.string and not isinstance(value, (hf.TensorShape, list)):
        np.testing.assert_array_equal(result, np.array(value).astype(dtype.np))


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (1.5, hf.int32, "Expected int32, got 1.5 of type 'float' instead"),
        ([1, 1.5], hf.int32, "Expected int32, got 1.5 of type 'float' instead"),
        ([[1], [2.0]], hf.int64, "Expected int64, got 2.0 of type 'float'"),
        (1, hf.bool, "Expected bool, got 1 of type 'int'"),
        (1j, hf.float32, "Expected float32, got 1j of type 'complex'"),
        ("a", hf.float32, "Expected float32, got 'a' of type 'str'"),
        (["a"], hf.int32, "Expected int32, got 'a' of type 'str'"),
        (1, hf.string, "Expected string, got 1 of type 'int'"),
        ([b"a", 1], hf.string, "Expected string, got 1 of type 'int'"),
        (300, hf.uint8, "Expected uint8, got an out-of-range integer: 300"),
        (-1, hf.uint32, "Expected uint32, got an out-of-range integer: -1"),
        ([2**40], hf.int32, "Expected int32, got an out-of-range integer"),
        (2**31, hf.int32, "Expected int32, got an out-of-range integer"),
        (2**64, hf.int64, "Expected int64, got an out-of-range integer"),
        (None, hf.float32, "None values not supported"),
        ([None], hf.float32, "Expected float32, got None of type 'NoneType'"),
        ([hf.Dimension(None)], hf.int32, "Expected int32, got Dimension"),
        (object(), hf.float32, "Expected float32, got <object"),
        (np.array(["a"]), hf.float32, "Expected float32, got an array of"),
        (1.0, hf.resource, "Expected resource"),
        (hf.Dimension(2), hf.float32, "Cannot convert a Dimension to dtype float32"),
        (hf.TensorShape([2]), hf.float32, "Cannot convert a TensorShape to dtype float32"),
    ],
)
def test_a_dtype_that_does_not_fit_is_refused(value, dtype, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        to_array(value, dtype)
    assert isinstance(caught.value, ValueError if value is None else TypeError)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, ValueError, "None values not supported"),
        ([[1], [2, 3]], ValueError, "must be a dense tensor: .* non-rectangular Python sequence"),
        ([1, [2]], ValueError, "must be a dense tensor: .* mixed types"),
        ({"a": 1}, ValueError, "Failed to convert object of type <class 'dict'> to Tensor"),
        ({"a": 1}, TypeError, "Failed to convert object of type <class 'dict'> to Tensor"),
        (object(), TypeError, "Failed to convert object of type <class 'object'>"),
        ([object()], TypeError, "Failed to convert object of type <class 'list'>"),
        (2**63, ValueError, "an out-of-range integer: 9223372036854775808"),
        ([[2**72]], TypeError, "an out-of-range integer"),
        (hf.Dimension(None), ValueError, "unknown Dimension"),
        (hf.TensorShape(None), ValueError, "partially known TensorShape"),
        (hf.TensorShape([2, None]), ValueError, "partially known TensorShape"),
        (np.zeros(2, "M8[s]"), TypeError, "Cannot convert value dtype"),
    ],
)
def test_a_value_that_no_tensor_holds_is_refused(value, error, message):
    with pytest.raises(error, match=message):
        to_array(value)


numbers = hnp.arrays(
    st.sampled_from(["f4", "f8", "f2", "i4", "i8", "u1", "?", "c8"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


@given(numbers, st.booleans())
def test_an_array_is_copied_whatever_its_layout(value, transposed):
    source = value.T if transposed else value
    result = to_array(source)
    assert result.dtype == value.dtype
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert not np.shares_memory(result, value)
    np.testing.assert_array_equal(result, source)


def test_overflow_and_nan_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_array(1e300) == np.inf
        assert to_array([-1e300])[0] == -np.inf
        assert np.isnan(to_array(float("nan")))
        assert to_array(np.array([1e300]), hf.float32)[0] == np.inf
        assert to_array(1e6, hf.float16) == np.inf


def test_text_becomes_bytes():
    result = to_array([["a", b"b"], ["ä", ""]])
    assert result.tolist() == [[b"a", b"b"], ["ä".encode(), b""]]


# -- tensors ---------------------------------------------------------------------------------------


def test_in_eager_mode_a_value_becomes_an_eager_tensor():
    with hf.eager_mode():
        source = np.zeros(3, np.float32)
        tensor = hf.convert_to_tensor(source)
        source[0] = 1
        assert tensor.numpy().tolist() == [0, 0, 0]
        assert hf.convert_to_tensor(tensor) is tensor
        assert hf.convert_to_tensor(1, hf.float64).dtype is hf.float64


def test_in_graph_mode_a_value_becomes_a_constant():
    with hf.Graph().as_default() as g, hf.Session() as sess:
        a = hf.convert_to_tensor([1.0, 2.0])
        b = hf.convert_to_tensor(3, name="b")
        assert (a.name, a.op.type, b.name) == ("Const:0", "Const", "b:0")
        assert a.shape == [2]
        assert a.graph is g
        assert hf.convert_to_tensor(a, name="unused") is a
        assert len(g.get_operations()) == 2
        assert sess.run([a, b])[0].tolist() == [1, 2]


@pytest.mark.parametrize("mode", [hf.eager_mode, lambda: hf.Graph().as_default()])
def test_a_tensor_of_another_dtype_is_a_value_error(mode):
    with mode():
        t = hf.constant(1.0)
        with pytest.raises(
            ValueError, match="conversion requested dtype int32 for Tensor with dtype float32"
        ) as caught:
            hf.convert_to_tensor(t, hf.int32)
        assert not isinstance(caught.value, TypeError)
        assert hf.convert_to_tensor(t, "float32") is t
        with pytest.raises(TypeError, match="Cannot convert value 'nonsense'"):
            hf.convert_to_tensor(t, "nonsense")


def test_preferred_dtype_is_only_a_wish():
    with hf.eager_mode():
        assert hf.convert_to_tensor(1, preferred_dtype=hf.float64).dtype is hf.float64
        assert hf.convert_to_tensor(1.5, preferred_dtype=hf.int32).dtype is hf.float32
        assert hf.convert_to_tensor(1, hf.int64, preferred_dtype=hf.float32).dtype is hf.int64
        t = hf.constant(1.0)
        assert hf.convert_to_tensor(t, preferred_dtype=hf.int32) is t
        assert hf.convert_to_tensor([1, t], preferred_dtype=hf.float64).dtype is hf.float32


@pytest.mark.parametrize("mode", [hf.eager_mode, lambda: hf.Graph().as_default()])
def test_lists_with_tensors_are_packed(mode):
    with mode():
        a, b = hf.constant([1.0, 2.0]), hf.constant(3.0)
        packed = hf.convert_to_tensor([[b, 4], a, (5, 6.5)])
        assert (packed.shape, packed.dtype) == ([3, 2], hf.float32)
        if hf.executing_eagerly():
            value = packed.numpy()
        else:
            value = hf.Session(graph=packed.graph).run(packed)
            names = [op.name for op in packed.graph.get_operations()]
            assert names[2:] == ["packed/0/1", "packed/0", "packed/2_1", "packed"]
        assert value.tolist() == [[3, 4], [1, 2], [5, 6.5]]


@pytest.mark.parametrize("mode", [hf.eager_mode, lambda: hf.Graph().as_default()])
def test_lists_of_tensors_of_two_dtypes_are_refused(mode):
    with mode():
        a, b = hf.constant(1.0), hf.constant(1)
        with pytest.raises(TypeError, match="list containing a tensor of dtype int32 to float32"):
            hf.convert_to_tensor([a, b])
        with pytest.raises(TypeError, match="Expected int32, got list containing Tensors of type"):
            hf.convert_to_tensor([a, 2], hf.int32)
        with pytest.raises(TypeError, match="Expected float32, got 'x' of type 'str' instead"):
            hf.convert_to_tensor([a, "x"])


def test_long_lists_of_numbers_are_not_searched_one_by_one():
    # A list of plain numbers holds few kinds of things: only those are looked at.
    assert not convert._holds_tensor([1.0] * 10_000)
    with hf.eager_mode():
        assert convert._holds_tensor([1.0, [2.0, [hf.constant(3.0)]]])


# -- tensors where they do not belong --------------------------------------------------------------


def test_a_graph_tensor_in_eager_mode():
    with hf.Graph().as_default():
        t = hf.constant(1.0, name="lost")
    with (
        hf.eager_mode(),
        pytest.raises(TypeError, match=r"lost:0.* has no value in eager mode.*session.run"),
    ):
        hf.convert_to_tensor(t)


def test_a_graph_tensor_in_another_graph():
    with hf.Graph().as_default() as graph:
        t = hf.constant(1.0, name="lost")
    with hf.Graph().as_default() as other:
        assert hf.convert_to_tensor(t) is t
        for made in (hf.add(t, t), t + 1.0, hf.add(1.0, t), hf.stack([t, t]), hf.identity(t)):
            assert made.graph is graph
        assert not other.get_operations()
        own = hf.constant(1.0)
        for mixed in (lambda: t + own, lambda: own + t, lambda: hf.stack([own, t])):
            with pytest.raises(ValueError, match=r"from the same graph as .*pass the value"):
                mixed()
        assert other.get_operations() == [own.op]


def test_a_variable_of_another_graph():
    for resource in (False, True):
        with hf.Graph().as_default() as graph:
            v = hf.get_variable("v", [], use_resource=resource)
        with hf.Graph().as_default() as other:
            assert (v + 1.0).graph is hf.identity(v).graph is graph
            assert not other.get_operations()


def test_an_eager_tensor_in_a_graph():
    with hf.eager_mode():
        t = hf.constant(7.0)
    with (
        hf.Graph().as_default(),
        pytest.raises(RuntimeError, match=r"EagerTensor without building a function.*numpy\(\)"),
    ):
        hf.convert_to_tensor(t)


# -- the registry ----------------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch):
    """Registrations that end with the test."""
    monkeypatch.setattr(convert, "_converters", list(convert._converters))
    monkeypatch.setattr(convert, "_by_type", {})


class Celsius:
    def __init__(self, degrees):
        self.degrees = degrees


class Kelvin(Celsius):
    pass


@pytest.mark.usefixtures("registry")
def test_a_registered_type_converts_and_so_do_its_subclasses():
    calls = []

    def to_tensor(value, dtype=None, name=None, as_ref=False):
        calls.append((dtype, name, as_ref))
        return hf.constant(value.degrees, dtype, name=name)

    hf.register_tensor_conversion_function(Celsius, to_tensor)
    with hf.eager_mode():
        assert hf.convert_to_tensor(Celsius(1.5), name="n").numpy() == 1.5
        assert hf.convert_to_tensor(Kelvin(2.5), hf.float64).dtype is hf.float64
        assert (hf.constant(1.0) + Celsius(2.0)).numpy() == 3
        assert hf.convert_to_tensor([Celsius(1.0), 2.0]).numpy().tolist() == [1, 2]
    assert calls[:2] == [(None, "n", False), (hf.float64, None, False)]


@pytest.mark.usefixtures("registry")
def test_the_smallest_priority_comes_first_and_may_pass():
    calls = []

    def answering(answer):
        def to_tensor(value, dtype=None, name=None, as_ref=False):
            calls.append(answer)
            return NotImplemented if answer is None else hf.constant(answer)

        return to_tensor

    hf.register_tensor_conversion_function(Celsius, answering(1.0), priority=100)
    with hf.eager_mode():
        assert hf.convert_to_tensor(Celsius(0)).numpy() == 1
        hf.register_tensor_conversion_function(Celsius, answering(2.0), priority=100)
        assert hf.convert_to_tensor(Celsius(0)).numpy() == 1
        hf.register_tensor_conversion_function((Celsius, str), answering(3.0), priority=50)
        assert hf.convert_to_tensor(Celsius(0)).numpy() == 3
        hf.register_tensor_conversion_function(Celsius, answering(None), priority=10)
        assert hf.convert_to_tensor(Celsius(0)).numpy() == 3
    assert calls == [1.0, 1.0, 3.0, None, 3.0]


@pytest.mark.usefixtures("registry")
def test_a_converter_that_gives_another_dtype_is_an_error():
    hf.register_tensor_conversion_function(Celsius, lambda v, d, n, r: hf.constant(v.degrees))
    with hf.eager_mode(), pytest.raises(ValueError, match="requested dtype int32"):
        hf.convert_to_tensor(Celsius(1.5), hf.int32)


@pytest.mark.parametrize("base", [5, (), (Celsius, 5), None])
def test_registration_wants_types(base):
    with pytest.raises(TypeError, match="base_type must be a type"):
        hf.register_tensor_conversion_function(base, lambda *a: None)


def test_registration_wants_a_function():
    with pytest.raises(TypeError, match="conversion_func must be callable"):
        hf.register_tensor_conversion_function(Celsius, 5)
