"""Gradients of matrix decompositions, to any order.

J. Townsend, "Differentiating the Singular Value Decomposition" (2016); M. Giles, "An extended
collection of matrix derivative results for forward and reverse mode automatic differentiation"
(2008); for complex matrices Z. Wan and S. Zhang, "Automatic differentiation for complex valued SVD"
(2019); for QR of wide matrices S. Walter and L. Lehmann, "Algorithmic differentiation of linear
algebra functions with application in optimum experimental design" (2010).

Vectors that belong to equal values are not determined; what depends on their choice gets no
gradient from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.families import conj
from hybridflow._src.ops.linalg.products import adjoint

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

_PARTS = (
    "The gradient of {op} {name!r} with full_matrices=True is that of square matrices alone{but}: "
    "the further columns are not determined by the input. Use full_matrices=False."
)


def _product(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False) -> Any:
    return raw.BatchMatMul(x, y, adj_x=adj_x, adj_y=adj_y)


def _inverse(x: Tensor) -> Any:
    """1 / x, but 0 for 0."""
    zeros = raw.ZerosLike(x)
    present = raw.NotEqual(x, zeros)
    return raw.Select(present, 1.0 / raw.Select(present, x, raw.OnesLike(x)), zeros)


def _gaps(values: Tensor) -> Any:
    """The matrices of 1 / (values[j] - values[i]), 0 where they are equal."""
    return _inverse(raw.ExpandDims(values, -2) - raw.ExpandDims(values, -1))


def eig_grad(op: Any, de: Any, dv: Any) -> Any:
    """Of `tensor = v diag(e) adjoint(v)`, whose lower triangle alone is read."""
    e, v = op.outputs if op.get_attr("compute_v") else op.record(op.inputs[0], compute_v=True)
    inner = raw.MatrixDiag(raw.ZerosLike(e) if de is None else de)
    if dv is not None and op.get_attr("compute_v"):
        inner = inner + _gaps(e) * _product(v, dv, adj_x=True)
    both = _product(_product(v, inner + adjoint(inner)), v, adj_y=True)
    return raw.MatrixSetDiag(raw.MatrixBandPart(both, -1, 0), 0.5 * raw.MatrixDiagPart(both))


def svd_grad(op: Any, ds: Any, du: Any, dv: Any) -> Any:
    """Of `tensor = u diag(s) adjoint(v)`.

    Raises:
      NotImplementedError: of u and v with `full_matrices`, unless the matrices are square, or
        nearly: a single further column is determined, but for its sign, by all others.
    """
    (x,) = op.inputs
    if not op.get_attr("compute_uv"):
        du = dv = None
    s, u, v = op.outputs
    if op.get_attr("full_matrices") and (du is not None or dv is not None):
        further = _further_columns(op)
        if further:
            u, du = _without_last(u, du, further > 0)
            v, dv = _without_last(v, dv, further < 0)
    elif op.get_attr("full_matrices") or not op.get_attr("compute_uv"):
        s, u, v = op.record(x, compute_uv=True, full_matrices=False)
    ds = raw.ZerosLike(s) if ds is None else ds
    # Singular values are real.
    inner = raw.MatrixDiag(0.5 * (ds + conj(ds)) if x.dtype.is_complex else ds)
    gaps, inverse = _gaps(raw.Square(s)), _inverse(s)
    if du is not None:
        turned = _product(u, du, adj_x=True)
        inner = inner + gaps * (turned - adjoint(turned)) * raw.ExpandDims(s, -2)
    if dv is not None:
        turned = _product(v, dv, adj_x=True)
        inner = inner + gaps * (turned - adjoint(turned)) * raw.ExpandDims(s, -1)
        if x.dtype.is_complex:
            # The phases of u and v turn together.
            phase = raw.MatrixDiagPart(turned)
            inner = inner + raw.MatrixDiag(0.5 * (conj(phase) - phase) * inverse)
    grad = _product(_product(u, inner), v, adj_y=True)
    if du is not None:
        outside = du - _product(u, _product(u, du, adj_x=True))
        grad = grad + _product(outside * raw.ExpandDims(inverse, -2), v, adj_y=True)
    if dv is not None:
        outside = dv - _product(v, _product(v, dv, adj_x=True))
        grad = grad + _product(u * raw.ExpandDims(inverse, -2), outside, adj_y=True)
    return grad


def qr_grad(op: Any, dq: Any, dr: Any) -> Any:
    """Of `input = q r`, of which the first columns are `q` times a square triangular matrix.

    Raises:
      NotImplementedError: with `full_matrices`, where there are more rows than columns.
    """
    (x,), (q, r) = op.inputs, op.outputs
    if op.get_attr("full_matrices"):
        _check_not_tall(op)
    dq = raw.ZerosLike(q) if dq is None else dq
    dr = raw.ZerosLike(r) if dr is None else dr
    size = raw.Shape(q)[-1]
    first, rest = dr[..., :size], dr[..., size:]
    square = r[..., :size]
    # What is right of the square part is adjoint(q) times the columns of the input there.
    dq = dq + _product(x[..., size:], rest, adj_y=True)
    left = _product(q, dq, adj_x=True)
    right = _product(square, first, adj_y=True)
    skew = raw.MatrixBandPart(left - adjoint(left) + right - adjoint(right), -1, 0)
    if x.dtype.is_complex:
        # The diagonal of r is real.
        phases = raw.MatrixDiagPart(right - adjoint(left))
        skew = skew - raw.MatrixDiag(0.5 * (phases - conj(phases)))
    inside = _product(q, first + _divided(skew, square))
    grad = inside + _divided(dq - _product(q, left), square)
    return raw.ConcatV2([grad, _product(q, rest)], -1)


def _divided(x: Any, r: Any) -> Any:
    """`x` times the inverse of adjoint(r), for upper triangular matrices r."""
    solved = raw.MatrixTriangularSolve(r, adjoint(x), lower=False, adjoint=False)
    return adjoint(solved)


def _without_last(vectors: Any, grad: Any, there: bool) -> tuple[Any, Any]:
    """Vectors without the last one, if that is there, and a gradient that accounts for it.

    The last one, w, stands at right angles to the others, V: where these move by dV, it moves by
    `-V adjoint(dV) w`.
    """
    if not there:
        return vectors, grad
    first, last = vectors[..., :-1], vectors[..., -1:]
    if grad is None:
        return first, None
    turned = _product(grad[..., -1:], first, adj_x=True)
    return first, grad[..., :-1] - _product(last, turned)


def _further_columns(op: Any) -> int:
    """How many more rows a matrix has than columns: 0 where that is not known.

    Raises:
      NotImplementedError: if it is more than one, or less than minus one.
    """
    dims = op.inputs[0]._dims
    rows, columns = (None, None) if dims is None else dims[-2:]
    further = 0 if rows is None or columns is None else rows - columns
    if abs(further) > 1:
        but = ", and of those with one more row or column"
        raise NotImplementedError(_PARTS.format(op=op.type, name=op.name, but=but))
    return further


def _check_not_tall(op: Any) -> None:
    """Refuses matrices that are known to have more rows than columns."""
    dims = op.inputs[0]._dims
    rows, columns = (None, None) if dims is None else dims[-2:]
    if rows is not None and columns is not None and rows > columns:
        raise NotImplementedError(_PARTS.format(op=op.type, name=op.name, but=""))
