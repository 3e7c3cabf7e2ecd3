"""Arguments that all losses check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.ops.arrays.casting import to_float

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor


def given(**values: Any) -> None:
    """Raises ValueError, with the name, if one of the values is None."""
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must not be None.")


def floats(labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """Labels and predictions as float32 tensors of compatible shapes."""
    predictions = to_float(predictions)
    labels = to_float(labels)
    check_alike(labels, predictions)
    return labels, predictions


def check_alike(labels: Tensor, predictions: Tensor) -> None:
    """Checks that labels have the shape of what is compared with them.

    Raises:
      ShapeError: if they do not.
    """
    if not predictions.shape.is_compatible_with(labels.shape):
        raise ShapeError(
            f"Shapes {predictions.shape} and {labels.shape} are incompatible: predictions (or "
            "logits) and labels of a loss have one shape. `hf.expand_dims(labels, 1)` makes a "
            "column of a vector, `hf.squeeze(predictions, 1)` a vector of a column."
        )
