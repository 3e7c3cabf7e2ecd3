"""What an object that only holds settings is shown as: the call that makes one like it."""

from __future__ import annotations

import inspect
import re
from typing import Any, ClassVar

_MISSING = object()
# What the library is called where tensors, operations and variables are shown.
library = "hf"


def named(function: Any, call: str) -> Any:
    """A function that another one made, which is shown as the call that made it."""
    function.__qualname__ = call
    return function


class Described:
    """Gives a class whose objects keep their constructor's arguments a `repr` that shows them.

    An argument `x` is looked for in the attributes `x` and `_x`; those at their defaults are left
    out. Subclasses, a user's own among them, need nothing.

    Attributes:
      _kept_as: for an argument that is kept under another name, that name.
    """

    _kept_as: ClassVar[dict[str, str]] = {}

    def __repr__(self) -> str:
        settings = []
        for parameter in inspect.signature(type(self)).parameters.values():
            value = self._setting(parameter.name)
            if value is not _MISSING and not _same(value, parameter.default):
                settings.append(f"{parameter.name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(settings)})"

    def _setting(self, parameter: str) -> Any:
        for name in (self._kept_as.get(parameter), parameter, f"_{parameter}"):
            if name is not None and name in vars(self):
                return vars(self)[name]
        return _MISSING


def _same(value: Any, default: Any) -> bool:
    try:
        return value is default or bool(value == default)
    except (TypeError, ValueError):  # arrays, say, of which some elements are equal
        return False


def _short(value: Any) -> str:
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 100 else f"{text[:97]}..."
