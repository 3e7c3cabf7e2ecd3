"""`tensorflow.python.keras.utils.tf_utils`: what Keras is told of classes of tensors."""

from __future__ import annotations

__all__ = ["register_symbolic_tensor_type"]


def register_symbolic_tensor_type(cls: type) -> None:
    """Does nothing: layers take all that a conversion function makes a tensor of."""
