"""Where in the user's program an op was made: cheap to record, resolved to text only when shown."""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType, FrameType
from typing import NamedTuple

# Frames of the implementation are left out; what stands beside it in the package (examples) is a
# user's.
_IMPLEMENTATION = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# How many of the user's frames, innermost first, an op keeps.
_LIMIT = 8

_internal: dict[str, bool] = {}

RawFrames = tuple[tuple[CodeType, int], ...]


class Frame(NamedTuple):
    """One line of the user's program."""

    filename: str
    lineno: int
    name: str
    line: str


def capture() -> RawFrames:
    """The user's innermost frames in this thread, as code objects and instruction offsets."""
    frame: FrameType | None = sys._getframe(1)
    known = _internal
    while frame is not None:
        filename = frame.f_code.co_filename
        internal = known.get(filename)
        if internal is None:
            internal = known[filename] = filename.startswith(_IMPLEMENTATION)
        if not internal:
            break
        frame = frame.f_back
    raw: list[tuple[CodeType, int]] = []
    while frame is not None and len(raw) < _LIMIT:
        raw.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(raw)


def resolve(raw: RawFrames) -> list[Frame]:
    """The frames with line numbers and source text, innermost first."""
    frames = []
    for code, offset in raw:
        lineno = code.co_firstlineno
        for start, end, line in code.co_lines():
            if start <= offset < end and line is not None:
                lineno = line
                break
        text = linecache.getline(code.co_filename, lineno).strip()
        frames.append(Frame(code.co_filename, lineno, code.co_name, text))
    return frames
