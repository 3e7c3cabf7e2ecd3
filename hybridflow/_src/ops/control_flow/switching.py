"""One of several functions by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.control_flow.conditional import case

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["switch_case"]


def switch_case(
    branch_index: Any,
    branch_fns: Any,
    default: Callable[[], Any] | None = None,
    name: str = "switch_case",
) -> Any:
    """What the function gives that has a number. Of TensorFlow 1.15.

    Args:
      branch_index: an int32 scalar.
      branch_fns: functions without arguments: a list, whose numbers are their places, or a dict or
        a list of pairs `(number, function)`.
      default: the function for all other numbers; by default that of the largest number.
      name: scope of the ops.

    Raises:
      TypeError: if a function is none, or a number no int. ValueError: if there is no function, or
        a number has two.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.switch_case(hf.constant(1), [lambda: 10, lambda: 20])))
    20
    """
    pairs: list[tuple[Any, Any]] = _pairs(branch_fns)
    numbers = [number for number, _ in pairs]
    if not pairs:
        raise ValueError("switch_case: expected at least one function, got none.")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"switch_case: expected a function for each number, got {numbers}.")
    others = [] if default is None else [(0, default)]
    for number, function in [*pairs, *others]:
        if not isinstance(number, int) or not callable(function):
            raise TypeError(
                f"switch_case: expected an int and a function, got {number!r} and {function!r}."
            )
    with name_scope(name, "switch_case", [branch_index]):
        index = convert_to_tensor(branch_index, name="branch_index")
        chosen = [(raw.Equal(index, number), function) for number, function in pairs]
        last = max(pairs, key=lambda pair: pair[0])[1]
        return case(chosen, last if default is None else default, name="case")


def _pairs(branch_fns: Any) -> list[tuple[Any, Any]]:
    if isinstance(branch_fns, dict):
        return sorted(branch_fns.items())
    if not isinstance(branch_fns, list | tuple):
        raise TypeError(
            f"branch_fns: expected a list, tuple or dict, got {type(branch_fns).__name__}."
        )
    if all(callable(item) for item in branch_fns):
        return list(enumerate(branch_fns))
    return [tuple(item) for item in branch_fns]
