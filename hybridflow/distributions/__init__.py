"""Distributions of random numbers."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributions.bernoulli import Bernoulli
    from hybridflow._src.distributions.beta import Beta
    from hybridflow._src.distributions.categorical import Categorical
    from hybridflow._src.distributions.counts import DirichletMultinomial, Multinomial
    from hybridflow._src.distributions.dirichlet import Dirichlet
    from hybridflow._src.distributions.distribution import (
        FULLY_REPARAMETERIZED,
        NOT_REPARAMETERIZED,
        Distribution,
        ReparameterizationType,
    )
    from hybridflow._src.distributions.gamma import Exponential, Gamma
    from hybridflow._src.distributions.kullback_leibler import RegisterKL, kl_divergence
    from hybridflow._src.distributions.laplace import Laplace
    from hybridflow._src.distributions.normal import Normal
    from hybridflow._src.distributions.student_t import StudentT
    from hybridflow._src.distributions.uniform import Uniform
    from hybridflow.distributions import bijectors

__all__ = [
    "FULLY_REPARAMETERIZED",
    "NOT_REPARAMETERIZED",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "DirichletMultinomial",
    "Distribution",
    "Exponential",
    "Gamma",
    "Laplace",
    "Multinomial",
    "Normal",
    "RegisterKL",
    "ReparameterizationType",
    "StudentT",
    "Uniform",
    "bijectors",
    "kl_divergence",
]
