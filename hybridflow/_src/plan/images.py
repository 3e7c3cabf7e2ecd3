"""Images that are resized, as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import images
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.ctc import Classification
from hybridflow._src.plan.steps import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.plan.values import Value


class Images(Classification):
    """Steps with images `[n, h, w, c]`.

    The tables that say where pixels come from are known when a step is added.
    """

    def picked(self, x: Value, rows: np.ndarray, columns: np.ndarray) -> Value:
        """Images of pixels of others: which row and which column each row and column is."""
        return self._resized(images.picked, x, [[rows], [columns]], x.dtype)

    def interpolated(
        self, x: Value, rows: Sequence[np.ndarray], columns: Sequence[np.ndarray]
    ) -> Value:
        """Images of pixels between those of others, float32.

        Args:
          rows, columns: for each row or column the one before it, the one behind it, how far it is
            from the first.
        """
        channels = x.shape[3]
        line = self.memory((self.threads, 2 * len(columns[0]) * channels), np.float32)
        dtype = np.dtype(np.float32)
        return self._resized(images.interpolated, x, [rows, columns], dtype, private=line)

    def weighted(
        self,
        x: Value,
        rows: Sequence[np.ndarray],
        columns: Sequence[np.ndarray],
        factor: np.floating[Any],
        dtype: np.dtype,
    ) -> Value:
        """Images of sums of pixels of others, times a factor.

        Args:
          rows, columns: where the taps of each row or column start, which ones these are, their
            weights.
        """
        if dtype == np.float16:
            single = np.dtype(np.float32)
            return self.cast(self.weighted(x, rows, columns, factor, single), dtype)
        if SHORT_NAMES.get(dtype) not in ("f32", "f64"):
            raise Unsupported(f"sums of pixels as {dtype.name}")
        line = self.memory((self.threads, x.shape[2] * x.shape[3]), dtype)
        scale = [self.constant(np.array(factor, np.float32))]
        return self._resized(images.weighted, x, [rows, columns], dtype, scale, line, taps=True)

    def _resized(
        self,
        function: Callable[[int], int],
        x: Value,
        tables: Sequence[Sequence[np.ndarray]],
        dtype: np.dtype,
        more: Sequence[Value] = (),
        private: Value | None = None,
        taps: bool = False,
    ) -> Value:
        if x.dtype not in SHORT_NAMES:
            raise Unsupported(f"images of {x.dtype.name}")
        x = self.packed(x)
        count, height, width, channels = x.shape
        new = [len(table[0]) - taps for table in tables]
        result = self.memory((count, *new, channels), dtype)
        known = [self.constant(array) for table in tables for array in table]
        memory = [] if private is None else [private]
        self.call(
            self._from_source(function, SHORT_NAMES[x.dtype], SHORT_NAMES[dtype]),
            [0, count * new[0], x, height, width, channels, *new, *known, *more, result, *memory],
            reads=[x, *known, *more],
            writes=[result],
            divisible=True,
            work=4 * (x.size * x.dtype.itemsize + result.size * dtype.itemsize),
            private=memory,
        )
        return result

    # -- parts of images ---------------------------------------------------------------------------

    def cropped(
        self, x: Value, boxes: Value, numbers: Value, size: tuple[int, int], outside: float
    ) -> Value:
        """Parts of images, stretched to a size; the run fails unless each is of an image."""
        x, boxes, numbers = self._boxed(x, boxes, numbers, x.shape[0])
        count = boxes.shape[0]
        result = self.memory((count, *size, x.shape[3]), np.float32)
        filling = self.constant(np.array(outside, np.float32))
        self.call(
            self._from_source(images.cropped, SHORT_NAMES[x.dtype]),
            [0, count * size[0], x, *x.shape[1:], boxes, numbers, *size, filling, result],
            reads=[x, boxes, numbers, filling],
            writes=[result],
            divisible=True,
            work=32 * result.size,
        )
        return result

    def cropped_image_gradient(
        self, grads: Value, boxes: Value, numbers: Value, shape: Sequence[int], dtype: np.dtype
    ) -> Value:
        """The gradient of images of a shape, of which parts were stretched."""
        if dtype == np.float16:
            single = np.dtype(np.float32)
            wide = self.cropped_image_gradient(grads, boxes, numbers, shape, single)
            return self.cast(wide, dtype)
        if SHORT_NAMES.get(dtype) not in ("f32", "f64"):
            raise Unsupported(f"gradients of images of {dtype.name}")
        grads, boxes, numbers = self._boxed(grads, boxes, numbers, shape[0])
        result = self.memory(tuple(shape), dtype)
        self.call(
            self._from_source(images.cropped_image_gradient, SHORT_NAMES[dtype]),
            [grads, *grads.shape, boxes, numbers, result, *shape[1:3], result.size],
            reads=[grads, boxes, numbers],
            writes=[result],
        )
        return result

    def cropped_box_gradient(self, grads: Value, x: Value, boxes: Value, numbers: Value) -> Value:
        """The gradient of boxes, whose parts of images were stretched."""
        grads = self.packed(grads)
        x, boxes, numbers = self._boxed(x, boxes, numbers, x.shape[0])
        result = self.memory(boxes.shape, np.float32)
        self.call(
            self._from_source(images.cropped_box_gradient, SHORT_NAMES[x.dtype]),
            [
                *(0, boxes.shape[0], grads, *grads.shape[1:], x, *x.shape[1:3]),
                *(boxes, numbers, result),
            ],
            reads=[grads, x, boxes, numbers],
            writes=[result],
            divisible=True,
            work=32 * grads.size,
        )
        return result

    def _boxed(
        self, x: Value, boxes: Value, numbers: Value, count: int
    ) -> tuple[Value, Value, Value]:
        """Images, boxes and the number of the image of each, which is checked."""
        if x.dtype not in SHORT_NAMES:
            raise Unsupported(f"images of {x.dtype.name}")
        return self.packed(x), self.packed(boxes), self.checked_indices(numbers, count)
