"""Pauses the garbage collector while the package is imported.

What an import makes lives as long as the process; collections on the way find nothing, and cost a
fifth of the import. NumPy is imported first: what could fail has succeeded when the pause begins.
"""

from __future__ import annotations

import gc

import numpy as np  # noqa: F401

_was_enabled = gc.isenabled()
gc.disable()


def resume() -> None:
    """Lets the collector go on, if it was on."""
    if _was_enabled:
        gc.enable()
