"""Keras' names for regularizers."""

from __future__ import annotations

from hybridflow._src.variables.keras_names import REGULARIZERS
from hybridflow._src.variables.regularizers import L1, L1L2, L2, Regularizer, l1, l1_l2, l2

deserialize = REGULARIZERS.deserialize
get = REGULARIZERS.get
serialize = REGULARIZERS.serialize

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "serialize",
]
