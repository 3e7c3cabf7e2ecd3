"""Kernels for groups of elementwise work: nests of loops over rows and columns, as source text.

A nest walks rows; inside a row it may walk the columns several times, in *phases*, between which
reductions over the row become complete (softmax: the maximum, the sum, the quotient). What a later
phase needs of an earlier one is loaded again, computed again where that is cheap, or kept in a row
of scratch memory. Sums over all rows, for each column or for all together, end a nest.

Arguments of such a kernel, in words: first and last row, first and last column, sizes of the outer
loops; then for each operand its address, its strides in bytes over the outer loops and the rows,
and, if its columns lie neither together nor all at one place, its stride over columns in elements;
in a nest over picked rows the addresses of the list of rows and of how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybridflow._src.kernels import expression
from hybridflow._src.kernels.expression import CELL, ROW, Node
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import SHORT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# How the columns of an operand lie: next to each other, all at one place, at a stride of their own.
TOGETHER, ONE, APART = "c", "s", "g"
# Sums of float32 run in blocks of this many columns, whose sums are added in float64.
_BLOCK = 1024
# Up to this many operations a value is computed again rather than kept.
_CHEAP = 6


class Operand(NamedTuple):
    """A buffer that a nest loads from or stores to: its element type, and how its columns lie."""

    dtype: np.dtype
    columns: str


class Store(NamedTuple):
    """A value that is written to an operand for every cell, or for every row."""

    operand: int
    node: Node


class Total(NamedTuple):
    """A reduction over all rows: of each column, of all cells, or of a value for each row."""

    ufunc: str
    node: Node
    operand: int
    over: str


BY_COLUMN, OF_CELLS, OF_ROWS = "by column", "of cells", "of rows"


class Nest:
    """What a kernel of loops does; `kernel` writes it as source text."""

    def __init__(
        self,
        outer: int,
        operands: list[Operand],
        stores: list[Store],
        totals: list[Total],
        indexed: int = 0,
    ) -> None:
        # Of so many operands rows are picked by a list of numbers.
        self.indexed = indexed
        self.outer = outer
        self.operands = list(operands)
        self.stores = stores
        self.totals = totals
        self.scratch: list[np.dtype] = []
        self._kept: dict[Node, int] = {}
        self._names: dict[Node, str] = {}
        self._lines: list[str] = []
        self._plan_phases()

    # -- what happens in which phase ---------------------------------------------------------------

    def _plan_phases(self) -> None:
        roots = [s.node for s in self.stores] + [t.node for t in self.totals]
        nodes = all_nodes(roots)
        # About how many operations it takes for one cell.
        self.cost = sum(expression.own_cost(n.op) for n in nodes if n.args)
        self._reductions = [n for n in nodes if n.op == "reduce"]
        self.phases = 1 + max([n.phase for n in roots], default=0)
        last: dict[int, Store] = {}
        self._stores: list[Store] = []
        for store in reversed(self.stores):
            # Of several stores of one phase to one place the last one counts.
            later = last.get(store.operand)
            if later is None or later.node.phase != store.node.phase:
                self._stores.append(store)
                last[store.operand] = store
        self._stores.reverse()
        # In rows of one element a value of each cell may have one place for each row.
        self._cell_stores = [
            s
            for s in self._stores
            if self.operands[s.operand].columns != ONE or s.node.level == CELL
        ]
        for phase in range(self.phases):
            seen: set[Node] = set()
            for node in self._roots(phase):
                self._find_kept(node, phase, seen)

    def _roots(self, phase: int) -> list[Node]:
        """The values that the walk over the columns in a phase is for."""
        found = [n.args[0] for n in self._reductions if n.args[0].phase == phase]
        found += [s.node for s in self._cell_stores if s.node.phase == phase]
        found += [t.node for t in self.totals if t.over != OF_ROWS and t.node.phase == phase]
        found += [n for n in self._kept if n.phase == phase and n not in found]
        return found

    def _find_kept(self, node: Node, phase: int, seen: set[Node]) -> None:
        """Decides what of earlier phases is kept for this one."""
        pending = [node]
        while pending:
            node = pending.pop()
            if node in seen or node.level == ROW:
                continue
            seen.add(node)
            if node.phase < phase and node not in self._kept:
                self._keep(node, phase)
            if node not in self._kept or node.phase == phase:
                pending.extend(node.args)

    def _keep(self, node: Node, phase: int) -> None:
        """Decides where a later phase finds a value: where it is stored, in scratch, or anew."""
        if node.args:
            for position, store in enumerate(self._stores):
                again = [s for s in self._stores[position + 1 :] if s.operand == store.operand]
                if store.node is node and all(s.node.phase >= phase for s in again):
                    self._kept[node] = store.operand
                    return
            lost = node.cost > _CHEAP
        else:
            lost = node.op == "load" and any(s.operand == node.detail for s in self._stores)
        if lost:
            self.operands.append(Operand(node.dtype, TOGETHER))
            self.scratch.append(node.dtype)
            self._kept[node] = len(self.operands) - 1

    # -- source text -------------------------------------------------------------------------------

    def kernel(self, label: str) -> Kernel:
        """The kernel."""
        self._lines, self._names = [], {}
        self._arguments()
        for number, total in enumerate(self.totals):
            self._begin_total(number, total)
        self._return_if_unchanged()
        depth = 1
        for level in range(self.outer):
            self._line(depth, f"for o{level} in range(n{level}):")
            depth += 1
        self._line(depth, "for i in range(r0, r1):")
        self._row_addresses(depth + 1)
        for phase in range(self.phases):
            self._row_values(phase, depth + 1)
            self._walk(phase, depth + 1)
        self._finish_row(depth + 1)
        for number, total in enumerate(self.totals):
            self._end_total(number, total)
        self._line(1, "return 0")
        return Kernel("\n".join(["def kernel(a):", *self._lines, ""]), label)

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _arguments(self) -> None:
        names = ["r0", "r1", "c0", "c1", *[f"n{level}" for level in range(self.outer)]]
        for index, operand in enumerate(self.operands):
            names += [f"p{index}", *[f"t{index}_{level}" for level in range(self.outer)]]
            names.append(f"s{index}")
            if operand.columns == APART:
                names.append(f"g{index}")
        if self.indexed:
            names += ["rows", "count"]
        for position, name in enumerate(names):
            self._line(1, f"{name} = word(a, {position})")
        if self.indexed:
            self._line(1, "r1 = load_i64(count, 0, 30)")

    def _return_if_unchanged(self) -> None:
        """Spares the rows if each is multiplied in place by the same row, which is of ones.

        That is how the norms of columns are held to a limit, which most of the time they keep.
        """
        if self.outer or self.indexed or self.totals or len(self.stores) != 1:
            return
        ((operand, node),) = self.stores
        if node.op != "multiply" or {arg.op for arg in node.args} != {"load"}:
            return
        factors = [arg.detail for arg in node.args if arg.detail != operand]
        if len(factors) != 1:
            return
        factor = factors[0]
        self._line(1, f"if s{factor} == 0 and r1 - r0 > 1:")
        self._line(2, "j = c0")
        one = literal(node.dtype.type(1), node.dtype)
        loaded = f"{_access('load', self.operands, factor, 'p')})"
        self._line(2, f"while j < c1 and {loaded} == {one}:")
        self._line(3, "j = j + 1")
        self._line(2, "if j == c1:")
        self._line(3, "return 0")

    def _row_addresses(self, depth: int) -> None:
        if self.indexed:
            self._line(depth, "row = load_i64(rows, i, 31)")
        for index in range(len(self.operands)):
            outer = "".join(f" + o{level} * t{index}_{level}" for level in range(self.outer))
            row = "row" if index < self.indexed else "i"
            self._line(depth, f"q{index} = p{index}{outer} + {row} * s{index}")

    def _row_values(self, phase: int, depth: int) -> None:
        """Values of the row that the phase and later ones use."""
        wanted = [n for p in range(phase, self.phases) for n in self._roots(p)]
        wanted += [s.node for s in self._stores] + [t.node for t in self.totals]
        for node in all_nodes(wanted):
            if node.level == ROW and node.phase == phase and node not in self._names:
                self._emit(node, phase, depth, self._names)

    def _walk(self, phase: int, depth: int) -> None:
        """The loop over the columns in a phase."""
        roots = self._roots(phase)
        if not roots:
            return
        reductions = [n for n in self._reductions if n.args[0].phase == phase]
        totals = [
            (number, total)
            for number, total in enumerate(self.totals)
            if total.over != OF_ROWS and total.node.phase == phase
        ]
        sums = [n for n in reductions if _in_blocks(n.detail, n.dtype)]
        total_sums = [
            (number, total)
            for number, total in totals
            if total.over == OF_CELLS and _in_blocks(total.ufunc, total.node.dtype)
        ]
        blocks = bool(sums or total_sums)
        for node in reductions:
            self._line(depth, f"m{self._number(node)} = {_start(node.detail, node.dtype, True)}")
        inside = depth
        if blocks:
            self._line(depth, f"for b in range(c0, c1, {_BLOCK}):")
            self._line(depth + 1, f"e = select(b + {_BLOCK} < c1, b + {_BLOCK}, c1)")
            inside += 1
            self._block_starts(inside, sums, total_sums)
            self._line(inside, "for j in range(b, e):")
        else:
            self._line(depth, "for j in range(c0, c1):")
        names = dict(self._names)
        for node in roots:
            self._emit(node, phase, inside + 1, names)
        for node in reductions:
            short = "b" if node in sums else "m"
            target = f"{short}{self._number(node)}"
            step = _step(node.detail, node.dtype, target, names[node.args[0]])
            self._line(inside + 1, f"{target} = {step}")
        for number, total in totals:
            self._add_to_total(number, total, names[total.node], inside + 1)
        for store in self._cell_stores:
            if store.node.phase == phase:
                self._store(store.operand, names[store.node], inside + 1)
        stored = {s.node: s.operand for s in self._stores}
        for node, operand in self._kept.items():
            if node.phase == phase and stored.get(node) != operand:
                self._store(operand, names[node], inside + 1)
        if blocks:
            self._block_ends(inside, sums, total_sums)
        for node in reductions:
            short = SHORT_NAMES[node.dtype]
            name = self._names[node] = f"w{self._number(node)}"
            self._line(depth, f"{name} = {short}(m{self._number(node)})")

    def _number(self, node: Node) -> int:
        return self._reductions.index(node)

    def _block_starts(self, depth: int, sums: list[Node], totals: list[tuple[int, Total]]) -> None:
        for node in sums:
            start = _start(node.detail, node.dtype, False)
            self._line(depth, f"b{self._number(node)} = {start}")
        for number, total in totals:
            self._line(depth, f"d{number} = {_start(total.ufunc, total.node.dtype, False)}")

    def _block_ends(self, depth: int, sums: list[Node], totals: list[tuple[int, Total]]) -> None:
        for node in sums:
            number = self._number(node)
            self._line(depth, f"m{number} = m{number} + f64(b{number})")
        for number, _ in totals:
            self._line(depth, f"k{number} = k{number} + f64(d{number})")

    def _finish_row(self, depth: int) -> None:
        for store in self._stores:
            if store not in self._cell_stores:
                self._store(store.operand, self._names[store.node], depth)
        for number, total in enumerate(self.totals):
            if total.over == OF_ROWS:
                target = f"k{number}"
                name = self._names[total.node]
                if _in_blocks(total.ufunc, total.node.dtype):
                    name = f"f64({name})"
                step = _step(total.ufunc, total.node.dtype, target, name)
                self._line(depth, f"{target} = {step}")

    # -- totals ------------------------------------------------------------------------------------

    def _begin_total(self, number: int, total: Total) -> None:
        if total.over != BY_COLUMN:
            self._line(1, f"k{number} = {_start(total.ufunc, total.node.dtype, True)}")
            return
        self._line(1, "for j in range(c0, c1):")
        start = _start(total.ufunc, total.node.dtype, False)
        self._line(2, f"{_access('store', self.operands, total.operand, 'p')}, {start})")

    def _add_to_total(self, number: int, total: Total, value: str, depth: int) -> None:
        dtype = total.node.dtype
        if total.over == BY_COLUMN:
            old = f"{_access('load', self.operands, total.operand, 'p')})"
            short = SHORT_NAMES[dtype]
            step = _step(total.ufunc, dtype, old, value, ordered=True)
            put = _access("store", self.operands, total.operand, "p")
            self._line(depth, f"{put}, {short}({step}))")
            return
        target = f"{'d' if _in_blocks(total.ufunc, dtype) else 'k'}{number}"
        self._line(depth, f"{target} = {_step(total.ufunc, dtype, target, value)}")

    def _end_total(self, number: int, total: Total) -> None:
        if total.over != BY_COLUMN:
            short = SHORT_NAMES[total.node.dtype]
            self._line(
                1, f"store_{short}(p{total.operand}, 0, {total.operand}, {short}(k{number}))"
            )

    # -- values ------------------------------------------------------------------------------------

    def _emit(self, node: Node, phase: int, depth: int, names: dict[Node, str]) -> None:
        """Writes the lines that compute a value, unless they are there."""
        for item in in_order(node, names, lambda n: self._is_loaded(n, phase)):
            name = f"{'x' if names is self._names else 'y'}{len(names)}"
            if self._is_loaded(item, phase):
                text = f"{_access('load', self.operands, self._kept[item], 'q')})"
            else:
                text = self._text(item, names)
            self._line(depth, f"{name} = {text}")
            names[item] = name

    def _is_loaded(self, node: Node, phase: int) -> bool:
        return node in self._kept and node.phase < phase

    def _text(self, node: Node, names: dict[Node, str]) -> str:
        if node.op == "load":
            return f"{_access('load', self.operands, node.detail, 'q')})"
        return text_of(node, [names[arg] for arg in node.args])

    def _store(self, operand: int, name: str, depth: int) -> None:
        self._line(depth, f"{_access('store', self.operands, operand, 'q')}, {name})")


def text_of(node: Node, args: Sequence[str]) -> str:
    """The text of a value that is computed from others, or of a constant."""
    if node.op == "const":
        return literal(node.detail, node.dtype)
    if node.op == "column":
        return "i64(j)"
    short = SHORT_NAMES[node.dtype]
    if node.op == "cast":
        return _cast(args[0], node.args[0].dtype, node.dtype)
    if node.op == "select":
        return f"select({', '.join(args)})"
    text = expression.template(node.op, node.args[0].dtype)
    text = text.format(*args, T=SHORT_NAMES[node.args[0].dtype])
    return text if node.dtype.kind == "b" else f"{short}({text})"


def combining(ufunc: str, dtype: np.dtype) -> Kernel:
    """The kernel that adds one array, or whatever a reduction does, to another."""
    loads = [Node("load", (), dtype, operand, CELL) for operand in range(2)]
    node = expression.apply(getattr(np, ufunc), loads)
    operands = [Operand(dtype, TOGETHER)] * 2
    return Nest(0, operands, [Store(0, node)], []).kernel(f"combine_{ufunc}")


def _access(what: str, operands: list[Operand], index: int, base: str) -> str:
    """The start of a load or store at an operand's place for the current cell."""
    operand = operands[index]
    column = {TOGETHER: "j", ONE: "0", APART: f"j * g{index}"}[operand.columns]
    return f"{what}_{SHORT_NAMES[operand.dtype]}({base}{index}, {column}, {index}"


