"""`tensorflow.python.ops.summary_op_util`: tags and collections of summaries of one's own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import add_to_collections
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.summary.summary import clean_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clean_tag", "collect", "skip_summary", "summary_scope"]


def collect(val: Any, collections: Any, default_collections: Any) -> None:
    """Puts a summary into collections, or into others where none are given."""
    add_to_collections(default_collections if collections is None else collections, val)


@contextlib.contextmanager
def summary_scope(
    name: str, family: str | None = None, default_name: str | None = None, values: Any = None
) -> Iterator[tuple[str, str]]:
    """A name scope for a summary; gives its tag and the scope."""
    name_, family = clean_tag(name), clean_tag(family)
    base = name_ if family is None else f"{family}/{name_}"
    with name_scope(base, default_name, values) as scope:
        tag = scope.rstrip("/")
        yield tag if family is None else f"{family}/{tag}", scope


def skip_summary() -> bool:
    """False: there is one copy of a model, which writes summaries."""
    return False
