"""Where in the user's program an op was made: cheap to record, resolved to text only when shown."""

from __future__ import annotations

import linecache
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

# Frames of the implementation are left out; what stands beside it in the package (examples) is a
# user's.
_IMPLEMENTATION = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# How many of the user's frames, innermost first, an op keeps.
_KEPT = range(5)

_internal: dict[str, bool] = {}

# Code object, instruction offset, code object, ...: one flat tuple, of nothing that the garbage
# collector would have to look through.
RawFrames = tuple[Any, ...]


class Frame(NamedTuple):
    """One line of the user's program."""

    filename: str
    lineno: int
    name: str
    line: str


def capture(depth: int) -> RawFrames:
    """The user's innermost frames in this thread, as code objects and instruction offsets.

    The `depth` innermost frames are passed over unseen: looking at a frame costs.
    """
    frame: FrameType | None = sys._getframe(depth)
    known = _internal
    while frame is not None:
        filename = frame.f_code.co_filename
        internal = known.get(filename)
        if internal is None:
            internal = known[filename] = filename.startswith(_IMPLEMENTATION)
        if not internal:
            break
        frame = frame.f_back
    raw: list[Any] = []
    for _ in _KEPT:
        if frame is None:
            break
        raw.append(frame.f_code)
        raw.append(frame.f_lasti)
        frame = frame.f_back
    return tuple(raw)


def is_internal(filename: str) -> bool:
    """Whether a file is one of the implementation."""
    return filename.startswith(_IMPLEMENTATION)


def is_library(filename: str) -> bool:
    """Whether a file is of Python itself, or of an installed package."""
    import sysconfig  # not needed before something goes wrong

    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = tuple(os.path.realpath(sysconfig.get_path(kind)) + os.sep for kind in kinds)
    return filename.startswith(("<frozen ", *folders)) or "site-packages" in filename


def resolve(raw: RawFrames) -> list[Frame]:
    """The frames with line numbers and source text, innermost first."""
    frames = []
    for code, offset in zip(raw[::2], raw[1::2], strict=True):
        lineno = code.co_firstlineno
        for start, end, line in code.co_lines():
            if start <= offset < end and line is not None:
                lineno = line
                break
        text = linecache.getline(code.co_filename, lineno).strip()
        frames.append(Frame(code.co_filename, lineno, code.co_name, text))
    return frames


def raised_at(error: BaseException) -> str:
    """The user's innermost line of an error, as `, at file:line: text`; nothing without one."""
    found = ""
    link = error.__traceback__
    while link is not None:
        filename = link.tb_frame.f_code.co_filename
        if not is_internal(filename):
            text = linecache.getline(filename, link.tb_lineno).strip()
            found = f", at {filename}:{link.tb_lineno}: {text}"
        link = link.tb_next
    return found
