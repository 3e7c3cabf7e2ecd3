"""The picture of a run of `scripts/bench`: for each workload the ratios of all libraries."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from palette import Palette
from performance import LIBRARIES, Row, rows

# Marker and colour of each library; of hybridflow also where processes do not begin warm.
_STYLES = {
    ("hybridflow", ""): ("o", "blue"),
    ("hybridflow", "cold"): ("*", "blue"),
    ("hybridflow", "interpreted"): ("h", "blue"),
    ("numpy", ""): ("x", "ink"),
    ("numba", ""): ("D", "green"),
    ("pytensor", ""): ("v", "green"),
    ("jax", ""): ("^", "orange"),
    ("torch", ""): ("s", "orange"),
    ("tensorflow", ""): ("P", "orange"),
}
_LEFT, _LINE = 0.42, 0.3  # where the axes begin, of the width; height of a workload, in inches


def _ratios(palette: Palette) -> Figure:
    """Each workload a line of marks, at the ratios to its base; lines between the quartiles."""
    drawn = [row for row in rows() if row.base]
    figure = Figure(figsize=(7.6, 0.5 + _LINE * len(drawn)))
    axes = figure.add_axes((_LEFT, 0.0, 1.0 - _LEFT, 1.0))
    used = set()
    for position, row in enumerate(drawn):
        axes.axhline(position, color=palette.faint, linewidth=0.3, zorder=0)
        # The quickest last, on top.
        for subject in reversed(row.quickest()):
            if subject.ratio is None:
                continue
            kind = subject.library, subject.start.removeprefix("warm")
            marker, color = _STYLES[kind]
            shown = getattr(palette, color)
            axes.plot(subject.ratio[::2], [position] * 2, color=shown, linewidth=1.5, alpha=0.5)
            axes.plot(subject.ratio[1], position, marker, color=shown, markersize=_size(marker))
            used.add(kind)
    axes.axvline(1.0, color=palette.ink, linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_yticks(range(len(drawn)), [_label(row) for row in drawn])
    axes.tick_params(axis="y", length=0, labelsize=6.5, labelcolor=palette.ink)
    axes.tick_params(axis="x", which="both", labelcolor=palette.ink)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel("time as a ratio to the base's; further left is quicker")
    axes.legend(
        handles=[_key(*kind, palette) for kind in _STYLES if kind in used],
        loc="lower center",
        bbox_to_anchor=(0.5 - _LEFT / 2, 1.0),
        ncols=5,
        frameon=False,
    )
    return figure


def _label(row: Row) -> str:
    return f"{row.name}\nbase {row.base}".removesuffix(":")


def _size(marker: str) -> float:
    return {"o": 7.0, "*": 9.0, "h": 7.0}.get(marker, 4.5)


def _key(library: str, start: str, palette: Palette) -> Line2D:
    """A mark of the legend."""
    marker, color = _STYLES[library, start]
    label = f"{LIBRARIES[library]}{', ' if start else ''}{start}"
    return Line2D(
        [],
        [],
        color=getattr(palette, color),
        linestyle="",
        marker=marker,
        markersize=_size(marker),
        label=label,
    )


FIGURES: dict[str, Callable[[Palette], Figure]] = {"ratios": _ratios}
