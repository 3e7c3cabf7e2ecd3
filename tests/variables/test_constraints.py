"""Constraints: what each promises of its results, everywhere and at the edges."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from hybridflow import constraints as c
from tests.execution import Execution
from tests.variables.constraint_cases import EXACT, OTHERS, Case, rows

ALL = [*(case.constraint for case in EXACT), *OTHERS]
ALONG_ONE_AXIS = [p for p in ALL if getattr(p, "axis", None) in (0, 1, -1, -2)]


def apply(constraint: Any, w: Any) -> np.ndarray:
    with hf.eager_mode():
        return constraint(hf.constant(w)).numpy()


def tolerance(w: np.ndarray) -> float:
    """What rounding may do to values of the size of those in w."""
    return 64 * float(np.finfo(w.dtype).eps) * (1 + float(np.max(np.abs(w), initial=0.0)))


@st.composite
def points(draw: Any, case: Case) -> np.ndarray:
    """Arrays with ties, zeros and, now and then, numbers large or small."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    scale = min(draw(st.sampled_from([1.0, 1.0, 1.0, 1e-3, 1e3])), case.farthest)
    elements = st.one_of(st.integers(-3, 3).map(float), st.floats(-4, 4, width=32))
    shape = draw(st.sampled_from(case.shapes))
    return np.asarray(draw(hnp.arrays(np.float64, shape, elements=elements)) * scale, dtype)


def exact(test: Any) -> Any:
    return pytest.mark.parametrize("case", EXACT, ids=str)(
        settings(max_examples=40, deadline=None)(test)
    )


class TestExactProjections:
    @exact
    @given(data=st.data())
    def test_feasible_and_idempotent(self, case: Case, data: Any) -> None:
        w = data.draw(points(case))
        y = apply(case.constraint, w)
        assert (y.shape, y.dtype) == (w.shape, w.dtype)
        assert case.violation(y.astype(np.float64)) <= y.size * tolerance(w)
        np.testing.assert_allclose(apply(case.constraint, y), y, 0, tolerance(w))

    @exact
    @given(data=st.data(), seed=st.integers(0, 2**32 - 1))
    def test_nearest(self, case: Case, data: Any, seed: int) -> None:
        """No point of the set is nearer; for a convex one, none lies on the side of w at all."""
        w = data.draw(points(case))
        rng = np.random.default_rng(seed)
        y = apply(case.constraint, w).astype(np.float64)
        slack = y.size * tolerance(w)
        for _ in range(8):
            z = case.sample(rng, w.shape)
            assert np.linalg.norm(w - y) <= np.linalg.norm(w - z) + slack
            if case.constraint.convex:
                assert np.sum((w - y) * (z - y)) <= slack * (1 + np.linalg.norm(w - z))
        for size in (1e-2, 1.0):
            z = apply(case.constraint, y + size * rng.normal(size=w.shape))
            assert np.linalg.norm(w - y) <= np.linalg.norm(w - z) + slack

    @exact
    @given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float32, np.float64]))
    def test_points_of_the_set_stay(self, case: Case, seed: int, dtype: Any) -> None:
        rng = np.random.default_rng(seed)
        for shape in case.shapes:
            z = np.asarray(case.sample(rng, shape), dtype)
            if case.bitwise:
                np.testing.assert_array_equal(apply(case.constraint, z), z)
            np.testing.assert_allclose(apply(case.constraint, z), z, 0, tolerance(z))


def assert_same(constraint: Any, got: Any, wanted: Any) -> None:
    """Bitwise, but where a loop takes turns: machine code may take over between any two."""
    if isinstance(constraint, c.Intersection):
        np.testing.assert_allclose(got, wanted, 0, 4 * np.finfo(wanted.dtype).eps)
    else:
        np.testing.assert_array_equal(got, wanted)


