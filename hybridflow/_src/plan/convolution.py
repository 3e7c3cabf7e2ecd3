"""Convolution and its gradients as steps of native code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import rows
from hybridflow._src.kernels.convolution import direct, edges, narrow, packing
from hybridflow._src.kernels.convolution.geometry import phases
from hybridflow._src.kernels.convolution.tiles import Tile
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.sharing import FLOPS_PER_BYTE
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Value
from hybridflow._src.plan.winograd import Winograd, marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.kernels.convolution.geometry import Geometry


class Convolutions(Winograd):
    """Steps with convolutions.

    Images are `[n, h, w, c]`, filters `[kh, kw, c, o]`, both of one floating type; half precision
    is computed with in single.
    """

    def convolution(self, x: Value, filters: Value, geometry: Geometry) -> Value:
        """The convolution of images."""
        return self._in_single(lambda x, w: self._convolution(x, w, geometry), x, filters)

    def convolution_to_input(self, filters: Value, dy: Value, geometry: Geometry) -> Value:
        """The gradient of a convolution to the images, given that of its result."""
        return self._in_single(lambda w, dy: self._to_input(w, dy, geometry), filters, dy)

    def convolution_to_filter(self, x: Value, dy: Value, geometry: Geometry) -> Value:
        """The gradient of a convolution to the filter, given that of its result."""
        return self._in_single(lambda x, dy: self._to_filter(x, dy, geometry), x, dy)

    def _in_single(self, compute: Callable[..., Value], *values: Value) -> Value:
        dtype = values[0].dtype
        if dtype == np.float16:
            single = [self.elementwise(lambda x: x.astype(np.float32), v) for v in values]
            half: Value = self.elementwise(lambda x: x.astype(np.float16), compute(*single))
            return half
        if SHORT_NAMES.get(dtype) not in ("f32", "f64"):
            raise Unsupported(f"convolution of {dtype.name}")
        return compute(*[self.packed(value) for value in values])

    # -- each of them ------------------------------------------------------------------------------

    def _convolution(self, x: Value, w: Value, g: Geometry) -> Value:
        size, count = x.dtype.itemsize, math.prod(g.kernel) * g.channels
        y = self.memory((g.batch, *g.output, g.filters), x.dtype)
        width = Tile.of(SHORT_NAMES[x.dtype], g.filters).width
        apart = (g.channels * g.filters * size, g.filters * size, width * size)
        marks = self.by_winograd(x, w, apart, y, g)
        kernel = packing.pack(SHORT_NAMES[x.dtype])
        # A constant is packed before, once for all steps.
        needed = None if w.constant is not None else marks
        panels = self.panels(w, kernel, count, g.filters, [count, g.filters], needed)
        self._convolve(x, panels, y, g, g.apart(size), marks=marks)
        return y

    def _to_input(self, w: Value, dy: Value, g: Geometry) -> Value:
        kernel = packing.pack_flipped(SHORT_NAMES[dy.dtype])
        parts = []
        for phase in phases(g):
            words = [g.kernel[1], g.channels, g.filters, *phase.first, *phase.every, *phase.taps]
            count = math.prod(phase.taps) * g.filters
            parts.append((phase, self.panels(w, kernel, count, g.channels, words)))
        shape = (g.batch, *g.size, g.channels)
        dx = self.memory(shape, dy.dtype)
        is_begun = len(parts) < math.prod(g.stride)
        if is_begun:
            # The rest is what no tap sees.
            clear = written(rows.clear, SHORT_NAMES[dx.dtype])
            self.call(clear, [0, dx.size, dx], reads=[], writes=[dx], divisible=True, even=[dx])
        for phase, panels in parts:
            offset, apart = phase.place(g, dy.dtype.itemsize)
            part = Value(dx.buffer, dx.shape, dx.strides, offset)
            row = panels.shape[-1] * dy.dtype.itemsize
            lying = (g.filters * row, row, panels.shape[1] * row)
            marks = None
            # It leaves nothing between results.
            if apart == phase.geometry.apart(dy.dtype.itemsize):
                marks = self.by_winograd(dy, panels, lying, part, phase.geometry)
            self._convolve(dy, panels, part, phase.geometry, apart, is_begun, marks)
            is_begun = True
        return dx

    def _to_filter(self, x: Value, dy: Value, g: Geometry) -> Value:
        dtype, tile = x.dtype, Tile.of(SHORT_NAMES[x.dtype], g.filters)
        strip = g.filter_strip(dtype.itemsize)
        dw = self.memory((*g.kernel, g.channels, g.filters), dtype)
        scratch = self.private(g.scratch(strip), dtype)
        panel = self.private(strip * g.output[1] * tile.width, dtype)
        columns = 1 if g.dilation[1] == 1 else g.kernel[1]
        tiles = tile.blocks(g.along) * g.kernel[0] * columns * -(-g.filters // tile.width)
        self.call(
            direct.to_filter(tile, tile.heights(g.along)),
            [0, tiles, x, dy, dw, scratch, panel, *g.words(strip)],
            reads=[x, dy],
            writes=[dw],
            divisible=True,
            work=g.flops // FLOPS_PER_BYTE,
            private=[scratch, panel],
        )
        if g.is_copied:
            self.call(
                edges.filter_gradient(SHORT_NAMES[dtype]),
                [0, math.prod(g.kernel), x, dy, dw, 0, 0, *g.words(strip)],
                reads=[x, dy, dw],
                writes=[dw],
                divisible=True,
            )
        return dw

    def _convolve(
        self,
        x: Value,
        panels: Value,
        y: Value,
        g: Geometry,
        apart: tuple[int, int, int],
        is_begun: bool = False,
        marks: Value | None = None,
    ) -> None:
        """Adds the call that convolves with a packed filter; others may have begun with `y`.

        With marks it does so if one is set, which is seldom: there is no work to share.
        """
        tile = Tile.of(SHORT_NAMES[x.dtype], g.filters)
        count, _, width = panels.shape
        strip = g.strip(x.dtype.itemsize, self.threads)
        items = g.batch * -(-g.output[0] // strip)
        # Where there are few strips, threads share the output channels.
        shares = 1
        if width > 1 and items < 2 * self.threads and count >= self.threads:
            shares = self.threads
        reads = [x, panels]
        if is_begun or marks is not None:
            reads.append(y)
        if marks is not None:
            reads.append(marks)
        words: list[Any] = g.words(strip, apart, shares)
        if width > 1:
            words += marked(marks)
        scratch = self.private(g.scratch(strip), x.dtype)
        make = narrow.narrow if width == 1 else direct.forward
        self.call(
            make(tile, tile.heights(g.output[1])),
            [0, shares * items, x, panels, y, scratch, 0, *words],
            reads=reads,
            writes=[y],
            divisible=True,
            work=g.flops // FLOPS_PER_BYTE if marks is None else 0,
            private=[scratch],
            even=[x, y] if shares == 1 else [],
            marks=marks,
        )
        if g.is_copied:
            self.call(
                edges.results(SHORT_NAMES[x.dtype], width),
                [0, g.batch * g.output[0], x, panels, y, 0, 0, *g.words(strip, apart)],
                reads=[x, panels, y],
                writes=[y],
                divisible=True,
                even=[x, y],
            )
