"""The names that TensorFlow had before 1.0 for functions of batches of matrices.

Those that are called otherwise than what took their places stand here, the rest in `spellings.py`.
"""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.linalg.decompositions import svd
from hybridflow._src.ops.linalg.products import matmul

__all__ = ["batch_matmul", "batch_svd"]


def batch_matmul(
    x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None
) -> Any:
    """`tf.matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y)`."""
    return matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)


def batch_svd(
    tensor: Any, compute_uv: bool = True, full_matrices: bool = False, name: str | None = None
) -> Any:
    """`tf.svd`, with its arguments in another order."""
    return svd(tensor, full_matrices=full_matrices, compute_uv=compute_uv, name=name)
