"""The figures of the site, drawn by the library that they are about when the site is built."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import performance
import performance_figures
import scope_figures
import set_figures
from palette import DARK, LIGHT

FIGURES = {**scope_figures.FIGURES, **set_figures.FIGURES, **performance_figures.FIGURES}


def write(folder: Path) -> None:
    """Writes each figure twice, for light and for dark pages, unless it is there and new enough."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = [*Path(__file__).parent.glob("*.py"), performance.DATA]
    changed = max(path.stat().st_mtime for path in sources)
    for name, draw in FIGURES.items():
        light, dark = (folder / f"{name}-{palette.name}.svg" for palette in (LIGHT, DARK))
        if dark.exists() and dark.stat().st_mtime > changed:
            continue
        with mpl.rc_context(LIGHT.settings()):
            draw(LIGHT).savefig(light, metadata={"Date": None})
        text = light.read_text("utf-8")
        for before, after in zip(LIGHT[1:], DARK[1:], strict=True):
            text = text.replace(before, after)
        dark.write_text(text, "utf-8")
