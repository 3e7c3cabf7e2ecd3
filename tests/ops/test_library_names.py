"""Functions that TensorFlow gained after 1.4, beside NumPy's and SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


class TestProducts:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ((2, 1, 3, 4), (5, 4, 2)),
            ((3, 4), (2, 4, 5)),
            ((2, 3, 4), (4, 5)),
            ((1, 3, 4), (2, 4, 5)),
        ],
    )
    def test_batches_broadcast(self, left: Any, right: Any, execution: Execution) -> None:
        a, b = RNG.normal(size=left), RNG.normal(size=right)
        np.testing.assert_allclose(execution(hf.matmul, a, b), a @ b, 1e-12)
        da, db = execution.gradient(hf.matmul, a, b)
        assert da.shape == left
        assert db.shape == right
        np.testing.assert_allclose(da.sum(), b.sum() * _share(a, b), 1e-9)

    def test_matvec(self, execution: Execution) -> None:
        a, b = RNG.normal(size=(2, 3, 4)), RNG.normal(size=4)
        np.testing.assert_allclose(execution(hf.linalg.matvec, a, b), a @ b, 1e-12)
        turned = execution(lambda x, y: hf.linalg.matvec(x, y, transpose_a=True), a, b[:3])
        np.testing.assert_allclose(turned, np.swapaxes(a, -1, -2) @ b[:3], 1e-12)


class TestDecompositions:
    @pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4)])
    def test_lu(self, shape: Any, execution: Execution) -> None:
        x = RNG.normal(size=shape)
        lu, rows = execution(hf.linalg.lu, x)
        product = (np.tril(lu, -1) + np.eye(shape[-1])) @ np.triu(lu)
        np.testing.assert_allclose(product, np.take_along_axis(x, rows[..., None], -2), atol=1e-12)
        assert np.abs(np.tril(lu, -1)).max() <= 1

    def test_lu_of_a_singular_matrix(self, execution: Execution) -> None:
        for singular in ([[0.0, 1.0], [0.0, 2.0]], [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0]] * 2]):
            with pytest.raises(hf.errors.InvalidArgumentError, match="Input is not invertible"):
                execution(hf.linalg.lu, np.array(singular))

    @pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
    def test_pinv(self, shape: Any, execution: Execution) -> None:
        x = RNG.normal(size=shape)
        x[..., 1, :] = 2 * x[..., 0, :]
        np.testing.assert_allclose(execution(hf.linalg.pinv, x), np.linalg.pinv(x), atol=1e-10)
        assert np.all(execution(hf.linalg.matrix_rank, x) == np.linalg.matrix_rank(x))

    def test_rank_by_a_tolerance(self, execution: Execution) -> None:
        x = np.diag([3.0, 0.1])
        assert execution(lambda t: hf.linalg.matrix_rank(t, tol=0.5), x) == 1

    def test_refuse_integers(self) -> None:
        with hf.eager_mode(), pytest.raises(TypeError, match="int32"):
            hf.linalg.pinv([[1, 2]])


class TestBessel:
    POINTS = (0.0, 0.5, -3.0, 19.9, 20.1, 700.0)

    def test_values(self, execution: Execution) -> None:
        x = np.array(self.POINTS)
        mpmath = pytest.importorskip("mpmath")
        for order, function in enumerate((hf.bessel_i0e, hf.bessel_i1e)):
            with mpmath.workdps(30):
                wanted = [float(mpmath.besseli(order, v) * mpmath.exp(-abs(v))) for v in x]
            np.testing.assert_allclose(execution(function, x), wanted, 1e-14)

    def test_unscaled(self, execution: Execution) -> None:
        np.testing.assert_allclose(
            execution(hf.bessel_i0, np.array([1.0, -2.0])), np.i0([1, 2]), 1e-12
        )
        assert execution(hf.bessel_i1, np.array(0.0)) == 0

    def test_special_values(self, execution: Execution) -> None:
        found = execution(hf.bessel_i1e, np.array([np.nan, np.inf, -np.inf], np.float32))
        np.testing.assert_array_equal(found, [np.nan, 0, 0])
        assert found.dtype == np.float32


class TestMoments:
    @pytest.mark.parametrize("axis", [None, 0, [0, 1], -1])
    @pytest.mark.parametrize("keepdims", [False, True])
    def test_like_numpys(self, axis: Any, keepdims: bool, execution: Execution) -> None:
        over = tuple(axis) if isinstance(axis, list) else axis
        for ours, theirs in (
            (hf.reduce_variance, np.var),
            (hf.reduce_std, np.std),
            (
                hf.reduce_euclidean_norm,
                lambda x, a, keepdims: np.sqrt((x**2).sum(a, keepdims=keepdims)),
            ),
        ):
            found = execution(lambda x, ours=ours: ours(x, axis, keepdims), X)
            np.testing.assert_allclose(found, theirs(X, over, keepdims=keepdims), 1e-12)

    def test_integers_have_no_variance(self) -> None:
        with hf.eager_mode(), pytest.raises(TypeError, match="int32"):
            hf.reduce_variance([1, 2])


class TestSearchsorted:
    @pytest.mark.parametrize("side", ["left", "right"])
    def test_like_numpys(self, side: str, execution: Execution) -> None:
        ordered = np.sort(RNG.integers(0, 9, (2, 3, 7)), -1)
        values = RNG.integers(-1, 10, (2, 3, 5))
        found = execution(lambda a, b: hf.searchsorted(a, b, side, hf.int64), ordered, values)
        for at in np.ndindex(2, 3):
            np.testing.assert_array_equal(found[at], np.searchsorted(ordered[at], values[at], side))

    def test_refuses_another_side(self) -> None:
        with hf.eager_mode(), pytest.raises(ValueError, match="middle"):
            hf.searchsorted([1.0], [1.0], side="middle")


class TestSegments:
    IDS = np.array([2, 0, 2, -1])
    ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, -6.0], [9.0, 9.0]])

    @pytest.mark.parametrize(
        ("function", "wanted"),
        [
            (hf.unsorted_segment_min, [[3, 4], [np.finfo(float).max] * 2, [1, -6]]),
            (hf.unsorted_segment_prod, [[3, 4], [1, 1], [5, -12]]),
            (hf.unsorted_segment_mean, [[3, 4], [0, 0], [3, -2]]),
            (hf.unsorted_segment_sqrt_n, [[3, 4], [0, 0], np.array([6, -4]) / np.sqrt(2)]),
        ],
    )
    def test_values(self, function: Any, wanted: Any, execution: Execution) -> None:
        found = execution(lambda rows, ids: function(rows, ids, 3), self.ROWS, self.IDS)
        np.testing.assert_allclose(found, wanted, 1e-12)


class TestChoices:
    def test_switch_case(self, execution: Execution) -> None:
        def chosen(index: Any) -> Any:
            branches = {3: lambda: hf.constant(30), 1: lambda: hf.constant(10)}
            return hf.switch_case(index, branches, default=lambda: hf.constant(-1))

        found = [execution(chosen, np.int32(number)) for number in (1, 3, 2)]
        assert found == [10, 30, -1]

    def test_the_largest_number_is_for_all_others(self, execution: Execution) -> None:
        branches = [lambda: hf.constant(1), lambda: hf.constant(2)]
        assert execution(lambda index: hf.switch_case(index, branches), np.int32(-5)) == 2

    @pytest.mark.parametrize("branches", [[], [(0, lambda: 1), (0, lambda: 2)]])
    def test_refuses_none_and_two(self, branches: Any) -> None:
        with hf.eager_mode(), pytest.raises(ValueError, match="function"):
            hf.switch_case(0, branches)


class TestNumbers:
    def test_polyval(self, execution: Execution) -> None:
        found = execution(lambda x: hf.polyval([2.0, -1.0, 0.5], x), X)
        np.testing.assert_allclose(found, np.polyval([2.0, -1.0, 0.5], X), 1e-12)
        np.testing.assert_array_equal(execution(lambda x: hf.polyval([], x), X), 0 * X)

    def test_multiply_no_nan(self, execution: Execution) -> None:
        found = execution(
            hf.multiply_no_nan, np.array([np.inf, np.nan, 2.0]), np.array([0.0, 0.0, 3.0])
        )
        assert found.tolist() == [0, 0, 6]

    def test_nextafter(self, execution: Execution) -> None:
        found = execution(hf.nextafter, X, X + 1)
        np.testing.assert_array_equal(found, np.nextafter(X, X + 1))

    def test_bins(self, execution: Execution) -> None:
        values = np.array([[-1.0, 0.0, 1.5], [2.0, 5.0, 15.0]])
        found = execution(lambda x: hf.histogram_fixed_width_bins(x, [0.0, 5.0], 5), values)
        assert found.tolist() == [[0, 0, 1], [2, 4, 4]]

    def test_a_scalar_is_the_shape_of_a_vector(self, execution: Execution) -> None:
        assert execution(lambda n: hf.zeros(n) + hf.ones(n), np.int32(3)).tolist() == [1, 1, 1]

    def test_division_by_python_2s_name(self, execution: Execution) -> None:
        assert execution(lambda x: x.__div__(2), np.array([7, -7])).tolist() == [3, -4]


def _share(a: np.ndarray, b: np.ndarray) -> float:
    """How often the sum of the gradients to `a` counts each element of `b`."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return a.shape[-2] * np.prod(batch) / np.prod(b.shape[:-2])
