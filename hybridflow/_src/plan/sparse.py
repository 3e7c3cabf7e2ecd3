"""Products with sparse matrices as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import sparse
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.lowering import Lowering
from hybridflow._src.plan.steps import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.plan.values import Value


class Sparse(Lowering):
    """Steps with sparse matrices."""

    def sparse_product(
        self, indices: Value, values: Value, sizes: Value, dense: Value, turned: bool, rows: int
    ) -> Value:
        """The product of a sparse matrix and a dense one; the run fails if it has another shape.

        Args:
          indices: `[n, 2]`. values: `[n]`. sizes: of the sparse matrix, `[2]`. turned: whether it
            is transposed. rows: of the result.

        Raises:
          Unsupported: for other numbers than floats of 32 and 64 bits.
        """
        if SHORT_NAMES.get(values.dtype) not in ("f32", "f64"):
            raise Unsupported(f"a sparse product of {values.dtype.name}")
        indices, values, sizes, dense = map(self.packed, (indices, values, sizes, dense))
        count, length = values.size, dense.shape[1]
        starts = self.memory((rows + 1,), np.int64)
        columns, numbers = (self.memory((count,), np.int64) for _ in range(2))
        self.call(
            self._rows_kernel(sparse.grouped, values, indices),
            [indices, count, int(turned), rows, dense.shape[0], sizes, starts, columns, numbers],
            reads=[indices, sizes],
            writes=[starts, columns, numbers],
            fallible=True,
        )
        result = self.memory((rows, length), values.dtype)
        self.call(
            self._rows_kernel(sparse.product, values, starts),
            [0, rows, starts, columns, numbers, values, dense, length, result],
            reads=[starts, columns, numbers, values, dense],
            writes=[result],
            divisible=True,
            work=(2 * count + rows) * length * values.dtype.itemsize,
        )
        return result

    # -- segments ----------------------------------------------------------------------------------

    def _segments(self, data: Value, ids: Value, segments: int, last: bool) -> tuple[Value, Value]:
        """Ids of segments that are checked, and how many there are of each."""
        if data.dtype == np.float16:
            raise Unsupported("segments of float16")
        ids = self.packed(ids)
        copy, counts = self.memory((ids.size,), np.int64), self.memory((segments,), np.int64)
        self.call(
            self._rows_kernel(sparse.checked_segments, copy, ids),
            [ids, ids.size, segments, int(last), copy, counts],
            reads=[ids],
            writes=[copy, counts],
            fallible=True,
        )
        return copy, counts

    def sum_segments(
        self,
        data: Value,
        indices: Value,
        ids: Value,
        segments: int,
        count: Value | None = None,
        *,
        divided: Callable[[Any], Any] | None,
    ) -> Value:
        """The sums of the rows of each segment, divided by a function of how many there are.

        The run fails unless there are as many segments as were seen.
        """
        if count is not None:
            self.known(count)
        data, indices = self.packed(data), self.packed(indices)
        ids, counts = self._segments(data, ids, segments, count is None)
        length = data.size // data.shape[0]
        result = self.memory((segments, *data.shape[1:]), data.dtype)
        self.call(
            self._rows_kernel(sparse.sum_segments, data, indices),
            [indices, ids, ids.size, data, data.shape[0], length, result, segments],
            reads=[indices, ids, data],
            writes=[result],
            fallible=True,
        )
        return self._shares(result, counts, divided)

    def spread_segments(
        self,
        data: Value,
        indices: Value,
        ids: Value,
        rows: int,
        *,
        divided: Callable[[Any], Any] | None,
    ) -> Value:
        """For each row the sum of the segments that it is in, each divided by such a function."""
        segments = data.shape[0]
        ids, counts = self._segments(data, ids, segments, False)
        data = self.packed(self._shares(data, counts, divided))
        indices = self.packed(indices)
        length = data.size // segments
        result = self.memory((rows, *data.shape[1:]), data.dtype)
        self.call(
            self._rows_kernel(sparse.spread_segments, data, indices),
            [indices, ids, ids.size, data, length, result, rows],
            reads=[indices, ids, data],
            writes=[result],
            fallible=True,
        )
        return result

    def _shares(self, rows: Value, counts: Value, divided: Callable[[Any], Any] | None) -> Value:
        """Rows divided by a function of how many there are of each."""
        if divided is None:
            return rows
        counts = self.view(lambda x: x.reshape((-1,) + (1,) * (len(rows.shape) - 1)), counts)
        counts = self.cast(counts, rows.dtype)
        return self.elementwise(lambda x, n: x / divided(n), rows, counts)
