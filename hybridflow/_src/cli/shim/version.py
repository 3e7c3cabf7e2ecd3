"""`tf.version`: what TensorFlow says of itself, and programs compare."""

from __future__ import annotations

import os
import re

_VARIABLE = "HYBRIDFLOW_TF_VERSION"


def problem() -> str | None:
    """What is wrong with the version that the environment asks for, or None."""
    asked = os.environ.get(_VARIABLE)
    if not asked or re.fullmatch(r"\d+(\.\d+)+([-+.]?[A-Za-z][\w.+-]*)?", asked):
        return None
    return (
        f"{_VARIABLE}={asked!r} is no version: expected numbers with dots between them, such as "
        "1.15.0 or 2.0.0-rc1, which programs compare."
    )


# 1.15's spellings are there, beside 1.4's.
__version__ = VERSION = os.environ.get(_VARIABLE) or "1.15.0"
GIT_VERSION = "unknown"
COMPILER_VERSION = "unknown"

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION", "__version__"]
