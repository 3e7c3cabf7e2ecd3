"""How often variable scopes were opened: what a `default_name` is made unique by."""

from __future__ import annotations


class _Node:
    """One scope.

    Attributes:
      count: how often it was opened since the scope around it was.
      children: the scopes inside it by the last part of their names.
      taken: for a name, how many of name_1, name_2, ... are known to be taken inside.
    """

    __slots__ = ("children", "count", "taken")

    def __init__(self) -> None:
        self.count = 0
        self.children: dict[str, _Node] = {}
        self.taken: dict[str, int] = {}

    def is_open(self, name: str) -> bool:
        child = self.children.get(name)
        return child is not None and child.count > 0


class ScopeCounts:
    """Counts of the scopes opened in one graph (or eager store)."""

    def __init__(self) -> None:
        self._root = _Node()
        # What nodes were like before changes that will be undone, and the nodes around them.
        self._changes: list[tuple[_Node, int, dict[str, _Node], _Node]] = []
        self._marks = 0

    def _find(self, name: str) -> tuple[_Node, _Node]:
        """The node of a scope, and that of the scope around it."""
        around = node = self._root
        for part in name.split("/") if name else ():
            around, child = node, node.children.get(part)
            if child is None:
                child = node.children[part] = _Node()
            node = child
        return node, around

    def open(self, name: str) -> None:
        """Counts that the scope with this full name is opened."""
        node, around = self._find(name)
        if self._marks:
            self._changes.append((node, node.count, node.children, around))
        node.count += 1

    def unique(self, outer: str, name: str) -> str:
        """`name`, or with _1, _2, ... where it was opened in the scope `outer` already."""
        path, slash, last = name.rpartition("/")
        around, _ = self._find(f"{outer}/{path}" if outer and path else outer or path)
        if not around.is_open(last):
            return name
        index = around.taken.get(last, 0) + 1
        while around.is_open(f"{last}_{index}"):
            index += 1
        around.taken[last] = index - 1
        return f"{path}{slash}{last}_{index}"

    def forget_inside(self, name: str) -> None:
        """Forgets the scopes inside the one with this full name."""
        node, around = self._find(name)
        if self._marks:
            self._changes.append((node, node.count, node.children, around))
        node.children = {}
        node.taken = {}

    def mark(self) -> int:
        """Begins what `undo` will undo."""
        self._marks += 1
        return len(self._changes)

    def undo(self, mark: int) -> None:
        """Takes back all counting since `mark`."""
        while len(self._changes) > mark:
            node, count, children, around = self._changes.pop()
            node.count, node.children = count, children
            node.taken = {}
            around.taken = {}
        self._marks -= 1