def _cast(value: str, source: np.dtype, target: np.dtype) -> str:
    """A conversion as NumPy does it; floats that fit no integer become the smallest one."""
    short = SHORT_NAMES[target]
    if target.kind == "b":
        return f"{value} != {SHORT_NAMES[source]}(0)"
    if source.kind == "f" and target.kind == "i":
        bits = 8 * target.itemsize - 1
        limit = f"{SHORT_NAMES[source]}({2.0**bits!r})"
        return f"select(fabs({value}) < {limit}, {short}({value}), {short}({-(2**bits)}))"
    return f"{short}({value})"


def literal(value: np.generic, dtype: np.dtype) -> str:
    """A constant as source text, exactly."""
    short = SHORT_NAMES[dtype]
    if dtype.kind == "b":
        return str(bool(value))
    if dtype.kind == "f" and not np.isfinite(value):
        top = "0" if np.isnan(value) else ("-1" if np.signbit(value) else "1")
        return f"{short}({top}) / {short}(0)"
    return f"{short}({value.item()!r})"


def _in_blocks(ufunc: str, dtype: np.dtype) -> bool:
    return ufunc == "add" and dtype.kind == "f"


def _start(ufunc: str, dtype: np.dtype, outermost: bool) -> str:
    """What a reduction starts from; the outermost sum of floats is kept in float64."""
    short = SHORT_NAMES[dtype]
    if ufunc == "add":
        # The sum of -0 alone is -0.
        return f"{'f64' if outermost else short}(-0.0)" if dtype.kind == "f" else f"{short}(0)"
    if ufunc == "multiply":
        return f"{short}(1)"
    if dtype.kind == "b":
        return str(ufunc == "logical_and")
    if dtype.kind == "f":
        return f"{short}({'-1' if ufunc == 'maximum' else '1'}) / {short}(0)"
    info = np.iinfo(dtype)
    return f"{short}({info.min if ufunc == 'maximum' else info.max})"


