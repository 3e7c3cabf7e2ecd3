"""Pillow, which decodes and encodes images: an extra, imported when it is first used.

What it is given is not trusted: sizes are checked before it makes memory for them, and its own
check, which warns, is gone around. Whatever it raises for a file is a `ValueError` here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = (
    "Images are decoded and encoded by Pillow, which is not installed: "
    "pip install 'hybridflow[image]'"
)
# So many pixels TensorFlow takes to be no image.
MOST_PIXELS = 1 << 29


def module(name: str = "Image") -> Any:
    """A module of Pillow.

    Raises:
      ImportError: without Pillow.
    """
    try:
        return importlib.import_module(f"PIL.{name}")
    except ImportError as error:
        raise ImportError(_MISSING) from error


def refusing(kind: str, data: bytes, read: Callable[..., Any], *args: Any) -> Any:
    """What a function gives for arguments.

    Raises:
      ValueError: that says what was to be read, whatever Pillow raises.
    """
    try:
        return read(*args)
    except MemoryError:
        raise
    except Exception as error:
        raise invalid(kind, data, str(error) or type(error).__name__) from error


def invalid(kind: str, data: bytes, why: str) -> ValueError:
    """The error for bytes that are no image of a kind."""
    return ValueError(f"Invalid {kind} data, size {len(data)}: {why}")


def check_sizes(kind: str, data: bytes, width: int, height: int, most: float) -> None:
    """Checks the sizes that a header claims.

    Args:
      most: how many pixels so many bytes can hold at most.

    Raises:
      ValueError: for sizes that cannot be, before memory is made for them.
    """
    pixels = width * height
    if width <= 0 or height <= 0:
        raise invalid(kind, data, f"sizes of {width} by {height}")
    if pixels >= MOST_PIXELS:
        raise ValueError(f"{kind} size too large: {width} by {height}")
    if pixels > most:
        raise invalid(kind, data, f"too short for {width} by {height} pixels")