class TestEverywhere:
    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_all_executions_agree(self, constraint: Any, execution: Execution) -> None:
        w = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
        assert_same(constraint, execution(constraint, w), apply(constraint, w))

    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_shapes_in_graphs(self, constraint: Any) -> None:
        w = np.random.default_rng(0).normal(size=(3, 3))
        with hf.Graph().as_default(), hf.Session() as session:
            for shape in ([3, 3], [None, 3], [None, None]):
                x = hf.placeholder(hf.float64, shape)
                y = constraint(x)
                assert y.shape.is_compatible_with(shape)
                assert y.shape.ndims == 2
                assert y.dtype == hf.float64
                assert_same(constraint, session.run(y, {x: w}), apply(constraint, w))

    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_float16(self, constraint: Any) -> None:
        w = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float16) * np.float16(300)
        y = apply(constraint, w)
        assert y.dtype == np.float16
        np.testing.assert_array_equal(y, apply(constraint, w.astype(np.float32)).astype("f2"))

    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_empty(self, constraint: Any) -> None:
        square = isinstance(constraint, (c.PSD, c.Symmetric))
        one_axis = isinstance(constraint, (c.Hyperplane, c.Halfspace)) and constraint.axis
        for shape in ((0, 0), (0, 2, 2)) if square else ((0, 2), (3, 0), (0, 0)):
            if one_axis is None or shape[0] == 3 or square:
                assert apply(constraint, np.zeros(shape, np.float32)).shape == shape

    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_nan_is_seen(self, constraint: Any) -> None:
        for place in ((0, 0), (1, 2), (2, 2)):
            w = np.random.default_rng(0).normal(size=(3, 3))
            w[place] = np.nan
            assert np.isnan(apply(constraint, w)[place])

    @pytest.mark.parametrize("constraint", ALONG_ONE_AXIS, ids=repr)
    def test_nan_stays_with_its_vector(self, constraint: Any) -> None:
        w = np.random.default_rng(0).normal(size=(3, 3))
        w[1, 1] = np.nan
        touched = rows(np.arange(9).reshape(3, 3), constraint.axis)[1]
        assert set(np.flatnonzero(np.isnan(apply(constraint, w)))) == set(touched)

    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_row_wise(self, constraint: Any) -> None:
        """Where rows are independent, projecting some of them is projecting all and taking some."""
        rng = np.random.default_rng(0)
        assert not constraint.row_wise(None)
        for shape in ((3, 3), (3, 2, 2)):
            w = rng.normal(size=shape)
            if constraint.row_wise(w.ndim):
                np.testing.assert_allclose(
                    apply(constraint, w[[2, 0]]), apply(constraint, w)[[2, 0]], 0, 1e-12
                )
        assert not constraint.row_wise(0)

    def test_row_wise_where_it_can_be(self) -> None:
        bound = np.zeros((3, 1))
        by_row = [c.NonNeg(), c.Box(), c.Box(0, [1.0, 2.0]), c.IntegerGrid(), c.MaxNorm(axis=1)]
        by_row += [c.UnitNorm(-1), c.Simplex(axis=[1]), c.RowStochastic(), c.L1Ball(axis=-1)]
        by_row += [c.Monotone(), c.Hyperplane(1.0, axis=1), c.Chain(c.NonNeg(), c.L2Ball(axis=1))]
        whole = [c.MaxNorm(), c.L2Ball(), c.Simplex(axis=-2), c.Box(bound), c.SpectralNorm()]
        whole += [c.PSD(), c.Chain(c.NonNeg(), c.L2Ball()), c.Chain(lambda w: w), c.Monotone(0)]
        assert [p.row_wise(2) for p in by_row] == [True] * len(by_row)
        assert [p.row_wise(2) for p in whole] == [False] * len(whole)
        assert c.PSD().row_wise(3)

    def test_variables(self, execution: Execution) -> None:
        def projected() -> Any:
            w = hf.get_variable("w", initializer=np.float32([-1.0, 2.0]))
            w = w.initialized_value() if execution.name == "graph" else w
            return c.NonNeg()(w)

        np.testing.assert_array_equal(execution(projected), [0, 2])

    def test_gradients_of_compositions(self, execution: Execution) -> None:
        """A constraint can stand in a loss; its gradient is that of the projection."""
        rng = np.random.default_rng(0)
        w, v, u = (rng.normal(size=(3, 4)) for _ in range(3))
        for constraint in (c.L2Ball(1.0, 0), c.L1Ball(1.0), c.Simplex(1.0, 0), c.Monotone(0)):
            (grad,) = execution.gradient(lambda x: hf.reduce_sum(constraint(x) * v), w)  # noqa: B023
            step = 1e-6 * u
            there, here = (np.sum(apply(constraint, w + s) * v) for s in (step, -step))
            assert np.sum(grad * u) == pytest.approx((there - here) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("name", [n for n in c.__all__ if n[0].isupper() and n != "Constraint"])
def test_documents_state_set_problem_formula_reference(name: str) -> None:
    text = inspect.getdoc(getattr(c, name)) or ""
    parts = ["formula"] if name == "Chain" else ["set", "problem", "formula"]
    for part in parts:
        assert re.search(rf"^    {part} +\S", text, re.MULTILINE), part
    assert name == "Chain" or re.search(r"[Rr]eference(:| as for)", text)
    assert ">>> " in text
    if name == "Intersection":
        assert "exact up to about that" in " ".join(text.split())
    elif getattr(c, name).exact:
        assert re.search(r"^The exact projection", text, re.MULTILINE)
    else:
        assert re.search(r"^Not (a|the exact) projection", text, re.MULTILINE)


class TestEdges:
    def test_zero(self) -> None:
        zero = np.zeros((2, 2), np.float32)
        for stays in (c.NonNeg(), c.L2Ball(), c.L2Ball(0), c.L1Ball(), c.L1Ball(0), c.MaxNorm()):
            np.testing.assert_array_equal(apply(stays, zero), zero)
        for stays in (c.UnitNorm(), c.MinMaxNorm(1, 2), c.PSD(), c.SpectralNorm(), c.Monotone()):
            np.testing.assert_array_equal(apply(stays, zero), zero)
        np.testing.assert_array_equal(apply(c.Simplex(), zero), zero + 0.25)
        np.testing.assert_array_equal(apply(c.Hyperplane([1, 1], 4, axis=1), zero), zero + 2)
        q = apply(c.Orthonormal(), zero)
        np.testing.assert_allclose(q @ q.T, np.eye(2), atol=1e-6)

    def test_boundary(self) -> None:
        on_it = np.array([3.0, -4.0])
        np.testing.assert_array_equal(apply(c.L2Ball(5), on_it), on_it)
        np.testing.assert_array_equal(apply(c.L1Ball(7), on_it), on_it)
        np.testing.assert_array_equal(apply(c.Box(-4, 3), on_it), on_it)
        np.testing.assert_array_equal(apply(c.Halfspace(1.0, -1.0), on_it), on_it)
        np.testing.assert_array_equal(apply(c.IntegerGrid(0.5), on_it), on_it)
        np.testing.assert_array_equal(apply(c.IntegerGrid(), np.array([0.5, 1.5])), [0, 2])
        ends = apply(c.IntegerGrid(0.1, 0.3, 0.7), np.array([-5.0, 5.0]))
        np.testing.assert_allclose(ends, [0.3, 0.7], 1e-15)

    def test_infinity(self) -> None:
        w = np.array([-np.inf, 1.0, np.inf])
        np.testing.assert_array_equal(apply(c.NonNeg(), w), [0, 1, np.inf])
        np.testing.assert_array_equal(apply(c.Box(-2, 3), w), [-2, 1, 3])
        np.testing.assert_array_equal(apply(c.Simplex(), w[:2]), [0, 1])
        assert np.isnan(apply(c.Simplex(), w)).all()
        assert np.isnan(apply(c.L2Ball(), w)).any()
        assert np.isnan(apply(c.PSD(), np.diag(w))).all()

    def test_one_matrix_that_is_not_finite(self) -> None:
        w = np.stack([np.eye(2), np.full((2, 2), np.nan), -np.eye(2)])
        y = apply(c.PSD(), w)
        np.testing.assert_array_equal(y[[0, 2]], [np.eye(2), np.zeros((2, 2))])
        assert np.isnan(y[1]).all()

    def test_offset_costs_no_precision(self) -> None:
        w = np.array([1e6, 1e6 + 0.5, 1e6 - 3], np.float32)
        np.testing.assert_array_equal(apply(c.Simplex(), w), [0.25, 0.75, 0])

    @settings(max_examples=50, deadline=None)
    @given(
        w=hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(-5, 5).map(float)),
        wide=st.booleans(),
    )
    def test_isotonic_regression_as_scipy(self, w: np.ndarray, wide: bool) -> None:
        optimize = pytest.importorskip("scipy.optimize")
        w = np.concatenate([w, -np.arange(200.0), w]) if wide else w
        several = np.stack([w, w + 7, w[::-1], -w])
        for decreasing in (False, True):
            wanted = [optimize.isotonic_regression(v, increasing=not decreasing).x for v in several]
            got = apply(c.Monotone(decreasing=decreasing), several)
            np.testing.assert_allclose(got, wanted, 1e-12, 1e-12)


