"""Other shapes for sparse tensors: reshape, reset_shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.checks.comparing import assert_equal, assert_less_equal
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.sparse.coordinates import check_inside, invalid, linear, sampled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_reset_shape", "sparse_reshape"]


def _shape(
    attrs: dict[str, Any], indices: Tensor, input_shape: Tensor, new_shape: Tensor
) -> list[Any]:
    count, rank = shape_rules.with_rank(indices, 2)
    shape_rules.same_size(rank, shape_rules.with_rank(input_shape, 1)[0])
    (new_rank,) = shape_rules.with_rank(new_shape, 1)
    return [(count, new_rank), (new_rank,)]


def _resolved(sizes: list[int], wanted: list[int]) -> list[int]:
    """The new shape, with the size that was left open.

    Raises:
      InvalidArgumentError: if it does not have as many elements.
    """
    total = math.prod(sizes)
    open_ = [axis for axis, size in enumerate(wanted) if size == -1]
    if len(open_) > 1:
        raise invalid(f"only one output dimension may be -1, not both {open_[0]} and {open_[1]}")
    for axis, size in enumerate(wanted):
        if size < -1:
            raise invalid(f"size {axis} must be non-negative, not {size}")
    found = list(wanted)
    if open_:
        rest = math.prod(size for size in wanted if size != -1)
        if not rest:
            raise invalid(
                "reshape cannot infer the missing input size for an empty tensor unless all "
                "specified input sizes are non-zero"
            )
        found[open_[0]], left = divmod(total, rest)
        if left:
            raise invalid(
                f"Input to reshape is a SparseTensor with {total} dense values, but the requested "
                f"shape requires a multiple of {rest}"
            )
    elif math.prod(found) != total:
        raise invalid(
            f"Input to reshape is a tensor with {total} dense values, but the requested shape has "
            f"{math.prod(found)}"
        )
    return found


def _compute(
    input_indices: np.ndarray, input_shape: np.ndarray, new_shape: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if input_indices.ndim != 2 or input_shape.ndim != 1 or new_shape.ndim != 1:
        raise invalid("indices must be a matrix, input_shape and new_shape vectors")
    if input_indices.shape[1] != len(input_shape):
        raise invalid(
            f"indices have {input_indices.shape[1]} columns, the shape has {len(input_shape)} sizes"
        )
    sizes = input_shape.tolist()
    if min(sizes, default=0) < 0:
        raise invalid(f"sizes must not be negative, got {sizes}")
    found = _resolved(sizes, new_shape.tolist())
    if found == sizes:
        return input_indices.copy(), np.array(found, np.int64)
    if math.prod(sizes) > np.iinfo(np.int64).max:
        raise invalid(f"shape {sizes} is too large (more than 2**63 - 1 elements)")
    check_inside(input_indices, sizes)
    places = linear(input_indices, sizes)
    indices = np.zeros((len(places), len(found)), np.int64)
    for axis in reversed(range(len(found))):
        if found[axis]:
            places, indices[:, axis] = np.divmod(places, found[axis])
    return indices, np.array(found, np.int64)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sizes, new, count in (
        ((2, 3, 6), (9, -1), 5),
        ((4, 3), (12,), 6),
        ((12,), (2, 3, 2), 6),
        ((4, 3), (4, 3), 2),
        ((0, 3), (3, 0), 0),
    ):
        indices, _, shape = sampled(rng, sizes, count, np.float32)
        yield Sample(indices, shape, np.array(new, np.int64))


_sparse_reshape = OpDef(
    "SparseReshape",
    "input_indices: int64, input_shape: int64, new_shape: int64 "
    "-> output_indices: int64, output_shape: int64",
    shape=_shape,
    compute=_compute,
    grad=not_differentiable,
    samples=_samples,
)


def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """A sparse tensor with as many elements, dense ones counted, in another shape.

    Args:
      sp_input: a `SparseTensor`.
      shape: integer vector: the new shape; one size may be -1: what is left.
      name: name of the op.

    Returns: a `SparseTensor` with the same elements in the same order.

    Raises:
      TypeError: if `sp_input` is not sparse. ValueError: if the shape is known not to fit.
        InvalidArgumentError: if that shows when it runs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 2]], [5, 6], [2, 3])
    ...     print(hf.sparse_reshape(s, [3, -1]).indices.numpy().tolist())
    [[0, 1], [2, 1]]
    """
    sparse = as_sparse(sp_input)
    wanted = cast(shape, dtypes.int64)
    with name_scope(name, "SparseReshape", [sparse]) as scope:
        known = constant_value(wanted)
        sizes: Any = None
        if known is not None and sparse.shape.is_fully_defined():
            sizes = _known_sizes(sparse.shape.as_list(), known.tolist())
        indices, new_shape = _sparse_reshape(sparse.indices, sparse.dense_shape, wanted, name=scope)
        values = raw.Identity(sparse.values)
        return SparseTensor(indices, values, new_shape if sizes is None else sizes)


def _known_sizes(sizes: list[Any], wanted: list[int]) -> list[int]:
    if wanted.count(-1) > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {wanted}")
    rest = math.prod(size for size in wanted if size != -1)
    total = math.prod(sizes)
    if (total % rest if rest and -1 in wanted else total != rest) or (-1 in wanted and not rest):
        raise ValueError(
            f"Cannot reshape a tensor with {total} elements to shape {wanted} ({rest} elements)."
        )
    return [total // rest if size == -1 else size for size in wanted]


def sparse_reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same elements in a tensor of another size, of the same rank.

    Args:
      sp_input: a `SparseTensor` of rank r.
      new_shape: integer vector `[r]`: a shape no smaller in any dimension; by default the smallest
        one that has all elements.

    Returns: a `SparseTensor`.

    Raises:
      TypeError: if `sp_input` is not sparse. ValueError: if the shape is known not to fit.
        InvalidArgumentError: if that shows when it runs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 2]], [5, 6], [4, 9])
    ...     print(hf.sparse_reset_shape(s).dense_shape.numpy())
    [2 3]
    """
    sparse = as_sparse(sp_input)
    indices, values, sizes = [raw.Identity(part) for part in sparse._parts()]
    if new_shape is None:
        # Of no elements the largest index is the smallest number.
        most = raw.Max(indices, 0)
        return SparseTensor(
            indices, values, raw.Maximum(np.int64(0), raw.Add(most, raw.OnesLike(sizes)))
        )
    wanted = convert_to_tensor(new_shape)
    wanted.shape.assert_has_rank(1)
    wanted = cast(wanted, dtypes.int64)
    dimension_at_index(wanted.shape, 0).merge_with(sizes.shape[0])
    known = constant_value(wanted)
    if known is not None and sparse.shape.is_fully_defined():
        before = sparse.shape.as_list()
        if any(a > b for a, b in zip(before, known.tolist(), strict=True)):
            raise ValueError(
                "Requested new_shape should have dimension sizes >= sp_input.shape. Found "
                f"new_shape ({known.tolist()}), sp_input.shape ({before})."
            )
        return SparseTensor(indices, values, known)
    check = assert_equal(raw.Shape(sizes), raw.Shape(wanted))
    wanted = with_dependencies([] if check is None else [check], wanted)
    check = assert_less_equal(sizes, wanted)
    wanted = with_dependencies([] if check is None else [check], wanted)
    return SparseTensor(indices, values, wanted)
