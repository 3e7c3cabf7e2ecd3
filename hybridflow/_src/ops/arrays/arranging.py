"""Tensors transposed, reversed, tiled: the same elements in another order, or several times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import reshape_like

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "invert_permutation",
    "matrix_transpose",
    "reverse",
    "reverse_v2",
    "tile",
    "transpose",
]


# -- permutations ----------------------------------------------------------------------------------


def _permutation(perm: np.ndarray) -> list[int]:
    """The entries of a permutation vector, which must be each of 0, 1, ... once."""
    entries: list[int] = perm.tolist()
    count = len(entries)
    for entry in entries:
        if not 0 <= entry < count:
            raise ValueError(f"{entry} is out of range [0 .. {count})")
    missing = set(range(count)).difference(entries)
    if missing:
        listed = ",".join(map(str, entries))
        raise ValueError(f"{min(missing)} is missing from {{{listed}}}")
    return entries


def _invert_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    return shape_rules.with_rank(x, 1)


def _invert(x: np.ndarray) -> np.ndarray:
    if x.ndim != 1:
        raise ValueError(f"invert_permutation expects a 1D vector, got {x.ndim} dimensions")
    inverse = np.empty_like(x)
    inverse[_permutation(x)] = np.arange(x.size, dtype=x.dtype)
    return inverse


def _invert_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.int32, np.int64):
        for count in (4, 1, 0):
            yield Sample(rng.permutation(count).astype(dtype))


_invert_op = OpDef(
    "InvertPermutation",
    "x: T -> y: T",
    types=INDICES,
    shape=_invert_shape,
    compute=_invert,
    grad=not_differentiable,
    samples=_invert_samples,
)


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The inverse of a permutation: `y[x[i]] = i`.

    Args:
      x: integer vector that holds each of 0, 1, ..., n - 1 once.
      name: name of the op.

    Returns: an integer vector like `x`.

    Raises:
      InvalidArgumentError: if `x` is no permutation.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.invert_permutation([2, 0, 1]).numpy())
    [1 2 0]
    """
    return _invert_op(x, name=name)


def _transpose_shape(attrs: dict[str, Any], x: Tensor, perm: Tensor) -> shape_rules.Dims:
    (count,) = shape_rules.with_rank(perm, 1)
    dims = x._dims
    if dims is None:
        return None if count is None else (None,) * count
    rank = len(dims)
    if count is not None and count != rank:
        raise ValueError(f"Dimension must be {rank} but is {count}")
    order = constant_value(perm)
    if order is None:
        return (None,) * rank
    for entry in order.tolist():
        if not -rank <= entry < rank:
            raise ValueError(f"perm dim {entry} is out of range of input rank {rank}")
    return tuple([dims[entry] for entry in _permutation(order)])


def _transpose(x: np.ndarray, perm: np.ndarray) -> np.ndarray:
    return np.transpose(x, _permutation(perm))


def _transpose_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, perm in (((2, 3), [1, 0]), ((2, 3, 4), [2, 0, 1]), ((), []), ((0, 2), [1, 0])):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(perm, np.int32))
    yield Sample(rng.normal(size=(2, 3)), np.array([1, 0], np.int64))


_transpose_op = OpDef(
    "Transpose",
    "x: T, perm: Tperm -> y: T",
    types={"Tperm": INDICES},
    shape=_transpose_shape,
    compute=_transpose,
    aliases=True,
    grad=lambda op, dy: (raw.Transpose(dy, _inverse(op.inputs[1])), None),
    samples=_transpose_samples,
)


def _conjugate_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.complex64, np.complex128):
        x = (rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))).astype(dtype)
        yield Sample(x, np.array([1, 0], np.int32))


_conjugate_transpose_op = OpDef(
    "ConjugateTranspose",
    "x: T, perm: Tperm -> y: T",
    types={"Tperm": INDICES},
    shape=_transpose_shape,
    compute=lambda x, perm: np.conj(_transpose(x, perm)),
    grad=lambda op, dy: (raw.ConjugateTranspose(dy, _inverse(op.inputs[1])), None),
    samples=_conjugate_samples,
)


def _inverse(perm: Tensor) -> Any:
    value = constant_value(perm)
    return raw.InvertPermutation(perm) if value is None else _invert(value)


