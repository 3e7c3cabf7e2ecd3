"""Op records by TF op type.

Gradient functions and operators reach ops through `raw`, which looks an op up when it is *called*.
So the file of one op family never imports the file of another only for a gradient's sake, and
imports keep going one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS

if TYPE_CHECKING:
    from hybridflow._src.framework.op_def import OpDef


class _Raw:
    """`raw.MatMul(a, b)` calls the op record registered as "MatMul".

    The table is its `__dict__`: this is called for a record that is not there yet.
    """

    def __init__(self) -> None:
        self.__dict__ = OPS

    def __getattr__(self, name: str) -> OpDef:
        if not name.startswith("_"):
            late.load_ops()
            if name in OPS:
                return OPS[name]
        raise AttributeError(f"No op named {name!r} is registered.")


raw = _Raw()
