"""Arguments that all losses check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.ops.arrays.casting import to_float

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape


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
        advice = _advice(labels.shape, predictions.shape)
        raise ShapeError(
            f"Shapes {predictions.shape} and {labels.shape} are incompatible: predictions (or "
            f"logits) and labels of a loss have one shape.{advice}"
        )


def _advice(labels: TensorShape, predictions: TensorShape) -> str:
    """What to write where labels or predictions have a dimension too few."""
    if labels.ndims is None or predictions.ndims is None or labels.ndims == predictions.ndims:
        return ""
    if predictions.ndims == labels.ndims + 1 and predictions[-1] != 1:
        return (
            " If labels are numbers of classes, `hf.one_hot(labels, classes)` makes rows of them; "
            "`hf.losses.sparse_softmax_cross_entropy` takes them as they are."
        )
    return (
        " `hf.expand_dims(labels, 1)` makes a column of a vector, `hf.squeeze(predictions, 1)` a "
        "vector of a column."
    )
