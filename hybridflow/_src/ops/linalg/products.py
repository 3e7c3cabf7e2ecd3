"""Matrix products, traces and adjoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import broadcast, merge
from hybridflow._src.kernels import blas
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.families import COMPLEX, FLOATS, conj
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["adjoint", "matmul", "matvec", "sparse_matmul", "trace"]

_TYPES = (*FLOATS, dtypes.int32, *COMPLEX)
# Elements of the larger matrix: below them BLAS is done before a plan has been looked up.
_KERNELS_FROM = 1 << 13


# -- MatMul ----------------------------------------------------------------------------------------


def _matmul_shape(attrs: dict[str, Any], a: Tensor, b: Tensor) -> shape_rules.Dims:
    rows, inner = shape_rules.with_rank(a, 2)
    other, columns = shape_rules.with_rank(b, 2)
    if attrs["transpose_a"]:
        rows, inner = inner, rows
    if attrs["transpose_b"]:
        other, columns = columns, other
    shape_rules.same_size(inner, other)
    return rows, columns


def _matmul_arrays(
    a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool, **_: bool
) -> np.ndarray:
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"Expected two matrices, got shapes {a.shape} and {b.shape}")
    return blas.matmul(a.T if transpose_a else a, b.T if transpose_b else b)


def _native_matmul(b: Any, first: Any, second: Any, **flags: bool) -> Any:
    turned = [flags.get(f"transpose_{n}", flags.get(f"adj_{m}")) for n, m in ("ax", "by")]
    pair = [
        b.view(lambda x: np.swapaxes(x, -1, -2), value) if turn else value
        for value, turn in zip((first, second), turned, strict=True)
    ]
    return b.product(*pair)


def _matmul_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    a, b = conj(op.inputs[0]), conj(op.inputs[1])
    product = raw.MatMul
    if op.get_attr("transpose_a"):
        if op.get_attr("transpose_b"):
            return (
                lambda: product(b, dy, transpose_a=True, transpose_b=True),
                lambda: product(dy, a, transpose_a=True, transpose_b=True),
            )
        return lambda: product(b, dy, transpose_b=True), lambda: product(a, dy)
    if op.get_attr("transpose_b"):
        return lambda: product(dy, b), lambda: product(dy, a, transpose_a=True)
    return lambda: product(dy, b, transpose_b=True), lambda: product(a, dy, transpose_a=True)


def _flags() -> Iterable[tuple[bool, bool]]:
    return ((first, second) for first in (False, True) for second in (False, True))


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if dtype is np.complex128 else x).astype(dtype)


def _matmul_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for transpose_a, transpose_b in _flags():
            a = _draw(rng, (3, 2) if transpose_a else (2, 3), dtype)
            b = _draw(rng, (4, 3) if transpose_b else (3, 4), dtype)
            yield Sample(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
        for rows, inner, columns in ((0, 2, 3), (2, 0, 3)):
            yield Sample(np.ones((rows, inner), dtype), np.ones((inner, columns), dtype))


_matmul = OpDef(
    "MatMul",
    "a: T, b: T -> product: T",
    types=_TYPES,
    attrs={"transpose_a": False, "transpose_b": False},
    shape=_matmul_shape,
    compute=_matmul_arrays,
    grad=_matmul_grad,
    samples=_matmul_samples,
    native=_native_matmul,
    kernels_from=_KERNELS_FROM,
)


# What `sparse_matmul` multiplies.
_OF_SPARSE = {dtypes.float32, dtypes.bfloat16}


def _sparse_matmul_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for transpose_a, transpose_b in _flags():
        a = rng.normal(size=(3, 2) if transpose_a else (2, 3)).astype(np.float32)
        b = rng.normal(size=(4, 3) if transpose_b else (3, 4)).astype(np.float32)
        yield Sample(a, b, transpose_a=transpose_a, transpose_b=transpose_b, b_is_sparse=True)


_sparse_matmul = OpDef(
    "SparseMatMul",
    "a: Ta, b: Tb -> product: float32",
    types={"Ta": (dtypes.float32,), "Tb": (dtypes.float32,)},
    attrs={
        "transpose_a": False,
        "transpose_b": False,
        "a_is_sparse": False,
        "b_is_sparse": False,
    },
    shape=_matmul_shape,
    compute=_matmul_arrays,
    grad=_matmul_grad,
    samples=_sparse_matmul_samples,
    native=_native_matmul,
)


# -- BatchMatMul -----------------------------------------------------------------------------------


def _batch_matmul_shape(attrs: dict[str, Any], x: Tensor, y: Tensor) -> shape_rules.Dims:
    left = shape_rules.with_rank_at_least(x, 2)
    right = shape_rules.with_rank_at_least(y, 2)
    if left is None and right is None:
        return None
    left = (None,) * len(right or ()) if left is None else left
    right = (None,) * len(left) if right is None else right
    batch = merge(left[:-2], right[:-2]) or ()
    rows, inner = left[-2:]
    other, columns = right[-2:]
    if attrs["adj_x"]:
        rows, inner = inner, rows
    if attrs["adj_y"]:
        other, columns = columns, other
    shape_rules.same_size(inner, other)
    return (*batch, rows, columns)


def _adjoint(x: np.ndarray) -> np.ndarray:
    turned = np.swapaxes(x, -1, -2)
    return turned.conj() if x.dtype.kind == "c" else turned


def _batch_matmul_arrays(x: np.ndarray, y: np.ndarray, adj_x: bool, adj_y: bool) -> np.ndarray:
    if x.ndim < 2 or x.shape[:-2] != y.shape[:-2]:
        raise ValueError(f"Expected matrices in equal batches, got shapes {x.shape} and {y.shape}")
    return blas.matmul(_adjoint(x) if adj_x else x, _adjoint(y) if adj_y else y)


def _factors_grads(product: Any, op: Any, dy: Tensor) -> tuple[Any, Any]:
    """The gradients of the factors of a product, each in the batches of the product."""
    x, y = op.inputs
    adj_x, adj_y = op.get_attr("adj_x"), op.get_attr("adj_y")
    left = product(y, dy, adj_x=adj_y, adj_y=True) if adj_x else product(dy, y, adj_y=not adj_y)
    right = product(dy, x, adj_x=True, adj_y=adj_x) if adj_y else product(x, dy, adj_x=not adj_x)
    return left, right


def _batch_matmul_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    return _factors_grads(raw.BatchMatMul, op, dy)


def _samples_of(
    rng: np.random.Generator, batches: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> Iterable[Sample]:
    """Products of batches of the left and of the right matrices, turned in all ways."""
    for dtype in (np.float32, np.float64, np.complex128):
        for left, right in batches:
            for adj_x, adj_y in _flags():
                x = _draw(rng, (*left, *((3, 2) if adj_x else (2, 3))), dtype)
                y = _draw(rng, (*right, *((4, 3) if adj_y else (3, 4))), dtype)
                yield Sample(x, y, adj_x=adj_x, adj_y=adj_y)


def _batch_matmul_samples(rng: np.random.Generator) -> Iterable[Sample]:
    return _samples_of(rng, [(batch, batch) for batch in ((2,), (2, 2), (), (0,))])


_batch_matmul = OpDef(
    "BatchMatMul",
    "x: T, y: T -> output: T",
    types=_TYPES,
    attrs={"adj_x": False, "adj_y": False},
    shape=_batch_matmul_shape,
    compute=_batch_matmul_arrays,
    grad=_batch_matmul_grad,
    samples=_batch_matmul_samples,
    native=_native_matmul,
    kernels_from=_KERNELS_FROM,
)


# -- BatchMatMulV2 ---------------------------------------------------------------------------------


def _broadcast_matmul_shape(attrs: dict[str, Any], x: Tensor, y: Tensor) -> shape_rules.Dims:
    left = shape_rules.with_rank_at_least(x, 2)
    right = shape_rules.with_rank_at_least(y, 2)
    if left is None or right is None:
        return None
    *_, rows, inner = left if not attrs["adj_x"] else (*left[:-2], left[-1], left[-2])
    *_, other, columns = right if not attrs["adj_y"] else (*right[:-2], right[-1], right[-2])
    shape_rules.same_size(inner, other)
    return (*(broadcast(left[:-2], right[:-2]) or ()), rows, columns)


def _broadcast_matmul_arrays(x: np.ndarray, y: np.ndarray, adj_x: bool, adj_y: bool) -> np.ndarray:
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(f"Expected batches of matrices, got shapes {x.shape} and {y.shape}")
    return blas.matmul(_adjoint(x) if adj_x else x, _adjoint(y) if adj_y else y)


def _broadcast_matmul_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    left, right = _factors_grads(raw.BatchMatMulV2, op, dy)
    x, y = op.inputs
    return raw.SumToShape(left, shape_of(x)), raw.SumToShape(right, shape_of(y))


def _broadcast_matmul_samples(rng: np.random.Generator) -> Iterable[Sample]:
    batches = [((2,), ()), ((), (2,)), ((2, 1), (1, 3)), ((1,), (2, 2)), ((0,), (1,))]
    return _samples_of(rng, batches)


_broadcast_matmul = OpDef(
    "BatchMatMulV2",
    "x: T, y: T -> output: T",
    types=_TYPES,
    attrs={"adj_x": False, "adj_y": False},
    shape=_broadcast_matmul_shape,
    compute=_broadcast_matmul_arrays,
    grad=_broadcast_matmul_grad,
    samples=_broadcast_matmul_samples,
)


# -- public functions ------------------------------------------------------------------------------


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product `a b`, of two matrices or of each pair in two batches of matrices.

    Args:
      a: tensor `[..., n, k]` of a float or complex dtype or int32.
      b: tensor `[..., k, m]` of the same dtype; the leading dimensions equal those of `a`, or are
        broadcast with them, as in TensorFlow 1.15.
      transpose_a, transpose_b: transpose the last two dimensions of `a`, `b` first.
      adjoint_a, adjoint_b: transpose and conjugate `a`, `b` first.
      a_is_sparse, b_is_sparse: say that `a`, `b` hold many zeros; for float32 matrices the op is
        then `SparseMatMul`, with the same result.
      name: name of the op.

    Returns: a tensor `[..., n, m]` of that dtype.

    Raises:
      ValueError: if the shapes do not fit, or a matrix is to be both transposed and adjoint.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matmul([[1, 2], [3, 4]], [[5], [6]]).numpy().tolist())
    [[17], [39]]
    """
    for which, transpose, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if transpose and adjoint:
            raise ValueError(f"Only one of transpose_{which} and adjoint_{which} can be True.")
    plain = not (adjoint_a or adjoint_b or a_is_sparse or b_is_sparse)
    given = plain and isinstance(a, Tensor) and isinstance(b, Tensor)
    if given and a._dtype is not dtypes.bfloat16 is not b._dtype:
        return _product(a, b, transpose_a, transpose_b, name or "MatMul")
    with op_scope(name, "MatMul", [a, b]) as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b", **_wanted(a))
        a = conj(a) if adjoint_a else a
        b = conj(b) if adjoint_b else b
        transpose_a, transpose_b = transpose_a or adjoint_a, transpose_b or adjoint_b
        kinds = {a.dtype.base_dtype, b.dtype.base_dtype}
        # As in TensorFlow, that product alone takes bfloat16, and factors of two dtypes.
        sparse = a_is_sparse or b_is_sparse or dtypes.bfloat16 in kinds
        if sparse and kinds <= _OF_SPARSE and not _batched(a, b):
            return sparse_matmul(
                a, b, transpose_a, transpose_b, a_is_sparse, b_is_sparse, name=scope
            )
        return _product(a, b, transpose_a, transpose_b, scope)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of a matrix and a vector, or of each pair in two batches. Of TensorFlow 1.15.

    Args:
      a: tensor `[..., n, k]` of a float or complex dtype or int32.
      b: tensor `[..., k]` of the same dtype.
      transpose_a, adjoint_a, a_is_sparse, b_is_sparse: as for `matmul`.
      name: scope of the ops.

    Returns: a tensor `[..., n]` of that dtype.

    Raises:
      ValueError: if the shapes do not fit, or the matrix is to be both transposed and adjoint.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.matvec([[1, 2], [3, 4]], [5, 6]).numpy())
    [17 39]
    """
    with op_scope(name, "MatVec", [a, b]):
        column = raw.ExpandDims(convert_to_tensor(b, name="b"), -1)
        product = matmul(
            a,
            column,
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return raw.Squeeze(product, squeeze_dims=[-1])


def _wanted(a: Tensor) -> dict[str, Any]:
    """Which dtype the other factor of a product is to have."""
    dtype = a.dtype.base_dtype
    return {"preferred_dtype": dtype} if dtype in _OF_SPARSE else {"dtype": dtype}


def _batched(a: Tensor, b: Tensor) -> bool:
    left, right = a._dims, b._dims
    if left is not None and right is not None:
        return max(len(left), len(right)) > 2
    return (left is None or len(left) > 2) and (right is None or len(right) > 2)


def _are_broadcast(a: Tensor, b: Tensor) -> bool:
    """Whether batches differ, by what is known of them."""
    left, right = a._dims, b._dims
    if left is None or right is None:
        return False
    if len(left) != len(right):
        return True
    pairs = zip(left[:-2], right[:-2], strict=True)
    return any(x != y and 1 in (x, y) for x, y in pairs)


def _product(
    a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool, name: str | None
) -> Tensor:
    if not _batched(a, b):
        return _matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=name)
    # A batch can only be adjoint: for a transposed one, conjugate it twice.
    a = conj(a) if transpose_a else a
    b = conj(b) if transpose_b else b
    product = _broadcast_matmul if _are_broadcast(a, b) else _batch_matmul
    return product(a, b, adj_x=transpose_a, adj_y=transpose_b, name=name)


def sparse_matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of two matrices that may hold many zeros.

    Args:
      a: float32 or bfloat16 matrix `[n, k]`.
      b: float32 or bfloat16 matrix `[k, m]`.
      transpose_a, transpose_b: transpose `a`, `b` first.
      a_is_sparse, b_is_sparse: which of them hold many zeros; it makes no difference to the result.
      name: name of the op.

    Returns: a float32 matrix `[n, m]`.

    Raises:
      ValueError: if the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sparse_matmul([[0.0, 2.0]], [[5.0], [6.0]], a_is_sparse=True).numpy())
    [[12.]]
    """
    return _sparse_matmul(
        _widened(a, "a"),
        _widened(b, "b"),
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        a_is_sparse=a_is_sparse,
        b_is_sparse=b_is_sparse,
        name=name,
    )


