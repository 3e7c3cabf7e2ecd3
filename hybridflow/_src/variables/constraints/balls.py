"""Balls of norms, and the simplex that bounds one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.math.elementwise import abs, maximum, sign
from hybridflow._src.ops.nn import projections as _projections  # noqa: F401 - for what it registers
from hybridflow._src.variables.constraints.axes import along
from hybridflow._src.variables.constraints.base import (
    Projection,
    axes,
    known,
    number,
    spares_rows,
)
from hybridflow._src.variables.constraints.norms import norm

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["L1Ball", "L2Ball", "RowStochastic", "Simplex"]


class _AlongAxes(Projection):
    """A constraint on the vectors along `axis`."""

    axis: Any

    def row_wise(self, rank: int | None) -> bool:
        return spares_rows(self.axis, rank)


@known("l2_ball")
class L2Ball(_AlongAxes):
    """Vectors of at most a given Euclidean norm.

        set      {w : |w| <= radius} for each vector w along `axis`
        problem  min |y - w|  subject to  |y| <= radius
        formula  y = w * radius / max(|w|, radius)

    The exact projection; inside the ball w comes back bit for bit. NaN spreads over its vector, and
    so does an infinite element. Where the sum of squares overflows, the result is zero.

    Args:
      radius: a number >= 0.
      axis: an int, a list of ints, or None for the whole tensor as one vector.

    Reference: Parikh, Boyd: Proximal Algorithms, Foundations and Trends in Optimization 1 (2014),
    section 6.2.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.L2Ball(1.0)(hf.constant([3.0, 4.0])).numpy().round(5))
    [0.6 0.8]
    """

    _settings = ("radius", "axis")

    def __init__(self, radius: float = 1.0, axis: Any = None) -> None:
        self.radius = number("radius", radius, 0)
        self.axis = axes(axis)

    def _project(self, w: Tensor) -> Tensor:
        # A ball without extent: any divisor but zero will do.
        longest = maximum(norm(w, self.axis), self.radius or 1.0)
        return w * (self.radius / longest)


@known("simplex")
class Simplex(_AlongAxes):
    """Vectors without negative elements whose sum is given; probabilities, if it is 1.

        set      {w : w >= 0, sum(w) = total} for each vector w along `axis`
        problem  min |y - w|  subject to  y >= 0, sum(y) = total
        formula  y = max(w - t, 0), with t such that sum(y) = total: for u the elements of w in
                 descending order, t = max over j of (u_1 + ... + u_j - total) / j

    The exact projection. A vector of equal elements goes to the middle. NaN spreads over its
    vector, and so does +inf. A vector of no elements is left alone.

    Args:
      total: a number >= 0.
      axis: an int, a list of ints, or None for the whole tensor as one vector.

    Reference: Held, Wolfe, Crowder: Validation of subgradient optimization, Mathematical
    Programming 6 (1974); Duchi et al.: Efficient Projections onto the l1-Ball for Learning in High
    Dimensions, ICML 2008.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Simplex()(hf.constant([1.0, 0.5, -1.0])).numpy())
    [0.75 0.25 0.  ]
    """

    _settings = ("total", "axis")

    def __init__(self, total: float = 1.0, axis: Any = None) -> None:
        self.total = number("total", total, 0)
        self.axis = axes(axis)

    def _project(self, w: Tensor) -> Tensor:
        return along(w, self.axis, lambda rows: raw.ProjectSimplex(rows, total=self.total))


@known("row_stochastic")
class RowStochastic(_AlongAxes):
    """Matrices whose rows are probabilities: each on the `Simplex` along the last axis.

        set      {w : w >= 0, sum_j w_ij = 1 for all i}
        problem  min |y - w|  subject to  y in the set
        formula  that of `Simplex(1, axis=-1)`

    The exact projection. Edges and reference as for `Simplex`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.RowStochastic()(hf.constant([[2.0, 0.0], [0.5, 0.0]])).numpy())
    [[1.   0.  ]
     [0.75 0.25]]
    """

    axis = -1

    def _project(self, w: Tensor) -> Tensor:
        return raw.ProjectSimplex(w, total=1.0)


@known("l1_ball")
class L1Ball(_AlongAxes):
    """Vectors whose absolute values have at most a given sum: sparse ones, if it is small.

        set      {w : sum(|w|) <= radius} for each vector w along `axis`
        problem  min |y - w|  subject to  sum(|y|) <= radius
        formula  y = sign(w) * p, where p is the projection of |w| onto {p >= 0, sum(p) <= radius}:
                 |w| itself if its sum is small enough, else that of `Simplex(radius)`

    The exact projection; inside the ball w comes back as it is. NaN spreads over its vector, and so
    does an infinite element.

    Args:
      radius: a number >= 0.
      axis: an int, a list of ints, or None for the whole tensor as one vector.

    Reference: Duchi et al.: Efficient Projections onto the l1-Ball for Learning in High Dimensions,
    ICML 2008.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.L1Ball(2.0)(hf.constant([3.0, -2.0, 0.5])).numpy())
    [ 1.5 -0.5  0. ]
    """

    _settings = ("radius", "axis")

    def __init__(self, radius: float = 1.0, axis: Any = None) -> None:
        self.radius = number("radius", radius, 0)
        self.axis = axes(axis)

    def _project(self, w: Tensor) -> Tensor:
        return along(w, self.axis, self._rows)

    def _rows(self, w: Tensor) -> Tensor:
        return sign(w) * raw.ProjectSimplex(abs(w), total=self.radius, solid=True)
