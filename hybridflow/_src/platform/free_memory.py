"""Memory that is free, and that the process keeps all the same."""

from __future__ import annotations

import ctypes
import functools
from typing import Any


@functools.cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library
        return None


def give_back() -> None:
    """Has the C library give the system what lies free between blocks that are in use."""
    trim = _trim()
    if trim is not None:
        trim(0)
