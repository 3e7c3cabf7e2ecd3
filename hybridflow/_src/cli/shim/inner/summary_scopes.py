"""`tensorflow.python.ops.summary_op_util`: tags and collections of summaries of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import add_to_collections
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.stack import Opener
from hybridflow._src.summary.summary import clean_tag

if TYPE_CHECKING:
    from hybridflow._src.framework.stack import Opened

__all__ = ["clean_tag", "collect", "skip_summary", "summary_scope"]


def collect(val: Any, collections: Any, default_collections: Any) -> None:
    """Puts a summary into collections, or into others where none are given."""
    add_to_collections(default_collections if collections is None else collections, val)


class summary_scope(Opener):
    """A name scope for a summary; gives its tag and the scope."""

    def __init__(
        self,
        name: str,
        family: str | None = None,
        default_name: str | None = None,
        values: Any = None,
    ) -> None:
        self._family = clean_tag(family)
        base = clean_tag(name)
        if self._family is not None:
            base = f"{self._family}/{base}"
        self._scope = name_scope(base, default_name, values)

    def _open(self, opened: Opened) -> tuple[str, str]:
        scope = self._scope._open(opened)
        tag = scope.rstrip("/")
        return tag if self._family is None else f"{self._family}/{tag}", scope


def skip_summary() -> bool:
    """False: there is one copy of a model, which writes summaries."""
    return False
