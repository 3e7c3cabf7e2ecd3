"""Checks of arguments that are no tensors: strings and whole numbers."""

from __future__ import annotations

from typing import Any

_LARGEST = 2**63 - 1


def string(value: Any, what: str) -> str:
    """The argument, which must be a string.

    Raises:
      TypeError: if it is not; `what` names it.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{what}` must be a string, got {value!r:.80} of type {type(value)}.")
    return value


def whole(value: Any, what: str) -> int:
    """The argument as a Python int, which must be a whole number that 64 bits hold.

    Raises:
      TypeError: if it is no number; `what` names it.
      ValueError: if it is another number.
    """
    try:
        number = int(value)
        if number == value and -_LARGEST - 1 <= number <= _LARGEST:
            return number
    except TypeError:
        raise TypeError(f"`{what}` must be a whole number, got {value!r:.80}.") from None
    except (OverflowError, ValueError):
        pass  # infinite, NaN, or no number at all
    raise ValueError(f"`{what}` must be a whole number of at most 64 bits, got {value!r:.80}.")
