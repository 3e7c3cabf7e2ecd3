"""Array and creation ops: values, names and static shapes that the recorded cases leave out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from hybridflow._src.framework.registry import raw

A = np.array([[1, 2, 3], [4, 5, 6]], np.int32)


def numpy_of(result):
    if isinstance(result, (list, tuple)):
        return [numpy_of(item) for item in result]
    return result.numpy()


# What to call, and what TensorFlow 1.4 gives.
VALUES = {
    "constant_of_nothing": (lambda: hf.constant([], shape=[3]), np.zeros(3, np.float32)),
    "constant_empty": (lambda: hf.constant(5, shape=[0, 2]), np.zeros((0, 2), np.int32)),
    "constant_large": (lambda: hf.constant(2**40), np.int64(2**40)),
    "constant_array": (lambda: hf.constant(np.array([1.0, 2.5]), hf.int32), np.int32([1, 2])),
    "constant_tensor": (lambda: hf.constant(hf.constant([1.0])), np.float32([1])),
    "constant_string": (lambda: hf.constant("ab"), np.array(b"ab", object)[()]),
    "zeros_strings": (lambda: hf.zeros([2], hf.string), np.array([b"", b""], object)),
    "zeros_of_tensor": (lambda: hf.zeros(hf.constant([2, 1])), np.zeros((2, 1), np.float32)),
    "zeros_mixed": (lambda: hf.zeros([hf.constant(2), 1]), np.zeros((2, 1), np.float32)),
    "zeros_number": (lambda: hf.zeros(3), np.zeros(3, np.float32)),
    "zeros_like_strings": (lambda: hf.zeros_like(["a"]), np.array([b""], object)),
    "ones_like_bools": (lambda: hf.ones_like([False]), np.array([True])),
    "ones_like_dtype": (lambda: hf.ones_like([1.5], hf.int64), np.int64([1])),
    "eye_ints": (lambda: hf.eye(2, dtype=hf.int32), np.eye(2, dtype=np.int32)),
    "eye_nothing": (lambda: hf.eye(0), np.zeros((0, 0), np.float32)),
    "eye_tensor": (
        lambda: hf.eye(hf.constant(2), 3, batch_shape=[2]),
        np.float32([np.eye(2, 3)] * 2),
    ),
    "one_hot_scalar": (lambda: hf.one_hot(1, 3), np.float32([0, 1, 0])),
    "one_hot_on": (lambda: hf.one_hot([1], 2, on_value=7), np.int32([[0, 7]])),
    "range_dtype": (lambda: hf.range(3, dtype=hf.float32), np.float32([0, 1, 2])),
    "range_rounding": (
        lambda: hf.range(0.0, 1.0, 0.1)[-3:],
        np.float32([0.70000005, 0.8000001, 0.9000001]),
    ),
    "lin_space": (lambda: hf.lin_space(0.0, 1.0, 3), np.float32([0, 0.5, 1])),
    "bitcast_smaller": (
        lambda: hf.bitcast(hf.constant([1.0, 2.0]), hf.int8),
        np.int8([[0, 0, -128, 63], [0, 0, 0, 64]]),
    ),
    "bitcast_larger": (
        lambda: hf.bitcast(hf.constant([[1, 2], [3, 4]]), hf.int64),
        np.int64([1 + (2 << 32), 3 + (4 << 32)]),
    ),
    "saturate_inexact": (lambda: hf.saturate_cast([1e30, -1e30], hf.int32), [2147483520, -(2**31)]),
    "saturate_half": (lambda: hf.saturate_cast([70000.0], hf.float16), np.float16([65504])),
    "cast_complex": (lambda: hf.cast(hf.constant([1 + 2j]), hf.float64), np.float64([1])),
    "cast_nan": (lambda: hf.cast([0.0, np.nan], hf.bool), np.array([False, True])),
    "identity_n": (lambda: hf.identity_n([1, 2.5]), [np.int32(1), np.float32(2.5)]),
    "shape_n": (lambda: hf.shape_n([[[1, 2]], [3]]), [np.int32([1, 2]), np.int32([1])]),
    "matrix_transpose": (lambda: hf.matrix_transpose([A]), A.T[None]),
    "conjugate": (
        lambda: hf.transpose(hf.constant([[1 + 2j, 3j]]), conjugate=True),
        np.array([[1 - 2j], [-3j]]),
    ),
    "transpose_scalar": (lambda: hf.transpose(3.0), np.float32(3)),
    "reshape_to_scalar": (lambda: hf.reshape([7], []), np.int32(7)),
    "reshape_empty": (lambda: hf.reshape(np.zeros((0, 3)), [0, -1]), np.zeros((0, 3))),
    "tile_scalar": (lambda: hf.tile(7, []), np.int32(7)),
    "stack_nothing": (lambda: hf.stack([]), np.zeros(0, np.float32)),
    "parallel_stack": (lambda: hf.parallel_stack([[1, 2], [3, 4]]), np.int32([[1, 2], [3, 4]])),
    "pad_int64": (lambda: hf.pad([1], np.array([[1, 0]])), np.int32([0, 1])),
    "scatter_nd": (
        lambda: hf.scatter_nd([[0], [2], [0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [3, 2]),
        np.float32([[4, 4], [0, 0], [2, 2]]),
    ),
    "gather_nd_nothing": (
        lambda: hf.gather_nd([[1, 2, 3]], np.zeros((2, 0), np.int32)),
        np.int32([[[1, 2, 3]]] * 2),
    ),
    "unique_strings": (
        lambda: hf.unique(["b", "a", "b"]),
        [np.array([b"b", b"a"], object), np.int32([0, 1, 0])],
    ),
    "unique_nan": (lambda: hf.unique([np.nan, np.nan, 1.0])[1], np.int32([0, 1, 2])),
    "unique_with_counts": (
        lambda: hf.unique_with_counts([3, 1, 3], hf.int64),
        [np.int32([3, 1]), np.int64([0, 1, 0]), np.int64([2, 1])],
    ),
    "dynamic_partition": (
        lambda: hf.dynamic_partition([[1, 2], [3, 4]], [[0, 1], [1, 0]], 3),
        [np.int32([1, 4]), np.int32([2, 3]), np.int32([])],
    ),
    "dynamic_stitch": (
        lambda: hf.dynamic_stitch([0, [1, 2, 0]], [[9, 9], [[1, 2], [3, 4], [5, 6]]]),
        np.int32([[5, 6], [1, 2], [3, 4]]),
    ),
    "diag_matrix": (
        lambda: hf.diag([[1, 2], [3, 4]])[1, 0],
        np.int32([[0, 0], [3, 0]]),
    ),
    "diag_part": (lambda: hf.diag_part(np.arange(16).reshape(2, 2, 2, 2)), [[0, 5], [10, 15]]),
    "matrix_diag": (lambda: hf.matrix_diag([[1, 2]]), np.int32([[[1, 0], [0, 2]]])),
    "matrix_diag_part": (lambda: hf.matrix_diag_part(A), np.int32([1, 5])),
    "matrix_set_diag": (lambda: hf.matrix_set_diag(A, [8, 9]), np.int32([[8, 2, 3], [4, 9, 6]])),
    "matrix_band_part": (lambda: hf.matrix_band_part(A, -1, 0), np.int32([[1, 0, 0], [4, 5, 0]])),
    "sequence_mask_floats": (
        lambda: hf.sequence_mask([1.0, 2.0], 3),
        np.array([[True, False, False], [True, True, False]]),
    ),
    "dynamic_shape": (lambda: hf.broadcast_dynamic_shape([2, 1], [3]), np.int32([2, 3])),
    "meshgrid_one": (lambda: hf.meshgrid([1, 2]), [np.int32([1, 2])]),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name):
    function, wanted = VALUES[name]
    with hf.eager_mode():
        eager = numpy_of(function())
    if name == "constant_tensor":  # it has a value in eager mode alone
        graph = eager
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            graph = session.run(function())
    for got in (eager, graph):
        pairs = zip(got, wanted, strict=True) if isinstance(got, (list, tuple)) else [(got, wanted)]
        for left, right in pairs:
            np.testing.assert_array_equal(left, right)
            if isinstance(right, (np.ndarray, np.generic)):
                assert left.dtype == right.dtype


class TestAgainstNumpy:
    """Programs drawn at random, with NumPy's functions as the second opinion."""

    arrays = hnp.arrays(
        np.float64, hnp.array_shapes(max_dims=4, max_side=4), elements=st.floats(-9, 9)
    )

    @given(arrays, st.data())
    @settings(max_examples=60, deadline=None)
    def test_transpose(self, x, data):
        perm = data.draw(st.permutations(range(x.ndim)))
        with hf.eager_mode():
            np.testing.assert_array_equal(hf.transpose(x, perm).numpy(), np.transpose(x, perm))
            np.testing.assert_array_equal(hf.transpose(x).numpy(), x.T)

    @given(arrays, st.data())
    @settings(max_examples=60, deadline=None)
    def test_pad(self, x, data):
        pads = [data.draw(st.tuples(*[st.integers(0, n - 1)] * 2)) for n in x.shape]
        with hf.eager_mode():
            for mode in ("constant", "reflect", "symmetric"):
                np.testing.assert_array_equal(hf.pad(x, pads, mode).numpy(), np.pad(x, pads, mode))
            filled = hf.pad(x, pads, constant_values=3.5).numpy()
            np.testing.assert_array_equal(filled, np.pad(x, pads, constant_values=3.5))

    @given(arrays, st.data())
    @settings(max_examples=60, deadline=None)
    def test_gather(self, x, data):
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        indices = data.draw(
            hnp.arrays(
                np.int64,
                hnp.array_shapes(min_dims=0, max_dims=2, max_side=3),
                elements=st.integers(0, x.shape[axis] - 1),
            )
        )
        with hf.eager_mode():
            got = hf.gather(x, indices, axis=axis).numpy()
        np.testing.assert_array_equal(got, np.take(x, indices, axis))

    @given(arrays, st.data())
    @settings(max_examples=60, deadline=None)
    def test_taking_apart_and_putting_together(self, x, data):
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        cut = data.draw(st.integers(0, x.shape[axis]))
        with hf.eager_mode():
            left, right = hf.split(x, [cut, -1], axis)
            assert left.shape[axis] == cut
            np.testing.assert_array_equal(hf.concat([left, right], axis).numpy(), x)
            rows = hf.unstack(x, axis=axis)
            assert all(row.shape.ndims == x.ndim - 1 for row in rows)
            np.testing.assert_array_equal(hf.stack(rows, axis).numpy(), x)
            equal = hf.split(x, x.shape[axis], axis)
            np.testing.assert_array_equal(hf.concat(equal, axis).numpy(), x)

    @given(arrays, st.data())
    @settings(max_examples=60, deadline=None)
    def test_tile_and_reverse(self, x, data):
        times = data.draw(st.tuples(*[st.integers(0, 3)] * x.ndim))
        axes = data.draw(st.lists(st.integers(0, x.ndim - 1), unique=True))
        with hf.eager_mode():
            np.testing.assert_array_equal(hf.tile(x, times).numpy(), np.tile(x, times))
            np.testing.assert_array_equal(hf.reverse(x, axes).numpy(), np.flip(x, axes))

    @given(
        st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool), st.booleans()
    )
    @settings(max_examples=100, deadline=None)
    def test_range(self, start, limit, delta, long):
        if (limit - start) * delta < 0:
            limit = start
        dtype = hf.int64 if long else None
        with hf.eager_mode():
            got = hf.range(start, limit, delta, dtype)
        with hf.Graph().as_default():
            assert hf.range(start, limit, delta).shape.as_list() == got.shape.as_list()
        assert got.numpy().tolist() == list(range(start, limit, delta))
        assert got.dtype == (dtype or hf.int32)

    @given(st.lists(st.integers(-3, 3)))
    @settings(max_examples=60, deadline=None)
    def test_unique(self, values):
        with hf.eager_mode():
            y, idx, count = numpy_of(hf.unique_with_counts(np.array(values, np.int32)))
        assert y.tolist() == list(dict.fromkeys(values))
        assert y[idx].tolist() == values
        assert count.tolist() == [values.count(v) for v in y]

    @given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)), st.data())
    @settings(max_examples=60, deadline=None)
    def test_masks(self, mask, data):
        x = np.arange(mask.size * 2).reshape(*mask.shape, 2)
        with hf.eager_mode():
            np.testing.assert_array_equal(hf.where(mask).numpy(), np.argwhere(mask))
            np.testing.assert_array_equal(hf.boolean_mask(x, mask).numpy(), x[mask])
        with hf.Graph().as_default(), hf.Session() as session:
            taken = hf.boolean_mask(x, hf.placeholder_with_default(mask, [None] * mask.ndim))
            assert taken.shape.as_list() == [None, 2]
            np.testing.assert_array_equal(session.run(taken), x[mask])


