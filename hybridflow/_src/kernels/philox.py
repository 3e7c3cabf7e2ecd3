"""Blocks of Philox 4x32-10 by a kernel, which takes a tenth of NumPy's time for them.

It is made in the background when many blocks have been asked for; NumPy computes them until then.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.late import late
from hybridflow._src.kernels.jobs import JOBS, is_switched_off
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What makes kernels, imported in the background as for programs.
_COMPILER = "hybridflow._src.kernels.compiler"
# NumPy has computed so many blocks before the kernel is made: some hundredths of a second.
_WORTH_MAKING = 1 << 17

_ROUND = """
x = u64(0xD2511F53) * c0
y = u64(0xCD9E8D57) * c2
c0 = (y >> u64(32)) ^ c1 ^ load_u64(keys, {even}, 2)
c1 = y & mask
c2 = (x >> u64(32)) ^ c3 ^ load_u64(keys, {odd}, 2)
c3 = x & mask
"""


def _rounds() -> str:
    text = "".join(_ROUND.format(even=2 * n, odd=2 * n + 1) for n in range(10))
    return textwrap.indent(text, " " * 8).strip()


# Words: how many blocks; the lower and the upper half of the first counter; what is added to it for
# each block, uint64; the two key words of each round, uint64; the blocks, four uint32 each.
KERNEL = Kernel(
    f"""
def kernel(a):
    first = load_u64(a, 1, 31)
    upper = load_u64(a, 2, 31)
    offsets = word(a, 3)
    keys = word(a, 4)
    to = word(a, 5)
    mask = u64(0xFFFFFFFF)
    for i in range(word(a, 0)):
        lower = load_u64(offsets, i, 0) + first
        c0 = lower & mask
        c1 = lower >> u64(32)
        high = upper + u64(1) if lower < first else upper
        c2 = high & mask
        c3 = high >> u64(32)
        {_rounds()}
        store_u32(to, 4 * i, 1, c0)
        store_u32(to, 4 * i + 1, 1, c1)
        store_u32(to, 4 * i + 2, 1, c2)
        store_u32(to, 4 * i + 3, 1, c3)
    return 0
""",
    "philox",
)


class _Blocks:
    """The kernel, once it has been made."""

    def __init__(self) -> None:
        self._function: Callable[[int], int] | None = None
        self._computed = 0
        # In which process it was asked for: a child goes on without its parent's jobs.
        self._asked: int | None = None

    def __call__(self, low: int, high: int, offsets: np.ndarray, keys: np.ndarray) -> Any:
        """The words `[n, 4]` of blocks; None as long as there is no kernel.

        Args:
          low, high: the halves of the first counter. offsets: uint64 `[n]`, what is added to it.
          keys: uint64, the two words of each round.
        """
        function = self._function
        if function is None:
            self._computed += offsets.size
            if self._computed >= _WORTH_MAKING and self._asked != os.getpid():
                self._asked = os.getpid()
                if not is_switched_off():
                    # What goes wrong leaves it to NumPy.
                    JOBS.submit(self._make(), lambda _: None)
            return None
        offsets, keys = np.ascontiguousarray(offsets), np.ascontiguousarray(keys)
        result = np.empty((offsets.size, 4), np.uint32)
        places = [array.ctypes.data for array in (offsets, keys, result)]
        words = np.array([offsets.size, low, high, *places], np.uint64)
        function(words.ctypes.data)
        return result

    def _make(self) -> Iterator[float]:
        compiler = importlib.import_module(_COMPILER).COMPILER
        yield from compiler.make([KERNEL])
        address = compiler.obtain([KERNEL])[KERNEL]
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)


late.philox_blocks = _Blocks()
