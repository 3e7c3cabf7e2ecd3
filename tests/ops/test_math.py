"""Math ops: what the shared table of samples and the recorded values do not show."""

from __future__ import annotations

import functools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.math import incomplete_math, special_math

NAN, INF = math.nan, math.inf


def assert_array(got, wanted):
    """Equal values, NaN equal to NaN; the dtype is not compared."""
    np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted))


class TestSpecialValues:
    def test_nan_flows_through_comparisons_of_size(self, execution):
        x, y = np.array([NAN, 1.0, NAN]), np.array([1.0, NAN, NAN])
        assert_array(execution(hf.maximum, x, y), [NAN, NAN, NAN])
        assert_array(execution(hf.minimum, x, y), [NAN, NAN, NAN])
        assert_array(execution(hf.sign, np.array([NAN, -0.0, -INF])), [NAN, 0.0, -1.0])
        assert_array(execution(lambda t: hf.clip_by_value(t, 0.0, 1.0), x), [NAN, 1.0, NAN])
        assert_array(execution(hf.reduce_max, x), NAN)

    @pytest.mark.parametrize(
        ("name", "x", "wanted"),
        [
            ("exp", [-INF, INF, 1e4], [0, INF, INF]),
            ("log", [0, -1, INF], [-INF, NAN, INF]),
            ("log1p", [-1, -2, INF], [-INF, NAN, INF]),
            ("sqrt", [-1, INF, 0], [NAN, INF, 0]),
            ("rsqrt", [0, INF, -1], [INF, 0, NAN]),
            ("reciprocal", [0, INF, -INF], [INF, 0, 0]),
            ("sigmoid", [-INF, INF, 0], [0, 1, 0.5]),
            ("tanh", [-INF, INF, 0], [-1, 1, 0]),
            ("expm1", [-INF, INF, 0], [-1, INF, 0]),
            ("asin", [2, -2], [NAN, NAN]),
            ("acosh", [0.5, INF], [NAN, INF]),
            ("atanh", [1, -1, 2], [INF, -INF, NAN]),
            ("lgamma", [0, -1, INF, -INF], [INF, INF, INF, INF]),
            ("digamma", [0, -1, INF], [INF, INF, INF]),
            ("erf", [-INF, INF, NAN], [-1, 1, NAN]),
            ("erfc", [-INF, INF, NAN], [2, 0, NAN]),
        ],
    )
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_of_functions(self, name, x, wanted, dtype, execution):
        got = execution(getattr(hf, name), np.array(x, dtype))
        assert got.dtype == dtype
        assert_array(got, wanted)

    def test_round_takes_halves_to_even(self, execution):
        x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4])
        for function in (hf.round, hf.rint):
            assert_array(execution(function, x), [0, 2, 2, 0, -2, 2])

    def test_round_gives_integers_back(self):
        with hf.eager_mode():
            x = hf.constant([3, 4])
            assert hf.round(x) is x

    def test_pow_of_what_is_not_positive(self, execution):
        x, y = np.array([0.0, -1.0, 2.0]), np.array([2.0, 2.0, 3.0])
        dx, dy = execution.gradient(hf.pow, x, y)
        assert_array(dx, [0.0, -2.0, 12.0])
        # No logarithm of these: the gradient for the exponent is 0.
        np.testing.assert_allclose(dy, [0.0, 0.0, 8 * math.log(2)])

    def test_strings_compare(self, execution):
        def compare():
            x = hf.constant(["a", "b"])
            return hf.equal(x, "a"), hf.not_equal(x, "a"), hf.equal(x[0], "a")

        equal, different, scalar = execution(compare)
        assert (equal.tolist(), different.tolist()) == ([True, False], [False, True])
        assert isinstance(scalar, np.bool_)
        assert scalar


class TestTies:
    def test_maximum_and_minimum_favour_the_first(self, execution):
        x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
        dx, dy = execution.gradient(hf.maximum, x, y)
        assert (dx.tolist(), dy.tolist()) == ([1, 0, 1], [0, 1, 0])
        dx, dy = execution.gradient(hf.minimum, x, y)
        assert (dx.tolist(), dy.tolist()) == ([1, 1, 0], [0, 0, 1])

    def test_kinks(self, execution):
        (dx,) = execution.gradient(hf.abs, np.array([-2.0, 0.0, 2.0]))
        assert dx.tolist() == [-1, 0, 1]
        clipped = lambda t: hf.clip_by_value(t, -1.0, 1.0)  # noqa: E731
        (dx,) = execution.gradient(clipped, np.array([-5.0, -1.0, 0.5, 1.0, 5.0]))
        assert dx.tolist() == [0, 1, 1, 1, 0]

    @pytest.mark.parametrize("function", [hf.reduce_max, hf.reduce_min])
    def test_extremes_share_the_gradient(self, function, execution):
        (dx,) = execution.gradient(function, np.array([[2.0, 2.0], [2.0, 2.0]]))
        assert dx.tolist() == [[0.25, 0.25], [0.25, 0.25]]
        (dx,) = execution.gradient(
            lambda t: function(t, axis=1), np.array([[2.0, 2.0], [2.0, 2.0]])
        )
        assert dx.tolist() == [[0.5, 0.5], [0.5, 0.5]]

    def test_first_of_equal_ones(self, execution):
        x = np.array([[1, 3, 3], [2, 2, 0]])
        assert execution(lambda t: hf.argmax(t, 1), x).tolist() == [1, 0]
        assert execution(lambda t: hf.argmin(t, 1), x).tolist() == [0, 2]
        values, indices = execution(lambda t: tuple(hf.nn.top_k(t, 2)), x)
        assert (values.tolist(), indices.tolist()) == ([[3, 3], [2, 2]], [[1, 2], [0, 1]])


