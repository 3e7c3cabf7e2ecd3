"""From the ops of a plan to steps of native code.

`Lowering` is what an op record's `native` function is given: it takes and gives `Value`s and adds
steps: groups of elementwise work, calls of kernels, and calls of NumPy meanings where there is no
kernel. A step stands after all that it needs, so an op joins the group of the latest of its inputs
where it fits, else a new one at the end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import blas, expression, loops, rows
from hybridflow._src.kernels.expression import Untraceable
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.groups import Group
from hybridflow._src.plan.values import (
    CONSTANT,
    GIVEN,
    PLANNED,
    VARIABLE,
    Buffer,
    Value,
    broadcast_shape,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.plan import Instruction


# Work on so few elements costs no more than the call of a kernel.
_LITTLE = 256


class Unsupported(Exception):
    """There is no kernel for this; the NumPy meaning has to run."""


class Call(NamedTuple):
    """A step that calls a kernel: its arguments are words, or values whose addresses they are.

    `fallible`: it may give a status. `divisible`: the first two arguments are a range that can be
    divided.
    """

    kernel: Kernel
    args: tuple[Any, ...]
    reads: tuple[Value, ...]
    writes: tuple[Buffer, ...]
    fallible: bool
    divisible: bool


class Opaque:
    """What a NumPy meaning gave and kernels cannot take: no array of numbers."""


class Host(NamedTuple):
    """A step that calls an op's NumPy meaning; `why` says what is missing for a kernel.

    Inputs are values, `Opaque`s, or objects as they are; outputs are buffers or `Opaque`s.
    """

    instruction: Instruction
    inputs: tuple[Any, ...]
    outputs: tuple[Buffer | Opaque, ...]
    storages: tuple[Storage, ...]
    why: str


Step = Group | Call | Host


class Lowering:
    """Steps, as they are added.

    Args:
      threads: how many threads work on one large kernel.

    Attributes:
      steps: in the order in which they run.
      op: the one that steps are added for. ops: those that went into each step, by its position.
      storages: the variables that are read or written, each with the memory that it is known by.
      written: those that are written.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.op: Operation | None = None
        self.ops: dict[int, dict[Operation | None, None]] = {}
        self.steps: list[Step | None] = []
        self.current: dict[Storage, Buffer] = {}
        self.written: dict[Storage, int] = {}
        self._readers: dict[Storage, int] = {}
        self.fallible: list[int] = []
        # Buffers that no later op uses; and those that a step reads.
        self.ending: set[Buffer] = set()
        self._used: set[Buffer] = set()
        self._scalars: dict[Any, Value] = {}

    # -- values ------------------------------------------------------------------------------------

    def constant(self, array: Any) -> Value:
        """A value that is known."""
        array = np.asarray(array, order="C")
        if array.size == 1:
            key = (array.dtype, array.shape, array.tobytes())
            known = self._scalars.get(key)
            if known is None:
                known = self._scalars[key] = self._constant(array)
            return known
        return self._constant(array)

    def _constant(self, array: np.ndarray) -> Value:
        buffer = Buffer(CONSTANT, array.shape, array.dtype)
        buffer.array = array
        return Value.whole(buffer)

    def known(self, value: Value) -> np.ndarray:
        """The array of a value that is known.

        Raises:
          Unsupported: if it is not.
        """
        array = value.constant
        if array is None:
            raise Unsupported("a value that only a run tells")
        return array

    @staticmethod
    def unsupported(why: str) -> Unsupported:
        """The error to raise where there is no kernel."""
        return Unsupported(why)

    def full(self, shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Value:
        """A value repeated over a shape, without memory for each of them."""
        scalar = self.constant(np.asarray(value, dtype).reshape(()))
        return self.broadcast(scalar, shape)

    def broadcast(self, value: Value, shape: tuple[int, ...]) -> Value:
        """A value repeated over a larger shape.

        Raises:
          Unsupported: if it does not fit.
        """
        found = value.broadcast_to(tuple(shape))
        if found is None:
            raise Unsupported(f"{value.shape} to {shape}")
        return found

    def reshape(self, value: Value, shape: tuple[int, ...]) -> Value:
        """The same elements in another shape."""
        shape = tuple(shape)
        found = value.reshaped(shape)
        if found is None:
            found = self.packed(value).reshaped(shape)
            assert found is not None
        return found

    def packed(self, value: Value) -> Value:
        """A value whose elements follow each other in memory: itself, or a copy."""
        return value if value.is_packed else self.copy(value)

    def view(self, meaning: Callable[..., Any], value: Value, *rest: Any, **attrs: Any) -> Any:
        """What an op gives that only looks at its input in another way.

        The meaning is applied to a stand-in that nothing is read from: memory of the same layout.
        """
        for source in (value, None):
            source = source or self.packed(value)
            stand_in = _stand_in(source)
            results = meaning(stand_in, *rest, **attrs)
            several = isinstance(results, list | tuple)
            found = [
                _seen_through(source, stand_in, r) for r in (results if several else [results])
            ]
            if all(item is not None for item in found):
                return found if several else found[0]
            if source.is_packed:
                break
        raise Unsupported("a view that is a copy")

    def copy(self, value: Value) -> Value:
        """A copy of a value."""
        copied: Value = self.elementwise(lambda x: x | x if x.dtype.kind == "b" else +x, value)
        return copied

    def memory(self, shape: tuple[int, ...], dtype: Any) -> Value:
        """Memory for what the next call writes."""
        return Value.whole(Buffer(PLANNED, tuple(shape), np.dtype(dtype), len(self.steps)))

    # -- variables ---------------------------------------------------------------------------------

    def variable(self, storage: Storage) -> Value:
        """The value of a variable as it is now."""
        buffer = self.current.get(storage)
        if buffer is None:
            array = storage._array
            if array is None or array.dtype not in SHORT_NAMES:
                raise Unsupported(f"the value of variable '{storage.name}'")
            buffer = Buffer(VARIABLE, array.shape, array.dtype)
            buffer.storage = storage
            self.current[storage] = buffer
        return Value.whole(buffer)

    def _note_reads(self, values: Sequence[Value], position: int) -> None:
        self.ops.setdefault(position, {})[self.op] = None
        for value in values:
            self._used.add(value.buffer)
            storage = value.buffer.storage
            if storage is not None:
                self._readers[storage] = max(self._readers.get(storage, -1), position)

    def _earliest(self, values: Sequence[Value]) -> int:
        """The position before which the values are not there."""
        return max([value.buffer.maker for value in values], default=-1)

    def after_uses(self, storages: Sequence[Storage]) -> int:
        """The position before which variables are still read or written."""
        found = [self._readers.get(s, -1) for s in storages]
        return max([*found, *[self.written.get(s, -1) for s in storages]], default=-1)

    # -- elementwise -------------------------------------------------------------------------------

    def elementwise(self, meaning: Callable[..., Any], *values: Value, **attrs: Any) -> Any:
        """Values computed elementwise: `meaning` as it would be called with arrays, or a ufunc.

        Returns: a value, or a list of them if the meaning gives several.

        Raises:
          Unsupported: if kernels have no words for what it does.
        """
        shape = broadcast_shape(list(values))
        last: Exception | None = None
        for group in self._candidates(shape, values, self._earliest(values)):
            nodes = self._nodes(group, values, shape)
            if nodes is None:
                continue
            try:
                found = expression.trace(meaning, nodes, len(shape), attrs)
            except Untraceable as error:
                last = error
                break
            if any(n.op == "reduce" for n in loops.all_nodes(found, nodes)):
                last = Untraceable("a reduction inside an elementwise op")
                break
            return self._added(group, found, shape, values)
        raise Unsupported(str(last))

    def _added(
        self, group: Group, nodes: list[expression.Node], shape: Any, values: Sequence[Value]
    ) -> Any:
        self._take(group, values)
        made = group.add(nodes, shape)
        return made[0] if len(made) == 1 else made

    def _take(self, group: Group, values: Sequence[Value]) -> None:
        """Adds a group to the steps, if it is new, and notes what it reads."""
        if group.position == len(self.steps):
            self.steps.append(group)
        self._note_reads(values, group.position)

    def _nodes(
        self, group: Group, values: Sequence[Value], shape: tuple[int, ...]
    ) -> list[expression.Node] | None:
        nodes = []
        for value in values:
            if value.dtype not in SHORT_NAMES:
                raise Unsupported(f"dtype {value.dtype.name}")
            node = group.node_of(value, shape)
            if node is None:
                return None
            nodes.append(node)
        return nodes

    def _candidates(
        self, shape: tuple[int, ...], values: Sequence[Value], earliest: int
    ) -> list[Group]:
        """The groups that an op on values may join, the best first, and a new one.

        That is the one that makes the last of its inputs; else the last step, if they have inputs
        in common or it is small: what comes next may need both.
        """
        found = []
        inputs = {value.buffer for value in values if value.size > 1}
        for position in dict.fromkeys((earliest, len(self.steps) - 1)):
            step = self.steps[position] if 0 <= position < len(self.steps) else None
            if (
                isinstance(step, Group)
                and not step.is_full
                and (step.shape == shape or step.is_row_shape(shape))
                and (
                    position == earliest
                    or math.prod(shape) <= _LITTLE
                    or step.is_small
                    or any(place.buffer in inputs for place in step.places)
                )
            ):
                found.append(step)
        found.append(Group(len(self.steps), shape))
        return found

    def rowwise(self, meaning: Callable[..., Any], *values: Value, shapes: Any) -> list[Value]:
        """Values computed row by row, with reductions over the last axis inside.

        Args:
          meaning: as for `elementwise`; it may reduce over the last axis. Its last argument is the
            number of each column.
          values: the first has the shape of the walk, `[..., columns]`; the others broadcast to it.
          shapes: the shape of each result.
        """
        shape = values[0].shape
        width = len(shape) - 1
        for group in self._candidates(shape, values, self._earliest(values)):
            if group.shape != shape or not group.can_split(width):
                continue
            before = group.rows
            group.split(width)
            nodes = self._nodes(group, values, shape)
            if nodes is None:
                group.rows = before
                continue
            column = expression.Node("column", (), np.dtype(np.int64), None, expression.CELL)
            try:
                found = expression.trace(meaning, [*nodes, column], len(shape), {})
            except Untraceable as error:
                group.rows = before
                raise Unsupported(str(error)) from None
            self._take(group, values)
            return [group.add([n], s)[0] for n, s in zip(found, shapes, strict=True)]
        raise Unsupported("rows that do not fit")

    # -- reductions --------------------------------------------------------------------------------

    def reduce(
        self, ufunc: np.ufunc, value: Value, axes: Sequence[int], keepdims: bool = False
    ) -> Value:
        """A reduction over axes.

        Raises:
          Unsupported: over axes in the middle, of dtypes or with ufuncs that kernels do not have.
        """
        shape = value.shape
        gone = {axis % len(shape) for axis in axes} if shape else set()
        kept = tuple(
            1 if i in gone else n for i, n in enumerate(shape) if keepdims or i not in gone
        )
        if not gone:
            return self.reshape(value, kept)
        # By their numbers first: what a plan does must not depend on whether a size is 1.
        wide = [i for i, n in enumerate(shape) if n != 1 or i in gone]
        over = sorted(gone)
        for known in (list(range(len(shape))), wide):
            if over == known:
                return self._total(ufunc, value, kept)
            if over == known[-len(over) :]:
                return self._by_row(ufunc, value, over[0], kept)
            if over == known[: len(over)]:
                return self._by_column(ufunc, value, over[-1] + 1, kept)
        order = [i for i in range(len(shape)) if i not in gone] + sorted(gone)
        turned = self.copy(self.view(lambda x: np.transpose(x, order), value))
        last = range(len(shape) - len(gone), len(shape))
        return self.reshape(self.reduce(ufunc, turned, last), kept)

    def _group_for(self, value: Value, rows: int | None) -> tuple[Group, expression.Node]:
        """A group that has the value cell by cell, with these rows."""
        for group in self._candidates(value.shape, [value], self._earliest([value])):
            if group.shape != value.shape or (rows is not None and not group.can_split(rows)):
                continue
            nodes = self._nodes(group, [value], value.shape)
            if nodes is None or (rows is not None and not group.can_split(rows)):
                continue
            return group, nodes[0]
        raise Unsupported(f"a reduction of {value}")

    def _by_row(self, ufunc: Any, value: Value, rows: int, shape: tuple[int, ...]) -> Value:
        group, node = self._group_for(value, rows)
        self._check(ufunc, node)
        group.split(rows)
        self._take(group, [value])
        return group.reduce(ufunc, node, shape)

    def _by_column(self, ufunc: Any, value: Value, rows: int, shape: tuple[int, ...]) -> Value:
        group, node = self._group_for(value, rows)
        self._check(ufunc, node)
        group.split(rows)
        self._take(group, [value])
        return group.total(ufunc, node, shape, loops.BY_COLUMN)

    def _total(self, ufunc: Any, value: Value, shape: tuple[int, ...]) -> Value:
        maker = value.buffer.maker
        step = self.steps[maker] if maker >= 0 else None
        if isinstance(step, Group) and step.is_row_shape(value.shape) and not step.is_full:
            node = step.node_of(value, value.shape)
            if node is not None and value.buffer in step.made:
                self._check(ufunc, node)
                self._note_reads([], step.position)
                return step.total(ufunc, node, shape, loops.OF_ROWS)
        group, node = self._group_for(value, None)
        self._check(ufunc, node)
        self._take(group, [value])
        return group.total(ufunc, node, shape, loops.OF_CELLS)

    def _check(self, ufunc: Any, node: expression.Node) -> None:
        try:
            expression.reduction(ufunc, node)
        except Untraceable as error:
            raise Unsupported(str(error)) from None

    # -- parts -------------------------------------------------------------------------------------

    def assemble(
        self,
        shape: Sequence[int],
        dtype: Any,
        parts: Sequence[tuple[Value, Callable[[np.ndarray], np.ndarray]]],
    ) -> Value:
        """A value made of parts, later ones over earlier ones: each says which part by a view.

        Raises:
          Unsupported: if a part does not fit.
        """
        whole = Value.whole(Buffer(PLANNED, tuple(shape), np.dtype(dtype)))
        buffer = whole.buffer
        before = -1
        for number, (value, part_of) in enumerate(parts):
            place = self.view(part_of, whole)
            if place.shape != value.shape:
                raise Unsupported(f"a part of shape {value.shape} in {place.shape}")
            before = max(before, self._put(value, place, before))
            if not number:
                buffer.first = before
            buffer.first = min(buffer.first, before)
        buffer.maker = max(before, buffer.maker)
        return whole

    def _put(self, value: Value, place: Value, after: int) -> int:
        """Copies a value to memory, in a step after `after`; gives its position."""
        for group in self._candidates(
            value.shape, [value], max(self._earliest([value]), after + 1)
        ):
            if group.shape != value.shape or group.position <= after or not group.fits(place):
                continue
            nodes = self._nodes(group, [value], value.shape)
            if nodes is not None:
                group.put(place, nodes[0])
                self._take(group, [value])
                return group.position
        raise Unsupported("a part that fits nowhere")

    # -- kernels -----------------------------------------------------------------------------------

    def call(
        self,
        kernel: Kernel,
        args: Sequence[Any],
        *,
        reads: Sequence[Value],
        writes: Sequence[Value],
        fallible: bool = False,
        divisible: bool = False,
    ) -> None:
        """Adds a call of a kernel: `args` are integers, floats, or values of reads and writes."""
        position = len(self.steps)
        self._note_reads(reads, position)
        for value in writes:
            value.buffer.maker = value.buffer.first = position
        if fallible:
            self.fallible.append(position)
        self.steps.append(
            Call(
                kernel,
                tuple(args),
                tuple(reads),
                tuple(v.buffer for v in writes),
                fallible,
                divisible,
            )
        )

    def by_rows(self, function: Callable[[int], int], value: Value, *args: Any) -> Value:
        """What a kernel gives for each row (the last axis) of a value.

        Its words: first and last row, length of a row, rows, results; then `args`.
        """
        if value.dtype.kind != "f" or value.dtype not in SHORT_NAMES or not value.shape:
            raise Unsupported(f"rows of {value.dtype.name}")
        value = self.packed(value)
        length = value.shape[-1]
        result = self.memory(value.shape, value.dtype)
        self.call(
            written(function, SHORT_NAMES[value.dtype]),
            [0, value.size // length, length, value, result, *args],
            reads=[value],
            writes=[result],
            divisible=True,
        )
        return result

    def check_indices(self, indices: Value, size: int) -> None:
        """Has the run fail, before it writes anything, unless all indices lie in `[0, size)`."""
        indices = self.packed(indices)
        kernel = self._rows_kernel(rows.check_indices, indices, indices)
        self.call(kernel, [indices, indices.size, size], reads=[indices], writes=[], fallible=True)

    def gather(self, params: Value, indices: Value) -> Value:
        """The rows of a value that indices name."""
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
        data, ids = self.packed(data), self.packed(ids)
        rest = data.shape[len(ids.shape) :]
        length = data.size // ids.size
        # A negative id, which counts for nothing, is left to the NumPy meaning.
        self.check_indices(ids, count)
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
        self.check_indices(indices, variable.shape[0])
        length = variable.size // variable.shape[0]
        result = self.written_by_call(storage)
        self.call(
            self._rows_kernel(rows.SCATTER[how], updates, indices),
            [indices, indices.size, updates, length, result],
            reads=[indices, updates, variable],
            writes=[result],
        )
        return result

    def subtract_rows(self, storage: Storage, scale: Value, indices: Value, updates: Value) -> None:
        """Subtracts scaled rows from rows of a variable; repeated indices count each time."""
        variable = self.variable(storage)
        indices, updates = self.packed(indices), self.packed(updates)
        self.check_indices(indices, variable.shape[0])
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
        self.check_indices(indices, shape[0])
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
    def _rows_kernel(function: Callable[[int], int], value: Value, indices: Value) -> Kernel:
        names = SHORT_NAMES
        if value.dtype not in names or names.get(indices.dtype) not in ("i32", "i64"):
            raise Unsupported(f"rows of {value.dtype.name}")
        return written(function, names[value.dtype], names[indices.dtype])

    def product(self, a: Value, b: Value) -> Value:
        """Matrix products `[..., m, k] x [..., k, n]`; strides say what is transposed.

        Raises:
          Unsupported: if NumPy's BLAS was not found, or the values are no floats.
        """
        library = blas.find()
        short = SHORT_NAMES.get(a.dtype, "")
        if library is None or short not in library.addresses:
            raise Unsupported(f"products of {a.dtype.name}")
        batch = a.shape[:-2]
        first, second = _Matrix.of(self, a), _Matrix.of(self, b)
        rows, inner, columns = *a.shape[-2:], b.shape[-1]
        result = self.memory((*batch, rows, columns), a.dtype)
        count, size = math.prod(batch), a.dtype.itemsize
        self.call(
            blas.product(short, library.bits),
            [
                *(library.addresses[short], first.flag, second.flag, rows, columns, inner),
                *(1.0, self.constant(np.ones((), a.dtype)), 0.0),
                *(first.value, first.length, second.value, second.length, result, columns),
                *(count, rows * inner * size, inner * columns * size, rows * columns * size),
                *library.threads_for(rows * inner * columns, self.threads),
            ],
            reads=[first.value, second.value],
            writes=[result],
        )
        return result

    def subtract_product(self, storage: Storage, scale: Value, product: Value) -> bool:
        """Makes a product that nothing else uses one that is subtracted, scaled, from a variable.

        Returns: whether that was possible; if not, nothing has changed.
        """
        maker = product.buffer.maker
        step = self.steps[maker] if maker >= 0 else None
        variable = self.variable(storage)
        if (
            not isinstance(step, Call)
            or not step.kernel.label.startswith("product")
            or product.buffer not in self.ending
            or product.buffer in self._used
            or not product.is_whole
            or product.shape != variable.shape
            or scale.size != 1
            or scale.dtype != product.dtype
        ):
            return False
        for value in step.reads:
            owner = value.buffer.storage
            if owner is not None and (owner is storage or self.current[owner] is not value.buffer):
                return False
        result = self.written_by_call(storage)
        args = list(step.args)
        args[6:9] = [-1.0, scale, 1.0]
        args[13] = result
        self.steps[maker] = None
        self.ops[len(self.steps)] = self.ops.pop(maker)
        self.call(step.kernel, args, reads=[*step.reads, scale, variable], writes=[result])
        return True

    # -- updates -----------------------------------------------------------------------------------

    def update(
        self,
        storages: Sequence[Storage],
        meaning: Callable[..., Any],
        *operands: Value,
        **attrs: Any,
    ) -> list[Value]:
        """Writes to variables what `meaning` gives for their values and operands, elementwise.

        Returns: the new values of the variables.
        """
        old = [self.variable(s) for s in storages]
        shape = old[0].shape
        values = [*old, *operands]
        if any(v.shape != shape for v in old) or broadcast_shape(values) != shape:
            raise Unsupported("shapes that do not fit the variable")
        earliest = max(self._earliest(values), self.after_uses(storages))
        for group in self._candidates(shape, values, earliest):
            if group.shape != shape or any(group.reads(v.buffer) for v in old):
                continue
            nodes = self._nodes(group, values, shape)
            if nodes is None:
                continue
            try:
                found = expression.trace(meaning, nodes, len(shape), attrs)
            except Untraceable as error:
                raise Unsupported(str(error)) from None
            if [n.dtype for n in found] != [v.dtype for v in old]:
                raise Unsupported("an update of another dtype")
            self._take(group, values)
            return [self._written(group, s, n) for s, n in zip(storages, found, strict=True)]
        raise Unsupported("an update that fits nowhere")

    def _written(self, group: Group, storage: Storage, node: expression.Node) -> Value:
        buffer = self._next(storage, group.position)
        group.write(buffer, node)
        return Value.whole(buffer)

    def _next(self, storage: Storage, position: int) -> Buffer:
        """The memory of a variable after a write by the step at a position."""
        before = self.current[storage]
        buffer = Buffer(VARIABLE, before.shape, before.dtype, position)
        buffer.storage = storage
        self.current[storage] = buffer
        self.written[storage] = position
        return buffer

    def written_by_call(self, storage: Storage) -> Value:
        """The memory of a variable that the next call writes to; all uses so far come before it."""
        self.variable(storage)
        return Value.whole(self._next(storage, len(self.steps)))

    # -- NumPy meanings ----------------------------------------------------------------------------

    def host(
        self,
        instruction: Instruction,
        inputs: Sequence[Any],
        outputs: Sequence[tuple[tuple[int, ...], np.dtype] | None],
        storages: Sequence[Storage],
        why: str,
    ) -> list[Value | Opaque]:
        """Adds a call of an op's NumPy meaning; outputs are shapes and dtypes, where known."""
        position = len(self.steps)
        self._note_reads([v for v in inputs if isinstance(v, Value)], position)
        found = [Opaque() if o is None else Buffer(GIVEN, *o, position) for o in outputs]
        self.fallible.append(position)
        self.steps.append(Host(instruction, tuple(inputs), tuple(found), tuple(storages), why))
        return [item if isinstance(item, Opaque) else Value.whole(item) for item in found]


def _stand_in(value: Value) -> np.ndarray:
    """An array that lies as a value does, in memory that nobody has written to."""
    span = sum((n - 1) * abs(s) for n, s in zip(value.shape, value.strides, strict=True))
    memory = np.empty(span // value.dtype.itemsize + 1, value.dtype)
    below = sum((n - 1) * -s for n, s in zip(value.shape, value.strides, strict=True) if s < 0)
    flat = memory[below // value.dtype.itemsize :]
    return np.lib.stride_tricks.as_strided(flat, value.shape, value.strides)


def _seen_through(value: Value, stand_in: np.ndarray, result: Any) -> Value | None:
    """The value that a view of its stand-in stands for, or None if that is a copy."""
    if not stand_in.ndim and isinstance(result, np.generic):
        return value  # NumPy gives the scalar itself
    if not np.may_share_memory(stand_in, result):
        return None
    offset = result.__array_interface__["data"][0] - stand_in.__array_interface__["data"][0]
    return Value(value.buffer, result.shape, result.strides, value.offset + offset)


class _Matrix(NamedTuple):
    """An operand of a product as BLAS takes it: a flag, and the length of its rows in memory."""

    value: Value
    flag: int
    length: int

    @staticmethod
    def of(lowering: Lowering, value: Value) -> _Matrix:
        """A value, copied if BLAS cannot take it as it lies."""
        rows, columns = value.shape[-2:]
        size = value.dtype.itemsize
        if value.is_packed:
            return _Matrix(value, blas.PLAIN, columns)
        if len(value.shape) == 2:
            down, along = value.strides
            if along == size and down >= columns * size:
                return _Matrix(value, blas.PLAIN, down // size)
            if down == size and along >= rows * size:
                return _Matrix(value, blas.TRANSPOSED, along // size)
        turned = Value(
            value.buffer,
            (*value.shape[:-2], columns, rows),
            (*value.strides[:-2], value.strides[-1], value.strides[-2]),
            value.offset,
        )
        if turned.is_packed:
            return _Matrix(value, blas.TRANSPOSED, rows)
        return _Matrix(lowering.packed(value), blas.PLAIN, columns)
