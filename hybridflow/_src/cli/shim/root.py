"""Names of TensorFlow's root module that mean something to TF-1.x programs alone."""

from __future__ import annotations

from hybridflow._src.framework.context import modes

__all__ = [
    "control_flow_v2_enabled",
    "disable_control_flow_v2",
    "disable_tensor_equality",
    "disable_v2_tensorshape",
    "enable_control_flow_v2",
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


def disable_tensor_equality() -> None:
    """Does nothing: `==` of tensors compares identity, as in TensorFlow 1."""


def disable_v2_tensorshape() -> None:
    """Does nothing: shapes consist of `Dimension`s, as in TensorFlow 1."""


def enable_control_flow_v2() -> None:
    """Does nothing: conditionals and loops are calls of functions, as it would make them."""


def disable_control_flow_v2() -> None:
    """Does nothing: conditionals and loops give the same values either way."""


def control_flow_v2_enabled() -> bool:
    """True: conditionals and loops are calls of functions."""
    return True
