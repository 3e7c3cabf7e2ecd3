"""The softmax of the elements of each row of a sparse tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.sparse.coordinates import (
    check_parts,
    invalid,
    numbered,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_softmax"]


def _shape(attrs: dict[str, Any], *parts: Tensor) -> Any:
    count, rank = static_sizes(*parts)
    if rank is not None and rank < 2:
        raise ValueError(f"Input should have rank >= 2, but is rank {rank}")
    return (count,)


def _compute(sp_indices: np.ndarray, sp_values: np.ndarray, sp_shape: np.ndarray) -> np.ndarray:
    check_parts(sp_indices, sp_values, sp_shape)
    if len(sp_shape) < 2:
        raise invalid(f"Input should have rank >= 2, but received shape: {sp_shape.tolist()}")
    if not len(sp_values):
        return sp_values.copy()
    (numbers,) = numbered(sp_indices[:, :-1])
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    starts = np.concatenate([[0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1])
    sizes = np.diff(np.append(starts, len(numbers)))
    wide = sp_values[order].astype(np.promote_types(sp_values.dtype, np.float32))
    powers = np.exp(wide - np.repeat(np.maximum.reduceat(wide, starts), sizes))
    powers /= np.repeat(np.add.reduceat(powers, starts), sizes)
    result = np.empty_like(sp_values)
    result[order] = powers
    return result


def _grad(op: Any, dy: Tensor) -> tuple[None, Any, None]:
    """`y * (dy - sum(dy * y))` with the sum over each row."""
    indices, _, shape = op.inputs
    y = op.outputs[0]
    sums = raw.SparseReduceSum(indices, dy * y, shape, [-1], keep_dims=True)
    return None, y * raw.SparseDenseCwiseAdd(indices, dy, shape, -sums), None


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for sizes, count in (((3, 4), 7), ((2, 3, 2), 6), ((4, 2), 0)):
            yield Sample(*sampled(rng, sizes, count, dtype))


_sparse_softmax = OpDef(
    "SparseSoftmax",
    "sp_indices: int64, sp_values: T, sp_shape: int64 -> output: T",
    types=FLOATS,
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
)


def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The softmax along the last dimension, of the elements that there are.

    Within each row `exp(x[i]) / sum(exp(x[j]))` over its elements `x`; those that are missing count
    as minus infinity.

    Args:
      sp_input: a `SparseTensor` `[..., n]` of a float dtype, of rank 2 at least.
      name: name of the op.

    Returns: a `SparseTensor` with elements at the same places.

    Raises:
      TypeError: if `sp_input` is not sparse. ValueError: if its rank is less than 2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [0, 2], [1, 1]], [1.0, 1.0, 5.0], [2, 3])
    ...     print(hf.sparse_softmax(s).values.numpy())
    [0.5 0.5 1. ]
    """
    with name_scope(name, "SparseSoftmax", [sp_input]) as scope:
        sparse = as_sparse(sp_input)
        return sparse.with_values(_sparse_softmax(*sparse._parts(), name=scope))
