"""Bytes and texts, which programs for Python 2 and 3 convert to each other; kinds of numbers."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "integral_types",
    "real_types",
]

bytes_or_text_types = (bytes, str)
integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Bytes; of a text those of its encoding.

    Args:
      bytes_or_text: bytes or str.
      encoding: its name.

    Raises:
      TypeError: if it is neither.

    >>> import hybridflow as hf
    >>> hf.compat.as_bytes("a")
    b'a'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes | bytearray):
        return bytes(bytes_or_text)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """A str; of bytes the text that they encode.

    Args:
      bytes_or_text: bytes or str.
      encoding: its name.

    Raises:
      TypeError: if it is neither. UnicodeDecodeError: if the bytes encode no text.

    >>> import hybridflow as hf
    >>> hf.compat.as_text(b"a")
    'a'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes | bytearray):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: Any) -> str:
    """A str: of bytes the text that they encode, of all else what `str` makes of it.

    Args:
      value: anything.

    >>> import hybridflow as hf
    >>> hf.compat.as_str_any(b"a"), hf.compat.as_str_any(1)
    ('a', '1')
    """
    return as_str(value) if isinstance(value, bytes) else str(value)
