"""Filters that are packed, and convolutions by Winograd's algorithm, as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels.convolution import narrow, winograd
from hybridflow._src.kernels.convolution.tiles import Tile
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.fusion import Fusion
from hybridflow._src.plan.groups import MOST_NODES
from hybridflow._src.plan.sharing import FLOPS_PER_BYTE
from hybridflow._src.plan.values import Value

if TYPE_CHECKING:
    from hybridflow._src.kernels.convolution.geometry import Geometry
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.values import Buffer


class Winograd(Fusion):
    """Steps with packed filters.

    Attributes:
      block: the rows of a block of results in Winograd's algorithm: 2 or 4.
    """

    def __init__(self, threads: int, most: int = MOST_NODES, block: int = 2) -> None:
        super().__init__(threads, most)
        self.block = block
        # Filters that are packed, by what they are and how.
        self._packed: dict[tuple[Buffer, Any], Value] = {}

    def private(self, size: int, dtype: np.dtype) -> Value:
        """Memory for the next call, of which each thread has a part for so many numbers."""
        return self.memory((self.threads, size), dtype)

    def panels(
        self,
        w: Value,
        kernel: Kernel,
        length: int,
        columns: int,
        words: list[int],
        marks: Value | None = None,
    ) -> Value:
        """A filter in panels, packed once for all that read it so; with marks if one is set."""
        key = (w.buffer, (w.offset, kernel, *words))
        found = self._packed.get(key) if marks is None else None
        if found is not None:
            return found
        tile = Tile.of(SHORT_NAMES[w.dtype], columns)
        width = 1 if columns <= narrow.FEW else tile.width
        count = -(-columns // width)
        panels = self.memory((count, length, width), w.dtype)
        self.call(
            kernel,
            [0, count, w, panels, *words, width, *marked(marks)],
            reads=[w] if marks is None else [w, marks],
            writes=[panels],
            divisible=True,
            work=0 if marks is not None else None,
            marks=marks,
            packs=marks is None,
        )
        if marks is None:
            self._packed[key] = panels
        return panels

    def by_winograd(
        self, x: Value, w: Value, apart: tuple[int, int, int], y: Value, g: Geometry
    ) -> Value | None:
        """Adds the call that convolves by Winograd's algorithm, if it fits.

        Args:
          apart: how far taps of the filter lie apart, its input channels, and its output channels
            of a panel, in bytes.

        Returns: marks, of which one is set where that gave what is no finite number.
        """
        if not winograd.fits(g):
            return None
        tile, m = Tile.of(SHORT_NAMES[x.dtype], g.filters), self.block
        cut = winograd.Cut.of(g, tile, m, self.threads)
        filters = self._transformed(w, apart, winograd.filters(tile, m), tile, g)
        marks = self.memory((cut.shares * cut.items,), np.int32)
        scratch = self.private(cut.scratch, x.dtype)
        self.call(
            winograd.forward(tile, m),
            [0, marks.size, x, filters, y, scratch, marks, *cut.words(g)],
            reads=[x, filters],
            writes=[y, marks],
            divisible=True,
            work=g.flops // FLOPS_PER_BYTE,
            private=[scratch],
            even=[x, y] if cut.shares == 1 else [],
        )
        return marks

    def _transformed(
        self, w: Value, apart: tuple[int, int, int], kernel: Kernel, tile: Tile, g: Geometry
    ) -> Value:
        """A filter as Winograd's algorithm needs it, made once for all that read it so."""
        key = (w.buffer, (w.offset, kernel, apart))
        found = self._packed.get(key)
        if found is not None:
            return found
        count, form = -(-g.filters // tile.width), winograd.TRANSFORMS[self.block]
        filters = self.memory((count, form.products, g.channels + 1, tile.width), w.dtype)
        temp = self.private(form.window * 3 * tile.form.lanes, w.dtype)
        self.call(
            kernel,
            [0, count * g.channels, w, filters, temp, g.channels, g.filters, *apart],
            reads=[w],
            writes=[filters],
            divisible=True,
            private=[temp],
            packs=True,
        )
        self._packed[key] = filters
        return filters


def marked(marks: Value | None) -> list[Any]:
    """The words of a kernel that does nothing unless one of some marks is set."""
    return [0, 0] if marks is None else [marks, marks.size]