class TestProd:
    @pytest.mark.parametrize(
        ("x", "axis", "wanted"),
        [
            ([0.0, 3.0, 2.0], None, [6, 0, 0]),
            ([0.0, 0.0, 2.0], None, [0, 0, 0]),
            ([[0.0, 5.0], [3.0, 2.0]], None, [[30, 0], [0, 0]]),
            ([[0.0, 5.0], [3.0, 2.0]], 0, [[3, 2], [0, 5]]),
            ([[0.0, 5.0], [3.0, 2.0]], [0, 1], [[30, 0], [0, 0]]),
        ],
    )
    def test_gradient_where_elements_are_zero(self, x, axis, wanted, execution):
        (dx,) = execution.gradient(lambda t: hf.reduce_prod(t, axis), np.array(x))
        assert_array(dx, wanted)


class TestReductions:
    @pytest.mark.parametrize(
        ("name", "of_floats", "of_ints"),
        [
            ("sum", 0, 0),
            ("prod", 1, 1),
            ("max", -INF, -(2**31)),
            ("min", INF, 2**31 - 1),
            ("mean", NAN, 0),
        ],
    )
    def test_of_nothing(self, name, of_floats, of_ints, execution):
        function = getattr(hf, f"reduce_{name}")
        assert_array(execution(function, np.zeros(0, np.float32)), of_floats)
        assert execution(function, np.zeros(0, np.int32)) == of_ints
        assert_array(execution(lambda t: function(t, 0), np.zeros((0, 2))), [of_floats] * 2)

    def test_any_and_all_of_nothing(self, execution):
        assert not execution(hf.reduce_any, np.zeros(0, bool))
        assert execution(hf.reduce_all, np.zeros(0, bool))

    def test_mean_of_integers_rounds_towards_zero(self, execution):
        assert execution(hf.reduce_mean, np.array([-7, -7, 0])) == -4
        assert execution(hf.reduce_mean, np.array([7, 7, 0])) == 4

    def test_half_precision_is_summed_in_single(self, execution):
        x = np.full(5000, 100.0, np.float16)
        assert execution(hf.reduce_mean, x) == 100.0
        assert execution(hf.reduce_mean, x).dtype == np.float16

    def test_an_axis_may_be_given_twice(self, execution):
        assert execution(lambda t: hf.reduce_sum(t, [0, -2]), np.ones((2, 3))).tolist() == [2] * 3

    def test_axes_may_be_a_tensor(self, execution):
        got = execution(lambda t, a: hf.reduce_sum(t, a), np.ones((2, 3)), np.array([0]))
        assert got.tolist() == [2] * 3

    def test_an_empty_list_of_axes_reduces_nothing(self, execution):
        assert execution(lambda t: hf.reduce_sum(t, []), np.ones((2, 3))).shape == (2, 3)

    def test_an_axis_out_of_range(self, execution):
        with pytest.raises((ValueError, hf.errors.InvalidArgumentError), match="dimension 2 for"):
            execution(lambda t: hf.reduce_sum(t, 2), np.ones((2, 3)))

    def test_older_names_of_arguments(self):
        with hf.eager_mode():
            x = hf.ones([2, 3])
            assert hf.reduce_sum(x, reduction_indices=0, keep_dims=True).shape.as_list() == [1, 3]
            with pytest.raises(ValueError, match="both 'keepdims' and 'keep_dims'"):
                hf.reduce_sum(x, keepdims=True, keep_dims=True)
            with pytest.raises(ValueError, match="both 'axis' and 'reduction_indices'"):
                hf.reduce_sum(x, axis=0, reduction_indices=0)
            with pytest.raises(ValueError, match="both 'axis' and 'dimension'"):
                hf.argmax(x, axis=0, dimension=0)

    def test_all_axes_of_an_unknown_rank(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float64)
            total = hf.reduce_sum(x)
            assert total.shape.as_list() == []
            (dx,) = hf.gradients(total, x)
            assert session.run([total, dx], {x: [[1.0, 2.0]]})[1].tolist() == [[1.0, 1.0]]

    def test_logsumexp_of_infinities(self, execution):
        assert execution(hf.reduce_logsumexp, np.array([-INF, -INF])) == -INF
        assert execution(hf.reduce_logsumexp, np.array([INF, 1.0])) == INF
        assert execution(hf.reduce_logsumexp, np.array([1e4, 1e4])) == 1e4 + math.log(2)

    def test_argmax_of_an_empty_axis(self, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match="is empty in shape"):
            execution(lambda t: hf.argmax(t, 1), np.zeros((2, 0)))
        assert execution(hf.argmax, np.zeros((2, 0))).shape == (0,)

    def test_count_nonzero(self, execution):
        x = np.array([[0.0, 1.0, NAN], [0.0, 0.0, 2.0]])
        assert execution(hf.count_nonzero, x) == 3
        assert execution(lambda t: hf.count_nonzero(t, 0, dtype=hf.int32), x).dtype == np.int32

    @given(st.data())
    def test_agree_with_numpy(self, data):
        shape = data.draw(hnp.array_shapes(max_dims=4, max_side=4))
        x = data.draw(hnp.arrays(np.float64, shape, elements=st.integers(-4, 4)))
        axes = data.draw(st.sets(st.integers(0, len(shape) - 1)))
        keep = data.draw(st.booleans())
        with hf.eager_mode():
            for name in ("sum", "prod", "max", "min", "mean"):
                got = getattr(hf, f"reduce_{name}")(x, sorted(axes), keepdims=keep).numpy()
                wanted = getattr(np, name)(x, axis=tuple(axes), keepdims=keep)
                np.testing.assert_allclose(got, wanted, strict=True)


