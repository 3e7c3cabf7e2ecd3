"""`confusion_matrix`: how often each class was taken for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.arrays.gather import scatter_nd
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.reshaping import squeeze
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.checks.comparing import assert_less, assert_non_negative
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.elementwise import maximum
from hybridflow._src.ops.math.reductions import reduce_max

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["confusion_matrix"]


def _may_squeeze(tensor: Tensor) -> bool:
    """Whether the last dimension may turn out to be 1."""
    ndims = tensor.shape.ndims
    return ndims is None or (
        ndims > 0 and dimension_at_index(tensor.shape, -1).is_compatible_with(1)
    )


# What to write in place of what has a dimension too many.
_SCORES = "`hf.argmax(predictions, -1)` gives the class with the highest score"
_ROWS = (
    "`hf.argmax(labels, -1)` gives the numbers of classes; `hf.losses.softmax_cross_entropy` takes "
    "a row for each example"
)


def _check_last(x: Tensor, what: str, advice: str) -> None:
    """Checks that the last dimension is of size 1, if that is known."""
    sizes = x.shape.as_list()
    if sizes[-1] not in (None, 1):
        raise ShapeError(
            f"Can not squeeze dim[{len(sizes) - 1}], expected a dimension of 1, got {sizes[-1]}: "
            f"{what} are of shape {x.shape}. {advice}."
        )


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Drops the last dimension, of size 1, of what has one dimension more than is expected.

    Args:
      labels, predictions: tensors.
      expected_rank_diff: what the rank of `predictions` should be above that of `labels`.
      name: name of the name scope.

    Returns: `labels` and `predictions`.

    Raises:
      ShapeError: if that dimension is known to have another size.
    """
    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        predictions = convert_to_tensor(predictions)
        labels = convert_to_tensor(labels)
        if labels.shape.ndims is not None and predictions.shape.ndims is not None:
            known = predictions.shape.ndims - labels.shape.ndims
            if known == expected_rank_diff + 1:
                _check_last(predictions, f"predictions for labels of shape {labels.shape}", _SCORES)
                predictions = squeeze(predictions, [-1])
            elif known == expected_rank_diff - 1:
                _check_last(labels, f"labels of predictions of shape {predictions.shape}", _ROWS)
                labels = squeeze(labels, [-1])
            return labels, predictions
        difference = rank(predictions) - rank(labels)
        if _may_squeeze(predictions):
            whole_predictions = predictions
            predictions = cond(
                equal(expected_rank_diff + 1, difference),
                lambda: squeeze(whole_predictions, [-1]),
                lambda: whole_predictions,
            )
        if _may_squeeze(labels):
            whole_labels = labels
            labels = cond(
                equal(expected_rank_diff - 1, difference),
                lambda: squeeze(whole_labels, [-1]),
                lambda: whole_labels,
            )
        return labels, predictions


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """How often examples of each class (rows) were predicted to be of each class (columns).

    Args:
      labels: classes, an integer vector `[n]`.
      predictions: predicted classes, `[n]`.
      num_classes: the number of classes; one more than the greatest class that occurs by default.
      dtype: dtype of the result.
      name: name of the name scope.
      weights: what each example counts, `[n]`; 1 by default.

    Returns: a matrix `[num_classes, num_classes]`.

    Raises:
      ValueError: if shapes are known not to fit. InvalidArgumentError: for classes below 0 or not
        below `num_classes`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2]).numpy())
    [[1 0 0]
     [0 1 1]
     [0 0 1]]
    """
    with name_scope(name, "confusion_matrix", (predictions, labels, num_classes, weights)):
        labels, predictions = remove_squeezable_dimensions(
            convert_to_tensor(labels, name="labels"),
            convert_to_tensor(predictions, name="predictions"),
        )
        if not predictions.shape.is_compatible_with(labels.shape):
            raise ShapeError(
                "confusion_matrix: shapes of labels and predictions must be equal, got "
                f"{labels.shape} and {predictions.shape}"
            )
        predictions = cast(predictions, dtypes.int64)
        labels = cast(labels, dtypes.int64)
        labels = _not_negative(labels, "`labels`")
        predictions = _not_negative(predictions, "`predictions`")
        if num_classes is None:
            classes = maximum(reduce_max(predictions), reduce_max(labels)) + 1
        else:
            classes = cast(num_classes, dtypes.int64)
            labels = _below(labels, classes, "`labels`")
            predictions = _below(predictions, classes, "`predictions`")
        if weights is None:
            counts = ones_like(predictions, dtype)
        else:
            weights = convert_to_tensor(weights)
            predictions.shape.assert_is_compatible_with(weights.shape)
            counts = cast(weights, dtype)
        indices = transpose(stack([labels, predictions]))
        return scatter_nd(indices, counts, stack([classes, classes]))


def _not_negative(values: Tensor, what: str) -> Any:
    check = assert_non_negative(values, message=f"{what} contains negative values")
    return with_dependencies([check], values)


def _below(values: Tensor, bound: Tensor, what: str) -> Any:
    check = assert_less(values, bound, message=f"{what} out of bound")
    return with_dependencies([check], values)
