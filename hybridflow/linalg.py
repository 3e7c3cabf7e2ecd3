"""Linear algebra."""

from __future__ import annotations

from hybridflow._src.ops.arranging import transpose
from hybridflow._src.ops.contraction import einsum, tensordot
from hybridflow._src.ops.decompositions import qr, svd
from hybridflow._src.ops.diagonal import diag, diag_part, eye
from hybridflow._src.ops.norms import norm

__all__ = [
    "diag",
    "diag_part",
    "einsum",
    "eye",
    "norm",
    "qr",
    "svd",
    "tensordot",
    "transpose",
]
