"""`tensorflow.compat.v2.nn`: functions with the arguments that they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.nn import basic, losses, normalization

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "dropout",
    "l2_normalize",
    "moments",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
]


def dropout(
    x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Drops elements at a rate, and makes up for it in the others."""
    return basic.dropout(x, noise_shape=noise_shape, seed=seed, name=name, rate=rate)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Any:
    """Vectors along an axis, of length 1."""
    return normalization.l2_normalize(x, axis, epsilon, name)


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over axes."""
    return normalization.moments(x, axes, shift, name, keepdims)


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """The cross entropy of independent probabilities."""
    return losses.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name=name)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Tensor:
    """The cross entropy of classes, with gradients for the labels too."""
    return losses.softmax_cross_entropy_with_logits_v2(
        labels=labels, logits=logits, dim=axis, name=name
    )


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """The cross entropy of classes that are given by number."""
    return losses.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name=name)
