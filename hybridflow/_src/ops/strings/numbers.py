"""Numbers as strings, and back."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.errors import InvalidArgumentError, ResourceExhaustedError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.families import COMPLEX, FLOATS, INTEGERS
from hybridflow._src.ops.shape_rules import same
from hybridflow._src.ops.strings.elementwise import strings, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["as_string", "string_to_number"]

# -- as_string -------------------------------------------------------------------------------------

# So many letters may texts have together.
_LARGEST = 1 << 30


def _as_string(
    array: np.ndarray, precision: int, scientific: bool, shortest: bool, width: int, fill: str
) -> np.ndarray:
    kind = array.dtype.kind
    if kind not in "fc" and (scientific or shortest or precision >= 0):
        what = "precision" if precision >= 0 else "scientific and shortest format"
        raise ValueError(f"{what} not supported for datatype {array.dtype.name}")
    if scientific and shortest:
        raise ValueError("Cannot select both scientific and shortest notation")
    if len(fill) > 1 or (fill and fill not in "0+- #"):
        raise ValueError(
            "Fill string must be one or fewer characters: '', '0', '+', '-', ' ' or '#', got "
            f"{fill!r}"
        )
    if kind == "b":
        return strings([b"true" if x else b"false" for x in array.reshape(-1)], array.shape)
    if max(width, precision) * max(array.size, 1) > _LARGEST:
        raise ResourceExhaustedError(
            None, None, f"{array.size} texts of {max(width, precision)} letters are too large"
        )
    letter = "d" if kind in "iu" else "g" if shortest else "e" if scientific else "f"
    size = str(width) if width > -1 else ""
    rest = (f".{precision}" if precision > -1 else "") + letter
    # C fills what is no number with spaces.
    plain, other = f"%{fill if size else ''}{size}{rest}", f"%{size}{rest}"

    def text(x: Any) -> str:
        return (plain if math.isfinite(x) else other) % x

    items = array.reshape(-1).tolist()
    if kind == "c":
        found = [f"({text(x.real)},{text(x.imag)})" for x in items]
    elif kind == "f":
        found = [text(x) for x in items]
    else:
        found = [plain % x for x in items]
    return strings([item.encode() for item in found], array.shape)


def _as_string_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.array([[1.5, -2.0, np.nan], [np.inf, 0.0, 1e30]], np.float32))
    yield Sample(np.array([1.5, -2e-7]), shortest=True)
    yield Sample(np.array([1.5, -2e-7]), scientific=True, precision=2, width=12)
    yield Sample(np.array([1, -20], np.int32), width=5, fill="0")
    yield Sample(np.array(True))
    yield Sample(np.array([1 + 2j], np.complex64))
    yield Sample(np.zeros((0, 2), np.int64))


_as_string_op = OpDef(
    "AsString",
    "input: T -> output: string",
    attrs={"precision": -1, "scientific": False, "shortest": False, "width": -1, "fill": ""},
    types=(*FLOATS, *INTEGERS, *COMPLEX, dtypes.bool),
    shape=same,
    compute=_as_string,
    grad=not_differentiable,
    samples=_as_string_samples,
)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Numbers as strings, written as C's `printf` writes them.

    Args:
      input: tensor of numbers, complex numbers or bools.
      precision: how many digits stand behind the point, 6 by default; for floats alone.
      scientific: whether floats have exponents. shortest: whether, as `%g`, where that is shorter.
      width: how many characters there are at least.
      fill: what stands in front: a space by default; "0", or one of C's flags.
      name: name of the op.

    Returns: a string tensor of that shape.

    Raises:
      InvalidArgumentError: for arguments that do not go together.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.as_string([3.14159, -1.0], precision=2).numpy())
    ...     print(hf.as_string([7, 42], width=4, fill="0").numpy())
    [b'3.14' b'-1.00']
    [b'0007' b'0042']
    """
    found: Tensor = _as_string_op(
        input,
        precision=settings.whole(precision, "precision"),
        scientific=bool(scientific),
        shortest=bool(shortest),
        width=settings.whole(width, "width"),
        fill=settings.string(fill, "fill"),
        name=name,
    )
    return found


