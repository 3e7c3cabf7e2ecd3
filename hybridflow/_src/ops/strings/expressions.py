"""Regular expressions by RE2, whose language TensorFlow's ops take: an extra, imported when it is
first used. Its time is linear in the text.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = (
    "Regular expressions are read by google-re2, which is not installed: "
    "pip install 'hybridflow[re2]'"
)


def compiled(pattern: bytes) -> Any:
    """A pattern, for bytes.

    Raises:
      ImportError: without google-re2. InvalidArgumentError: if it is no pattern.
    """
    try:
        re2 = importlib.import_module("re2")
    except ImportError as error:
        raise ImportError(_MISSING) from error
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise InvalidArgumentError(
            None, None, f"Invalid pattern: {pattern!r:.200}, error: {why}"
        ) from None


def rewriter(rewrite: bytes, groups: int) -> Callable[[Any], bytes]:
    r"""What gives the text for a match: `\1` stands for a group, `\0` for the whole match.

    Raises:
      ValueError: for a group that there is not, and what else stands behind a backslash.
    """
    parts: list[Any] = []
    at = 0
    while at < len(rewrite):
        letter = rewrite[at : at + 1]
        at += 1
        if letter == b"\\":
            letter = rewrite[at : at + 1]
            at += 1
            if letter.isdigit():
                if int(letter) > groups:
                    raise ValueError(f"the rewrite asks for group {int(letter)} of {groups}")
                parts.append(int(letter))
                continue
            if letter != b"\\":
                raise ValueError(f"invalid rewrite {rewrite!r:.100}: write \\\\ for a backslash")
        parts.append(letter)
    return lambda found: b"".join(p if isinstance(p, bytes) else found[p] or b"" for p in parts)


def replaced(text: bytes, pattern: Any, make: Callable[[Any], bytes], all_of_them: bool) -> bytes:
    """A text with what `make` gives in the place of matches."""
    parts = []
    at, last = 0, -1
    while at <= len(text):
        found = pattern.search(text, at)
        if found is None:
            break
        begin, end = found.span()
        parts.append(text[at:begin])
        if begin == end == last:
            # Nothing is no match right behind another one.
            at, last = begin + _length(text, begin), -1
            parts.append(text[begin:at])
            continue
        parts.append(make(found))
        at = last = end
        if not all_of_them:
            break
    return b"".join([*parts, text[at:]])


def _length(text: bytes, at: int) -> int:
    """How many bytes a letter has; 1 where there is none."""
    for length in (1, 2, 3, 4):
        try:
            text[at : at + length].decode()
        except UnicodeDecodeError:
            continue
        return length
    return 1
