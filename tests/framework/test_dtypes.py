"""DType singletons, their facts, and as_dtype."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from hybridflow._src.framework import dtypes

# name, TensorFlow's number, NumPy type, kind, bytes in an array
FACTS = [
    ("float32", 1, np.float32, "floating", 4),
    ("float64", 2, np.float64, "floating", 8),
    ("int32", 3, np.int32, "integer", 4),
    ("uint8", 4, np.uint8, "integer", 1),
    ("int16", 5, np.int16, "integer", 2),
    ("int8", 6, np.int8, "integer", 1),
    ("string", 7, np.object_, None, np.dtype(object).itemsize),
    ("complex64", 8, np.complex64, "complex", 8),
    ("int64", 9, np.int64, "integer", 8),
    ("bool", 10, np.bool_, "bool", 1),
    ("uint16", 17, np.uint16, "integer", 2),
    ("complex128", 18, np.complex128, "complex", 16),
    ("float16", 19, np.float16, "floating", 2),
    ("resource", 20, np.object_, None, 1),
    ("variant", 21, np.object_, None, 1),
    ("uint32", 22, np.uint32, "integer", 4),
    ("uint64", 23, np.uint64, "integer", 8),
]
ALL = [dtypes.as_dtype(name + suffix) for name, *_ in FACTS for suffix in ("", "_ref")]


@pytest.mark.parametrize(("name", "enum", "scalar", "kind", "size"), FACTS)
def test_facts_of_each_type(name, enum, scalar, kind, size):
    dtype = getattr(dtypes, name)
    ref = dtypes.as_dtype(name + "_ref")
    assert (dtype.name, int(dtype), dtype.size) == (name, enum, size)
    assert (ref.name, int(ref), ref.size) == (name + "_ref", enum + 100, size)
    for d in (dtype, ref):
        assert d.as_numpy_dtype is scalar
        assert d.np is np.dtype(scalar)
        assert d.base_dtype is dtype
        assert d._as_ref is ref
        assert d.is_ref_dtype == d._is_ref_dtype == (d is ref)
        assert repr(d) == str(d) == f"<dtype: '{d.name}'>"
        for k in ("bool", "integer", "floating", "complex"):
            assert getattr(d, "is_" + k) == (k == kind)
        assert d.is_unsigned == name.startswith("uint")
        assert d.is_quantized is False
        assert d.is_numpy_compatible == (name not in ("resource", "variant"))


def test_no_two_types_are_equal_and_each_equals_its_names():
    assert len(set(ALL)) == len(ALL) == len({int(d) for d in ALL})
    for a in ALL:
        assert [a == b for b in ALL] == [a is b for b in ALL]
        assert [a != b for b in ALL] == [a is not b for b in ALL]
        assert a == a.name
        assert a == int(a)
        assert hash(a) == hash(int(a))
    assert dtypes.float32 == np.float32
    assert dtypes.float32 == np.dtype("float32")
    assert np.dtype("float32") == dtypes.float32
    assert dtypes.float32 != np.float64
    for other in (None, "no such type", [1], 1.5, object()):
        assert dtypes.float32 != other


@pytest.mark.parametrize("dtype", ALL, ids=lambda d: d.name)
def test_copies_and_pickles_are_the_same_object(dtype):
    assert copy.copy(dtype) is dtype
    assert copy.deepcopy([dtype])[0] is dtype
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(dtype, protocol)) is dtype
    assert dtypes.DType(int(dtype)) is dtype


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        (complex, "complex128"),
        (str, "string"),
        (bytes, "string"),
        (object, "string"),
        (np.dtype(object), "string"),
        (np.dtype("U7"), "string"),
        (np.dtype("S2"), "string"),
        (np.str_, "string"),
        (np.bytes_, "string"),
        (np.bool_, "bool"),
        (np.longlong, "int64"),
        (np.dtype("longlong"), "int64"),
        (np.dtype(">f4"), "float32"),
        (np.dtype(">i8"), "int64"),
        (np.int32(1), "float32"),
        ("half", "float16"),
        ("float", "float32"),
        ("double", "float64"),
        ("double_ref", "float64_ref"),
        (103, "int32_ref"),
        (dtypes.int8, "int8"),
    ],
)
def test_as_dtype(value, name):
    assert dtypes.as_dtype(value) is dtypes.as_dtype(name)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.0,
        0,
        24,
        "f4",
        "Float32",
        [np.float32],
        {},
        np.dtype([("a", np.float32)]),
        np.dtype("datetime64[s]"),
        np.datetime64,
        list,
    ],
    ids=repr,
)
def test_as_dtype_names_what_it_refuses(value):
    with pytest.raises(TypeError) as info:
        dtypes.as_dtype(value)
    assert repr(value) in str(info.value)


def test_bounds():
    assert (dtypes.int8.min, dtypes.int8.max) == (-128, 127)
    assert (dtypes.uint64.min, dtypes.uint64.max) == (0, 2**64 - 1)
    assert dtypes.float16.max == np.float16(65504)
    assert dtypes.float32.min == np.finfo(np.float32).min
    assert dtypes.as_dtype("int32_ref").max == 2**31 - 1
    for dtype in (dtypes.bool, dtypes.string, dtypes.complex64, dtypes.resource):
        with pytest.raises(TypeError, match=f"minimum value of .*{dtype.name}"):
            _ = dtype.min
        with pytest.raises(TypeError, match=f"maximum value of .*{dtype.name}"):
            _ = dtype.max


def test_limits_are_those_of_images():
    assert dtypes.float64.limits == (0, 1)
    assert dtypes.int16.limits == (0, 32767)
    assert dtypes.uint8.limits == (0, 255)
    assert dtypes.bool.limits == (0, True)
    with pytest.raises(ValueError, match="complex64"):
        _ = dtypes.complex64.limits


def test_real_dtype():
    assert dtypes.complex64.real_dtype is dtypes.float32
    assert dtypes.complex128.real_dtype is dtypes.float64
    assert dtypes.as_dtype("complex64_ref").real_dtype is dtypes.float32
    assert dtypes.int32.real_dtype is dtypes.int32


def test_compatibility_goes_from_base_to_reference_only():
    ref = dtypes.as_dtype("float32_ref")
    assert dtypes.float32.is_compatible_with(ref)
    assert dtypes.float32.is_compatible_with(np.float32)
    assert ref.is_compatible_with(ref)
    assert not ref.is_compatible_with(dtypes.float32)
    assert not dtypes.float32.is_compatible_with("float64")


def test_types_have_no_room_for_stray_attributes():
    with pytest.raises(AttributeError):
        dtypes.float32.nmae = "x"
