"""Short-time Fourier transforms, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.arranging import tile
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.spectral.framing import frame, overlap_and_add
from hybridflow._src.ops.spectral.real_fourier import irfft, rfft
from hybridflow._src.ops.spectral.tapering import hann_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["inverse_stft", "inverse_stft_window_fn", "stft"]


def _fft_length(given: Any, frame_length: Tensor) -> Tensor:
    """The length of transforms: by default the smallest power of two that holds a frame."""
    if given is not None:
        return convert_to_tensor(given, dtypes.int32, name="fft_length")
    known = constant_value(frame_length)
    if known is not None:
        power = 2 ** math.ceil(math.log2(int(known))) if known > 0 else 1
        return convert_to_tensor(power, dtypes.int32)
    exponent = raw.Ceil(log(cast(frame_length, dtypes.float32)) / np.float32(math.log(2.0)))
    return cast(raw.Pow(convert_to_tensor(2.0, dtypes.float32), exponent), dtypes.int32)


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """The short-time Fourier transform: the transforms of frames that overlap.

    Args:
      signals: float32 tensor `[..., samples]`.
      frame_length: int32 scalar, how many samples a frame has.
      frame_step: int32 scalar, how far the beginnings of frames are apart.
      fft_length: int32 scalar, the length of the transforms; by default the smallest power of two
        that holds a frame.
      window_fn: gives, of a length and a `dtype`, a window by which each frame is multiplied; None
        for none.
      pad_end: whether the last frames may reach over the end, beyond which there are zeros.
      name: scope of the ops.

    Returns: a complex64 tensor `[..., frames, fft_length // 2 + 1]`.

    Raises:
      ValueError: if the rank of the signals is not known, or a number is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.signal.stft([1.0, -1.0] * 4, 4, 2, window_fn=None)
    ...     print(hf.abs(x).numpy().tolist())
    [[0.0, 0.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 4.0]]
    """
    with name_scope(name, "stft", [signals, frame_length, frame_step]):
        signals = convert_to_tensor(signals, name="signals")
        length = convert_to_tensor(frame_length, dtypes.int32, name="frame_length")
        size = _fft_length(fft_length, length)
        frames: Any = frame(signals, length, frame_step, pad_end=pad_end)
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=frames.dtype)
        return rfft(frames, raw.ExpandDims(size, 0))


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Any] = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """The window by which `inverse_stft` gives back the signal of which `stft` was taken.

    Args:
      frame_step: int32 scalar, how far the beginnings of frames are apart.
      forward_window_fn: the window of `stft`.
      name: scope of the ops.

    Returns: a function of a length and a `dtype`, for `window_fn` of `inverse_stft`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.signal.stft(hf.ones([16]), 8, 4)
    ...     window = hf.contrib.signal.inverse_stft_window_fn(4)
    ...     print(hf.contrib.signal.inverse_stft(x, 8, 4, window_fn=window).numpy()[4:12].round(4))
    [1. 1. 1. 1. 1. 1. 1. 1.]
    """

    def window(frame_length: Any, dtype: Any = dtypes.float32) -> Tensor:
        with name_scope(name, "inverse_stft_window_fn", [frame_step, frame_length]):
            step = convert_to_tensor(frame_step, dtypes.int32, name="frame_step")
            length = convert_to_tensor(frame_length, dtypes.int32, name="frame_length")
            forward: Any = forward_window_fn(length, dtype=dtype)
            # By the sum of the squares of all windows at one place.
            overlaps = (length + step - 1) // step
            missing = raw.ExpandDims(overlaps * step - length, 0)
            zeros = raw.Fill(missing, convert_to_tensor(0, forward.dtype.base_dtype))
            squares = concat([raw.Square(forward), zeros], 0)
            sums = reduce_sum(reshape(squares, raw.Pack([overlaps, step], axis=0)), 0)
            whole = tile(sums, raw.ExpandDims(overlaps, 0))
            return forward / whole[:length]

    return window


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """The signal of a short-time Fourier transform.

    It is the one of which `stft` was taken if the products of both windows sum to 1: see
    `inverse_stft_window_fn`.

    Args:
      stfts: complex64 tensor `[..., frames, fft_length // 2 + 1]`.
      frame_length, frame_step, fft_length, window_fn: as for `stft`.
      name: scope of the ops.

    Returns: a float32 tensor `[..., samples]`.

    Raises:
      ValueError: if the rank is not known, or a number is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.signal.stft([1.0, 2.0, 3.0, 4.0], 2, 2, window_fn=None)
    ...     print(hf.contrib.signal.inverse_stft(x, 2, 2, window_fn=None).numpy())
    [1. 2. 3. 4.]
    """
    with name_scope(name, "inverse_stft", [stfts]):
        stfts = convert_to_tensor(stfts, name="stfts")
        length = convert_to_tensor(frame_length, dtypes.int32, name="frame_length")
        size = _fft_length(fft_length, length)
        frames: Any = irfft(stfts, raw.ExpandDims(size, 0))[..., :length]
        # Zeros, where a frame is longer than the transforms.
        sizes = raw.Shape(frames)
        missing = raw.Maximum(length - sizes[-1], convert_to_tensor(0, dtypes.int32))
        filled = concat([sizes[:-1], raw.ExpandDims(missing, 0)], 0)
        frames = concat([frames, raw.Fill(filled, convert_to_tensor(0, frames.dtype))], -1)
        known = constant_value(length)
        if known is not None:
            frames.set_shape([*stfts.shape.as_list()[:-1], int(known)])
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=frames.dtype)
        return overlap_and_add(frames, frame_step)
