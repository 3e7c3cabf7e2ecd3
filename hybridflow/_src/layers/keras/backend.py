"""Keras' settings: the default dtype of floats, a small number, the order of an image's axes."""

from __future__ import annotations

__all__ = ["epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx"]

_FLOATS = ("float16", "float32", "float64")
_floatx = "float32"
_epsilon = 1e-7


def floatx() -> str:
    """The name of the dtype that programs give floats which have none; "float32" at first.

    >>> import hybridflow as hf
    >>> hf.keras.backend.floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Sets what `floatx` returns, in this process. Layers take the dtype of their inputs.

    Raises:
      ValueError: for a name that is none of float16, float32 and float64.
    """
    global _floatx
    if value not in _FLOATS:
        raise ValueError(f"Unknown floatx type: {value!r}; it is one of {', '.join(_FLOATS)}.")
    _floatx = str(value)


def epsilon() -> float:
    """What programs add where they divide by what may be zero; 1e-7 at first.

    >>> import hybridflow as hf
    >>> hf.keras.backend.epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets what `epsilon` returns, in this process; no layer here reads it."""
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """Where layers expect channels that are told nothing else: "channels_last"."""
    return "channels_last"
