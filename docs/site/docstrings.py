"""From the project's docstrings to reStructuredText.

They are plain text: code in backticks, doctests, indented formulas, and the sections `Args`,
`Attributes`, `Returns` and `Raises`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD = re.compile(r"(Args|Attributes|Raises|Returns):(?: (.*))?$")
_ITEM = re.compile(r"([\w.,* `()]+):(?: (.*))?$")


def to_rst(lines: list[str]) -> list[str]:
    r"""A docstring, without its common indentation, as reStructuredText.

    >>> print("\n".join(to_rst(["Adds `x_` * y.", "", "Returns: a tensor,", "  new."])))
    Adds `x_` \* y.
    <BLANKLINE>
    :Returns: a tensor, new.
    """
    out: list[str] = []
    for block in _blocks(lines):
        head = _HEAD.match(block[0])
        if block[0].startswith(">>>"):
            out += block
        elif head and head[1] == "Returns":
            out.append(":Returns: " + _prose([head[2] or "", *block[1:]]))
        elif head and head[2] is None:
            out += _field(head[1], block[1:])
        elif block[0].startswith("  "):
            out += [".. code-block:: text", "", *block]
        elif any(line.lstrip().startswith("- ") for line in block):
            out += [_escaped(line) for line in block]
        else:
            out.append(_prose(block))
        out.append("")
    return out[:-1]


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Paragraphs, doctests and sections: what blank lines divide, with what is indented below."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            # A section begins a block of its own, and so does a doctest.
            starts = _HEAD.match(line) or (
                line.startswith(">>>") and block and not block[0].startswith(">>>")
            )
            if block and starts:
                yield block
                block = []
            block.append(line)
        elif block:
            yield block
            block = []


def _field(head: str, lines: list[str]) -> list[str]:
    """A section as a field that lists its items."""
    groups: list[list[str]] = []
    for line in lines:
        if len(line) - len(line.lstrip()) <= 2:
            groups.append([])
        groups[-1].append(line.strip())
    return [f":{head}:", *(f"   - {_item(' '.join(group))}" for group in groups)]


def _item(text: str) -> str:
    """An item of a section; its names may have taken several lines."""
    item = _ITEM.match(text)
    if item is None:
        raise ValueError(f"An item says no name and a colon first: {text!r}")
    return f"{_name(item[1])}: {_prose([item[2] or ''])}"


def _name(text: str) -> str:
    """The names that an item is about, as code."""
    return re.sub(r"[\w.*]+(?![^(]*\))", r"``\g<0>``", text.replace("`", ""))


def _prose(lines: list[str]) -> str:
    return _escaped(" ".join(line.strip() for line in lines if line.strip()))


def _escaped(text: str) -> str:
    """Text whose marks are plain, but for code in backticks."""
    return re.sub(r"(`[^`]*`)(\w?)|[*|\\]|(?<=\w)_(?!\w)", _escape, text)


def _escape(found: re.Match[str]) -> str:
    if not found[1]:
        return f"\\{found[0]}"
    # A letter that follows, as in a plural, needs a mark between that is not shown.
    return f"{found[1]}\\ {found[2]}" if found[2] else found[1]
