"""Distributions of random numbers, those of `hf.distributions` among them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributions.bent import Kumaraswamy, SinhArcsinh
    from hybridflow._src.distributions.bernoulli import Bernoulli
    from hybridflow._src.distributions.beta import Beta
    from hybridflow._src.distributions.categorical import Categorical
    from hybridflow._src.distributions.counts import DirichletMultinomial, Multinomial
    from hybridflow._src.distributions.deterministic import Deterministic, VectorDeterministic
    from hybridflow._src.distributions.dirichlet import Dirichlet
    from hybridflow._src.distributions.distribution import (
        FULLY_REPARAMETERIZED,
        NOT_REPARAMETERIZED,
        Distribution,
        ReparameterizationType,
    )
    from hybridflow._src.distributions.elementwise_bijectors import softplus_inverse
    from hybridflow._src.distributions.events import Binomial, Geometric, NegativeBinomial, Poisson
    from hybridflow._src.distributions.gamma import Exponential, Gamma
    from hybridflow._src.distributions.inverse_gamma import Chi2, InverseGamma
    from hybridflow._src.distributions.kullback_leibler import RegisterKL, kl_divergence
    from hybridflow._src.distributions.laplace import Laplace
    from hybridflow._src.distributions.location_scale import Cauchy, HalfNormal, Logistic
    from hybridflow._src.distributions.mixtures import Independent, Mixture, MixtureSameFamily
    from hybridflow._src.distributions.multivariate_normal import (
        MultivariateNormalDiag,
        MultivariateNormalDiagPlusLowRank,
        MultivariateNormalDiagWithSoftplusScale,
        MultivariateNormalFullCovariance,
        MultivariateNormalLinearOperator,
        MultivariateNormalTriL,
    )
    from hybridflow._src.distributions.normal import Normal
    from hybridflow._src.distributions.one_hot import (
        ExpRelaxedOneHotCategorical,
        OneHotCategorical,
        RelaxedBernoulli,
        RelaxedOneHotCategorical,
    )
    from hybridflow._src.distributions.quantized import QuantizedDistribution
    from hybridflow._src.distributions.scaled_vectors import (
        VectorExponentialDiag,
        VectorLaplaceDiag,
    )
    from hybridflow._src.distributions.softplus_parameters import (
        BetaWithSoftplusConcentration,
        Chi2WithAbsDf,
        ExponentialWithSoftplusRate,
        GammaWithSoftplusConcentrationRate,
        InverseGammaWithSoftplusConcentrationRate,
        LaplaceWithSoftplusScale,
        NormalWithSoftplusScale,
        StudentTWithAbsDfSoftplusScale,
    )
    from hybridflow._src.distributions.student_t import StudentT
    from hybridflow._src.distributions.transformed import TransformedDistribution
    from hybridflow._src.distributions.triangles import (
        fill_triangular,
        fill_triangular_inverse,
        matrix_diag_transform,
    )
    from hybridflow._src.distributions.uniform import Uniform
    from hybridflow.contrib.distributions import bijectors

__all__ = [
    "Bernoulli",
    "Beta",
    "BetaWithSoftplusConcentration",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "Chi2WithAbsDf",
    "Deterministic",
    "Dirichlet",
    "DirichletMultinomial",
    "Distribution",
    "ExpRelaxedOneHotCategorical",
    "Exponential",
    "ExponentialWithSoftplusRate",
    "FULLY_REPARAMETERIZED",
    "Gamma",
    "GammaWithSoftplusConcentrationRate",
    "Geometric",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "InverseGammaWithSoftplusConcentrationRate",
    "Kumaraswamy",
    "Laplace",
    "LaplaceWithSoftplusScale",
    "Logistic",
    "Mixture",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormalDiag",
    "MultivariateNormalDiagPlusLowRank",
    "MultivariateNormalDiagWithSoftplusScale",
    "MultivariateNormalFullCovariance",
    "MultivariateNormalLinearOperator",
    "MultivariateNormalTriL",
    "NOT_REPARAMETERIZED",
    "NegativeBinomial",
    "Normal",
    "NormalWithSoftplusScale",
    "OneHotCategorical",
    "Poisson",
    "QuantizedDistribution",
    "RegisterKL",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReparameterizationType",
    "SinhArcsinh",
    "StudentT",
    "StudentTWithAbsDfSoftplusScale",
    "TransformedDistribution",
    "Uniform",
    "VectorDeterministic",
    "VectorExponentialDiag",
    "VectorLaplaceDiag",
    "bijectors",
    "fill_triangular",
    "fill_triangular_inverse",
    "kl_divergence",
    "matrix_diag_transform",
    "softplus_inverse",
]
