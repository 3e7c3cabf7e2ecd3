"""Products of sparse and dense matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import as_sparse
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES, NUMBERS, conj
from hybridflow._src.ops.sparse.coordinates import check_parts, invalid, sampled, static_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_tensor_dense_matmul"]

# So many products are made at a time.
_AT_ONCE = 1 << 18


def _shape(attrs: dict[str, Any], indices: Tensor, values: Tensor, shape: Tensor, b: Tensor) -> Any:
    _, rank = static_sizes(indices, values, shape)
    shape_rules.same_size(rank, 2)
    rows, inner = constant_dims(shape) or (None, None)
    second, columns = shape_rules.with_rank(b, 2)
    if attrs["adjoint_a"]:
        rows, inner = inner, rows
    if attrs["adjoint_b"]:
        second, columns = columns, second
    shape_rules.same_size(inner, second)
    return (rows, columns)


def _compute(
    a_indices: np.ndarray,
    a_values: np.ndarray,
    a_shape: np.ndarray,
    b: np.ndarray,
    adjoint_a: bool,
    adjoint_b: bool,
) -> np.ndarray:
    check_parts(a_indices, a_values, a_shape, "Tensor 'a':")
    if len(a_shape) != 2 or b.ndim != 2:
        raise invalid(
            f"Tensors 'a' and 'b' must be matrices, got ranks {len(a_shape)} and {b.ndim}"
        )
    rows, inner = a_shape.tolist()
    places, columns = a_indices.T
    if adjoint_a:
        rows, inner, places, columns = inner, rows, columns, places
        a_values = np.conj(a_values)
    if adjoint_b:
        b = np.conj(b.T)
    if inner != len(b):
        raise invalid(
            "Cannot multiply A and B because inner dimension does not match: "
            f"{inner} vs. {len(b)}. Did you forget a transpose? Dimensions of A: "
            f"{a_shape.tolist()}, of B: {list(b.shape)}"
        )
    for what, axis, index, size in (("m", 0, places, rows), ("k", 1, columns, inner)):
        wrong = np.flatnonzero((index < 0) | (index >= size))
        if len(wrong):
            at = wrong[0]
            raise invalid(
                f"{what} ({index[at]}) from index[{at},{axis ^ adjoint_a}] out of bounds (>={size})"
            )
    wide = accumulator(b.dtype)
    total = np.zeros(allocatable("SparseTensorDenseMatMul", (rows, b.shape[1]), wide), wide)
    if total.size:
        _add_products(total, places, columns, a_values, b)
    return total.astype(b.dtype, copy=False)


def _add_products(
    total: np.ndarray, places: np.ndarray, columns: np.ndarray, values: np.ndarray, b: np.ndarray
) -> None:
    """`total[places[i]] += values[i] * b[columns[i]]`."""
    if (places[1:] < places[:-1]).any():
        order = np.argsort(places, kind="stable")
        places, columns, values = places[order], columns[order], values[order]
    some = max(1, _AT_ONCE // total.shape[1])
    for first in range(0, len(places), some):
        part = slice(first, first + some)
        rows = places[part]
        starts = np.concatenate([[0], np.flatnonzero(rows[1:] != rows[:-1]) + 1])
        products = values[part, None].astype(total.dtype, copy=False) * b[columns[part]]
        total[rows[starts]] += np.add.reduceat(products, starts, axis=0)


def _grad(op: Any, dy: Tensor) -> tuple[None, Any, None, Any]:
    indices, values, shape, b = op.inputs
    adjoint_a, adjoint_b = op.get_attr("adjoint_a"), op.get_attr("adjoint_b")

    def of_b() -> Any:
        grad = raw.SparseTensorDenseMatMul(indices, values, shape, dy, adjoint_a=not adjoint_a)
        return conj(raw.Transpose(grad, [1, 0])) if adjoint_b else grad

    def of_values() -> Any:
        rows, columns = raw.Unpack(indices, num=2, axis=1)
        factor = conj(raw.Transpose(b, [1, 0])) if adjoint_b else b
        if adjoint_a:
            return raw.Sum(conj(raw.Gather(dy, columns)) * raw.Gather(factor, rows), 1)
        return raw.Sum(raw.Gather(dy, rows) * conj(raw.Gather(factor, columns)), 1)

    return None, of_values, None, of_b


def _native(
    b: Any,
    indices: Any,
    values: Any,
    shape: Any,
    dense: Any,
    adjoint_a: bool,
    adjoint_b: bool,
) -> Any:
    if adjoint_b:
        dense = b.view(lambda x: np.transpose(x), dense)
    ((rows, _),) = b.seen
    return b.sparse_product(indices, values, shape, dense, adjoint_a, rows)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.complex128):
        for adjoint_a in (False, True):
            for adjoint_b in (False, True):
                indices, values, shape = sampled(rng, (3, 4), 6, np.float64)
                if dtype is np.complex128:
                    values = values + 1j * rng.normal(size=6)
                sizes = (3 if adjoint_a else 4, 2)
                b = np.ceil(rng.uniform(-3, 3, sizes[::-1] if adjoint_b else sizes))
                yield Sample(
                    *(indices, values.astype(dtype), shape, b.astype(dtype)),
                    adjoint_a=adjoint_a,
                    adjoint_b=adjoint_b,
                )
    # No elements, empty matrices, elements without order, of one place; many rows.
    yield Sample(*sampled(rng, (3, 4), 0, np.float64), rng.normal(size=(4, 2)))
    yield Sample(*sampled(rng, (0, 4), 0, np.float64), rng.normal(size=(4, 2)))
    yield Sample(*sampled(rng, (3, 4), 5, np.float64), rng.normal(size=(4, 0)))
    mixed = np.array([[2, 1], [0, 3], [2, 1], [0, 0]])
    yield Sample(mixed, rng.normal(size=4), np.array([3, 4]), rng.normal(size=(4, 3)))
    yield Sample(
        *(mixed.astype(np.int32), rng.normal(size=4), np.array([3, 4]), rng.normal(size=(3, 5))),
        adjoint_a=True,
    )
    indices, values, shape = sampled(rng, (300, 50), 3000, np.float32, low=0.5)
    order = rng.permutation(3000)
    b = rng.uniform(0.5, 2, (50, 17)).astype(np.float32)
    yield Sample(indices[order], values, shape, b)


_matmul = OpDef(
    "SparseTensorDenseMatMul",
    "a_indices: Tindices, a_values: T, a_shape: int64, b: T -> product: T",
    types={"Tindices": INDICES, "T": NUMBERS},
    attrs={"adjoint_a": False, "adjoint_b": False},
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
    native=_native,
)


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """The product of a sparse and a dense matrix.

    Args:
      sp_a: a `SparseTensor` `[m, k]`, its elements in any order; repeated ones add up.
      b: tensor `[k, n]` of the same dtype.
      adjoint_a, adjoint_b: whether that matrix is transposed, and conjugated, first.
      name: name of the op.

    Returns: a tensor `[m, n]`. Gradients flow to the elements of `sp_a`, of complex dtypes too.

    Raises:
      TypeError: if `sp_a` is not sparse. ValueError: if the sizes are known not to fit.
      InvalidArgumentError: if they do not, or an index lies outside of the matrix.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0, 1], [1, 0]], [2.0, 3.0], [2, 2])
    ...     print(hf.sparse_tensor_dense_matmul(a, [[1.0, 2.0], [3.0, 4.0]]).numpy())
    [[6. 8.]
     [3. 6.]]
    """
    sparse = as_sparse(sp_a, "sp_a")
    with name_scope(name, "SparseTensorDenseMatMul", [sparse, b]) as scope:
        dense = convert_to_tensor(b, name="b")
        flags = {"adjoint_a": bool(adjoint_a), "adjoint_b": bool(adjoint_b)}
        return _matmul(*sparse._parts(), dense, **flags, name=scope)
