"""LU decompositions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.families import COMPLEX, INDICES
from hybridflow._src.ops.linalg.products import adjoint
from hybridflow._src.ops.linalg.systems import SINGULAR, square_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["lu"]


def _lu_dims(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims = square_shape(attrs, x)
    return [dims, None if dims is None else dims[:-1]]


def _lu_arrays(x: np.ndarray, output_idx_type: DType) -> list[np.ndarray]:
    """Gaussian elimination, each time with the largest number of a column first."""
    size = x.shape[-1]
    lu: np.ndarray = x.reshape(math.prod(x.shape[:-2]), size, size).copy()
    rows = np.broadcast_to(np.arange(size), lu.shape[:2]).copy()
    each = np.arange(len(lu))
    for k in range(size):
        best = k + np.abs(lu[:, k:, k]).argmax(axis=1) if len(lu) else each
        lu[each, k], lu[each, best] = lu[each, best], lu[each, k]
        rows[each, k], rows[each, best] = rows[each, best], rows[each, k]
        pivots = lu[:, k, k, None]
        if not pivots.all():
            raise InvalidArgumentError(None, None, SINGULAR.format(what="Input"))
        below = lu[:, k + 1 :, k] / pivots
        lu[:, k + 1 :, k] = below
        lu[:, k + 1 :, k + 1 :] -= below[:, :, None] * lu[:, k, None, k + 1 :]
    return [lu.reshape(x.shape), rows.reshape(x.shape[:-1]).astype(output_idx_type.np)]


def _lu_grad(op: Any, dlu: Tensor, _: Any) -> Any:
    """Of `input[p] = L U`, with `dL` and `dU` the parts of `dlu` below and above the diagonal.

    S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with
    application in optimum experimental design" (2010), for LU:
    `d(input[p]) = adj(L)^-1 (tril(adj(L) dL, -1) + triu(dU adj(U))) adj(U)^-1`.
    """
    lu, rows = op.outputs
    ones = raw.OnesLike(raw.MatrixDiagPart(lu))
    lower = raw.MatrixSetDiag(raw.MatrixBandPart(lu, -1, 0), ones)
    upper = raw.MatrixBandPart(lu, 0, -1)
    left = raw.BatchMatMul(lower, _below(dlu), adj_x=True)
    right = raw.BatchMatMul(raw.MatrixBandPart(dlu, 0, -1), upper, adj_y=True)
    inner = _below(left) + raw.MatrixBandPart(right, 0, -1)
    solved = raw.MatrixTriangularSolve(lower, inner, lower=True, adjoint=True)
    turned = raw.MatrixTriangularSolve(upper, adjoint(solved), lower=False, adjoint=False)
    # Row i of what was solved belongs to row `rows[i]` of the input.
    size = raw.StridedSlice(raw.Shape(lu), [-1], [0], [1], end_mask=1)
    ones = convert_to_tensor(1, lu.dtype.base_dtype)
    places = raw.OneHot(rows, raw.Reshape(size, []), ones, raw.ZerosLike(ones), axis=-1)
    return raw.BatchMatMul(places, adjoint(turned), adj_x=True)


def _below(x: Any) -> Any:
    """The part of matrices below the diagonal."""
    return x - raw.MatrixBandPart(x, 0, -1)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((3, 3), (2, 3, 3), (1, 1), (0, 2, 2), (0, 0)):
            for kind in INDICES:
                yield Sample(rng.normal(size=shape).astype(dtype), output_idx_type=kind)
    yield Sample(rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))


_record = OpDef(
    "Lu",
    "input: T -> lu: T, p: output_idx_type",
    attrs={"output_idx_type": dtypes.int32},
    types={"T": (dtypes.float32, dtypes.float64, *COMPLEX), "output_idx_type": INDICES},
    shape=_lu_dims,
    compute=_lu_arrays,
    grad=_lu_grad,
    samples=_samples,
)


class Lu(NamedTuple):
    """What `lu` gives."""

    lu: Tensor
    p: Tensor


def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Lu:
    """The LU decompositions of matrices: `input[p] = L U`. Of TensorFlow 1.15.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      output_idx_type: int32 or int64.
      name: name of the op.

    Returns: `(lu, p)`: a tensor like `input`, with U on and above the diagonals and L below them,
      whose diagonal is 1; and numbers of rows, `[..., n]`.

    Raises:
      ValueError: if the matrices are not square. InvalidArgumentError: if one is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     parts, rows = hf.linalg.lu([[1.0, 2.0], [4.0, 4.0]])
    ...     print(parts.numpy().tolist(), rows.numpy())
    [[4.0, 4.0], [0.25, 1.0]] [1 0]
    """
    return Lu(*_record(input, output_idx_type=dtypes.as_dtype(output_idx_type), name=name))
