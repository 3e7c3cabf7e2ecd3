"""How often variable scopes were opened: what a `default_name` is made unique by."""

from __future__ import annotations


class _Node:
    """One scope: its count, and the scopes inside it by the last part of their names."""

    __slots__ = ("children", "count")

    def __init__(self) -> None:
        self.count = 0
        self.children: dict[str, _Node] = {}


class ScopeCounts:
    """Counts of the scopes opened in one graph (or eager store)."""

    def __init__(self) -> None:
        self._root = _Node()
        # What nodes were like before changes that will be undone.
        self._changes: list[tuple[_Node, int, dict[str, _Node]]] = []
        self._marks = 0

    def _node(self, name: str) -> _Node:
        node = self._root
        for part in name.split("/") if name else ():
            node = node.children.setdefault(part, _Node())
        return node

    def _about_to_change(self, node: _Node) -> None:
        if self._marks:
            self._changes.append((node, node.count, node.children))

    def open(self, name: str) -> None:
        """Counts that the scope with this full name is opened."""
        node = self._node(name)
        self._about_to_change(node)
        node.count += 1

    def count_of(self, name: str) -> int:
        """How often it was opened since the scope around it was."""
        return self._node(name).count

    def forget_inside(self, name: str) -> None:
        """Forgets the scopes inside the one with this full name."""
        node = self._node(name)
        self._about_to_change(node)
        node.children = {}

    def mark(self) -> int:
        """Begins what `undo` will undo."""
        self._marks += 1
        return len(self._changes)

    def undo(self, mark: int) -> None:
        """Takes back all counting since `mark`."""
        while len(self._changes) > mark:
            node, count, children = self._changes.pop()
            node.count, node.children = count, children
        self._marks -= 1
