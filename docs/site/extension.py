"""What this site adds to Sphinx: generated parts, our docstrings, captions, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import captions
import docstrings
import figures
import performance
import reference
import tf1_names
from docutils import nodes
from docutils.parsers.rst import Directive, directives


class Drawing(Directive):  # type: ignore[misc]
    """Shows a figure of `figures.py` by its name, in the colours of the page.

    What it shows is said in the option `alt`.
    """

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        return [
            nodes.image(
                uri=f"generated/figures/{self.arguments[0]}-{theme}.svg",
                alt=self.options["alt"],
                classes=["drawing", f"only-{theme}"],
            )
            for theme in ("light", "dark")
        ]


def _generate(app: Any) -> None:
    """Writes what the pages include, before they are read."""
    folder = Path(app.srcdir) / "generated"
    # First: Matplotlib asks a module called `tensorflow`, which the table of names brings.
    figures.write(folder / "figures")
    reference.write(folder / "reference")
    tf1_names.write(folder)
    performance.write(folder)


def _convert(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = docstrings.to_rst(lines)


def _caption(app: Any, docname: str, source: list[str]) -> None:
    source[0] = captions.captioned(source[0])


def _strip(app: Any, doctree: nodes.document) -> None:
    """Takes the empty lines away that end doctests in Markdown."""
    for block in doctree.findall(nodes.literal_block):
        block.rawsource = block.rawsource.rstrip()
        block[:] = [nodes.Text(block.astext().rstrip())]


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("drawing", Drawing)
    app.connect("builder-inited", _generate)
    app.connect("source-read", _caption)
    app.connect("autodoc-process-docstring", _convert)
    app.connect("doctree-read", _strip)
    return {"parallel_read_safe": True}
