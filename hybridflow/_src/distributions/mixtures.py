"""`Mixture`, `MixtureSameFamily` and `Independent`: distributions made of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.categorical import Categorical
from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from hybridflow._src.distributions.kullback_leibler import RegisterKL, kl_divergence
from hybridflow._src.distributions.supports import other_seed
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.partitioning import dynamic_partition, dynamic_stitch
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.math.arg_reductions import reduce_logsumexp
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.softmax import log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Independent", "Mixture", "MixtureSameFamily"]


def _with_events(x: Tensor, ndims: int) -> Any:
    """A tensor of a batch, with dimensions for those of an event."""
    for _ in range(ndims):
        x = raw.ExpandDims(x, -1)
    return x


def _last(shape: TensorShape) -> int | None:
    """The last size of a shape, if it is known."""
    return None if shape.ndims is None else shape.as_list()[-1]


class _OfComponents(Distribution):
    """A distribution that takes each sample of one of several, chosen at random."""

    def _weights(self) -> Any:
        """The probabilities of the components, `[..., k]`."""
        raise NotImplementedError

    def _log_weights(self) -> Any:
        raise NotImplementedError

    def _each(self, method: str, *args: Any) -> Any:
        """What a method gives for each component, along an axis between batch and event."""
        raise NotImplementedError

    def _ndims(self) -> int:
        """How many dimensions an event has."""
        ndims = self.event_shape.ndims
        assert ndims is not None
        return ndims

    def _weighted(self, values: Any) -> Any:
        ndims = self._ndims()
        return reduce_sum(_with_events(self._weights(), ndims) * values, -1 - ndims)

    def _log_prob(self, x: Tensor) -> Any:
        return reduce_logsumexp(self._each("log_prob", x) + self._log_weights(), -1)

    def _log_cdf(self, x: Tensor) -> Any:
        return reduce_logsumexp(self._each("log_cdf", x) + self._log_weights(), -1)

    def _cdf(self, x: Tensor) -> Any:
        return reduce_sum(self._each("cdf", x) * self._weights(), -1)

    def _mean(self) -> Any:
        return self._weighted(self._each("mean"))

    def _variance(self) -> Any:
        # The mean of the variances and the variance of the means.
        means = self._each("mean")
        middle = raw.ExpandDims(self._weighted(means), -1 - self._ndims())
        return self._weighted(self._each("variance") + square(means - middle))


class Mixture(_OfComponents):
    """A mixture: each sample is of one of several distributions, chosen at random.

    Args:
      cat: a `Categorical`, of whose batch shape the components are: which of them it is.
      components: list of distributions of one dtype, batch and event shape.
      validate_args: accepted; the components check what they are told to.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      use_static_graph: whether all components are drawn for all samples; then samples have
        gradients if those of the components do.
      name: how scopes of ops begin.

    Raises:
      TypeError: if `cat` or a component is nothing of that kind. ValueError: if there are no
        components, or others than `cat` has classes, or they differ in dtype or shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     d = hf.contrib.distributions
    ...     components = [d.Normal(0.0, 1.0), d.Normal(4.0, 2.0)]
    ...     x = d.Mixture(d.Categorical(probs=[0.25, 0.75]), components)
    ...     print(x.mean().numpy(), x.prob(0.0).numpy().round(4), x.sample(5, seed=1).shape)
    3.0 0.12 (5,)
    """

    def __init__(
        self,
        cat: Categorical,
        components: Sequence[Distribution],
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        use_static_graph: bool = False,
        name: str = "Mixture",
    ) -> None:
        parameters = locals()
        if not isinstance(cat, Categorical):
            raise TypeError(f"cat must be a Categorical distribution, but saw: {cat}")
        if not components:
            raise ValueError("components must be a list of at least one distribution.")
        if not isinstance(components, (list, tuple)) or not all(
            isinstance(each, Distribution) for each in components
        ):
            raise TypeError(f"all components must be Distribution instances, got {components}")
        dtype = components[0].dtype
        if any(each.dtype != dtype for each in components):
            names = [f"{each.name}: {each.dtype.name}" for each in components]
            raise TypeError(f"All components must have the same dtype, but saw: {names}")
        self._event, self._batch = components[0].event_shape, cat.batch_shape
        for each in components:
            self._event = self._event.merge_with(each.event_shape)
            self._batch = self._batch.merge_with(each.batch_shape)
        if self._event.ndims is None:
            raise ValueError("Expected to know rank(event_shape) from components.")
        classes = _last(cat.logits.shape)
        if classes is not None and classes != len(components):
            raise ValueError(
                f"cat has {classes} classes, and there are {len(components)} components."
            )
        self._cat, self._components = cat, list(components)
        self._use_static_graph = use_static_graph
        parents = {id(t): t for d in (cat, *components) for t in d._graph_parents}
        kinds = {each.reparameterization_type for each in components}
        super().__init__(
            dtype,
            kinds.pop() if use_static_graph and len(kinds) == 1 else NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            list(parents.values()),
            name,
        )

    @property
    def cat(self) -> Categorical:
        """Which component it is."""
        return self._cat

    @property
    def components(self) -> list[Distribution]:
        """The distributions of which it is made."""
        return self._components

    @property
    def num_components(self) -> int:
        """How many there are."""
        return len(self._components)

    def _batch_shape(self) -> TensorShape:
        return self._batch

    def _batch_shape_tensor(self) -> Tensor:
        return self._cat.batch_shape_tensor()

    def _event_shape(self) -> TensorShape:
        return self._event

    def _event_shape_tensor(self) -> Tensor:
        return self._components[0].event_shape_tensor()

    def _weights(self) -> Any:
        return softmax(self._cat.logits)

    def _log_weights(self) -> Any:
        return log_softmax(self._cat.logits)

    def _each(self, method: str, *args: Any) -> Any:
        found = [getattr(each, method)(*args) for each in self._components]
        return stack(found, -1 if args else -1 - self._ndims())

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        chosen = self._cat.sample(n, seed=seed)
        if self._use_static_graph:
            return self._chosen_of_all(n, chosen, seed)
        # Each component is drawn as often as it was chosen, for the whole batch, of which the
        # distribution that had chosen it takes its own.
        flat = reshape(chosen, [-1])
        count = len(self._components)
        batch = raw.Prod(self.batch_shape_tensor(), 0)
        numbers = raw.Range(0, raw.Size(flat), 1)
        places = dynamic_partition(numbers, flat, count)
        event = self.event_shape_tensor()
        drawn = []
        for each, at in zip(self._components, places, strict=True):
            seed = other_seed(seed, "mixture")
            samples = each.sample(raw.Size(at), seed=seed)
            rows = reshape(samples, concat([[-1], event], 0))
            drawn.append(gather(rows, raw.Range(0, raw.Size(at), 1) * batch + at % batch))
        shape = concat([raw.Shape(chosen), event], 0)
        return reshape(dynamic_stitch(places, drawn), shape)

    def _chosen_of_all(self, n: Any, chosen: Tensor, seed: int | None) -> Any:
        drawn = []
        for each in self._components:
            seed = other_seed(seed, "mixture")
            drawn.append(each.sample(n, seed=seed))
        ndims = self._ndims()
        mask = _with_events(one_hot(chosen, len(drawn), dtype=self.dtype), ndims)
        return reduce_sum(stack(drawn, -1 - ndims) * mask, -1 - ndims)

    def entropy_lower_bound(self, name: str = "entropy_lower_bound") -> Tensor:
        """A number that the entropy is not below: the mean of the entropies of the components."""
        with self._scope(name):
            found = stack([each.entropy() for each in self._components], -1)
            return reduce_sum(found * self._weights(), -1)


class MixtureSameFamily(_OfComponents):
    """A mixture of distributions of one class, which are the last dimension of a batch.

    Args:
      mixture_distribution: a `Categorical` with k classes: which of them it is.
      components_distribution: a distribution of the batch shape `[..., k]`.
      validate_args: accepted; the distributions check what they are told to.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if the number of classes is not that of the components.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     d = hf.contrib.distributions
    ...     x = d.MixtureSameFamily(
    ...         d.Categorical(probs=[0.25, 0.75]), d.Normal([0.0, 4.0], [1.0, 2.0]))
    ...     print(x.mean().numpy(), x.stddev().numpy().round(4), x.prob(0.0).numpy().round(4))
    3.0 2.5 0.12
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        components_distribution: Distribution,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MixtureSameFamily",
    ) -> None:
        parameters = locals()
        self._mixture, self._family = mixture_distribution, components_distribution
        if components_distribution.event_shape.ndims is None:
            raise ValueError("Expected to know rank(event_shape) from components.")
        classes = _last(mixture_distribution.logits.shape)
        of_components = components_distribution.batch_shape
        count = _last(of_components) if of_components.ndims else None
        if of_components.ndims == 0 or (None not in (classes, count) and classes != count):
            raise ValueError(
                f"`mixture_distribution` components ({classes}) does not equal "
                f"`components_distribution.batch_shape[-1]` ({count})"
            )
        parents = [*mixture_distribution._graph_parents, *components_distribution._graph_parents]
        super().__init__(
            components_distribution.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            parents,
            name,
        )

    @property
    def mixture_distribution(self) -> Categorical:
        """Which component it is."""
        return self._mixture

    @property
    def components_distribution(self) -> Distribution:
        """The distributions of which it is made."""
        return self._family

    def _batch_shape(self) -> TensorShape:
        return self._family.batch_shape.with_rank_at_least(1)[:-1]

    def _batch_shape_tensor(self) -> Tensor:
        return self._family.batch_shape_tensor()[:-1]

    def _event_shape(self) -> TensorShape:
        return self._family.event_shape

    def _event_shape_tensor(self) -> Tensor:
        return self._family.event_shape_tensor()

    def _weights(self) -> Any:
        return softmax(self._mixture.logits)

    def _log_weights(self) -> Any:
        return log_softmax(self._mixture.logits)

    def _each(self, method: str, *args: Any) -> Any:
        ndims = self._ndims()
        return getattr(self._family, method)(*[raw.ExpandDims(arg, -1 - ndims) for arg in args])

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        drawn = self._family.sample(n, seed=seed)
        chosen = self._mixture.sample(n, seed=other_seed(seed, "MixtureSameFamily"))
        ndims = self._ndims()
        count = self._family.batch_shape_tensor()[-1]
        mask = one_hot(chosen, count, dtype=self.dtype)
        return reduce_sum(drawn * _with_events(mask, ndims), -1 - ndims)

    def _covariance(self) -> Any:
        if self._ndims() != 1:
            raise NotImplementedError("covariance is defined for distributions of vectors alone.")
        means = self._each("mean")
        apart = means - raw.ExpandDims(self._weighted(means), -2)
        outer = raw.ExpandDims(apart, -1) * raw.ExpandDims(apart, -2)
        return reduce_sum(_with_events(self._weights(), 2) * (self._each("covariance") + outer), -3)