class TestKerasFormulas:
    def test_formulas(self, execution: Execution) -> None:
        w = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
        norms = np.sqrt(np.sum(w * w, axis=0, keepdims=True))
        epsilon = np.float32(1e-7)
        clipped = np.clip(norms, 0.3, 1.1)
        rated = np.float32(0.25) * clipped + np.float32(0.75) * norms
        wanted = {
            c.MaxNorm(0.5): w * (np.clip(norms, 0, 0.5) / (epsilon + norms)),
            c.UnitNorm(): w / (epsilon + norms),
            c.MinMaxNorm(0.3, 1.1, 0.25): w * (rated / (epsilon + norms)),
            c.NonNeg(): w * (w >= 0),
        }
        for constraint, value in wanted.items():
            np.testing.assert_allclose(execution(constraint, w), value, 1e-6)

    def test_axes(self) -> None:
        w = np.random.default_rng(0).normal(size=(2, 3, 4))
        for axis in (0, -1, [0, 1], (0, 2), None):
            y = apply(c.UnitNorm(axis), w)
            over = tuple(axis) if isinstance(axis, list) else axis
            np.testing.assert_allclose(np.sum(y * y, axis=over), 1, 1e-6)

    def test_names(self) -> None:
        names = hf.keras.constraints
        assert names.MaxNorm is names.max_norm is c.MaxNorm
        assert names.NonNeg is names.non_neg is c.NonNeg
        assert names.UnitNorm is names.unit_norm is c.UnitNorm
        assert names.MinMaxNorm is names.min_max_norm is c.MinMaxNorm
        assert issubclass(names.MaxNorm, names.Constraint)
        assert c.MaxNorm().get_config() == {"max_value": 2, "axis": 0}
        assert c.UnitNorm().get_config() == {"axis": 0}
        assert c.NonNeg().get_config() == {}
        assert c.MinMaxNorm().get_config() == {
            "min_value": 0.0,
            "max_value": 1.0,
            "rate": 1.0,
            "axis": 0,
        }


