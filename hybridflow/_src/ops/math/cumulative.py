"""Cumulative sums and products, and the recurrence in the gradient of the latter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.kernels import scans
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import INDICES, NUMBERS, conj
from hybridflow._src.ops.math.reducing import axes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["cumprod", "cumsum"]


# -- records ---------------------------------------------------------------------------------------


def _scan(ufunc: Any, x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    """The running result of `ufunc` along an axis, with or without each element itself."""
    turned = np.moveaxis(x, axis, 0)
    turned = turned[::-1] if reverse else turned
    result = np.empty(turned.shape, accumulator(x.dtype))
    if exclusive and len(turned):
        result[0], result[1:] = ufunc.identity, turned[:-1]
        ufunc.accumulate(result, axis=0, out=result)
    elif len(turned):
        ufunc.accumulate(turned, axis=0, out=result)
    result = np.moveaxis(result[::-1] if reverse else result, 0, axis)
    return np.ascontiguousarray(result.astype(x.dtype, copy=False))


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    x = rng.uniform(0.5, 2, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if dtype is np.complex128 else x).astype(dtype)


def _cumulative(name: str, ufunc: Any, grad: Callable[..., Any]) -> OpDef:
    def compute(x: np.ndarray, axis: np.ndarray, exclusive: bool, reverse: bool) -> np.ndarray:
        where = number_of(axis, "axis")
        if not -x.ndim <= where < x.ndim:
            raise InvalidArgumentError(
                None,
                None,
                f"{name}: Expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {where}",
            )
        return _scan(ufunc, x, where, exclusive, reverse)

    def native(b: Any, x: Any, axis: Any, exclusive: bool, reverse: bool) -> Any:
        where = int(b.known(axis)) % len(x.shape)
        inner = math.prod(x.shape[where + 1 :])
        wide = b.cast(x, accumulator(x.dtype))
        slices = b.reshape(wide, (math.prod(x.shape[:where]), x.shape[where] * inner))
        result = b.by_rows(scans.running, slices, inner, ufunc is np.multiply, exclusive, reverse)
        return b.cast(b.reshape(result, x.shape), x.dtype)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.complex128):
            for shape, axis in (((3,), 0), ((2, 3), 1), ((2, 3), -2), ((0, 2), 0)):
                for exclusive in (False, True):
                    for reverse in (False, True):
                        yield Sample(
                            _draw(rng, shape, dtype),
                            np.array(axis, np.int32),
                            exclusive=exclusive,
                            reverse=reverse,
                        )

    return OpDef(
        name,
        "x: T, axis: Tidx -> out: T",
        types={"T": NUMBERS, "Tidx": INDICES},
        attrs={"exclusive": False, "reverse": False},
        shape=shape_rules.same,
        compute=compute,
        grad=grad,
        samples=samples,
        native=native,
    )


def _cumsum_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    exclusive, reverse = op.get_attr("exclusive"), op.get_attr("reverse")
    return raw.Cumsum(dy, op.inputs[1], exclusive=exclusive, reverse=not reverse), None


def _cumprod_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    """Without a division, so that it is right where elements are 0.

    With p the products and L_i that of all elements before x_i, the sum over k of dy_k dp_k / dx_i
    is L_i (dy_i + x_(i+1) (dy_(i+1) + x_(i+2) (...))), which a recurrence from the end computes.
    """
    x, axis = conj(op.inputs[0]), op.inputs[1]
    exclusive, reverse = op.get_attr("exclusive"), op.get_attr("reverse")
    back: dict[str, Any] = {"exclusive": True, "reverse": not reverse}
    if exclusive:
        return conj(op.outputs[0]) * raw.Recurrence(x, dy, axis, **back), None
    before = raw.Cumprod(x, axis, exclusive=True, reverse=reverse)
    return before * (dy + raw.Recurrence(x, x * dy, axis, **back)), None


_cumsum = _cumulative("Cumsum", np.add, _cumsum_grad)
_cumprod = _cumulative("Cumprod", np.multiply, _cumprod_grad)


# -- a linear recurrence ---------------------------------------------------------------------------


def _recurrence(
    a: np.ndarray, b: np.ndarray, axis: np.ndarray, exclusive: bool, reverse: bool
) -> np.ndarray:
    if a.shape != b.shape:
        raise ValueError(f"a and b must be of one shape, got {a.shape} and {b.shape}")
    where, turn = number_of(axis, "axis"), slice(None, None, -1 if reverse else 1)
    wide = accumulator(a.dtype)
    factors, terms = (np.moveaxis(x.astype(wide, copy=False), where, 0)[turn] for x in (a, b))
    result = np.zeros(factors.shape, wide)
    total: Any = 0
    for k, (factor, term) in enumerate(zip(factors, terms, strict=True)):
        if exclusive:
            result[k] = total
        total = term + factor * total if k else term
        if not exclusive:
            result[k] = total
    result = np.moveaxis(result[turn], 0, where)
    return np.ascontiguousarray(result.astype(a.dtype, copy=False))


def _native_recurrence(b: Any, a: Any, c: Any, axis: Any, exclusive: bool, reverse: bool) -> Any:
    where = int(b.known(axis)) % len(a.shape)
    inner = math.prod(a.shape[where + 1 :])
    rows = (math.prod(a.shape[:where]), a.shape[where] * inner)
    factors, terms = (b.reshape(b.cast(x, accumulator(x.dtype)), rows) for x in (a, c))
    result = b.by_rows(scans.recurrence, factors, terms, inner, exclusive, reverse)
    return b.cast(b.reshape(result, a.shape), a.dtype)


def _recurrence_grad(op: Any, dy: Tensor) -> tuple[Any, Any, None]:
    """The gradient of each y_k is again a recurrence, from the other end."""
    a, b, axis = conj(op.inputs[0]), conj(op.inputs[1]), op.inputs[2]
    exclusive, reverse = op.get_attr("exclusive"), op.get_attr("reverse")
    back: dict[str, Any] = {"exclusive": True, "reverse": not reverse}
    if exclusive:
        db = raw.Recurrence(a, dy, axis, **back)
        return db * conj(op.outputs[0]), db, None
    db = dy + raw.Recurrence(a, a * dy, axis, **back)
    return db * raw.Recurrence(a, b, axis, exclusive=True, reverse=reverse), db, None


def _recurrence_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape, axis in (((3,), 0), ((2, 3), 1), ((3, 2), -2), ((0, 2), 0)):
            for attrs in ({}, {"exclusive": True}, {"reverse": True}):
                values = (_draw(rng, shape, dtype), _draw(rng, shape, dtype))
                yield Sample(*values, np.array(axis, np.int32), **attrs)


def _recurrence_of_ops(op: Any, a: Tensor, b: Tensor, axis: Tensor) -> Tensor:
    """`_recurrence` by TensorFlow's ops: y_k is the sum over j <= k of b_j a_(j+1) ... a_k."""
    sizes = raw.Shape(a)
    at = raw.FloorMod(raw.Cast(axis, DstT=dtypes.int32), raw.Size(sizes))
    outer, size, inner = raw.Prod(sizes[:at], [0]), sizes[at], raw.Prod(sizes[at + 1 :], [0])
    a, b = (raw.Reshape(t, raw.Pack([outer, 1, size, inner])) for t in (a, b))
    if op.get_attr("reverse"):
        a, b = (raw.ReverseV2(t, [2]) for t in (a, b))
    shape = raw.Pack([outer, size, size, inner])
    number = raw.Range(0, size, 1)
    first, last = raw.Reshape(number, [-1, 1, 1]), raw.ExpandDims(number, 1)
    zero = raw.Fill(shape, 0)
    factors = raw.Tile(a, raw.Pack([1, size, 1, 1]))
    factors = raw.Select(raw.Greater(last + zero, first), factors, raw.OnesLike(factors))
    terms = raw.Cumprod(factors, 2) * raw.Reshape(b, raw.Pack([outer, size, 1, inner]))
    inside = raw.GreaterEqual(last + zero, first)
    y = raw.Sum(raw.Select(inside, terms, raw.ZerosLike(terms)), [1])
    if op.get_attr("exclusive"):
        y = raw.ConcatV2([raw.ZerosLike(y[:, :1]), y[:, :-1]], 1)
    if op.get_attr("reverse"):
        y = raw.ReverseV2(y, [1])
    return raw.Reshape(y, sizes)