class TestBroadcastGradients:
    @given(st.data())
    def test_gradients_have_the_shapes_of_their_inputs(self, data):
        shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
        first, second = shapes.input_shapes
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=first), rng.normal(size=second)
        with hf.eager_mode():
            tensors = [hf.constant(x), hf.constant(y)]
            with hf.GradientTape() as tape:
                tape.watch(tensors)
                z = tensors[0] * tensors[1]
            dx, dy = tape.gradient(z, tensors)
        ones = np.ones(shapes.result_shape)
        for grad, own, other in ((dx, x, y), (dy, y, x)):
            wanted = ones * other
            extra = wanted.ndim - own.ndim
            wanted = wanted.sum(tuple(range(extra)))
            stretched = [i for i, n in enumerate(own.shape) if n == 1 and wanted.shape[i] != 1]
            wanted = wanted.sum(tuple(stretched), keepdims=True)
            np.testing.assert_allclose(grad.numpy(), wanted, atol=1e-12, strict=True)

    @pytest.mark.parametrize("shape", [None, [None, 3], [2, 3]])
    def test_with_unknown_shapes(self, shape):
        with hf.Graph().as_default(), hf.Session() as session:
            x, bias = hf.placeholder(hf.float64, shape), hf.placeholder(hf.float64, shape and [3])
            grads = hf.gradients(hf.square(x + bias), [x, bias])
            assert [g.shape.as_list() for g in grads if shape] == ([shape, [3]] if shape else [])
            feed = {x: np.ones((2, 3)), bias: np.arange(3.0)}
            dx, db = session.run(grads, feed)
            assert dx.tolist() == [[2, 4, 6]] * 2
            assert db.tolist() == [4, 8, 12]

    def test_no_sum_where_nothing_can_be_broadcast(self):
        with hf.Graph().as_default() as graph:
            x, bias = hf.placeholder(hf.float32, [None, 3]), hf.placeholder(hf.float32, [3])
            hf.gradients(x * 2.0 + bias, x)
            sums = [op for op in graph.get_operations() if op.type == "SumToShape"]
            # Those of the constant and of the bias.
            assert len(sums) == 2


