"""Convolution of each channel by itself, and its gradients, as steps of native code."""

from __future__ import annotations

import math

import numpy as np

from hybridflow._src.kernels import folds, rows
from hybridflow._src.kernels.convolution import depthwise
from hybridflow._src.kernels.convolution.geometry import Geometry, Pair, phases
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.vectors import Form, registers
from hybridflow._src.plan.convolution import Convolutions
from hybridflow._src.plan.values import Value

# A gradient to the filter is summed up in at most so many chunks of rows, whatever the number of
# threads, so that it does not change the sums.
_CHUNKS = 32


class Depthwise(Convolutions):
    """Steps with convolutions of single channels.

    Images are `[n, h, w, c]`, filters `[kh, kw, c, m]`, of each channel m; results have c * m
    channels, which are computed as if the images had so many.
    """

    def depthwise(self, x: Value, filters: Value, geometry: Geometry) -> Value:
        """The convolution of each channel with its filters."""
        return self._in_single(lambda x, f: self._depthwise(x, f, geometry), x, filters)

    def depthwise_to_input(self, filters: Value, dy: Value, geometry: Geometry) -> Value:
        """Its gradient to the images, given that of its result."""
        return self._in_single(lambda f, dy: self._to_images(f, dy, geometry), filters, dy)

    def depthwise_to_filter(self, x: Value, dy: Value, geometry: Geometry) -> Value:
        """Its gradient to the filters, given that of its result."""
        return self._in_single(lambda x, dy: self._to_filters(x, dy, geometry), x, dy)

    def _repeated(self, x: Value, g: Geometry) -> tuple[Value, Geometry]:
        """Images in which each channel stands as often as it has filters."""
        if g.filters > 1:
            shape = (*x.shape, g.filters)
            wide = self.view(lambda x: np.broadcast_to(x[..., None], shape), x)
            x = self._reshaped(self.packed(wide), (*x.shape[:-1], g.channels * g.filters))
        return x, self._wide(g)

    def _wide(self, g: Geometry) -> Geometry:
        return g._replace(channels=g.channels * g.filters, filters=1)

    def _reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        found: Value = self.view(lambda x: x.reshape(shape), value)
        return found

    def _depthwise(self, x: Value, f: Value, g: Geometry) -> Value:
        x, g = self._repeated(x, g)
        y = self.memory((g.batch, *g.output, g.channels), x.dtype)
        row = g.output[1] * g.channels * x.dtype.itemsize
        apart = g.output[0] * row, row, g.channels * x.dtype.itemsize
        self._slide(x, f, y, g, apart)
        return y

    def _to_images(self, f: Value, dy: Value, g: Geometry) -> Value:
        each, g = g.filters, self._wide(g)
        parts = phases(g)
        dx = self.memory((g.batch, *g.size, g.channels), dy.dtype)
        is_begun = len(parts) < math.prod(g.stride)
        if is_begun:
            # The rest is what no tap sees.
            clear = written(rows.clear, SHORT_NAMES[dx.dtype])
            self.call(clear, [0, dx.size, dx], reads=[], writes=[dx], divisible=True, even=[dx])
        for phase in parts:
            taps = self.view(_flipped, f, phase.first, phase.every)
            offset, apart = phase.place(g, dy.dtype.itemsize)
            part = Value(dx.buffer, dx.shape, dx.strides, offset)
            back = phase.geometry._replace(channels=g.channels)
            self._slide(dy, self.packed(taps), part, back, apart, is_begun)
            is_begun = True
        if each == 1:
            return dx
        shape = (g.batch, *g.size, g.channels // each, each)
        return self.reduce(np.add, self._reshaped(dx, shape), [-1])

    def _to_filters(self, x: Value, dy: Value, g: Geometry) -> Value:
        shape = (*g.kernel, g.channels, g.filters)
        x, g = self._repeated(x, g)
        count, size = g.batch * g.output[0], math.prod(shape)
        chunks = max(1, min(_CHUNKS, count))
        sums = self.memory((chunks, size), x.dtype)
        self.call(
            depthwise.to_filter(*_text(x.dtype, g)),
            [0, chunks, x, sums, dy, *_words(g), chunks, count],
            reads=[x, dy],
            writes=[sums],
            divisible=True,
            work=g.flops // 2,
        )
        df = self.memory(shape, x.dtype)
        self.call(
            folds.folding(np.add, x.dtype),
            [0, 1, chunks, size, sums, df],
            reads=[sums],
            writes=[df],
        )
        return df

    def _slide(
        self,
        x: Value,
        f: Value,
        y: Value,
        g: Geometry,
        apart: tuple[int, int, int],
        is_begun: bool = False,
    ) -> None:
        """Adds the call that convolves; others may have begun with `y`."""
        self.call(
            depthwise.depthwise(*_text(x.dtype, g)),
            [0, g.batch * g.output[0], x, f, y, *_words(g), *apart],
            reads=[x, f, y] if is_begun else [x, f],
            writes=[y],
            divisible=True,
            work=g.flops // 2,
            even=[x, y],
        )


def _text(dtype: np.dtype, g: Geometry) -> tuple[Form, depthwise.Row]:
    """What the text of kernels depends on."""
    row = depthwise.Row(g.kernel[1], g.stride[1], g.dilation[1])
    return registers().form(SHORT_NAMES[dtype]), row


def _words(g: Geometry) -> list[int]:
    """The words of kernels that tell sizes."""
    words = *g.size, g.channels, *g.output, *g.kernel, *g.stride, *g.dilation, *g.before
    return list(words)


def _flipped(filters: np.ndarray, first: Pair, every: Pair) -> np.ndarray:
    """Some taps of filters, the last one first."""
    return filters[first[0] :: every[0], first[1] :: every[1]][::-1, ::-1]
