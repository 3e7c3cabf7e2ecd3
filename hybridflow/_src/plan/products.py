"""Matrix products as steps of native code: by register tiles, or by BLAS where that is quicker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import blas, dense, products
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.products import RESULT, SCALES
from hybridflow._src.kernels.vectors import registers
from hybridflow._src.plan import sharing
from hybridflow._src.plan.panels import Panels
from hybridflow._src.plan.steps import Call, Unsupported
from hybridflow._src.plan.values import Value

if TYPE_CHECKING:
    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.plan.values import Buffer

# Of a call of BLAS' kernel, into how many parts rows and columns are divided.
_PARTS = slice(17, 19)
# A matrix of more bytes is copied in panels, which lie nearer.
_NEAR = 1 << 20


class Products(Panels):
    """Steps with products.

    Attributes:
      by_tiles: whether register tiles compute those for which they are quicker.
    """

    by_tiles = True

    def product(self, a: Value, b: Value) -> Value:
        """Matrix products `[..., m, k] x [..., k, n]`; strides say what is transposed.

        Raises:
          Unsupported: if the values are no floats, or neither tiles nor NumPy's BLAS can do it.
        """
        short = SHORT_NAMES.get(a.dtype, "")
        if short not in ("f32", "f64"):
            raise Unsupported(f"products of {a.dtype.name}")
        library = blas.find()
        tiled = _Tiled.of(self, a, b) if self.by_tiles else None
        if tiled is not None and tiled.is_quicker(library):
            return self._by_tiles(tiled, short)
        if library is None:
            raise Unsupported(f"products of {a.dtype.name}")
        return self._by_blas(library, a, b, short)

    def _by_tiles(self, tiled: _Tiled, short: str) -> Value:
        a, b = tiled.a, tiled.b
        rows, inner, columns = *a.shape[-2:], b.shape[-1]
        batch, size = a.shape[:-2], a.dtype.itemsize
        tile = dense.tile(short)
        result = self.memory((*batch, rows, columns), a.dtype)
        is_copied = tiled.is_far or columns % tile.width != 0
        panel = self.private(dense.scratch(tile, inner if is_copied else 0), a.dtype)
        count = math.prod(batch)
        self.call(
            dense.product(short),
            [
                *(0, dense.items(tile, count, rows, columns)),
                *(a, *a.strides[-2:], rows, columns, inner),
                *(1.0, self.constant(np.ones((), a.dtype)), 0.0),
                *(b, tiled.down, tiled.across, panel, result, columns * size),
                *(tiled.is_far, *tiled.apart, rows * columns * size),
            ],
            reads=[a, b],
            writes=[result],
            divisible=True,
            work=_work_of(count, rows, inner, columns, size),
            private=[panel],
        )
        return result

    def _by_blas(self, library: blas.Blas, a: Value, b: Value, short: str) -> Value:
        batch = a.shape[:-2]
        first, second = _Matrix.of(self, a), _Matrix.of(self, b)
        rows, inner, columns = *a.shape[-2:], b.shape[-1]
        result = self.memory((*batch, rows, columns), a.dtype)
        count, size = math.prod(batch), a.dtype.itemsize
        work = _work_of(count, rows, inner, columns, size)
        parts = 1
        if work >= sharing.WORTH_SHARING and all(library.threads):
            parts = self.threads // math.gcd(count, self.threads)
        down, across = products.division(rows, columns, parts)
        down_a = (first.length if first.flag == products.PLAIN else 1) * size
        along_b = (1 if second.flag == products.PLAIN else second.length) * size
        self.call(
            products.product(short, library.bits),
            [
                *(0, count * down * across),
                *(library.addresses[short], first.flag, second.flag, rows, columns, inner),
                *(1.0, self.constant(np.ones((), a.dtype)), 0.0),
                *(first.value, first.length, second.value, second.length, result, columns),
                *(down, across),
                *(rows * inner * size, inner * columns * size, rows * columns * size),
                *(down_a, along_b, *library.threads),
            ],
            reads=[first.value, second.value],
            writes=[result],
            divisible=True,
            work=work,
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
            or not is_product(step)
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
        args[SCALES] = [-1.0, scale, 1.0]
        args[RESULT] = result
        self.steps[maker] = None
        self.ops[len(self.steps)] = self.ops.pop(maker)
        reads = [*step.reads, scale, variable]
        self.call(
            step.kernel,
            args,
            reads=reads,
            writes=[result],
            divisible=True,
            work=step.work,
            private=[Value.whole(buffer) for buffer in step.private],
        )
        return True


def is_product(step: Call) -> bool:
    """Whether a call multiplies matrices, in one of the two ways."""
    return step.kernel.label.startswith("product")


def is_by_tiles(step: Call) -> bool:
    """Whether a product is one of register tiles."""
    return step.kernel == dense.product(SHORT_NAMES[step.writes[0].dtype])


def rows_of(step: Call) -> tuple[Value, ...]:
    """What products multiply by rows, each by itself: a matrix, or two batches of matrices."""
    if not is_product(step):
        return ()
    a = step.reads[0]
    if len(a.shape) > 2:
        return step.reads[:2]
    return (a,) if is_by_rows(step) and (is_by_tiles(step) or step.args[1] == 1) else ()


def is_by_rows(step: Call) -> bool:
    """Whether a product of two matrices may be done for some rows of the first one."""
    if is_by_tiles(step):
        return step.reads[0].strides[1] == step.reads[0].dtype.itemsize
    return bool(step.args[3] == products.PLAIN)


def cut(step: Call, rows: range, of: int) -> list[Any]:
    """The arguments of such products for some of `of` rows."""
    args = list(step.args)
    if len(step.reads[0].shape) > 2:
        each = args[1] // of
        args[:2] = each * rows.start, each * rows.stop
        return args
    first, result = rows.start, args[RESULT]
    at, _ = _operands(step)
    a = args[at]
    args[at] = a.moved(first * a.strides[0])
    args[RESULT] = result.moved(first * result.strides[0])
    args[5] = len(rows)
    if is_by_tiles(step):
        args[1] = dense.items(dense.tile(SHORT_NAMES[a.dtype]), 1, len(rows), args[6])
    else:
        args[:2], args[_PARTS] = (0, 1), (1, 1)
    return args


def cut_sum(step: Call, rows: range, result: Buffer, adds: bool) -> list[Any]:
    """The arguments of the product of two matrices for some of the rows over which it adds up.

    Args:
      result: where that goes. adds: whether it is added to what is there.
    """
    args = list(step.args)
    for at, axis in zip(_operands(step), (1, 0), strict=True):
        args[at] = args[at].moved(rows.start * args[at].strides[axis])
    args[7] = len(rows)
    args[SCALES] = [*args[SCALES][:2], float(adds)]
    args[RESULT] = Value.whole(result)
    if not is_by_tiles(step):
        args[:2], args[_PARTS] = (0, 1), (1, 1)
    return args


def _operands(step: Call) -> tuple[int, int]:
    """Which arguments are the matrices."""
    return (2, 11) if is_by_tiles(step) else (11, 13)


def _work_of(count: int, rows: int, inner: int, columns: int, size: int) -> int:
    """How much products are to do: as bytes that could be moved meanwhile."""
    moved = (rows * inner + inner * columns + rows * columns) * size
    return count * max(moved, 2 * rows * inner * columns // sharing.FLOPS_PER_BYTE)


class _Matrix(NamedTuple):
    """An operand of a product as BLAS takes it: a flag, and the length of its rows in memory."""

    value: Value
    flag: int
    length: int

    @staticmethod
    def of(lowering: Products, value: Value) -> _Matrix:
        """A value, copied if BLAS cannot take it as it lies."""
        rows, columns = value.shape[-2:]
        size = value.dtype.itemsize
        if value.is_packed:
            return _Matrix(value, products.PLAIN, columns)
        if len(value.shape) == 2:
            down, along = value.strides
            if along == size and down >= columns * size:
                return _Matrix(value, products.PLAIN, down // size)
            if down == size and along >= rows * size:
                return _Matrix(value, products.TRANSPOSED, along // size)
        turned = Value(
            value.buffer,
            (*value.shape[:-2], columns, rows),
            (*value.strides[:-2], value.strides[-1], value.strides[-2]),
            value.offset,
        )
        if turned.is_packed:
            return _Matrix(value, products.TRANSPOSED, rows)
        return _Matrix(lowering.packed(value), products.PLAIN, columns)


class _Tiled(NamedTuple):
    """Two batches of matrices as tiles take them.

    Attributes:
      down, across: how many bytes rows and columns of each second matrix lie apart, one of them as
        far as numbers that follow each other.
      apart: how many bytes the matrices do, the first and the second.
    """

    a: Value
    b: Value
    down: int
    across: int
    apart: tuple[int, int]

    @staticmethod
    def of(lowering: Products, a: Value, b: Value) -> _Tiled:
        """Such matrices; those that lie in another way are copied."""
        size = a.dtype.itemsize
        inner, columns = b.shape[-2:]
        first, second = _apart(a), _apart(b)
        down, across = b.strides[-2:]
        if columns == 1:
            across = size
        elif inner == 1 and across != size:
            down = size
        if first is None:
            a = lowering.packed(a)
            first = _apart(a)
        if second is None or size not in (down, across):
            b = lowering.packed(b)
            second, down, across = _apart(b), columns * size, size
        return _Tiled(a, b, down, across, (first or 0, second or 0))

    @property
    def is_far(self) -> bool:
        """Whether panels of the second are copied."""
        return self.across != self.a.dtype.itemsize or self.b.shape[-2] * self.down > _NEAR

    def is_quicker(self, library: blas.Blas | None) -> bool:
        """Whether tiles compute the products in less time than BLAS, as measured."""
        if library is None:
            return True
        bits = registers().bits
        if bits > library.bits_of_vectors:
            return True
        return bits == library.bits_of_vectors == 256 and not self.is_far


def _apart(value: Value) -> int | None:
    """How far the matrices of a batch lie apart; None if that differs."""
    pairs = zip(value.shape[:-2], value.strides[:-2], strict=True)
    found, count = 0, 1
    for number, apart in reversed([pair for pair in pairs if pair[0] != 1]):
        if count == 1:
            found = apart
        elif apart != count * found:
            return None
        count *= number
    return found