# y_k = b_k + a_k y_(k-1) along an axis, from y_0 = b_0. Exclusive: y_(k-1) stands at k, after 0;
# reverse: it runs from the end.
OpDef(
    "Recurrence",
    "a: T, b: T, axis: Tidx -> y: T",
    types={"T": NUMBERS, "Tidx": INDICES},
    attrs={"exclusive": False, "reverse": False},
    shape=lambda attrs, a, b, axis: shape_rules.merging(attrs, a, b),
    compute=_recurrence,
    grad=_recurrence_grad,
    samples=_recurrence_samples,
    native=_native_recurrence,
    written=lambda nodes, op: nodes.composed(op, _recurrence_of_ops),
)


# -- the product of all others ---------------------------------------------------------------------


def _others_arrays(x: np.ndarray, axes: np.ndarray) -> np.ndarray:
    others = np.ones_like(x)
    for axis in axes_of(x, axes):
        before = _scan(np.multiply, x, axis, exclusive=True, reverse=False)
        after = _scan(np.multiply, x, axis, exclusive=True, reverse=True)
        others *= before * after
        x = np.multiply.reduce(x, axis=axis, dtype=x.dtype, keepdims=True)
    return others


def _others_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    x, axes = conj(op.inputs[0]), op.inputs[1]
    count = axes._dims and axes._dims[0]
    if axes._dims == ():
        return _others_slope(x, [axes], dy), None
    if count is not None:
        return _others_slope(x, [axes[i] for i in range(count)], dy), None
    return _others_slope_flat(x, axes, dy), None


