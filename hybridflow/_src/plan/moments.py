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

    def paired_sums(self, u: Value, p: Value, v: Value, q: Value) -> tuple[Value, Value]:
        """The sums of `a = u - p` and of `a * (v - q)` over all axes but the last, in float64.

        Args:
          u, v: of one shape and floating type. p, q: values for the last axis.
        """
        if SHORT_NAMES.get(u.dtype) not in ("f32", "f64"):
            raise Unsupported(f"sums of {u.dtype.name}")
        u, p, v, q = (self.packed(value) for value in (u, p, v, q))
        rows, columns = math.prod(u.shape[:-1]), u.shape[-1]
        chunks = max(1, min(_CHUNKS, rows // _LEAST))
        sums = self.memory((chunks, 2, columns), np.float64)
        block = self.memory((self.threads, 2 * columns), u.dtype)
        work = 2 * (u.size + v.size) * u.dtype.itemsize
        self.call(
            moments.partial(registers().form(SHORT_NAMES[u.dtype])),
            [0, chunks, chunks, rows, columns, u, p, v, q, sums, block],
            reads=[u, p, v, q],
            writes=[sums],
            divisible=True,
            work=work,
            private=[block],
        )
        self.call(
            written(moments.combined, SHORT_NAMES[u.dtype]),
            [chunks, columns, sums],
            reads=[sums],
            writes=[sums],
        )
        size = sums.dtype.itemsize
        first, second = (
            Value(sums.buffer, (columns,), (size,), number * columns * size) for number in (0, 1)
        )
        return first, second
