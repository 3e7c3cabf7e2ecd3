"""Tensors put together and taken apart: concat, stack, unstack, split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import is_dense_tensor_like
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["concat", "parallel_stack", "split", "stack", "unstack"]


def _scalar_axis(axis: Tensor, rank: int) -> int | None:
    """The axis in [0, rank) that an integer scalar holds, or None if it is not known yet."""
    value = constant_value(axis)
    return None if value is None else shape_rules.axis_of(value.reshape(()), rank)


# -- concat ----------------------------------------------------------------------------------------


def _concat_shape(attrs: dict[str, Any], *inputs: Tensor) -> shape_rules.Dims:
    *values, axis = inputs
    shape_rules.with_rank(axis, 0)
    known = [v._dims for v in values if v._dims is not None]
    if not known:
        return None
    rank = len(known[0])
    if rank == 0:
        raise ValueError("Can't concatenate scalars (use tf.stack instead)")
    if any(len(dims) != rank for dims in known):
        ranks = sorted({len(dims) for dims in known})
        raise ValueError(f"Shapes must be equal rank, but are {ranks[0]} and {ranks[1]}")
    at = _scalar_axis(axis, rank)
    if at is None:
        return (None,) * rank
    total: int | None = 0
    rest: shape_rules.Dims = (None,) * rank
    for value in values:
        dims = value._dims or (None,) * rank
        size = dims[at]
        total = None if total is None or size is None else total + size
        rest = merge(rest, (*dims[:at], None, *dims[at + 1 :]))
    assert rest is not None
    return (*rest[:at], total, *rest[at + 1 :])


def _concat(*inputs: np.ndarray) -> np.ndarray:
    *values, axis = inputs
    return np.concatenate(values, number_of(axis, "The axis of concat"))


def _concat_grad(op: Any, dy: Tensor) -> list[Any]:
    *values, axis = op.inputs
    if len(values) == 1:
        return [dy, None]
    sizes = _sizes_along(values, axis)
    return [*raw.SplitV(dy, sizes, raw.Cast(axis, DstT=dtypes.int32), num_split=len(values)), None]


def _sizes_along(values: list[Tensor], axis: Tensor) -> Any:
    """The size of each of `values` along `axis`."""
    at = constant_value(axis)
    if at is not None and all(v._dims is not None for v in values):
        sizes = [v._dims[int(at)] for v in values]  # type: ignore[index]
        if None not in sizes:
            return np.array(sizes, np.int32)
    wrapped = raw.FloorMod(raw.Cast(axis, DstT=dtypes.int32), raw.Rank(values[0]))
    return raw.Pack([raw.GatherV2(raw.Shape(v), wrapped, 0) for v in values], axis=0)


def _native_concat(b: Any, *inputs: Any) -> Any:
    *values, axis = inputs
    at = int(b.known(axis)) % len(values[0].shape)
    parts, start = [], 0
    for value in values:
        end = start + value.shape[at]
        index = (slice(None),) * at + (slice(start, end),)
        parts.append((value, lambda whole, index=index: whole[index]))
        start = end
    shape = list(values[0].shape)
    shape[at] = start
    return b.assemble(shape, values[0].dtype, parts)


def _concat_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shapes, axis in (
            (((2, 3), (1, 3)), 0),
            (((2, 3), (2, 1), (2, 2)), -1),
            (((2,),), 0),
            (((0, 2), (3, 2)), 0),
            (((2, 0), (2, 0)), 1),
        ):
            values = [rng.normal(size=dims).astype(dtype) for dims in shapes]
            yield Sample(values, np.array(axis, np.int32))
    yield Sample([rng.normal(size=2), rng.normal(size=3)], np.array(0, np.int64))


_concat_op = OpDef(
    "ConcatV2",
    "values: N*T, axis: Tidx -> output: T",
    types={"Tidx": INDICES},
    shape=_concat_shape,
    compute=_concat,
    grad=_concat_grad,
    samples=_concat_samples,
    native=_native_concat,
)


def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors joined along a dimension that they have.

    Args:
      values: list of tensors of one dtype, whose shapes differ along `axis` at most.
      axis: the dimension, an integer scalar; a negative one counts from the end.
      name: name of the op.

    Returns: a tensor; its size along `axis` is the sum of theirs.

    Raises:
      ValueError: if the shapes do not fit, the tensors are scalars, or `axis` is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.concat([[[1, 2]], [[3, 4], [5, 6]]], 0).numpy())
    [[1 2]
     [3 4]
     [5 6]]
    """
    if isinstance(axis, list | tuple) and isinstance(values, int):
        raise TypeError(
            f"The tensors come first, then the axis (it was the other way round before TensorFlow "
            f"1.0): `hf.concat(values, {values})`; got the axis {values}, then {axis!r:.200}."
        )
    if not isinstance(values, list | tuple):
        values = [values]
    if not values:
        raise ValueError(
            "List argument 'values' to 'ConcatV2' Op is empty: nothing to concatenate."
        )
    if len(values) == 1:
        with name_scope(name) as scope:
            axis = convert_to_tensor(axis, dtypes.int32, name="concat_dim")
            if axis._dims not in ((), None):
                raise ValueError(f"The axis of concat must be a scalar, got shape {axis.shape}.")
            return identity(values[0], name=scope)
    return _concat_op(values, axis, name=name)


