"""Tracebacks that end at the user's line: hybridflow's own frames are left out.

The environment variable HYBRIDFLOW_TRACEBACK=full shows them all.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import traceback
import types
from typing import TYPE_CHECKING

import hybridflow
from hybridflow import _deferred
from hybridflow._src.framework.traceback import is_internal, is_library

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "HYBRIDFLOW_TRACEBACK"

# Outside the implementation, what looks up the package's names.
_LOOKING_UP = (hybridflow.__file__, _deferred.__file__)


def fold(error: BaseException) -> int:
    """Takes the frames of hybridflow out of an exception, and of those that led to it.

    What a library does that hybridflow calls goes too; functions of the user that hybridflow calls
    stay.

    Returns: how many frames were taken out; 0 where HYBRIDFLOW_TRACEBACK is "full".
    """
    if os.environ.get(VARIABLE) == "full":
        return 0
    seen: set[int] = set()
    count = 0
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        frames = list(_frames(link.__traceback__))
        kept = list(_users(frames))
        # An error in a thread of hybridflow's own, say, has no line of the user to end at.
        if kept:
            count += len(frames) - len(kept)
            link.__traceback__ = _joined(kept)
        cause = _shown(link.__cause__)
        context = None if link.__suppress_context__ else _shown(link.__context__)
        if cause is not link.__cause__:
            link.__cause__ = cause  # hides the context, as a cause does
        elif context is not link.__context__ and not link.__suppress_context__:
            link.__context__ = context
        waiting += [cause, context]
    return count


def _shown(error: BaseException | None) -> BaseException | None:
    """What led to an exception, without those that came and went inside hybridflow."""
    while error is not None:
        frames = list(_frames(error.__traceback__))
        if not frames or list(_users(frames)):
            return error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def hint(error: BaseException) -> str:
    """The name that was perhaps meant, as Python says it; an empty string where there is none.

    Python before 3.12 finds names only where it shows an error itself, not at prompts.
    """
    if not isinstance(error, AttributeError | NameError):
        return ""
    said = re.search(r"Did you mean: .*\?$", traceback.format_exception(error)[-1].rstrip())
    if said is not None:
        return "" if said[0] in str(error) else said[0]
    if sys.version_info >= (3, 12) or not isinstance(error.name, str):
        return ""
    alike = difflib.get_close_matches(error.name, _names_beside(error), 1, 0.7)
    return f"Did you mean: {alike[0]!r}?" if alike else ""


def _names_beside(error: AttributeError | NameError) -> list[str]:
    """The names among which the one of an error was looked for."""
    if isinstance(error, AttributeError):
        return [] if error.obj is None else dir(error.obj)
    frames = [entry.tb_frame for entry in _frames(error.__traceback__)]
    if not frames:
        return []
    frame = frames[-1]
    return [*frame.f_locals, *frame.f_globals, *frame.f_builtins]


def note(count: int) -> str:
    """What to say where `fold` took out `count` frames."""
    frames = "frame" if count == 1 else "frames"
    return f"({count} {frames} inside hybridflow left out; {VARIABLE}=full shows them)"


def show(
    kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
) -> None:
    """Prints an exception as Python does, folded; takes the place of `sys.excepthook`."""
    error = error.with_traceback(trace)
    count = fold(error)
    if count:
        print(note(count), file=sys.stderr)
    sys.__excepthook__(kind, error, error.__traceback__)


def _frames(trace: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _users(frames: list[types.TracebackType]) -> Iterator[types.TracebackType]:
    inside = False
    for entry in frames:
        filename = entry.tb_frame.f_code.co_filename
        if is_internal(filename) or filename in _LOOKING_UP:
            inside = True
        elif not (inside and is_library(filename)):
            inside = False
            yield entry


def _joined(entries: list[types.TracebackType]) -> types.TracebackType | None:
    trace = None
    for entry in reversed(entries):
        trace = types.TracebackType(trace, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return trace
