"""`hybridflow explain`, `run --explain` and `run --profile`: what the plans of a program did."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from hybridflow._src.cli import script
from hybridflow._src.runtime.report import Explanation, Recording
from hybridflow._src.runtime.trace import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.cli.program import Program


def explain(program: Program, mode: str, source: bool) -> int:
    """Runs a program, prints the report, and gives the program's exit status.

    Raises:
      SystemExit, KeyboardInterrupt: where the program does, after the report.
    """
    return _recorded(
        lambda: script.run(program, mode, None),
        lambda recording: _show(recording.explanation(source)),
    )


def run(program: Program, mode: str, seed: int | None, report: bool, profile: str | None) -> int:
    """Runs a program; then prints the report, or writes a trace of the first runs of its plans.

    Args:
      profile: the file for the trace, in the format of chrome://tracing; None for no trace.

    Returns: the program's exit status, or 2 if that file cannot be written; then nothing runs.

    Raises:
      SystemExit, KeyboardInterrupt: where the program does, after that.
    """
    with contextlib.ExitStack() as opened:
        file = None
        if profile is not None:
            try:
                file = opened.enter_context(open(profile, "w", encoding="utf-8"))
            except OSError as error:
                print(f"hybridflow: can't write {profile!r}: {error}", file=sys.stderr)
                return 2

        def tell(recording: Recording) -> None:
            if report:
                _show(recording.explanation())
            if file is not None:
                file.write(Timeline(recording.step_stats()).generate_chrome_trace_format())

        return _recorded(lambda: script.run(program, mode, seed), tell)


def _recorded(action: Callable[[], int], tell: Callable[[Recording], None]) -> int:
    recording = Recording()
    try:
        with recording:
            return action()
    finally:
        tell(recording)


def _show(found: Explanation) -> None:
    """Prints a report: in a terminal in colours, else as plain text."""
    sys.stdout.flush()
    if not found.plans:
        print("No plan has run.")
    elif sys.stdout.isatty():
        from rich.console import Console

        Console().print(found)
    else:
        print(found)
