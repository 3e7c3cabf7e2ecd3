"""The directive `drawing`: a figure of `figures.py`, in the colours of the page's theme."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives


class Drawing(Directive):
    """Shows a figure by its name; what it shows is said in the option `alt`."""

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


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("drawing", Drawing)
    return {"parallel_read_safe": True}
