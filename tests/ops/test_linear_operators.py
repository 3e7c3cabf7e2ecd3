"""Linear operators: each method agrees with that of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

L = hf.linalg
RNG = np.random.default_rng(0)
DIAGONAL = RNG.uniform(0.5, 2.0, (2, 3))
MATRIX = RNG.uniform(-1, 1, (2, 3, 3)) + 3 * np.eye(3)
SPD = MATRIX @ MATRIX.transpose(0, 2, 1)
TURNED = DIAGONAL * np.exp(1j * RNG.uniform(-1, 1, (2, 3)))
THIN = RNG.uniform(-1, 1, (2, 3, 2))
KNOWN = {"is_self_adjoint": True, "is_positive_definite": True}
CASES = {
    "diag": (lambda: L.LinearOperatorDiag(DIAGONAL), DIAGONAL[..., None] * np.eye(3)),
    "complex": (lambda: L.LinearOperatorDiag(TURNED), TURNED[..., None] * np.eye(3)),
    "full": (lambda: L.LinearOperatorFullMatrix(MATRIX), MATRIX),
    "cholesky": (lambda: L.LinearOperatorFullMatrix(SPD, **KNOWN), SPD),
    "full complex": (lambda: L.LinearOperatorFullMatrix(MATRIX * 1j), MATRIX * 1j),
    "identity": (
        lambda: L.LinearOperatorIdentity(3, [2], hf.float64),
        np.broadcast_to(np.eye(3), (2, 3, 3)),
    ),
    "scaled": (
        lambda: L.LinearOperatorScaledIdentity(3, DIAGONAL[:, 0], assert_proper_shapes=True),
        DIAGONAL[:, :1, None] * np.eye(3),
    ),
    "scaled complex": (
        lambda: L.LinearOperatorScaledIdentity(3, TURNED[:, 0]),
        TURNED[:, :1, None] * np.eye(3),
    ),
    "triangular": (lambda: L.LinearOperatorLowerTriangular(MATRIX), np.tril(MATRIX)),
    "composition": (
        lambda: L.LinearOperatorComposition(
            [
                L.LinearOperatorFullMatrix(MATRIX[0]),
                L.LinearOperatorDiag(DIAGONAL),
                L.LinearOperatorLowerTriangular(MATRIX),
            ]
        ),
        MATRIX[0] @ (DIAGONAL[..., None] * np.tril(MATRIX)),
    ),
    "kronecker": (
        lambda: L.LinearOperatorKronecker(
            [
                L.LinearOperatorFullMatrix(MATRIX[0]),
                L.LinearOperatorDiag(DIAGONAL[:, :2]),
                L.LinearOperatorLowerTriangular(MATRIX),
            ]
        ),
        np.stack(
            [
                np.kron(np.kron(MATRIX[0], np.diag(DIAGONAL[i, :2])), np.tril(MATRIX[i]))
                for i in range(2)
            ]
        ),
    ),
    "complex kronecker": (
        lambda: L.LinearOperatorKronecker(
            [L.LinearOperatorDiag(TURNED), L.LinearOperatorDiag(TURNED[1, :2])]
        ),
        np.stack([np.kron(np.diag(row), np.diag(TURNED[1, :2])) for row in TURNED]),
    ),
    "blocks": (
        lambda: L.LinearOperatorBlockDiag(
            [L.LinearOperatorFullMatrix(MATRIX[0]), L.LinearOperatorDiag(DIAGONAL[:, :2])]
        ),
        np.stack(
            [
                np.block(
                    [
                        [MATRIX[0], np.zeros((3, 2))],
                        [np.zeros((2, 3)), np.diag(DIAGONAL[i, :2])],
                    ]
                )
                for i in range(2)
            ]
        ),
    ),
    "update": (
        lambda: L.LinearOperatorLowRankUpdate(
            L.LinearOperatorFullMatrix(MATRIX), THIN[0], DIAGONAL[:, :2], THIN[1]
        ),
        MATRIX + THIN[0] @ (DIAGONAL[:, :2, None] * THIN[1].T),
    ),
    "complex update": (
        lambda: L.LinearOperatorLowRankUpdate(
            L.LinearOperatorDiag(TURNED), TURNED[0, :, None] * THIN[0], TURNED[:, :2]
        ),
        TURNED[..., None] * np.eye(3)
        + (TURNED[0, :, None] * THIN[0])
        @ (TURNED[:, :2, None] * (TURNED[0, :, None] * THIN[0]).conj().T),
    ),
    "positive update": (
        lambda: L.LinearOperatorLowRankUpdate(
            L.LinearOperatorIdentity(3, dtype=hf.float64), THIN, is_diag_update_positive=True
        ),
        np.eye(3) + THIN @ THIN.transpose(0, 2, 1),
    ),
}


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


@pytest.mark.parametrize("name", sorted(CASES))
def test_as_the_dense_matrix(execution, name):
    make, dense = CASES[name]
    size = dense.shape[-1]
    x = RNG.uniform(-1, 1, (2, size, 2)).astype(dense.dtype)
    one = x[0]

    def tell():
        a = make()
        assert a.shape.as_list() == list(dense.shape)
        assert a.is_square
        return {
            "shape": a.shape_tensor(),
            "dense": a.to_dense(),
            "det": a.determinant(),
            "log": a.log_abs_determinant(),
            "diag": a.diag_part(),
            "trace": a.trace(),
            "sum": a.add_to_tensor(dense),
            "matvec": a.matvec(x[..., 0]),
            "solvevec": a.solvevec(x[..., 0]),
            "one": a.matmul(one),
            "solve one": a.solve(one),
            **{
                f"matmul {i}{j}": a.matmul(adjoint(x) if j else x, bool(i), bool(j))
                for i in (0, 1)
                for j in (0, 1)
            },
            **{
                f"solve {i}{j}": a.solve(adjoint(x) if j else x, bool(i), bool(j))
                for i in (0, 1)
                for j in (0, 1)
            },
        }

    got = execution(tell)
    det = np.linalg.det(dense)
    wanted = {
        "shape": dense.shape,
        "dense": dense,
        "det": det,
        "log": np.log(np.abs(det)),
        "diag": np.diagonal(dense, axis1=-2, axis2=-1),
        "trace": np.trace(dense, axis1=-2, axis2=-1),
        "sum": dense * 2,
        "matvec": (dense @ x)[..., 0],
        "solvevec": np.linalg.solve(dense, x)[..., 0],
        "one": dense @ one,
        "solve one": np.linalg.solve(dense, np.broadcast_to(one, x.shape)),
    }
    for i, matrix in enumerate((dense, adjoint(dense))):
        for j in (0, 1):
            wanted[f"matmul {i}{j}"] = matrix @ x
            wanted[f"solve {i}{j}"] = np.linalg.solve(matrix, x)
    assert set(got) == set(wanted)
    for key, value in wanted.items():
        np.testing.assert_allclose(got[key], value, 1e-9, 1e-12, err_msg=key)


def test_hints_and_errors():
    with pytest.raises(ValueError, match="positive definite matrix is always non-singular"):
        L.LinearOperator(hf.float32, is_positive_definite=True, is_non_singular=False)
    with hf.eager_mode():
        with pytest.raises(ValueError, match="always self adjoint"):
            L.LinearOperatorDiag([1.0], is_self_adjoint=False)
        with pytest.raises(ValueError, match="always square"):
            L.LinearOperatorIdentity(2, is_square=False)
        with pytest.raises(ValueError, match="must be non-negative, got -1"):
            L.LinearOperatorIdentity(-1)
        with pytest.raises(hf.errors.InvalidArgumentError, match="was singular"):
            L.LinearOperatorScaledIdentity(2, [1.0, 0.0]).assert_non_singular()
        wide = L.LinearOperatorFullMatrix(np.ones((2, 3)))
        assert wide.is_square is False
        for call in (wide.determinant, lambda: wide.solve(np.ones((2, 1)))):
            with pytest.raises(NotImplementedError, match="not be square"):
                call()
        with pytest.raises(TypeError, match=r"float32.*float64|float64.*float32"):
            wide.matmul(hf.ones([3, 1]))
        with pytest.raises(ValueError, match="not compatible"):
            wide.matmul(np.ones((2, 1)))
        with pytest.raises(hf.errors.InvalidArgumentError, match="zero values"):
            L.LinearOperatorDiag([1.0, 0.0]).assert_non_singular()
        with pytest.raises(hf.errors.InvalidArgumentError, match="Singular matrix"):
            L.LinearOperatorFullMatrix([[1.0, 1.0], [1.0, 1.0]]).assert_non_singular()
        with pytest.raises(hf.errors.InvalidArgumentError, match="not equal to its adjoint"):
            L.LinearOperatorFullMatrix([[1.0, 2.0], [1.0, 1.0]]).assert_self_adjoint()


def test_sizes_of_identities(execution):
    dense = execution(lambda: L.LinearOperatorIdentity(2, []).to_dense())
    np.testing.assert_array_equal(dense, np.eye(2))


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ((np.int32([2]), np.int32([2])), "num_rows must be a 0-D Tensor"),
        ((np.int32(-2), np.int32([2])), "num_rows must be non-negative"),
        ((np.int32(2), np.int32(2)), "batch_shape must be a 1-D Tensor"),
        ((np.int32(2), np.int32([-2])), "batch_shape must be non-negative"),
    ],
)
def test_sizes_of_identities_that_a_run_tells(sizes, text):
    with hf.Graph().as_default(), hf.Session() as session:
        rows, batch = hf.placeholder(hf.int32), hf.placeholder(hf.int32)
        x = L.LinearOperatorIdentity(rows, batch, assert_proper_shapes=True).to_dense()
        assert session.run(x, {rows: 2, batch: [3]}).shape == (3, 2, 2)
        with pytest.raises(hf.errors.InvalidArgumentError, match=text):
            session.run(x, dict(zip((rows, batch), sizes, strict=True)))


def test_a_multiplier_that_is_not_self_adjoint():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.complex64, [1])
        check = L.LinearOperatorScaledIdentity(2, x).assert_self_adjoint()
        session.run(check, {x: [2.0]})
        with pytest.raises(hf.errors.InvalidArgumentError, match="not self-adjoint"):
            session.run(check, {x: [1.0 + 1.0j]})


def test_hints_and_errors_of_what_is_made_of_operators():
    with hf.eager_mode():
        base = L.LinearOperatorDiag(np.ones(3), is_positive_definite=True)
        wide = L.LinearOperatorFullMatrix(np.ones((2, 3)))
        both = L.LinearOperatorComposition([wide, base])
        assert both.name == "LinearOperatorFullMatrix_o_LinearOperatorDiag"
        assert both.operators == [wide, base]
        assert (both.shape.as_list(), both.is_square) == ([2, 3], False)
        assert L.LinearOperatorComposition([base, base]).is_non_singular
        for call, error, why in (
            (lambda: L.LinearOperatorComposition([]), ValueError, "non-empty"),
            (lambda: L.LinearOperatorComposition([wide, wide]), ValueError, "not compatible"),
            (
                lambda: L.LinearOperatorComposition([base, base], is_non_singular=False),
                ValueError,
                "always non-singular",
            ),
            (
                lambda: L.LinearOperatorComposition([base, L.LinearOperatorIdentity(3)]),
                TypeError,
                "same dtype",
            ),
        ):
            with pytest.raises(error, match=why):
                call()
        update = L.LinearOperatorLowRankUpdate(base, THIN[0])
        assert update.is_self_adjoint
        assert update.is_positive_definite
        assert update.is_non_singular
        assert update.base_operator is base
        assert update.v is update.u
        assert update.diag_update is None
        assert update.is_diag_update_positive
        update = L.LinearOperatorLowRankUpdate(wide, THIN[0, :2], v=THIN[1])
        dense = np.ones((2, 3)) + THIN[0, :2] @ THIN[1].T
        np.testing.assert_allclose(update.matmul(np.eye(3)).numpy(), dense)
        for keywords, error, why in (
            ({"is_self_adjoint": False}, ValueError, "must be a self-adjoint"),
            ({"is_positive_definite": False}, ValueError, "imply"),
            ({"is_diag_update_positive": False}, ValueError, "Default diagonal"),
            ({"v": THIN[0, :2]}, ValueError, "not compatible"),
            ({"diag_update": np.ones(3)}, ValueError, "not compatible"),
            ({"v": hf.cast(THIN[0], hf.float32)}, TypeError, "float64"),
        ):
            with pytest.raises(error, match=why):
                L.LinearOperatorLowRankUpdate(base, THIN[0], **keywords)


def test_an_update_of_unknown_shape():
    with hf.Graph().as_default(), hf.Session() as session:
        u, diagonal = hf.placeholder(hf.float64), hf.placeholder(hf.float64)
        base = L.LinearOperatorFullMatrix(hf.placeholder_with_default(MATRIX, None))
        update = L.LinearOperatorLowRankUpdate(base, u, diagonal)
        both = L.LinearOperatorComposition([update, base])
        feed = {u: THIN[0], diagonal: DIAGONAL[0, :2]}
        dense = (MATRIX + THIN[0] * DIAGONAL[0, :2] @ THIN[0].T) @ MATRIX
        assert session.run(both.shape_tensor(), feed).tolist() == [2, 3, 3]
        np.testing.assert_allclose(session.run(both.to_dense(), feed), dense)