def _others_slope_flat(x: Tensor, axes: Tensor, dy: Tensor) -> Any:
    """`_others_slope` for a number of axes that is not known: they become one."""
    rank = raw.Rank(x)
    axes = raw.Cast(raw.Reshape(axes, [-1]), DstT=dtypes.int32)
    axes = raw.Select(raw.Less(axes, 0), axes + rank, axes)
    counts = raw.UnsortedSegmentSum(raw.OnesLike(axes), axes, rank)
    kept, reduced = (
        raw.Cast(raw.Reshape(raw.Where(chosen), [-1]), DstT=dtypes.int32)
        for chosen in (raw.Equal(counts, 0), raw.Greater(counts, 0))
    )
    order = raw.ConcatV2([kept, reduced], 0)
    sizes = raw.Gather(raw.Shape(x), order)
    count = raw.Size(kept)
    matrix = raw.Pack([raw.Prod(sizes[:count], [0]), raw.Prod(sizes[count:], [0])])
    flat, weights = (raw.Reshape(raw.Transpose(t, order), matrix) for t in (x, dy))
    slope = raw.Reshape(_others_slope(flat, [1], weights), sizes)
    return raw.Transpose(slope, raw.InvertPermutation(order))


def _others_slope(x: Tensor, axes: Sequence[Any], dy: Tensor) -> Any:
    """The gradient of products of others along one axis after the other.

    Along one axis it is L R, with L the product of the elements before and R of those after. The
    other axes' factor is that of the products along the first.
    """
    if not axes:
        return raw.ZerosLike(x)
    axis, *rest = axes
    before = raw.Cumprod(x, axis, exclusive=True)
    after = raw.Cumprod(x, axis, exclusive=True, reverse=True)
    through: Any = None
    if rest:
        whole = raw.Prod(x, axis, keep_dims=True)
        own = before * after
        inner = raw.Sum(dy * own, axis, keep_dims=True)
        through = own * _others_slope(whole, rest, inner)
        dy = dy * raw.ProductOfOthers(whole, raw.Pack(rest))
    left = before * raw.Recurrence(x, dy * after, axis, exclusive=True, reverse=True)
    right = after * raw.Recurrence(x, dy * before, axis, exclusive=True)
    return left + right if through is None else left + right + through


