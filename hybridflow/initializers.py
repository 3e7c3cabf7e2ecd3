"""Initializers of variables."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.variables.initialization import (
        global_variables_initializer as global_variables,
    )
    from hybridflow._src.variables.initialization import (
        local_variables_initializer as local_variables,
    )
    from hybridflow._src.variables.initialization import variables_initializer as variables
    from hybridflow._src.variables.initializers import Constant as constant
    from hybridflow._src.variables.initializers import Identity as identity
    from hybridflow._src.variables.initializers import Initializer
    from hybridflow._src.variables.initializers import Ones as ones
    from hybridflow._src.variables.initializers import Orthogonal as orthogonal
    from hybridflow._src.variables.initializers import RandomNormal as random_normal
    from hybridflow._src.variables.initializers import RandomUniform as random_uniform
    from hybridflow._src.variables.initializers import TruncatedNormal as truncated_normal
    from hybridflow._src.variables.initializers import Zeros as zeros
    from hybridflow._src.variables.scaling_initializers import (
        UniformUnitScaling as uniform_unit_scaling,
    )
    from hybridflow._src.variables.scaling_initializers import VarianceScaling as variance_scaling
    from hybridflow._src.variables.scaling_initializers import (
        glorot_normal_initializer as glorot_normal,
    )
    from hybridflow._src.variables.scaling_initializers import (
        glorot_uniform_initializer as glorot_uniform,
    )
    from hybridflow._src.variables.scaling_initializers import (
        he_normal,
        he_uniform,
        lecun_normal,
        lecun_uniform,
    )

__all__ = [
    "Initializer",
    "constant",
    "global_variables",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "local_variables",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform_unit_scaling",
    "variables",
    "variance_scaling",
    "zeros",
]