# -- string_to_number ------------------------------------------------------------------------------

_SPACES = b" \t\n\v\f\r"
_INTEGER = re.compile(rb"[+-]?[0-9]+\Z")
_HEXADECIMAL = re.compile(rb"[+-]?0[xX]")


def float_of(text: bytes) -> float:
    """The number that a text is.

    Raises:
      ValueError: if it is none.
    """
    if b"_" in text:
        raise ValueError(f"{text!r} is no number")
    stripped = text.strip(_SPACES)
    if _HEXADECIMAL.match(stripped):
        try:
            return float.fromhex(stripped.decode("ascii"))
        except OverflowError:
            return math.inf
    return float(stripped)


def int_of(text: bytes) -> int:
    """The whole number that a text is.

    Raises:
      ValueError: if it is none.
    """
    stripped = text.strip(_SPACES)
    # A number of very many digits would take long, and fits nowhere.
    if len(stripped) > 40 or not _INTEGER.match(stripped):
        raise ValueError(f"{text!r:.100} is no integer")
    return int(stripped)


def number_parser(dtype: np.dtype[Any]) -> Callable[[bytes], Any]:
    """What reads the numbers of a dtype; it raises ValueError for what is none."""
    if dtype.kind == "f":
        return float_of
    bounds = np.iinfo(dtype)

    def parse(text: bytes) -> int:
        number = int_of(text)
        if not bounds.min <= number <= bounds.max:
            raise ValueError(f"{text!r:.100} is too large")
        return number

    return parse


def _to_number(array: np.ndarray, out_type: Any) -> np.ndarray:
    parse = number_parser(out_type.np)
    found = np.empty(array.size, out_type.np)
    for index, text in enumerate(array.reshape(-1).tolist()):
        try:
            found[index] = parse(text)
        except ValueError:
            raise InvalidArgumentError(
                None,
                None,
                "StringToNumberOp could not correctly convert string: "
                f"{text.decode('utf-8', 'replace'):.200}",
            ) from None
    return found.reshape(array.shape)


def _to_number_samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = strings([b"1", b" -20 ", b"+3"], (3, 1))
    for dtype in (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64):
        yield Sample(texts, out_type=dtype)
        yield Sample(words(0), out_type=dtype)
    yield Sample(strings([b"1.5e3", b"nan", b"-inf", b"0x1p3"], (4,)), out_type=dtypes.float64)
    yield Sample(np.array(b"7", object))


_string_to_number = OpDef(
    "StringToNumber",
    "string_tensor: string -> output: out_type",
    attrs={"out_type": dtypes.float32},
    shape=same,
    compute=_to_number,
    grad=not_differentiable,
    samples=_to_number_samples,
)
_NUMBERS = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)


@spelled(input="string_tensor")
def string_to_number(
    string_tensor: Any, out_type: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The numbers that strings are.

    Args:
      string_tensor: string tensor of any shape; spaces around a number do no harm.
      out_type: float32, float64, int32 or int64.
      name: name of the op.

    Returns: a tensor of that dtype and shape.

    Raises:
      TypeError: for another dtype. InvalidArgumentError: for a string that is no number, or one
        that the dtype cannot hold.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_to_number(["3.5", "-1e3"]).numpy())
    [    3.5 -1000. ]
    """
    dtype = dtypes.as_dtype(out_type)
    if dtype not in _NUMBERS:
        names = ", ".join(d.name for d in _NUMBERS)
        raise TypeError(f"`out_type` must be one of {names}, got {dtype.name}.")
    found: Tensor = _string_to_number(string_tensor, out_type=dtype, name=name)
    return found
