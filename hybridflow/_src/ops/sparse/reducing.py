"""Sums and maxima of sparse tensors along dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import NUMBERS, REALS
from hybridflow._src.ops.grad_helpers import in_single
from hybridflow._src.ops.math.reducing import renamed
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
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.ops.shape_rules import Dims

__all__ = [
    "sparse_reduce_max",
    "sparse_reduce_max_sparse",
    "sparse_reduce_sum",
    "sparse_reduce_sum_sparse",
]


# -- shapes and axes -------------------------------------------------------------------------------


def _axes(axes: np.ndarray, rank: int) -> set[int]:
    if axes.ndim > 1:
        raise invalid(
            f"Expected reduction_axes to be a scalar or a vector; got shape {list(axes.shape)}"
        )
    for axis in axes.ravel().tolist():
        if not -rank <= axis < rank:
            raise invalid(
                f"Invalid reduction dimension {axis}, for input with {rank} dimensions: expected "
                f"one in [{-rank}, {rank})"
            )
    return {axis % rank for axis in axes.ravel().tolist()}


def _reduced(sizes: Sequence[Any], axes: set[int], keep_dims: bool) -> list[Any]:
    if keep_dims:
        return [1 if axis in axes else size for axis, size in enumerate(sizes)]
    return [size for axis, size in enumerate(sizes) if axis not in axes]


def _dense_dims(attrs: dict[str, Any], *tensors: Tensor) -> Dims:
    _, rank = static_sizes(*tensors[:3])
    known = constant_value(tensors[3])
    dims = constant_dims(tensors[2])
    if dims is None and rank is not None:
        dims = (None,) * rank
    if dims is None:
        return None
    if known is None:
        return (None,) * len(dims) if attrs["keep_dims"] else None
    return tuple(_reduced(dims, _axes(known, len(dims)), attrs["keep_dims"]))


def _sparse_dims(attrs: dict[str, Any], *tensors: Tensor) -> list[Any]:
    dims = _dense_dims(attrs, *tensors)
    rank = None if dims is None else len(dims)
    return [(None, rank), (None,), (rank,)]


# -- values ----------------------------------------------------------------------------------------


class _Groups:
    """The elements of a sparse tensor by where they go when it is reduced.

    Attributes:
      indices: of the results, in order, with all dimensions. places: the result of each element.
    """

    def __init__(
        self,
        indices: np.ndarray,
        values: np.ndarray,
        shape: np.ndarray,
        axes: np.ndarray,
        ufunc: np.ufunc,
    ) -> None:
        check_parts(indices, values, shape)
        check_inside(indices, shape)
        self.axes = _axes(axes, len(shape))
        self.sizes = shape
        kept = indices.copy()
        kept[:, sorted(self.axes)] = 0
        (numbers,) = numbered(kept)
        _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
        self.indices = kept[first]
        order = np.argsort(places.reshape(-1), kind="stable")
        starts = np.searchsorted(places.reshape(-1)[order], np.arange(len(first)))
        self.values = values[:0].copy()
        if len(first):
            wide = accumulator(values.dtype)
            totals = ufunc.reduceat(values[order], starts, dtype=wide)
            self.values = totals.astype(values.dtype, copy=False)

    def dense(self, name: str, keep_dims: bool) -> np.ndarray:
        sizes = _reduced(self.sizes.tolist(), self.axes, True)
        result = np.zeros(allocatable(name, sizes, self.values.dtype), self.values.dtype)
        result.reshape(-1)[linear(self.indices, sizes)] = self.values
        return result.reshape(_reduced(self.sizes.tolist(), self.axes, keep_dims))

    def sparse(self, keep_dims: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sizes = np.array(_reduced(self.sizes.tolist(), self.axes, keep_dims), np.int64)
        left = [a for a in range(len(self.sizes)) if keep_dims or a not in self.axes]
        return np.ascontiguousarray(self.indices[:, left]), self.values, sizes


# -- gradients -------------------------------------------------------------------------------------


def _marks(op: Any) -> Any:
    """For each dimension 0 if it is reduced, else 1."""
    twos = raw.Fill(raw.Pack([raw.Size(op.inputs[2])], axis=0), 2)
    return raw.KeptShape(twos, op.inputs[3]) - 1


def _at_elements(op: Any, dense: Any) -> Any:
    """What a dense result, or its gradient, has for each element."""
    indices, _, shape, axes = op.inputs
    if not op.get_attr("keep_dims"):
        sizes = raw.Cast(shape, DstT=axes.dtype)
        dense = raw.Reshape(dense, raw.KeptShape(sizes, axes))
    return raw.GatherNd(dense, indices * raw.Cast(_marks(op), DstT=indices.dtype))


def _at_elements_sparse(op: Any, record: str, values: Any) -> Any:
    """The same for a sparse result: by looking its elements up."""
    kept = op.inputs[0] * raw.Cast(_marks(op), DstT=op.inputs[0].dtype)
    found = getattr(raw, record)(*op.inputs, keep_dims=True)[0]
    return raw.SparseAddGrad(values, kept, kept, found)[0]


def _max_grad(op: Any, record: str, reached: Any, dy: Any) -> tuple[None, Any, None, None]:
    """Equal shares for all elements that equal the largest of their group."""
    indices, values, shape, axes = op.inputs
    chosen = raw.Cast(raw.Equal(values, reached), DstT=values.dtype)

    def share(dy: Any, chosen: Any) -> Any:
        counts = raw.SparseReduceSumSparse(indices, chosen, shape, axes, keep_dims=True)[1]
        return dy / _at_elements_sparse(op, record, counts)

    return None, chosen * in_single(share, dy, chosen), None, None


def _sum_grad(op: Any, dy: Tensor) -> tuple[None, Any, None, None]:
    return None, _at_elements(op, dy), None, None


def _sum_sparse_grad(op: Any, dindices: Any, dvalues: Any, dshape: Any) -> tuple[Any, ...]:
    return None, _at_elements_sparse(op, "SparseReduceSumSparse", dvalues), None, None


def _max_dense_grad(op: Any, dy: Tensor) -> tuple[Any, ...]:
    reached = _at_elements(op, op.outputs[0])
    return _max_grad(op, "SparseReduceMaxSparse", reached, _at_elements(op, dy))


def _max_sparse_grad(op: Any, dindices: Any, dvalues: Any, dshape: Any) -> tuple[Any, ...]:
    record = "SparseReduceMaxSparse"
    reached = _at_elements_sparse(op, record, op.outputs[1])
    return _max_grad(op, record, reached, _at_elements_sparse(op, record, dvalues))


# -- records ---------------------------------------------------------------------------------------


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for sizes, count, axes in (
            ((3, 4), 7, [1]),
            ((3, 4), 7, [-2]),
            ((3, 4), 7, [0, 1]),
            ((2, 3, 2), 7, [0, -1]),
            ((4, 2), 5, []),
            ((4, 0), 0, [1]),
            ((5,), 2, 0),
        ):
            for keep_dims in (False, True):
                parts = sampled(rng, sizes, count, dtype)
                yield Sample(*parts, np.array(axes, np.int32), keep_dims=keep_dims)


def _reduction(
    name: str, ufunc: np.ufunc, types: Sequence[DType], grads: tuple[Callable[..., Any], ...]
) -> tuple[OpDef, OpDef]:
    """The records of a reduction to a dense, and to a sparse tensor."""

    def dense(
        input_indices: np.ndarray,
        input_values: np.ndarray,
        input_shape: np.ndarray,
        reduction_axes: np.ndarray,
        keep_dims: bool,
    ) -> np.ndarray:
        groups = _Groups(input_indices, input_values, input_shape, reduction_axes, ufunc)
        return groups.dense(name, keep_dims)

    def sparse(
        input_indices: np.ndarray,
        input_values: np.ndarray,
        input_shape: np.ndarray,
        reduction_axes: np.ndarray,
        keep_dims: bool,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        groups = _Groups(input_indices, input_values, input_shape, reduction_axes, ufunc)
        return groups.sparse(keep_dims)

    inputs = "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32"
    common: dict[str, Any] = {"types": types, "attrs": {"keep_dims": False}, "samples": _samples}
    return (
        OpDef(
            name,
            f"{inputs} -> output: T",
            shape=_dense_dims,
            compute=dense,
            grad=grads[0],
            **common,
        ),
        OpDef(
            f"{name}Sparse",
            f"{inputs} -> output_indices: int64, output_values: T, output_shape: int64",
            shape=_sparse_dims,
            compute=sparse,
            grad=grads[1],
            **common,
        ),
    )


_sum, _sum_sparse = _reduction("SparseReduceSum", np.add, NUMBERS, (_sum_grad, _sum_sparse_grad))
_max, _max_sparse = _reduction(
    "SparseReduceMax", np.maximum, REALS, (_max_dense_grad, _max_sparse_grad)
)


# -- public functions ------------------------------------------------------------------------------


def _reduce(op: OpDef, sp_input: Any, axis: Any, keep_dims: bool, reduction_axes: Any) -> Any:
    sparse = as_sparse(sp_input)
    axis = renamed("axis", axis, "reduction_axes", reduction_axes)
    if axis is None:
        dims = sparse.dense_shape._dims
        if dims is None or dims[0] is None:
            axis = raw.Range(0, raw.Size(sparse.dense_shape), 1)
        else:
            axis = np.arange(dims[0], dtype=np.int32)
    elif isinstance(axis, list | tuple) and not axis:
        axis = np.zeros(0, np.int32)
    result = op(*sparse._parts(), convert_to_tensor(axis), keep_dims=bool(keep_dims))
    return SparseTensor(*result) if isinstance(result, list) else result


@spelled(keepdims="keep_dims")
def sparse_reduce_sum(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> Tensor:
    """Sums of the elements of a sparse tensor along dimensions, as a dense tensor.

    Args:
      sp_input: a `SparseTensor`.
      axis: an int or a list of ints: the dimensions to reduce; by default all.
      keep_dims: keep the reduced dimensions, with size 1.
      reduction_axes: the former name of `axis`.

    Returns: a tensor; 0 where there are no elements.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [0, 2], [1, 1]], [1, 2, 3], [2, 3])
    ...     print(hf.sparse_reduce_sum(s, 1).numpy(), hf.sparse_reduce_sum(s).numpy())
    [3 3] 6
    """
    result: Tensor = _reduce(_sum, sp_input, axis, keep_dims, reduction_axes)
    return result


@spelled(keepdims="keep_dims")
def sparse_reduce_sum_sparse(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> SparseTensor:
    """Sums of the elements of a sparse tensor along dimensions, as a sparse tensor.

    Args:
      sp_input: a `SparseTensor`.
      axis: an int or a list of ints: the dimensions to reduce; by default all.
      keep_dims: keep the reduced dimensions, with size 1.
      reduction_axes: the former name of `axis`.

    Returns: a `SparseTensor`.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [0, 2], [2, 1]], [1, 2, 3], [3, 3])
    ...     print(hf.sparse_reduce_sum_sparse(s, 1).indices.numpy().tolist())
    [[0], [2]]
    """
    result: SparseTensor = _reduce(_sum_sparse, sp_input, axis, keep_dims, reduction_axes)
    return result


@spelled(keepdims="keep_dims")
def sparse_reduce_max(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> Tensor:
    """The largest elements of a sparse tensor along dimensions, as a dense tensor.

    Args:
      sp_input: a `SparseTensor` of a real dtype; elements that are missing do not count.
      axis: an int or a list of ints: the dimensions to reduce; by default all.
      keep_dims: keep the reduced dimensions, with size 1.
      reduction_axes: the former name of `axis`.

    Returns: a tensor; 0 where there are no elements. Elements that share a maximum share its
      gradient; TF has none.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [0, 2], [1, 1]], [1, 2, -3], [2, 3])
    ...     print(hf.sparse_reduce_max(s, 1).numpy())
    [ 2 -3]
    """
    result: Tensor = _reduce(_max, sp_input, axis, keep_dims, reduction_axes)
    return result


@spelled(keepdims="keep_dims")
def sparse_reduce_max_sparse(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> SparseTensor:
    """The largest elements of a sparse tensor along dimensions, as a sparse tensor.

    Args:
      sp_input: a `SparseTensor` of a real dtype; elements that are missing do not count.
      axis: an int or a list of ints: the dimensions to reduce; by default all.
      keep_dims: keep the reduced dimensions, with size 1.
      reduction_axes: the former name of `axis`.

    Returns: a `SparseTensor`. Elements that share a maximum share its gradient; TF has none.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [0, 2], [2, 1]], [1, 2, -3], [3, 3])
    ...     print(hf.sparse_reduce_max_sparse(s, 1).values.numpy())
    [ 2 -3]
    """
    result: SparseTensor = _reduce(_max_sparse, sp_input, axis, keep_dims, reduction_axes)
    return result
