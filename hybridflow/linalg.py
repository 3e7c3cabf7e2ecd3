"""Linear algebra."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.arrays.arranging import matrix_transpose as transpose
    from hybridflow._src.ops.arrays.diagonal import eye
    from hybridflow._src.ops.arrays.diagonal import matrix_band_part as band_part
    from hybridflow._src.ops.arrays.diagonal import matrix_diag as diag
    from hybridflow._src.ops.arrays.diagonal import matrix_diag_part as diag_part
    from hybridflow._src.ops.arrays.diagonal import matrix_set_diag as set_diag
    from hybridflow._src.ops.linalg.contraction import einsum, tensordot
    from hybridflow._src.ops.linalg.decompositions import qr, svd
    from hybridflow._src.ops.linalg.decompositions import self_adjoint_eig as eigh
    from hybridflow._src.ops.linalg.decompositions import self_adjoint_eigvals as eigvalsh
    from hybridflow._src.ops.linalg.norms import norm
    from hybridflow._src.ops.linalg.products import adjoint, trace

__all__ = [
    "adjoint",
    "band_part",
    "diag",
    "diag_part",
    "eigh",
    "eigvalsh",
    "einsum",
    "eye",
    "norm",
    "qr",
    "set_diag",
    "svd",
    "tensordot",
    "trace",
    "transpose",
]
