"""Plans that eager mode makes of itself: for what comes again and again, by a key.

A key is all that a plan depends on: ops, attributes, shapes and dtypes, and the values of small
tensors of integers (axes, sizes).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.kernels.jobs import is_deterministic

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hybridflow._src.framework.op_def import OpDef

P = TypeVar("P")

# Integers up to this many are part of a key with their values, unless they are data.
_SMALL = 16
_PLAIN = frozenset((bool, bytes, complex, int, str))
_DATA = frozenset(("indices", "labels", "partitions", "segment_ids", "seq_lengths"))


class Frequent(Generic[P]):
    """Plans by key, each made when its key has come often.

    Args:
      often: how many times a key comes before there is a plan. most: so many keys are known.

    Attributes:
      known: by key how often it has come, or its plan, or None if no plan can be made.
    """

    def __init__(self, often: int, most: int) -> None:
        self.often = often
        self._most = most
        self.known: dict[Any, int | P | None] = {}
        self._making = new_lock()

    def get(self, key: Any, make: Callable[[], P]) -> P | None:
        """The plan for a key, or None if there is none (yet).

        Args:
          make: makes the plan; what goes wrong shows when there is none.
        """
        known = self.known.get(key, 0)
        if known.__class__ is int:
            return holding(self._making, self._another, key, make)
        return known  # type: ignore[return-value]

    def _another(self, key: Any, make: Callable[[], P]) -> P | None:
        known = self.known.get(key, 0)
        if not isinstance(known, int):
            return known
        # Where each run is to give the same bits, the first one has a plan already.
        if known < self.often and not is_deterministic():
            self._make_room()
            self.known[key] = known + 1
            return None
        if not known:
            self._make_room()
        plan: P | None
        try:
            plan = make()
        except Exception:  # The ordinary way shows what is wrong.
            plan = None
        self.known[key] = plan
        return plan

    def _make_room(self) -> None:
        """Forgets some keys if there are too many: those that came seldom go first."""
        if len(self.known) >= self._most:
            seldom = [other for other, count in self.known.items() if count.__class__ is int]
            for other in seldom or list(self.known)[: self._most // 2]:
                del self.known[other]


# -- parts of keys ---------------------------------------------------------------------------------


def is_static(array: np.ndarray, op_def: OpDef, index: int) -> bool:
    """Whether the values of an op's input are part of its meaning: axes and sizes, not data."""
    if array.size > _SMALL or array.dtype.kind != "i":
        return False
    return op_def.inputs[min(index, len(op_def.inputs) - 1)].name not in _DATA


def plain(value: Any) -> Any:
    """The value of an attribute as part of a key."""
    kind = value.__class__
    if kind is dict:
        value, kind = value.values(), list
    if kind is list or kind is tuple:
        # Most often they are plain themselves, and no call tells.
        return tuple([item if item.__class__ in _PLAIN else plain(item) for item in value])
    if kind is float:
        return value, math.copysign(1.0, value)
    if kind is DType:
        return value.as_datatype_enum
    if kind is TensorShape:
        return value._dims
    # What is not known is like nothing else.
    return value if value is None or kind in _PLAIN else object()