def _concat_offsets(concat_dim: np.ndarray, *shape: np.ndarray) -> list[np.ndarray]:
    rank = len(shape[0])
    at = int(concat_dim.reshape(()))
    if not -rank <= at < rank:
        raise ValueError(f"Concat dim is out of range: {at} vs. {rank}")
    found, before = [], 0
    for sizes in shape:
        if sizes.shape != shape[0].shape or np.any(np.delete(sizes != shape[0], at)):
            raise ValueError(f"Shapes {shape[0]} and {sizes} differ beside dimension {at}")
        offset = np.zeros(rank, np.int32)
        offset[at] = before
        before += sizes[at]
        found.append(offset)
    return found


def _offset_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for axis in (1, -2):
        shapes = [np.array([2, size, 3], np.int32) for size in (1, 0, 4)]
        yield Sample(np.array(axis, np.int32), shapes, differentiable=False)


# Where each of several tensors begins in their concatenation: TensorFlow's gradient of that.
OpDef(
    "ConcatOffset",
    "concat_dim: int32, shape: N*int32 -> offset: N*int32",
    shape=lambda attrs, concat_dim, *shape: [t._dims for t in shape],
    compute=_concat_offsets,
    grad=not_differentiable,
    samples=_offset_samples,
)


# -- stack, unstack --------------------------------------------------------------------------------


def _stack_axis(axis: int, rank: int) -> int:
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis = {axis} not in [{-rank - 1}, {rank + 1})")
    return axis % (rank + 1)


def _pack_shape(attrs: dict[str, Any], *values: Tensor) -> shape_rules.Dims:
    if not values:
        raise ValueError("Cannot stack an empty list of tensors: their shape is not known")
    dims: shape_rules.Dims = None
    for value in values:
        dims = merge(dims, value._dims)
    if dims is None:
        return None
    at = _stack_axis(attrs["axis"], len(dims))
    return (*dims[:at], len(values), *dims[at:])


def _native_pack(b: Any, *values: Any, axis: int) -> Any:
    shape = values[0].shape
    at = _stack_axis(axis, len(shape))
    parts = [
        (value, lambda whole, i=i: whole[(slice(None),) * at + (slice(i, i + 1),)])
        for i, value in enumerate(values)
    ]
    grown = (*shape[:at], 1, *shape[at:])
    parts = [(b.reshape(value, grown), part) for value, part in parts]
    return b.assemble((*shape[:at], len(values), *shape[at:]), values[0].dtype, parts)


def _pack_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, axis, count in (
            ((2, 3), 0, 2),
            ((2, 3), -1, 3),
            ((), 0, 2),
            ((2,), 1, 1),
            ((0,), 0, 2),
        ):
            yield Sample([rng.normal(size=dims).astype(dtype) for _ in range(count)], axis=axis)


_pack_op = OpDef(
    "Pack",
    "values: N*T -> output: T",
    attrs={"axis": 0},
    shape=_pack_shape,
    compute=lambda *values, axis: np.stack(values, axis),
    grad=lambda op, dy: raw.Unpack(dy, num=len(op.inputs), axis=op.get_attr("axis")),
    samples=_pack_samples,
    native=_native_pack,
)

_SEVERAL = (
    "hf.stack takes the tensors as one list, `hf.stack([x, y])`. Its second argument is `axis`, an "
    "int that says where the new dimension comes in; got {axis!r}."
)


