"""Lists and arrays of tensors, which the loops of TensorFlow's files collect in."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.registry import raw

INVALID = hf.errors.InvalidArgumentError


@pytest.fixture(params=["eager", "graph"])
def value(request):
    """Runs a function of ops in a mode, and gives the value of its result."""

    def run(function):
        if request.param == "eager":
            with hf.eager_mode():
                return function().numpy()
        with hf.Graph().as_default(), hf.Session() as session:
            return session.run(function())

    return run


def empty(dtype=hf.float32):
    return raw.EmptyTensorList(-1, -1, element_dtype=dtype)


def test_lists(value):
    def built():
        items = empty()
        for number in range(3):
            items = raw.TensorListPushBack(items, [float(number)])
        return items

    def stacked():
        items = raw.TensorListSetItem(built(), 1, [5.0])
        items, _ = raw.TensorListPopBack(items, [1], element_dtype=hf.float32)
        return raw.TensorListStack(items, [1], element_dtype=hf.float32)

    assert value(stacked).tolist() == [[0], [5]]
    assert value(lambda: raw.TensorListLength(built())) == 3
    # A list is not changed by what is made of it.
    assert value(lambda: raw.TensorListStack(built(), -1, element_dtype=hf.float32)).shape == (3, 1)
    rows = value(
        lambda: raw.TensorListGetItem(
            raw.TensorListFromTensor([[1, 2], [3, 4]], [2]), 1, [2], element_dtype=hf.int32
        )
    )
    assert rows.tolist() == [3, 4]
    reserved = value(
        lambda: raw.TensorListGetItem(
            raw.TensorListReserve([2], 3, element_dtype=hf.float32),
            0,
            [2],
            element_dtype=hf.float32,
        )
    )
    assert reserved.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: raw.TensorListPopBack(empty(), -1, element_dtype=hf.float32)[1], "an empty list"),
        (
            lambda: raw.TensorListGetItem(empty(), 0, -1, element_dtype=hf.float32),
            "element 0 in a list with 0 elements",
        ),
        (lambda: raw.TensorListStack(empty(), -1, element_dtype=hf.float32), "not known"),
        (
            lambda: raw.TensorListStack(empty(), [1], element_dtype=hf.float32, num_elements=2),
            "expected a list with 2 elements",
        ),
        (
            lambda: raw.TensorListLength(raw.TensorListReserve(-1, -1, element_dtype=hf.float32)),
            "non negative",
        ),
        (
            lambda: raw.TensorListGetItem(
                raw.TensorListReserve(-1, 1, element_dtype=hf.float32),
                0,
                -1,
                element_dtype=hf.float32,
            ),
            "uninitialized element",
        ),
        (
            lambda: raw.TensorListStack(
                raw.TensorListPushBack(raw.TensorListPushBack(empty(), [1.0]), 1.0),
                -1,
                element_dtype=hf.float32,
            ),
            "whose elements differ",
        ),
    ],
)
def test_lists_that_are_misused(value, call, message):
    with pytest.raises(INVALID, match=message):
        value(call)


def array(size=3, **attrs):
    return raw.TensorArrayV3(size, dtype=hf.float32, **attrs)


def test_arrays():
    with hf.Graph().as_default(), hf.Session() as session:
        handle, flow = array(0, dynamic_size=True)
        flow = raw.TensorArrayWriteV3(handle, 1, [1.0, 2.0], flow)
        flow = raw.TensorArrayWriteV3(handle, 0, [3.0, 4.0], flow)
        rows = raw.TensorArrayGatherV3(handle, [1, 0], flow, dtype=hf.float32)
        joined, lengths = raw.TensorArrayConcatV3(handle, flow, dtype=hf.float32)
        size = raw.TensorArraySizeV3(handle, flow)
        for _ in range(3):  # each run makes it anew
            found = session.run([rows, joined, lengths, size])
        assert found[0].tolist() == [[1, 2], [3, 4]]
        assert found[1].tolist() == [3, 4, 1, 2]
        assert found[2].tolist() == [2, 2]
        assert found[3] == 2
        handle, flow = array()
        flow = raw.TensorArraySplitV3(handle, np.arange(4, dtype=np.float32), [1, 0, 3], flow)
        item = raw.TensorArrayReadV3(handle, 2, flow, dtype=hf.float32)
        assert session.run(item).tolist() == [1, 2, 3]
        with hf.control_dependencies([item]):
            session.run(raw.TensorArrayCloseV3(handle))


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda h, f: raw.TensorArrayWriteV3(h, 3, 1.0, f), "not resizeable and size is: 3"),
        (lambda h, f: raw.TensorArrayReadV3(h, 0, f, dtype=hf.float32), "not been written to"),
        (lambda h, f: raw.TensorArrayReadV3(h, 7, f, dtype=hf.float32), "array size is: 3"),
        (
            lambda h, f: raw.TensorArrayWriteV3(h, 0, 1.0, raw.TensorArrayWriteV3(h, 0, 1.0, f)),
            "has already been written to",
        ),
        (lambda h, f: raw.TensorArrayScatterV3(h, [0, 1], [1.0], f), "Expected len.indices."),
        (lambda h, f: raw.TensorArraySplitV3(h, [1.0], [2], f), "Expected sum of lengths"),
    ],
)
def test_arrays_that_are_misused(misuse, message):
    with (
        hf.Graph().as_default(),
        hf.Session() as session,
        pytest.raises(INVALID, match=message),
    ):
        session.run(misuse(*array()))


def test_sizes_that_nothing_holds():
    with hf.Graph().as_default(), hf.Session() as session:
        with pytest.raises(INVALID, match="Size should be >= 0"):
            session.run(array(-1)[1])
        handle, flow = array(0, dynamic_size=True)
        for call in (
            lambda: array(2**31 - 1)[1],
            lambda: raw.TensorArrayWriteV3(handle, 2**31 - 1, 1.0, flow),
            lambda: raw.TensorListLength(
                raw.TensorListReserve(-1, 2**31 - 1, element_dtype=hf.float32)
            ),
        ):
            with pytest.raises(hf.errors.ResourceExhaustedError, match="is too large"):
                session.run(call())


def test_gradients_of_an_array_add_up():
    """An array of gradients is one for each name; what is not written in it is zero."""
    with hf.Graph().as_default(), hf.Session() as session:
        handle, flow = array(3)
        for index in range(3):
            flow = raw.TensorArrayWriteV3(handle, index, [1.0, float(index)], flow)
        grads, start = raw.TensorArrayGradV3(handle, flow, source="gradients")
        written = raw.TensorArrayWriteV3(grads, 1, [1.0, 2.0], start)
        again, _ = raw.TensorArrayGradV3(handle, written, source="gradients")
        written = raw.TensorArrayWriteV3(again, 1, [10.0, 20.0], written)
        rows = raw.TensorArrayGatherV3(again, [0, 1], written, dtype=hf.float32)
        other, start = raw.TensorArrayGradV3(handle, flow, source="others")
        beyond = raw.TensorArrayWriteV3(other, 3, [1.0, 2.0], start)
        assert session.run(rows).tolist() == [[0, 0], [11, 22]]
        with pytest.raises(hf.errors.InvalidArgumentError, match="not resizeable and size is: 3"):
            session.run(beyond)


def test_stacks():
    with hf.Graph().as_default(), hf.Session() as session:
        stack = raw.StackV2(2, elem_type=hf.float32, stack_name="kept")
        one = raw.StackPushV2(stack, [1.0, 2.0])
        with hf.control_dependencies([one]):
            two = raw.StackPushV2(stack, 3.0)
        with hf.control_dependencies([two]):
            top = raw.StackPopV2(stack, elem_type=hf.float32)
        with hf.control_dependencies([top]):
            bottom = raw.StackPopV2(stack, elem_type=hf.float32)
        with hf.control_dependencies([bottom]):
            nothing = raw.StackPopV2(stack, elem_type=hf.float32)
        with hf.control_dependencies([two]):
            third = raw.StackPushV2(stack, 4.0)
        found = session.run([top, bottom])
        assert found[0] == 3
        assert found[1].tolist() == [1, 2]
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"Stack\[kept\] is empty"):
            session.run(nothing)
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"Stack\[kept\] overflowed"):
            session.run(third)
