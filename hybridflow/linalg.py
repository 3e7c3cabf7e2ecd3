"""Linear algebra."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.linear_operators.base import LinearOperator
    from hybridflow._src.linear_operators.block_diagonal import LinearOperatorBlockDiag
    from hybridflow._src.linear_operators.composition import LinearOperatorComposition
    from hybridflow._src.linear_operators.dense import (
        LinearOperatorFullMatrix,
        LinearOperatorLowerTriangular,
    )
    from hybridflow._src.linear_operators.diagonal import LinearOperatorDiag
    from hybridflow._src.linear_operators.identity import (
        LinearOperatorIdentity,
        LinearOperatorScaledIdentity,
    )
    from hybridflow._src.linear_operators.kronecker import LinearOperatorKronecker
    from hybridflow._src.linear_operators.low_rank_update import LinearOperatorLowRankUpdate
    from hybridflow._src.ops.arrays.arranging import matrix_transpose as transpose
    from hybridflow._src.ops.arrays.diagonal import eye
    from hybridflow._src.ops.arrays.diagonal import matrix_band_part as band_part
    from hybridflow._src.ops.arrays.diagonal import matrix_diag as diag
    from hybridflow._src.ops.arrays.diagonal import matrix_diag_part as diag_part
    from hybridflow._src.ops.arrays.diagonal import matrix_set_diag as set_diag
    from hybridflow._src.ops.linalg.cholesky import cholesky, cholesky_solve
    from hybridflow._src.ops.linalg.contraction import einsum, tensordot
    from hybridflow._src.ops.linalg.decompositions import qr, svd
    from hybridflow._src.ops.linalg.decompositions import self_adjoint_eig as eigh
    from hybridflow._src.ops.linalg.decompositions import self_adjoint_eigvals as eigvalsh
    from hybridflow._src.ops.linalg.determinants import logdet, slogdet
    from hybridflow._src.ops.linalg.determinants import matrix_determinant as det
    from hybridflow._src.ops.linalg.exponential import expm
    from hybridflow._src.ops.linalg.least_squares import matrix_solve_ls as lstsq
    from hybridflow._src.ops.linalg.lu import lu
    from hybridflow._src.ops.linalg.normalizing import normalize
    from hybridflow._src.ops.linalg.norms import norm
    from hybridflow._src.ops.linalg.products import adjoint, matvec, trace
    from hybridflow._src.ops.linalg.rank import matrix_rank, pinv
    from hybridflow._src.ops.linalg.systems import matrix_inverse as inv
    from hybridflow._src.ops.linalg.systems import matrix_solve as solve
    from hybridflow._src.ops.linalg.systems import matrix_triangular_solve as triangular_solve

__all__ = [
    "LinearOperator",
    "LinearOperatorBlockDiag",
    "LinearOperatorComposition",
    "LinearOperatorDiag",
    "LinearOperatorFullMatrix",
    "LinearOperatorIdentity",
    "LinearOperatorKronecker",
    "LinearOperatorLowRankUpdate",
    "LinearOperatorLowerTriangular",
    "LinearOperatorScaledIdentity",
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "det",
    "diag",
    "diag_part",
    "eigh",
    "eigvalsh",
    "einsum",
    "expm",
    "eye",
    "inv",
    "logdet",
    "lstsq",
    "lu",
    "matrix_rank",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "svd",
    "tensordot",
    "trace",
    "transpose",
    "triangular_solve",
]
