"""Putting together the text of kernels."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hybridflow._src.kernels.vectors import Form


def filled(text: str, **parts: str) -> str:
    """A text with parts of several lines, which stand as deep as the names that they replace."""
    lines = []
    for line in text.strip("\n").split("\n"):
        depth = line[: len(line) - len(line.lstrip())]
        found = line.format(**parts).strip()
        lines.append(textwrap.indent(found, depth))
    return "\n".join(lines)


def channels(form: Form, write: Callable[[str, str], str], ahead: Mapping[str, int]) -> str:
    """The text for all channels `C`: whole vectors of them, and then those that are left.

    Args:
      write: the text for one vector, given what is put to the names of loads and stores, and a last
        argument of them.
      ahead: the addresses that go on, with the bytes of a channel.
    """
    on = "\n".join(f"{name} += {size * form.lanes}" for name, size in ahead.items())
    rest = "\n".join(f"{name} += C % {form.lanes} * {size}" for name, size in ahead.items())
    return filled(
        "for _ in range(C // {lanes}):\n    {whole}\nif C % {lanes}:\n    {first}",
        lanes=str(form.lanes),
        whole=f"{write('', '')}\n{on}",
        first=f"{write('_first', f', C % {form.lanes}')}\n{rest}",
    )
