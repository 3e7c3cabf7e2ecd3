"""The one stack behind every scope: modes, graphs, names, devices, tapes, variable scopes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
G = TypeVar("G")


class Stack(threading.local, Generic[T]):
    """A stack per thread whose bottom item is never popped.

    `with stack.scope(item):` pushes `item` and always pops it. A scope left out of order (a
    generator resumed elsewhere, a manual `__exit__`) is taken out of the stack wherever it lies, so
    that nothing stays open, and the mistake is reported as a `RuntimeError`.
    """

    def __init__(self, bottom: T, what: str) -> None:
        self.top: T = bottom
        self.what = what
        # `top` is kept beside the list: reading it is on the path of every op.
        self._items: list[T] = [bottom]

    def __len__(self) -> int:
        return len(self._items) - 1

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def scope(self, item: T, gives: Any = None) -> Pushed[T, Any]:
        """A context manager that holds `item` on the stack and gives `gives` (or else `item`)."""
        return Pushed(self, item, item if gives is None else gives)

    def push(self, item: T) -> None:
        self._items.append(item)
        self.top = item

    def discard(self, item: T) -> None:
        """Removes `item` wherever it lies, if it is there: for what may end in any order."""
        for index in range(len(self._items) - 1, 0, -1):
            if self._items[index] is item:
                del self._items[index]
                self.top = self._items[-1]
                return

    def cut(self, depth: int) -> None:
        """Drops what lies above `depth` items: what an interrupt at any moment left open."""
        del self._items[depth + 1 :]
        self.top = self._items[-1]

    def unwind(self, item: T) -> None:
        """Removes `item` and what lies above it, in a thread that was interrupted.

        The interrupt may have come between the opening of a scope and the `with` block that closes
        it: such a scope ends with the one around it.
        """
        for depth in range(len(self._items) - 1, 0, -1):
            if self._items[depth] is item:
                self.cut(depth - 1)
                return

    def pop(self, item: T) -> None:
        """Removes `item`, which must be the top."""
        items = self._items
        if self.top is item and len(items) > 1:
            items.pop()
            self.top = items[-1]
            return
        depth = len(items)
        self.discard(item)
        if len(items) < depth:
            raise RuntimeError(
                f"Nesting violated: a {self.what} was closed while scopes opened inside it are "
                "still open. Close scopes in the reverse order in which they were opened."
            )
        raise RuntimeError(
            f"Nesting violated: a {self.what} was closed that is not open in this thread. "
            "A scope must be closed in the thread that opened it, once."
        )


class Pushed(Generic[T, G]):
    """The context manager of one `Stack.scope`."""

    __slots__ = ("_gives", "_item", "_stack")

    def __init__(self, stack: Stack[T], item: T, gives: G) -> None:
        self._stack = stack
        self._item = item
        self._gives = gives

    def __repr__(self) -> str:
        return f"<{self._stack.what}>"

    def __enter__(self) -> G:
        self._stack.push(self._item)
        return self._gives

    def __exit__(self, kind: type[BaseException] | None = None, *_: Any) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._stack.unwind(self._item)
        else:
            self._stack.pop(self._item)
