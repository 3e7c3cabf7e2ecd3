"""Patterns found in texts, in time that is linear in these.

Python's `re` finds the same matches, and is quicker; but it goes back, and may take a time that
grows as a power of the text's length, or exponentially. So it is used where that cannot be long.
Elsewhere all ways to match go on side by side, letter by letter (Pike's machine), those that are
preferred first.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from typing import Any

from hybridflow._src.ops.strings.patterns import (
    Assertion,
    Choice,
    Group,
    Letter,
    Node,
    PatternError,
    Ranges,
    Repeat,
    Sequence,
    read,
)

# Python's `re` may go back so often.
_STEPS = 10_000_000
# As many instructions has a machine at most.
_LARGEST = 20_000

Spans = list[tuple[int, int] | None]


class Matcher:
    """A pattern that is looked for.

    Attributes:
      groups: how many groups it has.

    Raises:
      PatternError: for what is no pattern.
    """

    def __init__(self, text: str) -> None:
        tree, self.groups = read(text)
        self._machine = _Machine(tree, self.groups)
        power = _power(tree)
        self._power = power or 0
        self._quick = None if power is None else re.compile(_as_python(tree), re.ASCII)

    def search(self, text: str, start: int) -> Spans | None:
        """Where the leftmost match from a place on begins and ends, and its groups, if any."""
        quick = self._quick
        if quick is not None and (len(text) - start) ** self._power <= _STEPS:
            found = quick.search(text, start)
            if found is None:
                return None
            spans = [found.span(number) for number in range(self.groups + 1)]
            return [None if begin < 0 else (begin, end) for begin, end in spans]
        return self._machine.search(text, start)


matcher = functools.lru_cache(maxsize=64)(Matcher)


# -- as Python reads it ----------------------------------------------------------------------------

_AS_PYTHON = {
    "begin": r"\A",
    "end": r"\Z",
    "begin of line": r"(?<![^\n])",
    "end of line": r"(?![^\n])",
    "word": r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))",
    "no word": r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))",
}


def _power(node: Node) -> int | None:
    """How often as a power of the text's length Python may go back; None where that is no power.

    Each repetition of a letter may end anywhere, and the match begin anywhere. In a repetition of
    something else what is repeated may be divided anew in each turn.
    """
    powers = _powers(node)
    return None if powers is None else 1 + powers


def _powers(node: Node) -> int | None:
    if isinstance(node, Repeat):
        if isinstance(node.body, Letter):
            return int(node.most is None or node.most > 1)
        inner = _powers(node.body)
        return inner if node.most == 1 else None
    if isinstance(node, Group):
        return _powers(node.body)
    if isinstance(node, (Sequence, Choice)):
        found = [_powers(part) for part in node.parts]
        return None if None in found else sum(power for power in found if power is not None)
    return 0


def _as_python(node: Node) -> str:
    if isinstance(node, Letter):
        return _class_of(node.ranges)
    if isinstance(node, Assertion):
        return _AS_PYTHON[node.kind]
    if isinstance(node, Group):
        return f"({_as_python(node.body)})"
    if isinstance(node, Repeat):
        most = "" if node.most is None else node.most
        lazy = "?" if node.is_lazy else ""
        return f"(?:{_as_python(node.body)}){{{node.least},{most}}}{lazy}"
    if isinstance(node, Choice):
        return "(?:" + "|".join(map(_as_python, node.parts)) + ")"
    return "".join(map(_as_python, node.parts))


def _class_of(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\s\S]"
    codes = [f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges]
    return "[" + "".join(codes) + "]"


# -- all ways side by side -------------------------------------------------------------------------

# Instructions: (what, its argument, ...).
_LETTER, _SPLIT, _SAVE, _PLACE, _MATCH = range(5)


class _Machine:
    """The instructions of a pattern, each with the numbers of those that follow it."""

    def __init__(self, tree: Node, groups: int) -> None:
        self._program: list[tuple[Any, ...]] = []
        self._slots = 2 * (groups + 1)
        last = self._add(_MATCH)
        self._first = self._add(_SAVE, 0, self._build(tree, self._add(_SAVE, 1, last)))

    def _add(self, *instruction: Any) -> int:
        if len(self._program) >= _LARGEST:
            raise PatternError("pattern too large - compile failed")
        self._program.append(instruction)
        return len(self._program) - 1

    def _build(self, node: Node, after: int) -> int:
        """Adds what matches a node and goes on at `after`; gives where that begins."""
        if isinstance(node, Letter):
            bounds = [code for low, high in node.ranges for code in (low, high + 1)]
            return self._add(_LETTER, bounds, after)
        if isinstance(node, Assertion):
            return self._add(_PLACE, node.kind, after)
        if isinstance(node, Group):
            end = self._add(_SAVE, 2 * node.number + 1, after)
            return self._add(_SAVE, 2 * node.number, self._build(node.body, end))
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                after = self._build(part, after)
            return after
        if isinstance(node, Choice):
            return self._add(_SPLIT, tuple(self._build(part, after) for part in node.parts))
        return self._build_repeat(node, after)

    def _build_repeat(self, node: Repeat, after: int) -> int:
        def either(inside: int, outside: int) -> tuple[int, int]:
            return (outside, inside) if node.is_lazy else (inside, outside)

        least = node.least
        if node.most is None:
            # It goes back to the choice, which has a number before it is known.
            turn = self._add(_SPLIT, ())
            begin = self._build(node.body, turn)
            self._program[turn] = (_SPLIT, either(begin, after))
            after = begin if least else turn
            least = max(least - 1, 0)
        else:
            end = after
            for _ in range(node.most - least):
                after = self._add(_SPLIT, either(self._build(node.body, after), end))
        for _ in range(least):
            after = self._build(node.body, after)
        return after

    def search(self, text: str, start: int) -> Spans | None:
        """The leftmost match from a place on, of all the one that is preferred."""
        program = self._program
        best: tuple[int | None, ...] | None = None
        ways: list[tuple[int, tuple[int | None, ...]]] = []
        for at in range(start, len(text) + 1):
            if best is None:
                # One more way, that all others are preferred to.
                ways.append((self._first, (None,) * self._slots))
            if not ways:
                break
            code = ord(text[at]) if at < len(text) else -1
            next_ways: list[tuple[int, tuple[int | None, ...]]] = []
            for number, saved in self._reached(ways, text, at):
                instruction = program[number]
                if instruction[0] == _MATCH:
                    best = saved
                    break
                if code >= 0 and bisect_right(instruction[1], code) % 2:
                    next_ways.append((instruction[2], saved))
            ways = next_ways
        if best is None:
            return None
        pairs = zip(best[::2], best[1::2], strict=True)
        return [None if b is None or e is None else (b, e) for b, e in pairs]

    def _reached(
        self, ways: list[tuple[int, tuple[int | None, ...]]], text: str, at: int
    ) -> list[tuple[int, tuple[int | None, ...]]]:
        """The letters and ends to which these ways lead without a letter more, in order, each
        once.
        """
        program = self._program
        found = []
        seen: set[int] = set()
        for way in ways:
            pending = [way]
            while pending:
                number, saved = pending.pop()
                if number in seen:
                    continue
                seen.add(number)
                instruction = program[number]
                kind = instruction[0]
                if kind == _SPLIT:
                    pending += [(other, saved) for other in reversed(instruction[1])]
                elif kind == _SAVE:
                    slot = instruction[1]
                    pending.append((instruction[2], (*saved[:slot], at, *saved[slot + 1 :])))
                elif kind == _PLACE:
                    if _holds(instruction[1], text, at):
                        pending.append((instruction[2], saved))
                else:
                    found.append((number, saved))
        return found


def _holds(kind: str, text: str, at: int) -> bool:
    if kind == "begin":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "begin of line":
        return at == 0 or text[at - 1] == "\n"
    if kind == "end of line":
        return at == len(text) or text[at] == "\n"
    before = at > 0 and _is_word(text[at - 1])
    behind = at < len(text) and _is_word(text[at])
    return (before != behind) == (kind == "word")


def _is_word(letter: str) -> bool:
    return letter == "_" or (letter.isascii() and letter.isalnum())
