"""Layers."""

from __future__ import annotations

from hybridflow._src.ops.nn import dropout
from hybridflow._src.ops.normalization import batch_normalization

__all__ = [
    "batch_normalization",
    "dropout",
]
