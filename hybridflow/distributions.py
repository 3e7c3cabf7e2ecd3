"""Distributions of random numbers."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributions.bernoulli import Bernoulli
    from hybridflow._src.distributions.categorical import Categorical
    from hybridflow._src.distributions.distribution import (
        FULLY_REPARAMETERIZED,
        NOT_REPARAMETERIZED,
        Distribution,
        ReparameterizationType,
    )
    from hybridflow._src.distributions.kullback_leibler import RegisterKL, kl_divergence
    from hybridflow._src.distributions.laplace import Laplace
    from hybridflow._src.distributions.normal import Normal
    from hybridflow._src.distributions.uniform import Uniform

__all__ = [
    "FULLY_REPARAMETERIZED",
    "NOT_REPARAMETERIZED",
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Laplace",
    "Normal",
    "RegisterKL",
    "ReparameterizationType",
    "Uniform",
    "kl_divergence",
]
