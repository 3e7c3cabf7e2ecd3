"""`hybridflow explain`: a script runs, and a report says what its plans did."""

from __future__ import annotations

import sys

from hybridflow._src.cli import script
from hybridflow._src.runtime.report import Explanation, Recording


def explain(path: str, arguments: list[str], mode: str, source: bool) -> int:
    """Runs a script, prints the report, and gives the script's exit status.

    Raises:
      SystemExit, KeyboardInterrupt: where the script does, after the report.
    """
    recording = Recording()
    try:
        with recording:
            return script.run(path, arguments, mode, None)
    finally:
        _show(recording.explanation(source))


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
