"""Text of register tiles: a block of a matrix product whose sums stay in registers.

A tile is `rows` numbers times some vectors. In each step it reads one number for each row, which is
put in all lanes, and the vectors, and multiplies each with each. Kernels of one tile height know
nothing of sizes; a count of rows is divided evenly into blocks, so that two heights are enough.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybridflow._src.kernels.memory import ELEMENT_TYPES
from hybridflow._src.kernels.vectors import Form, registers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.kernels.vectors import Registers

# What is added to a base for the addresses of rows of a tile: 0, 1 or 2 times the step between
# them, which the processor adds by itself.
_TOGETHER = ("", " + step", " + double")


class Tile(NamedTuple):
    """What tiles of an element type look like on a machine.

    Attributes:
      form: their vectors. vectors: how many stand side by side. high: the most rows.
    """

    form: Form
    vectors: int
    high: int

    @staticmethod
    def of(element: str, columns: int, machine: Registers | None = None) -> Tile:
        """The tile for so many columns on a machine, by default this one.

        Two vectors fill the registers and take the fewest loads. But half of them would be left
        idle by columns for which one is enough.
        """
        machine = machine or registers()
        form = machine.form(element)
        vectors = 1 if -(-columns // form.lanes) in (1, 3) else 2
        # A quarter of the registers is for what is read.
        return Tile(form, vectors, 3 * machine.number // 8)

    @property
    def name(self) -> str:
        return f"{self.form.name}x{self.vectors}"

    @property
    def itemsize(self) -> int:
        return np.dtype(ELEMENT_TYPES[self.form.element]).itemsize

    @property
    def width(self) -> int:
        """Columns of a tile."""
        return self.vectors * self.form.lanes

    def blocks(self, count: int) -> int:
        """Into how many tiles a count of rows is divided; the k-th of n starts at `count*k//n`."""
        return -(-count // self.high)

    def heights(self, count: int) -> tuple[int, ...]:
        """The heights that occur for a count of rows."""
        blocks = self.blocks(count)
        return tuple(sorted({count // blocks, -(-count // blocks)}))

    def text(self, rows: int, loops: Sequence[tuple[str, str, str]], then: Sequence[str]) -> str:
        """The text that sums up a tile.

        Args:
          rows: its height.
          loops: the loops of steps, the outer one first: how many rounds, and how far the addresses
            of the numbers and of the vectors go on in each, in bytes. The names `numbers` and
            `vectors` are where they start, `step` is how far the numbers of rows lie apart.
          then: lines that use the sums, `c{row}_{vector}`.
        """
        name, size = self.form.name, self.form.size
        cells = [(i, v) for i in range(rows) for v in range(self.vectors)]
        # Numba takes as long as there are calls and operators.
        lines = [f"none = splat_{name}({self.form.element}(0))", "double = step + step"]
        lines += [f"c{i}_{v} = none" for i, v in cells]
        depth, last = 0, len(loops) - 1
        bases = range(0, rows, len(_TOGETHER))

        def add(*more: str) -> None:
            lines.extend("    " * depth + line for line in more)

        numbers, vectors = "numbers", "vectors"
        for level, (rounds, _, _) in enumerate(loops):
            add(f"p{level} = {numbers}", f"q{level} = {vectors}")
            numbers, vectors = f"p{level}", f"q{level}"
            if level == last:
                add(*[f"g{i} = {numbers} + {i} * step" for i in bases])
            add(f"for _{level} in range({rounds}):")
            depth += 1
        add(f"b0 = load_{name}({vectors})")
        add(*[f"b{v} = load_{name}({vectors} + {v * size})" for v in range(1, self.vectors)])
        for i in range(rows):
            base = i - i % len(_TOGETHER)
            add(f"e = spread_{name}(g{base}{_TOGETHER[i % len(_TOGETHER)]})")
            add(*[f"c{i}_{v} = fma(e, b{v}, c{i}_{v})" for v in range(self.vectors)])
        for level in range(last, -1, -1):
            _, on, along = loops[level]
            if level == last:
                add(*[f"g{i} = g{i} + {on}" for i in bases])
            else:
                add(f"p{level} = p{level} + {on}")
            add(f"q{level} = q{level} + {along}")
            depth -= 1
        add(*then)
        return "\n".join(lines)


def by_height(heights: Iterable[int], write: Callable[[int], str], depth: int) -> str:
    """Text that chooses by the height `m`, the largest first, to stand at a depth."""
    parts: list[str] = []
    for height in sorted(heights, reverse=True):
        parts.append(f"{'elif' if parts else 'if'} m == {height}:")
        parts.append(textwrap.indent(write(height), "    "))
    return textwrap.indent("\n".join(parts), "    " * depth).strip()
