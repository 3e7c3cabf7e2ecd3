"""The exponential function of matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.linalg.products import adjoint
from hybridflow._src.ops.linalg.systems import TYPES, square_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["expm"]

# The degree of the Pade approximant, and up to which 1-norm it is exact to rounding: table 2.3 of
# N. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005).
_DEGREES = {"f": (7, 3.925724783138660), "d": (13, 5.371920351148152)}


def _expm(x: np.ndarray) -> np.ndarray:
    if not x.size:
        return x.copy()
    degree, bound = _DEGREES["f" if x.real.dtype == np.float32 else "d"]
    finite = np.isfinite(x).all(axis=(-2, -1))
    scaled = np.where(finite[..., None, None], x, x.dtype.type(0))
    norms = np.abs(scaled).sum(axis=-2).max(axis=-1)
    with np.errstate(all="ignore"):
        ratio = np.where(np.isfinite(norms), norms / bound, np.finfo(norms.dtype).max)
        halvings = np.maximum(np.ceil(np.log2(np.maximum(ratio, 1))), 0).astype(int)
        scaled = scaled * np.exp2(-halvings).astype(norms.dtype)[..., None, None]
        result = _pade(scaled, degree)
        for turn in range(int(halvings.max())):
            wanted = (halvings > turn)[..., None, None]
            result = np.where(wanted, result @ result, result)
    result[~finite] = np.nan
    return result


def _pade(x: np.ndarray, degree: int) -> np.ndarray:
    """The quotient of two polynomials, equal but for the signs of odd powers."""
    power = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    parts = [np.zeros_like(x), np.zeros_like(x)]
    for k in range(degree + 1):
        weight = math.comb(degree, k) * math.factorial(2 * degree - k)
        parts[k % 2] += power * x.dtype.type(weight / math.factorial(2 * degree))
        power = power @ x
    even, odd = parts
    return np.linalg.solve(even - odd, even + odd)


def _grad(op: Any, dy: Tensor) -> Any:
    """The exponential of [[x*, dy], [0, x*]] holds that of x* twice, and right of it the gradient.

    R. Mathias, "A chain rule for matrix functions and applications" (1996).
    """
    other = adjoint(op.inputs[0])
    size = raw.Shape(other)[-1]
    above = raw.ConcatV2([other, dy], -1)
    below = raw.ConcatV2([raw.ZerosLike(other), other], -1)
    both = raw.MatrixExponential(raw.ConcatV2([above, below], -2))
    return both[..., :size, size:]


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape in ((3, 3), (2, 3, 3), (0, 2, 2), (0, 0), (1, 1)):
            x = rng.normal(size=shape)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * rng.normal(size=shape)
            yield Sample(x.astype(dtype))
    scales = np.array([1e-8, 1.0, 30.0])[:, None, None]
    yield Sample(rng.normal(size=(3, 4, 4)) * scales, differentiable=False)


_record = OpDef(
    "MatrixExponential",
    "input: T -> output: T",
    types=TYPES,
    shape=square_shape,
    compute=_expm,
    grad=_grad,
    samples=_samples,
)


def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponentials of square matrices: `1 + x + x x / 2! + x x x / 3! + ...`.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype, NaN for a matrix that is not finite.

    Raises:
      ValueError: if the matrices are not square.

    Reference: N. Higham, "The scaling and squaring method for the matrix exponential revisited",
    SIAM J. Matrix Anal. Appl. 26 (2005).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy().round(5).tolist())
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _record(input, name=name)
