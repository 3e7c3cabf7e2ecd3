"""Kernels that reduce the middle one of three axes, as source text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.kernels import expression
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import SHORT_NAMES

if TYPE_CHECKING:
    import numpy as np

_FOLD = """
def kernel(a):
    length = word(a, 2)
    inner = word(a, 3)
    source = word(a, 4)
    result = word(a, 5)
    for i in range(word(a, 0), word(a, 1)):
        for j in range(inner):
            store_T(result, i * inner + j, 1, load_T(source, i * length * inner + j, 0))
        for k in range(1, length):
            row = (i * length + k) * inner
            for j in range(inner):
                old = load_T(result, i * inner + j, 1)
                new = load_T(source, row + j, 0)
                store_T(result, i * inner + j, 1, {step})
    return 0
"""


def folding(ufunc: np.ufunc, dtype: np.dtype) -> Kernel:
    """The kernel that reduces by a ufunc, row upon row, as NumPy does.

    Words: first and last of the outer axis, size of the middle and of the inner one, source,
    result.

    Raises:
      Untraceable: if kernels do not reduce by this ufunc.
    """
    load = expression.Node("load", (), dtype)
    expression.reduction(ufunc, load)
    short = SHORT_NAMES[dtype]
    step = expression.template(ufunc.__name__, dtype).format("old", "new", T=short)
    text = _FOLD.format(step=step if dtype.kind == "b" else f"{short}({step})")
    return Kernel(text.replace("_T", f"_{short}"), f"fold_{ufunc.__name__}_{short}")
