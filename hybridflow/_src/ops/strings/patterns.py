r"""Regular expressions as RE2 reads them, whose language TensorFlow's ops take.

    a|b  ab  x* x+ x? x{2,5}  x*? (fewer)  (x) (?:x) (?P<name>x) (?i) (?i:x)
    .  [a-z] [^a-z] [[:alpha:]]  \d \w \s \D \W \S  \pL \p{Lu}  ^ $ \A \z \b \B
    \n \t \x41 \x{1F600} \101 \Q...\E

Lookaheads and references to groups are no part of it: that is why time is linear in the text.
"""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from typing import NamedTuple

Ranges = tuple[tuple[int, int], ...]

LARGEST = 0x10FFFF
# What text is made of: all but what stands for bytes that are no text.
_ALL: Ranges = ((0, 0xD7FF), (0xE000, LARGEST))
# As many times may something come at most.
_MOST_TIMES = 1000
# Groups in groups.
_DEEPEST = 200


class PatternError(ValueError):
    """What is no regular expression."""


class Letter(NamedTuple):
    """One letter of a set."""

    ranges: Ranges


class Assertion(NamedTuple):
    """A place: `begin` or `end` of the text, `begin of line`, `end of line`, `word`: a boundary of
    one, or `no word`.
    """

    kind: str


class Group(NamedTuple):
    """What is remembered by its number."""

    number: int
    body: Node


class Repeat(NamedTuple):
    """So many times, `most` None for any number; as many as can be, unless it is lazy."""

    body: Node
    least: int
    most: int | None
    is_lazy: bool


class Sequence(NamedTuple):
    """One after the other."""

    parts: tuple[Node, ...]


class Choice(NamedTuple):
    """The first of these that leads to a match."""

    parts: tuple[Node, ...]


Node = Letter | Assertion | Group | Repeat | Sequence | Choice


class Pattern(NamedTuple):
    """A pattern that has been read, and how many groups it has."""

    tree: Node
    groups: int


# -- sets of letters -------------------------------------------------------------------------------


def _ranges(letters: str) -> Ranges:
    return joined([(ord(letter), ord(letter)) for letter in letters])