class TestMatmul:
    def test_flags_conflict(self):
        with hf.eager_mode():
            x = hf.ones([2, 2])
            with pytest.raises(ValueError, match="Only one of transpose_a and adjoint_a"):
                hf.matmul(x, x, transpose_a=True, adjoint_a=True)
            with pytest.raises(ValueError, match="Only one of transpose_b and adjoint_b"):
                hf.matmul(x, x, transpose_b=True, adjoint_b=True)

    @pytest.mark.parametrize("batch", [(), (3,)])
    def test_transposed_and_adjoint(self, batch, execution):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(*batch, 3, 2)) + 1j * rng.normal(size=(*batch, 3, 2))
        y = rng.normal(size=(*batch, 4, 3)) + 1j * rng.normal(size=(*batch, 4, 3))
        xt, yt = np.swapaxes(x, -1, -2), np.swapaxes(y, -1, -2)
        got = execution(lambda a, b: hf.matmul(a, b, transpose_a=True, transpose_b=True), x, y)
        np.testing.assert_allclose(got, xt @ yt)
        got = execution(lambda a, b: hf.matmul(a, b, adjoint_a=True, adjoint_b=True), x, y)
        np.testing.assert_allclose(got, xt.conj() @ yt.conj())

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            ((2, 3), (2, 3), "Dimensions must be equal, but are 3 and 2"),
            ((3,), (3,), "Shape must be rank 2 but is rank 1"),
            ((2, 2, 3), (2, 4), "3 and 2"),
            ((2, 2, 3), (5, 3, 4), "2.*5"),
        ],
    )
    def test_shapes_that_do_not_fit(self, x, y, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(hf.matmul, np.ones(x), np.ones(y))

    def test_types(self, execution):
        with pytest.raises(TypeError, match="int64 not in list of allowed values"):
            execution(hf.matmul, np.ones((2, 2), np.int64), np.ones((2, 2), np.int64))

    def test_sparse_is_an_op_of_its_own(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.ones([2, 2])
            product = hf.matmul(x, x, a_is_sparse=True)
            assert product.op.type == "SparseMatMul"
            assert session.run(product).tolist() == [[2, 2], [2, 2]]
            assert session.run(hf.gradients(product, x)[0]).tolist() == [[4, 4], [4, 4]]


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("ijk,lk->ijl", (2, 3, 4), (5, 4)),
    ("ij,kl->jl", (2, 3), (4, 5)),
    ("ij->ji", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij->", (2, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ab,ab,ab->b", (2, 3), (2, 3), (2, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)),
]


class TestContraction:
    @pytest.mark.parametrize("case", EQUATIONS, ids=str)
    def test_einsum(self, case):
        equation, *shapes = case
        rng = np.random.default_rng(0)
        arrays = [rng.normal(size=shape) for shape in shapes]
        wanted = np.einsum(equation, *arrays)
        with hf.eager_mode():
            np.testing.assert_allclose(hf.einsum(equation, *arrays).numpy(), wanted, atol=1e-12)
        for known in (lambda s: s, lambda s: [None] * len(s), lambda s: None):
            with hf.Graph().as_default(), hf.Session() as session:
                tensors = [hf.placeholder(hf.float64, known(s)) for s in shapes]
                result = hf.einsum(equation, *tensors)
                assert result.shape.ndims == wanted.ndim
                feed = dict(zip(tensors, arrays, strict=True))
                np.testing.assert_allclose(session.run(result, feed), wanted, atol=1e-12)
                for grad, array in zip(hf.gradients(result, tensors), arrays, strict=True):
                    assert session.run(grad, feed).shape == array.shape

    @pytest.mark.parametrize(
        ("equation", "message"),
        [
            ("ii,ij->ij", "appears twice in 'ii'"),
            ("ij,jk->ijj", "appears twice in 'ijj'"),
            ("ij,jk->iz", "the output's axis 'z' is of no input"),
            ("...ij,jk->ik", "ellipses"),
            ("ij,jk,kl->il", "is for 3 tensors, got 2"),
            ("i1,1k->ik", "incorrect format"),
            ("ij,jk->ik->i", "incorrect format"),
            ("ijl,jk->ik", "Shape must be rank 3 but is rank 2"),
            ("ij,ik->jk", "axis 'i' of ij,ik->jk has sizes 2 and 3"),
        ],
    )
    def test_equations_that_are_refused(self, equation, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(lambda a, b: hf.einsum(equation, a, b), np.ones((2, 3)), np.ones((3, 4)))

    def test_einsum_takes_a_name_alone(self):
        with hf.Graph().as_default():
            assert hf.einsum("ij->ji", hf.ones([2, 3]), name="turn").op.name == "turn/transpose"
            with pytest.raises(TypeError, match=r"Invalid keyword arguments.*other"):
                hf.einsum("ij->ji", hf.ones([2, 3]), other=1)

    @pytest.mark.parametrize(
        ("axes", "x", "y"),
        [
            (1, (2, 3), (3, 4)),
            (2, (2, 3, 4), (3, 4, 5)),
            ([[1], [0]], (2, 3), (3, 4)),
            ([[2, 0], [0, 1]], (2, 3, 4), (4, 2, 5)),
            ([-1, -2], (2, 3), (3, 4)),
            ([[], []], (2,), (3,)),
            (1, (3,), (3,)),
            (1, (2, 0), (0, 3)),
        ],
        ids=str,
    )
    def test_tensordot(self, axes, x, y):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=x), rng.normal(size=y)
        wanted = np.tensordot(a, b, axes)
        with hf.eager_mode():
            np.testing.assert_allclose(hf.tensordot(a, b, axes).numpy(), wanted)
        for known in (lambda s: s, lambda s: [None] * len(s), lambda s: None):
            with hf.Graph().as_default(), hf.Session() as session:
                p, q = (hf.placeholder(hf.float64, known(s)) for s in (x, y))
                result = hf.tensordot(p, q, axes)
                np.testing.assert_allclose(session.run(result, {p: a, q: b}), wanted)
                da, db = session.run(hf.gradients(result, [p, q]), {p: a, q: b})
                assert (da.shape, db.shape) == (x, y)

    @pytest.mark.parametrize(
        ("axes", "message"),
        [
            (0, "'axes' must be at least 1"),
            (3, "must not be larger than the number of dimensions"),
            ([[0], [0], [1]], "must be an integer or have length 2"),
            ([[0, 1], [0]], "Different number of contraction axes 'a' and 'b', 2 != 1"),
            ([[2], [0]], "out of range for a tensor of rank 2"),
        ],
    )
    def test_tensordot_of_axes_that_make_no_pairs(self, axes, message, execution):
        with pytest.raises(ValueError, match=message):
            execution(lambda a, b: hf.tensordot(a, b, axes), np.ones((2, 2)), np.ones((2, 2)))


class TestNorms:
    def test_orders(self, execution):
        x = np.array([[3.0, -4.0], [1.0, 1.0]])
        for order, wanted in (("euclidean", 27**0.5), (1, 9), (2, 27**0.5), (np.inf, 4)):
            np.testing.assert_allclose(execution(lambda t, o=order: hf.norm(t, o), x), wanted)
        np.testing.assert_allclose(execution(lambda t: hf.norm(t, 3), x), 93 ** (1 / 3))
        for order, wanted in (("fro", 27**0.5), (1, 5), (np.inf, 7)):
            got = execution(lambda t, o=order: hf.norm(t, o, axis=[-2, -1]), x)
            np.testing.assert_allclose(got, wanted)

    @pytest.mark.parametrize(
        ("order", "axis", "message"),
        [
            ("fro", None, "supported vector norm"),
            (-1, None, "supported vector norm"),
            ("x", 0, "supported vector norm"),
            (2, (0, 1), "supported matrix norm"),
            ("euclidean", (0, 0), "tuple of 2 unique integers"),
            ("euclidean", (0, 1, 2), "tuple of 2 unique integers"),
        ],
    )
    def test_what_is_refused(self, order, axis, message):
        with hf.eager_mode(), pytest.raises(ValueError, match=message):
            hf.norm(hf.ones([2, 2]), order, axis)

    def test_gradient_at_zero(self, execution):
        """NaN in TF 1.4; clipping is the identity there, and 0 is the shortest subgradient."""
        rows = np.array([[0.0, 0.0], [3.0, 4.0]])
        for order in (1, 2, 3.0, INF):
            (dx,) = execution.gradient(lambda t, p=order: hf.norm(t, p, axis=1), rows)
            assert dx[0].tolist() == [0.0, 0.0] or order == INF
            assert np.isfinite(dx).all()
        for clip in (
            lambda t: hf.clip_by_norm(t, 1.0),
            lambda t: hf.clip_by_norm(t, 1.0, axes=[0]),
            lambda t: hf.clip_by_average_norm(t, 1.0),
            lambda t: hf.clip_by_global_norm([t, t], 1.0)[0][1],
        ):
            (dx,) = execution.gradient(clip, np.zeros(2))
            assert dx.tolist() == [1.0, 1.0]
        (dx,) = execution.gradient(lambda t: hf.global_norm([t]), np.zeros(2))
        assert dx.tolist() == [0.0, 0.0]
        (dx,) = execution.gradient(lambda t: hf.nn.l2_normalize(t, 1), np.zeros((2, 2)))
        assert np.isfinite(dx).all()

    def test_gradients_of_powers_at_zero(self, execution):
        x = np.array([0.0, 0.0, 2.0])
        for exponent, right in ((0.0, [0, 0, 0]), (1.0, [1, 1, 1]), (2.0, [0, 0, 4])):
            (dx,) = execution.gradient(lambda t, e=exponent: t**e, x)
            assert dx.tolist() == right
            (dx, _) = execution.gradient(lambda t, e: t**e, x, np.full(3, exponent))
            assert dx.tolist() == right

    def test_no_gradient_through_what_was_not_chosen(self, execution):
        """As in later versions of TF; 1.4 gives NaN."""
        x = np.array([0.0, 4.0])
        for function, right in (
            (hf.sqrt, 0.25),
            (hf.rsqrt, -1 / 16),
            (hf.reciprocal, -1 / 16),
        ):
            (dx,) = execution.gradient(
                lambda t, f=function: hf.where(t > 0.0, f(t), hf.zeros_like(t)), x
            )
            assert dx.tolist() == [0.0, right]

    def test_clip_by_norm_of_zero(self, execution):
        assert execution(lambda t: hf.clip_by_norm(t, 1.0), np.zeros(2)).tolist() == [0, 0]

    def test_clip_by_global_norm(self, execution):
        def clip(x, y):
            slices = hf.IndexedSlices(y, hf.constant([1]), hf.constant([3, 1]))
            clipped, norm = hf.clip_by_global_norm([x, None, slices], 1.0)
            assert clipped[1] is None
            assert isinstance(clipped[2], hf.IndexedSlices)
            return clipped[0], clipped[2].values, norm

        x, y, norm = execution(clip, np.array([3.0]), np.array([[4.0]]))
        np.testing.assert_allclose([x[0], y[0, 0], norm], [0.6, 0.8, 5.0])

    def test_clip_by_an_infinite_global_norm(self, execution):
        got = execution(lambda t: hf.clip_by_global_norm([t], 1.0)[0][0], np.array([INF, 1.0]))
        assert_array(got, [NAN, NAN])

    def test_lists_alone(self):
        with hf.eager_mode():
            for function in (hf.global_norm, lambda t: hf.clip_by_global_norm(t, 1.0)):
                with pytest.raises(TypeError, match="t_list should be a sequence"):
                    function(hf.ones([2]))
            assert hf.global_norm([None]).numpy() == 0.0

    def test_bounds_are_not_broadcast_to(self, execution):
        with pytest.raises(ValueError, match="not compatible"):
            execution(lambda t: hf.clip_by_value(t, 0.0, [1.0, 2.0]), np.ones(1))


class TestSegments:
    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            ([0, 2, 0], "not increasing"),
            ([0, 2, 1, 3], "not increasing"),
            ([0, 1, 2, 0], "Segment id 1 out of range"),
            ([-1, 0, 0], "Segment id -1 out of range"),
            ([0, 0, -1], "segment ids must be >= 0"),
            ([0, 0], "segment_ids should be the same size|Dimensions must be equal"),
        ],
    )
    def test_ids_that_do_not_fit(self, ids, message, execution):
        error = (hf.errors.InvalidArgumentError, ValueError)
        with pytest.raises(error, match=message):
            execution(hf.segment_sum, np.ones(max(3, len(ids))), np.array(ids))

    def test_unsorted_ids_out_of_range(self, execution):
        for function in (hf.unsorted_segment_sum, hf.unsorted_segment_max):
            with pytest.raises(
                hf.errors.InvalidArgumentError, match=r"segment_ids\[1\] = 4 is out"
            ):
                execution(lambda x, i, f=function: f(x, i, 4), np.ones(3), np.array([0, 4, 0]))

    def test_negative_unsorted_ids_stand_for_nothing(self, execution):
        x, ids = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, -1, 1])
        for function, wanted in (
            (hf.unsorted_segment_sum, [6, 8]),
            (hf.unsorted_segment_max, [5, 6]),
        ):
            call = functools.partial(lambda x, ids, f: f(x, ids, 2), f=function)
            assert execution(call, x, ids)[1].tolist() == wanted
            gradient = execution.gradient(lambda x, i, c=call: c(x, i), x, ids)[0]
            assert gradient[1].tolist() == [0, 0]
            assert gradient[2].tolist() == [1, 1]

    def test_ids_that_do_not_occur(self, execution):
        x, ids = np.array([1.0, 2.0, 3.0]), np.array([0, 0, 2])
        wanted = {"sum": [3, 0, 3], "mean": [1.5, 0, 3], "max": [2, 0, 3], "min": [1, 0, 3]}
        wanted["prod"] = [2, 1, 3]
        for name, values in wanted.items():
            assert execution(getattr(hf, f"segment_{name}"), x, ids).tolist() == values
        got = execution(lambda t, i: hf.unsorted_segment_max(t, i, 4), x, ids)
        assert got.tolist() == [2, np.finfo(np.float64).min, 3, np.finfo(np.float64).min]

    @given(st.data())
    def test_unsorted_sum_agrees_with_a_loop(self, data):
        rows, width = data.draw(st.integers(0, 60)), data.draw(st.sampled_from([1, 3, 70]))
        count = data.draw(st.integers(1, 5))
        ids = data.draw(hnp.arrays(np.int32, rows, elements=st.integers(-2, count - 1)))
        x = np.arange(rows * width, dtype=np.float64).reshape(rows, width)
        wanted = np.zeros((count, width))
        for i, row in zip(ids, x, strict=True):
            if i >= 0:
                wanted[i] += row
        with hf.eager_mode():
            np.testing.assert_array_equal(hf.unsorted_segment_sum(x, ids, count).numpy(), wanted)

    def test_bincount(self, execution):
        x = np.array([1, 1, 3], np.int32)
        assert execution(hf.bincount, x).tolist() == [0, 2, 0, 1]
        assert execution(lambda t: hf.bincount(t, minlength=6), x).tolist() == [0, 2, 0, 1, 0, 0]
        assert execution(lambda t: hf.bincount(t, maxlength=2), x).tolist() == [0, 2]
        weighted = execution(lambda t: hf.bincount(t, weights=[0.5, 1.0, 2.0]), x)
        assert weighted.tolist() == [0, 1.5, 0, 2]
        assert execution(hf.bincount, np.zeros(0, np.int32)).tolist() == []
        assert execution(lambda t: hf.bincount(t, dtype=hf.int64), x).dtype == np.int64
        with pytest.raises(hf.errors.InvalidArgumentError, match="must be non-negative"):
            execution(hf.bincount, np.array([1, -1], np.int32))


