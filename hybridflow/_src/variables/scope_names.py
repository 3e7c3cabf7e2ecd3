"""How often variable scopes were opened: what `default_name` is made unique by."""

from __future__ import annotations


class ScopeCounts:
    """Counts of the scopes opened in one graph (or eager store), as a tree by path."""

    __slots__ = ("children", "count")

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.children: dict[str, ScopeCounts] = {}

    def _node(self, name: str) -> ScopeCounts:
        node = self
        for part in name.split("/") if name else ():
            node = node.children.setdefault(part, ScopeCounts())
        return node

    def open(self, name: str) -> None:
        """Counts that the scope with this full name is opened."""
        self._node(name).count += 1

    def count_of(self, name: str) -> int:
        """How often it was opened since the scope around it was."""
        return self._node(name).count

    def close(self, name: str) -> None:
        """Forgets the scopes inside the one with this full name."""
        self._node(name).children = {}

    def subscopes(self, name: str) -> dict[str, ScopeCounts]:
        """A copy of the counts inside a scope, for `restore`."""
        return {k: v._copy() for k, v in self._node(name).children.items()}

    def restore(self, name: str, children: dict[str, ScopeCounts]) -> None:
        """Sets the counts inside a scope to what `subscopes` gave."""
        self._node(name).children = children

    def _copy(self) -> ScopeCounts:
        copy = ScopeCounts(self.count)
        copy.children = {k: v._copy() for k, v in self.children.items()}
        return copy
