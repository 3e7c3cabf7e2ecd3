"""Broadcasting and its opposite, on which the gradients of reductions and elementwise ops rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.framework.tensor_shape import broadcast
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulated
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["broadcast_to"]

_SHAPES = (
    ((2, 3), (2, 3)),
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
    ((), (2, 3)),
    ((), ()),
    ((1, 2), (0, 2)),
)


# -- BroadcastTo -----------------------------------------------------------------------------------


def _broadcast_shape(attrs: dict[str, Any], x: Tensor, shape: Tensor) -> shape_rules.Dims:
    dims = constant_dims(shape)
    if dims is not None and None not in dims and broadcast(x._dims, dims) not in (None, dims):
        raise ValueError(f"Incompatible shapes: {x.shape} cannot be broadcast to {dims}")
    return dims


def _broadcast_arrays(x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, allocatable("BroadcastTo", shape, x.dtype)).copy()


def _broadcast_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for small, large in _SHAPES:
            yield Sample(np.asarray(rng.normal(size=small), dtype), np.array(large, np.int32))


def _write_spread(nodes: Any, op: Any) -> None:
    """Writes it as TensorFlow's gradients do (1.4 has no `BroadcastTo`): a tensor of the same rank,
    tiled.
    """
    x, shape = [nodes.input(t) for t in op.inputs]
    dtype, index = op.get_attr("T"), op.get_attr("Tidx")

    def add(type_: str, name: str, inputs: list[str], **attrs: Any) -> str:
        return str(nodes.output(nodes.add(type_, f"{op.name}/{name}", inputs, **attrs)))

    one = add("Const", "one", [], dtype=index, value=np.array(1, index.np))
    own = add("Shape", "Shape", [x], T=dtype, out_type=index)
    if op.inputs[0]._dims is None or len(op.inputs[0]._dims) != (op.inputs[1]._dims or [None])[0]:
        ranks = [
            add("Shape", name, [given], T=index, out_type=dtypes.int32)
            for name, given in (("rank", shape), ("own_rank", own))
        ]
        missing = add("Sub", "missing", ranks, T=dtypes.int32)
        ones = add("Fill", "ones", [missing, one], T=index, index_type=dtypes.int32)
        axis = add("Const", "axis", [], dtype=dtypes.int32, value=np.array(0, np.int32))
        own = add("ConcatV2", "sizes", [ones, own, axis], N=2, T=index, Tidx=dtypes.int32)
        x = add("Reshape", "Reshape", [x, own], T=dtype, Tshape=index)
    at_least = add("Maximum", "Maximum", [own, one], T=index)
    multiples = add("FloorDiv", "multiples", [shape, at_least], T=index)
    nodes.node(op, "Tile", [x, multiples], {"T": dtype, "Tmultiples": index})


def _repeating(name: str, written: Callable[[Any, Any], None] | None = None) -> OpDef:
    return OpDef(
        name,
        "input: T, shape: Tidx -> output: T",
        types={"Tidx": INDICES},
        shape=_broadcast_shape,
        compute=_broadcast_arrays,
        grad=lambda op, dy: (raw.SumToShape(dy, shape_of(op.inputs[0])), None),
        samples=_broadcast_samples,
        native=lambda b, x, shape: b.broadcast(x, tuple(b.known(shape).tolist())),
        written=written,
    )


_broadcast_to = _repeating("BroadcastTo")
# In gradients.
_repeating("SpreadToShape", _write_spread)


# -- SumToShape ------------------------------------------------------------------------------------


def _sum_to_dims(attrs: dict[str, Any], x: Tensor, shape: Tensor) -> shape_rules.Dims:
    return constant_dims(shape)


def _sum_to_arrays(x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    dims = tuple(shape.tolist())
    if x.shape == dims:
        return x
    if x.ndim < len(dims):
        # A gradient of lower rank than its tensor: they never met in one op.
        raise InvalidArgumentError(None, None, f"Cannot sum shape {x.shape} to shape {dims}")
    extra = x.ndim - len(dims)
    axes = [i for i, size in enumerate(dims, extra) if size == 1 and x.shape[i] != 1]
    result = accumulated(np.add, x, (*range(extra), *axes))
    return np.reshape(result, dims)


def _native_sum_to(b: Any, x: Any, shape: Any) -> Any:
    dims = tuple(b.known(shape).tolist())
    extra = len(x.shape) - len(dims)
    axes = [i for i, size in enumerate(dims, extra) if size == 1 and x.shape[i] != 1]
    return b.reshape(b.reduce(np.add, x, [*range(extra), *axes]), dims)


def _sum_to_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for small, large in _SHAPES:
            yield Sample(np.asarray(rng.normal(size=large), dtype), np.array(small, np.int32))


def _write_sum_to(nodes: Any, op: Any) -> None:
    """Writes it as TensorFlow's gradients do: by the axes along which `shape` was broadcast."""
    x, shape = [nodes.input(t) for t in op.inputs]
    dtype, index = op.get_attr("T"), op.get_attr("Tidx")
    own = nodes.add("Shape", f"{op.name}/Shape", [x], T=dtype, out_type=index)
    given = [shape, nodes.output(own)]
    axes = nodes.add("BroadcastGradientArgs", f"{op.name}/axes", given, T=index)
    inputs = [x, nodes.output(axes)]
    total = nodes.add("Sum", f"{op.name}/Sum", inputs, T=dtype, Tidx=index, keep_dims=False)
    nodes.node(op, "Reshape", [nodes.output(total), shape], {"T": dtype, "Tshape": index})


