"""Completion of names of variables and scopes, where a call expects one."""

from __future__ import annotations

import re

from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.variables.scope_state import current

# The string that begins a call's arguments, up to the cursor.
_VARIABLE = re.compile(r"\bget_(?:local_)?variable\(\s*(?:name\s*=\s*)?[\"']([^\"']*)$")
_SCOPE = re.compile(
    r"\b(?:variable_scope|variables|(?:trainable|global|local)_variables)"
    r"\(\s*(?:name_or_scope\s*=\s*|scope\s*=\s*)?[\"']([^\"']*)$"
)


def completions(line: str) -> tuple[str, list[str]] | None:
    """What the name may be that is being typed at the end of `line`.

    Returns: what has been typed of it, and the names that begin so, in order; None if the line does
    not end in a name of a variable or scope.
    """
    names = _variable_names()
    match = _VARIABLE.search(line)
    if match is None:
        match = _SCOPE.search(line)
        names = sorted({scope for name in names for scope in _scopes_of(name)})
    if match is None:
        return None
    return match[1], [name for name in names if name.startswith(match[1])]


def _variable_names() -> list[str]:
    variables = {*current().store.variables.values(), *get_collection(GraphKeys.GLOBAL_VARIABLES)}
    return sorted(v.name.rpartition(":")[0] for v in variables)


def _scopes_of(name: str) -> list[str]:
    """The scopes that a name lies in: "a" and "a/b" for "a/b/w"."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
