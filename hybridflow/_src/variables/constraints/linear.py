"""Constraints with one linear function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.math.elementwise import maximum
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.variables.constraints.axes import positive_axes
from hybridflow._src.variables.constraints.base import (
    Projection,
    axes,
    known,
    number,
    spares_rows,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Halfspace", "Hyperplane"]


class _Linear(Projection):
    """A constraint on <a, w> for each vector w along `axis`."""

    _settings = ("a", "b", "axis")

    def __init__(self, a: Any, b: float = 0.0, axis: Any = None) -> None:
        array = np.asarray(a, np.float64)
        if not np.isfinite(array).all() or not array.any():
            raise ValueError(f"`a` must be finite and not zero, got {a!r}.")
        self.a = array.tolist()
        self.b = number("b", b)
        self.axis = axes(axis)

    def row_wise(self, rank: int | None) -> bool:
        return spares_rows(self.axis, rank)

    def _normal(self, w: Tensor) -> Tensor:
        """`a` along the axes of each vector, repeated to the shape of `w`."""
        a = np.asarray(self.a)
        if self.axis is not None and a.ndim:
            along = positive_axes(w, self.axis)
            if a.ndim != len(along):
                raise ValueError(
                    f"`a` must be a number or have one dimension for each axis in {self.axis}, got "
                    f"one of shape {a.shape}."
                )
            a = a.transpose(np.argsort(along))
            a = np.expand_dims(a, tuple(i for i in range(len(w.shape)) if i not in along))
        return ones_like(w) * a.tolist()

    def _step(self, normal: Tensor, excess: Tensor) -> Tensor:
        """The shortest step that takes `excess` from <a, w>."""
        return normal * (excess / reduce_sum(normal * normal, self.axis, keepdims=True))

    def _excess(self, normal: Tensor, w: Tensor) -> Tensor:
        return reduce_sum(normal * w, self.axis, keepdims=True) - self.b


@known("hyperplane")
class Hyperplane(_Linear):
    """Vectors with a given value of a linear function.

        set      {w : <a, w> = b} for each vector w along `axis`
        problem  min |y - w|  subject to  <a, y> = b
        formula  y = w - a * (<a, w> - b) / <a, a>

    The exact projection. `Hyperplane(1.0, 0.0)` gives vectors of mean zero. NaN spreads over its
    vector, and so does an infinite element.

    Args:
      a: a number, or an array: with axis=None one that broadcasts to the shape of w, else one whose
        dimensions lie along `axis`.
      b: a number.
      axis: an int, a list of ints, or None for the whole tensor as one vector.

    Raises:
      ValueError: if `a` is zero or not finite, or (when called) does not fit.

    Reference: Parikh, Boyd: Proximal Algorithms, Foundations and Trends in Optimization 1 (2014),
    section 6.2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Hyperplane([1.0, 1.0], 2.0)(hf.constant([3.0, 1.0])).numpy())
    [2. 0.]
    """

    def _project(self, w: Tensor) -> Tensor:
        normal = self._normal(w)
        return w - self._step(normal, self._excess(normal, w))


@known("halfspace")
class Halfspace(_Linear):
    """Vectors for which a linear function is not above a given value.

        set      {w : <a, w> <= b} for each vector w along `axis`
        problem  min |y - w|  subject to  <a, y> <= b
        formula  y = w - a * max(<a, w> - b, 0) / <a, a>

    The exact projection; inside the half-space w comes back bit for bit. Arguments, edges and
    reference as for `Hyperplane`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     half = hf.constraints.Halfspace([1.0, 1.0], 2.0)
    ...     print(half(hf.constant([3.0, 1.0])).numpy(), half(hf.constant([1.0, 0.5])).numpy())
    [2. 0.] [1.  0.5]
    """

    def _project(self, w: Tensor) -> Tensor:
        normal = self._normal(w)
        return w - self._step(normal, maximum(self._excess(normal, w), 0.0))
