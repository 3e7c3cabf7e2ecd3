"""Bits of integers."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.math.bitwise import (
        bitwise_and,
        bitwise_or,
        bitwise_xor,
        invert,
        left_shift,
        right_shift,
    )

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]
