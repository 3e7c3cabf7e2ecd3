"""Attributes replaced for the time of a test."""

from __future__ import annotations

import inspect
from typing import Any
from unittest import mock

__all__ = ["StubOutForTesting", "mock"]


class StubOutForTesting:
    """Replaces attributes of modules, classes and objects, and puts them back.

    >>> import math
    >>> import hybridflow as hf
    >>> stubs = hf.test.StubOutForTesting()
    >>> stubs.Set(math, "sqrt", lambda x: "stub")
    >>> math.sqrt(4.0)
    'stub'
    >>> stubs.UnsetAll()
    >>> math.sqrt(4.0)
    2.0
    """

    def __init__(self) -> None:
        # What to set again: owner, name, old value, and whether the owner itself had it.
        self._set: list[tuple[Any, str, Any, bool]] = []
        self._smart: list[tuple[Any, str, Any, bool]] = []

    def __enter__(self) -> StubOutForTesting:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.CleanUp()

    def CleanUp(self) -> None:
        """Puts everything back."""
        self.SmartUnsetAll()
        self.UnsetAll()

    def Set(self, parent: Any, child_name: str, new_child: Any) -> None:
        """Replaces the attribute `child_name` of `parent`, which must be there.

        Raises:
          AttributeError: if there is no such attribute.
        """
        old = inspect.getattr_static(parent, child_name)
        self._set.append((parent, child_name, old, child_name in vars(parent)))
        setattr(parent, child_name, new_child)

    def UnsetAll(self) -> None:
        """Puts back what `Set` replaced, the last first."""
        _put_back(self._set)

    def SmartSet(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        """Replaces an attribute where it is defined: in the object, or in the class it comes from.

        Raises:
          AttributeError: if there is no such attribute.
        """
        owners = [obj, *(type(obj).__mro__ if not inspect.isclass(obj) else obj.__mro__)]
        for owner in owners:
            if attr_name in getattr(owner, "__dict__", {}):
                self._smart.append((owner, attr_name, vars(owner)[attr_name], True))
                setattr(owner, attr_name, new_attr)
                return
        raise AttributeError(f"{obj!r} has no attribute {attr_name!r}.")

    def SmartUnsetAll(self) -> None:
        """Puts back what `SmartSet` replaced, the last first."""
        _put_back(self._smart)


def _put_back(replaced: list[tuple[Any, str, Any, bool]]) -> None:
    while replaced:
        owner, name, old, own = replaced.pop()
        if own:
            setattr(owner, name, old)
        else:
            delattr(owner, name)
