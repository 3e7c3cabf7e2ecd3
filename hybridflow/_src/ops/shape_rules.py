"""Shape rules that several ops share. A rule gets the attributes and the input tensors."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import settings
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.tensor_shape import broadcast, merge

Dims = tuple[int | None, ...] | None


def same(attrs: dict[str, Any], x: Any, *_: Any) -> Dims:
    """The shape of the first input."""
    dims: Dims = x._dims
    return dims


def merging(attrs: dict[str, Any], *inputs: Any) -> Dims:
    """The shape that all inputs have.

    Raises:
      ValueError: if their shapes differ.
    """
    dims: Dims = inputs[0]._dims
    for tensor in inputs[1:]:
        if tensor._dims != dims:
            dims = merge(dims, tensor._dims)
    return dims


def scalar(attrs: dict[str, Any], *_: Any) -> Dims:
    return ()


def broadcasting(attrs: dict[str, Any], *inputs: Any) -> Dims:
    """The shape to which all inputs broadcast."""
    dims: Dims = inputs[0]._dims
    for tensor in inputs[1:]:
        if tensor._dims != dims or dims is None or None in dims:
            dims = broadcast(dims, tensor._dims)
    return dims


def with_rank_at_least(tensor: Any, rank: int) -> Dims:
    """The dims of `tensor`, which must have at least `rank` of them; None if the rank is unknown.

    Raises:
      ValueError: if it has fewer.
    """
    dims: Dims = tensor._dims
    if dims is not None and len(dims) < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {len(dims)}")
    return dims


def with_rank_at_most(tensor: Any, rank: int) -> Dims:
    """The dims of `tensor`, which must have at most `rank` of them; None if the rank is unknown.

    Raises:
      ValueError: if it has more.
    """
    dims: Dims = tensor._dims
    if dims is not None and len(dims) > rank:
        raise ValueError(f"Shape must be at most rank {rank} but is rank {len(dims)}")
    return dims


def same_size(a: int | None, b: int | None) -> int | None:
    """What two sizes that must be equal say together.

    Raises:
      ValueError: if they differ.
    """
    if a is None or a == b:
        return b
    if b is not None:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b}")
    return a


def quotient(size: int | None, by: int, what: str) -> int | None:
    """A size divided by a number, which must leave no rest.

    Raises:
      ValueError: if it leaves one.
    """
    if size is not None and size % by:
        raise ValueError(f"{what}={size} is not divisible by {by}")
    return None if size is None else size // by


def with_rank(tensor: Any, rank: int) -> tuple[int | None, ...]:
    """The dims of `tensor`, which must have `rank` of them where it is known.

    Raises:
      ValueError: if it has another rank.
    """
    dims: Dims = tensor._dims
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)}")
    return dims


def axis_of(axis: Any, rank: int) -> int:
    """A possibly negative axis as one in [0, rank).

    Raises:
      ShapeError: if it is out of range.
    """
    axis = settings.whole(axis, "axis")
    if not -rank <= axis < rank:
        raise ShapeError(f"Invalid axis {axis}: expected one in [{-rank}, {rank}) for rank {rank}")
    return axis % rank if rank else 0
