"""`tensorflow.python.eager.test`: tests that run eagerly."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.default_graph import enable_eager_execution
from hybridflow._src.testing.running import main as run

__all__ = ["main"]


def main(argv: Any = None) -> None:
    """`tf.test.main`, in eager mode."""
    enable_eager_execution()
    run(argv)
