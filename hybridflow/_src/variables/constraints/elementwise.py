"""Constraints on each element alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.math.rounding import rint
from hybridflow._src.variables.constraints.base import Projection, known, number

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Box", "IntegerGrid", "NonNeg"]


@known("non_neg")
class NonNeg(Projection):
    """No element below zero.

        set      {w : w >= 0}
        problem  min |y - w|  subject to  y >= 0
        formula  y = max(w, 0)

    The exact projection. NaN stays NaN, in its place.

    Reference: Parikh, Boyd: Proximal Algorithms, Foundations and Trends in Optimization 1 (2014),
    section 6.2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.NonNeg()(hf.constant([-1.0, 0.0, 2.0])).numpy())
    [0. 0. 2.]
    """

    def _project(self, w: Tensor) -> Tensor:
        return maximum(w, 0.0)

    def row_wise(self, rank: int | None) -> bool:
        return bool(rank)


@known("box")
class Box(Projection):
    """Each element between two bounds.

        set      {w : low <= w <= high}
        problem  min |y - w|  subject to  low <= y <= high
        formula  y = max(min(w, high), low)

    The exact projection. NaN stays NaN, in its place.

    Args:
      low, high: numbers, or arrays that broadcast to the shape of w; None for no bound.

    Raises:
      ValueError: if a bound is NaN, or `low` is above `high`.

    Reference: Parikh, Boyd: Proximal Algorithms, Foundations and Trends in Optimization 1 (2014),
    section 6.2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Box(-1.0, [1.0, 2.0])(hf.constant([-3.0, 3.0])).numpy())
    [-1.  2.]
    """

    _settings = ("low", "high")

    def __init__(self, low: Any = None, high: Any = None) -> None:
        self.low = _bound("low", low)
        self.high = _bound("high", high)
        if low is not None and high is not None and np.any(np.greater(self.low, self.high)):
            raise ValueError(f"`low` must not be above `high`, got {low!r} and {high!r}.")

    def _project(self, w: Tensor) -> Tensor:
        if self.high is not None:
            w = minimum(w, self.high)
        return w if self.low is None else maximum(w, self.low)

    def row_wise(self, rank: int | None) -> bool:
        return bool(rank) and not any(_varies(bound, rank) for bound in (self.low, self.high))


def _bound(name: str, value: Any) -> Any:
    if value is None:
        return None
    array = np.asarray(value, np.float64)
    if np.isnan(array).any():
        raise ValueError(f"`{name}` must not be NaN, got {value!r}.")
    return array.tolist()


def _varies(bound: Any, rank: int | None) -> bool:
    """Whether a bound may differ from row to row."""
    dims = np.shape(bound)
    return bound is not None and len(dims) == rank and dims[0] != 1


@known("integer_grid")
class IntegerGrid(Projection):
    """Each element a whole multiple of `step`, between two bounds.

        set      {w : w = k step for whole numbers k, low <= w <= high}
        problem  min |y - w|  subject to  y in the set
        formula  y = step * max(min(rint(w / step), floor(high / step)), ceil(low / step))

    The exact projection onto a set that is not convex: of two nearest points it takes the one with
    even k. NaN stays NaN, in its place.

    Args:
      step: a positive number.
      low, high: numbers; None for no bound.

    Raises:
      ValueError: if `step` is not positive, or there is no multiple of it between the bounds.

    Reference: Conway, Sloane: Fast Quantizing and Decoding Algorithms for Lattice Quantizers and
    Codes, IEEE Transactions on Information Theory 28 (1982).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.IntegerGrid(0.5, high=2)(hf.constant([0.7, 0.8, 9.0])).numpy())
    [0.5 1.  2. ]
    """

    convex = False
    _settings = ("step", "low", "high")

    def __init__(
        self, step: float = 1.0, low: float | None = None, high: float | None = None
    ) -> None:
        self.step = number("step", step)
        self.low = None if low is None else number("low", low)
        self.high = None if high is None else number("high", high)
        if step <= 0:
            raise ValueError(f"`step` must be positive, got {step!r}.")
        self._lowest = None if low is None else float(math.ceil(_quotient(low, step)))
        self._highest = None if high is None else float(math.floor(_quotient(high, step)))
        if self._lowest is not None and self._highest is not None and self._lowest > self._highest:
            raise ValueError(f"There is no multiple of {step} from {low} to {high}.")

    def _project(self, w: Tensor) -> Tensor:
        k = rint(w / self.step)
        if self._highest is not None:
            k = minimum(k, self._highest)
        if self._lowest is not None:
            k = maximum(k, self._lowest)
        return k * self.step

    def row_wise(self, rank: int | None) -> bool:
        return bool(rank)


def _quotient(bound: float, step: float) -> float:
    """bound / step, whole if only rounding keeps it from that: 0.7 is a multiple of 0.1."""
    quotient = bound / step
    nearest = round(quotient)
    return nearest if math.isclose(quotient, nearest, rel_tol=1e-12) else quotient
