"""Products with sparse matrices as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.kernels import sparse
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.lowering import Lowering
from hybridflow._src.plan.steps import Unsupported

if TYPE_CHECKING:
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