def _write_others(nodes: Any, op: Any) -> None:
    """Writes it as products of what comes before and after, along one axis after the other."""
    axes = constant_value(op.inputs[1])
    if axes is None:
        nodes.plain(op)
        return
    dtype = op.get_attr("T")
    whole = nodes.input(op.inputs[0])
    ones = nodes.add("OnesLike", f"{op.name}/ones", [whole], T=dtype)
    result = nodes.output(ones)
    for axis in axes.reshape(-1):
        value = np.array(axis, np.int32)
        at = nodes.add("Const", f"{op.name}/axis", [], dtype=dtypes.int32, value=value)
        index = {"T": dtype, "Tidx": dtypes.int32}
        given = [whole, nodes.output(at)]
        for reverse in (False, True):
            name = f"{op.name}/{'after' if reverse else 'before'}"
            part = nodes.add("Cumprod", name, given, exclusive=True, reverse=reverse, **index)
            factors = [result, nodes.output(part)]
            result = nodes.output(nodes.add("Mul", f"{op.name}/mul", factors, T=dtype))
        whole = nodes.output(nodes.add("Prod", f"{op.name}/whole", given, keep_dims=True, **index))
    nodes.node(op, "Identity", [result], {"T": dtype})


def _others_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape, axes in (((2, 3), [1]), ((2, 3), [0, -1]), ((2, 3), []), ((0, 2), [0])):
            yield Sample(_draw(rng, shape, dtype), np.array(axes, np.int32))


# For each element the product of all others along the axes: the gradient of `Prod`, right also
# where elements are 0.
OpDef(
    "ProductOfOthers",
    "input: T, axes: Tidx -> output: T",
    types={"T": NUMBERS, "Tidx": INDICES},
    shape=shape_rules.same,
    compute=_others_arrays,
    grad=_others_grad,
    samples=_others_samples,
    written=_write_others,
)


# -- public functions ------------------------------------------------------------------------------


def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running sum along an axis: `[a, a + b, a + b + c]`.

    Args:
      x: tensor of a number dtype.
      axis: scalar int: the axis along which to sum.
      exclusive: leave each element itself out: `[0, a, a + b]`.
      reverse: sum from the end: `[a + b + c, b + c, c]`.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    Raises:
      InvalidArgumentError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cumsum([1, 2, 3]).numpy(), hf.cumsum([1, 2, 3], exclusive=True).numpy())
    [1 3 6] [0 1 3]
    """
    return _cumsum(x, axis, exclusive=exclusive, reverse=reverse, name=name)


def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running product along an axis: `[a, a * b, a * b * c]`.

    Args:
      x: tensor of a number dtype.
      axis: scalar int: the axis along which to multiply.
      exclusive: leave each element itself out: `[1, a, a * b]`.
      reverse: multiply from the end: `[a * b * c, b * c, c]`.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. Gradients of any order are right where elements
      are 0; in TF 1.4 they are NaN there.

    Raises:
      InvalidArgumentError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cumprod([2, 3, 4]).numpy(), hf.cumprod([2, 3, 4], reverse=True).numpy())
    [ 2  6 24] [24 12  4]
    """
    return _cumprod(x, axis, exclusive=exclusive, reverse=reverse, name=name)