class TestStaticShapes:
    def test_reshape(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32, [None, 3])
            n = hf.placeholder(hf.int32, [])

            def dims(tensor, shape):
                return hf.reshape(tensor, shape).shape.as_list()

            assert dims(x, [-1, 3]) == [None, 3]
            assert dims(x, [3, -1]) == [3, None]
            assert dims(x, hf.shape(x)) == [None, 3]
            assert dims(hf.placeholder(hf.float32), [n, 3]) == [None, 3]
            assert dims(hf.zeros([4, 3]), [n, 3]) == [4, 3]
            assert dims(hf.zeros([4, 3]), [n, -1]) == [None, None]
            assert hf.reshape(x, hf.placeholder(hf.int32, [None])).shape.ndims is None
            assert dims(x, hf.placeholder(hf.int32, [4])) == [None] * 4

    def test_others(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32, [None, 3])
            n = hf.placeholder(hf.int32, [])
            unknown = hf.placeholder(hf.float32)
            for tensor, wanted in (
                (hf.zeros([n, 3]), [None, 3]),
                (hf.fill(hf.shape(x), 1.0), [None, 3]),
                (hf.range(n), [None]),
                (hf.one_hot(hf.placeholder(hf.int64, [None]), 5, axis=0), [5, None]),
                (hf.one_hot([1, 2], n), [2, None]),
                (hf.eye(n), [None, None]),
                (hf.expand_dims(x, -1), [None, 3, 1]),
                (hf.expand_dims(x, n), [None, None, None]),
                (hf.squeeze(hf.placeholder(hf.float32, [None, 1]), [1]), [None]),
                (hf.transpose(x), [3, None]),
                (hf.transpose(x, hf.placeholder(hf.int32, [2])), [None, None]),
                (hf.matrix_transpose(hf.placeholder(hf.float32, [7, None, 3])), [7, 3, None]),
                (hf.concat([x, x], 0), [None, 3]),
                (hf.concat([x, x], 1), [None, 6]),
                (hf.concat([x, hf.zeros([4, 2])], 1), [4, 5]),
                (hf.concat([x, x], n), [None, None]),
                (hf.stack([x, hf.zeros([4, 3])], 1), [4, 2, 3]),
                (hf.unstack(x, axis=1)[0], [None]),
                (hf.split(x, 3, 1)[2], [None, 1]),
                (hf.split(x, [1, -1], 1)[1], [None, 2]),
                (hf.split(x, 2, n)[0], [None, None]),
                (hf.tile(x, [2, 2]), [None, 6]),
                (hf.tile(x, [1, n]), [None, None]),
                (hf.pad(x, [[1, 1], [0, 2]]), [None, 5]),
                (hf.pad(x, hf.placeholder(hf.int32, [2, 2]), "REFLECT"), [None, None]),
                (hf.gather(x, [[0, 1]]), [1, 2, 3]),
                (hf.gather(x, n, axis=1), [None]),
                (hf.gather_nd(x, hf.placeholder(hf.int32, [None, 1])), [None, 3]),
                (hf.scatter_nd(hf.placeholder(hf.int32, [None, 1]), x, [8, 3]), [8, 3]),
                (hf.where(hf.placeholder(hf.bool, [None]), x, x), [None, 3]),
                (hf.where(hf.placeholder(hf.bool, [5]), x, x), [5, 3]),
                (hf.slice(x, [0, 1], [-1, 2]), [None, 2]),
                (hf.slice(x, [0, 1], [2, -1]), [2, 2]),
                (hf.slice(x, [n, 0], [2, -1]), [2, 3]),
                (hf.shape(x), [2]),
                (hf.shape(unknown), [None]),
                (hf.dynamic_partition(x, hf.placeholder(hf.int32, [None]), 2)[0], [None, 3]),
                (hf.dynamic_stitch([[0, 4], [1]], [hf.zeros([2, 3]), hf.zeros([1, 3])]), [5, 3]),
                (hf.sequence_mask([1, 2], n), [2, None]),
                (hf.matrix_diag(x), [None, 3, 3]),
            ):
                assert tensor.shape.as_list() == wanted, tensor
            for tensor in (
                hf.transpose(unknown),
                hf.concat([unknown, unknown], 0),
                hf.squeeze(x),
                hf.gather(unknown, [1]),
                hf.reshape(unknown, hf.shape(unknown)),
                hf.tile(unknown, hf.placeholder(hf.int32)),
            ):
                assert tensor.shape.ndims is None, tensor
            assert hf.tile(unknown, [2, 2]).shape.as_list() == [None, None]


