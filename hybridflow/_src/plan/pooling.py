"""Pooling of images `[n, h, w, c]` as steps of native code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import pooling
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.vectors import registers
from hybridflow._src.plan.depthwise import Depthwise
from hybridflow._src.plan.groups import MOST_NODES
from hybridflow._src.plan.steps import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.values import Buffer, Value

# Sizes of images, of what is pooled, of windows; strides; padding before: for rows and columns.
Windows = tuple[tuple[int, ...], ...]


class Pooling(Depthwise):
    """Steps with pooling."""

    def __init__(self, threads: int, most: int = MOST_NODES, block: int = 2) -> None:
        super().__init__(threads, most, block)
        # Where the largest elements of windows stand, by what was pooled and how.
        self._places: dict[tuple[Buffer, object], Value] = {}

    def largest(self, x: Value, windows: Windows) -> Value:
        """The largest element of each window."""
        x = self.packed(x)
        y, places = self._largest(x, windows)
        self._places[x.buffer, (x.offset, windows)] = places
        return y

    def _largest(self, x: Value, windows: Windows) -> tuple[Value, Value]:
        taps = math.prod(windows[2])
        if SHORT_NAMES.get(x.dtype) not in ("f16", "f32", "f64") or taps > pooling.MOST_TAPS:
            raise Unsupported(f"the largest of {taps} {x.dtype.name}")
        shape = (x.shape[0], *windows[1], x.shape[-1])
        y, places = self.memory(shape, x.dtype), self.memory(shape, np.uint8)
        kernel = pooling.largest(registers().form(SHORT_NAMES[x.dtype]), windows[2])
        self._pool(kernel, [x, y, places], windows, shape[0] * shape[1], [x], [y, places])
        return y, places

    def largest_gradient(self, x: Value, dy: Value, windows: Windows) -> Value:
        """The gradient of the largest elements to what they were found in."""
        x, dy = self.packed(x), self.packed(dy)
        places = self._places.get((x.buffer, (x.offset, windows)))
        if places is None:
            _, places = self._largest(x, windows)
        _, outputs, sizes, strides, _ = windows
        if sizes != strides or not math.prod(outputs):
            return self._spread(pooling.largest_gradient, dy, windows, places)
        dx = self.memory((dy.shape[0], *windows[0], dy.shape[-1]), dy.dtype)
        kernel = pooling.spread(registers().form(SHORT_NAMES[dy.dtype]), sizes)
        rows = dy.shape[0] * outputs[0]
        self._pool(kernel, [dx, dy, places], windows, rows, [dy, places], [dx])
        return dx

    def mean(self, x: Value, windows: Windows) -> Value:
        """The mean of each window."""
        return self._in_single(lambda x: self._mean(x, windows), x)

    def mean_gradient(self, dy: Value, windows: Windows) -> Value:
        """The gradient of the means to what they were made of."""
        return self._in_single(lambda dy: self._spread(pooling.mean_gradient, dy, windows), dy)

    def _mean(self, x: Value, windows: Windows) -> Value:
        shape = (x.shape[0], *windows[1], x.shape[-1])
        y = self.memory(shape, x.dtype)
        kernel = written(pooling.mean, SHORT_NAMES[x.dtype])
        self._pool(kernel, [x, y, 0], windows, shape[0] * shape[1], [x], [y])
        return y

    def _spread(
        self,
        function: Callable[[int], int],
        dy: Value,
        windows: Windows,
        places: Value | None = None,
    ) -> Value:
        shape = (dy.shape[0], *windows[0], dy.shape[-1])
        dx = self.memory(shape, dy.dtype)
        self._pool(
            written(function, SHORT_NAMES[dy.dtype]),
            [dx, dy, places or 0],
            windows,
            shape[0] * shape[1],
            [dy, places] if places else [dy],
            [dx],
        )
        return dx

    def _pool(
        self,
        kernel: Kernel,
        operands: list[Any],
        windows: Windows,
        rows: int,
        reads: list[Value],
        writes: list[Value],
    ) -> None:
        inputs, outputs, sizes, strides, before = windows
        channels = reads[0].shape[-1]
        words = [*inputs, channels, *outputs, *sizes, *strides, *before]
        work = sum(v.size * v.dtype.itemsize for v in (*reads, *writes))
        self.call(
            kernel,
            [0, rows, *operands, *words],
            reads=reads,
            writes=writes,
            divisible=True,
            work=2 * work,
            even=[*reads, *writes],
        )
