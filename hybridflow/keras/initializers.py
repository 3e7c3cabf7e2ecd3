"""Keras' names for initializers."""

from __future__ import annotations

from hybridflow._src.variables.initializers import (
    Constant,
    Identity,
    Initializer,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    Zeros,
)
from hybridflow._src.variables.keras_names import INITIALIZERS
from hybridflow._src.variables.scaling_initializers import (
    VarianceScaling,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
)
from hybridflow._src.variables.scaling_initializers import (
    glorot_normal_initializer as glorot_normal,
)
from hybridflow._src.variables.scaling_initializers import (
    glorot_uniform_initializer as glorot_uniform,
)

deserialize = INITIALIZERS.deserialize
get = INITIALIZERS.get
serialize = INITIALIZERS.serialize

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "serialize",
]