class TestSums:
    def test_add_n(self):
        with hf.eager_mode():
            x = hf.constant([1.0])
            assert hf.add_n([x]) is x
            for empty in ([], x, None):
                with pytest.raises(ValueError, match="list of at least one Tensor"):
                    hf.add_n(empty)
            with pytest.raises(ValueError, match="not compatible"):
                hf.add_n([x, hf.constant([1.0, 2.0])])

    def test_accumulate_n(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32)
            assert hf.accumulate_n([x, x], shape=[2]).op.get_attr("shape").as_list() == [2]
            with pytest.raises(TypeError, match="tensor_dtype"):
                hf.accumulate_n([x, x], tensor_dtype=hf.float64)
            with pytest.raises(ValueError, match="not compatible"):
                hf.accumulate_n([hf.ones([3]), x], shape=[2])

    def test_scalar_mul(self):
        with hf.eager_mode():
            slices = hf.IndexedSlices(hf.constant([[1.0]]), hf.constant([0]), hf.constant([2, 1]))
            assert hf.scalar_mul(3.0, slices).values.numpy().tolist() == [[3.0]]
            with pytest.raises(ValueError, match="Only scalar multiply works"):
                hf.scalar_mul([2.0], hf.constant([1.0]))

    def test_cumulative(self, execution):
        x = np.array([1, 2, 3], np.int8)
        got = execution(lambda t: hf.cumsum(t, exclusive=True, reverse=True), x)
        assert (got.tolist(), got.dtype) == ([5, 3, 0], np.int8)
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"range \[-1, 1\), but got 1"):
            execution(lambda t: hf.cumsum(t, 1), x)


