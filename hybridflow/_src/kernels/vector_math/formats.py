"""What the functions of this package are written with: the two formats, and steps they share.

A function is written once, for both: `exp_f32, exp_f64 = in_both(_exp)`. Where the formats differ,
in constants and coefficients, it asks its first argument. Functions have no branches, so that loops
over them vectorise, and no operations that processors lack for vectors, as AVX2 lacks conversions
between float64 and int64 and arithmetic right shifts of int64.

Coefficients are minimax polynomials, found by the Remez algorithm in 240-bit arithmetic and rounded
from the lowest power on, with the others refitted after each; comments give the largest error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hybridflow._src.kernels.scalar import (
    Meaning,
    Scalar,
    bits32,
    bits64,
    fma,
    from_bits32,
    from_bits64,
)

_hex = float.fromhex


@dataclass(frozen=True, eq=False)
class Format:
    """A floating-point format of IEEE 754."""

    suffix: str
    bits: Meaning  # float to integer of the same size
    from_bits: Meaning
    mantissa: int  # stored bits
    bias: int
    # 1.5 * 2**mantissa: adding it rounds to an integer, which stands in the lowest bits of the sum.
    magic: float
    # log(2): the high part has so few bits that products with exponents are exact.
    ln2_high: float
    ln2_low: float
    smallest: float  # positive normal number

    @property
    def size(self) -> int:
        """Of a number, in bits."""
        return (2 * self.bias + 2).bit_length() + self.mantissa

    @property
    def bits_of_one(self) -> int:
        return self.bias << self.mantissa

    @property
    def exponent(self) -> int:
        """A mask: the bits of the exponent."""
        return (2 * self.bias + 1) << self.mantissa

    @property
    def magnitude(self) -> int:
        """A mask: all bits but the sign."""
        return (2 * self.bias + 2 << self.mantissa) - 1

    @property
    def epsilon(self) -> float:
        """Half the distance from 1 to the next number."""
        return 2.0 ** -(self.mantissa + 1)


FLOAT32 = Format(
    suffix="f32",
    bits=bits32,
    from_bits=from_bits32,
    mantissa=23,
    bias=127,
    magic=1.5 * 2**23,
    ln2_high=_hex("0x1.62e4p-1"),
    ln2_low=_hex("0x1.7f7d1cp-20"),
    smallest=2.0**-126,
)
FLOAT64 = Format(
    suffix="f64",
    bits=bits64,
    from_bits=from_bits64,
    mantissa=52,
    bias=1023,
    magic=1.5 * 2**52,
    ln2_high=_hex("0x1.62e42fefa3000p-1"),
    ln2_low=_hex("0x1.3de6af278ece6p-42"),
    smallest=2.0**-1022,
)


Generic: TypeAlias = Callable[[Format, Scalar], Scalar]


def in_both(generic: Generic) -> tuple[Meaning, Meaning]:
    """`generic`, a function of a format and a scalar, for float32 and for float64."""
    return _named(generic, FLOAT32), _named(generic, FLOAT64)


def _named(generic: Generic, form: Format) -> Meaning:
    def function(x: Scalar) -> Scalar:
        return generic(form, x)

    name = f"{generic.__name__.lstrip('_')}_{form.suffix}"
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = generic.__module__, generic.__doc__
    return function


def horner(x: Scalar, coefficients: tuple[float, ...]) -> Scalar:
    """The polynomial with these coefficients, the constant first; at least two."""
    *rest, value = coefficients
    for coefficient in reversed(rest):
        value = fma(value, x, coefficient)
    return value


def power_of_two(form: Format, exponent: Scalar) -> Scalar:
    """2 to a power that is given in the lowest bits of `exponent`, and a normal number."""
    return form.from_bits((exponent + form.bias) << form.mantissa)


# -- sums of two numbers ---------------------------------------------------------------------------


def two_sum(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """a + b, and what its rounding lost: D. Knuth, "Seminumerical Algorithms", 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def fast_two_sum(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """The same where |a| >= |b|: T. Dekker, Numerische Mathematik 18 (1971)."""
    total = a + b
    return total, b - (total - a)


def two_product(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """a * b, and what its rounding lost."""
    product = a * b
    return product, fma(a, b, -product)
