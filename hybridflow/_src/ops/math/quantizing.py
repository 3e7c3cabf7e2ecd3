"""Floats as integers of few bits, and back: `quantize`, `dequantize`.

Three modes say how the numbers from `min_range` to `max_range` are spread over the integers of a
type; TensorFlow's documentation of `tf.quantize` defines them. All is computed in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops.shape_rules import with_rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["dequantize", "quantize", "quantize_v2"]

_TYPES = (dtypes.qint8, dtypes.quint8, dtypes.qint16, dtypes.quint16, dtypes.qint32)
_MODES = ("MIN_COMBINED", "MIN_FIRST", "SCALED")
_AWAY, _EVEN = "HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN"
# The largest float32 that is an int32.
_MOST = np.float32(2147483520)


class Quantized(NamedTuple):
    """What `quantize` gives.

    Attributes:
      output: the integers. output_min, output_max: the range that they stand for.
    """

    output: Tensor
    output_min: Tensor
    output_max: Tensor


def _check_modes(mode: str, round_mode: str = _AWAY) -> None:
    if mode not in _MODES:
        raise ValueError(f"Mode string must be one of {', '.join(_MODES)}, is '{mode}'.")
    if round_mode not in (_AWAY, _EVEN):
        raise ValueError(f"Round mode string must be '{_AWAY}' or '{_EVEN}', is '{round_mode}'.")
    if round_mode == _EVEN and mode != "SCALED":
        raise ValueError(
            f"Round mode '{_EVEN}' only supported for mode 'SCALED', but mode is '{mode}'."
        )


def _rounded(x: Any) -> Any:
    """The nearest whole numbers; of two, the one farther from 0."""
    whole = np.trunc(x)
    return whole + np.copysign(np.abs(x - whole) >= np.float32(0.5), x)


def _span(dtype: np.dtype[Any]) -> tuple[np.float32, np.float32, bool]:
    """The smallest integer of a type, how many steps there are, and whether it is signed."""
    info = np.iinfo(dtype)
    return np.float32(info.min), np.float32(float(info.max) - float(info.min)), info.min < 0


def _scaled_range(low: Any, high: Any, dtype: np.dtype[Any]) -> tuple[np.float32, np.float32]:
    """The largest absolute value, and the integer that stands for it."""
    return np.maximum(abs(low), abs(high)), np.float32(np.iinfo(dtype).max)


# -- Quantize --------------------------------------------------------------------------------------


def _quantize(
    x: np.ndarray, low: Any, high: Any, T: DType, mode: str, round_mode: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first, last = np.float32(low), np.float32(high)
    if last < first:
        raise InvalidArgumentError(
            None,
            None,
            f"input_max_range must be larger than input_min_range, got {last} and {first}.",
        )
    # Zero is in the range, which is not too small to be divided by.
    low = np.minimum(first, np.float32(0))
    least = np.maximum(np.float32(1), np.maximum(abs(first), abs(last))) / np.float32(100)
    high = np.maximum(np.maximum(last, low + least), np.float32(0))
    smallest, steps, is_signed = _span(T.np)
    with np.errstate(invalid="ignore"):
        if mode == "SCALED":
            most, top = _scaled_range(low, high, T.np)
            low, high = (-most if is_signed else np.float32(0)), most
            levels = np.clip(x, low, high) * (top / most)
            levels = np.rint(levels) if round_mode == _EVEN else _rounded(levels)
        elif mode == "MIN_FIRST":
            scale = steps / (high - low)
            levels = _rounded(x * scale) - (_rounded(low * scale) - smallest)
        else:
            levels = (np.clip(x, low, high) - low) * (steps / (high - low))
            if is_signed:
                levels = _rounded(levels - (steps + np.float32(1)) / np.float32(2))
            else:
                levels = np.floor(levels + np.float32(0.5))
    info = np.iinfo(T.np)
    levels = np.clip(levels, np.float32(info.min), np.minimum(np.float32(info.max), _MOST))
    levels = np.where(np.isnan(levels), np.float32(0), levels)
    return levels.astype(T.np), np.asarray(low), np.asarray(high)


def _quantize_shape(attrs: dict[str, Any], x: Any, low: Any, high: Any) -> list[Any]:
    with_rank(low, 0)
    with_rank(high, 0)
    return [x._dims, (), ()]


def _quantize_samples(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.uniform(-3, 3, (2, 5)).astype(np.float32)
    for T in (dtypes.qint8, dtypes.quint16):
        for mode in _MODES:
            yield Sample(x, np.float32(-2), np.float32(2.5), T=T, mode=mode, round_mode=_AWAY)


_quantize_op = OpDef(
    "QuantizeV2",
    "input: float32, min_range: float32, max_range: float32 "
    "-> output: T, output_min: float32, output_max: float32",
    types={"T": _TYPES},
    attrs={"T": REQUIRED, "mode": "MIN_COMBINED", "round_mode": _AWAY},
    shape=_quantize_shape,
    compute=_quantize,
    grad=not_differentiable,
    samples=_quantize_samples,
    checked=True,
)


def quantize(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    round_mode: str = _AWAY,
    name: str | None = None,
) -> Quantized:
    """Floats as integers of few bits, which stand for levels of a range.

    With `n` levels of `T`: "MIN_COMBINED" spreads them from `min_range` to `max_range`; "MIN_FIRST"
    does, and moves them so that 0 is one of them; "SCALED" takes the larger end for the largest
    integer, so that 0 stands for 0. Numbers outside of the range become its ends.

    Args:
      input: tensor of float32, of any shape.
      min_range, max_range: float32 scalars.
      T: `hf.qint8`, `quint8`, `qint16`, `quint16` or `qint32`.
      mode: how the levels are spread.
      round_mode: "HALF_AWAY_FROM_ZERO", or for "SCALED" also "HALF_TO_EVEN".
      name: name of the op.

    Returns: `(output, output_min, output_max)`: integers of the shape of `input`, and the range
      that they stand for, which has 0 in it and is no smaller than a hundredth of its ends.

    Raises:
      ValueError: for another mode. TypeError: for another T. InvalidArgumentError: if the range has
        no numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.quantize([0.0, 0.5, 2.0], 0.0, 2.0, hf.quint8)
    ...     print(x.output.numpy(), hf.dequantize(*x).numpy().round(2))
    [  0  64 255] [0.  0.5 2. ]
    """
    _check_modes(mode, round_mode)
    T = dtypes.as_dtype(T)
    if T not in _TYPES:
        known = ", ".join(dtype.name for dtype in _TYPES)
        raise TypeError(f"quantize: T must be one of {known}, got {T.name}.")
    made = _quantize_op(
        input, min_range, max_range, T=T, mode=mode, round_mode=round_mode, name=name
    )
    return Quantized(*made)


def quantize_v2(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    name: str | None = None,
    round_mode: str = _AWAY,
) -> Quantized:
    """`quantize`, with its last arguments in another order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.quantize_v2([-1.0, 0.0, 1.0], -1.0, 1.0, hf.qint8, "SCALED").output.numpy())
    [-127    0  127]
    """
    return quantize(input, min_range, max_range, T, mode, round_mode, name)


# -- Dequantize ------------------------------------------------------------------------------------


def _dequantize(x: np.ndarray, low: Any, high: Any, mode: str) -> np.ndarray:
    low, high = np.float32(low), np.float32(high)
    smallest, steps, _ = _span(x.dtype)
    levels = x.astype(np.float32)
    if mode == "SCALED":
        most, top = _scaled_range(low, high, x.dtype)
        return np.asarray(levels * (most / top))
    scale = (high - low) / steps
    if mode == "MIN_FIRST":
        first = low if high == low else _rounded(low / scale) * scale
        return np.asarray((first - smallest * scale) + levels * scale)
    return np.asarray((levels - smallest) * scale + low)


_dequantize_op = OpDef(
    "Dequantize",
    "input: T, min_range: float32, max_range: float32 -> output: float32",
    types={"T": _TYPES},
    attrs={"mode": "MIN_COMBINED"},
    shape=lambda attrs, x, low, high: _quantize_shape(attrs, x, low, high)[0],
    compute=_dequantize,
    grad=not_differentiable,
    samples=lambda rng: (),
    checked=True,
)


def dequantize(
    input: Any,
    min_range: Any,
    max_range: Any,
    mode: str = "MIN_COMBINED",
    name: str | None = None,
) -> Tensor:
    """The floats that quantized integers stand for.

    Args:
      input: tensor of a quantized dtype, of any shape.
      min_range, max_range: float32 scalars: the range, as `quantize` gives it.
      mode: that of `quantize`.
      name: name of the op.

    Returns: a tensor of float32 of the shape of `input`.

    Raises:
      ValueError: for another mode. TypeError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([-127, 0, 127], hf.qint8)
    ...     print(hf.dequantize(x, -2.0, 2.0, mode="SCALED").numpy())
    [-2.  0.  2.]
    """
    _check_modes(mode)
    result: Tensor = _dequantize_op(input, min_range, max_range, mode=mode, name=name)
    return result
