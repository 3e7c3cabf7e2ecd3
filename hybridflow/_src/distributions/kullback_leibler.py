"""Kullback and Leibler's divergences, registered by the classes of two distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.math.comparison import is_nan
from hybridflow._src.ops.math.reductions import reduce_any

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["RegisterKL", "kl_divergence"]

_FUNCTIONS: dict[tuple[type, type], Callable[..., Any]] = {}


def _found(first: type, second: type) -> Callable[..., Any]:
    """The function of the nearest classes among those from which two classes derive."""
    pairs = [
        (i + j, _FUNCTIONS[a, b])
        for i, a in enumerate(first.__mro__)
        for j, b in enumerate(second.__mro__)
        if (a, b) in _FUNCTIONS
    ]
    if not pairs:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type "
            f"{first.__name__} and distribution_b type {second.__name__}. Register one by "
            "@hf.distributions.RegisterKL."
        )
    return min(pairs, key=lambda pair: pair[0])[1]


def kl_divergence(
    distribution_a: Any,
    distribution_b: Any,
    allow_nan_stats: bool = True,
    name: str | None = None,
) -> Any:
    """The divergence of b from a: the mean of `log a(x) - log b(x)` under a, in nats.

    Args:
      distribution_a, distribution_b: distributions whose batch shapes fit together.
      allow_nan_stats: whether the result may be NaN; else that is an error.
      name: scope of the ops.

    Returns: what the function for their classes gives: a tensor of the batch shape.

    Raises:
      NotImplementedError: if no function is registered for their classes.
      InvalidArgumentError: when it runs, if the result is NaN and that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     a, b = hf.distributions.Normal(0.0, 1.0), hf.distributions.Normal(1.0, 1.0)
    ...     print(hf.distributions.kl_divergence(a, b).numpy())
    0.5
    """
    function = _found(type(distribution_a), type(distribution_b))
    with name_scope("KullbackLeibler"):
        result = function(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return result
        result = convert_to_tensor(result)
        a, b = distribution_a.name, distribution_b.name
        words = f"KL calculation between {a} and {b} returned NaN values:"
        check = Assert(~reduce_any(is_nan(result)), [words, result])
        with control_dependencies([] if check is None else [check]):
            return identity(result)


class RegisterKL:
    """Registers a function as the divergence of distributions of two classes.

    Args:
      dist_cls_a, dist_cls_b: the classes; the function also serves those that derive from them,
        unless there is a nearer one.

    Raises:
      TypeError: when it decorates what cannot be called.
      ValueError: when there is a function for these classes.

    >>> import hybridflow as hf
    >>> class Mine(hf.distributions.Normal):
    ...     pass
    >>> @hf.distributions.RegisterKL(Mine, Mine)
    ... def divergence(a, b, name=None):
    ...     return hf.constant(7.0)
    >>> with hf.eager_mode():
    ...     print(hf.distributions.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)).numpy())
    7.0
    """

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        self._key = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn: Any) -> Any:
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn}")
        if self._key in _FUNCTIONS:
            a, b = (cls.__name__ for cls in self._key)
            known = _FUNCTIONS[self._key]
            raise ValueError(f"KL({a} || {b}) has already been registered to: {known}")
        _FUNCTIONS[self._key] = kl_fn
        return kl_fn
