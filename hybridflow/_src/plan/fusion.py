"""Which elementwise work and which reductions run as one kernel.

An op joins the group that makes the last of its inputs where it fits, else a new group at the end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import expression, folds, loops
from hybridflow._src.kernels.expression import Untraceable
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.groups import Group
from hybridflow._src.plan.steps import Steps, Unsupported
from hybridflow._src.plan.values import PLANNED, Buffer, Value, broadcast_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.storage import Storage

# Work on so few elements costs no more than the call of a kernel.
_LITTLE = 256


class Fusion(Steps):
    """Steps with elementwise work, reductions, updates of variables, and copies and views."""

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

    def copy(self, value: Value) -> Value:
        """A copy of a value."""
        copied: Value = self.elementwise(lambda x: x | x if x.dtype.kind == "b" else +x, value)
        return copied

    def cast(self, value: Value, dtype: np.dtype) -> Value:
        """A value in another dtype, as NumPy's `astype` converts."""
        if value.dtype == dtype:
            return value
        converted: Value = self.elementwise(lambda x: x.astype(dtype), value)
        return converted

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
        found.append(Group(len(self.steps), shape, self.most))
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
          Unsupported: of dtypes or with ufuncs that kernels do not have.
        """
        shape = value.shape
        gone = {axis % len(shape) for axis in axes} if shape else set()
        kept = tuple(
            1 if i in gone else n for i, n in enumerate(shape) if keepdims or i not in gone
        )
        if not gone:
            return self.reshape(value, kept)
        if value.dtype == np.float16 and ufunc in (np.add, np.multiply):
            # Half precision is added as single, and rounded once.
            single = self.cast(value, np.dtype(np.float32))
            return self.cast(self.reduce(ufunc, single, axes, keepdims), value.dtype)
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
        run = [axis for axis in over if gone.issuperset(range(axis, over[-1]))]
        if run == over:
            return self._by_middle(ufunc, value, run, kept)
        once = self.reduce(ufunc, value, run, keepdims=True)
        return self.reshape(self.reduce(ufunc, once, over[: -len(run)], keepdims=True), kept)

    def _group_for(
        self, ufunc: Any, value: Value, rows: int | None
    ) -> tuple[Group, expression.Node]:
        """A group that has the value cell by cell, with these rows, and takes its reduction."""
        for group in self._candidates(value.shape, [value], self._earliest([value])):
            if group.shape != value.shape or (rows is not None and not group.can_split(rows)):
                continue
            nodes = self._nodes(group, [value], value.shape)
            if nodes is None or (rows is not None and not group.can_split(rows)):
                continue
            self._check(ufunc, nodes[0])
            if rows is not None:
                group.split(rows)
            self._take(group, [value])
            return group, nodes[0]
        if value.is_packed:
            raise Unsupported(f"a reduction of {value}")
        return self._group_for(ufunc, self.copy(value), rows)

    def _by_row(self, ufunc: Any, value: Value, rows: int, shape: tuple[int, ...]) -> Value:
        group, node = self._group_for(ufunc, value, rows)
        return group.reduce(ufunc, node, shape)

    def _by_column(self, ufunc: Any, value: Value, rows: int, shape: tuple[int, ...]) -> Value:
        group, node = self._group_for(ufunc, value, rows)
        return group.total(ufunc, node, shape, loops.BY_COLUMN)

    def _by_middle(
        self, ufunc: Any, value: Value, run: Sequence[int], shape: tuple[int, ...]
    ) -> Value:
        try:
            kernel = folds.folding(ufunc, value.dtype)
        except Untraceable as error:
            raise Unsupported(str(error)) from None
        value, result = self.packed(value), self.memory(shape, value.dtype)
        before, length = (
            math.prod(value.shape[axis] for axis in axes) for axes in (range(run[0]), run)
        )
        self.call(
            kernel,
            [0, before, length, result.size // before, value, result],
            reads=[value],
            writes=[result],
            divisible=True,
        )
        return result

    def _total(self, ufunc: Any, value: Value, shape: tuple[int, ...]) -> Value:
        maker = value.buffer.maker
        step = self.steps[maker] if maker >= 0 else None
        if isinstance(step, Group) and step.is_row_shape(value.shape) and not step.is_full:
            node = step.node_of(value, value.shape)
            if node is not None and value.buffer in step.made:
                self._check(ufunc, node)
                self._note_reads([], step.position)
                return step.total(ufunc, node, shape, loops.OF_ROWS)
        group, node = self._group_for(ufunc, value, None)
        return group.total(ufunc, node, shape, loops.OF_CELLS)

    def _check(self, ufunc: Any, node: expression.Node) -> None:
        try:
            expression.reduction(ufunc, node)
        except Untraceable as error:
            raise Unsupported(str(error)) from None

    # -- updates and parts -------------------------------------------------------------------------

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
