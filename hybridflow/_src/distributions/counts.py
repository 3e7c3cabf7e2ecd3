"""`Multinomial` and `DirichletMultinomial`: distributions of how often each of k events came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.dirichlet import check_concentration
from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED
from hybridflow._src.distributions.logits import logits_and_probs
from hybridflow._src.distributions.supports import (
    OfConcentrations,
    OfVectors,
    after,
    check_counts,
    check_total,
    log_combinations,
    other_seed,
)
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_set_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.control_flow.functional import map_fn
from hybridflow._src.ops.math.exponential import log, sqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.special import lbeta
from hybridflow._src.ops.nn.softmax import log_softmax
from hybridflow._src.ops.random.parametric import random_gamma
from hybridflow._src.ops.random.sampling import multinomial

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["DirichletMultinomial", "Multinomial"]


class Multinomial(OfVectors):
    """How often each of k events comes in so many independent trials.

    Args:
      total_count: tensor of numbers of trials, of the floating dtype of the probabilities.
      logits: tensor `[..., k]` of logarithms of probabilities, up to a constant; or
      probs: tensor `[..., k]` of probabilities.
      validate_args: whether it is checked that these are numbers of trials, probabilities, counts.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Multinomial(4.0, probs=[0.25, 0.25, 0.5])
    ...     print(x.mean().numpy(), x.prob([1.0, 1.0, 2.0]).numpy().round(4))
    [1. 1. 2.] 0.1875
    """

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Multinomial",
    ) -> None:
        parameters = locals()
        with name_scope(name, values=[total_count, logits, probs]):
            self._logits, self._probs = logits_and_probs(logits, probs, True, validate_args, name)
            dtype = self._probs.dtype.base_dtype
            total = convert_to_tensor(total_count, preferred_dtype=dtype, name="total_count")
            self._total_count = after(check_counts(total), total) if validate_args else total
            self._mean_value = self._wide_count() * self._probs
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._total_count, self._logits, self._probs],
            name,
        )

    @property
    def total_count(self) -> Tensor:
        """The number of trials."""
        return self._total_count

    @property
    def logits(self) -> Tensor:
        """Logarithms of probabilities, up to a constant."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._probs

    def _vectors(self) -> Tensor:
        return self._mean_value

    def _wide_count(self) -> Tensor:
        return raw.ExpandDims(self._total_count, -1)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        k = self.event_shape_tensor()[0]
        trials = cast(self._total_count, dtypes.int32)
        trials = trials + cast(raw.ZerosLike(self._logits[..., 0]), dtypes.int32)
        logits = self._logits + cast(raw.ZerosLike(raw.ExpandDims(trials, -1)), self.dtype)

        def drawn(args: Any) -> Any:
            row, count = args
            events = multinomial(raw.ExpandDims(row, 0), count, seed)
            events = reshape(events, raw.Pack([n, -1], axis=0))
            return reduce_sum(one_hot(events, depth=k, dtype=self.dtype), -2)

        rows = reshape(logits, raw.Pack([-1, k], axis=0)), n * reshape(trials, [-1])
        counts = transpose(map_fn(drawn, rows, dtype=self.dtype), [1, 0, 2])
        shape = concat([reshape(n, [1]), self.batch_shape_tensor(), reshape(k, [1])], 0)
        return reshape(counts, shape)

    def _checked(self, counts: Tensor) -> Tensor:
        if not self.validate_args:
            return counts
        return after(check_total(self._total_count, counts), counts)

    def _log_prob(self, counts: Tensor) -> Any:
        counts = self._checked(counts)
        each = reduce_sum(counts * log_softmax(self._logits), -1)
        return each + log_combinations(self._total_count, counts)

    def _mean(self) -> Tensor:
        return identity(self._mean_value)

    def _wide_probs(self) -> Any:
        return self._probs + raw.ZerosLike(self._wide_count())

    def _variance(self) -> Any:
        return self._mean_value - self._mean_value * self._wide_probs()

    def _covariance(self) -> Tensor:
        outer = raw.ExpandDims(self._mean_value, -1) * raw.ExpandDims(self._wide_probs(), -2)
        return matrix_set_diag(-outer, self._variance())


class DirichletMultinomial(OfConcentrations):
    """How often each of k events comes in so many trials, if Dirichlet's distribution gave their
    probabilities.

    Args:
      total_count: tensor of numbers of trials, of the dtype of `concentration`.
      concentration: tensor `[..., k]` of positive numbers, of a floating dtype.
      validate_args: whether it is checked that these are numbers of trials, concentrations, counts.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.DirichletMultinomial(2.0, [1.0, 1.0])
    ...     print(x.prob([[0.0, 2.0], [1.0, 1.0]]).numpy().round(4))
    [0.3333 0.3333]
    """

    def __init__(
        self,
        total_count: Any,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "DirichletMultinomial",
    ) -> None:
        parameters = locals()
        with name_scope(name, values=[total_count, concentration]):
            tensor = convert_to_tensor(concentration, name="concentration")
            dtype = tensor.dtype.base_dtype
            total = convert_to_tensor(total_count, preferred_dtype=dtype, name="total_count")
            if validate_args:
                total = after(check_counts(total), total)
                tensor = after(check_concentration(tensor), tensor)
            self._total_count, self._concentration = total, tensor
            self._total = reduce_sum(tensor, -1)
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [total, tensor],
            name,
        )

    @property
    def total_count(self) -> Tensor:
        """The number of trials."""
        return self._total_count

    def _wide_count(self) -> Tensor:
        total = self._total_count
        # Programs also give it of as many axes as `concentration`, which TensorFlow takes.
        if total.shape.ndims and total.shape.ndims == self._concentration.shape.ndims:
            return total
        return raw.ExpandDims(total, -1)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        k = self.event_shape_tensor()[0]
        weights = random_gamma(reshape(n, [1]), self._concentration, None, self.dtype, seed)
        logits = reshape(log(weights), raw.Pack([-1, k], axis=0))
        seed = other_seed(seed, "dirichlet_multinomial")
        events = multinomial(logits, cast(self._total_count, dtypes.int32), seed)
        counts = reduce_sum(one_hot(events, depth=k, dtype=self.dtype), -2)
        shape = concat([reshape(n, [1]), self.batch_shape_tensor(), reshape(k, [1])], 0)
        return reshape(counts, shape)

    def _log_prob(self, counts: Tensor) -> Any:
        if self.validate_args:
            checks = check_total(self._total_count, counts, "counts last-dimension")
            counts = after(checks, counts)
        ordered = lbeta(self._concentration + counts) - lbeta(self._concentration)
        return ordered + log_combinations(self._total_count, counts)

    def _mean(self) -> Any:
        return self._wide_count() * (self._concentration / raw.ExpandDims(self._total, -1))

    def _scaled_mean(self) -> tuple[Any, Any]:
        total = raw.ExpandDims(self._total, -1)
        scale = sqrt((1.0 + total / self._wide_count()) / (1.0 + total))
        return scale, scale * self._mean()

    def _variance(self) -> Any:
        scale, x = self._scaled_mean()
        return x * (self._wide_count() * scale - x)

    def _covariance(self) -> Tensor:
        _, x = self._scaled_mean()
        outer = raw.ExpandDims(x, -1) * raw.ExpandDims(x, -2)
        return matrix_set_diag(-outer, self._variance())
