"""`hf.variables()`: the variables of the current store as a tree of scopes."""

from __future__ import annotations

import html
import io
import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import settings
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.variables.scope_state import current
from hybridflow._src.variables.variable import constraint_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

__all__ = ["variables"]

_HEADINGS = ("name", "shape", "dtype", "size", "trainable", "constraint")


def variables(scope: str | None = None) -> VariableTree:
    """The variables of the default graph, or in eager mode of the current store, to be looked at.

    Args:
      scope: shows this variable scope alone.

    Returns: what a terminal shows as a table, with scopes as a tree, and a notebook as HTML.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     with hf.variable_scope("layer"):
    ...         w = hf.get_variable("w", [3, 2], constraint=hf.constraints.NonNeg())
    ...         b = hf.get_variable("b", [2], trainable=False)
    ...     print(hf.variables())
    name         shape    dtype     size   trainable   constraint
    layer
    ├── b        (2,)     float32    8 B   no
    └── w        (3, 2)   float32   24 B   yes         NonNeg
    <BLANKLINE>
    2 variables  8 elements     32 B; 1 trainable (6 elements)
    """
    found = {id(v): v for v in current().store.variables.values()}
    for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        found.update((id(v), v) for v in get_collection(key))
    inside = f"{settings.string(scope, 'scope').rstrip('/')}/" if scope else ""
    chosen = [v for v in found.values() if v.name.startswith(inside)]
    return VariableTree(sorted(chosen, key=lambda v: v.name.removesuffix(":0")))


class Row(NamedTuple):
    """One line of the tree: the name with its guides, and what is known of a variable."""

    guides: str
    name: str
    shape: str = ""
    dtype: str = ""
    size: str = ""
    trainable: str = ""
    constraint: str = ""


class VariableTree:
    """Variables, shown as a tree of their scopes."""

    def __init__(self, variables: list[Any]) -> None:
        self._variables = variables

    def rows(self) -> list[Row]:
        """The lines of the tree, from top to bottom."""
        root: dict[str, Any] = {}
        for variable in self._variables:
            node = root
            for part in variable.name.removesuffix(":0").split("/"):
                node = node.setdefault(part, {})
            node[""] = variable
        return list(_rows(root, ""))

    def summary(self) -> str:
        """The totals."""
        known = [v for v in self._variables if v.shape.is_fully_defined()]
        trained = [v for v in known if v.trainable]
        count = len(self._variables)
        what = "variable " if count == 1 else "variables"
        return (
            f"{count} {what}  {_elements(known):,} elements  {_size(sum(map(_bytes, known)))}; "
            f"{len(trained)} trainable ({_elements(trained):,} elements)"
        )

    def __len__(self) -> int:
        return len(self._variables)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variables)

    def __repr__(self) -> str:
        return self._text(color=False)

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
        for heading in _HEADINGS:
            table.add_column(heading, justify="right" if heading == "size" else "left")
        for row in self.rows():
            name = Text.assemble((row.guides, "dim"), (row.name, "" if row.shape else "bold"))
            table.add_row(name, *(Text(text) for text in row[2:]))
        return table

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._text(color=sys.stdout.isatty()))

    def _repr_html_(self) -> str:
        head = "".join(_html_cell("th", heading, heading) for heading in _HEADINGS)
        body = "".join(_html_row(row) for row in self.rows())
        return (
            "<table style='border-collapse:collapse;font-family:monospace;line-height:1.15'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{html.escape(self.summary())}</p>"
        )

    def _text(self, color: bool) -> str:
        from rich.console import Console

        file = io.StringIO()
        console = Console(
            file=file,
            force_terminal=color,
            force_jupyter=False,  # in a notebook it would show what it prints besides
            no_color=not color,
            highlight=False,
        )
        if self._variables:
            console.print(self)
            console.print()
        console.print(self.summary(), soft_wrap=True)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def _rows(node: dict[str, Any], guides: str, top: bool = True) -> Iterator[Row]:
    names = [name for name in node if name]
    for name in names:
        if top:
            own = inner = ""
        elif name == names[-1]:
            own, inner = "└── ", "    "
        else:
            own, inner = "├── ", "│   "
        yield _row(guides + own, name, node[name].get(""))
        yield from _rows(node[name], guides + inner, top=False)


def _row(guides: str, name: str, variable: Any) -> Row:
    if variable is None:
        return Row(guides, name)
    return Row(
        guides,
        name,
        str(variable.shape),
        variable.dtype.base_dtype.name,
        _size(_bytes(variable)) if variable.shape.is_fully_defined() else "?",
        "yes" if variable.trainable else "no",
        constraint_name(variable.constraint),
    )


def _html_row(row: Row) -> str:
    name = html.escape(row.name)
    label = f"{row.guides}{name}" if row.shape else f"{row.guides}<b>{name}</b>"
    texts = [label, *map(html.escape, row[2:])]
    cells = map(_html_cell, ["td"] * len(texts), _HEADINGS, texts)
    return f"<tr>{''.join(cells)}</tr>"


def _html_cell(tag: str, column: str, content: str) -> str:
    """A cell of a column, without space above and below, so that the guides of the tree meet."""
    side = "right" if column == "size" else "left"
    style = f"text-align:{side};padding:0 1.5em 0 0;white-space:pre"
    return f"<{tag} style='{style}'>{content}</{tag}>"


def _elements(variables: list[Any]) -> int:
    return sum(math.prod(v.shape.as_list()) for v in variables)


def _bytes(variable: Any) -> int:
    return _elements([variable]) * int(variable.dtype.base_dtype.size)


def _size(count: float) -> str:
    """A number of bytes, in the largest unit that it fills."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