_sum_to_shape = OpDef(
    "SumToShape",
    "input: T, shape: Tidx -> output: T",
    types={"Tidx": INDICES},
    shape=_sum_to_dims,
    compute=_sum_to_arrays,
    grad=lambda op, dy: (raw.SpreadToShape(dy, shape_of(op.inputs[0]), name="Tile"), None),
    samples=_sum_to_samples,
    aliases=True,
    native=_native_sum_to,
    written=_write_sum_to,
)


# -- BroadcastGradientArgs -------------------------------------------------------------------------


def _broadcast_axes(s0: np.ndarray, s1: np.ndarray) -> list[np.ndarray]:
    """The axes along which each of two shapes is repeated where they meet."""
    rank = max(len(s0), len(s1))
    sizes = np.ones((2, rank), s0.dtype)
    for row, shape in zip(sizes, (s0, s1), strict=True):
        row[rank - len(shape) :] = shape
    np.broadcast_shapes(*[tuple(row.tolist()) for row in sizes])
    # An axis of size 1 in both counts for both.
    return [np.flatnonzero(row == 1).astype(s0.dtype) for row in sizes]


def _broadcast_axes_dims(attrs: dict[str, Any], s0: Tensor, s1: Tensor) -> list[shape_rules.Dims]:
    known = [constant_value(s) for s in (s0, s1)]
    if known[0] is None or known[1] is None:
        return [(None,), (None,)]
    return [axes.shape for axes in _broadcast_axes(known[0], known[1])]


def _axes_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for small, large in _SHAPES:
        for dtype in (np.int32, np.int64):
            yield Sample(np.array(small, dtype), np.array(large, dtype))


OpDef(
    "BroadcastGradientArgs",
    "s0: T, s1: T -> r0: T, r1: T",
    types=INDICES,
    shape=_broadcast_axes_dims,
    compute=_broadcast_axes,
    grad=not_differentiable,
    samples=_axes_samples,
)


# -- KeptShape -------------------------------------------------------------------------------------


def _kept_shape_arrays(shape: np.ndarray, axes: np.ndarray) -> np.ndarray:
    kept = shape.copy()
    kept[axes] = 1
    return kept


def _kept_shape_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for axes in ([], [0], [-1, 0], 1):
        yield Sample(np.array([2, 3], np.int32), np.array(axes, np.int32), differentiable=False)


def _write_kept_shape(nodes: Any, op: Any) -> None:
    """Writes it as TensorFlow's gradients do: ones stitched over the sizes."""
    shape, axes = [nodes.input(t) for t in op.inputs]
    index, int32 = op.get_attr("Tidx"), dtypes.int32

    def add(type_: str, inputs: list[str], **attrs: Any) -> str:
        return str(nodes.output(nodes.add(type_, f"{op.name}/{type_}", inputs, **attrs)))

    def number(value: int) -> str:
        return add("Const", [], dtype=int32, value=np.array(value, np.int32))

    rank = add("Size", [shape], T=int32, out_type=int32)
    every = add("Range", [number(0), rank, number(1)], Tidx=int32)
    if index is not int32:
        axes = add("Cast", [axes], SrcT=index, DstT=int32)
    places = add("FloorMod", [add("Add", [axes, rank], T=int32), rank], T=int32)
    of_axes = add("Shape", [axes], T=int32, out_type=int32)
    ones = add("Fill", [of_axes, number(1)], T=int32, index_type=int32)
    nodes.node(op, "DynamicStitch", [every, places, shape, ones], {"N": 2, "T": int32})


_kept_shape = OpDef(
    "KeptShape",
    "shape: int32, axes: Tidx -> kept: int32",
    types={"Tidx": INDICES},
    shape=shape_rules.same,
    compute=_kept_shape_arrays,
    grad=not_differentiable,
    samples=_kept_shape_samples,
    written=_write_kept_shape,
)


def kept_shape(x: Tensor, axes: Tensor) -> Any:
    """The shape of `x` with 1 for the reduced `axes`: an array where it is known, else by an op."""
    dims = x._dims
    if dims is not None and None not in dims:
        known = constant_value(axes)
        if known is not None:
            return _kept_shape_arrays(np.array(dims, np.int32), known)
    return raw.KeptShape(raw.Shape(x), axes)


# -- public functions ------------------------------------------------------------------------------


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input` repeated along dimensions of size 1, and new leading ones, to a given shape.

    Args:
      input: tensor whose shape broadcasts to `shape`.
      shape: int32 or int64 vector.
      name: name of the op.

    Returns: a tensor of the same dtype and of shape `shape`.

    Raises:
      ValueError: if `input` does not broadcast to `shape`.

    Note: TF 1.4 lacks this function.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.broadcast_to([1, 2], [2, 2]).numpy().tolist())
    [[1, 2], [1, 2]]
    """
    return _broadcast_to(input, shape, name=name)
