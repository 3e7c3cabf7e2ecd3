"""What constraints have in common: calling, settings, comparison."""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Constraint"]

_NOT_FLOATING = (
    "{constraint!r} projects tensors of a floating dtype, got {tensor!r}. Convert it with "
    "`hf.cast`."
)

# The classes that a name or a configuration can stand for.
KNOWN: dict[str, type[Constraint]] = {}

_Class = TypeVar("_Class", bound="type[Constraint]")


def known(alias: str) -> Callable[[_Class], _Class]:
    """A decorator: makes a class known under its own name and under `alias`."""

    def add(cls: _Class) -> _Class:
        KNOWN[cls.__name__] = KNOWN[alias] = cls
        return cls

    return add


class Constraint(Described):
    """Base of all constraints: a callable from a weight to its projection.

    Subclasses define `__call__(w)`, which gives a tensor of the shape and dtype of `w` (as in Keras
    this one gives `w` itself), and `get_config()` if they have settings. Any other callable may be
    a `constraint` as well.

    >>> import hybridflow as hf
    >>> class Doubled(hf.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return w * 2.0
    >>> with hf.eager_mode():
    ...     print(Doubled()(hf.constant([1.0, -1.0])).numpy())
    [ 2. -2.]
    """

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        """The settings, as the constructor takes them."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint with these settings."""
        return cls(**config)

    @classmethod
    def _restored(cls, config: dict[str, Any], custom_objects: Any) -> Constraint:
        """`from_config` for a constraint in whose settings others may be named."""
        return cls.from_config(config)

    def row_wise(self, rank: int | None) -> bool:
        """Whether each `w[i]` of a tensor of this rank is projected without regard to the others.

        After a sparse update it is then enough to project the rows that changed.
        """
        return False


class Projection(Constraint):
    """A constraint of this library: checked, compared and shown by its settings.

    Attributes:
      convex: whether the set is convex.
      exact: whether the result is the nearest point of the set (in the Euclidean norm), up to
        rounding.
    """

    convex = True
    exact = True
    _settings: tuple[str, ...] = ()

    def __call__(self, w: Any) -> Tensor:
        tensor = convert_to_tensor(w, name="w")
        dtype = tensor.dtype.base_dtype
        if not dtype.is_floating:
            raise TypeError(_NOT_FLOATING.format(constraint=self, tensor=tensor))
        with name_scope(None, "constraint", [tensor]):
            if dtype is dtypes.float16:
                # Sums of squares leave the range of float16 soon.
                projected = cast(self._project(cast(tensor, dtypes.float32)), dtype)
            else:
                projected = self._project(tensor)
        projected.set_shape(tensor.shape)
        return projected

    def _project(self, w: Tensor) -> Tensor:
        """The projection of a float32 or float64 tensor."""
        raise NotImplementedError(f"{type(self).__name__} must define _project.")

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._settings}

    def _identity(self) -> Any:
        return _frozen(self.get_config())

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash((type(self), self._identity()))

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({settings})"


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


# -- settings --------------------------------------------------------------------------------------


def number(name: str, value: Any, at_least: float = -math.inf) -> Any:
    """A setting that must be a finite number, not below `at_least`.

    Raises:
      ValueError: if it is not.
    """
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    largest = sys.float_info.max
    if not isinstance(value, (int, float)) or not -largest <= value <= largest or value < at_least:
        bound = "" if at_least == -math.inf else f" >= {at_least:g}"
        raise ValueError(f"`{name}` must be a finite number{bound}, got {value!r}.")
    return value


def axes(value: Any) -> Any:
    """A setting that names axes: an int, a list of ints, or None for all.

    Raises:
      TypeError: if it is anything else.
    """
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [operator.index(axis) for axis in value]
    return operator.index(value)


def spares_rows(axis: Any, rank: int | None) -> bool:
    """Whether axis 0 of a tensor of this rank is surely not among `axis`."""
    if axis is None or rank is None:
        return False
    return rank > 0 and all(a % rank for a in (axis if isinstance(axis, list) else [axis]))
