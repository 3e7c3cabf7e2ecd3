"""The prompt without IPython: Python's own console, with completion and a history."""

from __future__ import annotations

import atexit
import code
import contextlib
import linecache
import os
import pathlib
import rlcompleter
import sys
import traceback
import types
from typing import Any

from hybridflow._src.cli import tracebacks
from hybridflow._src.cli.completion import completions
from hybridflow._src.cli.interrupts import Watch

_HISTORY = "~/.hybridflow_history"


class Console(code.InteractiveConsole):
    """Python's console, with folded tracebacks, and a Ctrl-C that leaves no traces."""

    _inputs = 0

    def runsource(self, source: str, filename: str = "", symbol: str = "single") -> bool:
        # A name for each input, under which tracebacks find its lines.
        filename = f"<input {self._inputs + 1}>"
        lines = [f"{line}\n" for line in source.split("\n")]
        linecache.cache[filename] = (len(source), None, lines, filename)
        more = super().runsource(source, filename, symbol)
        self._inputs += not more
        return more

    def runcode(self, code: types.CodeType) -> None:
        watch = Watch()
        watch.begin()
        try:
            super().runcode(code)
        finally:
            watch.end()

    def showtraceback(self, **_: Any) -> None:
        error = sys.exc_info()[1]
        if error is None:
            return
        if error.__traceback__ is not None:
            error.__traceback__ = error.__traceback__.tb_next  # without the console's own frame
        count = tracebacks.fold(error)
        if count:
            print(tracebacks.note(count), file=sys.stderr)
        traceback.print_exception(type(error), error, error.__traceback__)
        hint = tracebacks.hint(error)
        if hint and sys.version_info < (3, 12):  # later ones have said it
            print(hint, file=sys.stderr)
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__


def start(banner: str, namespace: dict[str, Any]) -> None:
    """Opens the console."""
    _use_readline(namespace)
    module = types.ModuleType("__main__")
    module.__dict__.update(namespace)
    sys.modules["__main__"] = module
    Console(module.__dict__).interact(banner=banner, exitmsg="")


def _use_readline(namespace: dict[str, Any]) -> None:
    """Sets up completion and history, where Python has readline."""
    try:
        import readline
    except ImportError:
        return
    readline.set_completer(_Completer(namespace, readline).complete)
    readline.parse_and_bind("tab: complete")
    history = pathlib.Path(os.path.expanduser(_HISTORY))
    with contextlib.suppress(OSError):
        history.touch(mode=0o600)
        readline.read_history_file(history)
    atexit.register(_write_history, readline, history)


def _write_history(readline: Any, history: pathlib.Path) -> None:
    with contextlib.suppress(OSError):
        readline.set_history_length(10_000)
        readline.write_history_file(history)


class _Completer(rlcompleter.Completer):
    """Completes names of variables and scopes inside strings, and Python's names elsewhere."""

    def __init__(self, namespace: dict[str, Any], readline: Any) -> None:
        super().__init__(namespace)
        self._readline = readline

    def complete(self, text: str, state: int) -> str | None:
        line = self._readline.get_line_buffer()[: self._readline.get_endidx()]
        found = completions(line)
        if found is None:
            return super().complete(text, state)
        typed, names = found
        # Readline takes "/" for the end of a word: only what follows it is replaced.
        kept = len(typed) - len(text)
        return names[state][kept:] if state < len(names) else None
