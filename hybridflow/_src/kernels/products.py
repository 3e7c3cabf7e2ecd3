"""The kernel of matrix products: calls of BLAS by address."""

from __future__ import annotations

from hybridflow._src.kernels.kernel import Kernel

_PRODUCT = """
def kernel(a):
    alpha = {T}(load_f64(a, 6, 31)) * load_{T}(word(a, 7), 0, 0)
    beta = {T}(load_f64(a, 8, 31))
    threads = i32(0)
    if word(a, 19) != 0:
        threads = i32(function_at(word(a, 19)))
        if threads > 1:
            function_at(word(a, 20), 1)
    for i in range(word(a, 15)):
        gemm{bits}_{T}(
            word(a, 0), word(a, 1), word(a, 2), word(a, 3), word(a, 4), word(a, 5), alpha,
            word(a, 9) + i * word(a, 16), word(a, 10), word(a, 11) + i * word(a, 17), word(a, 12),
            beta, word(a, 13) + i * word(a, 18), word(a, 14))
    if threads > 1:
        function_at(word(a, 20), i64(threads))
    return 0
"""


def product(short: str, bits: int) -> Kernel:
    """The kernel `c = alpha * scale * op(a) op(b) + beta * c`, for a number of matrices.

    Words: the function; CBLAS' numbers for the transpositions; rows, columns, inner size; alpha (a
    float64) and the address of scale; beta (a float64); for a, b and c address and row length;
    the number of matrices, and how far those of a, b and c lie apart in bytes; the functions that
    tell and set BLAS' number of threads, which is one meanwhile (zeros: it stays as it is). Of two
    threads that do this at once each puts back only what it has changed, so it ends as it was.
    """
    return Kernel(_PRODUCT.format(T=short, bits=bits), f"product_{short}")


PLAIN, TRANSPOSED = 111, 112
