"""Arguments that all losses check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions
