"""Matrix decompositions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.linalg.decomposition_gradients import eig_grad, qr_grad, svd_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["qr", "self_adjoint_eig", "self_adjoint_eigvals", "svd"]

_TYPES = (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)


def _decompose(function: Callable[..., Any], x: np.ndarray) -> list[np.ndarray]:
    """The parts that a function of NumPy gives, all NaN for matrices that are not finite."""
    finite = np.isfinite(x).all(axis=(-2, -1))
    if finite.all():
        return [part.astype(x.dtype, copy=False) for part in function(x)]
    parts = _decompose(function, np.where(finite[..., None, None], x, x.dtype.type(0)))
    for part in parts:
        part[~finite] = np.nan
    return parts


def _complex(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


# -- Qr --------------------------------------------------------------------------------------------


def _qr_dims(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims = shape_rules.with_rank_at_least(x, 2)
    if dims is None:
        return [None, None]
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
                yield Sample(
                    rng.normal(size=shape).astype(dtype),
                    full_matrices=full,
                    differentiable=not full or shape[-2] <= shape[-1],
                )
    yield Sample(_complex(rng, (2, 3, 2)))
    yield Sample(_complex(rng, (2, 3)))


_record = OpDef(
    "Qr",
    "input: T -> q: T, r: T",
    attrs={"full_matrices": False},
    types=_TYPES,
    shape=_qr_dims,
    compute=_qr,
    grad=qr_grad,
    samples=_samples,
)


class Qr(NamedTuple):
    """What `qr` gives."""

    q: Tensor
    r: Tensor


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Qr:
    """The QR decompositions of matrices: `input = q r`, q orthogonal, r upper triangular.

    Args:
      input: tensor `[..., m, n]` of a floating or complex dtype.
      full_matrices: whether q is `[..., m, m]`; else `[..., m, min(m, n)]`.
      name: name of the op.

    Returns: `(q, r)`.

    Raises:
      NotImplementedError: by its gradient, with `full_matrices` and m > n.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.eager_mode():
    ...     q, r = hf.qr(hf.constant([[3.0, 1.0], [4.0, 2.0]]))
    >>> bool(np.allclose(q.numpy() @ r.numpy(), [[3, 1], [4, 2]]))
    True
    """
    return Qr(*_record(input, full_matrices=full_matrices, name=name))


# -- Svd -------------------------------------------------------------------------------------------


def _svd_dims(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims = shape_rules.with_rank_at_least(x, 2)
    if dims is None:
        return [None, None, None] if attrs["compute_uv"] else [None, (0,), (0,)]
    *batch, rows, columns = dims
    small = None if rows is None or columns is None else min(rows, columns)
    if not attrs["compute_uv"]:
        return [(*batch, small), (0,), (0,)]
    full = attrs["full_matrices"]
    u = (*batch, rows, rows if full else small)
    return [(*batch, small), u, (*batch, columns, columns if full else small)]


def _svd(x: np.ndarray, compute_uv: bool, full_matrices: bool) -> tuple[np.ndarray, ...]:
    if not compute_uv:
        (s,) = _decompose(lambda a: [np.linalg.svd(a, compute_uv=False)], x)
        return s, np.zeros(0, x.dtype), np.zeros(0, x.dtype)
    u, s, vh = _decompose(lambda a: np.linalg.svd(a, full_matrices=full_matrices), x)
    return s, u, np.conj(np.swapaxes(vh, -1, -2))


def _svd_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((4, 3), (3, 4), (2, 3, 3), (0, 2, 3), (0, 3)):
            x = rng.normal(size=shape).astype(dtype)
            for full in (False, True):
                square = shape[-2] == shape[-1]
                yield Sample(x, full_matrices=full, differentiable=not full or square)
            yield Sample(x, compute_uv=False)
    # The phases of vectors are LAPACK's choice, which no gradient knows.
    yield Sample(_complex(rng, (2, 3, 2)), differentiable=False)
    yield Sample(_complex(rng, (2, 3, 2)), compute_uv=False)


_svd_record = OpDef(
    "Svd",
    "input: T -> s: T, u: T, v: T",
    attrs={"compute_uv": True, "full_matrices": False},
    types=_TYPES,
    shape=_svd_dims,
    compute=_svd,
    grad=svd_grad,
    samples=_svd_samples,
)


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """The singular value decompositions of matrices: `tensor = u diag(s) adjoint(v)`.

    Args:
      tensor: tensor `[..., m, n]` of float32, float64 or a complex dtype.
      full_matrices: whether u is `[..., m, m]` and v `[..., n, n]`; else they have k = min(m, n)
        columns.
      compute_uv: whether u and v are wanted.
      name: name of the op.

    Returns: (s, u, v), or s alone: s is `[..., k]`, descending. All are NaN for a matrix that is
      not finite. What depends on the choice of vectors for equal values has no gradient from it.

    Raises:
      ValueError: if `tensor` has fewer than two dimensions. NotImplementedError: by the gradient of
        u and v, with `full_matrices` and m != n.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.svd(hf.constant([[3.0, 0.0], [0.0, 4.0]]), compute_uv=False).numpy())
    [4. 3.]
    """
    s, u, v = _svd_record(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (s, u, v) if compute_uv else s


# -- SelfAdjointEigV2 ------------------------------------------------------------------------------


def _eig_dims(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims = shape_rules.with_rank_at_least(x, 2)
    if dims is None:
        return [None, None] if attrs["compute_v"] else [None, (0,)]
    *batch, rows, columns = dims
    size = shape_rules.same_size(rows, columns)
    return [(*batch, size), (*batch, size, size) if attrs["compute_v"] else (0,)]


def _eig(x: np.ndarray, compute_v: bool) -> tuple[np.ndarray, ...]:
    if not compute_v:
        (e,) = _decompose(lambda a: [np.linalg.eigvalsh(a)], x)
        return e, np.zeros(0, x.dtype)
    e, v = _decompose(np.linalg.eigh, x)
    return e, v


def _eig_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((3, 3), (2, 2, 2), (0, 2, 2), (0, 0)):
            for vectors in (True, False):
                yield Sample(rng.normal(size=shape).astype(dtype), compute_v=vectors)
    yield Sample(_complex(rng, (2, 2)), differentiable=False)
    yield Sample(_complex(rng, (2, 2)), compute_v=False)


_eig_record = OpDef(
    "SelfAdjointEigV2",
    "input: T -> e: T, v: T",
    attrs={"compute_v": True},
    types=_TYPES,
    shape=_eig_dims,
    compute=_eig,
    grad=eig_grad,
    samples=_eig_samples,
)


def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The eigenvalues and eigenvectors of self-adjoint matrices: `tensor = v diag(e) adjoint(v)`.

    Args:
      tensor: tensor `[..., n, n]` of float32, float64 or a complex dtype, of which only the lower
        triangles are read.
      name: name of the op.

    Returns: `(e, v)`: e is `[..., n]`, ascending; the columns of v `[..., n, n]` are orthonormal.
      Both are NaN for a matrix that is not finite.

    Raises:
      ValueError: if the matrices are not square.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     e, v = hf.self_adjoint_eig(hf.constant([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(e.numpy())
    [1. 2.]
    """
    e, v = _eig_record(tensor, compute_v=True, name=name)
    return e, v


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of self-adjoint matrices, ascending.

    Args:
      tensor: tensor `[..., n, n]` of float32, float64 or a complex dtype, of which only the lower
        triangles are read.
      name: name of the op.

    Returns: a tensor `[..., n]`, NaN for a matrix that is not finite.

    Raises:
      ValueError: if the matrices are not square.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.self_adjoint_eigvals(hf.constant([[0.0, 1.0], [1.0, 0.0]])).numpy())
    [-1.  1.]
    """
    return _eig_record(tensor, compute_v=False, name=name)[0]
