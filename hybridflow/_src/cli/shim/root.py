"""Names of TensorFlow's root module that mean something to TF-1.x programs alone."""

from __future__ import annotations

from hybridflow._src.framework.context import modes
from hybridflow._src.framework.tensor_shape import disable_v2_tensorshape, enable_v2_tensorshape

__all__ = [
    "control_flow_v2_enabled",
    "disable_control_flow_v2",
    "disable_tensor_equality",
    "disable_v2_tensorshape",
    "enable_control_flow_v2",
    "enable_v2_tensorshape",
    "disable_eager_execution",
    "disable_v2_behavior",
]


def disable_v2_behavior() -> None:
    """Gives TF 1's behaviour, which is here from the start but for `enable_v2_tensorshape`."""
    disable_v2_tensorshape()


def disable_eager_execution() -> None:
    """Does nothing where graph mode is on, as it is from the start.

    Raises:
      ValueError: in eager mode.
    """
    if modes.top.eager:
        raise ValueError("Eager mode is on: leave its scope, or run with --mode graph.")


def disable_tensor_equality() -> None:
    """Does nothing: `==` of tensors compares identity, as in TensorFlow 1."""


def enable_control_flow_v2() -> None:
    """Does nothing: conditionals and loops are calls of functions, as it would make them."""


def disable_control_flow_v2() -> None:
    """Does nothing: conditionals and loops give the same values either way."""


def control_flow_v2_enabled() -> bool:
    """True: conditionals and loops are calls of functions."""
    return True
