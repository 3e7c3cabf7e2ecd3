"""`Dirichlet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.supports import OfConcentrations, above_one, after
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_set_diag
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.checks.comparing import assert_less, assert_near, assert_positive
from hybridflow._src.ops.checks.ranks import assert_rank_at_least
from hybridflow._src.ops.math.exponential import rsqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.special import digamma, lbeta
from hybridflow._src.ops.math.zero_products import xlogy
from hybridflow._src.ops.random.parametric import random_gamma

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Dirichlet", "check_concentration"]


def check_concentration(concentration: Tensor) -> list[Any]:
    """The assertions that vectors of concentrations are ones, of two or more positive numbers."""
    return [
        assert_positive(concentration, message="Concentration parameter must be positive."),
        assert_rank_at_least(
            concentration, 1, message="Concentration parameter must have >=1 dimensions."
        ),
        assert_less(
            1,
            raw.Shape(concentration)[-1],
            message="Concentration parameter must have event_size >= 2.",
        ),
    ]


class Dirichlet(OfConcentrations):
    """Dirichlet's distribution of vectors `x` of positive numbers whose sum is 1.

    The density is `prod(x**(concentration - 1)) / beta(concentration)`.

    Args:
      concentration: tensor `[..., k]` of positive numbers, of a floating dtype.
      validate_args: whether it is checked that concentrations are positive, that values sum to 1.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Dirichlet([1.0, 2.0, 1.0])
    ...     print(x.mean().numpy(), x.prob([0.25, 0.5, 0.25]).numpy().round(4))
    [0.25 0.5  0.25] 3.0
    """

    def __init__(
        self,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Dirichlet",
    ) -> None:
        parameters = locals()
        with name_scope(name, values=[concentration]):
            tensor = convert_to_tensor(concentration, name="concentration")
            if validate_args:
                tensor = after(check_concentration(tensor), tensor)
            self._concentration = tensor
            self._total = reduce_sum(tensor, -1)
        super().__init__(
            tensor.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [tensor, self._total],
            name,
        )

    def _wide_total(self) -> Tensor:
        return raw.ExpandDims(self._total, -1)

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        drawn = random_gamma(reshape(n, [1]), self._concentration, None, self.dtype, seed)
        return drawn / reduce_sum(drawn, -1, keep_dims=True)

    def _log_prob(self, x: Tensor) -> Any:
        if self.validate_args:
            one = convert_to_tensor(1.0, self.dtype)
            checks = [
                assert_positive(x, message="samples must be positive"),
                assert_near(
                    one, reduce_sum(x, -1), message="sample last-dimension must sum to `1`"
                ),
            ]
            x = after(checks, x)
        return reduce_sum(xlogy(self._concentration - 1.0, x), -1) - lbeta(self._concentration)

    def _size(self) -> Tensor:
        return cast(self.event_shape_tensor()[0], self.dtype)

    def _entropy(self) -> Any:
        c = self._concentration
        return (
            lbeta(c)
            + (self._total - self._size()) * digamma(self._total)
            - reduce_sum((c - 1.0) * digamma(c), -1)
        )

    def _mean(self) -> Any:
        return self._concentration / self._wide_total()

    def _scaled_mean(self) -> tuple[Any, Any]:
        scale = rsqrt(1.0 + self._wide_total())
        return scale, scale * self._mean()

    def _variance(self) -> Any:
        scale, x = self._scaled_mean()
        return x * (scale - x)

    def _covariance(self) -> Tensor:
        _, x = self._scaled_mean()
        outer = raw.ExpandDims(x, -1) * raw.ExpandDims(x, -2)
        return matrix_set_diag(-outer, self._variance())

    def _mode(self) -> Tensor:
        mode = (self._concentration - 1.0) / (self._wide_total() - self._size())
        words = "Mode undefined when any concentration <= 1"
        least = raw.Min(self._concentration, [-1], keep_dims=True)
        return above_one(self, mode, words, least)


@RegisterKL(Dirichlet, Dirichlet)
def _divergence(a: Dirichlet, b: Dirichlet, name: str | None = None) -> Any:
    with name_scope(name, "kl_dirichlet_dirichlet", [a.concentration, b.concentration]):
        apart = digamma(a.concentration) - raw.ExpandDims(digamma(a.total_concentration), -1)
        return (
            lbeta(b.concentration)
            - lbeta(a.concentration)
            + reduce_sum((a.concentration - b.concentration) * apart, -1)
        )
