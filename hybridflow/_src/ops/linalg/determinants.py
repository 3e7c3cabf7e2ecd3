"""Determinants and their logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.diagonal import matrix_diag_part
from hybridflow._src.ops.families import conj
from hybridflow._src.ops.linalg.cholesky import cholesky
from hybridflow._src.ops.linalg.systems import TYPES, square_shape
from hybridflow._src.ops.math.complex_numbers import real
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["logdet", "matrix_determinant", "slogdet"]


def _shape(attrs: dict[str, Any], x: Tensor) -> Any:
    dims = square_shape(attrs, x)
    return None if dims is None else dims[:-2]


def _two_shapes(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    return [_shape(attrs, x)] * 2


def _in_matrices(x: Any) -> Any:
    return raw.ExpandDims(raw.ExpandDims(x, -1), -1)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape in ((3, 3), (2, 3, 3), (0, 2, 2), (0, 0), (1, 1), (2, 0, 0)):
            x = rng.normal(size=shape)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * rng.normal(size=shape)
            yield Sample((x + 2 * np.eye(shape[-1])).astype(dtype))
    yield Sample(np.zeros((2, 3, 3)), differentiable=False)
    yield Sample(rng.normal(size=(2, 30, 30)), differentiable=False)


# -- MatrixDeterminant -----------------------------------------------------------------------------


def _determinant(x: np.ndarray) -> Any:
    return np.linalg.det(x).astype(x.dtype, copy=False)


def _determinant_grad(op: Any, dy: Tensor) -> Any:
    inverse = raw.MatrixInverse(op.inputs[0], adjoint=True)
    return _in_matrices(dy * conj(op.outputs[0])) * inverse


_determinant_record = OpDef(
    "MatrixDeterminant",
    "input: T -> output: T",
    types=TYPES,
    shape=_shape,
    compute=_determinant,
    grad=_determinant_grad,
    samples=_samples,
)


def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """The determinants of square matrices.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      name: name of the op.

    Returns: a tensor `[...]` of that dtype.

    Raises:
      ValueError: if the matrices are not square.
      InvalidArgumentError: by the gradient, if a matrix is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_determinant([[2.0, 1.0], [0.0, 3.0]]).numpy())
    6.0
    """
    return _determinant_record(input, name=name)


# -- LogMatrixDeterminant --------------------------------------------------------------------------


def _log(x: np.ndarray) -> tuple[Any, Any]:
    sign, logarithm = np.linalg.slogdet(x)
    return sign.astype(x.dtype, copy=False), logarithm.astype(x.dtype, copy=False)


def _log_grad(op: Any, dsign: Any, dlog: Any) -> Any:
    """That of the sign is zero, as TensorFlow has it."""
    x = op.inputs[0]
    if dlog is None:
        return raw.ZerosLike(x)
    if x.dtype.is_complex:
        dlog = 0.5 * (dlog + conj(dlog))
    return _in_matrices(dlog) * raw.MatrixInverse(x, adjoint=True)


_log_record = OpDef(
    "LogMatrixDeterminant",
    "input: T -> sign: T, log_abs_determinant: T",
    types=TYPES,
    shape=_two_shapes,
    compute=_log,
    grad=_log_grad,
    samples=lambda rng: (
        Sample(*s.args, differentiable=s.differentiable and s.args[0].dtype.kind == "f")
        for s in _samples(rng)
    ),
)


class Slogdet(NamedTuple):
    """What `slogdet` gives."""

    sign: Tensor
    log_abs_determinant: Tensor


def slogdet(input: Any, name: str | None = None) -> Slogdet:
    """The signs of determinants, and the logarithms of their absolute values.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      name: name of the op.

    Returns: `(sign, log_abs_determinant)`, tensors `[...]` of that dtype. The sign of a complex
      determinant has absolute value 1; that of a singular matrix is 0, with -inf.

    Raises:
      ValueError: if the matrices are not square.
      InvalidArgumentError: by the gradient, if a matrix is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     sign, logarithm = hf.linalg.slogdet([[0.0, 1.0], [1.0, 0.0]])
    ...     print(sign.numpy(), logarithm.numpy())
    -1.0 0.0
    """
    return Slogdet(*_log_record(input, name=name))


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithms of the determinants of positive definite matrices.

    Args:
      matrix: tensor `[..., n, n]` of float32, float64 or a complex dtype, of which only the lower
        triangles are read.
      name: name of the op.

    Returns: a tensor `[...]`, real also for complex matrices.

    Raises:
      ValueError: if the matrices are not square.
      InvalidArgumentError: if one is not positive definite.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.logdet([[1.0, 0.0], [0.0, 1.0]]).numpy())
    0.0
    """
    with name_scope(name, "logdet", [matrix]):
        factor = cholesky(matrix)
        return 2.0 * reduce_sum(log(real(matrix_diag_part(factor))), axis=[-1])
