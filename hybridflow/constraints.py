"""Constraints: projections of variables onto sets, applied by optimizers after each update."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.variables.constraints.balls import L1Ball, L2Ball, RowStochastic, Simplex
    from hybridflow._src.variables.constraints.base import Constraint
    from hybridflow._src.variables.constraints.combine import Chain, Intersection
    from hybridflow._src.variables.constraints.elementwise import Box, IntegerGrid, NonNeg
    from hybridflow._src.variables.constraints.isotonic import Monotone
    from hybridflow._src.variables.constraints.linear import Halfspace, Hyperplane
    from hybridflow._src.variables.constraints.matrices import (
        PSD,
        Orthonormal,
        SpectralNorm,
        Symmetric,
    )
    from hybridflow._src.variables.constraints.norms import MaxNorm, MinMaxNorm, UnitNorm
    from hybridflow._src.variables.constraints.serialization import deserialize, get, serialize

__all__ = [
    "PSD",
    "Box",
    "Chain",
    "Constraint",
    "Halfspace",
    "Hyperplane",
    "IntegerGrid",
    "Intersection",
    "L1Ball",
    "L2Ball",
    "MaxNorm",
    "MinMaxNorm",
    "Monotone",
    "NonNeg",
    "Orthonormal",
    "RowStochastic",
    "Simplex",
    "SpectralNorm",
    "Symmetric",
    "UnitNorm",
    "deserialize",
    "get",
    "serialize",
]
