"""The pages of `docs`: all their code runs, and what they say is so.

Examples at the prompt are doctests, which pytest runs (docs/conftest.py); programs of errors.md are
run by test_lessons.py, the example of CONTRIBUTING.md by test_contributing.py. Here are programs
and commands: a program that has a file name is written to that file, and commands are run beside
it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md"))
_FENCE = re.compile(r"^```+(\S.*?)\n(.*?)^```+$", re.S | re.M)
_FILE = re.compile(r":caption: (\S+)\n\n(.*)", re.S)
# What is shown to be typed by the reader and would install or measure something.
NOT_RUN = {"pip install '.[repl]'", "hybridflow"}
DIRECTIVES = {"{drawing}", "{image}", "{include}", "{toctree}"}


def blocks(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: what follows the fence, and what is in the block."""
    return [(info.strip(), body) for info, body in _FENCE.findall(page.read_text("utf-8"))]


def by_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_no_code_is_left_out(page: Path) -> None:
    for info, body in blocks(page):
        if info == "python":
            assert body.startswith(">>> "), f"no test runs {body!r}"
            assert body.endswith("\n\n"), f"the output ends without an empty line: {body!r}"
        elif info.startswith("python "):
            assert page.name == "errors.md"
        elif info == "{code-block} python":
            assert _FILE.match(body), f"a program without a file name: {body!r}"
        elif info == "sh":
            assert set(body.splitlines()) <= NOT_RUN
        elif info == "text":
            assert page.name == "errors.md"
        else:
            assert info.partition(" ")[0] in {*DIRECTIVES, "console"}


PAGES_WITH_COMMANDS = [page for page in PAGES if "console" in dict(blocks(page))]


def test_some_pages_have_commands() -> None:
    assert "tf1.md" in map(by_name, PAGES_WITH_COMMANDS)


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=by_name)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    for info, body in blocks(page):
        if info == "{code-block} python":
            found = _FILE.match(body)
            assert found is not None
            (tmp_path / found[1]).write_text(found[2], "utf-8")
        if info == "console":
            _run_commands(body, tmp_path)


def _run_commands(body: str, folder: Path) -> None:
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.M):
        program, *arguments = shlex.split(command)
        module = {"hybridflow": ["-m", "hybridflow"], "python": []}[program]
        run = subprocess.run(
            [sys.executable, *module, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        # `...` stands for anything, and spaces for spaces.
        parts = [re.escape(part.strip()) for part in " ".join(shown.split()).split("...")]
        assert re.fullmatch(".*".join(parts), " ".join(run.stdout.split())), run.stdout


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([\w.]+\.md)(?:#[\w-]+)?\)", page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_lead_to_pages(page: Path) -> None:
    for link in links(page):
        assert (page.parent / link).exists(), link
