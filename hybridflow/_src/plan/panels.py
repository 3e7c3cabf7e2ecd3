"""Products with matrices that are packed once, as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.kernels import panels
from hybridflow._src.kernels.convolution.tiles import Tile
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.located import Located
from hybridflow._src.plan.sharing import FLOPS_PER_BYTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.steps import Call
    from hybridflow._src.plan.values import Value

# Of more rows than these BLAS makes products as well.
_MOST_ROWS = 256


class Panels(Located):
    """Steps with such products."""

    @staticmethod
    def has_panels(dtype: np.dtype) -> bool:
        """Whether matrices of a dtype are packed."""
        return SHORT_NAMES.get(dtype) in ("f32", "f64")

    def suits_panels(self, shape: tuple[int, ...], matrix: Value) -> bool:
        """Whether rows of a shape are multiplied with a matrix that is packed for all turns."""
        return (
            self.has_panels(matrix.dtype)
            and len(shape) == len(matrix.shape) == 2
            and shape[0] <= _MOST_ROWS
        )

    def in_panels(self, matrix: Value) -> Value:
        """A matrix `[k, columns]` in panels `[columns / width, k, width]`."""
        inner, columns = matrix.shape
        tile = Tile.of(SHORT_NAMES[matrix.dtype], columns)
        count = -(-columns // tile.width)
        packed = self.memory((count, inner, tile.width), matrix.dtype)
        down, along = (stride // matrix.dtype.itemsize for stride in matrix.strides)
        self.call(
            panels.pack(SHORT_NAMES[matrix.dtype]),
            [0, count, matrix, packed, inner, columns, tile.width, down, along],
            reads=[matrix],
            writes=[packed],
            divisible=True,
            packs=True,
        )
        return packed

    def product_with_panels(
        self, rows: Value, packed: Value, columns: int, packs: bool = False
    ) -> Value:
        """The product of rows with a matrix of so many columns, in panels; `packs`: see `Call`."""
        size = rows.dtype.itemsize
        if rows.strides[1] != size:
            rows = self.packed(rows)
        count, inner = rows.shape
        tile = Tile.of(SHORT_NAMES[rows.dtype], columns)
        result = self.memory((count, columns), rows.dtype)
        self.call(
            _product(tile, [range(count), *_shares(count, self.threads)]),
            [0, count, rows, rows.strides[0], packed, result, columns * size, columns, inner],
            reads=[rows, packed],
            writes=[result],
            divisible=True,
            work=2 * count * inner * columns // FLOPS_PER_BYTE,
            packs=packs,
        )
        return result

    def product_of_turns(self, a: Value, b: Value, turns: Value, most: int) -> Value:
        """`sum(a[t]^T b[t])` over as many turns as a number in memory says, of `[turns, rows, n]`.

        Both are packed; there are hardly more than `most` turns.
        """
        _, rows, high = a.shape
        columns, size = b.shape[2], b.dtype.itemsize
        tile = Tile.of(SHORT_NAMES[b.dtype], columns)
        result = self.memory((high, columns), b.dtype)
        panel = self.memory((self.threads, panels.STRIP * tile.width), b.dtype)
        items = tile.blocks(high) * -(-columns // tile.width)
        self.call(
            panels.sum_of_products(tile, tile.heights(high)),
            [
                0,
                items,
                turns,
                rows,
                a,
                high * size,
                high,
                b,
                columns * size,
                columns,
                result,
                panel,
            ],
            reads=[turns, a, b],
            writes=[result],
            divisible=True,
            work=2 * most * rows * high * columns // FLOPS_PER_BYTE,
            private=[panel],
        )
        return result


def _shares(count: int, threads: int) -> list[range]:
    """The ranges into which words divide one."""
    return [range(count * n // threads, count * (n + 1) // threads) for n in range(threads)]


def _product(tile: Tile, ranges: Sequence[range]) -> Kernel:
    """The kernel for any of these ranges of rows."""
    heights = {height for part in ranges if part for height in tile.heights(len(part))}
    return panels.product(tile, tuple(sorted(heights)))


def is_by_panels(step: Call) -> bool:
    """Whether a call multiplies with panels: its first two arguments are a range of rows."""
    return step.kernel.label.startswith("panels")


def kernel_for(step: Call, ranges: Sequence[range]) -> Kernel:
    """The kernel of such a call for parts of its rows, each by itself."""
    rows, columns = step.args[2], step.args[7]
    return _product(Tile.of(SHORT_NAMES[rows.dtype], columns), ranges)
