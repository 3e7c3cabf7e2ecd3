"""Convolutions by the kernels alone, and by NumPy in float64."""

from __future__ import annotations

import math

import numpy as np

from hybridflow._src.kernels.convolution import direct, narrow, packing, winograd
from hybridflow._src.kernels.convolution.geometry import Geometry, phases
from hybridflow._src.kernels.convolution.tiles import Tile

SHORT = {"float32": "f32", "float64": "f64"}


def geometry(x_shape, w_shape, stride=(1, 1), padding="SAME", dilation=(1, 1)):
    """The geometry of a convolution; padding may be explicit: pairs for rows and for columns."""
    n, *size, c = x_shape
    kh, kw, _, o = w_shape
    output, before = [], []
    for axis, k in enumerate((kh, kw)):
        wide = (k - 1) * dilation[axis] + 1
        if padding == "SAME":
            out = -(-size[axis] // stride[axis])
            pad = max(0, (out - 1) * stride[axis] + wide - size[axis]) // 2
        elif padding == "VALID":
            out, pad = (size[axis] - wide) // stride[axis] + 1, 0
        else:
            pad, after = padding[axis]
            out = (size[axis] + pad + after - wide) // stride[axis] + 1
        output.append(out)
        before.append(pad)
    return Geometry(n, tuple(size), c, tuple(output), o, (kh, kw), stride, dilation, tuple(before))


def patches(g, x):
    """The numbers of padded images that each result sees: `[n, oh, ow, kh, kw, c]`, a view."""
    last = [
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(g.output, g.stride, g.kernel, g.dilation, strict=True)
    ]
    pads = []
    for axis in (0, 1):
        before = g.before[axis]
        pads.append((before, max(0, last[axis] - before - g.size[axis])))
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    n, h, w, c = padded.strides
    (sh, sw), (dh, dw) = g.stride, g.dilation
    shape = (g.batch, *g.output, *g.kernel, g.channels)
    strides = (n, h * sh, w * sw, h * dh, w * dw, c)
    return padded, np.lib.stride_tricks.as_strided(padded, shape, strides), pads


def by_numpy(g, x, w, dy):
    """The result and both gradients, in float64."""
    x, w, dy = (np.asarray(a, np.float64) for a in (x, w, dy))
    _, found, _ = patches(g, x)
    y = np.einsum("nijklc,klco->nijo", found, w)
    dw = np.einsum("nijklc,nijo->klco", found, dy)
    padded, into, pads = patches(g, np.zeros_like(x))
    for k in range(g.kernel[0]):
        for j in range(g.kernel[1]):
            into[:, :, :, k, j] += dy @ w[k, j].T
    inside = [slice(before, before + size) for (before, _), size in zip(pads, g.size, strict=True)]
    return y, padded[:, inside[0], inside[1]], dw


# Numbers around each array: NaN, so that what is read from there shows, and what is written.
_FENCE = 64


def fenced(array):
    """A copy of an array that has NaN around it."""
    whole = np.full(array.size + 2 * _FENCE, np.nan, array.dtype)
    inside = whole[_FENCE : _FENCE + array.size].reshape(array.shape)
    inside[...] = array
    return inside


def assert_fence_stands(array):
    """Fails if something was written around a fenced array."""
    whole = array
    while whole.base is not None:
        whole = whole.base
    assert np.isnan(whole[:_FENCE]).all()
    assert np.isnan(whole[_FENCE + array.size :]).all()


class Run:
    """Runs kernels on arrays, in so many ranges one after the other.

    Args:
      build: makes a function of a kernel.
    """

    def __init__(self, build, machine=None, parts=1):
        self.build = build
        self.machine = machine
        self.parts = parts

    def __call__(self, kernel, count, *words):
        function = self.build(kernel)
        for part in range(self.parts):
            given = [count * part // self.parts, count * (part + 1) // self.parts, *words]
            array = np.array([w.ctypes.data if isinstance(w, np.ndarray) else w for w in given])
            assert function(array.ctypes.data) == 0
        for used in words:
            if isinstance(used, np.ndarray):
                assert_fence_stands(used)

    @staticmethod
    def empty(shape, dtype):
        return fenced(np.full(shape, np.nan, dtype))

    def convolve(self, g, x, packed, y, offset=0, apart=None, shares=1, marks=None):
        tile = self.tile(x, g.filters)
        strip = g.strip(x.itemsize, self.parts)
        scratch = self.empty(g.scratch(strip), x.dtype)
        make = narrow.narrow if packed.shape[-1] == 1 else direct.forward
        kernel = make(tile, tile.heights(g.output[1]))
        count = shares * g.batch * -(-g.output[0] // strip)
        words = g.words(strip, apart or g.apart(x.itemsize), shares)
        if packed.shape[-1] > 1:
            words += [0, 0] if marks is None else [marks.ctypes.data, marks.size]
        self(kernel, count, x, packed, y.ctypes.data + offset, scratch, 0, *words)

    def tile(self, x, columns):
        return Tile.of(SHORT[x.dtype.name], columns, self.machine)

    def packed(self, make, x, w, columns, rows, words, marks=()):
        """A filter in panels; `rows` of `columns`."""
        width = 1 if columns <= narrow.FEW else self.tile(x, columns).width
        packed = self.empty((-(-columns // width), rows, width), x.dtype)
        self(make(SHORT[x.dtype.name]), len(packed), w, packed, *words, width, *marks)
        return packed

    def packed_for(self, g, x, w):
        """A filter as the convolution needs it."""
        rows = math.prod(g.kernel) * g.channels
        return self.packed(packing.pack, x, w, g.filters, rows, [rows, g.filters], (0, 0))

    def packed_back(self, g, phase, dy, w):
        """A filter as a phase of the gradient to the input needs it."""
        rows = math.prod(phase.taps) * g.filters
        words = [g.kernel[1], g.channels, g.filters, *phase.first, *phase.every, *phase.taps]
        return self.packed(packing.pack_flipped, dy, w, g.channels, rows, words)

    def forward(self, g, x, w, shares=1, marks=None):
        packed = self.packed_for(g, x, w)
        y = self.empty((g.batch, *g.output, g.filters), x.dtype)
        self.convolve(g, x, packed, y, shares=shares if packed.shape[-1] > 1 else 1, marks=marks)
        return y

    def by_winograd(self, m, g, x, packed, y):
        """Convolves with a packed filter by Winograd's algorithm; gives the marks."""
        tile = self.tile(x, g.filters)
        form = winograd.TRANSFORMS[m]
        filters = self.empty((len(packed), form.products, g.channels + 1, tile.width), x.dtype)
        temp = self.empty(form.window * 3 * tile.form.lanes, x.dtype)
        row = tile.width * x.itemsize
        apart = (g.channels * row, row, 9 * g.channels * row)
        words = (packed, filters, temp, g.channels, g.filters, *apart)
        self(winograd.filters(tile, m), len(packed) * g.channels, *words)
        cut = winograd.Cut.of(g, tile, m, self.parts)
        marks = np.full(cut.items * cut.shares, 7, np.int32)
        scratch = self.empty(cut.scratch, x.dtype)
        kernel = winograd.forward(tile, m)
        self(kernel, marks.size, x, filters, y, scratch, marks.ctypes.data, *cut.words(g))
        return marks

    def to_input(self, g, w, dy):
        dx = fenced(np.zeros((g.batch, *g.size, g.channels), dy.dtype))
        for phase in phases(g):
            packed = self.packed_back(g, phase, dy, w)
            offset, apart = phase.place(g, dx.itemsize)
            self.convolve(phase.geometry, dy, packed, dx, offset, apart)
        return dx

    def to_filter(self, g, x, dy):
        tile = self.tile(x, g.filters)
        strip = g.filter_strip(x.itemsize)
        scratch = self.empty(g.scratch(strip), x.dtype)
        panel = self.empty(strip * g.output[1] * tile.width, x.dtype)
        dw = self.empty((*g.kernel, g.channels, g.filters), x.dtype)
        kernel = direct.to_filter(tile, tile.heights(g.along))
        columns = 1 if g.dilation[1] == 1 else g.kernel[1]
        items = tile.blocks(g.along) * g.kernel[0] * columns * -(-g.filters // tile.width)
        self(kernel, items, x, dy, dw, scratch, panel, *g.words(strip))
        return dw
