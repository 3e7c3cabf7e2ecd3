"""A plugin of pytest: test suites written for TensorFlow 1 run on hybridflow.

    pytest -p hybridflow.pytest_tensorflow tests

In pytest's process, and its workers', `import tensorflow` gives hybridflow, as
`hybridflow.as_tensorflow()` says.
"""

from __future__ import annotations

from typing import Any

import hybridflow

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: Any) -> None:
    """Called by pytest as soon as it knows of the plugin, before it looks for any conftest.py.

    Raises:
      RuntimeError: if the real TensorFlow is imported already.
    """
    hybridflow.as_tensorflow()
