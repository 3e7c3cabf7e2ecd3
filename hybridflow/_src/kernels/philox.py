"""Blocks of Philox 4x32-10 by a kernel, which takes a tenth of NumPy's time for them."""

from __future__ import annotations

import textwrap

import numpy as np

from hybridflow._src.framework.late import late
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.kernel import Kernel

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


# NumPy has computed so many blocks before the kernel is made.
BLOCKS = Alone(KERNEL, worth=1 << 17)


def _blocks(low: int, high: int, offsets: np.ndarray, keys: np.ndarray) -> np.ndarray | None:
    """The words `[n, 4]` of blocks; None as long as there is no kernel.

    Args:
      low, high: the halves of the first counter. offsets: uint64 `[n]`, what is added to it.
      keys: uint64, the two words of each round.
    """
    if not BLOCKS.is_there(offsets.size):
        return None
    result = np.empty((offsets.size, 4), np.uint32)
    offsets, keys = np.ascontiguousarray(offsets), np.ascontiguousarray(keys)
    BLOCKS(offsets.size, low, high, offsets, keys, result)
    return result


late.philox_blocks = _blocks
