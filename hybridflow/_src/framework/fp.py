"""Floating-point status: NaN and Inf flow through ops silently, as in TensorFlow.

NumPy keeps its error state in a context variable. `np.errstate` builds that state anew each time
(about 1 us); setting the finished state directly costs 0.15 us, which matters for one small eager
op.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


def _direct(variable: Any) -> tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], Any]]:
    """`state`, `silence` and `restore` by NumPy's own context variable."""
    with np.errstate(all="ignore"):
        ignored = variable.get()
    put = variable.set
    return variable.get, lambda: put(ignored), put


def _public() -> tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], Any]]:
    """The same by `np.seterr`, for a NumPy that keeps its state elsewhere."""
    return np.geterr, lambda: np.seterr(all="ignore"), lambda state: np.seterr(**state)


_variable: Any = getattr(sys.modules.get("numpy._core.umath"), "_extobj_contextvar", None)
# `silence()` ignores floating-point status until `restore` is called with what `state()` gave
# before. An interrupt may come when a call ends: so `silence` is called inside `try`.
state, silence, restore = _public() if _variable is None else _direct(_variable)


def quietly(function: Callable[..., R], *args: Any) -> R:
    """Calls a function with floating-point status ignored.

    Where 50 ns count, its text stands in place of a call.
    """
    status = state()
    try:
        silence()
        return function(*args)
    finally:
        try:
            restore(status)
        finally:
            pass
