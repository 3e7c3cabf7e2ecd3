"""Functions that have an inverse: those of TensorFlow's contrib."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributions.affine_bijectors import (
        Affine,
        AffineLinearOperator,
        Permute,
        SoftmaxCentered,
    )
    from hybridflow._src.distributions.bijector import Bijector, Identity
    from hybridflow._src.distributions.composed_bijectors import Chain, Inline, Invert
    from hybridflow._src.distributions.elementwise_bijectors import (
        AffineScalar,
        Exp,
        PowerTransform,
        Sigmoid,
        Softplus,
        Softsign,
        Square,
    )

__all__ = [
    "Affine",
    "AffineLinearOperator",
    "AffineScalar",
    "Bijector",
    "Chain",
    "Exp",
    "Identity",
    "Inline",
    "Invert",
    "Permute",
    "PowerTransform",
    "Sigmoid",
    "SoftmaxCentered",
    "Softplus",
    "Softsign",
    "Square",
]