def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its dimensions in another order: `y.shape[i] = a.shape[perm[i]]`.

    Args:
      a: a tensor.
      perm: integer vector, a permutation of the dimensions; by default their order is reversed.
      name: name of the op.
      conjugate: conjugate the values too.

    Returns: a tensor with the elements of `a`.

    Raises:
      ValueError: if `perm` is no permutation of the dimensions.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.transpose([[1, 2, 3], [4, 5, 6]]).numpy())
    [[1 4]
     [2 5]
     [3 6]]
    """
    with name_scope(name, "transpose", [a]) as scope:
        a = convert_to_tensor(a, name="x")
        op = _conjugate_transpose_op if conjugate and a.dtype.is_complex else _transpose_op
        if perm is None and a.__class__ is EagerTensor:
            perm = np.arange(a.ndim - 1, -1, -1, dtype=np.int32)
        elif perm is None:
            rank = raw.Rank(a)
            perm = (rank - 1) - raw.Range(0, rank, 1)
        return op(a, perm, name=scope)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """A batch of matrices, each transposed: the last two dimensions change places.

    Args:
      a: a tensor `[..., m, n]`.
      name: name of the op.
      conjugate: conjugate the values too.

    Returns: a tensor `[..., n, m]`.

    Raises:
      ValueError: if the rank is below 2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_transpose([[[1, 2], [3, 4]]]).numpy().tolist())
    [[[1, 3], [2, 4]]]
    """
    with name_scope(name, "matrix_transpose", [a]):
        a = convert_to_tensor(a, name="a")
        dims = a._dims
        perm: Any
        if dims is None:
            rank = raw.Rank(a)
            most = raw.Range(0, rank - 2, 1)
            perm = raw.ConcatV2([most, [rank - 1, rank - 2]], 0, name="concat")
        elif len(dims) < 2:
            raise ValueError(
                f"Argument 'a' should be a (batch) matrix, with rank >= 2.  Found: {a.shape}"
            )
        else:
            last = len(dims) - 1
            perm = [*range(last - 1), last, last - 1]
        return transpose(a, perm, conjugate=conjugate)


# -- reverse ---------------------------------------------------------------------------------------


def _reverse_shape(attrs: dict[str, Any], tensor: Tensor, axis: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(axis, 1)
    axes = constant_value(axis)
    if tensor._dims is not None and axes is not None:
        _axes_once(axes.tolist(), len(tensor._dims))
    return tensor._dims


def _axes_once(axes: list[int], rank: int) -> tuple[int, ...]:
    seen: dict[int, None] = {}
    for index, axis in enumerate(axes):
        if not -rank <= axis < rank:
            raise ValueError(f"'axis'[{index}] = {axis} is out of valid range [0, {rank - 1}]")
        if axis % rank in seen:
            raise ValueError(f"axis {axis % rank} specified more than once.")
        seen[axis % rank] = None
    return tuple(seen)


def _reverse_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, axes in (((2, 3), [0]), ((2, 3), [1, -2]), ((2, 3), []), ((), []), ((0, 2), [0])):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(axes, np.int32))


_reverse_op = OpDef(
    "ReverseV2",
    "tensor: T, axis: Tidx -> output: T",
    types={"Tidx": INDICES},
    shape=_reverse_shape,
    compute=lambda x, axis: np.flip(x, _axes_once(axis.tolist(), x.ndim)),
    aliases=True,
    grad=lambda op, dy: (raw.ReverseV2(dy, op.inputs[1]), None),
    samples=_reverse_samples,
)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """A tensor with the order of its elements reversed along some dimensions.

    Args:
      tensor: a tensor.
      axis: integer vector: the dimensions.
      name: name of the op.

    Returns: a tensor like `tensor`.

    Raises:
      ValueError: if an axis is out of range or named twice.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reverse([[1, 2], [3, 4]], [1]).numpy())
    [[2 1]
     [4 3]]
    """
    return _reverse_op(tensor, axis, name=name)


reverse_v2 = reverse


# -- tile ------------------------------------------------------------------------------------------


def _tile_shape(attrs: dict[str, Any], x: Tensor, multiples: Tensor) -> shape_rules.Dims:
    (count,) = shape_rules.with_rank(multiples, 1)
    dims = shape_rules.with_rank(x, count) if count is not None else x._dims
    value = constant_value(multiples)
    if value is not None and value.size and value.min() < 0:
        index = int(np.argmax(value < 0))
        raise ValueError(f"Expected multiples[{index}] >= 0, but got {value[index]}")
    times = constant_dims(multiples)
    if dims is None or times is None:
        return dims if dims is None else (None,) * len(dims)
    return tuple(
        [None if d is None or m is None else d * m for d, m in zip(dims, times, strict=True)]
    )


def _tile(x: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    if multiples.shape != (x.ndim,) or (multiples.size and multiples.min() < 0):
        raise ValueError(f"multiples must be {x.ndim} sizes, got {multiples.tolist()}")
    times = multiples.tolist()
    allocatable("Tile", [n * m for n, m in zip(x.shape, times, strict=True)], x.dtype)
    return np.tile(x, times) if x.ndim else np.array(x)


def _native_tile(b: Any, x: Any, multiples: Any) -> Any:
    """Repeats the value along axes of their own, without memory, then copies it once."""
    times = b.known(multiples).tolist()
    pairs = list(zip(times, x.shape, strict=True))
    split = [n for m, n in pairs for n in ((n,) if m == 1 else (1, n))]
    spread = [n for m, n in pairs for n in ((n,) if m == 1 else (m, n))]
    return b.reshape(b.broadcast(b.reshape(x, split), spread), [m * n for m, n in pairs])


def _tile_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    x, multiples = op.inputs
    # Every dimension of dy is multiple times size: split it, and sum over the copies.
    shape = raw.Shape(x, out_type=multiples.dtype)
    split = raw.Reshape(raw.Pack([multiples, shape], axis=1), [-1])
    copies = raw.Range(0, raw.Size(split), 2)
    return reshape_like(raw.Sum(raw.Reshape(dy, split), copies), x), None


def _tile_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, times in (
            ((2, 3), [2, 1]),
            ((2, 3), [1, 3]),
            ((2,), [0]),
            ((), []),
            ((0, 2), [2, 2]),
        ):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(times, np.int32))
    yield Sample(rng.normal(size=(2,)), np.array([2], np.int64))


_tile_op = OpDef(
    "Tile",
    "input: T, multiples: Tmultiples -> output: T",
    types={"Tmultiples": INDICES},
    shape=_tile_shape,
    compute=_tile,
    grad=_tile_grad,
    samples=_tile_samples,
    native=_native_tile,
)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """A tensor repeated along each of its dimensions.

    Args:
      input: a tensor `[d0, d1, ...]`.
      multiples: integer vector `[rank]`: how often, for each dimension.
      name: name of the op.

    Returns: a tensor `[d0 * multiples[0], d1 * multiples[1], ...]`.

    Raises:
      ValueError: if there is not one multiple for each dimension, or one is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tile([[1, 2]], [2, 2]).numpy())
    [[1 2 1 2]
     [1 2 1 2]]
    """
    return _tile_op(input, multiples, name=name)
