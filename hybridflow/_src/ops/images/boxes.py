"""Boxes on images: drawn, and chosen where they overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.kernels.boxes import SUPPRESS
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.images.shapes import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["draw_bounding_boxes", "non_max_suppression"]

# Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia.
_COLORS = np.array(
    [
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1],
        [0.5, 0, 0, 1],
        [0, 0, 0.5, 1],
        [0, 1, 1, 1],
        [1, 0, 1, 1],
    ],
    np.float32,
)


# -- drawing ---------------------------------------------------------------------------------------


def _draw(images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or boxes.ndim != 3:
        raise invalid(
            "images must have rank 4 and boxes rank 3, got shapes "
            f"{list(images.shape)} and {list(boxes.shape)}"
        )
    if len(images) != len(boxes) or boxes.shape[2] != 4:
        raise invalid(
            f"boxes must have shape [{len(images)}, n, 4] for {len(images)} images, got "
            f"{list(boxes.shape)}"
        )
    count, height, width, channels = images.shape
    if channels not in (1, 3, 4):
        raise invalid(
            f"Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA), got {channels}"
        )
    drawn = np.array(images, order="C")
    colors = _COLORS[:, :channels].astype(images.dtype)
    if channels == 1:
        colors[:] = 1
    last = np.array([height - 1, width - 1, height - 1, width - 1], np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        # What is no number, or huge, is outside of the image.
        edges = np.nan_to_num(boxes.astype(np.float32) * last, nan=-1e9, posinf=1e9, neginf=-1e9)
    # Towards zero; 2 ** 53 is far outside, and a whole number.
    places = np.clip(np.trunc(edges), -(2.0**53), 2.0**53).astype(np.int64)
    for number in range(count):
        for at, box in enumerate(places[number].tolist()):
            _draw_box(drawn[number], box, colors[at % len(colors)])
    return drawn


def _draw_box(canvas: np.ndarray, box: list[int], color: np.ndarray) -> None:
    """Draws the edges of a box that are inside of an image."""
    height, width = canvas.shape[:2]
    top, left, bottom, right = box
    if top > bottom or left > right:
        return
    if top >= height or left >= width or bottom < 0 or right < 0:
        return
    rows = slice(max(top, 0), min(bottom, height - 1) + 1)
    columns = slice(max(left, 0), min(right, width - 1) + 1)
    for row in (top, bottom):
        if 0 <= row < height:
            canvas[row, columns] = color
    for column in (left, right):
        if 0 <= column < width:
            canvas[rows, column] = color


def _draw_shape(attrs: dict[str, Any], images: Tensor, boxes: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(images, 4)
    shape_rules.with_rank(boxes, 3)
    return images._dims


def _draw_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for channels, kind in ((1, np.float32), (3, np.float32), (4, np.float16)):
        images = rng.uniform(size=(2, 6, 7, channels)).astype(kind)
        yield Sample(images, rng.uniform(-0.3, 1.3, (2, 12, 4)).astype(np.float32))
    yield Sample(images, np.full((2, 1, 4), np.nan, np.float32))
    yield Sample(images, np.zeros((2, 0, 4), np.float32))


_draw_op = OpDef(
    "DrawBoundingBoxes",
    "images: T, boxes: float32 -> output: T",
    types=(dtypes.float16, dtypes.float32),
    shape=_draw_shape,
    compute=_draw,
    grad=not_differentiable,
    samples=_draw_samples,
)


def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None) -> Tensor:
    """Images with the edges of boxes drawn on them, in ten colors by turns (white on gray).

    Args:
      images: tensor `[n, height, width, channels]` of float16 or float32, from 0 to 1: gray, RGB or
        RGBA.
      boxes: float32 `[n, boxes, 4]`: `[y_min, x_min, y_max, x_max]`, where 0 is the first row or
        column and 1 the last one. What is outside of an image, or upside down, is not drawn.
      name: name of the op.

    Returns: a tensor like `images`.

    Raises:
      InvalidArgumentError: for shapes that do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn = hf.image.draw_bounding_boxes(hf.zeros([1, 3, 4, 1]), [[[0.0, 0.4, 1.0, 1.0]]])
    ...     print(drawn.numpy()[0, :, :, 0])
    [[0. 1. 1. 1.]
     [0. 1. 0. 1.]
     [0. 1. 1. 1.]]
    """
    found: Tensor = _draw_op(images, convert_to_tensor(boxes, dtypes.float32, "boxes"), name=name)
    return found


# -- choosing --------------------------------------------------------------------------------------


def _suppress(
    boxes: np.ndarray, scores: np.ndarray, max_output_size: np.ndarray, iou_threshold: np.ndarray
) -> np.ndarray:
    threshold = np.float32(number_of(iou_threshold, "iou_threshold"))
    if not 0 <= threshold <= 1:
        raise invalid(f"iou_threshold must be in [0, 1], got {threshold}")
    most = number_of(max_output_size, "max_output_size")
    if most < 0:
        raise invalid(f"max_output_size must be non-negative, got {most}")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise invalid(f"boxes must be 2-D and have 4 columns, got shape {list(boxes.shape)}")
    if scores.shape != (len(boxes),):
        raise invalid(
            f"scores has incompatible shape {list(scores.shape)}: there are {len(boxes)} boxes"
        )
    order = np.argsort(-scores, kind="stable")
    # Columns, which are read as wholes again and again.
    sorted_boxes = np.ascontiguousarray(boxes[order].T)
    top, bottom = (f(sorted_boxes[0], sorted_boxes[2]) for f in (np.minimum, np.maximum))
    left, right = (f(sorted_boxes[1], sorted_boxes[3]) for f in (np.minimum, np.maximum))
    most = min(most, len(order))
    with np.errstate(invalid="ignore", over="ignore"):
        area = (bottom - top) * (right - left)
        if SUPPRESS.is_there(len(order) * most):
            chosen = np.empty(1 + most, np.int64)
            part = np.array([threshold], np.float32)
            SUPPRESS(len(order), most, top, bottom, left, right, area, part, chosen)
            best = chosen[1 : 1 + chosen[0]]
        else:
            best = _chosen(top, bottom, left, right, area, threshold, most)
    return order[best].astype(np.int32)


def _chosen(
    top: np.ndarray,
    bottom: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    area: np.ndarray,
    threshold: np.float32,
    most: int,
) -> np.ndarray:
    """What the kernel `boxes.suppress` does."""
    remaining = np.arange(len(area))
    chosen: list[int] = []
    while remaining.size and len(chosen) < most:
        best, remaining = remaining[0], remaining[1:]
        chosen.append(int(best))
        if not area[best] > 0:
            # It overlaps nothing, like what is no number.
            continue
        low, high = np.maximum(top[best], top[remaining]), bottom[remaining]
        shared = np.maximum(np.minimum(bottom[best], high) - low, np.float32(0))
        low, high = np.maximum(left[best], left[remaining]), right[remaining]
        shared *= np.maximum(np.minimum(right[best], high) - low, np.float32(0))
        both = area[best] + area[remaining] - shared
        overlapping = (shared > threshold * both) & (area[remaining] > 0)
        remaining = remaining[~overlapping]
    return np.array(chosen, np.int64)


def _suppress_shape(
    attrs: dict[str, Any], boxes: Tensor, scores: Tensor, most: Tensor, threshold: Tensor
) -> shape_rules.Dims:
    count, four = shape_rules.with_rank(boxes, 2)
    shape_rules.same_size(four, 4)
    shape_rules.same_size(count, shape_rules.with_rank(scores, 1)[0])
    shape_rules.with_rank(most, 0)
    shape_rules.with_rank(threshold, 0)
    return (None,)


def _suppress_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for count, most, threshold in ((20, 20, 0.3), (20, 3, 0.5), (1, 1, 0.0), (0, 4, 1.0)):
        boxes = rng.uniform(size=(count, 4)).astype(np.float32)
        scores = rng.uniform(size=count).astype(np.float32)
        yield Sample(boxes, scores, np.array(most, np.int32), np.array(threshold, np.float32))


_suppress_op = OpDef(
    "NonMaxSuppressionV2",
    "boxes: float32, scores: float32, max_output_size: int32, iou_threshold: float32 "
    "-> selected_indices: int32",
    shape=_suppress_shape,
    compute=_suppress,
    grad=not_differentiable,
    samples=_suppress_samples,
)


def _suppress_low(
    boxes: np.ndarray,
    scores: np.ndarray,
    max_output_size: np.ndarray,
    iou_threshold: np.ndarray,
    score_threshold: np.ndarray,
) -> np.ndarray:
    if scores.shape != boxes.shape[:1]:
        return _suppress(boxes, scores, max_output_size, iou_threshold)
    kept = np.flatnonzero(scores > number_of(score_threshold, "score_threshold"))
    found = _suppress(boxes[kept], scores[kept], max_output_size, iou_threshold)
    return kept[found].astype(np.int32)


# Those of low scores are left out first.
OpDef(
    "NonMaxSuppressionV3",
    "boxes: float32, scores: float32, max_output_size: int32, iou_threshold: float32, "
    "score_threshold: float32 -> selected_indices: int32",
    shape=lambda attrs, boxes, scores, most, threshold, score: _suppress_shape(
        attrs, boxes, scores, most, threshold
    ),
    compute=_suppress_low,
    grad=not_differentiable,
    samples=lambda rng: (
        Sample(*sample.args, np.array(0.4, np.float32)) for sample in _suppress_samples(rng)
    ),
)


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    name: str | None = None,
) -> Tensor:
    """Which boxes stay if each leaves out those of lower score that it overlaps too much.

    Args:
      boxes: float32 `[boxes, 4]`: two opposite corners `[y1, x1, y2, x2]`, in any order.
      scores: float32 `[boxes]`. Of equal ones the first counts more.
      max_output_size: int32 scalar: how many stay at most.
      iou_threshold: float32 scalar in [0, 1]: the area that two boxes share, as a part of the area
        of both; with a larger one the second is left out. Boxes without area share none.
      name: scope of the ops.

    Returns: an int32 vector: the numbers of the boxes that stay, by falling score.

    Raises:
      InvalidArgumentError: for shapes that do not fit, a threshold outside of [0, 1].

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [2.0, 2.0, 3.0, 3.0]]
    ...     print(hf.image.non_max_suppression(boxes, [0.8, 0.9, 0.3], 3).numpy())
    [1 2]
    """
    with name_scope(name, "non_max_suppression", [boxes, scores]):
        threshold = convert_to_tensor(iou_threshold, dtypes.float32, name="iou_threshold")
        most = convert_to_tensor(max_output_size, dtypes.int32, name="max_output_size")
        found: Tensor = _suppress_op(boxes, scores, most, threshold)
        return found