def _step(ufunc: str, dtype: np.dtype, old: str, value: str, ordered: bool = False) -> str:
    if ufunc == "add":
        return f"{old} + {value}" if ordered else f"reassociated_add({old}, {value})"
    if ufunc == "multiply":
        return f"{old} * {value}" if ordered else f"reassociated_multiply({old}, {value})"
    if dtype.kind == "b":
        return f"{old} {'&' if ufunc == 'logical_and' else '|'} {value}"
    if dtype.kind == "f":
        return f"{ufunc}({old}, {value})"
    return f"select({old} {'>' if ufunc == 'maximum' else '<'} {value}, {old}, {value})"


def all_nodes(roots: Iterable[Node], known: Iterable[Node] = ()) -> list[Node]:
    """The nodes that roots are computed from, from `known` ones on, each after its arguments."""
    names = dict.fromkeys(known, "")
    before = len(names)
    for root in roots:
        for node in in_order(root, names):
            names[node] = ""
    return list(names)[before:]


def in_order(
    root: Node, known: dict[Node, str], is_leaf: Callable[[Node], bool] = lambda node: False
) -> list[Node]:
    """The nodes that are not known yet, each after its arguments."""
    found: dict[Node, None] = {}
    pending: list[tuple[Node, bool]] = [(root, False)]
    while pending:
        node, ready = pending.pop()
        if node in known or node in found:
            continue
        if ready or is_leaf(node):
            found[node] = None
            continue
        pending.append((node, True))
        pending.extend((arg, False) for arg in reversed(node.args))
    return list(found)
