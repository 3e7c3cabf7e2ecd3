"""Quotients of floats rounded down, and what is left: as NumPy computes them, bit by bit."""

from __future__ import annotations

from hybridflow._src.kernels.scalar import Scalar, copysign, floor, fmod, select


def remainder(x: Scalar, y: Scalar) -> Scalar:
    """What is left of `x` by whole multiples of `y`: exact, with the sign of `y`."""
    left = fmod(x, y)
    is_beyond = (left < 0.0) ^ (y < 0.0)
    return select(left == 0.0, copysign(left, y), select(is_beyond, left + y, left))


def floor_divide(x: Scalar, y: Scalar) -> Scalar:
    """The largest whole number of `y` in `x`; the quotient itself where `y` is zero."""
    left = fmod(x, y)
    quotient = (x - left) / y
    below = (left != 0.0) & ((left < 0.0) ^ (y < 0.0))
    quotient = select(below, quotient - 1.0, quotient)
    whole = floor(quotient)
    whole = select(quotient - whole > 0.5, whole + 1.0, whole)
    whole = select(quotient == 0.0, copysign(quotient, x / y), whole)
    return select(y == 0.0, x / y, whole)
