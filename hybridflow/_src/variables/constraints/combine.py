"""Constraints made of others."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ops.arrays.constant import zeros_like
from hybridflow._src.ops.control_flow.loops import while_loop
from hybridflow._src.ops.math.comparison import greater, less, logical_and
from hybridflow._src.ops.math.elementwise import abs, maximum
from hybridflow._src.ops.math.reductions import reduce_max
from hybridflow._src.variables.constraints.base import Constraint, Projection, known, number
from hybridflow._src.variables.constraints.serialization import deserialize, serialize

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Chain", "Intersection"]

_NOT_FOR_DYKSTRA = (
    "Intersection finds the nearest point of convex sets from exact projections onto each of them, "
    "which {constraint!r} is not. Use an exact counterpart (L2Ball for MaxNorm), or Chain to apply "
    "constraints one after the other."
)


class _Combination(Projection):
    """A constraint made of others."""

    def __init__(self, *constraints: Any) -> None:
        if not constraints:
            raise ValueError(f"{type(self).__name__} needs at least one constraint.")
        for constraint in constraints:
            if not callable(constraint):
                raise TypeError(f"A constraint must be callable, got {constraint!r}.")
        self.constraints = list(constraints)

    def get_config(self) -> dict[str, Any]:
        return {"constraints": [serialize(c) for c in self.constraints]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        return cls._restored(config, None)

    @classmethod
    def _restored(cls, config: dict[str, Any], custom_objects: Any) -> Constraint:
        settings = dict(config)
        parts = [deserialize(c, custom_objects) for c in settings.pop("constraints")]
        return cls(*parts, **settings)

    def _identity(self) -> Any:
        # Functions may share a name.
        return tuple(self.constraints)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.constraints))})"

    def row_wise(self, rank: int | None) -> bool:
        return all(isinstance(c, Constraint) and c.row_wise(rank) for c in self.constraints)


@known("chain")
class Chain(_Combination):
    """Several constraints, one after the other.

        formula  y = p_n(... p_2(p_1(w)))

    Not a projection onto the sets' intersection, which `Intersection` is: the result satisfies the
    last constraint, and the others only where later ones leave what they made. (`NonNeg` and then
    `L2Ball` is such a case: shrinking keeps signs.)

    Args:
      *constraints: constraints or other callables.

    Raises:
      ValueError: if there are none. TypeError: if one is not callable.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     both = hf.constraints.Chain(hf.constraints.NonNeg(), hf.constraints.L2Ball(1.0))
    ...     print(both(hf.constant([3.0, 4.0, -9.0])).numpy().round(5))
    [0.6 0.8 0. ]
    """

    convex = False
    exact = False

    def _project(self, w: Tensor) -> Tensor:
        for constraint in self.constraints:
            w = constraint(w)
        return w


@known("intersection")
class Intersection(_Combination):
    """All of several constraints with convex sets: the nearest point that satisfies every one.

        set      C_1 and ... and C_n
        problem  min |y - w|  subject to  y in every C_i
        formula  Dykstra's algorithm: from y = w and corrections q_i = 0, for i = 1 ... n in turns,
                 z = y + q_i;  y = p_i(z);  q_i = z - y

    It stops when no correction changes by more than tolerance * (1 + max |w|) in a turn, so the
    result is exact up to about that; the last constraint holds exactly. The number of turns grows
    with the distance of w: it is small after a step of an optimizer, but can reach `max_iterations`
    from afar, or if the sets have no point in common. Then the result is in the last set alone. NaN
    flows as through each.

    Args:
      *constraints: exact projections onto convex sets: those of this library that are, or other
        callables, for which the caller vouches.
      max_iterations: the largest number of turns.
      tolerance: a number >= 0; by default 4 units of rounding of the dtype.

    Raises:
      ValueError: if there are none, or one is known not to be such a projection. TypeError: if one
        is not callable.

    Reference: Boyle, Dykstra: A method for finding projections onto the intersection of convex sets
    in Hilbert spaces, Lecture Notes in Statistics 37 (1986); the rule for stopping: Birgin, Raydan:
    Robust stopping criteria for Dykstra's algorithm, SIAM J. Sci. Comput. 26 (2005).

    >>> import hybridflow as hf
    >>> from hybridflow.constraints import Halfspace, Intersection, NonNeg
    >>> with hf.eager_mode():
    ...     both = Intersection(NonNeg(), Halfspace([1.0, 1.0], 1.0))
    ...     print(both(hf.constant([3.0, -2.0])).numpy().round(5) + 0)
    [1. 0.]
    """

    def __init__(
        self, *constraints: Any, max_iterations: int = 1000, tolerance: float | None = None
    ) -> None:
        super().__init__(*constraints)
        for constraint in constraints:
            if isinstance(constraint, Projection) and not (constraint.convex and constraint.exact):
                raise ValueError(_NOT_FOR_DYKSTRA.format(constraint=constraint))
        self.max_iterations = operator.index(max_iterations)
        self.tolerance = None if tolerance is None else number("tolerance", tolerance, 0)

    def get_config(self) -> dict[str, Any]:
        settings = {"max_iterations": self.max_iterations, "tolerance": self.tolerance}
        return {**super().get_config(), **settings}

    def _identity(self) -> Any:
        return (*self.constraints, self.max_iterations, self.tolerance)

    def _project(self, w: Tensor) -> Tensor:
        dtype = w.dtype.base_dtype.np
        tolerance = 4 * float(np.finfo(dtype).eps) if self.tolerance is None else self.tolerance
        enough = tolerance * (1.0 + reduce_max(abs(w)))

        def goes_on(turn: Tensor, moved: Tensor, *_: Tensor) -> Tensor:
            return logical_and(less(turn, self.max_iterations), greater(moved, enough))

        def turn_of_all(turn: Tensor, _: Tensor, y: Tensor, *corrections: Tensor) -> list[Any]:
            moved = zeros_like(enough)
            changed = []
            for constraint, correction in zip(self.constraints, corrections, strict=True):
                z = y + correction
                y = constraint(z)
                changed.append(z - y)
                moved = maximum(moved, reduce_max(abs(changed[-1] - correction)))
            return [turn + 1, moved, y, *changed]

        corrections = [zeros_like(w) for _ in self.constraints]
        start = [0, dtype.type(np.inf), w, *corrections]
        return while_loop(goes_on, turn_of_all, start)[2]
