"""From the ops of a plan to steps of native code.

`Lowering` is what an op record's `native` function is given: it takes and gives `Value`s and adds
steps. Here are the calls of hand-written kernels; the rest is in the classes below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import expression, loops, ranking, rows
from hybridflow._src.kernels.expression import Untraceable
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.products import Products
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.steps import Call


class Lowering(Products):
    """Steps, as ops of a plan add them."""

    def by_rows(self, function: Callable[[int], int], value: Value, *others: Any) -> Value:
        """What a kernel gives for each row (the last axis) of a value.

        Its words: first and last row, length of a row, rows, results; then `others`, numbers and
        values of the same dtype and shape.
        """
        if value.dtype not in SHORT_NAMES or not value.shape:
            raise Unsupported(f"rows of {value.dtype.name}")
        value, *args = [self.packed(v) if isinstance(v, Value) else v for v in (value, *others)]
        length = value.shape[-1]
        result = self.memory(value.shape, value.dtype)
        self.call(
            self._from_source(function, SHORT_NAMES[value.dtype]),
            [0, value.size // length, length, value, result, *args],
            reads=[v for v in (value, *args) if isinstance(v, Value)],
            writes=[result],
            divisible=True,
        )
        return result

    def largest_of_rows(self, value: Value, count: int) -> list[Value]:
        """The largest elements of each row (the last axis), in falling order, and their columns.

        Raises:
          Unsupported: of dtypes that kernels do not have.
        """
        if value.dtype not in SHORT_NAMES:
            raise Unsupported(f"rows of {value.dtype.name}")
        value = self.packed(value)
        length = value.shape[-1]
        shape = (*value.shape[:-1], count)
        found, columns = self.memory(shape, value.dtype), self.memory(shape, np.int32)
        self.call(
            self._from_source(ranking.largest, SHORT_NAMES[value.dtype]),
            [0, value.size // length, length, count, value, found, columns],
            reads=[value],
            writes=[found, columns],
            divisible=True,
            work=value.size * max(count, 1).bit_length(),
        )
        return [found, columns]

    # -- rows by number ----------------------------------------------------------------------------

    def checked_indices(self, indices: Value, size: int) -> Value:
        """Indices in memory that nobody else writes to.

        The run fails, before it writes anything, unless all lie in `[0, size)`.
        """
        indices = self.packed(indices)
        checked = self.memory(indices.shape, indices.dtype)
        self.call(
            self._rows_kernel(rows.checked_indices, indices, indices),
            [indices, indices.size, size, checked],
            reads=[indices],
            writes=[checked],
            fallible=True,
        )
        return checked

    def check_divisors(self, value: Value) -> None:
        """Has the run fail, before it writes anything, if one of these integers is zero."""
        if value.constant is not None and value.constant.all():
            return
        value = self.packed(value)
        kernel = self._from_source(rows.check_divisors, SHORT_NAMES[value.dtype])
        self.call(kernel, [value, value.size], reads=[value], writes=[], fallible=True)

    def check_true(self, flags: Value) -> None:
        """Has the run fail, for NumPy meanings to say why, if one of these flags is false.

        Raises:
          Unsupported: after a write, which would have to be undone each time.
        """
        if self.written:
            raise Unsupported("a check after a write")
        if flags.constant is not None and flags.constant.all():
            return
        flags = self.packed(flags)
        kernel = self._from_source(rows.check_true, SHORT_NAMES[flags.dtype])
        self.call(kernel, [flags, flags.size], reads=[flags], writes=[], fallible=True)

    def gather(self, params: Value, indices: Value) -> Value:
        """The rows of a value that indices name."""
        if not indices.shape and self.can_locate(params):
            return self.row(params, indices)
        params, indices = self.packed(params), self.packed(indices)
        count, length = indices.size, params.size // params.shape[0]
        result = self.memory((*indices.shape, *params.shape[1:]), params.dtype)
        self.call(
            self._rows_kernel(rows.gather_rows, params, indices),
            [indices, count, params, params.shape[0], length, result],
            reads=[indices, params],
            writes=[result],
            fallible=True,
        )
        return result

    def sum_rows(self, data: Value, ids: Value, count: int) -> Value:
        """For each number below `count` the sum of the rows that `ids` give it."""
        if data.dtype == np.float16:
            wide = self.sum_rows(self.cast(data, np.dtype(np.float32)), ids, count)
            return self.cast(wide, data.dtype)
        data, ids = self.packed(data), self.packed(ids)
        rest = data.shape[len(ids.shape) :]
        length = data.size // ids.size
        # A negative id, which counts for nothing, is left to the NumPy meaning.
        ids = self.checked_indices(ids, count)
        result = self.memory((count, *rest), data.dtype)
        self.call(
            self._rows_kernel(rows.sum_rows, data, ids),
            [ids, ids.size, data, length, result, count],
            reads=[ids, data],
            writes=[result],
        )
        return result

    def scatter(self, storage: Storage, how: str, indices: Value, updates: Value) -> Value:
        """Writes rows of a variable: `how` says what becomes of a row and its update."""
        variable = self.variable(storage)
        indices = self.packed(indices)
        if not variable.shape:
            raise Unsupported("rows of a scalar")
        row = variable.shape[1:]
        updates = self.packed(self.broadcast(updates, (*indices.shape, *row)))
        indices = self.checked_indices(indices, variable.shape[0])
        length = variable.size // variable.shape[0]
        result = self.written_by_call(storage)
        self.call(
            self._rows_kernel(rows.scatter, updates, indices),
            [indices, indices.size, updates, length, result, rows.SCATTER[how]],
            reads=[indices, updates, variable],
            writes=[result],
        )
        return result

    def subtract_rows(self, storage: Storage, scale: Value, indices: Value, updates: Value) -> None:
        """Subtracts scaled rows from rows of a variable; repeated indices count each time."""
        variable = self.variable(storage)
        indices, updates = self.packed(indices), self.packed(updates)
        indices = self.checked_indices(indices, variable.shape[0])
        result = self.written_by_call(storage)
        self.call(
            self._rows_kernel(rows.subtract_rows, updates, indices),
            [indices, indices.size, updates, variable.size // variable.shape[0], result, scale],
            reads=[indices, updates, scale, variable],
            writes=[result],
        )

    def unite_rows(self, indices: Value, updates: Value) -> tuple[Value, Value, Value]:
        """Each index once, the sum of the rows given for it, and how many there are.

        Of both results the first so many rows count.
        """
        indices, updates = self.packed(indices), self.packed(updates)
        count = indices.size
        bits = (2 * count - 1).bit_length()
        unique = self.memory((count,), np.int64)
        summed = self.memory(updates.shape, updates.dtype)
        number = self.memory((), np.int64)
        table = self.memory((1 << bits,), np.int64)
        self.call(
            self._rows_kernel(rows.unite_rows, updates, indices),
            [indices, count, updates, updates.size // count, unique, summed, number, table, bits],
            reads=[indices, updates],
            writes=[unique, summed, number, table],
        )
        return unique, summed, number

    def update_rows(
        self,
        storages: Sequence[Storage],
        meaning: Callable[..., Any],
        indices: Value,
        operands: Sequence[Value],
        grad: int,
        **attrs: Any,
    ) -> None:
        """Writes to rows of variables what `meaning` gives for them, elementwise.

        Args:
          operands: scalars, and at position `grad` the rows of the gradient.
        """
        old = [self.variable(s) for s in storages]
        shape = old[0].shape
        if any(v.shape != shape for v in old) or not shape:
            raise Unsupported("shapes that do not fit the variable")
        indices = self.checked_indices(indices, shape[0])
        unique, summed, number = self.unite_rows(indices, operands[grad])
        others = [summed if i == grad else value for i, value in enumerate(operands)]
        together, one = loops.TOGETHER, loops.ONE
        specs = [loops.Operand(v.dtype, together) for v in old]
        specs += [loops.Operand(v.dtype, together if v is summed else one) for v in others]
        nodes = [
            expression.Node("load", (), spec.dtype, i, 2 if spec.columns == together else 1)
            for i, spec in enumerate(specs)
        ]
        try:
            found = expression.trace(meaning, nodes, 2, attrs)
        except Untraceable as error:
            raise Unsupported(str(error)) from None
        stores = [loops.Store(i, node) for i, node in enumerate(found)]
        nest = loops.Nest(0, specs, stores, [], indexed=len(old))
        length = old[0].size // shape[0]
        new = [self.written_by_call(s) for s in storages]
        step = length * old[0].dtype.itemsize
        args: list[Any] = [0, 0, 0, length]
        for value in (*new, *others):
            args += [value, step if value in new or value is summed else 0]
        self.call(
            nest.kernel("update_rows"),
            [*args, unique, number],
            reads=[*old, *others, unique, number],
            writes=new,
        )

    @staticmethod
    def _from_source(function: Callable[[int], int], *names: str) -> Kernel:
        try:
            return written(function, *names)
        except OSError:
            raise Unsupported("the source of its kernel is not installed") from None

    def _rows_kernel(self, function: Callable[[int], int], value: Value, indices: Value) -> Kernel:
        names = SHORT_NAMES
        if value.dtype not in names or names.get(indices.dtype) not in ("i32", "i64"):
            raise Unsupported(f"rows of {value.dtype.name}")
        return self._from_source(function, names[value.dtype], names[indices.dtype])


def is_gathering(step: Call) -> bool:
    """Whether a call gives rows by number, for each number by itself."""
    return step.kernel.label.startswith("gather_rows_")
