"""Initializers and regularizers by the names that Keras knows them by."""

from __future__ import annotations

from hybridflow._src.variables import initializers, regularizers, scaling_initializers
from hybridflow._src.variables.serialization import Names

_INITIALIZERS = {
    "Constant": initializers.Constant,
    "Identity": initializers.Identity,
    "Initializer": initializers.Initializer,
    "Ones": initializers.Ones,
    "Orthogonal": initializers.Orthogonal,
    "RandomNormal": initializers.RandomNormal,
    "RandomUniform": initializers.RandomUniform,
    "TruncatedNormal": initializers.TruncatedNormal,
    "VarianceScaling": scaling_initializers.VarianceScaling,
    "Zeros": initializers.Zeros,
    "constant": initializers.Constant,
    "glorot_normal": scaling_initializers.glorot_normal_initializer,
    "glorot_uniform": scaling_initializers.glorot_uniform_initializer,
    "he_normal": scaling_initializers.he_normal,
    "he_uniform": scaling_initializers.he_uniform,
    "identity": initializers.Identity,
    "lecun_normal": scaling_initializers.lecun_normal,
    "lecun_uniform": scaling_initializers.lecun_uniform,
    "normal": initializers.RandomNormal,
    "one": initializers.Ones,
    "ones": initializers.Ones,
    "orthogonal": initializers.Orthogonal,
    "random_normal": initializers.RandomNormal,
    "random_uniform": initializers.RandomUniform,
    "truncated_normal": initializers.TruncatedNormal,
    "uniform": initializers.RandomUniform,
    "zero": initializers.Zeros,
    "zeros": initializers.Zeros,
}
_REGULARIZERS = {
    "L1": regularizers.L1,
    "L1L2": regularizers.L1L2,
    "L2": regularizers.L2,
    "Regularizer": regularizers.Regularizer,
    "l1": regularizers.l1,
    "l1_l2": regularizers.l1_l2,
    "l2": regularizers.l2,
}

INITIALIZERS = Names("initializer", _INITIALIZERS)
REGULARIZERS = Names("regularizer", _REGULARIZERS)
