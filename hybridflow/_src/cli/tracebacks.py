"""Tracebacks that end at the user's line: hybridflow's own frames are left out.

The environment variable HYBRIDFLOW_TRACEBACK=full shows them all.
"""

from __future__ import annotations

import os
import pathlib
import sys
import sysconfig
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "HYBRIDFLOW_TRACEBACK"

_IMPLEMENTATION = str(pathlib.Path(__file__).resolve().parents[1]) + os.sep
_LIBRARIES = tuple(
    os.path.realpath(sysconfig.get_path(kind)) + os.sep for kind in ("stdlib", "purelib", "platlib")
)


def fold(error: BaseException) -> int:
    """Takes the frames of hybridflow out of an exception, and of those that led to it.

    What a library does that hybridflow calls goes too; functions of the user that hybridflow calls
    stay.

    Returns: how many frames were taken out; 0 where HYBRIDFLOW_TRACEBACK is "full".
    """
    if os.environ.get(VARIABLE) == "full":
        return 0
    count = 0
    for link in _chain(error):
        frames = list(_frames(link.__traceback__))
        kept = list(_users(frames))
        # An error in hybridflow's own threads, say, has no line of the user to end at.
        if kept:
            count += len(frames) - len(kept)
            link.__traceback__ = _joined(kept)
    return count


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and all that are shown with it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            waiting += [link.__cause__, None if link.__suppress_context__ else link.__context__]
            yield link


def _frames(trace: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _users(frames: list[types.TracebackType]) -> Iterator[types.TracebackType]:
    inside = False
    for entry in frames:
        filename = entry.tb_frame.f_code.co_filename
        if filename.startswith(_IMPLEMENTATION):
            inside = True
        elif not (inside and (filename.startswith(_LIBRARIES) or filename.startswith("<frozen "))):
            inside = False
            yield entry


def _joined(entries: list[types.TracebackType]) -> types.TracebackType | None:
    trace = None
    for entry in reversed(entries):
        trace = types.TracebackType(trace, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return trace
