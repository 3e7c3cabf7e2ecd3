"""Sets along the last dimension: sizes, intersections, differences, unions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.sparse_tensor import (
    SparseTensor,
    convert_to_tensor_or_sparse_tensor,
)
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.sparse.coordinates import (
    check_inside,
    check_parts,
    invalid,
    linear,
    sampled,
    static_sizes,
)
from hybridflow._src.ops.sparse.densifying import check_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["set_difference", "set_intersection", "set_size", "set_union"]

_TYPES = (
    *(dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
    *(dtypes.uint8, dtypes.uint16, dtypes.string),
)
_OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "a-b": lambda a, b: np.setdiff1d(a, b, assume_unique=True),
    "b-a": lambda a, b: np.setdiff1d(b, a, assume_unique=True),
    "intersection": lambda a, b: np.intersect1d(a, b, assume_unique=True),
    "union": np.union1d,
}


# -- values ----------------------------------------------------------------------------------------


class _Sets(NamedTuple):
    """Sets in a tensor: for each element the number of its set, and what it is.

    Attributes:
      sizes: the shape of the tensor of sets.
    """

    numbers: np.ndarray
    values: np.ndarray
    sizes: tuple[int, ...]


def _of_sparse(parts: tuple[np.ndarray, ...], validate: bool) -> _Sets:
    indices, values, shape = parts
    check_parts(indices, values, shape)
    if len(shape) < 2:
        raise invalid(f"a tensor of sets has a rank of at least 2, not {len(shape)}")
    check_inside(indices, shape)
    if validate:
        check_order(indices)
    sizes = tuple(shape[:-1].tolist())
    return _Sets(linear(indices[:, :-1], sizes), values, sizes)


def _of_dense(array: np.ndarray) -> _Sets:
    if array.ndim < 2:
        raise invalid(f"a tensor of sets has a rank of at least 2, not {array.ndim}")
    sizes = array.shape[:-1]
    count = int(np.prod(sizes))
    return _Sets(np.repeat(np.arange(count), array.shape[-1]), array.ravel(), sizes)


def _operated(a: _Sets, b: _Sets, how: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, values and shape of the sets that an operation gives, each in rising order."""
    how = how.decode() if isinstance(how, bytes) else how
    if how.lower() not in _OPERATIONS:
        raise invalid(f"Invalid set_operation {how}.")
    if a.sizes != b.sizes:
        raise invalid(
            f"Mismatched group shapes: all dimensions but the last must agree, got {list(a.sizes)} "
            f"and {list(b.sizes)}"
        )
    # A number for each pair of set and value, which stand in the order of both.
    kinds, codes = np.unique(np.concatenate([a.values, b.values]), return_inverse=True)
    codes = codes.reshape(-1)
    width = max(1, len(kinds))
    first = np.unique(a.numbers * width + codes[: len(a.values)])
    second = np.unique(b.numbers * width + codes[len(a.values) :])
    found = np.sort(_OPERATIONS[how.lower()](first, second))
    sets, codes = found // width, found % width
    starts = np.searchsorted(sets, sets, side="left")
    places = np.arange(len(sets)) - starts
    indices = np.empty((len(sets), len(a.sizes) + 1), np.int64)
    if len(sets):
        indices[:, :-1] = np.stack(np.unravel_index(sets, a.sizes), axis=1)
    indices[:, -1] = places
    largest = int(places.max()) + 1 if len(places) else 0
    return indices, kinds[codes], np.array([*a.sizes, largest], np.int64)


# -- records ---------------------------------------------------------------------------------------


def _size_shape(attrs: dict[str, Any], *parts: Tensor) -> Any:
    _, rank = static_sizes(*parts)
    dims = constant_dims(parts[2])
    if dims is None:
        return None if rank is None else (None,) * (rank - 1)
    return dims[:-1]


