"""Groups of elementwise work and reductions that run as one kernel.

A group walks one shape, its rows (the leading axes) and columns (the others); where rows end is
open until a reduction says so. Its values are nodes of an expression; the ones that something
outside uses are stored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.kernels import loops
from hybridflow._src.kernels.expression import CELL, ROW, Node, reduction
from hybridflow._src.plan.values import VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hybridflow._src.kernels.kernel import Kernel

# A kernel of so many operands and operations takes Numba a second to compile at the worst, and half
# of one as a rule; more in one kernel would not make it quicker.
_MOST_OPERANDS, MOST_NODES = 24, 128
_FEW_OPERANDS = 4
# Found by measuring: Adam and tanh, at eight or sixteen numbers to a vector.
_BYTES_AN_OPERATION = 0.5


class _Place(NamedTuple):
    """Memory that a group loads from or stores to, laid over the shape that it walks."""

    buffer: Buffer
    offset: int
    strides: tuple[int, ...]


class Group:
    """Elementwise work and reductions over one shape.

    Attributes:
      position: its place among the steps of a plan. most: how many operations it takes, with what
        it loads: it takes one more op of the plan as long as it has fewer.
      shape: what it walks. rows: how many leading axes are rows; None while that is open.
      made: the nodes of values made here, by their buffers.
    """

    def __init__(self, position: int, shape: tuple[int, ...], most: int = MOST_NODES) -> None:
        self.position = position
        self.most = most
        self.shape = shape
        self.rows: int | None = None
        self.made: dict[Buffer, Node] = {}
        self.places: list[_Place] = []
        self._loads: dict[_Place, Node] = {}
        self._nodes: set[Node] = set()
        self._row_shaped: set[Buffer] = set()
        self._used: dict[int, Node] = {}
        self._puts: list[tuple[_Place, Node]] = []
        self._writes: list[tuple[Buffer, Node]] = []
        self._totals: list[tuple[str, Node, Buffer, str]] = []

    # -- what fits ---------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether it has grown so large that nothing should be added."""
        operands = len(self.places) + len(self._puts)
        return operands >= _MOST_OPERANDS or len(self._nodes) >= self.most

    @property
    def is_small(self) -> bool:
        """Whether it reads little and writes no variable: other work does not get in its way."""
        return len(self.places) <= _FEW_OPERANDS and not self._writes

    def is_row_shape(self, shape: tuple[int, ...]) -> bool:
        """Whether a value of this shape has one element for each row."""
        if self.rows is None:
            return False
        rows = self.shape[: self.rows]
        return shape in (rows, rows + (1,) * (len(self.shape) - self.rows))

    def node_of(self, value: Value, shape: tuple[int, ...]) -> Node | None:
        """The node of a value in an op of a shape that the group walks, or has one cell a row for.

        None if the value is not there, or lies in a way that the group cannot walk.
        """
        laid = value.broadcast_to(shape)
        if laid is not None and shape != self.shape:
            assert self.rows is not None
            width = len(self.shape) - self.rows
            laid = Value(
                laid.buffer, self.shape, laid.strides[: self.rows] + (0,) * width, laid.offset
            )
        found = self.made.get(value.buffer)
        if found is not None:
            return found if laid is not None and self._is_in_place(laid) else None
        if laid is None or value.buffer.maker >= self.position:
            return None
        place = _Place(value.buffer, laid.offset, laid.strides)
        if self.rows is not None and _flat(self.shape, place.strides, self.rows) is None:
            return None
        return self._load(place)

    def _load(self, place: _Place) -> Node:
        node = self._loads.get(place)
        if node is None:
            self.places.append(place)
            node = Node("load", (), place.buffer.dtype, len(self.places) - 1, CELL)
            array = place.buffer.array
            if array is not None and array.size == 1:
                node.known = array.item()
            self._loads[place] = node
        return node

    def _is_in_place(self, laid: Value) -> bool:
        """Whether a value made here is used in the cell, or row, where it is made."""
        buffer = laid.buffer
        if laid.offset:
            return False
        if buffer in self._row_shaped:
            assert self.rows is not None
            strides = Value.whole(Buffer("", self.shape[: self.rows], buffer.dtype)).strides
            return _same(self.shape, laid.strides, strides + (0,) * (len(self.shape) - self.rows))
        return _same(self.shape, laid.strides, Value.whole(buffer).strides)

    def used(self, after: int) -> list[Buffer]:
        """The buffers that it loads, if of its values those are stored that are used later."""
        roots = [n for b, n in self.made.items() if b.kind == VARIABLE or b.last > after]
        self._totals = [total for total in self._totals if total[2].last > after]
        roots += [node for _, node, _, _ in self._totals]
        roots += [node for place, node in self._puts if place.buffer.last > after]
        self._used = {n.detail: n for n in loops.all_nodes(roots) if n.op == "load"}
        return [self.places[index].buffer for index in self._used]

    def can_split(self, rows: int) -> bool:
        """Whether the first `rows` axes can be the rows."""
        if self.rows is not None:
            return self.rows == rows
        places = [*self.places, *[place for place, _ in self._puts]]
        return all(_flat(self.shape, p.strides, rows) is not None for p in places)

    def split(self, rows: int) -> None:
        """Makes the first `rows` axes the rows."""
        self.rows = rows

    # -- growing -----------------------------------------------------------------------------------

    def _count(self, node: Node) -> None:
        """Takes note of a value and all that it is computed from."""
        pending = [node]
        while pending:
            node = pending.pop()
            if node not in self._nodes:
                self._nodes.add(node)
                pending.extend(node.args)

    def add(self, nodes: Sequence[Node], shape: tuple[int, ...]) -> list[Value]:
        """Adds values of the walk's shape, or of one element for each row."""
        values = []
        for node in nodes:
            buffer = Buffer("planned", shape, node.dtype, self.position)
            self.made[buffer] = node
            if shape != self.shape:
                self._row_shaped.add(buffer)
            self._count(node)
            values.append(Value.whole(buffer))
        return values

    def reduce(self, ufunc: Any, node: Node, shape: tuple[int, ...]) -> Value:
        """Adds the reduction of a value over the columns of each row."""
        found = reduction(ufunc, node)
        buffer = Buffer("planned", shape, node.dtype, self.position)
        self.made[buffer] = found
        self._row_shaped.add(buffer)
        self._count(found)
        return Value.whole(buffer)

    def total(self, ufunc: Any, node: Node, shape: tuple[int, ...], over: str) -> Value:
        """Adds a reduction over all rows."""
        reduction(ufunc, node)  # refuses what kernels do not reduce
        buffer = Buffer("planned", shape, node.dtype, self.position)
        self._totals.append((ufunc.__name__, node, buffer, over))
        self._count(node)
        return Value.whole(buffer)

    def write(self, buffer: Buffer, node: Node) -> None:
        """Writes a value to a variable, of which `buffer` is the memory from now on."""
        self._writes.append((buffer, node))
        self._count(node)
        self.made[buffer] = node

    def fits(self, place: Value) -> bool:
        """Whether it can walk memory that lies so."""
        return self.rows is None or _flat(self.shape, place.strides, self.rows) is not None

    def put(self, place: Value, node: Node) -> None:
        """Stores a value in a part of a buffer."""
        self._puts.append((_Place(place.buffer, place.offset, place.strides), node))
        self._count(node)

    def reads(self, buffer_of: Any) -> bool:
        """Whether it loads the memory of a variable otherwise than cell by cell."""
        whole = Value.whole(buffer_of)
        return any(
            place.buffer.storage is buffer_of.storage
            and not (place.offset == 0 and _same(self.shape, place.strides, whole.strides))
            for place in self.places
        )

    # -- the kernel --------------------------------------------------------------------------------

    def finish(self) -> GroupCall | None:
        """What it is as a call of a kernel, after `used`; None if nothing needs it."""
        stores: list[tuple[_Place, Node]] = []
        for buffer, node in self.made.items():
            if buffer.kind == VARIABLE or buffer.last <= self.position:
                continue
            stores.append((self._place_for(buffer), node))
        stores += [(p, n) for p, n in self._puts if p.buffer.last > self.position]
        for buffer, node in self._writes:
            place = _Place(buffer, 0, Value.whole(buffer).strides)
            known = [
                self.places[i]
                for i in self._used
                if self.places[i].buffer.storage is buffer.storage
            ]
            stores.append((known[0] if known else place, node))
        if not stores and not self._totals:
            return None
        places: list[_Place] = []
        for old, node in self._used.items():
            node.detail = len(places)
            places.append(self.places[old])
        axes = self._axes([*places, *[p for p, _ in stores]])
        index = {place: number for number, place in enumerate(places)}
        final = []
        for place, node in stores:
            if place not in index:
                index[place] = len(places)
                places.append(place)
            final.append(loops.Store(index[place], node))
        totals = []
        for ufunc, node, buffer, over in self._totals:
            strides = (0,) * len(self.shape)
            if over == loops.BY_COLUMN:
                assert self.rows is not None
                columns = Value.whole(Buffer("", self.shape[self.rows :], buffer.dtype)).strides
                strides = (0,) * self.rows + columns
            place = _Place(buffer, 0, strides)
            places.append(place)
            totals.append((ufunc, node, len(places) - 1, over))
        laid = [_laid(self.shape, place.strides, axes) for place in places]
        one_column = math.prod(self.shape[axis] for axis in axes[-1]) == 1
        operands = [
            loops.Operand(
                place.buffer.dtype,
                loops.TOGETHER
                if one_column and place.buffer not in self._row_shaped
                else _columns(strides, place.buffer.dtype),
            )
            for place, strides in zip(places, laid, strict=True)
        ]
        _set_levels([n for _, n in stores] + [t[1] for t in self._totals], operands)
        nest = loops.Nest(max(len(axes) - 2, 0), operands, final, _levelled(totals))
        sizes = [math.prod([self.shape[axis] for axis in run]) for run in axes]
        return GroupCall(nest, sizes, places, laid)

    def _place_for(self, buffer: Buffer) -> _Place:
        if buffer in self._row_shaped:
            assert self.rows is not None
            strides = Value.whole(Buffer("", self.shape[: self.rows], buffer.dtype)).strides
            return _Place(buffer, 0, strides + (0,) * (len(self.shape) - self.rows))
        return _Place(buffer, 0, Value.whole(buffer).strides)

    def _axes(self, places: list[_Place]) -> list[tuple[int, ...]]:
        """Axes of the walk that are one loop each: the outer ones, the rows, the columns."""
        if self.rows is not None:
            return [tuple(range(self.rows)), tuple(range(self.rows, len(self.shape)))]
        runs: list[list[int]] = []
        for axis, size in enumerate(self.shape):
            if size == 1:
                continue
            joined = runs and all(p.strides[runs[-1][-1]] == p.strides[axis] * size for p in places)
            if joined:
                runs[-1].append(axis)
            else:
                runs.append([axis])
        while len(runs) < 2:
            runs.insert(0, [])
        return [tuple(run) for run in runs]


