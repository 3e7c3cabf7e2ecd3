"""The one stack behind every scope: modes, graphs, names, devices, tapes, variable scopes.

A Ctrl-C may come where a `with` statement begins or ends: inside `__enter__` when the scope is open
already, or before `__exit__` has closed it. So a scope is not closed by code alone. A `with`
statement holds, and nobody else does, a *way out*: what it has looked up as `__exit__`. What it has
opened lies on stacks in entries that are weak references to it; when a `with` statement is left in
any way, Python takes its way out apart, and the entries leave their stacks. That happens in C,
where no signal handler runs.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

T = TypeVar("T")
G = TypeVar("G")


_STILL_OPEN = (
    "{problem}: a {what} was closed while scopes opened inside it are still open. Close scopes in "
    "the reverse order in which they were opened."
)
_NOT_OPEN = (
    "{problem}: a {what} was closed that is not open in this thread. A scope must be closed in the "
    "thread that opened it, once."
)


class _Entry(weakref.ref[Any]):
    """An item on a stack, for as long as what it refers to lives."""

    __slots__ = ("item", "opened")

    item: Any
    opened: Opened | None


class Stack(threading.local, Generic[T]):
    """A stack per thread whose bottom item is never popped.

    `with stack.scope(item):` pushes `item` and always pops it. A scope left out of order (a
    generator resumed elsewhere, a manual `__exit__`) is taken out of the stack wherever it lies, so
    that nothing stays open, and the mistake is reported as a `RuntimeError`.

    Attributes:
      entries: what lies on it, each as the `item` of an entry. `entries[-1].item` is the quick way
        to the top.
    """

    def __init__(self, bottom: T, what: str) -> None:
        self.what = what
        self.entries: list[_Entry] = []
        self.push(bottom)

    @property
    def top(self) -> T:
        """The item that was pushed last."""
        top: T = self.entries[-1].item
        return top

    def __len__(self) -> int:
        return len(self.entries) - 1

    def __iter__(self) -> Iterator[T]:
        return iter([entry.item for entry in self.entries])

    def scope(self, item: T, gives: Any = None) -> Pushed[T, Any]:
        """A context manager that holds `item` on the stack and gives `gives` (or else `item`)."""
        return Pushed(self, item, item if gives is None else gives)

    def push(self, item: T) -> None:
        """Adds an item that stays until it is discarded."""
        # A class lives for ever.
        entry = _Entry(Stack)
        entry.item, entry.opened = item, None
        self.entries.append(entry)

    def discard(self, item: T) -> None:
        """Removes `item` wherever it lies, if it is there: for what may end in any order."""
        entries = self.entries
        for index in range(len(entries) - 1, 0, -1):
            if entries[index].item is item:
                del entries[index]
                return

    def cut(self, depth: int) -> None:
        """Drops what lies above `depth` items."""
        del self.entries[depth + 1 :]


class Opened:
    """What one `with` statement has opened."""

    __slots__ = ("_opener", "_undo", "way_out")

    # Its fields are set by `_way_out_of`, which is quicker than a method of its own.
    _opener: Opener
    # The stack that an item was pushed on last, or a call, and the same of what came before; empty
    # when it is entered, None before that.
    _undo: tuple[Any, ...] | None
    way_out: Any

    def push(self, stack: Stack[T], item: T) -> T:
        """Puts an item on a stack until the statement is left."""
        entries = stack.entries
        self._undo = (stack, self._undo)
        # The way out itself has no name here: an interrupt's traceback would keep it alive.
        entry = _Entry(self.way_out(), entries.remove)
        entry.item, entry.opened = item, self
        entries.append(entry)
        return item

    @property
    def is_open(self) -> bool:
        """Whether something is still there that it pushed."""
        return bool(self._undo) and self.way_out() is not None

    def on_exit(self, *call: Any) -> None:
        """Has a function called, with arguments, before what was opened until now is closed."""
        self._undo = (call, self._undo)

    def close(self, kind: type[BaseException] | None = None, *_: Any) -> None:
        """Takes what was pushed off its stacks again.

        After an interrupt that closes too what was opened inside and is still open.

        Raises:
          RuntimeError: if that is not in order, unless an interrupt is on its way.
        """
        if self._undo is None:
            # What was entered by hand is left by another way out than the one looked up then.
            self._opener._leave(kind)
            return
        problem = ""
        while self._undo:
            item, rest = self._undo
            if item.__class__ is tuple:
                self._undo = rest
                item[0](*item[1:])
                continue
            entries = item.entries
            if entries[-1].opened is self:
                del entries[-1]
            else:
                problem = self._take_out(item, _is_interrupt(kind)) or problem
            self._undo = rest
        if problem and not _is_interrupt(kind):
            raise RuntimeError(problem)

    def _take_out(self, stack: Stack[Any], with_all_above: bool) -> str:
        """Takes what was pushed out of the middle of a stack; says what is wrong with that."""
        entries = stack.entries
        for index in range(len(entries) - 1, 0, -1):
            if entries[index].opened is self:
                del entries[index : len(entries) if with_all_above else index + 1]
                return _STILL_OPEN.format(problem=self._opener._problem, what=stack.what)
        return _NOT_OPEN.format(problem=self._opener._problem, what=stack.what)


def _is_interrupt(kind: type[BaseException] | None) -> bool:
    # What is closed with a generator is no interrupt, and a mistake in it is worth knowing.
    return kind is not None and not issubclass(kind, Exception | GeneratorExit)


class _Next(threading.local):
    """The `Opened` of the `with` statement of this thread that is about to begin."""

    opened: Opened | None = None


_next = _Next()


def _way_out_of(opener: Opener) -> Any:
    """Another way out of a `with` statement, which is about to enter a context manager."""
    opened = _new(Opened)
    opened._opener = opener
    opened._undo = None
    # Not the bound method itself: Python 3.14 takes that apart where a `with` statement begins.
    way_out = partial(_close, opened)
    opened.way_out = weakref.ref(way_out)
    _next.opened = opened
    return way_out


_new = object.__new__
_close = Opened.close


class _WayOut(property):
    """`__exit__` of a class: each time it is looked up for an object, another way out."""

    def __call__(self, opener: Opener, *exc: Any) -> None:
        """What `type(opener).__exit__` is called for: leaves what was entered by hand."""
        opener.__exit__(*exc)


class Opener:
    """A context manager that pushes items on stacks: subclasses say which in `_open`.

    It may be entered again while it is open, and by hand: then it stays open until it is left by
    hand, in the same thread.
    """

    __slots__ = ("_by_hand",)

    # How the error for one that is closed out of order begins, and names it.
    _problem = "Nesting violated"
    _what = "scope"

    def _open(self, opened: Opened) -> Any:
        """Pushes what it opens with `opened.push`; gives what the `with` statement gives."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        opened, _next.opened = _next.opened, None
        if opened is None or opened._opener is not self or opened.way_out() is None:
            return self._enter_by_hand()
        opened._undo = ()
        return self._open(opened)

    def _enter_by_hand(self) -> Any:
        way_out = _way_out_of(self)
        (opened,) = way_out.args
        opened._undo = ()
        given = self._open(opened)
        if not hasattr(self, "_by_hand"):
            self._by_hand: list[tuple[int, Any]] = []
        self._by_hand.append((threading.get_ident(), way_out))
        return given

    def _leave(self, kind: type[BaseException] | None) -> None:
        """Leaves what was entered by hand last, in this thread."""
        entered = getattr(self, "_by_hand", [])
        for index in range(len(entered) - 1, -1, -1):
            thread, way_out = entered[index]
            if thread == threading.get_ident():
                del entered[index]
                way_out(kind)
                return
        raise RuntimeError(_NOT_OPEN.format(problem=self._problem, what=self._what))

    if TYPE_CHECKING:

        def __exit__(self, kind: type[BaseException] | None = None, *_: Any) -> None:
            """Closes it."""

    else:
        __exit__ = _WayOut(_way_out_of)


class Pushed(Opener, Generic[T, G]):
    """The context manager of one `Stack.scope`."""

    __slots__ = ("_gives", "_item", "_stack")

    def __init__(self, stack: Stack[T], item: T, gives: G) -> None:
        self._stack = stack
        self._item = item
        self._gives = gives

    @property
    def _what(self) -> str:  # type: ignore[override]
        return self._stack.what

    def __repr__(self) -> str:
        return f"<{self._stack.what}>"

    def _open(self, opened: Opened) -> G:
        opened.push(self._stack, self._item)
        return self._gives

    if TYPE_CHECKING:

        def __enter__(self) -> G:
            """Opens it."""


class Together(Opener):
    """Several context managers of this kind as one, opened in order; gives what the last does."""

    __slots__ = ("_openers",)

    def __init__(self, *openers: Opener) -> None:
        self._openers = openers

    def _open(self, opened: Opened) -> Any:
        given = None
        for opener in self._openers:
            given = opener._open(opened)
        return given
