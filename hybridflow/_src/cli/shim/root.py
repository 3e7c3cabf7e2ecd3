"""Names of TensorFlow's root module that mean something to TF-1.x programs alone."""

from __future__ import annotations

from hybridflow._src.framework.context import modes

__all__ = [
    "disable_eager_execution",
    "disable_v2_behavior",
]


def disable_v2_behavior() -> None:
    """Does nothing: programs call it to get TF 1's behaviour from TensorFlow 2."""


def disable_eager_execution() -> None:
    """Does nothing where graph mode is on, as it is from the start.

    Raises:
      ValueError: in eager mode.
    """
    if modes.top.eager:
        raise ValueError("Eager mode is on: leave its scope, or run with --mode graph.")
