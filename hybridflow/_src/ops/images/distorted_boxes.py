"""Parts of images drawn at random around boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.random_numbers import uniform_float32
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import SIGNED
from hybridflow._src.ops.images.shapes import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sample_distorted_bounding_box"]

_F = np.float32
# Top, left, bottom and right.
_Box = tuple[int, int, int, int]
_LARGEST = 2**31 - 1


class _Draws:
    """Words of a stream, one after the other."""

    def __init__(self, generator: Philox, blocks: int) -> None:
        self._generator = generator
        self._start = generator.reserve(blocks)
        self._block = 0
        self._words: list[int] = []

    def word(self) -> int:
        if not self._words:
            offset = np.array([self._block], np.uint64)
            self._words = self._generator.words(self._start, offset)[0].tolist()[::-1]
            self._block += 1
        return self._words.pop()

    def fraction(self) -> np.float32:
        """A float in [0, 1)."""
        return uniform_float32(np.array([self.word()], np.uint32))[0]

    def below(self, count: int) -> int:
        """A whole number in [0, count), each as likely."""
        word = self.word()
        if count & (count - 1) == 0:
            return word & (count - 1)
        # The first so many words would make small numbers likelier.
        while word < (2**32 - 1) % count + 1:
            word = self.word()
        return word % count


def _round(x: Any) -> int:
    """To the nearest whole number, halves to even ones."""
    return int(np.rint(_F(x)))


def _area(box: _Box) -> np.float32:
    top, left, bottom, right = box
    return _F((bottom - top) * (right - left))


def _part(
    draws: _Draws, height: int, width: int, area_range: Sequence[float], aspect: np.float32
) -> _Box | None:
    """A part of an image whose width is `aspect` times its height, drawn at random.

    Its height is drawn evenly from those that give an area in the range, then its place.
    Returns None if there is none.
    """
    least, most = (_F(_F(_F(share) * _F(width)) * _F(height)) for share in area_range)
    if not area_range[1] > 0 or not aspect > 0 or not width or not height or least > most:
        return None
    rows = _round(np.sqrt(least / aspect))
    tallest = _round(np.sqrt(most / aspect))
    if _round(_F(tallest) * aspect) > width:
        # The tallest part whose width, rounded, is not larger than that of the image.
        tallest = int((width + 0.5 - _F(0.0000001)) / np.float64(aspect))
    tallest = min(tallest, height)
    rows = min(rows, tallest)
    if rows < tallest:
        rows += draws.below(tallest - rows + 1)
    columns = _round(_F(rows) * aspect)
    # Rounding may have left the range: one row more or less may be in it.
    if _F(rows * columns) < least:
        rows += 1
        columns = _round(_F(rows) * aspect)
    if _F(rows * columns) > most:
        rows -= 1
        columns = _round(_F(rows) * aspect)
    if not least <= _F(rows * columns) <= most:
        return None
    if not 0 < columns <= width or not 0 < rows <= height:
        return None
    top = draws.below(height - rows) if rows < height else 0
    left = draws.below(width - columns) if columns < width else 0
    return top, left, top + rows, left + columns


def _covers(part: _Box, boxes: list[_Box], share: np.float32) -> bool:
    """Whether a part has such a share of one of the boxes."""
    if _area(part) < 1:
        return False
    for box in boxes:
        whole = _area(box)
        if whole < 1:
            continue
        top, left = max(part[0], box[0]), max(part[1], box[1])
        bottom, right = min(part[2], box[2]), min(part[3], box[3])
        shared = _F(0) if top > bottom or left > right else _area((top, left, bottom, right))
        if shared / whole >= share:
            return True
    return False


def _boxes_of(boxes: np.ndarray, height: int, width: int, whole: bool) -> list[_Box]:
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise invalid(f"bounding_boxes must have shape [batch, boxes, 4], got {list(boxes.shape)}")
    if not boxes.size:
        if not whole:
            raise invalid(
                "No bounding boxes provided as input. One must enable "
                "use_image_if_no_bounding_boxes if you wish to not provide any bounding boxes."
            )
        return [(0, 0, height, width)]
    bad = boxes[~((boxes >= 0) & (boxes <= 1))]
    if bad.size:
        raise invalid(f"All bounding box coordinates must be in [0.0, 1.0], got {bad[0]}")
    sizes = np.array([height, width, height, width], np.float32)
    places = (boxes.reshape(-1, 4) * sizes).astype(np.int64)
    return [(top, left, bottom, right) for top, left, bottom, right in places.tolist()]


def _kernel(
    seed: int,
    seed2: int,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
) -> Callable[..., Any]:
    generator = Philox(seed, seed2)
    narrow, wide = map(_F, aspect_ratio_range)

    def compute(
        image_size: np.ndarray, bounding_boxes: np.ndarray, min_object_covered: np.ndarray, **_: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if image_size.shape != (3,):
            raise invalid(f"image_size must contain 3 elements, got {list(image_size.shape)}")
        height, width = image_size.tolist()[:2]
        if not 0 <= height < _LARGEST or not 0 <= width < _LARGEST:
            raise invalid(f"image height and width must be in [0, 2**31 - 1), got {height, width}")
        covered = _F(number_of(min_object_covered, "min_object_covered"))
        if not covered >= 0:
            raise invalid(f"Min object covered must be non-negative: {covered}")
        boxes = _boxes_of(bounding_boxes, height, width, use_image_if_no_bounding_boxes)
        draws = _Draws(generator, max_attempts)
        chosen: _Box = 0, 0, height, width
        for _attempt in range(max_attempts):
            aspect = _F(draws.fraction() * (wide - narrow) + narrow)
            part = _part(draws, height, width, area_range, aspect)
            if part is not None and _covers(part, boxes, covered):
                chosen = part
                break
        top, left, bottom, right = chosen
        sizes = np.array([height, width, height, width], np.float32)
        with np.errstate(invalid="ignore"):
            box = np.array(chosen, np.float32) / sizes
        kind = image_size.dtype
        begin = np.array([top, left, 0]).astype(kind)
        # The last one is -1, which uint8 holds as 255.
        size = np.array([bottom - top, right - left, -1]).astype(kind)
        return begin, size, box.reshape(1, 1, 4)

    return compute


def _shape(attrs: dict[str, Any], size: Tensor, boxes: Tensor, covered: Tensor) -> list[Any]:
    shape_rules.same_size(shape_rules.with_rank(size, 1)[0], 3)
    shape_rules.with_rank(covered, 0)
    return [(3,), (3,), (1, 1, 4)]


_op = OpDef(
    "SampleDistortedBoundingBoxV2",
    "image_size: T, bounding_boxes: float32, min_object_covered: float32 "
    "-> begin: T, size: T, bboxes: float32",
    types=(dtypes.uint8, *SIGNED),
    attrs={
        "seed": 0,
        "seed2": 0,
        "aspect_ratio_range": (0.75, 1.33),
        "area_range": (0.05, 1.0),
        "max_attempts": 100,
        "use_image_if_no_bounding_boxes": False,
    },
    shape=_shape,
    kernel=_kernel,
    stateful=True,
    grad=not_differentiable,
)


def _range(values: Any, what: str, default: tuple[float, float]) -> tuple[float, float]:
    """Two numbers above zero."""
    if values is None:
        return default
    found = tuple([float(value) for value in values])
    if len(found) != 2:
        raise invalid(f"{what} field must specify 2 dimensions, got {len(found)}")
    if not (found[0] > 0 and found[1] > 0):
        raise invalid(f"{what} must be positive: {list(found)}")
    return found[0], found[1]


class DistortedBox(NamedTuple):
    """What `sample_distorted_bounding_box` gives."""

    begin: Tensor
    size: Tensor
    bboxes: Tensor


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = None,
    seed2: int | None = None,
    min_object_covered: Any = None,
    aspect_ratio_range: Sequence[float] | None = None,
    area_range: Sequence[float] | None = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> DistortedBox:
    """A part of an image, drawn at random, that shows enough of one of the boxes on it.

    Args:
      image_size: int8 to int64 or uint8, `[height, width, channels]`.
      bounding_boxes: float32 `[batch, boxes, 4]`: `[y_min, x_min, y_max, x_max]`, each from 0 to 1.
      seed, seed2: seeds of the op, as they are: without them other parts come in each session.
      min_object_covered: which share of a box must be in the part: 0.1.
      aspect_ratio_range: what its width divided by its height may be: 0.75 to 1.33.
      area_range: its share of the image: 0.05 to 1.
      max_attempts: after so many parts that do not fit it is all of the image: 100.
      use_image_if_no_bounding_boxes: whether the image counts as a box where there is none, which
        else is an error.
      name: scope of the ops.

    Returns: `(begin, size, bboxes)`: what `hf.slice` takes (the last size is -1, all channels), and
      the part as a box `[1, 1, 4]`.

    Raises:
      InvalidArgumentError: for boxes outside of [0, 1], ranges that mean nothing, no boxes.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.zeros([40, 60, 3])
    ...     begin, size, box = hf.image.sample_distorted_bounding_box(
    ...         hf.shape(image), [[[0.2, 0.2, 0.8, 0.9]]], seed=1, area_range=(0.5, 1.0)
    ...     )
    ...     part = hf.slice(image, begin, size)
    >>> 0.5 <= part.shape[0].value * part.shape[1].value / 2400 <= 1.0
    True
    """
    shares = _range(area_range, "Area range", (0.05, 1.0))
    if max(shares) > 1:
        raise invalid(f"Area range must be less then or equal to 1.0: {list(shares)}")
    attempts = 100 if max_attempts is None else settings.whole(max_attempts, "max_attempts")
    if attempts <= 0:
        raise invalid(f"Max attempts must be positive: {attempts}")
    with name_scope(name, "sample_distorted_bounding_box"):
        covered = 0.1 if min_object_covered is None else min_object_covered
        begin, size, box = _op(
            image_size,
            convert_to_tensor(bounding_boxes, dtypes.float32, "bounding_boxes"),
            convert_to_tensor(covered, dtypes.float32, "min_object_covered"),
            seed=settings.whole(seed or 0, "seed"),
            seed2=settings.whole(seed2 or 0, "seed2"),
            aspect_ratio_range=_range(aspect_ratio_range, "Aspect ratio range", (0.75, 1.33)),
            area_range=shares,
            max_attempts=attempts,
            use_image_if_no_bounding_boxes=bool(use_image_if_no_bounding_boxes),
        )
        return DistortedBox(begin, size, box)
