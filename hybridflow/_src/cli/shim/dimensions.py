"""Sizes in shapes, as programs ask for them that run under either TensorFlow."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.tensor_shape import dimension_at_index

__all__ = ["dimension_at_index", "dimension_value"]


def dimension_value(dimension: Any) -> int | None:
    """A size as an int, or None where it is unknown."""
    value: int | None = dimension.value if isinstance(dimension, Dimension) else dimension
    return value
