"""Sums of sparse tensors, and of a sparse and a dense one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse, is_sparse
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import INDICES, NUMBERS
from hybridflow._src.ops.sparse.coordinates import (
    check_inside,
    check_parts,
    invalid,
    linear,
    numbered,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_add"]

# No size is larger: a shape for indices whose own shape is not at hand.
_ANY_SIZE = np.int64(2**62)


def union_shape(attrs: dict[str, Any], *tensors: Tensor) -> list[Any]:
    """The shapes of indices and values of an op on two sparse tensors of one shape."""
    _, rank = static_sizes(*tensors[:3])
    rank = shape_rules.same_size(rank, static_sizes(*tensors[3:6])[1])
    return [(None, rank), (None,)]


def union(
    a_indices: np.ndarray, a_values: np.ndarray, b_indices: np.ndarray, b_values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The indices of either, in order; what `a` and `b` have there, 0 where nothing; and where both
    have an element.
    """
    a_numbers, b_numbers = numbered(a_indices, b_indices)
    every = np.concatenate([a_numbers, b_numbers])
    _, first, place = np.unique(every, return_index=True, return_inverse=True)
    place = place.reshape(-1)
    indices = np.concatenate([a_indices, b_indices])[first]
    a, b = (np.zeros(len(first), values.dtype) for values in (a_values, b_values))
    in_a, in_b = (np.zeros(len(first), np.bool_) for _ in range(2))
    for target, present, values, own in (
        (a, in_a, a_values, place[: len(a_values)]),
        (b, in_b, b_values, place[len(a_values) :]),
    ):
        target[own] = values
        present[own] = True
    return indices, a, b, in_a & in_b


