"""Sums over columns as steps of native code."""

from __future__ import annotations

import math

import numpy as np

from hybridflow._src.kernels import moments
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.vectors import registers
from hybridflow._src.plan.pooling import Pooling
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Value

# Rows are summed up in at most so many chunks, whatever the number of threads, so that it does not
# change the sums; and in no smaller ones.
_CHUNKS, _LEAST = 32, 64


class Moments(Pooling):
    """Steps with sums over all axes but the last one."""

    def moments(self, x: Value) -> tuple[Value, Value]:
        """The means of x over all axes but the last, and the sums of the squares of what differs
        from them, in float64.
        """
        x = self._summed(x)
        sums, chunks = self._partial(x, 0, x, 0)
        rows, columns = x.size // x.shape[-1], x.shape[-1]
        kernel = written(moments.combined_moments, SHORT_NAMES[x.dtype])
        self.call(kernel, [chunks, columns, rows, sums, x], reads=[sums, x], writes=[sums])
        return _halves(sums)

    def paired_sums(self, u: Value, p: Value, v: Value, q: Value) -> tuple[Value, Value]:
        """The sums of `a = u - p` and of `a * (v - q)` over all axes but the last, in float64.

        Args:
          u, v: of one shape and floating type. p, q: values for the last axis.
        """
        u, p, v, q = (self._summed(value) for value in (u, p, v, q))
        sums, chunks = self._partial(u, p, v, q)
        kernel = written(moments.combined, SHORT_NAMES[u.dtype])
        self.call(kernel, [chunks, u.shape[-1], sums], reads=[sums], writes=[sums])
        return _halves(sums)

    def _summed(self, value: Value) -> Value:
        if SHORT_NAMES.get(value.dtype) not in ("f32", "f64"):
            raise Unsupported(f"sums of {value.dtype.name}")
        return self.packed(value)

    def _partial(self, u: Value, p: Value | int, v: Value, q: Value | int) -> tuple[Value, int]:
        """The sums of chunks of rows, and how many chunks there are."""
        rows, columns = math.prod(u.shape[:-1]), u.shape[-1]
        chunks = max(1, min(_CHUNKS, rows // _LEAST))
        sums = self.memory((chunks, 2, columns), np.float64)
        block = self.memory((self.threads, 2 * columns), u.dtype)
        self.call(
            moments.partial(registers().form(SHORT_NAMES[u.dtype])),
            [0, chunks, chunks, rows, columns, u, p, v, q, sums, block],
            reads=[value for value in (u, p, v, q) if isinstance(value, Value)],
            writes=[sums],
            divisible=True,
            work=2 * (u.size + v.size) * u.dtype.itemsize,
            private=[block],
            even=[u, v],
        )
        return sums, chunks


def _halves(sums: Value) -> tuple[Value, Value]:
    """What the first of some sums are: of values, and of products."""
    columns, size = sums.shape[-1], sums.dtype.itemsize
    first, second = (
        Value(sums.buffer, (columns,), (size,), number * columns * size) for number in (0, 1)
    )
    return first, second
