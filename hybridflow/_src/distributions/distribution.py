"""`Distribution`: what distributions have in common.

A class defines, as far as there is one, each quantity by a method of its own, such as `_log_prob`;
from those that it has, others follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.kullback_leibler import kl_divergence
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import exp, log, log1p, sqrt

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "FULLY_REPARAMETERIZED",
    "NOT_REPARAMETERIZED",
    "Distribution",
    "ReparameterizationType",
]


class ReparameterizationType:
    """Whether samples of a distribution have gradients with respect to its parameters.

    Two instances are in use, which are compared by identity: `FULLY_REPARAMETERIZED` and
    `NOT_REPARAMETERIZED`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.Normal(0.0, 1.0).reparameterization_type)
    <Reparameterization Type: FULLY_REPARAMETERIZED>
    """

    def __init__(self, rep_type: str) -> None:
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameterization Type: {self._rep_type}>"


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A distribution of random numbers, or a batch of them that differ in their parameters.

    The *event shape* is that of one sample, the *batch shape* that of the parameters; samples have
    the shape `sample_shape + batch_shape + event_shape`, probabilities have `sample_shape +
    batch_shape`.

    A class of one's own derives from this one and defines what it has of `_batch_shape`,
    `_batch_shape_tensor`, `_event_shape`, `_event_shape_tensor`, `_sample_n(n, seed)`, `_log_prob`
    or `_prob`, `_log_cdf` or `_cdf`, `_log_survival_function`, `_survival_function`, `_entropy`,
    `_mean`, `_quantile`, `_variance` or `_stddev`, `_covariance` and `_mode`.

    Args:
      dtype: of samples.
      reparameterization_type: `FULLY_REPARAMETERIZED` if samples have gradients with respect to the
        parameters, else `NOT_REPARAMETERIZED`.
      validate_args: whether parameters and values are checked when they are computed.
      allow_nan_stats: whether a mean, say, that is not defined is NaN; else it is an error.
      parameters: the arguments of `__init__`, for `copy`.
      graph_parents: tensors that the distribution is made of.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.distributions.Normal(loc=[0.0, 1.0], scale=1.0)
    ...     print(x.batch_shape, x.sample(3).shape, session.run(x.prob(1.0)).round(4))
    (2,) (3, 2) [0.242  0.3989]
    """

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: ReparameterizationType,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any] | None = None,
        graph_parents: list[Any] | None = None,
        name: str | None = None,
    ) -> None:
        self._dtype = dtypes.as_dtype(dtype)
        self._reparameterization_type = reparameterization_type
        self._validate_args = validate_args
        self._allow_nan_stats = allow_nan_stats
        self._parameters = {
            key: value
            for key, value in (parameters or {}).items()
            if key not in ("self", "parameters") and not key.startswith("__")
        }
        self._graph_parents = list(graph_parents or [])
        self._name = name or type(self).__name__

    def __repr__(self) -> str:
        return (
            f"<hf.distributions.{type(self).__name__} {self._name!r} "
            f"batch_shape={self.batch_shape} event_shape={self.event_shape} "
            f"dtype={self._dtype.name}>"
        )

    # -- what it is --------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """How scopes of its ops begin."""
        return self._name

    @property
    def dtype(self) -> Any:
        """The dtype of samples."""
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments with which it was made."""
        return dict(self._parameters)

    @property
    def reparameterization_type(self) -> ReparameterizationType:
        """Whether samples have gradients with respect to the parameters."""
        return self._reparameterization_type

    @property
    def allow_nan_stats(self) -> bool:
        """Whether a quantity that is not defined is NaN; else it is an error."""
        return self._allow_nan_stats

    @property
    def validate_args(self) -> bool:
        """Whether parameters and values are checked when they are computed."""
        return self._validate_args

    def copy(self, **override_parameters_kwargs: Any) -> Any:
        """A distribution made with the same arguments, but for those given.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     x = hf.distributions.Normal(0.0, 1.0).copy(scale=2.0)
        ...     print(x.scale.numpy())
        2.0
        """
        return type(self)(**{**self._parameters, **override_parameters_kwargs})

    @classmethod
    def param_static_shapes(cls, sample_shape: Any) -> dict[str, TensorShape]:
        """The shapes of parameters for which a sample has a given shape, by name.

        Raises:
          ValueError: if the shape is not known.
        """
        shape = TensorShape(sample_shape)
        if not shape.is_fully_defined():
            raise ValueError(f"The sample shape must be known, got {shape}.")
        found = cls.param_shapes(shape.as_list())
        return {name: TensorShape(constant_value(value)) for name, value in found.items()}

    @classmethod
    def param_shapes(cls, sample_shape: Any, name: str = "DistributionParamShapes") -> Any:
        """The shapes of parameters for which a sample has a given shape, tensors by name."""
        with name_scope(name, values=[sample_shape]):
            return cls._param_shapes(convert_to_tensor(sample_shape, dtypes.int32))

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        raise NotImplementedError("param_shapes is not defined for this distribution.")

    # -- shapes ------------------------------------------------------------------------------------

    def _batch_shape(self) -> TensorShape:
        return TensorShape(None)

    def _event_shape(self) -> TensorShape:
        return TensorShape(None)

    @property
    def batch_shape(self) -> TensorShape:
        """The shape of the parameters, as far as it is known."""
        return self._batch_shape()

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one sample, as far as it is known."""
        return self._event_shape()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """The shape of the parameters, an int32 vector."""
        return self._shape_tensor(self.batch_shape, "_batch_shape_tensor", name)

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Tensor:
        """The shape of one sample, an int32 vector."""
        return self._shape_tensor(self.event_shape, "_event_shape_tensor", name)

    def _shape_tensor(self, known: TensorShape, method: str, name: str) -> Tensor:
        with self._scope(name):
            if known.is_fully_defined():
                return convert_to_tensor(np.array(known.as_list(), np.int32), name=name)
            return self._defined(method, name)()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Tensor:
        """Whether a sample of one distribution is a single number: a bool tensor."""
        with self._scope(name):
            return raw.Equal(raw.Size(self.event_shape_tensor()), 0)

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Tensor:
        """Whether it is a single distribution: a bool tensor."""
        with self._scope(name):
            return raw.Equal(raw.Size(self.batch_shape_tensor()), 0)

    # -- samples -----------------------------------------------------------------------------------

    def sample(
        self, sample_shape: Any = (), seed: int | None = None, name: str = "sample"
    ) -> Tensor:
        """Random numbers of this distribution.

        Args:
          sample_shape: int32 number or vector.
          seed: seed of the op (see `set_random_seed`).
          name: scope of the ops.

        Returns: a tensor of the shape `sample_shape + batch_shape + event_shape`.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print(hf.distributions.Uniform().sample([2, 3]).shape)
        (2, 3)
        """
        with self._scope(name, [sample_shape]):
            shape = convert_to_tensor(sample_shape, dtypes.int32, name="sample_shape")
            known = constant_value(shape)
            vector = reshape(shape, [-1])
            samples = self._defined("_sample_n", name)(raw.Prod(vector, 0), seed)
            result = reshape(samples, concat([vector, raw.Shape(samples)[1:]], 0))
            if known is not None:
                own = self.batch_shape.concatenate(self.event_shape)
                result.set_shape(TensorShape(np.atleast_1d(known).tolist()).concatenate(own))
            return result

    # -- probabilities -----------------------------------------------------------------------------

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """The logarithm of the probability (density) of `value`."""
        return self._either(value, name, "_log_prob", ("_prob", log))

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """The probability (density) of `value`."""
        return self._either(value, name, "_prob", ("_log_prob", exp))

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Tensor:
        """The logarithm of the probability that a sample is at most `value`."""
        return self._either(value, name, "_log_cdf", ("_cdf", log))

    def cdf(self, value: Any, name: str = "cdf") -> Tensor:
        """The probability that a sample is at most `value`."""
        return self._either(value, name, "_cdf", ("_log_cdf", exp))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Tensor:
        """The logarithm of the probability that a sample is above `value`."""
        ways = (
            ("_survival_function", log),
            ("_cdf", lambda p: log1p(-p)),
            ("_log_cdf", lambda p: log1p(-exp(p))),
        )
        return self._either(value, name, "_log_survival_function", *ways)

    def survival_function(self, value: Any, name: str = "survival_function") -> Tensor:
        """The probability that a sample is above `value`."""
        ways = (
            ("_log_survival_function", exp),
            ("_cdf", lambda p: 1.0 - p),
            ("_log_cdf", lambda p: 1.0 - exp(p)),
        )
        return self._either(value, name, "_survival_function", *ways)

    def quantile(self, value: Any, name: str = "quantile") -> Tensor:
        """The number that a sample does not exceed with probability `value`."""
        return self._either(value, name, "_quantile")

    # -- moments -----------------------------------------------------------------------------------

    def entropy(self, name: str = "entropy") -> Tensor:
        """Shannon's entropy, in nats."""
        return self._quantity(name, "_entropy")

    def mean(self, name: str = "mean") -> Tensor:
        """The mean."""
        return self._quantity(name, "_mean")

    def mode(self, name: str = "mode") -> Tensor:
        """The most probable value."""
        return self._quantity(name, "_mode")

    def variance(self, name: str = "variance") -> Tensor:
        """The variance of each number of a sample."""
        return self._quantity(name, "_variance", ("_stddev", square))

    def stddev(self, name: str = "stddev") -> Tensor:
        """The standard deviation of each number of a sample."""
        return self._quantity(name, "_stddev", ("_variance", sqrt))

    def covariance(self, name: str = "covariance") -> Tensor:
        """The covariances of the numbers of a sample, which is a vector."""
        return self._quantity(name, "_covariance")

    def cross_entropy(self, other: Distribution, name: str = "cross_entropy") -> Tensor:
        """The mean of `-other.log_prob` under this distribution, in nats."""
        with self._scope(name):
            return self.entropy() + kl_divergence(self, other, self._allow_nan_stats)

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> Tensor:
        """Kullback and Leibler's divergence of `other` from this distribution, in nats.

        Raises:
          NotImplementedError: if it is not known for these two classes (see `RegisterKL`).
        """
        with self._scope(name):
            return kl_divergence(self, other, self._allow_nan_stats)

    # -- how methods are found ---------------------------------------------------------------------

    def _scope(self, name: str, values: Any = ()) -> Any:
        return name_scope(f"{self._name}/{name}", values=[*values, *self._graph_parents])

    def _defined(self, method: str, name: str) -> Any:
        found = getattr(self, method, None)
        if found is None:
            raise NotImplementedError(f"{name} is not defined for {type(self).__name__}.")
        return found

    def _either(self, value: Any, name: str, method: str, *ways: tuple[str, Any]) -> Tensor:
        """What a method gives for a value, or else what follows from another one."""
        with self._scope(name, [value]):
            value = convert_to_tensor(value, name="value", preferred_dtype=self._dtype)
            return self._first(name, method, ways, value)

    def _quantity(self, name: str, method: str, *ways: tuple[str, Any]) -> Tensor:
        with self._scope(name):
            return self._first(name, method, ways)

    def _first(self, name: str, method: str, ways: Any, *args: Any) -> Tensor:
        for other, change in ((method, identity), *ways):
            if hasattr(self, other):
                found = getattr(self, other)(*args)
                return found if change is identity else change(found)
        return self._defined(method, name)(*args)
