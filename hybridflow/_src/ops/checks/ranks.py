"""Assertions of a tensor's rank: `assert_rank` and its kin, `assert_scalar`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.shape_ops import rank as rank_of
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.checks.types import assert_type
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.control_flow.ordering import no_op, with_dependencies
from hybridflow._src.ops.math.comparison import equal, greater_equal, logical_or

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["assert_rank", "assert_rank_at_least", "assert_rank_in", "assert_scalar"]


def _check(
    x: Tensor,
    ranks: Sequence[Tensor],
    wanted: str,
    holds: Callable[[int, list[int]], bool],
    condition: Callable[[Tensor, Sequence[Tensor]], Tensor],
    data: Any,
    summarize: int | None,
    message: str | None,
) -> Any:
    """Asserts that the rank of `x` fulfils a condition, at once where all is known.

    Args:
      wanted: the condition in words.
      holds: the condition on known ranks.
      condition: the condition as a tensor.
    """
    for rank in ranks:
        assert_type(rank, dtypes.int32)
    known = [constant_value(rank) for rank in ranks]
    if any(value is not None and value.ndim for value in known):
        raise ValueError("Rank must be a scalar.")
    found = x.shape.ndims
    values = [int(value) for value in known if value is not None]
    name = "" if context.modes.top.eager else x.name
    if found is not None and len(values) == len(ranks):
        if not holds(found, values):
            shown = tuple(values) if wanted.endswith("in") else values[0]
            raise ValueError(
                f"{message or ''}.  Tensor {name} must have {wanted} {shown}.  Received rank "
                f"{found}, shape {x.shape}"
            )
        return no_op(name="static_checks_determined_all_ok")
    if data is None:
        data = [message or "", f"Tensor {name} must have {wanted}", *ranks]
        data += ["Received shape: ", shape(x)]
    fulfilled = condition(rank_of(x), ranks)
    for rank, value in zip(ranks, known, strict=True):
        if value is None:  # assert_rank(x, [n]) in place of assert_rank(x, n)
            text = ["Rank must be a scalar. Received rank: ", rank]
            fulfilled = with_dependencies([assert_rank(rank, 0, data=text)], fulfilled)
    return Assert(fulfilled, data, summarize=summarize)


def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x` has a certain rank.

    Args:
      x: tensor.
      rank: scalar int32 tensor, or a number.
      data: tensors to show if it fails; the ranks and the shape of `x` by default.
      summarize: how many elements of each to show (3 by default).
      message: text to put before the usual one.
      name: name of the name scope.

    Returns: an operation, one that does nothing where the ranks are known; None in eager mode.

    Raises:
      ValueError: if it is known that `x` has another rank, or `rank` is no scalar. TypeError: if
        `rank` is not of dtype int32. InvalidArgumentError: when the operation runs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_rank(hf.zeros([2]), 2)
    Traceback (most recent call last):
    ValueError: .  Tensor  must have rank 2.  Received rank 1, shape (2,)
    """
    with name_scope(name, "assert_rank", (x, rank, *(data or ()))):
        x = convert_to_tensor(x, name="x")
        ranks = [convert_to_tensor(rank, name="rank")]
        return _check(
            x,
            ranks,
            "rank",
            lambda found, wanted: found == wanted[0],
            lambda found, wanted: equal(found, wanted[0]),
            data,
            summarize,
            message,
        )


def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x` has a certain rank or a higher one; arguments as for `assert_rank`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_rank_at_least(hf.zeros([2, 3]), 1)
    """
    with name_scope(name, "assert_rank_at_least", (x, rank, *(data or ()))):
        x = convert_to_tensor(x, name="x")
        ranks = [convert_to_tensor(rank, name="rank")]
        return _check(
            x,
            ranks,
            "rank at least",
            lambda found, wanted: found >= wanted[0],
            lambda found, wanted: greater_equal(found, wanted[0]),
            data,
            summarize,
            message,
        )


def _any_equal(found: Tensor, wanted: Sequence[Tensor]) -> Tensor:
    if not wanted:
        return convert_to_tensor(False)
    result = equal(wanted[0], found)
    for rank in wanted[1:]:
        result = logical_or(result, equal(rank, found))
    return result


def assert_rank_in(
    x: Any,
    ranks: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x` has one of several ranks; arguments otherwise as for `assert_rank`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_rank_in(hf.zeros([2, 3]), (2, 4))
    """
    with name_scope(name, "assert_rank_in", (x, *ranks, *(data or ()))):
        x = convert_to_tensor(x, name="x")
        ranks = [convert_to_tensor(rank, name="rank") for rank in ranks]
        return _check(
            x,
            ranks,
            "rank in",
            lambda found, wanted: found in wanted,
            _any_equal,
            data,
            summarize,
            message,
        )


def assert_scalar(tensor: Any, name: str | None = None) -> Tensor:
    """Asserts that a tensor is known to be a scalar, and gives it.

    Raises:
      ValueError: if its shape is another, or is unknown.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     int(hf.assert_scalar(3))
    3
    """
    with name_scope(name, "assert_scalar", [tensor]) as scope:
        found = convert_to_tensor(tensor, name=scope)
        if found.shape.ndims != 0:
            whose = "" if context.modes.top.eager else f" for {found.name}"
            raise ValueError(f"Expected scalar shape{whose}, saw shape: {found.shape}.")
        return found
