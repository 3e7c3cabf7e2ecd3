"""`tensorflow.compat.v2.debugging`: checks with the arguments that they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.checks import comparing
from hybridflow._src.ops.checks import ranks as rank_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
]


def _named(checked: Any, check: Callable[..., Any]) -> Any:
    checked.__name__ = checked.__qualname__ = check.__name__
    checked.__doc__ = f"`tf.compat.v1.{check.__name__}`, without `data`."
    return checked


def _of_two(check: Callable[..., Any]) -> Callable[..., Any]:
    def checked(
        x: Any,
        y: Any,
        message: str | None = None,
        summarize: int | None = None,
        name: str | None = None,
    ) -> Any:
        return check(x, y, None, summarize, message, name)

    return _named(checked, check)


def _of_one(check: Callable[..., Any]) -> Callable[..., Any]:
    def checked(
        x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
    ) -> Any:
        return check(x, None, summarize, message, name)

    return _named(checked, check)


assert_equal = _of_two(comparing.assert_equal)
assert_greater = _of_two(comparing.assert_greater)
assert_greater_equal = _of_two(comparing.assert_greater_equal)
assert_less = _of_two(comparing.assert_less)
assert_less_equal = _of_two(comparing.assert_less_equal)
assert_none_equal = _of_two(comparing.assert_none_equal)
assert_negative = _of_one(comparing.assert_negative)
assert_non_negative = _of_one(comparing.assert_non_negative)
assert_non_positive = _of_one(comparing.assert_non_positive)
assert_positive = _of_one(comparing.assert_positive)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> Any:
    """Checks that a tensor has a rank."""
    return rank_checks.assert_rank(x, rank, message=message, name=name)


def assert_rank_at_least(
    x: Any, rank: Any, message: str | None = None, name: str | None = None
) -> Any:
    """Checks that a tensor has at least a rank."""
    return rank_checks.assert_rank_at_least(x, rank, message=message, name=name)


def assert_rank_in(
    x: Any, ranks: Sequence[Any], message: str | None = None, name: str | None = None
) -> Any:
    """Checks that a tensor has one of some ranks."""
    return rank_checks.assert_rank_in(x, ranks, message=message, name=name)
