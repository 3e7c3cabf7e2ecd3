"""`tf.data.experimental`: what it has beside the names of contrib's functions."""

from __future__ import annotations

__all__ = ["AUTOTUNE"]

# How many elements to prepare at once: as many as seems good.
AUTOTUNE = -1
