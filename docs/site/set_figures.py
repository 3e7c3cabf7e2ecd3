"""Figures of constraints: their sets in the plane, and where they take points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from palette import Palette

import hybridflow as hf
from hybridflow.constraints import (
    PSD,
    Box,
    Halfspace,
    Hyperplane,
    IntegerGrid,
    Intersection,
    L1Ball,
    L2Ball,
    MinMaxNorm,
    Monotone,
    NonNeg,
    Orthonormal,
    Simplex,
    SpectralNorm,
    UnitNorm,
)

_REACH = 2.0


def _project(constraint: Any, points: np.ndarray) -> np.ndarray:
    """Where a constraint takes points, one a row."""
    with hf.eager_mode():
        return constraint(hf.constant(points, hf.float32)).numpy()


def _plane(axes: Axes, title: str, palette: Palette) -> None:
    axes.set_title(title, family="DejaVu Sans Mono", fontsize=8.5)
    axes.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), aspect="equal")
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    axes.tick_params(length=0, labelsize=7)
    axes.axhline(0, color=palette.faint, linewidth=0.5, zorder=0)
    axes.axvline(0, color=palette.faint, linewidth=0.5, zorder=0)
    axes.spines[:].set_visible(False)


def _draw_set(axes: Axes, constraint: Any, palette: Palette) -> None:
    """The set: all points that a projection leaves where they are."""
    line = np.linspace(-_REACH, _REACH, 241)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    projected = _project(constraint, grid.reshape(-1, 2)).reshape(grid.shape)
    distance = np.hypot(*np.moveaxis(grid - projected, -1, 0))
    inside = distance < 1e-5
    if inside.mean() > 0.02:
        axes.contourf(line, line, distance, [-1, 1e-3], colors=[palette.blue], alpha=0.25, zorder=1)
        axes.contour(line, line, distance, [1e-3], colors=[palette.blue], linewidths=1.2, zorder=2)
    else:
        # A set without an inside, such as a line: what the whole plane is projected to.
        found = np.unique(projected.reshape(-1, 2).round(2), axis=0)
        size = 2 if len(found) > 100 else 14
        axes.scatter(*found.T, s=size, color=palette.blue, linewidths=0, zorder=2)


def _draw_points(axes: Axes, constraint: Any, palette: Palette) -> None:
    """Points on two rings, and arrows to where they are taken."""
    turns = np.linspace(0, 2 * np.pi, 14, endpoint=False) + 0.15
    points = np.concatenate([r * np.stack([np.cos(turns), np.sin(turns)], 1) for r in (1.75, 0.75)])
    taken = _project(constraint, points)
    moved = np.hypot(*(points - taken).T) > 1e-5
    for start, end in zip(points[moved], taken[moved], strict=True):
        style = {
            "arrowstyle": "-|>",
            "color": palette.orange,
            "linewidth": 0.7,
            "mutation_scale": 6,
        }
        axes.annotate("", end, start, arrowprops={**style, "shrinkA": 1, "shrinkB": 0}, zorder=3)
    axes.scatter(*points.T, s=9, color=palette.orange, linewidths=0, zorder=4)


def _sets(*panels: tuple[str, Any]) -> Callable[[Palette], Figure]:
    def draw(palette: Palette) -> Figure:
        figure, rows = _row(len(panels))
        for axes, (title, constraint) in zip(rows, panels, strict=True):
            _plane(axes, title, palette)
            _draw_set(axes, constraint, palette)
            _draw_points(axes, constraint, palette)
        return figure

    return draw


def _row(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(2.7 * count, 2.8), layout="constrained")
    return figure, [figure.add_subplot(1, count, i + 1) for i in range(count)]


def _matrices(palette: Palette) -> Figure:
    """The unit circle as matrices map it, before and after their projection."""
    turns = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(turns), np.sin(turns)])
    cases = [
        ("SpectralNorm(1.0)", SpectralNorm(1.0), [[1.7, 0.5], [-0.3, 0.6]]),
        ("Orthonormal()", Orthonormal(), [[1.6, 0.5], [-0.2, 0.5]]),
        ("PSD()", PSD(), [[1.3, 0.9], [0.9, -0.5]]),
    ]
    figure, row = _row(len(cases))
    for axes, (title, constraint, matrix) in zip(row, cases, strict=True):
        _plane(axes, title, palette)
        axes.plot(*circle, color=palette.faint, linewidth=0.8, linestyle=":")
        before, after = np.array(matrix), _project(constraint, np.array(matrix))
        for mapped, color, width in ((before, palette.orange, 1.0), (after, palette.blue, 1.6)):
            axes.plot(*(mapped @ circle), color=color, linewidth=width)
            for column in mapped.T:
                axes.annotate(
                    "",
                    column,
                    (0, 0),
                    arrowprops={"arrowstyle": "-|>", "color": color, "shrinkA": 0, "shrinkB": 0},
                )
    return figure


def _training(palette: Palette) -> Figure:
    """The path of two weights under gradient descent, with and without a constraint."""
    best, slope = np.array([1.6, 0.7]), np.array([[1.0, 0.45], [0.45, 0.8]])

    def path(constraint: Any) -> np.ndarray:
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            w = hf.get_variable("w", initializer=[-1.4, 1.2], constraint=constraint)
            optimizer = hf.train.GradientDescentOptimizer(0.15)
            places = [w.numpy()]
            for _ in range(40):
                with hf.GradientTape() as tape:
                    off = hf.expand_dims(w - best.tolist(), 1)
                    loss = hf.reduce_sum(off * hf.matmul(hf.constant(slope, hf.float32), off)) / 2.0
                optimizer.apply_gradients([(tape.gradient(loss, w), w)])
                places.append(w.numpy())
        return np.array(places)

    figure, row = _row(2)
    cases = [("constraint=None", None), ("constraint=L1Ball(1.0)", L1Ball(1.0))]
    line = np.linspace(-_REACH, _REACH, 161)
    levels = np.linspace(0.2, 3.2, 11) ** 2
    off = np.stack(np.meshgrid(line, line), -1) - best
    loss = np.einsum("...i,ij,...j", off, slope, off) / 2
    for axes, (title, constraint) in zip(row, cases, strict=True):
        _plane(axes, title, palette)
        axes.contour(line, line, loss, levels, colors=[palette.faint], linewidths=0.6, zorder=1)
        if constraint is not None:
            _draw_set(axes, L1Ball(1.0, axis=-1), palette)
        places = path(constraint)
        axes.plot(*places.T, "o-", color=palette.orange, markersize=2.5, linewidth=0.9, zorder=3)
        axes.plot(*places[-1], "o", color=palette.green, markersize=6, zorder=4)
        axes.plot(*best, "+", color=palette.ink, markersize=8, zorder=2)
    return figure


FIGURES: dict[str, Callable[[Palette], Figure]] = {
    "sets-elements": _sets(
        ("NonNeg()", NonNeg()),
        ("Box(-1.0, [1.0, 0.5])", Box(-1.0, [1.0, 0.5])),
        ("IntegerGrid(1.0, -1.0, 1.0)", IntegerGrid(1.0, -1.0, 1.0)),
    ),
    "sets-balls": _sets(
        ("L2Ball(1.0)", L2Ball(1.0, axis=-1)),
        ("L1Ball(1.0)", L1Ball(1.0, axis=-1)),
        ("Simplex(1.0)", Simplex(1.0, axis=-1)),
    ),
    "sets-lines": _sets(
        ("Halfspace([1, 2], 1.0)", Halfspace([1.0, 2.0], 1.0, axis=-1)),
        ("Hyperplane([1, 2], 1.0)", Hyperplane([1.0, 2.0], 1.0, axis=-1)),
        ("Monotone()", Monotone()),
    ),
    "sets-norms": _sets(
        ("UnitNorm()", UnitNorm(axis=-1)),
        ("MinMaxNorm(0.5, 1.0)", MinMaxNorm(0.5, 1.0, axis=-1)),
        (
            "Intersection(\n    L2Ball(1.5), NonNeg())",
            Intersection(L2Ball(1.5, axis=-1), NonNeg()),
        ),
    ),
    "sets-matrices": _matrices,
    "sets-training": _training,
}
