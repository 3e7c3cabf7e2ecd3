"""Keras' activation functions."""

from __future__ import annotations

from hybridflow._src.layers.keras.activations import (
    elu,
    exponential,
    get,
    hard_sigmoid,
    leaky_relu,
    linear,
    relu,
    selu,
    serialize,
    sigmoid,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)

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
