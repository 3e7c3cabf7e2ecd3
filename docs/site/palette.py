"""Colours of the figures, on light and on dark pages."""

from __future__ import annotations

from typing import Any, NamedTuple


class Palette(NamedTuple):
    """Colours by what they stand for."""

    name: str
    ink: str
    faint: str
    paper: str
    blue: str
    orange: str
    green: str

    def settings(self) -> dict[str, Any]:
        """Matplotlib's settings."""
        return {
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "axes.edgecolor": self.faint,
            "axes.labelcolor": self.ink,
            "axes.linewidth": 0.8,
            "axes.titlesize": 10,
            "text.color": self.ink,
            "xtick.color": self.faint,
            "ytick.color": self.faint,
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "svg.hashsalt": "hybridflow",
            "savefig.bbox": "tight",
            "savefig.transparent": True,
        }


LIGHT = Palette("light", "#1f2933", "#9aa5b1", "#ffffff", "#1d5fbf", "#c2570c", "#15803d")
DARK = Palette("dark", "#e4e7eb", "#6b7684", "#131416", "#7db4ff", "#ff9f5a", "#5fd38a")
