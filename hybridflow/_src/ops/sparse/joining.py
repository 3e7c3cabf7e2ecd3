"""Sparse tensors of several, and parts of one: concat, split, slice."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.sparse.coordinates import (
    check_parts,
    counting,
    invalid,
    put_back,
    row_major,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_concat", "sparse_slice", "sparse_split"]


def _thirds(tensors: Sequence[Any]) -> list[tuple[Any, Any, Any]]:
    """Indices, values and shape of each, from a list of all indices, all values, all shapes."""
    count = len(tensors) // 3
    parts = zip(tensors[:count], tensors[count : 2 * count], tensors[2 * count :], strict=True)
    return list(parts)


# -- concat ----------------------------------------------------------------------------------------


def _concat_shape(attrs: dict[str, Any], *tensors: Tensor) -> list[Any]:
    total: int | None = 0
    rank = None
    for parts in _thirds(tensors):
        count, own = static_sizes(*parts)
        rank = shape_rules.same_size(rank, own)
        total = None if count is None or total is None else total + count
    if rank is not None:
        shape_rules.axis_of(attrs["concat_dim"], rank)
    return [(total, rank), (total,), (rank,)]


def _concat(*arrays: np.ndarray, concat_dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inputs = _thirds(arrays)
    sizes = inputs[0][2]
    for number, (indices, values, shape) in enumerate(inputs):
        check_parts(indices, values, shape, f"The sparse tensor at position {number}:")
        if len(shape) != len(sizes):
            raise invalid(
                f"Ranks of all input tensors must match: expected {len(sizes)} but got "
                f"{len(shape)} at position {number}"
            )
    if not -len(sizes) <= concat_dim < len(sizes):
        raise invalid(
            f"Concat dimension must be in range [{-len(sizes)}, {len(sizes)}), got {concat_dim}"
        )
    axis = concat_dim % len(sizes)
    for number, (_, _, shape) in enumerate(inputs):
        wrong = [i for i, size in enumerate(shape) if i != axis and size != sizes[i]]
        if wrong:
            raise invalid(
                f"Input shapes must match: expected {sizes[wrong[0]]} for dimension {wrong[0]} "
                f"but got {shape[wrong[0]]} at position {number}"
            )
    joined = np.concatenate([indices for indices, _, _ in inputs])
    start, first = 0, 0
    for indices, _, shape in inputs:
        joined[first : first + len(indices), axis] += start
        first, start = first + len(indices), start + int(shape[axis])
    values = np.concatenate([values for _, values, _ in inputs])
    result_sizes = sizes.copy()
    result_sizes[axis] = start
    order = row_major(joined)
    if order is not None:
        joined, values = joined[order], values[order]
    return joined, values, result_sizes


def _concat_grad(op: Any, dindices: Any, dvalues: Any, dshape: Any) -> list[Any]:
    inputs = _thirds(op.inputs)
    starts: list[Any] = [0]
    for _, values, _ in inputs:
        starts.append(starts[-1] + raw.Size(values))
    numbers = [raw.Range(a, b, 1) for a, b in itertools.pairwise(starts)]
    places, _, shapes = zip(*inputs, strict=True)
    order = raw.SparseConcat(
        list(places), numbers, list(shapes), concat_dim=op.get_attr("concat_dim")
    )[1]
    back = raw.Gather(dvalues, raw.InvertPermutation(order))
    grads = [raw.Gather(back, own) for own in numbers]
    return [*[None] * len(inputs), *grads, *[None] * len(inputs)]


def _concat_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for axis in (0, 1, -1):
            sizes = [(3, 4), (3, 2) if axis else (2, 4), (3, 1) if axis else (1, 4)]
            parts = [sampled(rng, s, n, dtype) for s, n in zip(sizes, (5, 3, 0), strict=True)]
            yield Sample(*map(list, zip(*parts, strict=True)), concat_dim=axis)


_sparse_concat = OpDef(
    "SparseConcat",
    "indices: N*int64, values: N*T, shapes: N*int64 "
    "-> output_indices: int64, output_values: T, output_shape: int64",
    attrs={"concat_dim": REQUIRED},
    shape=_concat_shape,
    compute=_concat,
    grad=_concat_grad,
    samples=_concat_samples,
)


@spelled(expand_nonconcat_dims="expand_nonconcat_dim")
def sparse_concat(
    axis: Any,
    sp_inputs: Any,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
) -> SparseTensor:
    """Sparse tensors joined along a dimension.

    Args:
      axis: the dimension, in [-rank, rank).
      sp_inputs: list of `SparseTensor`s whose elements stand in row-major order, of one size in all
        other dimensions.
      name: name of the op.
      expand_nonconcat_dim: whether other dimensions may differ: the largest size is taken.
      concat_dim: the former name of `axis`.

    Returns: a `SparseTensor` whose elements stand in row-major order; of one input that input.

    Raises:
      TypeError: if `sp_inputs` is no list of sparse tensors. InvalidArgumentError: if ranks or
        sizes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0, 2], [1, 0]], ["a", "b"], [2, 3])
    ...     b = hf.SparseTensor([[0, 1]], ["c"], [2, 2])
    ...     print(hf.sparse_concat(1, [a, b]).indices.numpy().tolist())
    [[0, 2], [0, 4], [1, 0]]
    """
    if concat_dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'concat_dim'")
        axis = concat_dim
    if not isinstance(sp_inputs, list | tuple):
        raise TypeError("Inputs must be a list or tuple.")
    inputs = [as_sparse(sparse) for sparse in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    axis = settings.whole(axis, "axis")
    shapes: list[Any] = [sparse.dense_shape for sparse in inputs]
    if expand_nonconcat_dim:
        largest = raw.Max(raw.Pack(shapes, axis=0), 0)
        at = raw.FloorMod(axis, raw.Size(largest))
        chosen = raw.Equal(raw.Range(0, raw.Size(largest), 1), at)
        shapes = [raw.Select(chosen, shape, largest) for shape in shapes]
    indices, values, shape = _sparse_concat(
        [sparse.indices for sparse in inputs],
        [sparse.values for sparse in inputs],
        shapes,
        concat_dim=axis,
        name=name,
    )
    return SparseTensor(indices, values, shape)


# -- split -----------------------------------------------------------------------------------------


def _split_shape(
    attrs: dict[str, Any], split_dim: Tensor, indices: Tensor, values: Tensor, shape: Tensor
) -> list[Any]:
    shape_rules.with_rank(split_dim, 0)
    _, rank = static_sizes(indices, values, shape)
    count = attrs["num_split"]
    return [*[(None, rank)] * count, *[(None,)] * count, *[(rank,)] * count]


def _split(
    split_dim: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray,
    shape: np.ndarray,
    num_split: int,
) -> list[np.ndarray]:
    check_parts(indices, values, shape)
    axis = int(number_of(split_dim, "split_dim"))
    if not -len(shape) <= axis < len(shape):
        raise invalid(f"Input split_dim should be between 0 and rank ({len(shape)}), got {axis}")
    size = int(shape[axis])
    if not 1 <= num_split <= size:
        raise invalid(
            "Input num_split should be between 1 and the splitting dimension size "
            f"({size}), got {num_split}"
        )
    # The first ones have one more, where it does not come out even.
    each, more = divmod(size, num_split)
    ends = np.cumsum([each + (i < more) for i in range(num_split)])
    owner = np.searchsorted(ends, indices[:, axis], side="right")
    places: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    shapes: list[np.ndarray] = []
    for number, end in enumerate(ends):
        own = owner == number
        start = ends[number - 1] if number else 0
        moved = indices[own]
        moved[:, axis] -= start
        sizes = shape.copy()
        sizes[axis] = end - start
        places.append(moved)
        parts.append(values[own])
        shapes.append(sizes)
    return [*places, *parts, *shapes]


def _split_grad(op: Any, *grads: Any) -> tuple[None, None, Any, None]:
    axis, indices, values, shape = op.inputs
    count = op.get_attr("num_split")
    found = raw.SparseSplit(axis, indices, counting(values), shape, num_split=count)
    numbers = found[count : 2 * count]
    pairs = zip(grads[count : 2 * count], numbers, strict=True)
    present = [pair for pair in pairs if pair[0] is not None]
    joined, places = (raw.ConcatV2(list(part), 0) for part in zip(*present, strict=True))
    return None, None, put_back(joined, places, values), None


def _split_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for sizes, axis, count in (((5, 4), 0, 2), ((5, 4), 1, 3), ((7,), 0, 1)):
            yield Sample(np.array(axis), *sampled(rng, sizes, 6, dtype), num_split=count)
    yield Sample(np.array(1), *sampled(rng, (2, 4), 0, np.float64), num_split=4)


_sparse_split = OpDef(
    "SparseSplit",
    "split_dim: int64, indices: int64, values: T, shape: int64 "
    "-> output_indices: N*int64, output_values: N*T, output_shape: N*int64",
    attrs={"num_split": REQUIRED},
    shape=_split_shape,
    compute=_split,
    grad=_split_grad,
    samples=_split_samples,
)


def sparse_split(
    keyword_required: Any = None,
    sp_input: Any = None,
    num_split: Any = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """A sparse tensor split along a dimension.

    Where the size is no multiple of `num_split`, the first ones have one more.

    Args:
      keyword_required: nothing: the arguments are given by name.
      sp_input: a `SparseTensor`.
      num_split: how many parts, a Python int.
      axis: the dimension, an int or a scalar tensor.
      name: name of the op.
      split_dim: the former name of `axis`.

    Returns: a list of `num_split` `SparseTensor`s.

    Raises:
      ValueError: if an argument is missing, or given without its name. TypeError: if `sp_input` is
        not sparse. InvalidArgumentError: if there are more parts than the size.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 4]], [1, 2], [2, 5])
    ...     for part in hf.sparse_split(sp_input=s, num_split=2, axis=1):
    ...         print(part.indices.numpy().tolist(), part.dense_shape.numpy())
    [[0, 1]] [2 3]
    [[1, 1]] [2 2]
    """
    if keyword_required is not None:
        raise ValueError("Keyword arguments are required for this function.")
    if split_dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'split_dim'")
        axis = split_dim
    for what, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"{what} is required")
    sparse = as_sparse(sp_input)
    axis = convert_to_tensor(axis)
    found = _sparse_split(
        axis if axis.dtype is dtypes.int64 else raw.Cast(axis, DstT=dtypes.int64),
        *sparse._parts(),
        num_split=settings.whole(num_split, "num_split"),
        name=name,
    )
    return [SparseTensor(*parts) for parts in _thirds(found)]


# -- slice -----------------------------------------------------------------------------------------


def _slice_shape(
    attrs: dict[str, Any],
    indices: Tensor,
    values: Tensor,
    shape: Tensor,
    start: Tensor,
    size: Tensor,
) -> list[Any]:
    _, rank = static_sizes(indices, values, shape)
    for bound in (start, size):
        rank = shape_rules.same_size(rank, shape_rules.with_rank(bound, 1)[0])
    return [(None, rank), (None,), (rank,)]


def _slice(
    indices: np.ndarray,
    values: np.ndarray,
    shape: np.ndarray,
    start: np.ndarray,
    size: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    check_parts(indices, values, shape)
    for what, bound in (("start", start), ("size", size)):
        if bound.shape != shape.shape:
            raise invalid(
                f"Expected {what} to be a vector of length {len(shape)} but got shape "
                f"{list(bound.shape)}"
            )
        if (bound < 0).any():
            raise invalid(f"{what} must not be negative, got {bound.tolist()}")
    sizes = np.maximum(np.minimum(size, shape - start), 0)
    inside = ((indices >= start) & (indices < start + sizes)).all(axis=1)
    return indices[inside] - start, values[inside], sizes


def _slice_grad(op: Any, dindices: Any, dvalues: Any, dshape: Any) -> tuple[Any, ...]:
    indices, values, shape, start, size = op.inputs
    numbers = raw.SparseSlice(indices, counting(values), shape, start, size)[1]
    return None, put_back(dvalues, numbers, values), None, None, None


def _slice_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for sizes, start, size in (
            ((4, 5), (1, 0), (2, 4)),
            ((4, 5), (2, 3), (9, 9)),
            ((4, 5), (4, 0), (1, 5)),
            ((6,), (0,), (6,)),
        ):
            yield Sample(*sampled(rng, sizes, 5, dtype), np.array(start), np.array(size))


_sparse_slice = OpDef(
    "SparseSlice",
    "indices: int64, values: T, shape: int64, start: int64, size: int64 "
    "-> output_indices: int64, output_values: T, output_shape: int64",
    shape=_slice_shape,
    compute=_slice,
    grad=_slice_grad,
    samples=_slice_samples,
)


def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """A box of a sparse tensor.

    Args:
      sp_input: a `SparseTensor` of rank r.
      start: int64 vector `[r]`: where the box begins.
      size: int64 vector `[r]`: how large it is; what lies outside of the tensor is left out.
      name: name of the op.

    Returns: a `SparseTensor` whose indices count from `start`.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: for negative numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 2], [1, 0]], [1, 2], [2, 7])
    ...     print(hf.sparse_slice(s, [0, 1], [2, 3]).indices.numpy())
    [[0 1]]
    """
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseSlice", [sparse]) as scope:
        first = convert_to_tensor(start, dtypes.int64)
        sizes = convert_to_tensor(size, dtypes.int64)
        return SparseTensor(*_sparse_slice(*sparse._parts(), first, sizes, name=scope))
