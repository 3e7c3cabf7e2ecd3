"""What all tests run under, doctests among them, and the processes that they start."""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # Kernels of tests stand apart from the user's own; a variable that is set already is meant.
    if "HYBRIDFLOW_CACHE_DIR" not in os.environ:
        kept = config.cache.mkdir("hybridflow") if config.cache else None
        if kept is not None:
            os.environ["HYBRIDFLOW_CACHE_DIR"] = str(kept / "kernels")
    # A shell starts what runs in the background with Ctrl-C ignored: `scripts/test &`.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
