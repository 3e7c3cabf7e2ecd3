"""Arguments that TensorFlow has renamed since 1.4: the newer name is taken beside the older one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


def spelled(**older: str) -> Callable[[Callable[_Args, _Result]], Callable[_Args, _Result]]:
    """A decorator of a function whose arguments have names in TensorFlow 1.15 that 1.4 lacks.

    Args:
      older: for each newer name the one that the function has.

    Raises:
      ValueError: by the function, where an argument is given by both names.

    >>> @spelled(filters="filter")
    ... def convolved(value, filter):
    ...     return value, filter
    >>> convolved(1, filters=2)
    (1, 2)
    """

    def decorate(function: Callable[_Args, _Result]) -> Callable[_Args, _Result]:
        @functools.wraps(function)
        def called(*args: _Args.args, **kwargs: _Args.kwargs) -> _Result:
            if kwargs:
                _respell(kwargs, older)
            return function(*args, **kwargs)

        return called

    return decorate


def _respell(kwargs: dict[str, Any], older: dict[str, str]) -> None:
    for newer in older.keys() & kwargs.keys():
        value = kwargs.pop(newer)
        if value is None:
            continue
        if kwargs.get(older[newer]) is not None:
            raise ValueError(f"Cannot specify both '{newer}' and '{older[newer]}'.")
        kwargs[older[newer]] = value
