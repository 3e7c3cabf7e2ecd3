"""Matrix decompositions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["qr"]


def _qr_dims(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims = x._dims
    if dims is None:
        return [None, None]
    if len(dims) < 2:
        raise ValueError(f"Shape must be at least rank 2 but is rank {len(dims)}")
    *batch, rows, columns = dims
    small = None if rows is None or columns is None else min(rows, columns)
    full = attrs["full_matrices"]
    return [(*batch, rows, rows if full else small), (*batch, rows if full else small, columns)]


def _qr(x: np.ndarray, full_matrices: bool) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(x, mode="complete" if full_matrices else "reduced")
    return q.astype(x.dtype, copy=False), r.astype(x.dtype, copy=False)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((4, 3), (3, 4), (2, 3, 3)):
            for full in (False, True):
                yield Sample(rng.normal(size=shape).astype(dtype), full_matrices=full)


_record = OpDef(
    "Qr",
    "input: T -> q: T, r: T",
    attrs={"full_matrices": False},
    types=(dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128),
    shape=_qr_dims,
    compute=_qr,
    grad=not_differentiable,
    samples=_samples,
)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> list[Tensor]:
    """The QR decompositions of matrices: `input = q r`, q orthogonal, r upper triangular.

    Args:
      input: tensor `[..., m, n]` of a floating or complex dtype.
      full_matrices: whether q is `[..., m, m]`; else `[..., m, min(m, n)]`.
      name: name of the op.

    Returns: [q, r]. It has no gradient here.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.eager_mode():
    ...     q, r = hf.qr(hf.constant([[3.0, 1.0], [4.0, 2.0]]))
    >>> bool(np.allclose(q.numpy() @ r.numpy(), [[3, 1], [4, 2]]))
    True
    """
    return _record(input, full_matrices=full_matrices, name=name)
