"""Pictures and sounds as files hold them: PNG, and WAV in 16 bits."""

from __future__ import annotations

import importlib
import io
import struct

import numpy as np

_NO_PILLOW = "Images are encoded by Pillow, which is not installed: pip install 'hybridflow[image]'"
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_SCALE = np.float32(1 << 15)


def png(pixels: np.ndarray) -> bytes:
    """A picture as a PNG file.

    Args:
      pixels: bytes `[height, width, channels]`: of gray, gray and alpha, RGB or RGBA.

    Raises:
      ImportError: without Pillow.
    """
    try:
        pillow = importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(_NO_PILLOW) from error
    height, width, channels = pixels.shape
    picture = pillow.frombytes(_MODES[channels], (width, height), pixels.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


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