class TestConstants:
    def test_a_constant_keeps_its_value(self):
        array = np.array([1.0, 2.0], np.float32)
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.constant(array)
            array[0] = 9
            value = session.run(x)
            assert value.tolist() == [1, 2]
            value[0] = 9
            assert session.run(x).tolist() == [1, 2]
            assert x.op.get_attr("value").tolist() == [1, 2]
            with pytest.raises(ValueError, match="read-only"):
                x.op.get_attr("value")[0] = 9

    def test_eager_constants_are_copies(self):
        array = np.array([1.0, 2.0])
        with hf.eager_mode():
            x = hf.constant(array)
            array[0] = 9
            assert x.numpy().tolist() == [1, 2]

    def test_zeros_are_constants_where_the_shape_is_known(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32, [2, None])
            assert hf.zeros([2, 3]).op.type == "Const"
            assert hf.zeros_like(hf.ones([2])).op.type == "Const"
            assert hf.zeros_like(hf.ones([2]), optimize=False).op.type == "ZerosLike"
            assert hf.zeros_like(x).op.type == "ZerosLike"
            assert hf.zeros_like(x, hf.int32).op.type == "Fill"


NAMES = {
    "zeros": (lambda n: hf.zeros([n, 3]), "zeros/shape/1 zeros/shape zeros/Const zeros"),
    "zeros_like": (lambda n: hf.zeros_like([1, 2]), "zeros_like/tensor zeros_like"),
    "ones_like": (lambda n: hf.ones_like(n), "ones_like/Shape ones_like/Const ones_like"),
    "fill": (lambda n: hf.fill([2], 1.5), "Fill/dims Fill/value Fill"),
    "range": (lambda n: hf.range(n), "range/start range/delta range"),
    "linspace": (
        lambda n: hf.linspace(0.0, 1.0, 3),
        "LinSpace/start LinSpace/stop LinSpace/num LinSpace",
    ),
    "one_hot": (
        lambda n: hf.one_hot([1], 3),
        "one_hot/on_value one_hot/off_value one_hot/indices one_hot/depth one_hot",
    ),
    "eye": (lambda n: hf.eye(2, 3), "eye/ones eye/zeros eye/MatrixSetDiag"),
    "identity_n": (
        lambda n: hf.identity_n([1, 2.0]),
        "IdentityN/input_0 IdentityN/input_1 IdentityN",
    ),
    "cast": (lambda n: hf.cast([1], hf.float32), "Cast/x Cast"),
    "to_float": (lambda n: hf.to_float([1]), "ToFloat/x ToFloat"),
    "saturate_cast": (
        lambda n: hf.saturate_cast(n, hf.uint8),
        "saturate_cast/min saturate_cast/Maximum saturate_cast/max saturate_cast/Minimum "
        "saturate_cast",
    ),
    "transpose": (
        lambda n: hf.transpose(n),
        "transpose/Rank transpose/sub/y transpose/sub transpose/Range/start transpose/Range/delta "
        "transpose/Range transpose/sub_1 transpose",
    ),
    "transpose_perm": (lambda n: hf.transpose(n, []), "transpose/perm transpose"),
    "matrix_transpose": (
        lambda n: hf.matrix_transpose([[1]]),
        "matrix_transpose/a matrix_transpose/transpose/perm matrix_transpose/transpose",
    ),
    "concat": (
        lambda n: hf.concat([[1], [2]], 0),
        "concat/values_0 concat/values_1 concat/axis concat",
    ),
    "concat_one": (lambda n: hf.concat([[1]], 0), "concat/concat_dim concat/input concat"),
    "stack": (lambda n: hf.stack([[1], [2]]), "stack"),
    "stack_tensors": (lambda n: hf.stack([n, 2]), "stack/1 stack"),
    "stack_axis": (lambda n: hf.stack([[1], [2]], 1), "stack/values_0 stack/values_1 stack"),
    "unstack": (lambda n: hf.unstack([1, 2]), "Const unstack"),
    "split": (lambda n: hf.split([1, 2], 2), "Const split/split_dim split/value split"),
    "split_sizes": (lambda n: hf.split([1, 2], [2]), "Const split/value split/split_dim split"),
    "tile": (lambda n: hf.tile([1], [2]), "Tile/input Tile/multiples Tile"),
    "pad": (lambda n: hf.pad([1], [[1, 1]]), "Pad/input Pad/paddings Pad"),
    "pad_value": (
        lambda n: hf.pad([1], [[1, 1]], constant_values=5),
        "PadV2/input PadV2/paddings PadV2/constant_values PadV2",
    ),
    "pad_mirror": (
        lambda n: hf.pad([1, 2], [[1, 1]], "SYMMETRIC"),
        "MirrorPad/input MirrorPad/paddings MirrorPad",
    ),
    "shape": (lambda n: hf.shape([1]), "Shape/Const Shape"),
    "size": (lambda n: hf.size([1]), "Size/Const Size"),
    "rank": (lambda n: hf.rank(n), "Rank"),
    "reverse": (lambda n: hf.reverse([1], [0]), "ReverseV2/tensor ReverseV2/axis ReverseV2"),
    "slice": (lambda n: hf.slice([1], [0], [1]), "Slice/input Slice/begin Slice/size Slice"),
    "strided_slice": (
        lambda n: hf.strided_slice([1], [0], [1], [1]),
        "StridedSlice/input StridedSlice/begin StridedSlice/end StridedSlice/strides StridedSlice",
    ),
    "gather": (lambda n: hf.gather([1], [0]), "Gather/params Gather/indices Gather"),
    "gather_axis": (
        lambda n: hf.gather([[1]], [0], axis=1),
        "GatherV2/params GatherV2/indices GatherV2/axis GatherV2",
    ),
    "where": (lambda n: hf.where([True]), "Where/input Where"),
    "select": (
        lambda n: hf.where([True], [1], [2]),
        "Select/condition Select/t Select/e Select",
    ),
    "sequence_mask": (
        lambda n: hf.sequence_mask([1], 3, hf.float32),
        "SequenceMask/Const SequenceMask/Const_1 SequenceMask/Const_2 SequenceMask/Const_3 "
        "SequenceMask/Range SequenceMask/ExpandDims/dim SequenceMask/ExpandDims SequenceMask/Cast "
        "SequenceMask/Less SequenceMask/Cast_1",
    ),
    "boolean_mask": (
        lambda n: hf.boolean_mask([1], [True]),
        "boolean_mask/tensor boolean_mask/mask boolean_mask/Shape boolean_mask/strided_slice/stack "
        "boolean_mask/strided_slice/stack_1 boolean_mask/strided_slice/stack_2 "
        "boolean_mask/strided_slice boolean_mask/Prod/reduction_indices boolean_mask/Prod "
        "boolean_mask/Shape_1 boolean_mask/strided_slice_1/stack "
        "boolean_mask/strided_slice_1/stack_1 boolean_mask/strided_slice_1/stack_2 "
        "boolean_mask/strided_slice_1 boolean_mask/concat/values_0 boolean_mask/concat/axis "
        "boolean_mask/concat boolean_mask/Reshape boolean_mask/Reshape_1/shape "
        "boolean_mask/Reshape_1 boolean_mask/Where boolean_mask/Squeeze boolean_mask/Gather",
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_names(case):
    """The ops that a function makes have TensorFlow's names, in its order."""
    function, wanted = NAMES[case]
    with hf.Graph().as_default() as graph:
        function(hf.placeholder(hf.int32, [], name="n"))
        assert [op.name for op in graph.get_operations()][1:] == wanted.split()


class TestWhatIsKnownOfShapes:
    """Of sizes that are put together of tensors, each known or not."""

    def test_tile(self):
        with hf.Graph().as_default():
            some = hf.placeholder(hf.int32)
            assert hf.tile(hf.ones([1, 1]), [some, 7]).shape.as_list() == [None, 7]

    def test_reshape(self):
        with hf.Graph().as_default():
            some = hf.placeholder(hf.int32)
            assert hf.reshape(hf.placeholder(hf.float32), [some, 37]).shape.as_list() == [None, 37]

    def test_pad(self):
        with hf.Graph().as_default():
            x, some = hf.ones([4, 4]), hf.placeholder(hf.int32)
            assert hf.pad(x, [[1, 2], some]).shape.as_list() == [7, None]
            assert hf.pad(x, [[some, 0], [1, 2]]).shape.as_list() == [None, 7]
            assert hf.pad(x, [[hf.constant(1), 2], [0, some]]).shape.as_list() == [7, None]
            assert hf.pad(some, [[1, 2], some]).shape.as_list() == [None, None]


def test_parts_of_nothing(execution):
    parts = execution(lambda x: hf.dynamic_partition(x, [0, 1], 3), np.zeros((2, 0)))
    assert [part.shape for part in parts] == [(1, 0), (1, 0), (0, 0)]
    scattered = execution(lambda x: hf.scatter_nd(hf.zeros([0], hf.int32), x, [0]), np.zeros(0))
    assert scattered.shape == (0,)


@pytest.mark.parametrize("out_idx", ["int32", "int64"])
def test_unique_slices(execution, out_idx):
    """Rows, columns and words, as TensorFlow 1.15.5 has them."""
    rows = np.array([[1.0, 2.0, 1.0], [3.0, 3.0, 3.0], [1.0, 2.0, 1.0]])

    def found(x, axis):
        return raw.UniqueWithCountsV2(x, axis, out_idx=hf.as_dtype(out_idx))

    for axis, wanted in ((0, rows[:2]), (1, rows[:, :2]), (-1, rows[:, :2])):
        y, index, counts = execution(lambda x, a=axis: found(x, [a]), rows)
        np.testing.assert_array_equal(y, wanted, strict=True)
        assert (index.tolist(), counts.tolist()) == ([0, 1, 0], [2, 1])
        assert index.dtype == counts.dtype == out_idx
    y, index, counts = execution(lambda: found([[b"a", b"bc"], [b"a", b"bc"]], [0]))
    assert (y.tolist(), index.tolist(), counts.tolist()) == ([[b"a", b"bc"]], [0, 0], [2])
    no_numbers = execution(lambda x: found(x, [0]), np.array([np.nan, np.nan, -0.0, 0.0]))
    assert no_numbers[1].tolist() == [0, 1, 2, 2]
    for axis, text in (([], "1D vector"), ([0, 1], "at most one"), ([2], "between")):
        with pytest.raises(hf.errors.InvalidArgumentError, match=text):
            execution(lambda x, a=axis: found(x, np.array(a, np.int32)), rows)


def test_unique_slices_of_unknown_sizes():
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [2, None])
        y, index = raw.UniqueV2(x, [1])
        assert (y.shape.as_list(), index.shape.as_list()) == ([2, None], [None])
        y, index = raw.UniqueV2(x, hf.placeholder(hf.int64, [None]))
        assert (y.shape.as_list(), index.shape.as_list()) == ([None, None], [None])
        assert raw.UniqueV2(hf.placeholder(hf.float32), [1])[0].shape.ndims is None
