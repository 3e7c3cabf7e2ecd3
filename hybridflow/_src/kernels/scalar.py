"""The scalar operations that kernels are written with beyond Python's operators.

Each is a plain function on NumPy scalars and, elementwise, on arrays: its *meaning*. A compiler
gives the same operation for values of its own: a value that derives from `Traced` is asked to apply
the primitive itself, so that a function made of primitives and operators can be run on numbers and
on symbols of a program alike. Types are those of NumPy 2: a Python number takes the type of the
other operand, and int32 stays int32.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

Scalar: TypeAlias = Any  # a NumPy scalar, an array, or a traced value
Meaning: TypeAlias = Callable[..., Any]


class Traced:
    """What stands for a value while a function is compiled."""

    __slots__ = ()
    __array_ufunc__ = None  # an operator with a NumPy number on its left is ours

    def apply(self, primitive: Meaning, arguments: tuple[Any, ...]) -> Any:
        """The traced result of `primitive`, of whose `arguments` this value is one."""
        raise NotImplementedError


def _primitive(meaning: Meaning) -> Meaning:
    @functools.wraps(meaning)
    def primitive(*arguments: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, Traced):
                return argument.apply(primitive, arguments)
        return meaning(*arguments)

    return primitive


# -- types -----------------------------------------------------------------------------------------


@_primitive
def f32(x: Scalar) -> Scalar:
    """`x` as float32."""
    return np.asarray(x).astype(np.float32)[()]


@_primitive
def f64(x: Scalar) -> Scalar:
    """`x` as float64."""
    return np.asarray(x).astype(np.float64)[()]


@_primitive
def i32(x: Scalar) -> Scalar:
    """`x` as int32, rounded towards zero; undefined where it does not fit."""
    return np.asarray(x).astype(np.int32)[()]


@_primitive
def i64(x: Scalar) -> Scalar:
    """`x` as int64, rounded towards zero; undefined where it does not fit."""
    return np.asarray(x).astype(np.int64)[()]


def _reinterpreted(x: Any, old: Any, new: Any) -> Any:
    return np.asarray(x, old).view(new)[()]


@_primitive
def bits32(x: Scalar) -> Scalar:
    """The bits of a float32 as an int32."""
    return _reinterpreted(x, np.float32, np.int32)


@_primitive
def from_bits32(x: Scalar) -> Scalar:
    """The float32 with the bits of an int32."""
    return _reinterpreted(x, np.int32, np.float32)


@_primitive
def bits64(x: Scalar) -> Scalar:
    """The bits of a float64 as an int64."""
    return _reinterpreted(x, np.float64, np.int64)


@_primitive
def from_bits64(x: Scalar) -> Scalar:
    """The float64 with the bits of an int64."""
    return _reinterpreted(x, np.int64, np.float64)


# -- choice ----------------------------------------------------------------------------------------


@_primitive
def select(condition: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """`a` where `condition` holds, else `b`, both of one type. Both are computed."""
    chosen: Any = np.where(condition, a, b)
    return chosen[()]


# -- rounding and signs ----------------------------------------------------------------------------


@_primitive
def rint(x: Scalar) -> Scalar:
    """The nearest integer, the even one of two."""
    return np.rint(x)


@_primitive
def floor(x: Scalar) -> Scalar:
    """The largest integer not above `x`."""
    return np.floor(x)


@_primitive
def ceil(x: Scalar) -> Scalar:
    """The smallest integer not below `x`."""
    return np.ceil(x)


@_primitive
def trunc(x: Scalar) -> Scalar:
    """`x` rounded towards zero."""
    return np.trunc(x)


@_primitive
def sqrt(x: Scalar) -> Scalar:
    """The square root, rounded right."""
    return np.sqrt(x)


@_primitive
def fabs(x: Scalar) -> Scalar:
    """`x` without its sign, which zeros and NaN have too."""
    return np.abs(x)


@_primitive
def copysign(x: Scalar, sign: Scalar) -> Scalar:
    """`x` with the sign of `sign`."""
    return np.copysign(x, sign)


@_primitive
def fmod(x: Scalar, y: Scalar) -> Scalar:
    """What is left of `x` by multiples of `y`, exactly, with the sign of `x`: a call of C's."""
    return np.fmod(x, y)


# -- fused multiply-add ----------------------------------------------------------------------------


@_primitive
def fma(a: Scalar, b: Scalar, c: Scalar) -> Scalar:
    """`a * b + c`, rounded once."""
    if np.result_type(a, b, c) == np.float32:
        return _fma32(*(np.asarray(x, np.float32) for x in (a, b, c)))
    return np.asarray(_FMA64(a, b, c)).astype(np.float64)[()]


def _fma32(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Scalar:
    """In float64 the product is exact, and a sum rounded to odd can be rounded again.

    S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms
    using rounding to odd", IEEE Transactions on Computers 57 (2008).
    """
    product, c = a.astype(np.float64) * b, c.astype(np.float64)
    total = product + c
    part = total - product
    error = (product - (total - part)) + (c - part)
    bits = np.asarray(total).view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    step = np.where((error > 0) == (total > 0), 1, -1)
    return np.where(inexact, bits + step, bits).view(np.float64).astype(np.float32)[()]


# Between these no product, and no part of one, is lost.
_LEAST, _MOST = 2.0**-300, 2.0**300


def _two_sum(a: float, b: float) -> tuple[float, float]:
    """A sum, and what rounding has left out of it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _halves(a: float) -> tuple[float, float]:
    """Two numbers of 26 bits whose sum it is."""
    scaled = 134217729.0 * a
    high = scaled - (scaled - a)
    return high, a - high


def _fma64(a: float, b: float, c: float) -> float:
    """By the same algorithm as `_fma32`, with sums of two numbers for what float64 cannot hold."""
    a, b, c = float(a), float(b), float(c)
    if not (_LEAST < abs(a) < _MOST and _LEAST < abs(b) < _MOST and _LEAST < abs(c) < _MOST):
        return _exact_fma64(a, b, c)
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    left = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    high, low = _two_sum(c, left)
    total, rest = _two_sum(product, high)
    odd, error = _two_sum(low, rest)
    if error and not struct.unpack("<q", struct.pack("<d", odd))[0] & 1:
        odd = float(np.nextafter(odd, math.inf if error > 0 else -math.inf))
    return total + odd


def _exact_fma64(a: float, b: float, c: float) -> float:
    if a == 0 or b == 0 or not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return float(exact)  # rounds once
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


_FMA64 = np.frompyfunc(_fma64, 3, 1)