class Independent(Distribution):
    """A batch of distributions as one, of all their numbers together.

    Args:
      distribution: the distribution.
      reinterpreted_batch_ndims: how many of the last dimensions of its batch become dimensions of
        the event; all but the first by default.
      validate_args: accepted; the distribution checks what it is told to.
      name: how scopes of ops begin; by default "Independent" and the distribution's name.

    Raises:
      ValueError: if the batch has not so many dimensions, or its rank is not known.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     d = hf.contrib.distributions
    ...     x = d.Independent(d.Normal([0.0, 1.0], [1.0, 2.0]), reinterpreted_batch_ndims=1)
    ...     print(x.batch_shape, x.event_shape, x.log_prob([0.0, 1.0]).numpy().round(4))
    () (2,) -2.531
    """

    def __init__(
        self,
        distribution: Distribution,
        reinterpreted_batch_ndims: int | None = None,
        validate_args: bool = False,
        name: str | None = None,
    ) -> None:
        parameters = locals()
        rank = distribution.batch_shape.ndims
        if rank is None:
            raise ValueError("The rank of the batch shape must be known.")
        count = max(0, rank - 1) if reinterpreted_batch_ndims is None else reinterpreted_batch_ndims
        if not 0 <= count <= rank:
            raise ValueError(
                f"reinterpreted_batch_ndims({count}) cannot exceed distribution.batch_ndims({rank})"
            )
        self._base, self._count = distribution, int(count)
        super().__init__(
            distribution.dtype,
            distribution.reparameterization_type,
            validate_args,
            distribution.allow_nan_stats,
            parameters,
            distribution._graph_parents,
            name or f"Independent{distribution.name}",
        )

    @property
    def distribution(self) -> Distribution:
        """The batch of distributions."""
        return self._base

    @property
    def reinterpreted_batch_ndims(self) -> int:
        """How many dimensions of its batch are dimensions of the event."""
        return self._count

    def _batch_shape(self) -> TensorShape:
        shape = self._base.batch_shape
        return shape[: len(shape) - self._count]

    def _batch_shape_tensor(self) -> Tensor:
        shape = self._base.batch_shape_tensor()
        return shape[: len(self._base.batch_shape) - self._count]

    def _event_shape(self) -> TensorShape:
        shape = self._base.batch_shape
        return shape[len(shape) - self._count :].concatenate(self._base.event_shape)

    def _event_shape_tensor(self) -> Tensor:
        shape = self._base.batch_shape_tensor()
        own = shape[len(self._base.batch_shape) - self._count :]
        return concat([own, self._base.event_shape_tensor()], 0)

    def _summed(self, value: Any) -> Any:
        return reduce_sum(value, list(range(-self._count, 0))) if self._count else value

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        return self._base.sample(n, seed=seed)

    def _log_prob(self, x: Tensor) -> Any:
        return self._summed(self._base.log_prob(x))

    def _entropy(self) -> Any:
        return self._summed(self._base.entropy())

    def _mean(self) -> Tensor:
        return self._base.mean()

    def _variance(self) -> Tensor:
        return self._base.variance()

    def _stddev(self) -> Tensor:
        return self._base.stddev()

    def _mode(self) -> Tensor:
        return self._base.mode()


@RegisterKL(Independent, Independent)
def _divergence(a: Independent, b: Independent, name: str | None = None) -> Any:
    if a.event_shape.ndims != b.event_shape.ndims or a._count != b._count:
        raise NotImplementedError("KL between Independents with different event shapes.")
    return a._summed(kl_divergence(a.distribution, b.distribution, name=name))