class GroupCall:
    """A group as a call of a kernel.

    Attributes:
      nest: the loops. sizes: how often each of them runs. places, strides: of the operands.
      bytes: how much memory it touches. scratch: rows of memory, given to it later.
    """

    def __init__(
        self,
        nest: loops.Nest,
        sizes: list[int],
        places: list[_Place],
        strides: list[tuple[int, ...]],
    ) -> None:
        self.nest = nest
        self.sizes = sizes
        self.places = places
        self.strides = strides
        self.scratch: list[Buffer] = []

    @property
    def divided(self) -> int:
        """Which loop is divided among threads: that over rows (-2), or over columns (-1)."""
        return -1 if self.sizes[-2] == 1 and self.nest.phases == 1 else -2

    def has_rows(self, operand: int, loop: int, rows: int) -> bool:
        """Whether an operand consists of so many rows, over which a loop (-2 or -1) goes evenly."""
        place, strides = self.places[operand], self.strides[operand]
        each, rest = divmod(self.sizes[loop], rows)
        row, more = divmod(place.buffer.size, rows)
        if rest or more or strides[loop] * each != row or min(strides) < 0 or place.offset < 0:
            return False
        at = len(strides) + loop
        reach = (each - 1) * strides[loop] + sum(
            (n - 1) * s for i, (n, s) in enumerate(zip(self.sizes, strides, strict=True)) if i != at
        )
        return place.offset + reach + place.buffer.dtype.itemsize <= row

    def partial(self) -> list[loops.Total]:
        """The totals of which each thread has a part, when the work is divided."""
        kinds = (loops.OF_CELLS, loops.OF_ROWS, *([loops.BY_COLUMN] if self.divided == -2 else []))
        return [total for total in self.nest.totals if total.over in kinds]

    def sizes_of_places(self) -> list[int]:
        """How much memory, in bytes, lies at each place."""
        return [
            place.buffer.dtype.itemsize
            * math.prod([n for n, s in zip(self.sizes, strides, strict=True) if s])
            for place, strides in zip(self.places, self.strides, strict=True)
        ]

    @property
    def bytes(self) -> int:
        return sum(self.sizes_of_places())

    @property
    def work(self) -> int:
        """How much it is to do: as bytes that could be moved meanwhile."""
        return max(self.bytes, int(math.prod(self.sizes) * self.nest.cost * _BYTES_AN_OPERATION))

    def kernel(self, label: str) -> Kernel:
        """The kernel."""
        return self.nest.kernel(label)


