"""Ctrl-C at the prompt: an input that was interrupted leaves nothing open.

Code that is interrupted closes its scopes and takes its writes back. What an input has opened
without a `with` statement, the prompt closes, and it puts NumPy's error state back.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from typing import Any

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.scopes import eager_devices, eager_names
from hybridflow._src.framework.stack import Stack
from hybridflow._src.variables.scope_state import current


class Open:
    """What is open in this thread now: modes, graphs, tapes, stores, sessions, scopes."""

    def __init__(self) -> None:
        self._depths = [(stack, len(stack)) for stack in _stacks()]
        self._numpy = np.geterr()

    def restore(self) -> None:
        """Closes what has been opened since."""
        for stack, depth in self._depths:
            stack.cut(depth)
        np.seterr(**self._numpy)


class Watch:
    """Watches an input of the prompt: one that gets a Ctrl-C leaves nothing open.

    Also where the user's own code has caught the KeyboardInterrupt. One that comes while Python
    takes an object apart, where it drops all errors, comes again.
    """

    # Not while nothing is watched: `end` is also called after the cell that loads the extension.
    _open: Open | None = None

    def begin(self) -> None:
        """Called before the input runs."""
        self._open = Open()
        self._interrupted = False
        # Python delivers signals to the main thread alone.
        self._is_main = threading.current_thread() is threading.main_thread()
        if self._is_main:
            self._before = signal.signal(signal.SIGINT, self._on_signal)
            self._before_hook, sys.unraisablehook = sys.unraisablehook, self._on_dropped

    def end(self) -> None:
        """Called when the input has run, or failed."""
        if self._open is None:
            return
        if self._is_main and signal.getsignal(signal.SIGINT) == self._on_signal:
            signal.signal(signal.SIGINT, self._before)
        if self._is_main and sys.unraisablehook == self._on_dropped:
            sys.unraisablehook = self._before_hook
        if self._interrupted:
            self._open.restore()
        self._open = None

    def _on_signal(self, number: int, frame: Any) -> None:
        self._interrupted = True
        if callable(self._before):
            self._before(number, frame)

    def _on_dropped(self, dropped: Any) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            # In a while, from elsewhere: here it would be dropped again.
            _thread.start_new_thread(self._repeat, ())
        else:
            self._before_hook(dropped)

    def _repeat(self) -> None:
        time.sleep(0.01)
        if sys.unraisablehook == self._on_dropped:  # the input still runs
            _thread.interrupt_main()


def _stacks() -> list[Stack[Any]]:
    return [
        context.modes,
        context.tapes,
        context.eager_collections,
        context.variable_creation,
        context.variable_creators,
        context.sessions,
        context.eager_kernels.streams,
        eager_names,
        eager_devices,
        get_default_graph()._scope,
        current().scopes,
    ]
