"""Losses of linear models, as dual coordinate ascent needs them.

The primal problem is: minimise over w

    sum_i c_i * loss(w . x_i, y_i) + l2 / 2 * |w|^2 + l1 * |w|_1

Each example i has a dual variable a_i, where w = shrink(sum_i a_i * c_i * x_i / l2). A step changes
one of them, to the value that is best while all others stay (Shalev-Shwartz and Zhang, "Stochastic
Dual Coordinate Ascent Methods for Regularized Loss Minimization", 2013).
"""

from __future__ import annotations

import abc
import math

from hybridflow._src.framework.errors import InvalidArgumentError

# How many steps Newton's method takes: from 0 it converges in fewer.
_NEWTON_STEPS = 10


def _divided(number: float, by: float) -> float:
    """A step of no curvature is as long as may be; where there is nothing to gain it is none."""
    if by:
        return number / by
    return math.copysign(math.inf, number) if number else 0.0


class DualLoss(abc.ABC):
    """A loss of one example, with its conjugate.

    Attributes:
      smoothness: of its derivative, 0 where that jumps.
    """

    smoothness: float

    def label(self, given: float) -> float:
        """The label that the formulas have.

        Raises:
          InvalidArgumentError: if it is none.
        """
        if given not in (0.0, 1.0):
            raise InvalidArgumentError(
                None,
                None,
                "Only labels of 0.0 or 1.0 are supported right now. Found example with label: "
                f"{given:g}",
            )
        return 2.0 * given - 1.0

    @abc.abstractmethod
    def best_dual(self, label: float, dual: float, wx: float, curvature: float) -> float:
        """The best value of a dual variable, whose example has the prediction `wx` so far.

        Args:
          curvature: by how much `wx` grows with the dual variable.
        """

    @abc.abstractmethod
    def primal(self, wx: float, label: float) -> float:
        """The loss."""

    @abc.abstractmethod
    def derivative(self, wx: float, label: float) -> float:
        """The derivative of the loss by `wx`."""

    @abc.abstractmethod
    def dual(self, dual: float, label: float) -> float:
        """The conjugate of the loss at minus the dual variable."""


class _Squared(DualLoss):
    """(wx - y)^2 / 2."""

    smoothness = 1.0

    def label(self, given: float) -> float:
        return given

    def best_dual(self, label: float, dual: float, wx: float, curvature: float) -> float:
        return dual + (label - dual - wx) / (1.0 + curvature)

    def primal(self, wx: float, label: float) -> float:
        return 0.5 * (wx - label) ** 2

    def derivative(self, wx: float, label: float) -> float:
        return wx - label

    def dual(self, dual: float, label: float) -> float:
        return dual * (0.5 * dual - label)


class _Logistic(DualLoss):
    """log(1 + exp(-y * wx)), whose dual variable times y is in (0, 1)."""

    smoothness = 4.0

    def best_dual(self, label: float, dual: float, wx: float, curvature: float) -> float:
        # With a = y * (1 + tanh(x)) / 2 the condition for the best is
        # 2 * x + y * wx + curvature * ((1 + tanh(x)) / 2 - y * dual) = 0, monotone in x.
        x = 0.0
        for _ in range(_NEWTON_STEPS):
            tanh = math.tanh(x)
            value = 2.0 * x + label * wx + curvature * (0.5 * (1.0 + tanh) - label * dual)
            x -= value / (2.0 + 0.5 * curvature * (1.0 - tanh * tanh))
        return 0.5 * (1.0 + math.tanh(x)) * label

    def primal(self, wx: float, label: float) -> float:
        margin = label * wx
        return math.log1p(math.exp(-abs(margin))) + max(-margin, 0.0)

    def derivative(self, wx: float, label: float) -> float:
        # 1 / (1 + exp(m)) without overflow.
        return -0.5 * label * (1.0 - math.tanh(0.5 * label * wx))

    def dual(self, dual: float, label: float) -> float:
        p = dual * label
        return sum(x * math.log(x) for x in (p, 1.0 - p) if x > 0.0)


class _Hinge(DualLoss):
    """max(0, 1 - y * wx), or with `smoothness` a parabola where it bends."""

    def __init__(self, smoothness: float) -> None:
        self.smoothness = smoothness

    def best_dual(self, label: float, dual: float, wx: float, curvature: float) -> float:
        gain = label - wx - self.smoothness * dual
        best = label * (dual + _divided(gain, curvature + self.smoothness))
        return label * min(max(best, 0.0), 1.0)

    def primal(self, wx: float, label: float) -> float:
        short = 1.0 - label * wx
        if short <= 0.0:
            return 0.0
        if short >= self.smoothness:
            return short - 0.5 * self.smoothness
        return 0.5 * short * short / self.smoothness

    def derivative(self, wx: float, label: float) -> float:
        short = 1.0 - label * wx
        if short <= 0.0:
            return 0.0
        return -label if short >= self.smoothness else -label * short / self.smoothness

    def dual(self, dual: float, label: float) -> float:
        p = dual * label
        if not 0.0 <= p <= 1.0:
            return math.inf
        return 0.5 * self.smoothness * p * p - p


# By the names of the op's attribute.
LOSSES: dict[str, DualLoss] = {
    "logistic_loss": _Logistic(),
    "squared_loss": _Squared(),
    "hinge_loss": _Hinge(0.0),
    "smooth_hinge_loss": _Hinge(1.0),
}