def _size(
    set_indices: np.ndarray, set_values: np.ndarray, set_shape: np.ndarray, validate_indices: bool
) -> np.ndarray:
    sets = _of_sparse((set_indices, set_values, set_shape), validate_indices)
    sizes = allocatable("SetSize", sets.sizes, np.dtype(np.int32))
    _, codes = np.unique(sets.values, return_inverse=True)
    width = max(1, len(codes))
    pairs = np.unique(sets.numbers * width + codes.reshape(-1))
    counts = np.bincount(pairs // width, minlength=int(np.prod(sizes)))
    return counts.astype(np.int32).reshape(sizes)


def _size_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.int32, np.int64, np.uint8):
        indices, values, shape = sampled(rng, (2, 3, 4), 13, np.int32, 0.0)
        yield Sample(indices, values.astype(dtype), shape)
    yield Sample(*sampled(rng, (2, 3), 0, np.int32))


_set_size = OpDef(
    "SetSize",
    "set_indices: int64, set_values: T, set_shape: int64 -> size: int32",
    types=_TYPES,
    attrs={"validate_indices": True},
    shape=_size_shape,
    compute=_size,
    grad=not_differentiable,
    samples=_size_samples,
)


def _group_dims(*tensors: Tensor) -> Any:
    """The shape of a tensor of sets, from one dense tensor or the parts of a sparse one."""
    if len(tensors) == 1:
        return tensors[0]._dims
    _, rank = static_sizes(*tensors)
    dims = constant_dims(tensors[2])
    return (None,) * rank if dims is None and rank is not None else dims


def _operation(name: str, signature: str, a_parts: int, b_parts: int) -> OpDef:
    """The record of an operation on tensors of sets; a dense one has one part, a sparse one 3."""

    def shape(attrs: dict[str, Any], *tensors: Tensor) -> list[Any]:
        ranks = set()
        group = None
        for dims in (_group_dims(*tensors[:a_parts]), _group_dims(*tensors[a_parts:])):
            if dims is not None:
                if len(dims) < 2:
                    raise ValueError(f"Shape must be at least rank 2 but is rank {len(dims)}")
                ranks.add(len(dims))
                group = merge(group, dims[:-1])
        rank = ranks.pop() if ranks else None
        return [(None, rank), (None,), (rank,)]

    def compute(
        *arrays: np.ndarray, set_operation: Any, validate_indices: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sets = [
            _of_dense(part[0]) if len(part) == 1 else _of_sparse(part, validate_indices)
            for part in (arrays[:a_parts], arrays[a_parts:])
        ]
        return _operated(sets[0], sets[1], set_operation)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.int32, np.int64):
            for how in _OPERATIONS:
                parts: list[np.ndarray] = []
                for count in (a_parts, b_parts):
                    if count == 1:
                        parts.append(rng.integers(0, 6, (2, 2, 3)).astype(dtype))
                    else:
                        indices, _, sizes = sampled(rng, (2, 2, 4), 9, dtype)
                        parts += [indices, rng.integers(0, 6, 9).astype(dtype), sizes]
                yield Sample(*parts, set_operation=how)

    return OpDef(
        name,
        f"{signature} -> result_indices: int64, result_values: T, result_shape: int64",
        types={"T": _TYPES},
        attrs={"set_operation": REQUIRED, "validate_indices": True},
        shape=shape,
        compute=compute,
        grad=not_differentiable,
        samples=samples,
    )


def _parts(number: int) -> str:
    return f"set{number}_indices: int64, set{number}_values: T, set{number}_shape: int64"


_dense_dense = _operation("DenseToDenseSetOperation", "set1: T, set2: T", 1, 1)
_dense_sparse = _operation("DenseToSparseSetOperation", f"set1: T, {_parts(2)}", 1, 3)
_sparse_sparse = _operation("SparseToSparseSetOperation", f"{_parts(1)}, {_parts(2)}", 3, 3)


# -- public functions ------------------------------------------------------------------------------


