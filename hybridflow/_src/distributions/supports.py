"""What several distributions need: where moments exist, other seeds, vectors, counts of events."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.distribution import Distribution
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import (
    assert_equal,
    assert_less,
    assert_less_equal,
    assert_non_negative,
)
from hybridflow._src.ops.math.comparison import greater, logical_and
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = [
    "OfConcentrations",
    "OfVectors",
    "above",
    "above_one",
    "after",
    "check_counts",
    "check_outcomes",
    "check_total",
    "floats",
    "log_combinations",
    "other_seed",
]


class OfVectors(Distribution):
    """A distribution of vectors, of which one tensor has the shape `batch_shape + event_shape`."""

    def _vectors(self) -> Tensor:
        raise NotImplementedError

    def _batch_shape(self) -> TensorShape:
        return self._vectors().shape.with_rank_at_least(1)[:-1]

    def _batch_shape_tensor(self) -> Tensor:
        return raw.Shape(self._vectors())[:-1]

    def _event_shape(self) -> TensorShape:
        return self._vectors().shape.with_rank_at_least(1)[-1:]

    def _event_shape_tensor(self) -> Tensor:
        return raw.Shape(self._vectors())[-1:]


class OfConcentrations(OfVectors):
    """A distribution of vectors by their concentrations, which it sets, and the sums of these."""

    _concentration: Tensor
    _total: Tensor

    @property
    def concentration(self) -> Tensor:
        """The concentrations."""
        return self._concentration

    @property
    def total_concentration(self) -> Tensor:
        """Their sums along the last axis."""
        return self._total

    def _vectors(self) -> Tensor:
        return self._concentration


def after(checks: list[Any], value: Tensor) -> Tensor:
    """A tensor, once assertions hold (None stands for one that is known to hold)."""
    with control_dependencies([check for check in checks if check is not None]):
        return identity(value)


def above_one(
    distribution: Distribution, value: Tensor, message: str, *parameters: Tensor
) -> Tensor:
    """A quantity that exists where all parameters are above 1; elsewhere it is NaN or an error."""
    return above(1.0, distribution, value, message, *parameters)


def above(
    bound: float, distribution: Distribution, value: Tensor, message: str, *parameters: Tensor
) -> Tensor:
    """A quantity that exists where all parameters are above a bound, else is NaN or an error.

    Shapes are those of the quantity, or broadcast to it.
    """
    least = convert_to_tensor(bound, distribution.dtype)
    if not distribution.allow_nan_stats:
        checks = [assert_less(least, parameter, message=message) for parameter in parameters]
        return after(checks, value)
    exists = raw.Equal(value, value)
    exists = raw.OnesLike(exists)
    for parameter in parameters:
        exists = logical_and(exists, greater(parameter, least))
    nan = raw.Fill(raw.Shape(value), convert_to_tensor(np.nan, distribution.dtype))
    return where(exists, value, nan)


def other_seed(seed: int | None, salt: str) -> int | None:
    """The seed of a second random op of a sample, as TensorFlow derives it from the first's."""
    if seed is None:
        return None
    digest = hashlib.md5(f"{seed}{salt}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) & 0x7FFFFFFF


def floats(value: Any, name: str | None) -> Tensor:
    """A parameter as a tensor: numbers become float32, what is of a floating dtype keeps it."""
    dtype = getattr(value, "dtype", None)
    keeps = dtype is not None and dtypes.as_dtype(dtype).is_floating
    return convert_to_tensor(value, name=name, preferred_dtype=None if keeps else dtypes.float32)


def check_counts(counts: Tensor) -> list[Any]:
    """The assertions that numbers of events are whole and not negative."""
    checks = [assert_non_negative(counts, message="counts must be non-negative.")]
    if counts.dtype.is_floating:
        words = "counts cannot contain fractional components."
        checks.append(assert_equal(counts, raw.Floor(counts), message=words))
    return checks


def check_outcomes(outcomes: Tensor) -> list[Any]:
    """The assertions that outcomes of two are 0 or 1."""
    one = raw.OnesLike(outcomes)
    checks = [
        assert_non_negative(outcomes, message="Elements must be non-negative."),
        assert_less_equal(outcomes, one, message="Elements cannot exceed 1."),
    ]
    if outcomes.dtype.is_floating:
        words = "Elements cannot contain fractional components."
        checks.append(assert_equal(outcomes, raw.Floor(outcomes), message=words))
    return checks


def check_total(total: Tensor, counts: Tensor, what: str = "counts") -> list[Any]:
    """The assertions that counts, which errors call `what`, are whole and so many together."""
    words = f"{what} must sum to `self.total_count`"
    return [*check_counts(counts), assert_equal(total, reduce_sum(counts, -1), message=words)]


def log_combinations(n: Tensor, counts: Tensor) -> Any:
    """The logarithm of in how many orders events come that are counted so often, of n in all."""
    return raw.Lgamma(n + 1.0) - reduce_sum(raw.Lgamma(counts + 1.0), -1)