def _same(shape: tuple[int, ...], one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two layouts of a shape are the same; strides of axes of size 1 do not matter."""
    if len(one) != len(other):
        return False
    return all(n == 1 or a == b for n, a, b in zip(shape, one, other, strict=True))


def _run(shape: Sequence[int], strides: Sequence[int]) -> int | None:
    """The stride of axes walked as one, 0 if there is nothing to walk; None if they cannot be."""
    found = None
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 1:
            continue
        if found is None:
            found, expected = stride, stride * size
        elif stride != expected:
            return None
        else:
            expected *= size
    return found or 0


def _flat(shape: tuple[int, ...], strides: tuple[int, ...], rows: int) -> tuple[int, int] | None:
    """The strides over rows and over columns, if each can be walked as one axis."""
    row, column = _run(shape[:rows], strides[:rows]), _run(shape[rows:], strides[rows:])
    return None if row is None or column is None else (row, column)


def _laid(
    shape: tuple[int, ...], strides: tuple[int, ...], axes: list[tuple[int, ...]]
) -> tuple[int, ...]:
    """The strides of an operand over the loops."""
    found = []
    for run in axes:
        stride = _run([shape[axis] for axis in run], [strides[axis] for axis in run])
        assert stride is not None
        found.append(stride)
    return tuple(found)


def _columns(strides: tuple[int, ...], dtype: np.dtype) -> str:
    """How the columns of an operand lie."""
    if strides[-1] == 0:
        return loops.ONE
    return loops.TOGETHER if strides[-1] == dtype.itemsize else loops.APART


def _levelled(totals: list[tuple[str, Node, int, str]]) -> list[loops.Total]:
    """Totals of rows count as totals of cells where rows of one element are what there is."""
    return [
        loops.Total(
            ufunc,
            node,
            operand,
            loops.OF_CELLS if over == loops.OF_ROWS and node.level == CELL else over,
        )
        for ufunc, node, operand, over in totals
    ]


def _set_levels(roots: list[Node], operands: list[loops.Operand]) -> None:
    """Tells values that differ within a row from those that do not."""
    for node in loops.all_nodes(roots):
        if node.op == "load":
            node.level = ROW if operands[node.detail].columns == loops.ONE else CELL
        elif node.op == "column":
            node.level = CELL
        elif node.op in ("const", "reduce"):
            node.level = ROW
        else:
            node.level = max(arg.level for arg in node.args)
