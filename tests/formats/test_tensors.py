"""Arrays as `TensorProto` messages: what TensorFlow writes, and what is no tensor."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import hybridflow as hf
from hybridflow._src.formats import messages

DTYPES = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
]


@hypothesis.given(
    st.sampled_from(DTYPES).flatmap(
        lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3))
    )
)
def test_what_is_written_is_read(array):
    proto = hf.make_tensor_proto(array)
    read = hf.make_ndarray(messages.TensorProto.FromString(proto.SerializeToString()))
    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()
    assert read.flags.writeable


def test_strings():
    proto = hf.make_tensor_proto([["a", b"\xff"], ["", "ä"]])
    assert list(proto.string_val) == [b"a", b"\xff", b"", "ä".encode()]
    assert hf.make_ndarray(proto).tolist() == [[b"a", b"\xff"], [b"", "ä".encode()]]


def test_one_value_is_a_field_and_more_are_bytes():
    assert hf.make_tensor_proto(1.5).float_val[0] == 1.5
    assert hf.make_tensor_proto([1, 2]).tensor_content == np.array([1, 2], np.int32).tobytes()
    assert hf.make_tensor_proto(np.float16(1)).half_val[0] == 0x3C00
    assert list(hf.make_tensor_proto(1 + 2j).dcomplex_val) == [1, 2]


def test_the_last_value_fills_the_shape():
    proto = hf.make_tensor_proto([1, 2], shape=[2, 2])
    assert list(proto.int_val) == [1, 2]
    assert hf.make_ndarray(proto).tolist() == [[1, 2], [2, 2]]


def test_an_array_of_one_value_takes_no_room():
    proto = messages.TensorProto(dtype=1, float_val=[3.0])
    for _ in range(2):
        proto.tensor_shape.dim.add(size=1 << 20)
    with hf.Graph().as_default() as graph:
        node = messages.GraphDef().node.add(name="c", op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.CopyFrom(proto)
        hf.import_graph_def(messages.GraphDef(node=[node]), name="")
        assert graph.get_tensor_by_name("c:0").shape.as_list() == [1 << 20] * 2
        assert len(graph.as_graph_def().SerializeToString()) < 200


def test_arguments():
    assert hf.make_tensor_proto(hf.make_tensor_proto(1)).int_val[0] == 1
    assert hf.make_tensor_proto([1, 2], hf.float64).dtype == hf.float64.as_datatype_enum
    with pytest.raises(ValueError, match="None values not supported"):
        hf.make_tensor_proto(None)
    with pytest.raises(ValueError, match="Too many elements provided"):
        hf.make_tensor_proto([1, 2], shape=[1])
    with pytest.raises(TypeError, match=r"Expected Tensor's shape: \(1, 2\), got \(2,\)"):
        hf.make_tensor_proto([1, 2], shape=[1, 2], verify_shape=True)
    with pytest.raises(TypeError, match=r"Expected int32, got 1\.5"):
        hf.make_tensor_proto([1.5], hf.int32)


def tensor(**fields):
    sizes = fields.pop("sizes", ())
    proto = messages.TensorProto(**fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    ("proto", "error", "message"),
    [
        (tensor(dtype=1, sizes=[2], tensor_content=b"123"), ValueError, "does not have 3 bytes"),
        (tensor(dtype=7, sizes=[1], tensor_content=b"123"), ValueError, "does not have 3 bytes"),
        (tensor(dtype=1, sizes=[1], float_val=[1, 2]), ValueError, "does not have 2 values"),
        (tensor(dtype=1, sizes=[-1], float_val=[1]), ValueError, "has a known shape"),
        (tensor(dtype=1, sizes=[-2], float_val=[1]), ValueError, "less than -1"),
        (tensor(dtype=1, sizes=[1 << 40], float_val=[1, 2]), ValueError, "larger than 2GB"),
        (
            tensor(dtype=1, sizes=[1 << 62] * 3, float_val=[1]),
            ValueError,
            "larger than any memory",
        ),
        (tensor(dtype=4, sizes=[1], int_val=[300]), ValueError, "no values of dtype uint8"),
        (tensor(dtype=0, sizes=[1]), TypeError, "DT_INVALID does not exist here"),
        (tensor(dtype=99, sizes=[1]), TypeError, "number 99 does not exist here"),
        (tensor(dtype=20, sizes=[]), TypeError, "Unsupported tensor type: resource"),
    ],
)
def test_what_is_no_tensor(proto, error, message):
    with pytest.raises(error, match=message):
        hf.make_ndarray(proto)


@pytest.mark.parametrize("dtype", ["float16", "bool", "complex64", "complex128", "uint16"])
def test_what_tensorflow_writes_one_by_one(dtype):
    array = np.array([1, 0, 1]).astype(dtype)
    proto = hf.make_tensor_proto(array)
    assert not proto.tensor_content
    assert hf.make_ndarray(proto).tolist() == array.tolist()
