"""`hybridflow explain`, `run --explain` and `run --profile`: what the plans of a script did."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from hybridflow._src.cli import script
from hybridflow._src.runtime.report import Explanation, Recording
from hybridflow._src.runtime.trace import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable


def explain(path: str, arguments: list[str], mode: str, source: bool) -> int:
    """Runs a script, prints the report, and gives the script's exit status.

    Raises:
      SystemExit, KeyboardInterrupt: where the script does, after the report.
    """
    return _recorded(
        lambda: script.run(path, arguments, mode, None),
        lambda recording: _show(recording.explanation(source)),
    )


def run(
    path: str, arguments: list[str], mode: str, seed: int | None, report: bool, profile: str | None
) -> int:
    """Runs a script; then prints the report, or writes a trace of the first runs of its plans.

    Args:
      profile: the file for the trace, in the format of chrome://tracing; None for no trace.

    Returns: the script's exit status, or 2 if that file cannot be written; then nothing runs.

    Raises:
      SystemExit, KeyboardInterrupt: where the script does, after that.
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

        return _recorded(lambda: script.run(path, arguments, mode, seed), tell)


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
