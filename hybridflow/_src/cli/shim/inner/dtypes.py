"""`tensorflow.python.framework.dtypes`: the reference twins of dtypes, by their names."""

from __future__ import annotations

from hybridflow._src.framework import dtypes

_TWINS = {
    f"{name}_ref": getattr(dtypes, name)._as_ref
    for name in dtypes.__all__
    if isinstance(getattr(dtypes, name), dtypes.DType)
}
globals().update(_TWINS)

__all__ = [*_TWINS]
