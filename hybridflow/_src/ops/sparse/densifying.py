"""Dense tensors of the elements of sparse ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import as_sparse
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.sparse.coordinates import (
    check_inside,
    counting,
    invalid,
    linear,
    numbered,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_tensor_to_dense", "sparse_to_dense"]


def _shape(
    attrs: dict[str, Any], indices: Tensor, output_shape: Tensor, values: Tensor, default: Tensor
) -> shape_rules.Dims:
    (rank,) = shape_rules.with_rank(output_shape, 1)
    places = indices._dims
    if places is not None:
        if len(places) > 2:
            raise ValueError(f"sparse_indices must be of rank 2 at most, got rank {len(places)}")
        rank = shape_rules.same_size(rank, places[1] if len(places) == 2 else 1)
    dims = constant_dims(output_shape)
    return (None,) * rank if dims is None and rank is not None else dims


def _compute(
    sparse_indices: np.ndarray,
    output_shape: np.ndarray,
    sparse_values: np.ndarray,
    default_value: np.ndarray,
    validate_indices: bool,
) -> np.ndarray:
    if sparse_indices.ndim > 2:
        raise invalid(
            "sparse_indices should be a scalar, vector, or matrix, got shape "
            f"{shown(sparse_indices.shape)}"
        )
    if default_value.ndim:
        raise invalid("default_value should be a scalar.")
    indices = sparse_indices.astype(np.int64, copy=False)
    if indices.ndim < 2:
        indices = indices.reshape(-1, 1)
    rank = indices.shape[-1]
    sizes = allocatable("SparseToDense", output_shape, default_value.dtype)
    if len(sizes) != rank:
        raise invalid(
            f"output_shape has incorrect number of elements: {len(sizes)} should be: {rank}"
        )
    if sparse_values.ndim > 1 or (sparse_values.ndim and len(sparse_values) != len(indices)):
        raise invalid(
            f"sparse_values has incorrect shape {shown(sparse_values.shape)}, should be [] or "
            f"[{len(indices)}]"
        )
    check_inside(indices, sizes)
    if validate_indices:
        check_order(indices)
    dense = np.full(sizes, default_value, default_value.dtype)
    dense.reshape(-1)[linear(indices, sizes)] = sparse_values
    return dense


def check_order(indices: np.ndarray) -> None:
    """Checks that indices stand in row-major order, without repeats.

    Raises:
      InvalidArgumentError: if they do not.
    """
    (numbers,) = numbered(indices)
    wrong = numbers[1:] <= numbers[:-1]
    if wrong.any():
        at = int(np.argmax(wrong)) + 1
        index = f"indices[{at}] = {shown(indices[at])}"
        if numbers[at] == numbers[at - 1]:
            raise invalid(f"{index} is repeated")
        raise invalid(f"{index} is out of order. `hf.sparse_reorder` puts a sparse tensor in order")


def _grad(op: Any, dy: Tensor) -> tuple[None, None, Any, Any]:
    indices, output_shape, values, _ = op.inputs
    dims = output_shape._dims
    rank = raw.Size(output_shape) if dims is None or dims[0] is None else dims[0]
    places = raw.Reshape(indices, raw.Pack([-1, rank], axis=0))
    grads = raw.GatherNd(dy, places)
    if not op.get_attr("validate_indices"):
        # Of elements at one place the last one is seen.
        numbers = counting(grads)
        last = raw.SparseToDense(places, output_shape, numbers, 0, validate_indices=False)
        seen = raw.Equal(raw.GatherNd(last, places), numbers)
        grads = raw.Select(seen, grads, raw.ZerosLike(grads))
    of_default = raw.Sum(raw.Reshape(dy, [-1]), 0) - raw.Sum(grads, 0)
    if values._dims is None:
        grads = raw.SumToShape(grads, raw.Shape(values))
    elif values._dims == ():
        grads = raw.Sum(grads, 0)
    return None, None, grads, of_default


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    matrix = np.array([[0, 1], [1, 0], [1, 2]])
    for dtype in (np.float32, np.float64, np.int32):
        values = np.ceil(rng.uniform(-3, 3, 3)).astype(dtype)
        default = np.array(rng.uniform(1, 3)).astype(dtype)
        for places in (np.int32, np.int64):
            yield Sample(matrix.astype(places), np.array([2, 3], places), values, default)
    default = np.array(rng.uniform())
    yield Sample(np.array([1, 4]), np.array([5]), rng.normal(size=2), default)
    yield Sample(np.array(2), np.array([4]), np.array(rng.normal()), default)
    yield Sample(matrix, np.array([2, 3]), np.array(rng.normal()), default)
    yield Sample(np.zeros((0, 2), np.int64), np.array([2, 2]), np.zeros(0), default)
    repeated = np.array([[1, 1], [0, 1], [1, 1]])
    yield Sample(repeated, np.array([2, 2]), rng.normal(size=3), default, validate_indices=False)


_sparse_to_dense = OpDef(
    "SparseToDense",
    "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T "
    "-> dense: T",
    types={"Tindices": INDICES},
    attrs={"validate_indices": True},
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
)


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A dense tensor with `sparse_values[i]` at `sparse_indices[i]` and a default elsewhere.

    Args:
      sparse_indices: int32 or int64 tensor `[n, rank]`; a vector `[n]` or a scalar for rank 1.
      output_shape: vector `[rank]` of the same dtype.
      sparse_values: tensor `[n]`, or a scalar for all places.
      default_value: scalar of the dtype of the values.
      validate_indices: whether the indices must stand in row-major order, without repeats;
        otherwise the last of several elements at one place is taken.
      name: name of the op.

    Returns: a tensor of shape `output_shape` and the dtype of the values. Its gradient flows to the
      values and the default (TF 1.4 has none).

    Raises:
      InvalidArgumentError: if an index lies outside, is repeated or out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sparse_to_dense([[0, 1], [1, 0]], [2, 2], [5, 6], -1).numpy().tolist())
    [[-1, 5], [6, -1]]
    """
    return _sparse_to_dense(
        sparse_indices,
        output_shape,
        sparse_values,
        default_value,
        validate_indices=validate_indices,
        name=name,
    )


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The dense tensor that a sparse one stands for.

    Args:
      sp_input: a `SparseTensor`.
      default_value: scalar for the places without an element; by default 0, or the empty string.
        (In TF 1.4 it must be given for strings.)
      validate_indices: whether the elements must stand in row-major order, without repeats.
      name: name of the op.

    Returns: a tensor of shape `sp_input.dense_shape`.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an index lies outside, is
        repeated or out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 0]], ["a", "b"], [2, 2])
    ...     print(hf.sparse_tensor_to_dense(s).numpy().tolist())
    [[b'', b'a'], [b'b', b'']]
    """
    sparse = as_sparse(sp_input)
    if default_value is None:
        default_value = "" if sparse.dtype.base_dtype is dtypes.string else 0
    return sparse_to_dense(
        sparse.indices, sparse.dense_shape, sparse.values, default_value, validate_indices, name
    )
