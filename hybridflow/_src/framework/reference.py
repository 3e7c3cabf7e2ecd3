"""References to tensors and variables, as keys of dicts and members of sets."""

from __future__ import annotations

from typing import Any


class Reference:
    """A tensor or variable by its identity: equal to another reference to the same one."""

    __slots__ = ("_referent",)

    def __init__(self, referent: Any) -> None:
        self._referent = referent

    def deref(self) -> Any:
        """The tensor or variable itself."""
        return self._referent

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return self._referent is other._referent

    def __hash__(self) -> int:
        return id(self._referent)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._referent!r}>"


class Referable:
    """What has references."""

    __slots__ = ()

    def ref(self) -> Reference:
        """A hashable reference to it, as programs use that run under TensorFlow 2 too.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default():
        ...     x = hf.constant(1.0)
        ...     names = {x.ref(): "x"}
        ...     print(names[x.ref()], x.ref().deref() is x)
        x True
        """
        return Reference(self)

    experimental_ref = ref
