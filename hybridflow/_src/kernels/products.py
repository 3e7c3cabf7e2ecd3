"""The kernel of matrix products: calls of BLAS by address.

Large products are divided into parts, rows by columns of the result, which our own threads share:
BLAS' threads spin while they wait for each other, and where other programs use the processors too
they take twenty times as long as one alone. So BLAS is kept to the thread that calls it.
"""

from __future__ import annotations

import numpy as np

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import ELEMENT_TYPES

PLAIN, TRANSPOSED = 111, 112
# Which arguments are alpha, scale and beta, and which one is the result: also of `dense.product`.
SCALES, RESULT = slice(8, 11), 15
# Parts begin at multiples of so many rows and columns: BLAS' own tiles are whole.
_ALIGNED = 16

_PRODUCT = """
def kernel(a):
    m = word(a, 5)
    n = word(a, 6)
    alpha = {T}(load_f64(a, 8, 31)) * load_{T}(word(a, 9), 0, 0)
    beta = {T}(load_f64(a, 10, 31))
    down = word(a, 17)
    across = word(a, 18)
    threads = i32(0)
    if word(a, 24) != 0:
        threads = i32(function_at(word(a, 24)))
        if threads > 1:
            function_at(word(a, 25), 1)
    for part in range(word(a, 0), word(a, 1)):
        i = part // (down * across)
        d = part // across % down
        s = part % across
        r0 = min(m, (m + {U} - 1) // {U} * d // down * {U})
        r1 = min(m, (m + {U} - 1) // {U} * (d + 1) // down * {U})
        c0 = min(n, (n + {U} - 1) // {U} * s // across * {U})
        c1 = min(n, (n + {U} - 1) // {U} * (s + 1) // across * {U})
        gemm{bits}_{T}(
            word(a, 2), word(a, 3), word(a, 4), r1 - r0, c1 - c0, word(a, 7), alpha,
            word(a, 11) + i * word(a, 19) + r0 * word(a, 22), word(a, 12),
            word(a, 13) + i * word(a, 20) + c0 * word(a, 23), word(a, 14), beta,
            word(a, 15) + i * word(a, 21) + (r0 * word(a, 16) + c0) * {B}, word(a, 16))
    if threads > 1:
        function_at(word(a, 25), i64(threads))
    return 0
"""


def product(short: str, bits: int) -> Kernel:
    """The kernel `c = alpha * scale * op(a) op(b) + beta * c`, for a number of matrices.

    Words: first and last part; the function; CBLAS' numbers for the transpositions; rows, columns,
    inner size; alpha (a float64) and the address of scale; beta (a float64); for a, b and c address
    and row length; into how many parts the rows and the columns of each matrix are divided; how far
    matrices of a, b and c lie apart in bytes, rows of op(a), and columns of op(b); the functions
    that tell and set BLAS' number of threads, which is one meanwhile (zeros: it stays as it is). Of
    two threads that do this at once each puts back only what it has changed, so it ends as it was.
    """
    size = np.dtype(ELEMENT_TYPES[short]).itemsize
    text = _PRODUCT.format(T=short, bits=bits, B=size, U=_ALIGNED)
    return Kernel(text, f"product_{short}")


def division(rows: int, columns: int, parts: int) -> tuple[int, int]:
    """Into how many parts rows and columns are divided, so that the least has to be read for all.

    There are as many as are asked for, or as there can be.
    """
    high, wide = -(-rows // _ALIGNED), -(-columns // _ALIGNED)
    found = [(d, parts // d) for d in range(1, parts + 1) if parts % d == 0]
    fitting = [(d, s) for d, s in found if d <= high and s <= wide]
    if not fitting:
        return (min(parts, high), 1) if high > wide else (1, min(parts, wide))
    return min(fitting, key=lambda pair: rows / pair[0] + columns / pair[1])