def check_two(
    a: tuple[np.ndarray, np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """Checks that two sparse tensors are of one shape.

    Raises:
      InvalidArgumentError: if they are not.
    """
    check_parts(*a, "The first operand's")
    check_parts(*b, "The second operand's")
    if len(a[2]) != len(b[2]):
        raise invalid(
            f"Operands do not have the same ranks; got shapes: {a[2].tolist()} and {b[2].tolist()}"
        )
    different = np.flatnonzero(a[2] != b[2])
    if len(different):
        axis = different[0]
        raise invalid(
            f"Operands' shapes do not match: got {a[2][axis]} and {b[2][axis]} for dimension {axis}"
        )


# -- sparse and sparse -----------------------------------------------------------------------------


def _add_shape(attrs: dict[str, Any], *tensors: Tensor) -> list[Any]:
    shape_rules.with_rank(tensors[6], 0)
    indices, values = union_shape(attrs, *tensors)
    return [indices, values, indices[1:]]


def _add(
    a_indices: np.ndarray,
    a_values: np.ndarray,
    a_shape: np.ndarray,
    b_indices: np.ndarray,
    b_values: np.ndarray,
    b_shape: np.ndarray,
    thresh: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    check_two((a_indices, a_values, a_shape), (b_indices, b_values, b_shape))
    least = number_of(thresh, "thresh")
    indices, a, b, both = union(a_indices, a_values, b_indices, b_values)
    # Elements of one side alone are kept as they are.
    total = a + b
    kept = ~both | (np.abs(total) >= least)
    return indices[kept], total[kept], a_shape.copy()


def _add_grad(op: Any, dindices: Any, dvalues: Any, dshape: Any) -> tuple[Any, ...]:
    a_indices, b_indices = op.inputs[0], op.inputs[3]
    da, db = raw.SparseAddGrad(dvalues, a_indices, b_indices, op.outputs[0])
    return None, da, None, None, db, None, None


def _pairs(rng: np.random.Generator, dtype: Any) -> Iterable[tuple[Any, ...]]:
    for sizes, count in (((3, 4), 5), ((2, 3, 2), 4), ((5,), 0)):
        a, b = sampled(rng, sizes, count, dtype), sampled(rng, sizes, count, dtype)
        yield *a, *b
    yield *sampled(rng, (4, 2), 3, dtype), *sampled(rng, (4, 2), 0, dtype)


def _add_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for parts in _pairs(rng, dtype):
            yield Sample(*parts, np.zeros((), dtype))
    indices, values, shape = sampled(rng, (3, 3), 5, np.float64)
    opposite = -values + np.array([1, 1e-9, 1, 1e-9, 1])
    yield Sample(indices, values, shape, indices, opposite, shape, np.array(0.5))


_sparse_add = OpDef(
    "SparseAdd",
    "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, "
    "b_shape: int64, thresh: Treal -> sum_indices: int64, sum_values: T, sum_shape: int64",
    types={"T": NUMBERS},
    shape=_add_shape,
    compute=_add,
    grad=_add_grad,
    samples=_add_samples,
)


def _add_grad_shape(
    attrs: dict[str, Any], grad: Tensor, a_indices: Tensor, b_indices: Tensor, total: Tensor
) -> list[Any]:
    (count,) = shape_rules.with_rank(grad, 1)
    shape_rules.same_size(count, shape_rules.with_rank(total, 2)[0])
    return [shape_rules.with_rank(indices, 2)[:1] for indices in (a_indices, b_indices)]


def _add_grad_compute(
    backprop_val_grad: np.ndarray,
    a_indices: np.ndarray,
    b_indices: np.ndarray,
    sum_indices: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    if backprop_val_grad.shape != (len(sum_indices),):
        raise invalid(
            f"# elements in backprop_val_grad ({backprop_val_grad.size}) and # rows in sum_indices "
            f"({len(sum_indices)}) should match"
        )
    a, b, total = numbered(a_indices, b_indices, sum_indices)
    order = np.argsort(total, kind="stable")
    found = []
    for own in (a, b):
        grads = np.zeros(len(own), backprop_val_grad.dtype)
        if len(total):
            at = np.minimum(np.searchsorted(total, own, sorter=order), len(total) - 1)
            places = order[at]
            present = total[places] == own
            grads[present] = backprop_val_grad[places[present]]
        found.append(grads)
    return found[0], found[1]


def _add_grad_grad(op: Any, da: Any, db: Any) -> tuple[Any, None, None, None]:
    grad, a_indices, b_indices, sum_indices = op.inputs
    sizes = raw.Fill(raw.Shape(a_indices)[1:2], _ANY_SIZE)
    nothing = raw.Cast(0, DstT=grad.dtype.real_dtype)
    indices, values, _ = raw.SparseAdd(a_indices, da, sizes, b_indices, db, sizes, nothing)
    return raw.SparseAddGrad(values, sum_indices, sum_indices, indices)[0], None, None, None


def _add_grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for parts in _pairs(rng, dtype):
            total = union(parts[0], parts[1], parts[3], parts[4])[0]
            kept = total[rng.uniform(size=len(total)) < 0.8]
            yield Sample(rng.normal(size=len(kept)).astype(dtype), parts[0], parts[3], kept)


_sparse_add_grad = OpDef(
    "SparseAddGrad",
    "backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64 "
    "-> a_val_grad: T, b_val_grad: T",
    types=NUMBERS,
    shape=_add_grad_shape,
    compute=_add_grad_compute,
    grad=_add_grad_grad,
    samples=_add_grad_samples,
)


# -- sparse and dense ------------------------------------------------------------------------------


def _dense_shape(
    attrs: dict[str, Any], indices: Tensor, values: Tensor, shape: Tensor, b: Tensor
) -> shape_rules.Dims:
    _, rank = static_sizes(indices, values, shape)
    return b._dims if rank is None else shape_rules.with_rank(b, rank)


def _dense_add(
    a_indices: np.ndarray, a_values: np.ndarray, a_shape: np.ndarray, b: np.ndarray
) -> np.ndarray:
    check_parts(a_indices, a_values, a_shape)
    if len(a_shape) != b.ndim:
        raise invalid(f"Two operands have different ranks; received: {len(a_shape)} and {b.ndim}")
    for axis, (size, other) in enumerate(zip(a_shape, b.shape, strict=True)):
        if size != other:
            raise invalid(
                f"Dimension {axis} does not equal (no broadcasting is supported): sparse side "
                f"{size} vs dense side {other}"
            )
    check_inside(a_indices, b.shape)
    total = np.array(b, order="C")
    np.add.at(total.reshape(-1), linear(a_indices, b.shape), a_values)
    return total


def _dense_add_grad(op: Any, dy: Tensor) -> tuple[None, Any, None, Any]:
    return None, raw.GatherNd(dy, op.inputs[0]), None, dy


def _dense_add_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for sizes, count in (((3, 4), 5), ((2, 3, 2), 4), ((5,), 0)):
            b = np.ceil(rng.uniform(-3, 3, sizes)).astype(dtype)
            yield Sample(*sampled(rng, sizes, count, dtype), b)
    repeated = np.array([[1, 0], [1, 0]])
    yield Sample(repeated, rng.normal(size=2), np.array([2, 2]), rng.normal(size=(2, 2)))


_sparse_tensor_dense_add = OpDef(
    "SparseTensorDenseAdd",
    "a_indices: Tindices, a_values: T, a_shape: Tindices, b: T -> output: T",
    types={"Tindices": INDICES, "T": NUMBERS},
    shape=_dense_shape,
    compute=_dense_add,
    grad=_dense_add_grad,
    samples=_dense_add_samples,
)


@spelled(threshold="thresh")
def sparse_add(a: Any, b: Any, thresh: Any = 0) -> Any:
    """The sum of two tensors of one shape, of which one at least is sparse.

    Args:
      a, b: `SparseTensor`s whose elements stand in row-major order; or one of them a tensor.
      thresh: scalar: where both have an element and the magnitude of the sum is less, none is kept.

    Returns: a `SparseTensor` of two sparse ones, else a tensor.

    Raises:
      TypeError: if both are dense. InvalidArgumentError: if the shapes differ: nothing is
        broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0], [2]], [1.0, 2.0], [4])
    ...     b = hf.SparseTensor([[1], [2]], [3.0, -2.0], [4])
    ...     print(hf.sparse_add(a, b).values.numpy(), hf.sparse_add(a, b, 0.1).values.numpy())
    ...     print(hf.sparse_add(a, [1.0, 1.0, 1.0, 1.0]).numpy())
    [1. 3. 0.] [1. 3.]
    [2. 1. 3. 1.]
    """
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use `hf.add()`?")
    if not is_sparse(a):
        a, b = b, a
    a = as_sparse(a)
    if not is_sparse(b):
        result: Tensor = _sparse_tensor_dense_add(*a._parts(), b)
        return result
    b = as_sparse(b)
    a.shape.assert_is_compatible_with(b.shape)
    least = convert_to_tensor(thresh, a.dtype.base_dtype.real_dtype, "thresh")
    indices, values, shape = _sparse_add(*a._parts(), *b._parts(), least)
    known = a.shape.merge_with(b.shape)
    dense_shape = known.as_list() if known.is_fully_defined() else shape
    return SparseTensor(indices, values, dense_shape)