class TestComplex:
    def test_parts(self, execution):
        z = np.array([3 + 4j, -1j], np.complex64)
        for name, wanted in (
            ("real", [3, 0]),
            ("imag", [4, -1]),
            ("abs", [5, 1]),
            ("angle", np.angle(z)),
        ):
            got = execution(getattr(hf, name), z)
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
        assert execution(hf.conj, z).tolist() == [3 - 4j, 1j]
        assert execution(hf.complex, np.array(1.0), np.array(2.0)).dtype == np.complex128

    def test_real_tensors(self):
        with hf.eager_mode():
            x = hf.constant([1.0])
            assert hf.real(x) is x
            assert hf.conj(x) is x
            y = hf.constant([1.0, -1.0, 0.0])
            np.testing.assert_array_equal(hf.imag(y), [0.0, 0.0, 0.0])
            np.testing.assert_array_equal(hf.angle(y), np.float32([0.0, np.pi, 0.0]))
            with pytest.raises(TypeError, match="numeric"):
                hf.conj(hf.constant("a"))
            with pytest.raises(TypeError, match="real and imag"):
                hf.complex(hf.constant(1.0), hf.constant(1.0, hf.float64))


def _ulps(got, wanted):
    """How many units in the last place a float64 is off a high precision value."""
    rounded = float(wanted)
    if got == rounded or (math.isnan(got) and math.isnan(rounded)):
        return 0.0
    return float(abs(mpmath.mpf(float(got)) - wanted) / mpmath.mpf(math.ulp(rounded)))


