"""Keras' `Dense`."""

from __future__ import annotations

from typing import Any

from hybridflow._src.layers import core
from hybridflow._src.layers.keras import activations

__all__ = ["Dense"]


class Dense(core.Dense):
    """`hf.layers.Dense` with Keras' defaults: an activation may be a name.

    Its losses are in `losses` alone, not in `GraphKeys.REGULARIZATION_LOSSES`.

    Args:
      units: size of the last dimension of the outputs.
      activation: function of the outputs, or a name of `hf.keras.activations`.
      use_bias: whether there is a bias.
      kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint: functions, or Keras' names.
      **kwargs: `trainable`, `name`, `dtype`, `input_shape`, `batch_size`, as for `hf.layers.Layer`.

    Raises:
      ValueError: for an unknown name; when called, as for `hf.layers.Dense`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     layer = hf.keras.layers.Dense(2, activation="relu", kernel_initializer="ones")
    ...     print(layer(hf.constant([[1.0, -3.0]])).numpy())
    [[0. 0.]]
    """

    losses_key = None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            None if activation is None else activations.get(activation),
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
