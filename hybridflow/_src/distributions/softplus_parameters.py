"""Distributions whose positive parameters are the softplus of what is given."""

from __future__ import annotations

from typing import Any

from hybridflow._src.distributions.beta import Beta
from hybridflow._src.distributions.distribution import Distribution
from hybridflow._src.distributions.gamma import Exponential, Gamma
from hybridflow._src.distributions.inverse_gamma import Chi2, InverseGamma
from hybridflow._src.distributions.laplace import Laplace
from hybridflow._src.distributions.normal import Normal
from hybridflow._src.distributions.student_t import StudentT
from hybridflow._src.distributions.supports import floats
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.math.rounding import floor
from hybridflow._src.ops.nn.activations import softplus

__all__ = [
    "BetaWithSoftplusConcentration",
    "Chi2WithAbsDf",
    "ExponentialWithSoftplusRate",
    "GammaWithSoftplusConcentrationRate",
    "InverseGammaWithSoftplusConcentrationRate",
    "LaplaceWithSoftplusScale",
    "NormalWithSoftplusScale",
    "StudentTWithAbsDfSoftplusScale",
]


def _positive(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The softplus of each value, by name."""
    with name_scope(name, values=list(values.values())):
        return {key: softplus(value, name=f"softplus_{key}") for key, value in values.items()}


def _keep(distribution: Distribution, parameters: dict[str, Any]) -> None:
    """Has `copy` begin with what was given."""
    names = distribution._parameters
    distribution._parameters = {key: parameters[key] for key in names}


class NormalWithSoftplusScale(Normal):
    """A `Normal` whose standard deviation is the softplus of `scale`.

    Args:
      loc, scale, validate_args, allow_nan_stats, name: as for `Normal`; `scale` may be any number.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.NormalWithSoftplusScale(0.0, 0.0)
    ...     print(x.stddev().numpy().round(4))
    0.6931
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "NormalWithSoftplusScale",
    ) -> None:
        given = locals()
        positive = _positive(name, {"scale": scale})["scale"]
        super().__init__(loc, positive, validate_args, allow_nan_stats, name)
        _keep(self, given)


class LaplaceWithSoftplusScale(Laplace):
    """A `Laplace` whose scale is the softplus of `scale`.

    Args:
      loc, scale, validate_args, allow_nan_stats, name: as for `Laplace`; `scale` may be any number.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.LaplaceWithSoftplusScale(0.0, 0.0)
    ...     print(x.scale.numpy().round(4))
    0.6931
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "LaplaceWithSoftplusScale",
    ) -> None:
        given = locals()
        positive = _positive(name, {"scale": scale})["scale"]
        super().__init__(loc, positive, validate_args, allow_nan_stats, name)
        _keep(self, given)


class ExponentialWithSoftplusRate(Exponential):
    """An `Exponential` whose rate is the softplus of `rate`.

    Args:
      rate, validate_args, allow_nan_stats, name: as for `Exponential`; `rate` may be any number.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.ExponentialWithSoftplusRate(0.0).rate.numpy().round(4))
    0.6931
    """

    def __init__(
        self,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "ExponentialWithSoftplusRate",
    ) -> None:
        given = locals()
        positive = _positive(name, {"rate": rate})["rate"]
        super().__init__(positive, validate_args, allow_nan_stats, name)
        _keep(self, given)


class GammaWithSoftplusConcentrationRate(Gamma):
    """A `Gamma` whose parameters are the softplus of what is given.

    Args:
      concentration, rate, validate_args, allow_nan_stats, name: as for `Gamma`; any numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.GammaWithSoftplusConcentrationRate(0.0, 0.0)
    ...     print(x.mean().numpy())
    1.0
    """

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "GammaWithSoftplusConcentrationRate",
    ) -> None:
        given = locals()
        positive = _positive(name, {"concentration": concentration, "rate": rate})
        super().__init__(
            **positive, validate_args=validate_args, allow_nan_stats=allow_nan_stats, name=name
        )
        _keep(self, given)


class InverseGammaWithSoftplusConcentrationRate(InverseGamma):
    """An `InverseGamma` whose parameters are the softplus of what is given.

    Args:
      concentration, rate, validate_args, allow_nan_stats, name: as for `InverseGamma`; any numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.InverseGammaWithSoftplusConcentrationRate(0.0, 0.0)
    ...     print(x.rate.numpy().round(4))
    0.6931
    """

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "InverseGammaWithSoftplusConcentrationRate",
    ) -> None:
        given = locals()
        positive = _positive(name, {"concentration": concentration, "rate": rate})
        super().__init__(
            **positive, validate_args=validate_args, allow_nan_stats=allow_nan_stats, name=name
        )
        _keep(self, given)


class BetaWithSoftplusConcentration(Beta):
    """A `Beta` whose concentrations are the softplus of what is given.

    Args:
      concentration1, concentration0, validate_args, allow_nan_stats, name: as for `Beta`; any
        numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.BetaWithSoftplusConcentration(0.0, 0.0)
    ...     print(x.mean().numpy())
    0.5
    """

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "BetaWithSoftplusConcentration",
    ) -> None:
        given = locals()
        values = {"concentration1": concentration1, "concentration0": concentration0}
        super().__init__(
            **_positive(name, values),
            validate_args=validate_args,
            allow_nan_stats=allow_nan_stats,
            name=name,
        )
        _keep(self, given)


def _degrees(name: str, df: Any) -> Any:
    """What is left of degrees of freedom without a sign and a fraction."""
    with name_scope(name, values=[df]):
        return floor(abs(floats(df, "df")))


class Chi2WithAbsDf(Chi2):
    """A `Chi2` whose degrees of freedom are `floor(abs(df))`.

    Args:
      df, validate_args, allow_nan_stats, name: as for `Chi2`; `df` may be negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.Chi2WithAbsDf(-3.5).mean().numpy())
    3.0
    """

    def __init__(
        self,
        df: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Chi2WithAbsDf",
    ) -> None:
        given = locals()
        super().__init__(_degrees(name, df), validate_args, allow_nan_stats, name)
        _keep(self, given)


class StudentTWithAbsDfSoftplusScale(StudentT):
    """A `StudentT` of `floor(abs(df))` degrees of freedom, whose scale is a softplus.

    Args:
      df, loc, scale, validate_args, allow_nan_stats, name: as for `StudentT`; `df` may be negative,
        `scale` any number.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.StudentTWithAbsDfSoftplusScale(-3.5, 0.0, 0.0)
    ...     print(x.df.numpy(), x.scale.numpy().round(4))
    3.0 0.6931
    """

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentTWithAbsDfSoftplusScale",
    ) -> None:
        given = locals()
        positive = _positive(name, {"scale": floats(scale, "scale")})["scale"]
        super().__init__(_degrees(name, df), loc, positive, validate_args, allow_nan_stats, name)
        _keep(self, given)