def _operate(a: Any, b: Any, how: str, flipped: str, validate_indices: bool) -> SparseTensor:
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base_dtype not in _TYPES:
        raise DTypeError(f"'a' invalid dtype {a.dtype.name}: sets hold integers or strings.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base_dtype is not a.dtype.base_dtype:
        raise DTypeError(f"Types don't match, {a.dtype.name} vs {b.dtype.name}.")
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        a, b, how = b, a, flipped
    options: dict[str, Any] = {"set_operation": how, "validate_indices": validate_indices}
    if not isinstance(b, SparseTensor):
        return SparseTensor(*_dense_dense(a, b, **options))
    if isinstance(a, SparseTensor):
        return SparseTensor(*_sparse_sparse(*a._parts(), *b._parts(), **options))
    return SparseTensor(*_dense_sparse(a, *b._parts(), **options))


def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """The number of different elements along the last dimension.

    Args:
      a: a `SparseTensor` `[..., n]` of integers or strings.
      validate_indices: whether its elements must stand in row-major order, without repeats.

    Returns: an int32 tensor `[...]`.

    Raises:
      TypeError: if `a` is not sparse, or of another dtype. InvalidArgumentError: if its elements
        are out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a = hf.SparseTensor([[0, 0], [0, 1], [1, 0]], [5, 5, 7], [2, 2])
    ...     print(hf.sets.set_size(a).numpy())
    [1 1]
    """
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    if a.dtype.base_dtype not in _TYPES:
        raise DTypeError(f"Invalid dtype {a.dtype.name}: sets hold integers or strings.")
    result: Tensor = _set_size(*a._parts(), validate_indices=validate_indices)
    return result


def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What sets along the last dimension have in common.

    Args:
      a, b: tensors or `SparseTensor`s `[..., n]` of one dtype, integers or strings, of one shape
        but for the last dimension.
      validate_indices: whether sparse elements must stand in row-major order, without repeats.

    Returns: a `SparseTensor` `[..., m]`: the elements of each set once, in rising order.

    Raises:
      TypeError: for other dtypes. InvalidArgumentError: if shapes do not fit, or sparse elements
        are out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sets.set_intersection([[1, 2, 3]], [[3, 1, 5]]).values.numpy())
    [1 3]
    """
    return _operate(a, b, "intersection", "intersection", validate_indices)


def set_difference(
    a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True
) -> SparseTensor:
    """What sets along the last dimension have that others lack.

    Args:
      a, b: tensors or `SparseTensor`s `[..., n]` of one dtype, integers or strings, of one shape
        but for the last dimension.
      aminusb: whether it is what `a` has and `b` lacks, else the other way round.
      validate_indices: whether sparse elements must stand in row-major order, without repeats.

    Returns: a `SparseTensor` `[..., m]`: the elements of each set once, in rising order.

    Raises:
      TypeError: for other dtypes. InvalidArgumentError: if shapes do not fit, or sparse elements
        are out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sets.set_difference([[1, 2, 3]], [[3, 1, 5]]).values.numpy())
    [2]
    """
    how = ("a-b", "b-a") if aminusb else ("b-a", "a-b")
    return _operate(a, b, *how, validate_indices)


def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """All that sets along the last dimension and others have.

    Args:
      a, b: tensors or `SparseTensor`s `[..., n]` of one dtype, integers or strings, of one shape
        but for the last dimension.
      validate_indices: whether sparse elements must stand in row-major order, without repeats.

    Returns: a `SparseTensor` `[..., m]`: the elements of each set once, in rising order.

    Raises:
      TypeError: for other dtypes. InvalidArgumentError: if shapes do not fit, or sparse elements
        are out of order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sets.set_union([[1, 2, 3]], [[3, 1, 5]]).values.numpy())
    [1 2 3 5]
    """
    return _operate(a, b, "union", "union", validate_indices)
