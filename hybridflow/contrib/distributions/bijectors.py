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
    from hybridflow._src.distributions.shaping_bijectors import (
        CholeskyOuterProduct,
        FillTriangular,
        MatrixInverseTriL,
        Ordered,
        Reshape,
        ScaleTriL,
        TransformDiagonal,
    )
    from hybridflow._src.distributions.skewing_bijectors import (
        AbsoluteValue,
        Gumbel,
        Kumaraswamy,
        SinhArcsinh,
    )

__all__ = [
    "AbsoluteValue",
    "Affine",
    "AffineLinearOperator",
    "AffineScalar",
    "Bijector",
    "Chain",
    "CholeskyOuterProduct",
    "Exp",
    "FillTriangular",
    "Gumbel",
    "Identity",
    "Inline",
    "Invert",
    "Kumaraswamy",
    "MatrixInverseTriL",
    "Ordered",
    "Permute",
    "PowerTransform",
    "Reshape",
    "ScaleTriL",
    "Sigmoid",
    "SinhArcsinh",
    "SoftmaxCentered",
    "Softplus",
    "Softsign",
    "Square",
    "TransformDiagonal",
]
