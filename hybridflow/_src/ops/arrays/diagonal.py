"""Diagonals of matrices; eye."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.arrays.constant import ones, zeros
from hybridflow._src.ops.arrays.joining import concat

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "diag",
    "diag_part",
    "eye",
    "matrix_band_part",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_set_diag",
]


def _smaller(m: int | None, n: int | None) -> int | None:
    return None if m is None or n is None else min(m, n)


def _at_least(x: Tensor, rank: int) -> shape_rules.Dims:
    if x._dims is not None and len(x._dims) < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {len(x._dims)}")
    return x._dims


def _on_diagonal(x: np.ndarray) -> tuple[Any, ...]:
    """The index of the diagonals of a batch of matrices."""
    count = np.arange(min(x.shape[-2:]))
    return (..., count, count)


def _diagonals(x: np.ndarray) -> np.ndarray:
    """The diagonals of a batch of matrices, as a view."""
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:-2], min(x.shape[-2:])), (*x.strides[:-2], x.strides[-2] + x.strides[-1])
    )


def _native_set_diag(b: Any, x: Any, diagonal: Any) -> Any:
    return b.assemble(x.shape, x.dtype, [(x, lambda whole: whole), (diagonal, _diagonals)])


def _native_diag(b: Any, diagonal: Any) -> Any:
    shape = (*diagonal.shape, diagonal.shape[-1])
    return _native_set_diag(b, b.full(shape, 0, diagonal.dtype), diagonal)


# -- batches of matrices ---------------------------------------------------------------------------


def _matrix_diag_shape(attrs: dict[str, Any], diagonal: Tensor) -> shape_rules.Dims:
    dims = _at_least(diagonal, 1)
    return None if dims is None else (*dims, dims[-1])


def _matrix_diag(diagonal: np.ndarray) -> np.ndarray:
    shape = allocatable("MatrixDiag", (*diagonal.shape, diagonal.shape[-1]), diagonal.dtype)
    result = np.zeros(shape, diagonal.dtype)
    result[_on_diagonal(result)] = diagonal
    return result


def _vectors(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims in ((3,), (2, 3), (0,), (0, 2)):
            yield Sample(rng.normal(size=dims).astype(dtype))


_matrix_diag_op = OpDef(
    "MatrixDiag",
    "diagonal: T -> output: T",
    shape=_matrix_diag_shape,
    compute=_matrix_diag,
    grad=lambda op, dy: raw.MatrixDiagPart(dy),
    samples=_vectors,
    native=_native_diag,
)


def _matrix_diag_part_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims = _at_least(x, 2)
    return None if dims is None else (*dims[:-2], _smaller(*dims[-2:]))


def _matrices(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims in ((3, 3), (2, 4), (2, 3, 2), (0, 2)):
            yield Sample(rng.normal(size=dims).astype(dtype))


_matrix_diag_part_op = OpDef(
    "MatrixDiagPart",
    "input: T -> diagonal: T",
    shape=_matrix_diag_part_shape,
    compute=lambda x: x[_on_diagonal(x)],
    grad=lambda op, dy: raw.MatrixSetDiag(raw.ZerosLike(op.inputs[0]), dy),
    samples=_matrices,
    native=lambda b, x: b.view(_diagonals, x),
)


def _matrix_set_diag_shape(attrs: dict[str, Any], x: Tensor, diagonal: Tensor) -> shape_rules.Dims:
    dims, given = _at_least(x, 2), _at_least(diagonal, 1)
    if dims is not None:
        merge((*dims[:-2], _smaller(*dims[-2:])), given)
    return dims


def _matrix_set_diag(x: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    if diagonal.shape != (*x.shape[:-2], min(x.shape[-2:])):
        raise ValueError(f"diagonal has shape {diagonal.shape}, which does not fit {x.shape}")
    result = np.array(x)
    result[_on_diagonal(result)] = diagonal
    return result


def _matrix_set_diag_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    return raw.MatrixSetDiag(dy, raw.ZerosLike(op.inputs[1])), raw.MatrixDiagPart(dy)


def _matrix_set_diag_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _matrices(rng):
        (x,) = sample.args
        diagonal = rng.normal(size=(*x.shape[:-2], min(x.shape[-2:]))).astype(x.dtype)
        yield Sample(x, diagonal)


_matrix_set_diag_op = OpDef(
    "MatrixSetDiag",
    "input: T, diagonal: T -> output: T",
    shape=_matrix_set_diag_shape,
    compute=_matrix_set_diag,
    grad=_matrix_set_diag_grad,
    samples=_matrix_set_diag_samples,
    native=_native_set_diag,
)


def _band(x: np.ndarray, num_lower: np.ndarray, num_upper: np.ndarray) -> np.ndarray:
    if x.ndim < 2 or num_lower.ndim or num_upper.ndim:
        raise ValueError("input must be at least 2-dim, num_lower and num_upper scalars")
    rows, columns = np.ogrid[: x.shape[-2], : x.shape[-1]]
    distance = columns - rows
    inside = np.ones(distance.shape, bool)
    if num_lower >= 0:
        inside &= -distance <= num_lower
    if num_upper >= 0:
        inside &= distance <= num_upper
    return np.where(inside, x, np.zeros((), x.dtype))


def _band_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    return raw.MatrixBandPart(dy, op.inputs[1], op.inputs[2]), None, None


def _band_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _matrices(rng):
        for lower, upper in ((1, 0), (-1, 1), (0, -1)):
            yield Sample(*sample.args, np.array(lower, np.int64), np.array(upper, np.int64))


_band_op = OpDef(
    "MatrixBandPart",
    "input: T, num_lower: int64, num_upper: int64 -> band: T",
    shape=lambda attrs, x, *_: _at_least(x, 2),
    compute=_band,
    grad=_band_grad,
    samples=_band_samples,
)


def matrix_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A batch of diagonal matrices.

    Args:
      diagonal: a tensor `[..., n]`.
      name: name of the op.

    Returns: a tensor `[..., n, n]`, zero off the diagonals.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_diag([1, 2]).numpy())
    [[1 0]
     [0 2]]
    """
    return _matrix_diag_op(diagonal, name=name)


