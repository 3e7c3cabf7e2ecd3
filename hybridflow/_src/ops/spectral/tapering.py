"""Windows: numbers that fade a piece of a signal out towards its ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.sequences import range as numbers
from hybridflow._src.ops.math.trigonometric import cos

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["hamming_window", "hann_window"]


def _raised_cosine(
    length: Any, periodic: Any, dtype: Any, name: str | None, usual: str, a: float
) -> Tensor:
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype.name}")
    with name_scope(name, usual, [length, periodic]):
        length = convert_to_tensor(length, dtypes.int32, name="window_length")
        even = 1 - length % 2
        periodic = cast(convert_to_tensor(periodic, dtypes.bool, name="periodic"), dtypes.int32)
        # Of a window of one number, which is 1, the angle is of no matter.
        last = raw.Maximum(length + periodic * even - 1, convert_to_tensor(1, dtypes.int32))
        angles = cast(numbers(length), dtype) * (2.0 * math.pi) / cast(last, dtype)
        shape = a - (1.0 - a) * cos(angles)
        alone = cast(raw.Equal(length, 1), dtype)
        return alone + (1.0 - alone) * shape


def hann_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Hann's window: `0.5 - 0.5 cos(2 pi k / n)`.

    Args:
      window_length: int32 scalar, how many numbers there are.
      periodic: whether a window of an even length is one period, n the length; else the first and
        last number are the same, n the length less 1, as it is for odd lengths anyway.
      dtype: a floating dtype.
      name: scope of the ops.

    Returns: a vector.

    Raises:
      ValueError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.signal.hann_window(4).numpy())
    [0.  0.5 1.  0.5]
    """
    return _raised_cosine(window_length, periodic, dtype, name, "hann_window", 0.5)


def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Hamming's window: `0.54 - 0.46 cos(2 pi k / n)`.

    Args:
      window_length, periodic, dtype, name: as for `hann_window`.

    Returns: a vector.

    Raises:
      ValueError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.signal.hamming_window(4).numpy().round(2))
    [0.08 0.54 1.   0.54]
    """
    return _raised_cosine(window_length, periodic, dtype, name, "hamming_window", 0.54)
