"""`tensor[...]` against NumPy's, and the strided slices that it makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridflow as hf

SHAPE = (4, 3, 5)
ARRAY = np.arange(60, dtype=np.float64).reshape(SHAPE)


def bounds(size):
    return st.none() | st.integers(-size - 2, size + 2)


def entries(size):
    """An entry of an index for a dimension of that size."""
    ranges = st.builds(
        slice, bounds(size), bounds(size), st.none() | st.integers(-3, 3).filter(bool)
    )
    return st.integers(-size, size - 1) | ranges


@st.composite
def indices(draw):
    """Indices of all kinds: for the first dimensions, or around an ellipsis; new axes anywhere."""
    before = draw(st.integers(0, 3))
    after = draw(st.integers(0, 3 - before))
    parts = [draw(entries(size)) for size in SHAPE[:before]]
    if after or draw(st.booleans()):
        parts.append(Ellipsis)
        parts.extend(draw(entries(size)) for size in SHAPE[3 - after :])
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@given(indices())
@settings(max_examples=300, deadline=None)
def test_equals_numpy(index):
    wanted = ARRAY[index]
    with hf.eager_mode():
        np.testing.assert_array_equal(hf.constant(ARRAY)[index].numpy(), wanted)
    with hf.Graph().as_default(), hf.Session() as session:
        known = hf.constant(ARRAY)[index]
        assert known.shape.as_list() == list(wanted.shape)
        x = hf.placeholder(hf.float64, [None] * 3)
        partly, unknown = x[index], hf.placeholder_with_default(x, None)[index]
        assert partly.shape.is_compatible_with(wanted.shape)
        for value in session.run([known, partly, unknown], {x: ARRAY}):
            np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize(
    ("index", "value"),
    [([0, 1], 2.0), ([0], [1.0, 2.0]), ([], [[1.0, 2.0], [3.0, 4.0]]), ([slice(0, 1), 0], [1.0])],
)
def test_a_list_is_a_tuple(execution, index, value):
    """What TensorFlow 1.4.1 and 1.15.5 gave, for tensors and variables; NumPy takes rows."""
    rows = [[1.0, 2.0], [3.0, 4.0]]

    def parts(x):
        return x[index], hf.get_variable("v", initializer=rows)[index]

    for part in execution(parts, rows):
        assert part.tolist() == value


@given(indices())
@settings(max_examples=60, deadline=None)
def test_bounds_as_tensors(index):
    """Every int of an index may be a tensor, of one integer dtype or the other."""
    wanted = ARRAY[index]
    for dtype in (hf.int32, hf.int64):
        with hf.Graph().as_default(), hf.Session() as session:

            def tensor(value, dtype=dtype):
                fixed = not isinstance(value, int)
                return (
                    value if fixed else hf.placeholder_with_default(hf.constant(value, dtype), [])
                )

            def symbolic(part, tensor=tensor):
                if isinstance(part, slice):
                    return slice(tensor(part.start), tensor(part.stop), part.step)
                return tensor(part)

            taken = hf.constant(ARRAY)[tuple(symbolic(part) for part in index)]
            assert taken.shape.is_compatible_with(wanted.shape)
            assert taken.shape.ndims == wanted.ndim
            np.testing.assert_array_equal(session.run(taken), wanted)
        with hf.eager_mode():

            def tensor(value, dtype=dtype):
                return hf.constant(value, dtype) if isinstance(value, int) else value

            taken = hf.constant(ARRAY)[tuple(symbolic(part, tensor) for part in index)]
            np.testing.assert_array_equal(taken.numpy(), wanted)


@given(indices())
@settings(max_examples=60, deadline=None)
def test_gradient_puts_back(index):
    picked = np.zeros(SHAPE)
    picked[index] = weights = np.arange(1.0, ARRAY[index].size + 1).reshape(ARRAY[index].shape)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder_with_default(hf.constant(ARRAY), None)
        (grad,) = hf.gradients(x[index], x, weights)
        np.testing.assert_array_equal(session.run(grad), picked)


class TestStaticShapes:
    def shape_of(self, dims, index):
        with hf.Graph().as_default():
            return hf.placeholder(hf.float32, dims)[index].shape

    def test_unknown_sizes(self):
        assert self.shape_of([None, 4], np.s_[:2]).as_list() == [None, 4]
        assert self.shape_of([None, 4], 0).as_list() == [4]
        assert self.shape_of([None, 4], np.s_[..., None, 1:3]).as_list() == [None, 1, 2]
        assert self.shape_of(None, 0).ndims is None

    def test_unknown_bounds(self):
        with hf.Graph().as_default():
            n = hf.placeholder(hf.int32, [])
            x = hf.placeholder(hf.float32, [6, 4])
            assert x[n].shape.as_list() == [4]
            assert x[n:].shape.as_list() == [None, 4]
            assert x[n:, 1:3].shape.as_list() == [None, 2]
            assert x[n, n].shape.as_list() == []

    def test_shapes_that_are_read_from_shapes(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32, [None, 4, 5])
            flat = hf.reshape(x, [hf.shape(x)[0], 20])
            assert flat.shape.as_list() == [None, 20]
            assert hf.zeros(hf.shape(x)[1:]).shape.as_list() == [4, 5]


class TestErrors:
    def test_graph_and_eager(self):
        for index, message in (
            (4, "slice index 4 of dimension 0 out of bounds"),
            ((0, -4), "slice index -4 of dimension 1 out of bounds"),
            ((0, 0, 0, 0), "Index out of range using input dim 3; input has only 3 dims"),
            ((Ellipsis, Ellipsis), "Multiple ellipses"),
            (slice(None, None, 0), "must be non-zero"),
        ):
            with hf.eager_mode():
                x = hf.constant(ARRAY)
                with pytest.raises(ValueError, match=message):
                    x[index]
            with hf.Graph().as_default():
                x = hf.constant(ARRAY)
                with pytest.raises(ValueError, match=message) as caught:
                    x[index]
            assert "for 'strided_slice' (op: 'StridedSlice')" in str(caught.value)

    def test_in_a_session(self):
        with hf.Graph().as_default(), hf.Session() as session:
            n = hf.placeholder(hf.int32, [])
            row = hf.constant(ARRAY)[n]
            with pytest.raises(hf.errors.InvalidArgumentError, match="slice index 7"):
                session.run(row, {n: 7})

    @pytest.mark.parametrize("index", [1.0, True, "a", np.array([0, 1]), [[0]], np.array([True])])
    def test_kinds(self, index):
        for mode in (hf.eager_mode, hf.graph_mode):
            with hf.Graph().as_default(), mode():
                x = hf.constant(ARRAY)
                with pytest.raises(TypeError, match=r"valid indices.*gather"):
                    x[index]

    def test_float_tensors(self):
        with hf.Graph().as_default():
            x = hf.constant(ARRAY)
            for index in (hf.constant(1.0), hf.constant([1])):
                with pytest.raises(TypeError, match="valid indices"):
                    x[index]


def test_names():
    with hf.Graph().as_default() as graph:
        x = hf.placeholder(hf.float32, [4, 5], name="x")
        n = hf.placeholder(hf.int32, [], name="n")
        x[1]
        x[n:3, 2]
        names = [op.name for op in graph.get_operations()]
    assert names == [
        "x",
        "n",
        "strided_slice/stack",
        "strided_slice/stack_1",
        "strided_slice/stack_2",
        "strided_slice",
        "strided_slice_1/stack/1",
        "strided_slice_1/stack",
        "strided_slice_1/stack_1",
        "strided_slice_1/stack_2",
        "strided_slice_1",
    ]


def test_strided_slice_masks():
    with hf.eager_mode():
        x = hf.constant(ARRAY)

        def part(begin, end, strides=None, **masks):
            return hf.strided_slice(x, begin, end, strides, **masks).numpy().tolist()

        assert part([1], [3]) == ARRAY[1:3].tolist()
        assert part([1, 1], [3, 3], begin_mask=2, end_mask=1) == ARRAY[1:, :3].tolist()
        assert part([0, 2], [0, 3], ellipsis_mask=1) == ARRAY[..., 2:3].tolist()
        assert part([0, 1], [0, 2], new_axis_mask=1) == ARRAY[None, 1:2].tolist()
        assert part([2], [9], shrink_axis_mask=1) == ARRAY[2].tolist()
        with pytest.raises(ValueError, match="only stride 1"):
            part([2], [9], [-1], shrink_axis_mask=1)
        with pytest.raises(ValueError, match="1D equal size"):
            part([0, 0], [1], [1])


def test_variables_and_lists():
    with hf.eager_mode():
        # As in TF 1.4 a list is a tuple.
        assert float(hf.constant(ARRAY)[[1, 2, 3]]) == ARRAY[1, 2, 3]
        assert hf.constant(ARRAY)[np.int64(2), hf.Dimension(1)].numpy().tolist() == (
            ARRAY[2, 1].tolist()
        )
        assert hf.constant(3.0)[...].numpy() == 3.0
        assert hf.constant([1, 2])[()].numpy().tolist() == [1, 2]
