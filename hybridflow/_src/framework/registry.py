"""Op records by TF op type, and what higher layers supply.

Gradient functions and operators reach ops through `raw`, which looks an op up when it is *called*.
So the file of one op family never imports the file of another only for a gradient's sake, and
imports keep going one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.op_def import OPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.op_def import OpDef


class _Raw:
    """`raw.MatMul(a, b)` calls the op record registered as "MatMul"."""

    __slots__ = ()

    def __getattr__(self, name: str) -> OpDef:
        found = OPS.get(name)
        if found is None and not name.startswith("_"):
            late.load_ops()
            found = OPS.get(name)
        if found is not None:
            return found
        raise AttributeError(f"No op named {name!r} is registered.")


raw = _Raw()


class _Late:
    """What higher layers supply, each set once by the module that defines it.

    Attributes:
      gradients: symbolic gradients, by which control flow ops differentiate their bodies.
      load_ops: imports every op family.
    """

    gradients: Callable[..., list[Any]]
    load_ops: Callable[[], None]


late = _Late()
