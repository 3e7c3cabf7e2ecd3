"""Keras' default dtype of floats."""

from __future__ import annotations

__all__ = ["floatx", "set_floatx"]

_FLOATS = ("float16", "float32", "float64")
_floatx = "float32"


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