class TestCombinations:
    def test_chain(self) -> None:
        both = c.Chain(c.NonNeg(), lambda w: w * 2.0)
        np.testing.assert_array_equal(apply(both, np.array([-1.0, 3.0])), [0, 6])

    def test_intersection_is_the_nearest_point(self, execution: Execution) -> None:
        w = np.random.default_rng(0).normal(size=(3, 4))
        same = c.Intersection(c.NonNeg(), c.Hyperplane(1.0, 1.0, axis=1))
        np.testing.assert_allclose(execution(same, w), apply(c.RowStochastic(), w), 0, 1e-12)
        w = np.random.default_rng(1).normal(size=(3, 3))
        same = c.Intersection(c.PSD(), c.Symmetric())
        np.testing.assert_allclose(execution(same, w), apply(c.PSD(), w), 0, 1e-12)

    def test_dykstra_is_not_alternation(self) -> None:
        """Projecting in turns ends in the intersection, but not at its nearest point."""
        disc, half = c.L2Ball(1.0), c.Halfspace([1.0, 1.0], 0.0)
        w = np.array([2.0, 0.5])
        nearest = np.array([np.sqrt(0.5), -np.sqrt(0.5)])
        np.testing.assert_allclose(
            apply(c.Intersection(disc, half), np.array([2.0, -1.0])), nearest, atol=1e-6
        )
        assert np.linalg.norm(w - apply(c.Intersection(disc, half), w)) < np.linalg.norm(
            w - apply(c.Chain(disc, half), w)
        )

    def test_intersection_ends(self) -> None:
        apart = c.Intersection(c.Box(high=-1.0), c.Box(low=1.0), max_iterations=7)
        np.testing.assert_array_equal(apply(apart, np.array([0.0, 5.0])), [1.0, 1.0])
        calls = []

        def counted(w: Any) -> Any:
            calls.append(w)
            return hf.maximum(w, 0.0)

        apply(c.Intersection(counted), np.array([-1.0]))
        apply(c.Intersection(counted, max_iterations=0), np.array([-1.0]))
        assert len(calls) == 2

    def test_not_for_intersection(self) -> None:
        for wrong in (c.MaxNorm(), c.UnitNorm(), c.Orthonormal(), c.IntegerGrid(), ALL[-1]):
            with pytest.raises(ValueError, match="convex sets from exact projections"):
                c.Intersection(c.NonNeg(), wrong)
        for kind in (c.Chain, c.Intersection):
            with pytest.raises(ValueError, match="at least one"):
                kind()
            with pytest.raises(TypeError, match="callable"):
                kind(c.NonNeg(), 3)


