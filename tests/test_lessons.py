"""What errors teach that a newcomer meets in the first hour; docs/errors.md lists them.

Each case is a section of that page: its programs are run, in the modes that it names, and the texts
that it shows are compared with what they raise.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.S | re.M)
_BLOCK = re.compile(r"^```(python|text)(?: (\w+))?\n(.*?)^```$", re.S | re.M)


class Lesson:
    """A section: a program that fails, the error's class and text, and a program that works."""

    def __init__(self, title: str, body: str) -> None:
        self.title = title
        blocks = _BLOCK.findall(body)
        kinds = [(kind, mode) for kind, mode, _ in blocks]
        (self.mode,) = {mode for kind, mode in kinds if kind == "python"}
        assert self.mode in ("eager", "graph", "both"), title
        assert [kind for kind, _ in kinds] == ["python", "text", "python"], title
        self.wrong, self.text, self.right = (code for _, _, code in blocks)

    @property
    def modes(self) -> tuple[str, ...]:
        return ("eager", "graph") if self.mode == "both" else (self.mode,)


LESSONS = [Lesson(title, body) for title, body in _SECTION.findall(PAGE.read_text("utf-8"))]
CASES = [
    pytest.param(lesson, mode, id=f"{lesson.title}-{mode}")
    for lesson in LESSONS
    for mode in lesson.modes
]


@contextlib.contextmanager
def opened(mode):
    """The names that the programs of the page use."""
    if mode == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield {"hf": hf, "np": np}
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            yield {"hf": hf, "np": np, "session": session}


def pattern(text):
    """A regular expression for a text of the page, where `...` stands for anything."""
    words = re.escape(" ".join(text.split()))
    return re.compile(words.replace(re.escape("..."), ".*"))


@pytest.mark.parametrize(("lesson", "mode"), CASES)
def test_the_wrong_program_raises_what_the_page_shows(lesson, mode):
    error = None
    try:
        with opened(mode) as names:
            exec(compile(lesson.wrong, "program.py", "exec"), names)
    except Exception as raised:
        error = raised
    assert error is not None
    classes = "|".join(cls.__name__ for cls in type(error).__mro__)
    shown, _, text = lesson.text.partition(": ")
    assert re.fullmatch(classes, shown), f"{type(error).__name__} is no {shown}"
    assert pattern(text).fullmatch(" ".join(str(error).split())), str(error)


@pytest.mark.parametrize(("lesson", "mode"), CASES)
def test_the_right_program_works(lesson, mode):
    with opened(mode) as names:
        exec(compile(lesson.right, "program.py", "exec"), names)


ERRORS_OF_THE_FIRST_HOUR = {
    "Shapes that do not fit a product",
    "Shapes that cannot be broadcast",
    "A variable that has not been initialized",
    "A placeholder without a value",
    "A value of another shape than the placeholder",
    "A variable that exists already",
    "A variable that does not exist",
    "A variable asked for in another shape",
    "A tensor of another graph",
    "A tensor of a graph in `if`",
    "A tensor of a graph as a number",
    "`numpy()` in graph mode",
    "NumPy's functions on a tensor of a graph",
    "Dtypes that differ",
    "NumPy's methods on a tensor",
    "Rows by a list of numbers",
    "`+=` on a variable",
    "A number that does not fit the dtype",
    "No gradient for any variable",
    "A constraint that is no function",
    "A constraint that changes the shape",
    "A placeholder in eager mode",
    "`gradients` in eager mode",
    "`minimize` in eager mode",
    "`minimize` with a function in graph mode",
    "`eval` in eager mode",
    "A closed session",
    "Writing into a variable by index",
}


def test_all_are_there():
    assert {lesson.title for lesson in LESSONS} == ERRORS_OF_THE_FIRST_HOUR
