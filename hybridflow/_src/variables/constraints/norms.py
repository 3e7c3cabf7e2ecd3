"""Keras' constraints on the norms of vectors.

They divide by the norm plus a small epsilon, so a zero vector stays zero. For the same reason they
are not exact projections: results are shorter by a relative 1e-7 / norm, also where nothing had to
change. The exact counterpart of `MaxNorm` is `L2Ball`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.math.exponential import sqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.variables.constraints.base import (
    Projection,
    axes,
    known,
    number,
    spares_rows,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["MaxNorm", "MinMaxNorm", "UnitNorm"]

# That of Keras.
_EPSILON = 1e-7


def norm(w: Tensor, axis: Any) -> Tensor:
    """The Euclidean norms of the vectors along `axis`, which is kept with size 1."""
    return sqrt(reduce_sum(w * w, axis, keepdims=True))


class _OfNorms(Projection):
    """A constraint on the norms of the vectors along `axis`."""

    exact = False
    axis: Any

    def row_wise(self, rank: int | None) -> bool:
        return spares_rows(self.axis, rank)


@known("max_norm")
class MaxNorm(_OfNorms):
    """Vectors of at most a given Euclidean norm, as in Keras.

        set      {w : |w| <= max_value} for each vector w along `axis`
        problem  min |y - w|  subject to  |y| <= max_value, up to the epsilon
        formula  y = w * min(|w|, max_value) / (|w| + 1e-7)

    Not the exact projection, which `L2Ball` is: every vector is a little too short. A zero vector
    stays zero; NaN spreads over its vector.

    Args:
      max_value: the largest norm allowed, a number >= 0.
      axis: an int, a list of ints or None for all: the axes along which norms are taken. For a
        weight `[inputs, units]` axis 0 means the weights into each unit; for a convolution kernel
        `[height, width, inputs, outputs]` the same is [0, 1, 2].

    Reference: Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting,
    JMLR 15 (2014).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     w = hf.constant([[3.0, 0.3], [4.0, 0.4]])
    ...     print(hf.constraints.MaxNorm(1)(w).numpy().round(5))
    [[0.6 0.3]
     [0.8 0.4]]
    """

    _settings = ("max_value", "axis")

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = number("max_value", max_value, 0)
        self.axis = axes(axis)

    def _project(self, w: Tensor) -> Tensor:
        norms = norm(w, self.axis)
        return w * (minimum(norms, self.max_value) / (norms + _EPSILON))


@known("unit_norm")
class UnitNorm(_OfNorms):
    """Vectors of Euclidean norm one, as in Keras.

        set      {w : |w| = 1} for each vector w along `axis`
        problem  min |y - w|  subject to  |y| = 1, up to the epsilon
        formula  y = w / (|w| + 1e-7)

    Not the exact projection: every vector is a little too short, and a zero vector, to which all
    unit vectors are equally near, stays zero. The set is not convex. NaN spreads over its vector.

    Args:
      axis: as for `MaxNorm`.

    Reference: Keras 2, `keras.constraints.UnitNorm`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.UnitNorm()(hf.constant([3.0, 4.0])).numpy().round(5))
    [0.6 0.8]
    """

    convex = False
    _settings = ("axis",)

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axes(axis)

    def _project(self, w: Tensor) -> Tensor:
        return w / (norm(w, self.axis) + _EPSILON)


@known("min_max_norm")
class MinMaxNorm(_OfNorms):
    """Vectors whose Euclidean norms are between two bounds, reached at a given rate, as in Keras.

        set      {w : min_value <= |w| <= max_value} for each vector w along `axis`
        problem  min |y - w|  subject to  min_value <= |y| <= max_value, up to the epsilon
        formula  y = w * (rate * min(max(|w|, min_value), max_value) + (1 - rate) * |w|)
                       / (|w| + 1e-7)

    Not the exact projection: every vector is a little too short, a zero vector stays zero, and with
    a rate below 1 each call goes only that part of the way. The set is not convex unless
    `min_value` is 0. NaN spreads over its vector.

    Args:
      min_value, max_value: the bounds, numbers >= 0.
      rate: how much of the way to go, a number from 0 to 1.
      axis: as for `MaxNorm`.

    Raises:
      ValueError: for other values of these.

    Reference: Keras 2, `keras.constraints.MinMaxNorm`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.MinMaxNorm(0.5, 1.0, 0.5)(hf.constant([3.0])).numpy().round(5))
    [2.]
    """

    convex = False
    _settings = ("min_value", "max_value", "rate", "axis")

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = number("min_value", min_value, 0)
        self.max_value = number("max_value", max_value, 0)
        self.rate = number("rate", rate, 0)
        self.axis = axes(axis)
        if min_value > max_value:
            raise ValueError(
                f"`min_value` must not be above `max_value`, got {min_value!r} and {max_value!r}."
            )
        if rate > 1:
            raise ValueError(f"`rate` must not be above 1, got {rate!r}.")

    def _project(self, w: Tensor) -> Tensor:
        norms = norm(w, self.axis)
        clipped = minimum(maximum(norms, self.min_value), self.max_value)
        wanted = self.rate * clipped + (1.0 - self.rate) * norms
        return w * (wanted / (norms + _EPSILON))