def joined(ranges: list[tuple[int, int]]) -> Ranges:
    """Ranges in order that do not touch."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


def _without(ranges: Ranges) -> Ranges:
    """The letters that are in none of these ranges."""
    found = []
    for first, last in _ALL:
        low = first
        for begin, end in ranges:
            if end < low or begin > last:
                continue
            if begin > low:
                found.append((low, begin - 1))
            low = end + 1
        if low <= last:
            found.append((low, last))
    return joined(found)


def _folded(ranges: Ranges) -> Ranges:
    """These letters, and the same ones small and large."""
    found = list(ranges)
    for low, high in ranges:
        # Large sets have both.
        for code in range(low, min(high, low + 0x3000) + 1):
            for other in (chr(code).lower(), chr(code).upper(), chr(code).swapcase()):
                if len(other) == 1:
                    found.append((ord(other), ord(other)))
    return joined(found)


_DIGITS, _WORD = _ranges(string.digits), _ranges(string.ascii_letters + string.digits + "_")
_PERL = {"d": _DIGITS, "w": _WORD, "s": _ranges("\t\n\f\r ")}
_POSIX = {
    "alnum": _ranges(string.ascii_letters + string.digits),
    "alpha": _ranges(string.ascii_letters),
    "ascii": ((0, 0x7F),),
    "blank": _ranges("\t "),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": _DIGITS,
    "graph": ((0x21, 0x7E),),
    "lower": _ranges(string.ascii_lowercase),
    "print": ((0x20, 0x7E),),
    "punct": _ranges(string.punctuation),
    "space": _ranges("\t\n\v\f\r "),
    "upper": _ranges(string.ascii_uppercase),
    "word": _WORD,
    "xdigit": _ranges(string.hexdigits),
}
_PLACES = {"A": "begin", "z": "end", "b": "word", "B": "no word"}
_ESCAPES = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@functools.cache
def _of_category(name: str) -> Ranges:
    if name == "Any":
        return _ALL
    codes = (c for low, high in _ALL for c in range(low, high + 1))
    return joined([(c, c) for c in codes if unicodedata.category(chr(c)).startswith(name)])


_CATEGORIES = {unicodedata.category(chr(code)) for code in range(0x3000)} | {"Any", "Co", "Cn"}
_CATEGORIES |= {name[0] for name in _CATEGORIES if name != "Any"}


# -- reading ---------------------------------------------------------------------------------------

_TIMES = re.compile(r"[*+?]|\{(\d+)(?:(,)(\d*))?\}")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAMED = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(0[0-7]{0,2}|[1-7][0-7]{1,2})")
_CATEGORY = re.compile(r"([pP])(?:\{(\^?)(\w+)\}|(\w))")
_CLASS = re.compile(r"\[:(\^?)(\w+):\]")


def read(text: str) -> Pattern:
    """Reads a pattern.

    Raises:
      PatternError: if it is none.
    """
    reader = _Reader(text)
    tree = reader.choice(frozenset())
    if not reader.at_end:
        raise PatternError("unexpected )")
    return Pattern(tree, reader.groups)


class _Reader:
    """A pattern, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.groups = 0

    @property
    def at_end(self) -> bool:
        """Whether all has been read."""
        return self._at >= len(self._text)

    def _takes(self, what: str) -> bool:
        """Whether this comes next; then it is read."""
        found = self._text.startswith(what, self._at)
        self._at += len(what) * found
        return found

    def _found(self, what: re.Pattern[str]) -> re.Match[str] | None:
        """What comes next, if it is of this form; then it is read."""
        found = what.match(self._text, self._at)
        self._at += len(found[0]) if found else 0
        return found

    def _next(self, missing: str) -> str:
        if self.at_end:
            raise PatternError(f"missing {missing}")
        self._at += 1
        return self._text[self._at - 1]

    def choice(self, flags: frozenset[str]) -> Node:
        """What stands between `|`, to the end of the group."""
        parts: list[list[Node]] = [[]]
        while not self.at_end and not self._text.startswith(")", self._at):
            if self._takes("|"):
                parts.append([])
            elif (found := self._found(_FLAGS)) is not None:
                inner = (flags | set(found[1])) - set(found[2] or "")
                if found[3] == ":":
                    parts[-1].append(self._repeated(self._inside(inner), flags))
                else:
                    flags = inner
            elif self._takes("\\Q"):
                end = self._text.find("\\E", self._at)
                quoted = self._text[self._at : end if end >= 0 else len(self._text)]
                self._at += len(quoted) + 2
                letters = [_letter(_ranges(letter), flags) for letter in quoted]
                parts[-1] += letters[:-1]
                parts[-1] += [self._repeated(letter, flags) for letter in letters[-1:]]
            else:
                parts[-1].append(self._repeated(self._item(flags), flags))
        sequences = [p[0] if len(p) == 1 else Sequence(tuple(p)) for p in parts]
        return sequences[0] if len(sequences) == 1 else Choice(tuple(sequences))

    def _inside(self, flags: frozenset[str]) -> Node:
        """What a group holds, and its end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError("expression nests too deeply")
        found = self.choice(flags)
        if not self._takes(")"):
            raise PatternError(f"missing ): {self._text}")
        self._depth -= 1
        return found

    def _item(self, flags: frozenset[str]) -> Node:
        if self._found(_NAMED) or (not self._text.startswith("(?", self._at) and self._takes("(")):
            self.groups += 1
            number = self.groups
            return Group(number, self._inside(flags))
        if self._text.startswith("(?", self._at):
            raise PatternError(f"invalid perl operator: {self._text[self._at : self._at + 3]}")
        letter = self._next("an argument")
        if letter == ".":
            return Letter(_ALL if "s" in flags else _without(_ranges("\n")))
        if letter in "^$":
            where = "begin" if letter == "^" else "end"
            return Assertion(f"{where} of line" if "m" in flags else where)
        if letter in "*+?":
            raise PatternError(f"missing argument to repetition operator: {letter}")
        if letter == "[":
            return self._class(flags)
        if letter != "\\":
            return _letter(_ranges(letter), flags)
        for escape, kind in _PLACES.items():
            if self._takes(escape):
                return Assertion(kind)
        return _letter(self._escape()[0], flags)

    def _repeated(self, body: Node, flags: frozenset[str]) -> Node:
        found = self._found(_TIMES)
        if found is None:
            return body
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[0], (0, None))
        if found[1]:
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else None
            if max(least, most or 0) > _MOST_TIMES or (most is not None and most < least):
                raise PatternError(f"invalid repetition size: {found[0]}")
        is_lazy = self._takes("?") != ("U" in flags)
        again = self._found(_TIMES)
        if again is not None:
            raise PatternError(f"bad repetition operator: {found[0]}{again[0]}")
        return Repeat(body, least, most, is_lazy)

    def _class(self, flags: frozenset[str]) -> Letter:
        """A set of letters behind its bracket."""
        is_negated = self._takes("^")
        ranges: list[tuple[int, int]] = []
        is_first = True
        while is_first or not self._takes("]"):
            is_first = False
            named = self._found(_CLASS)
            if named is not None:
                if named[2] not in _POSIX:
                    raise PatternError(f"invalid character class range: {named[0]}")
                ranges += _without(_POSIX[named[2]]) if named[1] else _POSIX[named[2]]
                continue
            low, is_one = self._of_class()
            if is_one and self._range_follows():
                self._at += 1
                high, is_one = self._of_class()
                if not is_one or high[0][0] < low[0][0]:
                    raise PatternError("invalid character class range")
                low = ((low[0][0], high[0][0]),)
            ranges += low
        found = joined(ranges)
        if "i" in flags:
            found = _folded(found)
        return Letter(_without(found) if is_negated else found)

    def _range_follows(self) -> bool:
        return self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at)

    def _of_class(self) -> tuple[Ranges, bool]:
        """What stands in a set, and whether it is one letter."""
        letter = self._next(f"closing ]: {self._text}")
        return self._escape() if letter == "\\" else (_ranges(letter), True)

    def _escape(self) -> tuple[Ranges, bool]:
        """What stands behind a backslash, and whether it is one letter."""
        code = self._found(_CODE)
        if code is not None:
            number = int(code[3], 8) if code[3] else int(code[1] or code[2], 16)
            if number > LARGEST:
                raise PatternError(f"invalid escape sequence: \\{code[0]}")
            return ((number, number),), True
        category = self._found(_CATEGORY)
        if category is not None:
            name = category[3] or category[4]
            if name not in _CATEGORIES:
                raise PatternError(f"invalid character class range: \\{category[0]}")
            found = _of_category(name)
            is_negated = (category[1] == "P") != bool(category[2])
            return _without(found) if is_negated else found, False
        letter = self._next("what a trailing \\ stands before")
        if letter.lower() in _PERL:
            found = _PERL[letter.lower()]
            return _without(found) if letter.isupper() else found, False
        if letter in _ESCAPES:
            return _ranges(_ESCAPES[letter]), True
        if letter.isascii() and not letter.isalnum():
            return _ranges(letter), True
        raise PatternError(f"invalid escape sequence: \\{letter}")


def _letter(ranges: Ranges, flags: frozenset[str]) -> Letter:
    return Letter(_folded(ranges) if "i" in flags else ranges)
