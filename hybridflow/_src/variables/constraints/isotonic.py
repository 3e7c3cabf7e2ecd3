"""Vectors in order."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.nn import projections as _projections  # noqa: F401 - for what it registers
from hybridflow._src.variables.constraints.axes import along
from hybridflow._src.variables.constraints.base import Projection, known, spares_rows

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Monotone"]


@known("monotone")
class Monotone(Projection):
    """Vectors whose elements never decrease (or never increase): isotonic regression.

        set      {w : w_1 <= w_2 <= ... <= w_n} for each vector w along `axis`
        problem  min |y - w|  subject to  y_1 <= y_2 <= ... <= y_n
        formula  y_i = max over j <= i of min over k >= i of mean(w_j, ..., w_k): adjacent elements
                 that are out of order are pooled into one block with their mean, until none are

    The exact projection; a vector in order comes back bit for bit. NaN spreads over its vector.

    Args:
      axis: an int.
      decreasing: whether elements must never increase instead.

    Reference: Ayer et al.: An Empirical Distribution Function for Sampling with Incomplete
    Information, Annals of Mathematical Statistics 26 (1955).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Monotone()(hf.constant([1.0, 3.0, 2.0, 4.0])).numpy())
    [1.  2.5 2.5 4. ]
    """

    _settings = ("axis", "decreasing")

    def __init__(self, axis: int = -1, decreasing: bool = False) -> None:
        self.axis = operator.index(axis)
        self.decreasing = bool(decreasing)

    def _project(self, w: Tensor) -> Tensor:
        return along(w, self.axis, self._rows)

    def _rows(self, w: Tensor) -> Tensor:
        if self.decreasing:
            return raw.IsotonicRegression(w)[0]
        return -raw.IsotonicRegression(-w)[0]

    def row_wise(self, rank: int | None) -> bool:
        return spares_rows(self.axis, rank)