def matrix_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonals of a batch of matrices.

    Args:
      input: a tensor `[..., m, n]`.
      name: name of the op.

    Returns: a tensor `[..., min(m, n)]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_diag_part([[1, 2], [3, 4]]).numpy())
    [1 4]
    """
    return _matrix_diag_part_op(input, name=name)


def matrix_set_diag(input: Any, diagonal: Any, name: str | None = None) -> Tensor:
    """A batch of matrices with other diagonals.

    Args:
      input: a tensor `[..., m, n]`.
      diagonal: the diagonals `[..., min(m, n)]`.
      name: name of the op.

    Returns: a tensor like `input`.

    Raises:
      ValueError: if the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_set_diag([[1, 2], [3, 4]], [8, 9]).numpy())
    [[8 2]
     [3 9]]
    """
    return _matrix_set_diag_op(input, diagonal, name=name)


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """A batch of matrices with zeros outside a band around the diagonal.

    Args:
      input: a tensor `[..., m, n]`.
      num_lower: how many diagonals to keep below the main one; all if negative. int64 scalar.
      num_upper: the same above it.
      name: name of the op.

    Returns: a tensor like `input`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_band_part([[1, 2], [3, 4]], 0, -1).numpy())
    [[1 2]
     [0 4]]
    """
    return _band_op(input, num_lower, num_upper, name=name)


# -- one tensor ------------------------------------------------------------------------------------


def _diag_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims = _at_least(x, 1)
    return None if dims is None else (*dims, *dims)


def _diag(x: np.ndarray) -> np.ndarray:
    return _matrix_diag(x.reshape(-1)).reshape(x.shape + x.shape)


def _diag_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims in ((3,), (2, 2), (0,)):
            yield Sample(rng.normal(size=dims).astype(dtype))


_diag_op = OpDef(
    "Diag",
    "diagonal: T -> output: T",
    shape=_diag_shape,
    compute=_diag,
    grad=lambda op, dy: raw.DiagPart(dy),
    samples=_diag_samples,
    native=lambda b, x: b.reshape(_native_diag(b, b.reshape(x, (x.size,))), x.shape + x.shape),
)


def _diag_part_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims = x._dims
    if dims is None:
        return None
    if not dims or len(dims) % 2:
        raise ValueError(f"The rank of the tensor should be even and positive, but is {len(dims)}")
    middle = len(dims) // 2
    return merge(dims[:middle], dims[middle:])


def _diag_part(x: np.ndarray) -> np.ndarray:
    dims = x.shape[: x.ndim // 2]
    if not dims or dims + dims != x.shape:
        raise ValueError(f"the two halves of the shape must be equal, got {list(x.shape)}")
    count = np.prod(dims, dtype=np.intp)
    return np.array(x.reshape(count, count).diagonal()).reshape(dims)


def _native_diag_part(b: Any, x: Any) -> Any:
    dims = x.shape[: len(x.shape) // 2]
    count = math.prod(dims)
    return b.reshape(b.view(_diagonals, b.reshape(x, (count, count))), dims)


def _diag_part_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims in ((3, 3), (2, 3, 2, 3), (0, 0)):
            yield Sample(rng.normal(size=dims).astype(dtype))


_diag_part_op = OpDef(
    "DiagPart",
    "input: T -> diagonal: T",
    shape=_diag_part_shape,
    compute=_diag_part,
    grad=lambda op, dy: raw.Diag(dy),
    samples=_diag_part_samples,
    native=_native_diag_part,
)


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor with given elements on its diagonal: `y[i, ..., i, ...] = diagonal[i, ...]`.

    Args:
      diagonal: a tensor `[d0, ..., dk]`.
      name: name of the op.

    Returns: a tensor `[d0, ..., dk, d0, ..., dk]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.diag([1, 2]).numpy())
    [[1 0]
     [0 2]]
    """
    return _diag_op(diagonal, name=name)


def diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonal of a tensor: `y[i, ...] = input[i, ..., i, ...]`.

    Args:
      input: a tensor `[d0, ..., dk, d0, ..., dk]`.
      name: name of the op.

    Returns: a tensor `[d0, ..., dk]`.

    Raises:
      ValueError: if the halves of the shape differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.diag_part([[1, 2], [3, 4]]).numpy())
    [1 4]
    """
    return _diag_part_op(input, name=name)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """A matrix, or a batch of them, with ones on the diagonal and zeros elsewhere.

    Args:
      num_rows: the number of rows, an int or int32 scalar.
      num_columns: the number of columns; that of rows by default.
      batch_shape: shape of the batch, a vector.
      dtype: dtype of the result.
      name: name scope of the ops.

    Returns: a tensor `batch_shape + [num_rows, num_columns]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.eye(2, 3, dtype=hf.int32).numpy())
    [[1 0 0]
     [0 1 0]]
    """
    square = num_columns is None
    columns = num_rows if square else num_columns
    with name_scope(name, "eye", [num_rows, columns, batch_shape]):
        symbolic = any(isinstance(x, Tensor) for x in (num_rows, columns, batch_shape))
        if symbolic:
            batch: Any = np.zeros(0, np.int32) if batch_shape is None else batch_shape
            batch = convert_to_tensor(batch, dtypes.int32, name="shape")
            count = raw.Minimum(num_rows, columns)
            diagonal = ones(concat([batch, [count]], 0), dtype)
        else:
            batch = [] if batch_shape is None else [int(d) for d in batch_shape]
            diagonal = ones([*batch, min(int(num_rows), int(columns))], dtype)
        if square:
            return matrix_diag(diagonal)
        shape = concat([batch, [num_rows, columns]], 0) if symbolic else [*batch, num_rows, columns]
        return matrix_set_diag(zeros(shape, dtype), diagonal)
