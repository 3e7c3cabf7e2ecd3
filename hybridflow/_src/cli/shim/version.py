"""`tf.version`: what TensorFlow says of itself, and programs compare."""

from __future__ import annotations

import os

# 1.15's spellings are there, beside 1.4's.
__version__ = VERSION = os.environ.get("HYBRIDFLOW_TF_VERSION") or "1.15.0"
GIT_VERSION = "unknown"
COMPILER_VERSION = "unknown"

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION", "__version__"]