class TestSettings:
    @pytest.mark.parametrize("constraint", ALL, ids=repr)
    def test_round_trips(self, constraint: Any) -> None:
        copy = type(constraint).from_config(constraint.get_config())
        assert copy == constraint
        assert hash(copy) == hash(constraint)
        assert c.deserialize(c.serialize(constraint)) == c.get(c.serialize(constraint)) == copy
        assert repr(copy) == repr(constraint)
        assert eval(repr(copy), vars(c)) == constraint or isinstance(constraint, c.Intersection)

    def test_comparison(self) -> None:
        assert c.L2Ball(1) == c.L2Ball(1.0) != c.L2Ball(2)
        assert c.L2Ball(axis=[0, 1]) == c.L2Ball(axis=(0, np.int64(1)))
        assert c.L2Ball() != c.L1Ball()
        assert len({c.NonNeg(), c.NonNeg(), c.Box([0, 1]), c.Box((0, 1))}) == 2
        assert c.Chain(lambda w: w) != c.Chain(lambda w: w)

    def test_get(self) -> None:
        assert c.get(None) is c.serialize(None) is None
        assert c.get("non_neg") == c.get("NonNeg") == c.get(c.NonNeg) == c.NonNeg()
        assert c.get(np.abs) is np.abs
        assert c.serialize(apply) == "apply"
        assert c.deserialize("apply", {"apply": apply}) is apply
        chain = c.Chain(c.NonNeg(), apply)
        assert c.deserialize(c.serialize(chain), {"apply": apply}) == chain
        with pytest.raises(ValueError, match="Unknown constraint: nothing"):
            c.get("nothing")
        with pytest.raises(ValueError, match="Improper config format"):
            c.deserialize({"class_name": "NonNeg"})
        with pytest.raises(ValueError, match="Could not interpret constraint identifier: 3"):
            c.get(3)
        with pytest.raises(ValueError, match="Cannot serialize 3"):
            c.serialize(3)

    def test_of_users(self) -> None:
        class Halved(c.Constraint):
            def __init__(self, times: int = 1) -> None:
                self.times = times

            def __call__(self, w: Any) -> Any:
                return w * 0.5**self.times

            def get_config(self) -> dict[str, Any]:
                return {"times": self.times}

        class Unrelated:
            def __init__(self, times: int) -> None:
                self.times = times

        known = {"Halved": Halved, "Unrelated": Unrelated}
        restored = c.deserialize(c.serialize(Halved(2)), known)
        np.testing.assert_array_equal(apply(restored, np.array([4.0])), [1.0])
        assert not restored.row_wise(2)
        settings = {"class_name": "Unrelated", "config": {"times": 3}}
        assert c.deserialize(settings, known).times == 3
        assert c.Constraint()(1.0) == 1.0  # as in Keras

    @pytest.mark.parametrize(
        "make",
        [
            lambda: c.MaxNorm(-1),
            lambda: c.MaxNorm(np.nan),
            lambda: c.MaxNorm("2"),
            lambda: c.MinMaxNorm(2, 1),
            lambda: c.MinMaxNorm(rate=2),
            lambda: c.L2Ball(np.inf),
            lambda: c.L1Ball(-1),
            lambda: c.Simplex(-1),
            lambda: c.SpectralNorm(-1),
            lambda: c.Box(1, 0),
            lambda: c.Box([0, 2], [1, 1]),
            lambda: c.Box(np.nan),
            lambda: c.IntegerGrid(0),
            lambda: c.IntegerGrid(1.0, 0.2, 0.8),
            lambda: c.Hyperplane(0.0),
            lambda: c.Halfspace([np.inf, 1]),
        ],
    )
    def test_wrong_settings(self, make: Any) -> None:
        with pytest.raises(ValueError):
            make()

    def test_wrong_axes(self) -> None:
        for make in (c.MaxNorm, c.Simplex, c.Monotone):
            with pytest.raises(TypeError):
                make(axis=1.5)
        w = np.zeros((2, 3))
        for wrong in (c.MaxNorm(axis=2), c.Simplex(axis=2), c.Simplex(axis=[0, -2]), c.Monotone(5)):
            with pytest.raises((ValueError, hf.errors.InvalidArgumentError)):
                apply(wrong, w)

    def test_wrong_tensors(self) -> None:
        with pytest.raises(TypeError, match=r"NonNeg\(\) projects tensors of a floating dtype"):
            apply(c.NonNeg(), np.array([1, 2]))
        for square in (c.PSD(), c.Symmetric()):
            for shape in ((2, 3), (2,), (1, 3)):
                with pytest.raises(ValueError, match="square matrices"):
                    apply(square, np.zeros(shape))
        for matrix in (c.SpectralNorm(), c.Orthonormal()):
            with pytest.raises(ValueError, match="A matrix is needed"):
                apply(matrix, np.zeros(3))
        for larger in (c.Box(np.zeros((2, 3))), c.Hyperplane(np.ones((2, 3)))):
            with pytest.raises(ValueError, match="shape"):
                apply(larger, np.zeros(3))
        with pytest.raises(ValueError, match="one dimension for each axis"):
            apply(c.Hyperplane([[1.0]], axis=0), np.zeros(3))
        with hf.Graph().as_default(), pytest.raises(ValueError, match="known rank"):
            c.Simplex(axis=0)(hf.placeholder(hf.float32))

    def test_unknown_rank(self) -> None:
        w = np.random.default_rng(0).normal(size=(2, 3))
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float64)
            for constraint in (c.L2Ball(), c.Simplex(), c.RowStochastic(), c.MaxNorm(axis=-1)):
                got = session.run(constraint(x), {x: w})
                np.testing.assert_array_equal(got, apply(constraint, w))
