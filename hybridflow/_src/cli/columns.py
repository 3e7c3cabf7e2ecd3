"""Tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_columns(rows: Iterable[Sequence[str]]) -> None:
    """Prints rows in columns, indented; what no terminal should get, a name of a file, as "?"."""
    lines = [[_printable(cell) for cell in row] for row in rows]
    if not lines:
        print("  none")
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print(f"  {'  '.join(cells)}".rstrip())


def _printable(text: str) -> str:
    """Text of a file as a terminal may show it."""
    return "".join(c if c.isprintable() else "?" for c in text)
