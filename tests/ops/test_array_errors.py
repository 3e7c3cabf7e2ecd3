"""What array ops refuse: TensorFlow's class and words, in both modes and at run time."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

INVALID = hf.errors.InvalidArgumentError

# (what to call, class, message): refused while the graph is built, and by eager mode.
AT_ONCE = {
    "constant none": (lambda: hf.constant(None), ValueError, "None values not supported"),
    "constant shape": (lambda: hf.constant([1, 2, 3], shape=[2]), ValueError, "Too many elements"),
    "constant size": (lambda: hf.constant([1, 2, 3], shape=[2]), TypeError, "Too many elements"),
    "constant verify": (
        lambda: hf.constant([1, 2], shape=[3], verify_shape=True),
        TypeError,
        r"Expected Tensor's shape: \(3,\), got \(2,\)",
    ),
    "constant unknown": (lambda: hf.constant(1, shape=[None]), TypeError, "fully known"),
    "constant dtype": (lambda: hf.constant(1.5, hf.int32), TypeError, "Expected int32, got 1.5"),
    "fill vector": (lambda: hf.fill([2], [1]), ValueError, "must be rank 0 but is rank 1"),
    "fill matrix": (lambda: hf.fill([[2]], 1), ValueError, "must be rank 1 but is rank 2"),
    "fill negative": (lambda: hf.fill([-1], 1), ValueError, "Fill dimensions must be >= 0"),
    "zeros negative": (lambda: hf.zeros([-1]), ValueError, "Fill dimensions must be >= 0"),
    "zeros unknown": (
        lambda: hf.zeros([2, None]),
        ValueError,
        r"partially known TensorShape to a Tensor: \(2, \?\)",
    ),
    "zeros shape": (lambda: hf.zeros(hf.TensorShape([None])), ValueError, "partially known"),
    "ones strings": (lambda: hf.ones([2], hf.string), TypeError, "Expected string"),
    "range zero": (lambda: hf.range(0, 5, 0), ValueError, "Requires delta != 0"),
    "range up": (lambda: hf.range(5, 0), ValueError, "start <= limit when delta > 0: 5/0"),
    "range down": (lambda: hf.range(0, 5, -1), ValueError, "start >= limit when delta < 0: 0/5"),
    "range vector": (lambda: hf.range([1]), ValueError, "must be rank 0 but is rank 1"),
    "range bool": (lambda: hf.range(True), TypeError, "bool"),
    "linspace none": (lambda: hf.linspace(0.0, 1.0, 0), ValueError, "Requires num > 0: 0"),
    "linspace ints": (lambda: hf.linspace(0, 1, 5), TypeError, "start.*int32"),
    "one_hot axis": (lambda: hf.one_hot([1], 3, axis=3), ValueError, r"-1 or between \[0, 2\)"),
    "one_hot depth": (lambda: hf.one_hot([1], -1), ValueError, "must be non-negative"),
    "one_hot indices": (lambda: hf.one_hot([0.5], 3), TypeError, "indices.*float32"),
    "one_hot values": (lambda: hf.one_hot([1], 3, 1, 1.0), TypeError, "does not match"),
    "one_hot dtype": (
        lambda: hf.one_hot([1], 3, on_value=1, dtype=hf.float32),
        TypeError,
        "int32 of on_value does not match dtype parameter float32",
    ),
    "eye negative": (lambda: hf.eye(-1), ValueError, "Fill dimensions must be >= 0"),
    "default shape": (lambda: hf.placeholder_with_default([1.0], [3]), ValueError, r"\(1,\)"),
    "bitcast size": (
        lambda: hf.bitcast(hf.constant([1, 2, 3], hf.int16), hf.int32),
        ValueError,
        "3 does not match 2",
    ),
    "bitcast bool": (lambda: hf.bitcast(hf.constant([True]), hf.int8), TypeError, "input.*bool"),
    "reshape size": (
        lambda: hf.reshape([1, 2, 3, 4], [3]),
        ValueError,
        r"Cannot reshape a tensor with 4 elements to shape \[3\] \(3 elements\)",
    ),
    "reshape infer": (
        lambda: hf.reshape([1, 2, 3, 4], [3, -1]),
        ValueError,
        "must be evenly divisible by 3 but is 4",
    ),
    "axes of a reduction": (
        lambda: hf.reduce_sum([[1, 2]], [[0], [1]]),
        ValueError,
        "must be at most rank 1 but is rank 2",
    ),
    "axis of softmax": (lambda: hf.nn.softmax([1.0], dim=100), INVALID, "Invalid axis 100"),
    "reshape twice": (lambda: hf.reshape([1, 2], [-1, -1]), INVALID, "Only one input size may be"),
    "reshape negative": (lambda: hf.reshape([1, 2], [-2]), INVALID, "must be non-negative, not -2"),
    "reshape scalar": (lambda: hf.reshape([1, 2], 2), ValueError, "must be rank 1 but is rank 0"),
    "reshape floats": (lambda: hf.reshape([1, 2], [2.0]), TypeError, "shape.*float32"),
    "squeeze size": (
        lambda: hf.squeeze([[1, 2]], [1]),
        ValueError,
        r"Can not squeeze dim\[1\], expected a dimension of 1, got 2",
    ),
    "squeeze axis": (
        lambda: hf.squeeze([[1, 2]], [2]),
        ValueError,
        r"squeeze_dims\[0\] not in \[-2,2\)",
    ),
    "squeeze both": (
        lambda: hf.squeeze([[1]], [0], squeeze_dims=[0]),
        ValueError,
        "Cannot specify both",
    ),
    "expand axis": (
        lambda: hf.expand_dims([1, 2], 3),
        ValueError,
        r"dim 3 not in the interval \[-2, 1\]",
    ),
    "expand none": (lambda: hf.expand_dims([1, 2]), ValueError, "None values not supported"),
    "expand both": (lambda: hf.expand_dims([1], 0, dim=0), ValueError, "both 'dim' and 'axis'"),
    "transpose length": (lambda: hf.transpose([[1]], [0]), ValueError, "must be 2 but is 1"),
    "transpose range": (
        lambda: hf.transpose([[1, 2]], [0, 2]),
        ValueError,
        "perm dim 2 is out of range of input rank 2",
    ),
    "transpose twice": (lambda: hf.transpose([[1]], [0, 0]), INVALID, "1 is missing from {0,0}"),
    "transpose negative": (lambda: hf.transpose([[1]], [-1, 0]), INVALID, "-1 is out of range"),
    "matrix_transpose": (lambda: hf.matrix_transpose([1.0]), ValueError, "rank >= 2"),
    "invert": (lambda: hf.invert_permutation([[0]]), ValueError, "must be rank 1 but is rank 2"),
    "reverse axis": (lambda: hf.reverse([[1, 2]], [2]), INVALID, r"'axis'\[0\] = 2 is out of"),
    "reverse twice": (lambda: hf.reverse([[1]], [0, -2]), INVALID, "specified more than once"),
    "tile length": (lambda: hf.tile([[1, 2]], [2]), ValueError, "must be rank 1 but is rank 2"),
    "tile negative": (lambda: hf.tile([[1]], [2, -1]), INVALID, r"multiples\[1\] >= 0, but got -1"),
    "concat scalars": (lambda: hf.concat([1, 2], 0), ValueError, "Can't concatenate scalars"),
    "concat axis": (lambda: hf.concat([[1], [2]], 1), ValueError, "axis 1"),
    "concat shapes": (lambda: hf.concat([[[1, 2]], [[3]]], 0), ValueError, "not compatible"),
    "concat ranks": (lambda: hf.concat([[[1]], [2]], 0), ValueError, "1 and 2"),
    "concat nothing": (lambda: hf.concat([], 0), ValueError, "empty"),
    "concat dtypes": (
        lambda: hf.concat([hf.constant([1.0]), hf.constant([2])], 0),
        TypeError,
        "int32.*float32",
    ),
    "stack shapes": (
        lambda: hf.stack([hf.constant([1, 2]), hf.constant([3])]),
        ValueError,
        r"\(2,\) and \(1,\)",
    ),
    "stack axis": (lambda: hf.stack([[1, 2]], 5), ValueError, r"axis = 5 not in \[-2, 2\)"),
    "unstack scalar": (lambda: hf.unstack(1), ValueError, r"axis = 0 not in \[0, 0\)"),
    "unstack axis": (lambda: hf.unstack([1], axis=3), ValueError, r"axis = 3 not in \[-1, 1\)"),
    "unstack num": (lambda: hf.unstack([1, 2], 3), ValueError, "must be 3 but is 2"),
    "split uneven": (lambda: hf.split([1, 2, 3], 2), ValueError, "evenly divisible by 2 but is 3"),
    "split sum": (lambda: hf.split([1, 2, 3], [1, 1]), ValueError, "must match the size"),
    "split rest": (lambda: hf.split([1, 2], [1, -1, -1]), ValueError, "only have one -1"),
    "split axis": (lambda: hf.split([1, 2], 2, axis=3), ValueError, "axis 3"),
    "pad rank": (lambda: hf.pad([[1, 2]], [[1, 1]]), ValueError, "must be rank 1 but is rank 2"),
    "pad negative": (lambda: hf.pad([1], [[-1, 0]]), ValueError, "must be non-negative"),
    "pad mode": (lambda: hf.pad([1], [[1, 1]], "FOO"), ValueError, "Unknown padding mode: FOO"),
    "pad value": (lambda: hf.pad([1], [[1, 1]], constant_values=1.5), TypeError, "int32, got 1.5"),
    "gather axis": (lambda: hf.gather([[1]], [0], axis=5), ValueError, "axis 5"),
    "gather scalar": (lambda: hf.gather(1, [0]), ValueError, "at least rank 1 but is rank 0"),
    "gather floats": (lambda: hf.gather([1], [0.5]), TypeError, "indices.*float32"),
    "gather_nd depth": (lambda: hf.gather_nd([[1]], [[0, 0, 0]]), ValueError, "params.rank"),
    "gather_nd scalar": (lambda: hf.gather_nd([1], 0), ValueError, "at least rank 1"),
    "scatter_nd depth": (lambda: hf.scatter_nd([[0, 1]], [1.0], [3]), ValueError, "depth 2|match"),
    "scatter_nd shape": (lambda: hf.scatter_nd([[0]], [1.0, 2.0], [3]), ValueError, r"\(2,\)"),
    "where one": (lambda: hf.where([True], [1]), ValueError, "both be non-None or both be None"),
    "where shapes": (lambda: hf.where([True], [1, 2], [3, 4]), ValueError, r"\(1,\) and \(2,\)"),
    "where rows": (lambda: hf.where([True], [[1], [2]], [[3], [4]]), ValueError, "not compatible"),
    "where values": (lambda: hf.where([True], [1], [1, 2]), ValueError, r"\(1,\) and \(2,\)"),
    "where numbers": (lambda: hf.where([0, 1]), TypeError, "Expected bool"),
    "mask scalar": (lambda: hf.boolean_mask([1], True), ValueError, "mask cannot be scalar"),
    "mask shape": (lambda: hf.boolean_mask([1, 2], [True]), ValueError, "incompatible"),
    "unique matrix": (lambda: hf.unique([[1]]), ValueError, "must be rank 1 but is rank 2"),
    "partition shape": (
        lambda: hf.dynamic_partition([1, 2, 3], [0, 1], 2),
        ValueError,
        r"\(3,\) and \(2,\)",
    ),
    "stitch shape": (lambda: hf.dynamic_stitch([[0, 1]], [[1]]), ValueError, r"\(2,\) and \(1,\)"),
    "sequence_mask": (lambda: hf.sequence_mask([1], [3]), ValueError, "maxlen must be scalar"),
    "meshgrid mode": (lambda: hf.meshgrid([1], indexing="zz"), ValueError, "'xy' or 'ij'"),
    "meshgrid key": (lambda: hf.meshgrid([1], foo=1), TypeError, "'foo' is an invalid keyword"),
    "meshgrid none": (lambda: hf.meshgrid(), ValueError, "at least one"),
    "slice beyond": (lambda: hf.slice([1, 2, 3], [1], [3]), INVALID, r"size\[0\] in \[0, 2\]"),
    "slice before": (lambda: hf.slice([1, 2, 3], [-1], [1]), INVALID, r"begin\[0\] in \[0, 3\]"),
    "slice rank": (lambda: hf.slice([1], [0, 0], [1, 1]), ValueError, "rank 2 but is rank 1"),
    "diag_part": (lambda: hf.diag_part([1]), ValueError, "even and positive"),
    "set_diag": (lambda: hf.matrix_set_diag([[1, 2]], [3, 4]), ValueError, "not compatible"),
    "dynamic shape": (
        lambda: hf.broadcast_dynamic_shape([2, 3], [2]),
        ValueError,
        "Incompatible shapes",
    ),
    "static shape": (
        lambda: hf.broadcast_static_shape(hf.TensorShape([2]), hf.TensorShape([3])),
        ValueError,
        r"\(2,\) and \(3,\)",
    ),
}


@pytest.mark.parametrize("eager", [False, True], ids=["graph", "eager"])
@pytest.mark.parametrize("case", AT_ONCE)
def test_refused_at_once(case, eager):
    function, error, message = AT_ONCE[case]
    mode = hf.eager_mode() if eager else hf.graph_mode()
    with hf.Graph().as_default(), mode, pytest.raises(error, match=message):
        function()


def late(value, dtype=None):
    """A tensor of which nothing is known before the run."""
    return hf.placeholder_with_default(hf.constant(value, dtype), None)


# Refused when the graph runs: what to fetch, message.
AT_RUN_TIME = {
    "fill": (lambda: hf.fill(late([-1]), 1), "Fill dimensions must be >= 0"),
    "range": (lambda: hf.range(late(5), 2), "start <= limit when delta > 0: 5/2"),
    "linspace": (lambda: hf.linspace(0.0, 1.0, late(0)), "Requires num > 0: 0"),
    "one_hot": (lambda: hf.one_hot([1], late(-1)), "non-negative"),
    "reshape": (lambda: hf.reshape([1, 2, 3, 4], late([3])), "Cannot reshape a tensor with 4"),
    "reshape infer": (lambda: hf.reshape([1, 2, 3, 4], late([3, -1])), "divisible by 3 but is 4"),
    "reshape twice": (lambda: hf.reshape([1], late([-1, -1])), "Only one input size may be -1"),
    "squeeze": (lambda: hf.squeeze(late([[1, 2]]), [1]), r"squeeze dim\[1\]"),
    "expand_dims": (lambda: hf.expand_dims([1], late(4)), "dim 4 not in the interval"),
    "transpose": (lambda: hf.transpose([[1]], late([0, 0])), "1 is missing from {0,0}"),
    "invert": (lambda: hf.invert_permutation([0, 2]), "2 is out of range"),
    "invert twice": (lambda: hf.invert_permutation([0, 0]), "1 is missing"),
    "reverse": (lambda: hf.reverse([1], late([3])), "is out of valid range"),
    "tile": (lambda: hf.tile([[1]], late([2])), "rank 1 but is rank 2"),
    "concat": (lambda: hf.concat([late([[1, 2]]), [[3]]], 0), "not compatible"),
    "concat axis": (lambda: hf.concat([[1], [2]], late(1)), "axis 1"),
    "stack": (lambda: hf.stack([late([1, 2]), late([3])]), "not compatible"),
    "unstack": (lambda: hf.unstack(late([1, 2]), 3), "must be 3 but is 2"),
    "split": (lambda: hf.split(late([1, 2, 3]), 2), "divisible by 2 but is 3"),
    "split sizes": (lambda: hf.split([1, 2, 3], late([1, 1]), num=2), "must match the size"),
    "pad": (lambda: hf.pad([1], late([[-1, 0]])), "must be non-negative"),
    "pad reflect": (lambda: hf.pad([1, 2, 3], [[3, 0]], "REFLECT"), "3, 0 not less than 3"),
    "pad symmetric": (lambda: hf.pad([1, 2, 3], [[4, 0]], "SYMMETRIC"), "4, 0 greater than 3"),
    "gather": (lambda: hf.gather([1, 2], [[0, 1], [0, -1]]), r"indices\[1,1\] = -1 is not in \[0,"),
    "gather axis": (lambda: hf.gather([[1, 2]], [0, 5], axis=1), r"indices\[1\] = 5 is not in"),
    "gather_nd": (lambda: hf.gather_nd([[1, 2]], [[0, 5]]), r"indices\[0, :\] = \[0, 5\] does not"),
    "scatter_nd": (lambda: hf.scatter_nd([[5]], [1.0], [3]), r"\[5\] does not index into \[3\]"),
    "gather_nd of nothing": (
        lambda: hf.gather_nd(np.zeros([0, 3]), [[0, 1]]),
        "more than 0 entries, but params is empty",
    ),
    "scatter_nd to nothing": (
        lambda: hf.scatter_nd(late([[0]]), late([1.0]), [0]),
        "Indices and updates specified for empty output",
    ),
    "split number": (lambda: hf.split(late([1, 2, 3]), late([1, 2]), num=3), "2 sizes for 3 parts"),
    "where": (lambda: hf.where(late([True]), late([1, 2]), late([3, 4])), "not compatible"),
    "where scalar": (lambda: hf.where(late(True)), "Unhandled input dimensions: 0"),
    "unique": (lambda: hf.unique(late([[1]])), "rank 1 but is rank 2"),
    "partition": (
        lambda: hf.dynamic_partition([1, 2, 3], [0, 1, 5], 2),
        r"partitions\[2\] = 5 is not in \[0, 2\)",
    ),
    "partition of a whole": (
        lambda: hf.dynamic_partition([1, 2, 3], 5, 2),
        r"partitions = 5 is not in \[0, 2\)",
    ),
    "stitch": (lambda: hf.dynamic_stitch([[0, -1]], [[1, 2]]), r"indices\[1\] is out of range"),
    "slice": (lambda: hf.slice([1, 2, 3], late([2]), [2]), r"size\[0\] in \[0, 1\], but got 2"),
    "cast": (lambda: hf.cast(["a"], hf.int32), "Cast string to int32 is not supported"),
}


@pytest.mark.parametrize("case", AT_RUN_TIME)
def test_refused_when_run(case):
    function, message = AT_RUN_TIME[case]
    with hf.Graph().as_default(), hf.Session() as session:
        fetched = function()
        error = hf.errors.UnimplementedError if case == "cast" else INVALID
        with pytest.raises(error, match=message) as caught:
            session.run(fetched)
        tensor = fetched[0] if isinstance(fetched, list | tuple) else fetched
        assert caught.value.op is tensor.op


class TestPlaceholders:
    def test_must_be_fed(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32, [2], name="x")
            with pytest.raises(INVALID, match="feed a value for placeholder tensor 'x'"):
                session.run(x + 1)

    def test_have_no_place_in_eager_mode(self):
        with hf.eager_mode():
            with pytest.raises(RuntimeError, match="not compatible with eager execution"):
                hf.placeholder(hf.float32)
            assert hf.placeholder_with_default([1, 2], [None]).numpy().tolist() == [1, 2]

    def test_attributes(self):
        with hf.Graph().as_default():
            x = hf.placeholder("float32", [None, 2])
            assert x.op.get_attr("dtype") is hf.float32
            assert x.op.get_attr("shape").as_list() == [None, 2]
            assert hf.placeholder(hf.int32).shape.ndims is None

    def test_default_and_feed(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder_with_default([1.0, 2.0], [None])
            y = x * x
            assert session.run(y).tolist() == [1, 4]
            assert session.run(y, {x: [3.0]}).tolist() == [9]
            (grad,) = hf.gradients(y, x)
            assert session.run(grad, {x: [3.0]}).tolist() == [6]


def test_mask_of_unknown_rank():
    with hf.Graph().as_default(), pytest.raises(ValueError, match="must be specified"):
        hf.boolean_mask([1, 2], hf.placeholder(hf.bool))


def test_num_that_cannot_be_told():
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="Cannot infer num from shape"):
            hf.unstack(hf.placeholder(hf.float32, [None]))
        with pytest.raises(ValueError, match="Cannot infer num"):
            hf.split(np.zeros(3), hf.placeholder(hf.int32, [None]))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 1, 2, 0], r"Segment id 1 out of range \[0, 1\), possibly because"),
        ([-1, 0, 1, 1], r"Segment id -1 out of range \[0, 2\)"),
        ([0, 2, 1, 2], "segment ids are not increasing"),
        ([0, 0, 0, -2], "segment ids must be >= 0"),
    ],
)
@pytest.mark.parametrize("op", [hf.sparse_segment_sum, hf.sparse_segment_mean])
def test_ids_of_sparse_segments_name_what_is_wrong(op, ids, message):
    with hf.eager_mode(), pytest.raises(hf.errors.InvalidArgumentError, match=message):
        op(np.ones((10, 2), np.float32), [8, 3, 0, 9], ids)


def test_an_empty_array_of_numpy_is_an_empty_shape(execution):
    """NumPy makes float64 of an empty list, which is a shape all the same."""
    nothing = np.array([])
    assert execution(lambda x: hf.reshape(x, nothing), np.float32([2.0])) == 2.0
    assert execution(lambda x: hf.fill(nothing, x), np.float32(3.0)) == 3.0
    blocks = execution(
        lambda x: hf.space_to_batch_nd(x, nothing, np.zeros((0, 2))), np.float32([1.0, 2.0])
    )
    np.testing.assert_array_equal(blocks, [1, 2])
    with pytest.raises(TypeError, match="float64 not in list of allowed values: int32, int64"):
        execution(lambda x: hf.reshape(x, np.array([1.0])), np.float32([2.0]))
