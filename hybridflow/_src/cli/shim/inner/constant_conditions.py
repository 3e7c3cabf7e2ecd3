"""`tensorflow.python.layers.utils`: conditions that may be known before anything runs."""

from __future__ import annotations

from hybridflow._src.layers.arguments import known_value

__all__ = ["constant_value"]

constant_value = known_value
