"""Keras' activation functions, and the names that it knows them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.linalg.norms import clip_by_value
from hybridflow._src.ops.math.exponential import exp, sigmoid
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.ops.nn.activations import (
    elu,
    leaky_relu,
    relu,
    selu,
    softplus,
    softsign,
    swish,
)
from hybridflow._src.ops.nn.softmax import softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "elu",
    "exponential",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


def exponential(x: Any) -> Tensor:
    """e to the power of `x`, elementwise."""
    return exp(x)


def hard_sigmoid(x: Any) -> Tensor:
    """A sigmoid of straight lines: `0.2 * x + 0.5`, at least 0 and at most 1.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.keras.activations.hard_sigmoid(hf.constant([-3.0, 0.0, 1.0])).numpy())
    [0.  0.5 0.7]
    """
    return clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


_KNOWN = {
    function.__name__: function
    for function in (
        elu,
        exponential,
        hard_sigmoid,
        leaky_relu,
        linear,
        relu,
        selu,
        sigmoid,
        softmax,
        softplus,
        softsign,
        swish,
        tanh,
    )
}


def get(identifier: Any) -> Callable[[Any], Any]:
    """The function that a name stands for; a function itself; `linear` for None.

    Raises:
      ValueError: if there is none of that name, or it is no function.

    >>> import hybridflow as hf
    >>> hf.keras.activations.get("relu") is hf.nn.relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str) and identifier in _KNOWN:
        return _KNOWN[identifier]
    if callable(identifier):
        function: Callable[[Any], Any] = identifier
        return function
    raise ValueError(
        f"Unknown activation function: {identifier!r}. There are {', '.join(sorted(_KNOWN))}; or "
        "pass a function of a tensor."
    )


def serialize(activation: Callable[[Any], Any]) -> str:
    """The name of an activation function.

    Raises:
      ValueError: if it is none of Keras'.
    """
    for name, function in _KNOWN.items():
        if function is activation:
            return name
    raise ValueError(f"Cannot serialize {activation!r}: it is none of Keras' activation functions.")
