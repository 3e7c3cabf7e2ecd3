"""The larger and the smaller elements of two sparse tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.tensor_shape import compatible
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.sparse.adding import check_two, union, union_shape
from hybridflow._src.ops.sparse.coordinates import invalid, sampled, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_maximum", "sparse_minimum"]


def _grad(op: Any, dindices: Any, dvalues: Any) -> tuple[Any, ...]:
    """To `a` where its element was taken, else to that of `b`; to both sides' zeros nothing."""
    a_indices, a_values, a_shape, b_indices, b_values, b_shape = op.inputs
    indices, values = op.outputs
    of_a, of_b = raw.SparseAddGrad(values, a_indices, b_indices, indices)
    da, db = raw.SparseAddGrad(dvalues, a_indices, b_indices, indices)
    from_a = raw.Equal(a_values, of_a)
    # Where `b` stands, whether `a` was taken.
    marks = raw.SparseAdd(
        a_indices,
        raw.Cast(from_a, DstT=a_values.dtype),
        a_shape,
        b_indices,
        raw.ZerosLike(b_values),
        b_shape,
        raw.Cast(0, DstT=a_values.dtype),
    )
    taken = raw.SparseAddGrad(marks[1], a_indices, b_indices, marks[0])[1]
    from_b = raw.LogicalAnd(raw.Equal(b_values, of_b), raw.Equal(taken, raw.ZerosLike(taken)))
    da = raw.Select(from_a, da, raw.ZerosLike(da))
    db = raw.Select(from_b, db, raw.ZerosLike(db))
    return None, da, None, None, db, None


def _extreme(name: str, ufunc: np.ufunc) -> OpDef:
    def shape(attrs: dict[str, Any], *parts: Tensor) -> Any:
        a, b = parts[2]._dims, parts[5]._dims
        if a is not None and b is not None and not compatible(a, b):
            raise ValueError(f"Operands do not have the same ranks: got {a[0]} and {b[0]}")
        return union_shape(attrs, *parts)

    def compute(
        a_indices: np.ndarray,
        a_values: np.ndarray,
        a_shape: np.ndarray,
        b_indices: np.ndarray,
        b_values: np.ndarray,
        b_shape: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        if a_shape.tolist() != b_shape.tolist():
            raise invalid(f"Operands' shapes do not match: {shown(a_shape)} and {shown(b_shape)}")
        check_two((a_indices, a_values, a_shape), (b_indices, b_values, b_shape))
        indices, a, b, _ = union(a_indices, a_values, b_indices, b_values)
        return indices, ufunc(a, b)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.int32):
            for sizes, count in (((3, 4), 6), ((2, 3, 2), 5), ((5,), 0)):
                a, b = sampled(rng, sizes, count, dtype), sampled(rng, sizes, count, dtype)
                yield Sample(*a, *b)

    return OpDef(
        name,
        "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, "
        "b_shape: int64 -> output_indices: int64, output_values: T",
        types=REALS,
        shape=shape,
        compute=compute,
        grad=_grad,
        samples=samples,
    )


_maximum = _extreme("SparseSparseMaximum", np.maximum)
_minimum = _extreme("SparseSparseMinimum", np.minimum)


def _of_two(op: OpDef, sp_a: Any, sp_b: Any, name: str | None, default: str) -> SparseTensor:
    with name_scope(name, default, [sp_a, sp_b]) as scope:
        a, b = as_sparse(sp_a), as_sparse(sp_b)
        indices, values = op(*a._parts(), *b._parts(), name=scope)
        return SparseTensor(indices, values, a.dense_shape)


def sparse_maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The larger element of two sparse tensors at each place where one of them has any.

    An element that is missing counts as 0.

    Args:
      sp_a, sp_b: `SparseTensor`s of one real dtype and shape, elements in row-major order.
      name: name of the op.

    Returns: a `SparseTensor`. Of equal elements that of `sp_a` gets the gradient; TF has none.

    Raises:
      TypeError: if one is not sparse. InvalidArgumentError: if the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0], [2]], [1.0, -2.0], [4])
    ...     b = hf.SparseTensor([[0]], [3.0], [4])
    ...     print(hf.sparse_maximum(a, b).values.numpy())
    [3. 0.]
    """
    return _of_two(_maximum, sp_a, sp_b, name, "SparseSparseMaximum")


def sparse_minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller element of two sparse tensors at each place where one of them has any.

    An element that is missing counts as 0.

    Args:
      sp_a, sp_b: `SparseTensor`s of one real dtype and shape, elements in row-major order.
      name: name of the op.

    Returns: a `SparseTensor`. Of equal elements that of `sp_a` gets the gradient; TF has none.

    Raises:
      TypeError: if one is not sparse. InvalidArgumentError: if the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0], [2]], [1.0, -2.0], [4])
    ...     b = hf.SparseTensor([[0]], [3.0], [4])
    ...     print(hf.sparse_minimum(a, b).values.numpy())
    [ 1. -2.]
    """
    return _of_two(_minimum, sp_a, sp_b, name, "SparseSparseMinimum")
