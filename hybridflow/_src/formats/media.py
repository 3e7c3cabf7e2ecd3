"""Sounds as files hold them: WAV in 16 bits."""

from __future__ import annotations

import struct

import numpy as np

_SCALE = np.float32(1 << 15)


def wav(samples: np.ndarray, rate: int) -> bytes:
    """A sound as a WAV file of 16 bits a sample.

    Args:
      samples: float32 `[frames, channels]`; what is beyond -1 and 1 is cut off.
      rate: frames a second.
    """
    scaled = samples * _SCALE
    # Halves are rounded away from zero.
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
    data = np.clip(rounded, -(1 << 15), (1 << 15) - 1).astype("<i2").tobytes()
    channels = samples.shape[1]
    block = 2 * channels
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE"),
            struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, 16),
            struct.pack("<4sI", b"data", len(data)),
            data,
        )
    )