class TestSpecialFunctions:
    """Against 40 digits, over the whole range of each piece of each function."""

    @pytest.mark.parametrize(
        ("name", "reference", "ranges", "ulps"),
        [
            ("erf", mpmath.erf, [(-6, 6), (-1, 1), (1e-300, 1e-3)], 4),
            ("erfc", mpmath.erfc, [(-6, 26), (0, 3)], 8),
            ("lgamma", lambda x: mpmath.log(abs(mpmath.gamma(x))), [(1e-3, 9), (9, 60)], 8),
            ("digamma", mpmath.digamma, [(1e-3, 2), (2, 30)], 8),
        ],
    )
    def test_accuracy(self, name, reference, ranges, ulps):
        rng = np.random.default_rng(0)
        with mpmath.workdps(40):
            for low, high in ranges:
                x = rng.uniform(low, high, 150)
                for a, got in zip(x, getattr(special_math, name)(x), strict=True):
                    assert _ulps(got, reference(mpmath.mpf(float(a)))) <= ulps, a

    def test_reflection(self):
        x = np.array([-0.5, -1.25, -7.75, -30.1])
        with mpmath.workdps(40):
            for a, gamma, digamma in zip(
                x, special_math.lgamma(x), special_math.digamma(x), strict=True
            ):
                exact = mpmath.mpf(float(a))
                assert gamma == pytest.approx(float(mpmath.log(abs(mpmath.gamma(exact)))), 1e-14)
                assert digamma == pytest.approx(float(mpmath.digamma(exact)), 1e-13)

    @pytest.mark.parametrize("order", [0, 1, 2, 7])
    def test_polygamma(self, order):
        x = np.array([0.01, 0.7, 1.0, 3.3, 20.0, 1e5])
        with np.errstate(all="ignore"):
            got = special_math.polygamma(np.full_like(x, order), x)
        with mpmath.workdps(40):
            wanted = [float(mpmath.psi(order, mpmath.mpf(float(a)))) for a in x]
        np.testing.assert_allclose(got, wanted, rtol=3e-15)

    def test_polygamma_of_negative_numbers(self):
        # By the recurrence psi1(x) = psi1(x + 1) + 1 / x**2.
        x = np.array([-0.5, -1.5, -103.5])
        left = special_math.polygamma(np.ones(3), x)
        right = special_math.polygamma(np.ones(3), x + 1) + x**-2.0
        np.testing.assert_allclose(left, right, rtol=1e-14)

    def test_zeta(self):
        s, q = np.array([1.1, 2.0, 4.0, 30.0]), np.array([0.3, 1.0, 2.5, 7.0])
        with mpmath.workdps(40):
            wanted = [float(mpmath.zeta(float(a), float(b))) for a, b in zip(s, q, strict=True)]
        np.testing.assert_allclose(special_math.zeta(s, q), wanted, rtol=3e-15)

    def test_values_without_a_meaning(self):
        with np.errstate(all="ignore"):
            assert_array(
                special_math.zeta(np.array([1.0, 0.5, 3.0, 2.5]), np.array([2.0, 1.0, 0.0, -1.5])),
                [INF, NAN, INF, NAN],
            )
            order = np.array([-1.0, 0.5, 1.0])
            assert_array(special_math.polygamma(order, np.array([1.0, 1.0, INF])), [NAN, NAN, 0])

    def test_single_and_half_precision_are_rounded_once(self, execution):
        x = np.linspace(-3, 3, 41).astype(np.float32)
        np.testing.assert_array_equal(
            execution(hf.erf, x), special_math.erf(x.astype(np.float64)).astype(np.float32)
        )
        assert execution(hf.lgamma, x.astype(np.float16)).dtype == np.float16

    def test_lbeta(self, execution):
        got = execution(hf.lbeta, np.array([[1.0, 2.0], [3.0, 4.0]]))
        np.testing.assert_allclose(got, [math.log(1 / 2), math.log(6 * 2 / 720)])


def test_raw_ops_refuse_what_numpy_would_take():
    """NumPy broadcasts and flattens where TF does not."""
    with hf.eager_mode():
        with pytest.raises(ValueError, match="rank"):
            raw.MatMul(hf.ones([2, 2, 2]), hf.ones([2, 2, 2]))
        with pytest.raises(ValueError, match="equal"):
            hf.nn.bias_add(hf.ones([2, 3]), hf.ones([1]))
        with pytest.raises(ValueError, match="not compatible"):
            raw.AddN([hf.ones([2, 3]), hf.ones([3])])