def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors joined along a new dimension.

    Args:
      values: list of n tensors of one shape and dtype.
      axis: where the new dimension comes in; a negative one counts from the end of the result.
      name: name of the op.

    Returns: a tensor with one more dimension, of size n.

    Raises:
      ValueError: if the shapes differ or `axis` is out of range.
      TypeError: if `axis` is a tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.stack([[1, 2], [3, 4]], axis=1).numpy())
    [[1 3]
     [2 4]]
    """
    if is_dense_tensor_like(axis):
        raise TypeError(_SEVERAL.format(axis=axis))
    if axis == 0:
        # A list of plain values becomes one constant.
        try:
            return convert_to_tensor(values, name=name)
        except (TypeError, ValueError):
            pass
    return _pack_op(list(values), axis=axis, name=name)


def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """`stack(values)`: here the parts are always copied at once.

    Args:
      values: list of tensors of one fully known shape and dtype.
      name: name of the op.

    Returns: a tensor with one more dimension at the front.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.parallel_stack([[1, 2], [3, 4]]).numpy())
    [[1 2]
     [3 4]]
    """
    return _pack_op(list(values), axis=0, name=name)


def _unpack_shape(attrs: dict[str, Any], value: Tensor) -> list[shape_rules.Dims]:
    dims, num = value._dims, attrs["num"]
    if dims is None:
        return [None] * num
    if not dims:
        raise ValueError("Cannot unpack a scalar: expected a tensor of rank 1 or more")
    at = shape_rules.axis_of(attrs["axis"], len(dims))
    if dims[at] not in (num, None):
        raise ValueError(f"Dimension must be {num} but is {dims[at]}")
    return [(*dims[:at], *dims[at + 1 :])] * num


def _unpack(value: np.ndarray, num: int, axis: int) -> list[np.ndarray]:
    if value.shape[axis] != num:
        raise ValueError(f"expected {num} rows along axis {axis}, got {value.shape[axis]}")
    if value.ndim == 1 and value.dtype.kind == "O":
        # What one index gives is no array.
        return [value[i : i + 1].reshape(()) for i in range(num)]
    return list(np.moveaxis(value, axis, 0))


def _unpack_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, axis in (((2, 3), 0), ((2, 3), -1), ((2,), 0), ((1, 0), 0)):
            yield Sample(rng.normal(size=dims).astype(dtype), num=dims[axis], axis=axis)


_unpack_op = OpDef(
    "Unpack",
    "value: T -> output: N*T",
    attrs={"num": REQUIRED, "axis": 0},
    shape=_unpack_shape,
    compute=_unpack,
    aliases=True,
    native=lambda b, value, num, axis: [
        b.view(lambda x, i=i: np.moveaxis(x, axis, 0)[i, ...], value) for i in range(num)
    ],
    grad=lambda op, *dy: raw.Pack(list(dy), axis=op.get_attr("axis")),
    samples=_unpack_samples,
)


def unstack(
    value: Any, num: int | None = None, axis: int = 0, name: str = "unstack"
) -> list[Tensor]:
    """The slices of a tensor along a dimension, as a list.

    Args:
      value: a tensor.
      num: the size of that dimension; needed only where it is not known while the graph is built.
      axis: the dimension; a negative one counts from the end.
      name: name of the op.

    Returns: a list of `num` tensors with one dimension less.

    Raises:
      ValueError: if `num` is needed and not given, or `axis` is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [t.numpy().tolist() for t in hf.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    if num is None:
        value = convert_to_tensor(value)
        dims = value._dims
        if dims is not None:
            if not -len(dims) <= axis < len(dims):
                raise ValueError(f"axis = {axis} not in [{-len(dims)}, {len(dims)})")
            num = dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {value.shape}")
    return _unpack_op(value, num=num, axis=axis, name=name)


# -- split -----------------------------------------------------------------------------------------


def _split_shape(attrs: dict[str, Any], split_dim: Tensor, value: Tensor) -> list[shape_rules.Dims]:
    num = attrs["num_split"]
    shape_rules.with_rank(split_dim, 0)
    dims = value._dims
    if dims is None:
        return [None] * num
    at = _scalar_axis(split_dim, len(dims))
    if at is None:
        return [(None,) * len(dims)] * num
    size = dims[at]
    if size is not None and size % num:
        raise ValueError(
            f"Dimension size must be evenly divisible by {num} but is {size}: the number of ways "
            "to split should evenly divide the split dimension"
        )
    part = None if size is None else size // num
    return [(*dims[:at], part, *dims[at + 1 :])] * num


def _split(split_dim: np.ndarray, value: np.ndarray, num_split: int) -> list[np.ndarray]:
    return np.split(value, num_split, number_of(split_dim, "split_dim"))


def _split_grad(op: Any, *dy: Tensor) -> tuple[None, Any]:
    return None, raw.ConcatV2(list(dy), op.inputs[0])


def _split_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, axis, num in (((4, 3), 0, 2), ((2, 3), -1, 3), ((2,), 0, 1), ((0, 2), 0, 2)):
            axis_of = np.array(axis, np.int32)
            yield Sample(axis_of, rng.normal(size=dims).astype(dtype), num_split=num)


_split_op = OpDef(
    "Split",
    "split_dim: int32, value: T -> output: N*T",
    attrs={"num_split": REQUIRED},
    shape=_split_shape,
    compute=_split,
    aliases=True,
    native=lambda b, split_dim, value, num_split: b.view(
        lambda x: _split(b.known(split_dim), x, num_split), value
    ),
    grad=_split_grad,
    samples=_split_samples,
)


def _split_v_shape(
    attrs: dict[str, Any], value: Tensor, size_splits: Tensor, split_dim: Tensor
) -> list[shape_rules.Dims]:
    num = attrs["num_split"]
    (count,) = shape_rules.with_rank(size_splits, 1)
    shape_rules.with_rank(split_dim, 0)
    if count not in (num, None):
        raise ValueError(f"There are {count} sizes for {num} parts")
    dims = value._dims
    if dims is None:
        return [None] * num
    at = _scalar_axis(split_dim, len(dims))
    if at is None:
        return [(None,) * len(dims)] * num
    sizes = constant_value(size_splits)
    parts = [None] * num if sizes is None else _part_sizes(sizes.tolist(), dims[at])
    return [(*dims[:at], part, *dims[at + 1 :]) for part in parts]


def _part_sizes(sizes: list[int], total: int | None) -> list[int | None]:
    """The sizes of the parts; one of -1 is what the others leave of `total`."""
    if min(sizes, default=0) < -1:
        raise ValueError(f"Dimension {min(sizes)} must be >= 0")
    if sizes.count(-1) > 1:
        raise ValueError("size_splits can only have one -1")
    rest = None if total is None else total - sum(size for size in sizes if size >= 0)
    if rest is not None and (rest < 0 or (rest and -1 not in sizes)):
        raise ValueError(
            "Sum of output sizes must match the size of the original Tensor along the split "
            "dimension or the sum of the positive sizes must be less if it contains a -1: got "
            f"sizes {sizes} for a dimension of {total}"
        )
    return [rest if size == -1 else size for size in sizes]


def _split_v(
    value: np.ndarray, size_splits: np.ndarray, split_dim: np.ndarray, num_split: int
) -> list[np.ndarray]:
    axis = number_of(split_dim, "split_dim")
    if len(size_splits) != num_split:
        raise ValueError(f"There are {len(size_splits)} sizes for {num_split} parts")
    sizes: Any = _part_sizes(size_splits.tolist(), value.shape[axis])
    return np.split(value, np.cumsum(sizes[:-1], dtype=np.int64), axis)


def _split_v_grad(op: Any, *dy: Tensor) -> tuple[Any, None, None]:
    return raw.ConcatV2(list(dy), op.inputs[2]), None, None


def _split_v_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, sizes, axis in (
            ((5, 2), [2, 3], 0),
            ((2, 4), [1, -1, 2], -1),
            ((3,), [0, 3], 0),
            ((2,), [2], 0),
            ((0, 2), [0, 0], 0),
        ):
            yield Sample(
                rng.normal(size=dims).astype(dtype),
                np.array(sizes, np.int32),
                np.array(axis, np.int32),
                num_split=len(sizes),
            )


_split_v_op = OpDef(
    "SplitV",
    "value: T, size_splits: Tlen, split_dim: int32 -> output: N*T",
    types={"Tlen": INDICES},
    attrs={"num_split": REQUIRED},
    shape=_split_v_shape,
    compute=_split_v,
    aliases=True,
    grad=_split_v_grad,
    samples=_split_v_samples,
)


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """A tensor cut into parts along a dimension.

    Args:
      value: a tensor.
      num_or_size_splits: the number of equal parts, a Python int; or an integer vector of their
        sizes, of which one may be -1: what is left over.
      axis: the dimension, an int32 scalar; a negative one counts from the end.
      num: the number of parts, where the length of a vector of sizes is not known.
      name: name of the op.

    Returns: a list of tensors.

    Raises:
      ValueError: if the parts do not fit, or their number cannot be told.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [t.numpy().tolist() for t in hf.split([1, 2, 3, 4], [1, -1])]
    [[1], [2, 3, 4]]
    """
    sizes = convert_to_tensor(num_or_size_splits)
    if sizes._dims == () and sizes.dtype.is_integer:
        return _split_op(axis, value, num_split=int(num_or_size_splits), name=name)
    if num is None:
        (num,) = shape_rules.with_rank(sizes, 1)
        if num is None:
            raise ValueError(f"Cannot infer num from shape {num_or_size_splits}")
    return _split_v_op(value, sizes, axis, num_split=num, name=name)
