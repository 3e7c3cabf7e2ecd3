"""Regular expressions: what TensorFlow finds, and in a time that no text can make long."""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded import pattern_cases

RECORDED = pathlib.Path(pattern_cases.__file__).parent / "patterns.json"
CASES = list(zip(pattern_cases.cases(), json.loads(RECORDED.read_text())["cases"], strict=True))


def _texts(*values):
    return [np.array(value, object) for value in values]


def test_matches_are_tensorflows():
    wrong = []
    with hf.eager_mode():
        for case, expected in CASES:
            try:
                found = [
                    hf.regex_replace(*_texts(*case), replace_global=every).numpy()
                    for every in (True, False)
                ]
            except hf.errors.InvalidArgumentError:
                found = None
            if found != (expected and [text.encode("latin-1") for text in expected]):
                wrong.append((case, expected, found))
    assert not wrong
    assert sum(expected is None for _, expected in CASES) > 10


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a" * 60 + "!", "(a+)+$"),
        ("a" * 60, "(a|a)*b"),
        ("a" * 30_000, "a*b"),
        ("x" * 3_000, ".*.*.*=.*"),
        ("a" * 60, "(a?){60}a{60}b"),
    ],
)
def test_no_text_takes_long(text, pattern):
    """Python's own `re` would take minutes to millions of years."""
    with hf.eager_mode():
        assert hf.regex_replace(text, pattern, "").numpy() == text.encode()


def test_what_is_too_large_is_refused():
    with hf.eager_mode():
        for pattern in ("(" * 100_000, "((a{1000}){1000}){1000}", "a{1001}", "(?:a" * 300):
            with pytest.raises(hf.errors.InvalidArgumentError, match="Invalid pattern"):
                hf.regex_replace("a", pattern, "")


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    with hf.eager_mode(), pytest.raises(ImportError, match=r"pip install 'hybridflow\[re2\]'"):
        hf.regex_replace("a", "a", "b")