def test_trace_and_adjoint(execution):
    x = np.arange(12.0).reshape(2, 2, 3) * (1 + 1j)
    np.testing.assert_allclose(execution(hf.trace, x), np.trace(x, axis1=1, axis2=2))
    np.testing.assert_array_equal(execution(hf.linalg.adjoint, x), x.swapaxes(1, 2).conj())
    with pytest.raises(ValueError, match="rank"):
        execution(hf.trace, np.ones(3))


class TestIncompleteFunctions:
    """The incomplete gamma and beta functions, against 40 digits, by each of their formulas."""

    @pytest.mark.parametrize(
        ("a", "spread"), [(1e-6, 9), (0.3, 4), (2.5, 4), (40.0, 5), (3000.0, 5), (2e4, 6)]
    )
    def test_gamma(self, a, spread):
        rng = np.random.default_rng(1)
        x = np.abs(a + np.sqrt(a) * rng.normal(0, spread / 2, 20)) + 1e-3
        lower = incomplete_math.igamma(np.full(20, a), x)
        upper = incomplete_math.igammac(np.full(20, a), x)
        with mpmath.workdps(40):
            for number, p, q in zip(x, lower, upper, strict=True):
                exact = mpmath.gammainc(a, mpmath.mpf(float(number)), mpmath.inf, regularized=True)
                assert q == pytest.approx(float(exact), 1e-13)
                assert p == pytest.approx(float(1 - exact), 1e-13)

    def test_gamma_of_very_large_parameters(self):
        # The median of Gamma(a) is a - 1/3 + 8 / (405 a), and so near it P rises as a normal one.
        a = np.array([1e6, 1e10, 1e14])
        np.testing.assert_allclose(incomplete_math.igamma(a, a - 1 / 3), 0.5, 0, 3e-9)
        # One deviation up it is the normal one's, but for a term of order 1 / sqrt(a).
        got = incomplete_math.igamma(a, a + np.sqrt(a))
        np.testing.assert_allclose(got[1:], 0.8413447460685429, 2e-6)

    @pytest.mark.parametrize(
        ("a", "b"), [(0.5, 0.5), (3.0, 0.01), (40.0, 2.0), (3e3, 11.0), (1e4, 5e3), (4e3, 1e5)]
    )
    def test_beta(self, a, b):
        rng = np.random.default_rng(2)
        mean = a / (a + b)
        deviation = np.sqrt(mean * (1 - mean) / (a + b + 1))
        x = np.clip(mean + deviation * rng.normal(0, 2, 12), 1e-6, 1 - 1e-6)
        got = incomplete_math.betainc(np.full(12, a), np.full(12, b), x)
        with mpmath.workdps(40):
            for number, value in zip(x, got, strict=True):
                assert value == pytest.approx(_beta_by_series(a, b, float(number)), 2e-12)

    def test_ends(self):
        a = np.array([1.0, 1.0, INF, -1.0, 0.0, NAN, 2.0])
        x = np.array([0.0, INF, 3.0, 1.0, 1.0, 1.0, -1.0])
        assert_array(incomplete_math.igamma(a, x), [0, 1, 0, NAN, NAN, NAN, NAN])
        assert_array(incomplete_math.igammac(a, x), [1, 0, 1, NAN, NAN, NAN, NAN])
        b, x = np.array([2.0, 2.0, INF, 2.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.5, 1.5, 0.5, -0.1])
        assert_array(incomplete_math.betainc(np.ones(6), b, x), [0, 1, 1, NAN, NAN, NAN])

    def test_shapes_of_betainc(self):
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float32, [None, 3])
            assert hf.betainc(1.0, x, 0.5).shape.as_list() == [None, 3]
            with pytest.raises(ValueError, match="not compatible"):
                hf.betainc(np.ones(2, np.float32), x, 0.5)
        with hf.eager_mode(), pytest.raises(ValueError, match="3"):
            hf.betainc(np.ones(2), np.ones(3), 0.5)


def _beta_by_series(a, b, x):
    """The incomplete beta function by a series of positive numbers (DLMF 8.17.8)."""
    a, b, x = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(x)
    turned = x > (a + 1) / (a + b + 2)
    if turned:
        a, b, x = b, a, 1 - x
    term = total = mpmath.mpf(1)
    n = 0
    while term > total * mpmath.mpf(10) ** -30:
        term *= (a + b + n) / (a + 1 + n) * x
        total += term
        n += 1
    logarithm = a * mpmath.log(x) + b * mpmath.log(1 - x) - mpmath.log(a)
    for sign, number in ((1, a + b), (-1, a), (-1, b)):
        logarithm += sign * mpmath.loggamma(number)
    result = mpmath.exp(logarithm) * total
    return float(1 - result if turned else result)


def test_products_of_sparse_matrices_of_either_dtype():
    pytest.importorskip("ml_dtypes")
    a, b = np.float32([[0.0, 2.0]]), np.float32([[5.0], [6.0]])
    with hf.eager_mode():
        for first in (hf.float32, hf.bfloat16):
            for second in (hf.float32, hf.bfloat16):
                x, y = hf.cast(a, first), hf.cast(b, second)
                for product in (
                    hf.matmul(x, y, a_is_sparse=True),
                    hf.sparse_matmul(x, y, b_is_sparse=True),
                    hf.matmul(x, y),
                ):
                    assert product.dtype == hf.float32
                    np.testing.assert_array_equal(product, [[12.0]])
