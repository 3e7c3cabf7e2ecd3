"""What TensorFlow 2 says of itself in its `tensorflow.compat.v1`."""

from __future__ import annotations

import os

from hybridflow._src.cli.shim.version import COMPILER_VERSION, GIT_VERSION

# Libraries that import `tensorflow.compat.v1` ask for a version of TensorFlow 2; 2.15 is the last
# one whose Keras is that of TensorFlow.
__version__ = VERSION = os.environ.get("HYBRIDFLOW_TF_VERSION") or "2.15.0"

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION", "__version__"]
