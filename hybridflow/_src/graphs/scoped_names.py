"""Names as they are inside and outside of a name scope."""

from __future__ import annotations

from typing import Any


def add_scope(name: Any, scope: str | None) -> Any:
    """A name inside a name scope: "^" and "loc:@" stay in front."""
    if not scope:
        return name
    text = name.decode() if isinstance(name, bytes) else name
    scope = scope.rstrip("/")
    for mark in ("^", "loc:@"):
        if text.startswith(mark):
            return f"{mark}{scope}/{text[len(mark) :]}"
    return f"{scope}/{text}"


def strip_scope(name: Any, scope: str | None) -> Any:
    """A name as it is seen from inside a name scope: "^" and "loc:@" stay in front."""
    text = name.decode() if isinstance(name, bytes) else name
    if not scope:
        return text
    scope = f"{scope.rstrip('/')}/"
    for mark in ("^", "loc:@", ""):
        if text.startswith(f"{mark}{scope}"):
            return mark + text[len(mark) + len(scope) :]
    return text
