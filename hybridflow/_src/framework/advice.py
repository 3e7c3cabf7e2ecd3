"""What to write instead: the last sentence of errors that many people meet in their first hour.

Longer texts stand beside the code that raises; these are asked for in more than one place.
"""

from __future__ import annotations

from typing import Any

_PRODUCT = (
    " The inner sizes of a product must be equal, [m,k] times [k,n]: `transpose_a=True` or "
    "`transpose_b=True` turns a matrix, `hf.expand_dims(v, 1)` makes one of a vector."
)
_BY_OP = {
    "MatMul": _PRODUCT,
    "BatchMatMul": _PRODUCT,
    "Reshape": " One size may be -1: it is worked out from the others.",
    "ConcatV2": " All sizes must be equal but that of `axis`.",
}
_BROADCAST = (
    " Sizes must be equal, or 1, counted from the last dimension: `hf.expand_dims(t, axis)` adds a "
    "dimension of size 1."
)


def on_shapes(op_type: str, problem: str) -> str:
    """What to do about shapes that do not fit an op; an empty string where nothing is known."""
    if problem.startswith("Incompatible shapes"):
        return _BROADCAST
    return _BY_OP.get(op_type, "")


def made_at(op: Any) -> str:
    """The user's line that made an operation, in brackets behind a space; or an empty string."""
    frame = getattr(op, "user_frame", None)
    if frame is None:
        return ""
    filename, line, source = frame
    return f" (made at {filename}:{line}{': ' + source if source else ''})"
