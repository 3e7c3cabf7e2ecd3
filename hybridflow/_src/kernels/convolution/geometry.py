"""What a convolution looks like, in numbers: sizes, strides, padding, and how the work is cut."""

from __future__ import annotations

import math
from typing import NamedTuple

# A number for rows and one for columns.
Pair = tuple[int, ...]

# How much a strip of an image may take, in bytes: it is to stay in a core's own cache. And the
# pixels of a strip whose results are packed into a panel.
_STRIP, _PIXELS = 256 << 10, 256


class Geometry(NamedTuple):
    """A convolution of `[batch, *size, channels]` with `[*kernel, channels, filters]`.

    Attributes:
      before: rows and columns of padding above and on the left; negative ones leave out some.
    """

    batch: int
    size: Pair
    channels: int
    output: Pair
    filters: int
    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    before: Pair = (0, 0)

    @property
    def flops(self) -> int:
        """Multiplications and additions, those with padding too."""
        pixels = self.batch * math.prod(self.output)
        return 2 * pixels * math.prod(self.kernel) * self.channels * self.filters

    @property
    def along(self) -> int:
        """How many numbers under a row of the filter lie together."""
        return self.channels * (self.kernel[1] if self.dilation[1] == 1 else 1)

    @property
    def wide(self) -> int:
        """Columns that a row of the result sees."""
        return (self.output[1] - 1) * self.stride[1] + (self.kernel[1] - 1) * self.dilation[1] + 1

    @property
    def is_copied(self) -> bool:
        """Whether strips of the images are copied: where there are columns of padding."""
        return self.before[1] > 0 or self.wide - self.before[1] > self.size[1]

    def rows(self, strip: int) -> int:
        """Rows of an image that a strip of rows of the result sees."""
        return (strip - 1) * self.stride[0] + (self.kernel[0] - 1) * self.dilation[0] + 1

    def strip(self, itemsize: int, threads: int = 1, pixels: int | None = None) -> int:
        """How many rows of the result are computed at a time, of `pixels` at most."""
        high, wide = self.output
        row = self.wide * self.channels * itemsize * self.stride[0]
        strips = -(-high // max(1, _STRIP // row))
        if pixels is not None:
            strips = max(strips, -(-high // max(1, pixels // wide)))
        # Each thread gets as many.
        while strips < high and self.batch * strips % threads:
            strips += 1
        return -(-high // min(strips, high))

    def filter_strip(self, itemsize: int) -> int:
        """How many rows of the result are computed with at a time for a gradient to the filter."""
        return self.strip(itemsize, pixels=_PIXELS)

    def scratch(self, strip: int) -> int:
        """The numbers in a copied strip."""
        return self.rows(strip) * self.wide * self.channels if self.is_copied else 0

    def apart(self, itemsize: int) -> tuple[int, int, int]:
        """How far samples of the result, its rows and its pixels lie apart, in bytes."""
        pixel = self.filters * itemsize
        row = self.output[1] * pixel
        return self.output[0] * row, row, pixel

    def words(
        self, strip: int, apart: tuple[int, int, int] = (0, 0, 0), shares: int = 1
    ) -> list[int]:
        """The words of a kernel after the addresses, but for marks.

        Args:
          apart: see above.
          shares: into how many parts the output channels are divided.
        """
        return [
            *(self.batch, *self.size, self.channels, *self.output, self.filters, *self.kernel),
            *(*self.stride, *self.dilation, *self.before),
            *(strip, int(self.is_copied), *apart, shares),
        ]


class Phase(NamedTuple):
    """A part of the gradient to the input, which is a convolution of its own with stride 1.

    Attributes:
      start: the first row and column of the images that it gives; every `stride`-th follows.
      first, every, taps: the first row and column of the filter, every how many-th is taken, and
        how many are.
    """

    start: Pair
    first: Pair
    every: Pair
    taps: Pair
    geometry: Geometry

    def place(self, forward: Geometry, itemsize: int) -> tuple[int, tuple[int, int, int]]:
        """Where its result lies in the whole one, and how far its parts lie apart, in bytes."""
        pixel = forward.channels * itemsize
        row = forward.size[1] * pixel
        image, (down, across) = forward.size[0] * row, forward.stride
        return self.start[0] * row + self.start[1] * pixel, (image, down * row, across * pixel)


def phases(forward: Geometry) -> list[Phase]:
    """The gradient to the input of a convolution, as convolutions of the gradient of its result.

    Of stride s, rows of the image that are s apart see the same rows of the filter. Phases without
    any, whose gradient is 0, are left out.
    """
    found = []
    for r in range(forward.stride[0]):
        for q in range(forward.stride[1]):
            phase = _phase(forward, (r, q))
            if phase is not None:
                found.append(phase)
    return found


def _phase(g: Geometry, start: Pair) -> Phase | None:
    rows, columns = (_taps(g, axis, start[axis]) for axis in (0, 1))
    if rows is None or columns is None:
        return None
    first, every, taps, size, apart, before = zip(rows, columns, strict=True)
    geometry = Geometry(
        *(g.batch, g.output, g.filters, size, g.channels, taps, (1, 1), apart, before)
    )
    return Phase(start, first, every, taps, geometry)


def _taps(g: Geometry, axis: int, start: int) -> tuple[int, ...] | None:
    """Along an axis the first tap, every how many-th is taken, how many are; the size of what is
    given; how far results of taps that follow each other lie apart; the padding.
    """
    stride, dilation, kernel = g.stride[axis], g.dilation[axis], g.kernel[axis]
    # Tap k of the result at i meets the image at i * stride - before + k * dilation. So taps are
    # those that leave the remainder of `target`.
    target = start + g.before[axis]
    every = stride // math.gcd(stride, dilation)
    first = next((k for k in range(every) if (target - k * dilation) % stride == 0), kernel)
    size = -(-(g.size[axis] - start) // stride)
    if first >= kernel or size <= 0:
        return None
    taps = -(-(kernel - first) // every)
    apart = every * dilation // stride
    before = (taps - 1) * apart - (target - first * dilation) // stride
    return first, every, taps, size, apart, before
