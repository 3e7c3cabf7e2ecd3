"""What stands for the gradient with respect to what the results do not depend on."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["UnconnectedGradients"]


class UnconnectedGradients(enum.Enum):
    """What `gradients` and `GradientTape.gradient` give where nothing depends on a source.

    Of TensorFlow 1.15.

    Attributes:
      NONE: None.
      ZERO: zeros of its shape and dtype.
    """

    NONE = "none"
    ZERO = "zero"


def fills(setting: Any) -> bool:
    """Whether zeros are given, by a member of `UnconnectedGradients` or its value.

    Raises:
      ValueError: for another one.
    """
    try:
        return UnconnectedGradients(setting) is UnconnectedGradients.ZERO
    except ValueError:
        raise ValueError(
            f"Unknown value for unconnected_gradients: {setting!r:.200}. It is a member of "
            'UnconnectedGradients, or "none" or "zero".'
        ) from None


def with_zeros(found: Iterable[Any], sources: Iterable[Any]) -> list[Any]:
    """Gradients, with zeros in the place of None."""
    return [
        raw.ZerosLike(convert_to_tensor(source)) if gradient is None else gradient
        for gradient, source in zip(found, sources, strict=True)
    ]