def _widened(matrix: Any, name: str) -> Tensor:
    tensor = convert_to_tensor(matrix, preferred_dtype=dtypes.float32, name=name)
    return cast(tensor, dtypes.float32) if tensor.dtype is dtypes.bfloat16 else tensor


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the elements on the main diagonal of each matrix.

    Args:
      x: tensor `[..., n, m]` of a number dtype.
      name: name of the op.

    Returns: a tensor `[...]` of the same dtype.

    Raises:
      ValueError: if `x` is of a rank below 2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.trace([[1, 2], [3, 4]]).numpy())
    5
    """
    with op_scope(name, "Trace", [x]) as scope:
        diagonal = raw.MatrixDiagPart(convert_to_tensor(x, name="x"))
        return raw.Sum(diagonal, [-1], name=scope)


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Each matrix transposed, and its elements conjugated.

    Args:
      matrix: tensor `[..., n, m]`.
      name: name of the scope.

    Returns: a tensor `[..., m, n]` of the same dtype.

    Raises:
      ValueError: if `matrix` is of a rank below 2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.adjoint([[1 + 1j, 2j]]).numpy().tolist())
    [[(1-1j)], [-2j]]
    """
    with op_scope(name, "adjoint", [matrix]):
        return matrix_transpose(convert_to_tensor(matrix, name="matrix"), conjugate=True)
