"""Assertions: what they let through, what they refuse, when, and how they say so."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow.errors import InvalidArgumentError

# assertion, arguments that pass, arguments that fail, the condition
COMPARISONS = {
    "assert_equal": (([1, 2], [1, 2]), ([1, 2], [1, 3]), "x == y"),
    "assert_none_equal": (([1, 2], [2, 3]), ([1, 2], [0, 2]), "x != y"),
    "assert_less": (([1, 2], 3), ([1, 3], 3), "x < y"),
    "assert_less_equal": (([1, 3], 3), ([1, 4], 3), "x <= y"),
    "assert_greater": (([4, 5], 3), ([3, 4], 3), "x > y"),
    "assert_greater_equal": (([3, 4], 3), ([2, 4], 3), "x >= y"),
    "assert_negative": (([-1],), ([0],), "x < 0"),
    "assert_positive": (([1],), ([0],), "x > 0"),
    "assert_non_negative": (([0],), ([-1],), "x >= 0"),
    "assert_non_positive": (([0],), ([1],), "x <= 0"),
    "assert_near": (([1.0], [1.0 + 1e-7]), ([1.0], [1.1]), "x and y not equal to tolerance"),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_eagerly(name):
    good, bad, condition = COMPARISONS[name]
    check = getattr(hf, name)
    with hf.eager_mode():
        assert check(*good) is None
        assert check(*[np.zeros(0, np.float32) for _ in good]) is None
        with pytest.raises(InvalidArgumentError) as caught:
            check(*bad, message="counts")
        text = str(caught.value)
        assert text.startswith("counts\n")
        assert condition in text
        assert "Indices of first 1 different values:\n[[" in text
        with pytest.raises(InvalidArgumentError, match="only this"):
            check(*bad, data=["only this"])


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_in_a_graph_fails_when_it_runs(name):
    good, bad, condition = COMPARISONS[name]
    with hf.Graph().as_default(), hf.Session() as session:
        feeds = [hf.placeholder("float32" if name == "assert_near" else "int32") for _ in good]
        checked = getattr(hf, name)(*feeds, message="counts")
        with hf.control_dependencies([checked]):
            result = hf.identity(feeds[0])
        np.testing.assert_allclose(
            session.run(result, dict(zip(feeds, good, strict=True))), good[0]
        )
        with pytest.raises(InvalidArgumentError) as caught:
            session.run(result, dict(zip(feeds, bad, strict=True)))
        assert "counts" in str(caught.value)
        assert condition in str(caught.value)
        assert f"x ({feeds[0].name})" in str(caught.value)


def test_equality_of_constants_is_found_out_while_a_graph_is_built():
    with hf.Graph().as_default():
        with pytest.raises(InvalidArgumentError, match="fail"):
            hf.assert_equal([1], [2], message="fail")
        hf.assert_less([2], [1])  # might stand in a branch that never runs


@pytest.mark.parametrize("eager", [False, True])
def test_ranks(eager):
    with hf.eager_mode() if eager else hf.Graph().as_default():
        x = hf.zeros([2, 3])
        for check in (
            hf.assert_rank(x, 2),
            hf.assert_rank_at_least(x, 1),
            hf.assert_rank_in(x, (1, 2)),
        ):
            assert check is None if eager else check.type == "NoOp"
        with pytest.raises(ValueError, match=r"hm.*must have rank 1.*rank 2, shape \(2, 3\)"):
            hf.assert_rank(x, 1, message="hm")
        with pytest.raises(ValueError, match=r"must have rank at least 3.*rank 2"):
            hf.assert_rank_at_least(x, 3)
        with pytest.raises(ValueError, match=r"must have rank in \(0, 1\).*rank 2"):
            hf.assert_rank_in(x, (0, 1))
        with pytest.raises(ValueError, match=r"Rank must be a scalar"):
            hf.assert_rank(x, [2])
        with pytest.raises(TypeError, match="must be of type <dtype: 'int32'>"):
            hf.assert_rank(x, 2.0)
        with pytest.raises(ValueError, match="Expected scalar shape"):
            hf.assert_scalar(x)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (hf.assert_rank, 2, 1),
        (hf.assert_rank_at_least, 1, 3),
        (hf.assert_rank_in, (1, 2), (0, 1)),
    ],
)
def test_ranks_that_are_known_late(check, good, bad):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32)
        many = isinstance(good, tuple)
        ranks = [hf.placeholder(hf.int32, []) for _ in range(2 if many else 1)]
        with hf.control_dependencies([check(x, ranks if many else ranks[0])]):
            result = hf.identity(x)

        def run(wanted):
            feeds = dict(zip(ranks, wanted if many else [wanted], strict=True))
            return session.run(result, {x: np.zeros((2, 3)), **feeds})

        assert run(good).shape == (2, 3)
        with pytest.raises(InvalidArgumentError, match=f"Tensor {x.name} must have rank"):
            run(bad)


@pytest.mark.parametrize("eager", [False, True])
def test_dtypes_and_lists(eager):
    with hf.eager_mode() if eager else hf.Graph().as_default():
        hf.assert_integer(hf.constant(1))
        hf.assert_type(hf.constant(1), hf.int32)
        hf.assert_proper_iterable([hf.constant(1)])
        hf.assert_proper_iterable(iter(()))
        with pytest.raises(TypeError, match=r'Expected "x" to be integer type.*float32'):
            hf.assert_integer(1.0)
        with pytest.raises(TypeError, match="must be of type <dtype: 'float32'>"):
            hf.assert_type(1, hf.float32)
        for text in (hf.constant([1]), np.ones(1), "ab"):
            with pytest.raises(TypeError, match='"proper" iterable'):
                hf.assert_proper_iterable(text)
        with pytest.raises(TypeError, match="to be iterable"):
            hf.assert_proper_iterable(1)
        x, y = hf.constant(1.0), hf.constant(1.0, hf.float64)
        assert hf.assert_same_float_dtype() == hf.float32
        assert hf.assert_same_float_dtype([None, y]) == hf.float64
        with pytest.raises(ValueError, match="must be of the same type"):
            hf.assert_same_float_dtype([x, y])
        with pytest.raises(ValueError, match="must be of the same type"):
            hf.assert_same_float_dtype([x], hf.float64)
        with pytest.raises(ValueError, match="Expected floating point type"):
            hf.assert_same_float_dtype(dtype=hf.int32)


def test_growth():
    with hf.eager_mode():
        for values, decreasing, strictly in (
            ([], True, True),
            ([1.0], True, True),
            ([1, 2, 3], True, True),
            ([1, 2, 2], True, False),
            ([[1, 2], [1, 2]], False, False),
            (np.array([0, 200], np.uint8), True, True),
            ([1.0, np.nan], False, False),
        ):
            assert bool(hf.is_non_decreasing(values)) == decreasing
            assert bool(hf.is_strictly_increasing(values)) == strictly
        with pytest.raises(TypeError, match="to be numeric"):
            hf.is_non_decreasing([True, False])


@pytest.mark.parametrize("eager", [False, True])
def test_a_confusion_matrix_refuses_classes_that_there_are_not(eager):
    for arguments, message in (
        (([0, -1], [0, 1]), "`labels` contains negative values"),
        (([0, 1], [0, -1]), "`predictions` contains negative values"),
        (([0, 2], [0, 1], 2), "`labels` out of bound"),
        (([0, 1], [0, 2], 2), "`predictions` out of bound"),
    ):
        with (
            hf.eager_mode() if eager else hf.Graph().as_default(),
            pytest.raises(InvalidArgumentError, match=message),
        ):
            hf.Session().run(hf.confusion_matrix(*arguments))
    with hf.eager_mode(), pytest.raises(ValueError, match="must be equal"):
        hf.confusion_matrix([0, 1], [0, 1, 2])


class TestFinite:
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ([1.0, np.nan], "loss : Tensor had NaN values"),
            ([1.0, np.inf], "loss : Tensor had Inf values"),
            ([np.nan, -np.inf], "loss : Tensor had Inf and NaN values"),
        ],
    )
    @pytest.mark.parametrize("function", [hf.check_numerics, hf.verify_tensor_all_finite])
    def test_finds_what_is_not(self, function, value, words, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match=words):
            execution(lambda x: function(x, "loss"), np.array(value))
        np.testing.assert_array_equal(
            execution(lambda x: function(x, "loss"), np.ones(3)), np.ones(3)
        )

    def test_the_gradient_is_checked_too(self, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match="detected in gradient"):
            execution.gradient(lambda x: hf.sqrt(hf.check_numerics(x, "x")), np.zeros(2))

    def test_all_of_a_graph(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32, [2], name="x")
            y = hf.log(x, name="first")
            hf.sqrt(y, name="second")
            check = hf.add_check_numerics_ops()
            session.run(check, {x: [3.0, 4.0]})
            with pytest.raises(hf.errors.InvalidArgumentError, match="first:0 : Tensor had Inf"):
                session.run(check, {x: [0.0, 0.5]})
            with pytest.raises(hf.errors.InvalidArgumentError, match="second:0 : Tensor had NaN"):
                session.run(check, {x: [0.5, 0.5]})

    def test_what_is_inside_is_checked_by_its_result(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32, [], name="x")
            hf.cond(x > 0.0, lambda: hf.log(x), lambda: hf.sqrt(x), name="chosen")
            hf.while_loop(lambda t: t < 3.0, lambda t: t + hf.abs(x), [0.0])
            check = hf.add_check_numerics_ops()
            session.run(check, {x: 2.0})
            with pytest.raises(hf.errors.InvalidArgumentError, match=r"chosen.* NaN"):
                session.run(check, {x: -1.0})

    def test_there_is_no_graph_in_eager_mode(self):
        with hf.eager_mode(), pytest.raises(RuntimeError, match="check_numerics"):
            hf.add_check_numerics_ops()
