"""Figures of scopes and variables. Every name in them is one that hybridflow gave."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from palette import Palette

import hybridflow as hf

_MONO = "DejaVu Sans Mono"


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure to draw on in units of a tenth of an inch or so, without axes."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.set_axis_off()
    return figure, axes


def _box(
    axes: Axes,
    place: tuple[float, float, float, float],
    color: str,
    label: str = "",
    *,
    dashed: bool = False,
    fill: float = 0.07,
) -> None:
    """A box at (left, bottom, width, height), labelled at its upper left."""
    left, bottom, width, height = place
    corner, shape = (left, bottom), "round,pad=0,rounding_size=0.08"
    filled = {"facecolor": color, "alpha": fill, "linewidth": 0}
    edge = {"facecolor": "none", "edgecolor": color, "linestyle": "--" if dashed else "-"}
    for style in (filled, {**edge, "linewidth": 1.2}):
        axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, **style))
    axes.text(left + 0.12, bottom + height - 0.2, label, color=color, family=_MONO, va="center")


def _chip(axes: Axes, x: float, y: float, text: str, color: str, palette: Palette) -> None:
    """A name in a small filled box, centred."""
    axes.text(
        x,
        y,
        text,
        family=_MONO,
        color=palette.paper,
        ha="center",
        va="center",
        bbox={"boxstyle": "round,pad=0.45,rounding_size=0.3", "facecolor": color, "linewidth": 0},
    )


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str, bend: float = 0.0
) -> None:
    axes.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linewidth": 1.2,
            "shrinkA": 2,
            "shrinkB": 2,
            "connectionstyle": f"arc3,rad={bend}",
        },
    )


def _names(palette: Palette) -> Figure:
    """A variable scope and a name scope inside it: which of them name what."""
    with hf.Graph().as_default():
        with hf.variable_scope("layer"), hf.name_scope("scores"):
            w = hf.get_variable("w", [2])
            y = hf.multiply(w, 2.0, name="y")
        names = w.name, y.name
    figure, axes = _canvas(7.4, 2.5)
    _box(axes, (0.1, 0.1, 3.9, 2.3), palette.blue, 'variable_scope("layer")')
    _box(axes, (0.4, 0.35, 3.3, 1.55), palette.orange, 'name_scope("scores")', dashed=True)
    code = '{} = get_variable("w", [2])', '{} = multiply(w, 2.0, name="y")'
    rows = (1.2, palette.blue, 4.0), (0.7, palette.orange, 3.7)
    for text, name, letter, (height, color, left) in zip(code, names, "wy", rows, strict=True):
        axes.text(0.6, height, text.format(letter), family=_MONO, va="center", fontsize=8.5)
        _arrow(axes, (left, height), (4.95, height), color)
        _chip(axes, 5.75, height, name, color, palette)
    axes.text(5.75, 1.62, "variables: by variable scopes", ha="center", color=palette.blue)
    axes.text(5.75, 0.27, "ops: by both kinds of scopes", ha="center", color=palette.orange)
    return figure


def _reuse(palette: Palette) -> Figure:
    """A function called twice: one variable, two ops."""

    def layer(x: hf.Tensor) -> tuple[hf.Variable, hf.Tensor]:
        with hf.variable_scope("layer", reuse=hf.AUTO_REUSE):
            w = hf.get_variable("w", [3, 2])
            return w, hf.matmul(x, w, name="y")

    with hf.Graph().as_default():
        (w, a), (again, b) = layer(hf.ones([1, 3])), layer(hf.ones([4, 3]))
        if again is not w:
            raise ValueError("the figure shows one variable")
    figure, axes = _canvas(7.4, 2.5)
    calls = (1.35, "first call", a, "makes it", 1.42), (0.1, "second call", b, "finds it", 1.05)
    for bottom, call, result, what, end in calls:
        _box(axes, (0.1, bottom, 3.5, 1.0), palette.orange, call, dashed=True)
        axes.text(0.25, bottom + 0.5, 'w = get_variable("w", [3, 2])', family=_MONO, va="center")
        axes.text(0.25, bottom + 0.2, "y =", family=_MONO, va="center")
        _chip(axes, 1.3, bottom + 0.21, result.name, palette.orange, palette)
        _arrow(axes, (3.6, bottom + 0.5), (5.3, end), palette.blue)
        axes.text(
            4.2, 1.25 + 1.45 * (end - 1.235), what, color=palette.blue, ha="center", va="center"
        )
    _box(axes, (4.75, 0.6, 2.5, 1.3), palette.blue, "variables")
    _chip(axes, 6.0, 1.24, w.name, palette.blue, palette)
    axes.text(6.0, 0.82, f"shape {w.shape}", ha="center", va="center", color=palette.faint)
    return figure


def _values(palette: Palette) -> Figure:
    """Where values are: in sessions, or in a store of eager variables."""
    with hf.Graph().as_default():
        w = hf.get_variable("w", initializer=1.0)
        sessions = [hf.Session(), hf.Session()]
        for session in sessions:
            session.run(w.initializer)
        sessions[1].run(w.assign(7.0))
        values = [session.run(w) for session in sessions]
        for session in sessions:
            session.close()
        symbol = w.name
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("w", initializer=1.0)
        hf.get_variable("w").assign(7.0)
        held = v.numpy()

    figure, axes = _canvas(7.4, 2.6)
    axes.text(1.85, 2.45, "graph mode", ha="center", weight="bold")
    _box(axes, (0.1, 1.5, 3.5, 0.75), palette.blue, "the graph")
    _chip(axes, 2.2, 1.85, symbol, palette.blue, palette)
    for left, number, value in ((0.1, 1, values[0]), (1.95, 2, values[1])):
        _box(axes, (left, 0.1, 1.65, 0.85), palette.green, f"session {number}")
        _chip(axes, left + 0.82, 0.38, f"{value}", palette.green, palette)
        _arrow(axes, (2.2, 1.68), (left + 0.82, 0.97), palette.faint)
    axes.text(5.55, 2.45, "eager mode", ha="center", weight="bold")
    _box(axes, (3.95, 0.1, 3.3, 2.15), palette.blue, "the current EagerVariableStore")
    _chip(axes, 4.75, 0.8, v.name, palette.blue, palette)
    _arrow(axes, (5.15, 0.8), (5.95, 0.8), palette.faint)
    _chip(axes, 6.3, 0.8, f"{held}", palette.green, palette)
    axes.text(5.6, 1.45, "each name stands for one object,", ha="center", fontsize=8.5)
    axes.text(5.6, 1.22, "and that has its value", ha="center", fontsize=8.5)
    return figure


FIGURES: dict[str, Callable[[Palette], Figure]] = {
    "scopes-names": _names,
    "scopes-reuse": _reuse,
    "scopes-values": _values,
}
