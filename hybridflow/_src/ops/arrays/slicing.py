"""Slices of tensors: strided ones, which `tensor[...]` makes, and `slice`."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.kernels.slices import REST, WINDOW, Axis
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.arrays.slice_specs import (
    MASKS,
    axes,
    check_pick,
    elements,
    index_of,
    masks_of,
    range_of,
    walk,
)
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["slice", "strided_slice"]

# -- StridedSlice ----------------------------------------------------------------------------------


def _sliced_shape(
    attrs: dict[str, Any], x: Tensor, begin: Tensor, end: Tensor, strides: Tensor
) -> shape_rules.Dims:
    specs = [elements(t) for t in (begin, end, strides)]
    counts = {len(spec) for spec in specs if spec is not None}
    if len(counts) > 1:
        raise ValueError("Expected begin, end, and strides to be 1D equal size tensors")
    dims = x._dims
    if dims is None or not counts:
        return None
    count = counts.pop()
    first, last, steps = ([None] * count if spec is None else spec for spec in specs)
    result: list[int | None] = []
    for i, kind, dim in walk(len(dims), count, attrs):
        if kind == "pick":
            at = first[i]
            if at is not None:
                check_pick(at, steps[i], dim, dims[dim])
        elif kind == "range":
            result.append(_range_length(first[i], last[i], steps[i], i, attrs, dims[dim]))
        else:
            result.append(1 if kind == "new" else dims[dim])
    return tuple(result)


def _range_length(
    begin: int | None,
    end: int | None,
    stride: int | None,
    i: int,
    masks: dict[str, Any],
    size: int | None,
) -> int | None:
    if stride is None:
        return None
    unknown_begin = begin is None and not masks["begin_mask"] >> i & 1
    unknown_end = end is None and not masks["end_mask"] >> i & 1
    wanted = range_of(begin, end, stride, i, masks)
    if size is None or unknown_begin or unknown_end:
        return None
    return len(range(*wanted.indices(size)))


def _strided_slice(
    x: np.ndarray, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, **masks: int
) -> np.ndarray:
    return x[index_of(x.shape, begin, end, strides, masks)]


def _native_slice(b: Any, x: Any, begin: Any, end: Any, strides: Any, **masks: int) -> Any:
    known = [bound.constant for bound in (begin, end, strides)]
    if all(bound is not None for bound in known):
        return b.view(_strided_slice, x, *known, **masks)
    (shape,) = b.seen
    return b.slice(x, begin, end, axes(b, x.shape, strides, shape, masks), shape)


def _strided_slice_grad(op: Any, dy: Tensor) -> tuple[Any, None, None, None]:
    x, begin, end, strides = op.inputs
    shape = shape_of(x, begin.dtype.base_dtype)
    return raw.StridedSliceGrad(shape, begin, end, strides, dy, **masks_of(op)), None, None, None


def _specs() -> Iterable[tuple[tuple[int, ...], list[list[int]], dict[str, Any]]]:
    yield (4, 3), [[1], [3], [1]], {}
    yield (4, 3), [[0, 2], [4, 0], [2, -1]], {}
    yield (4, 3), [[1, 0], [0, 0], [1, 1]], {"shrink_axis_mask": 1, "begin_mask": 2, "end_mask": 2}
    yield (4, 3), [[-1, 0, 0], [0, 0, -1], [1, 1, 1]], {"shrink_axis_mask": 1, "new_axis_mask": 2}
    yield (2, 3, 2), [[0, 1], [0, 2], [1, 1]], {"ellipsis_mask": 1, "shrink_axis_mask": 2}
    yield (2, 3), [[1, 2], [2, 3], [1, 1]], {"shrink_axis_mask": 3}
    yield (4, 3), [[-10], [10], [1]], {}
    yield (3,), [[0], [0], [-1]], {"begin_mask": 1, "end_mask": 1}
    yield (3,), [[2], [2], [1]], {}
    yield (), [[0], [0], [1]], {"new_axis_mask": 1}
    yield (0, 2), [[0], [0], [1]], {"begin_mask": 1, "end_mask": 1}


def _strided_slice_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, spec, masks in _specs():
            bounds = [np.array(part, np.int32) for part in spec]
            yield Sample(rng.normal(size=dims).astype(dtype), *bounds, **masks)
    yield Sample(rng.normal(size=3), *(np.array([n], np.int64) for n in (0, 2, 1)))


strided_slice_op = OpDef(
    "StridedSlice",
    "input: T, begin: Index, end: Index, strides: Index -> output: T",
    types={"Index": INDICES},
    attrs=MASKS,
    shape=_sliced_shape,
    compute=_strided_slice,
    aliases=True,
    grad=_strided_slice_grad,
    samples=_strided_slice_samples,
    native=_native_slice,
)


# -- StridedSliceGrad ------------------------------------------------------------------------------


def _unsliced(
    shape: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    dy: np.ndarray,
    **masks: int,
) -> np.ndarray:
    whole = np.zeros(allocatable("StridedSliceGrad", shape, dy.dtype), dy.dtype)
    part = whole[index_of(whole.shape, begin, end, strides, masks)]
    if part.shape != dy.shape:
        raise ValueError(f"shape of dy was {dy.shape} instead of {part.shape}")
    part[...] = dy
    return whole


def _native_unsliced(
    b: Any, shape: Any, begin: Any, end: Any, strides: Any, dy: Any, **masks: int
) -> Any:
    dims = tuple(b.known(shape).tolist())
    if any(bound.constant is None for bound in (begin, end, strides)):
        return b.unslice(dims, dy, begin, end, axes(b, dims, strides, dy.shape, masks))
    index = index_of(dims, b.known(begin), b.known(end), b.known(strides), masks)
    zeros = b.full(dims, 0, dy.dtype)
    return b.assemble(dims, dy.dtype, [(zeros, lambda a: a), (dy, lambda a: a[index])])


def _unsliced_grad(op: Any, dz: Tensor) -> tuple[None, None, None, None, Any]:
    _, begin, end, strides, _ = op.inputs
    return None, None, None, None, raw.StridedSlice(dz, begin, end, strides, **masks_of(op))


def _unsliced_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, spec, masks in _specs():
            begin, end, strides = (np.array(part, np.int32) for part in spec)
            part = np.zeros(dims)[index_of(dims, begin, end, strides, {**MASKS, **masks})]
            dy = rng.normal(size=part.shape).astype(dtype)
            yield Sample(np.array(dims, np.int32), begin, end, strides, dy, **masks)


OpDef(
    "StridedSliceGrad",
    "shape: Index, begin: Index, end: Index, strides: Index, dy: T -> output: T",
    types={"Index": INDICES},
    attrs=MASKS,
    shape=lambda attrs, shape, *_: constant_dims(shape),
    compute=_unsliced,
    grad=_unsliced_grad,
    samples=_unsliced_samples,
    native=_native_unsliced,
)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """Part of a tensor: elements `begin, begin + stride, ...` before `end` of each dimension.

    This is `input_[b0:e0:s0, b1:e1:s1, ...]`, which is the nicer way to write it. Bit i of a mask
    changes what entry i says.

    Args:
      input_: a tensor.
      begin, end, strides: integer vectors of one length; `strides` are ones by default. Negative
        bounds count from the end.
      begin_mask, end_mask: leave the range open on that side.
      ellipsis_mask: the entry stands for as many whole dimensions as are left.
      new_axis_mask: a new dimension of size 1 comes here.
      shrink_axis_mask: the entry is an index: take element `begin`, and drop the dimension.
      var: accepted for compatibility; assign to a slice by `scatter_update`.
      name: name of the op.

    Returns: a tensor.

    Raises:
      ValueError: if an index is out of range, a stride is 0, or the specs do not fit the rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.strided_slice([1, 2, 3, 4, 5], [1], [5], [2]).numpy())
    [2 4]
    """
    if strides is None:
        strides = ones_like(begin)
    return strided_slice_op(
        input_,
        begin,
        end,
        strides,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
        name=name,
    )


# -- Slice -----------------------------------------------------------------------------------------


def _slice_shape(attrs: dict[str, Any], x: Tensor, begin: Tensor, size: Tensor) -> shape_rules.Dims:
    first, sizes = elements(begin), elements(size)
    count = None if first is None else len(first)
    if sizes is not None:
        if count not in (None, len(sizes)):
            raise ValueError(f"begin has {count} entries, size has {len(sizes)}")
        count = len(sizes)
    if count is None:
        return None if x._dims is None else (None,) * len(x._dims)
    dims = shape_rules.with_rank(x, count)
    first = first or [None] * count
    sizes = sizes or [None] * count
    return tuple([_part(i, *part) for i, part in enumerate(zip(dims, first, sizes, strict=True))])


def _part(i: int, dim: int | None, begin: int | None, size: int | None) -> int | None:
    """The size of a slice in dimension i, checked as far as everything is known."""
    if begin is not None and (begin < 0 or (dim is not None and begin > dim)):
        raise ValueError(
            f"Expected begin[{i}] in [0, {'?' if dim is None else dim}], but got {begin}"
        )
    rest = None if dim is None or begin is None else dim - begin
    if size == -1:
        return rest
    if size is not None and (size < -1 or (rest is not None and size > rest)):
        raise ValueError(
            f"Expected size[{i}] in [0, {'?' if rest is None else rest}], but got {size}"
        )
    return size


def _slice(x: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    if not begin.shape == size.shape == (x.ndim,):
        raise ValueError(f"Expected begin and size to hold {x.ndim} entries each")
    index: list[Any] = []
    for i, (dim, first, wanted) in enumerate(
        zip(x.shape, begin.tolist(), size.tolist(), strict=True)
    ):
        length = _part(i, dim, first, wanted)
        assert length is not None
        index.append(builtins.slice(first, first + length))
    return x[tuple(index)]


def _slice_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    x, begin, _ = op.inputs
    index = begin.dtype.base_dtype
    if constant_value(begin) is None:  # nor is it known how much would be padded
        end = raw.Add(begin, shape_of(op.outputs[0], index))
        ones = raw.OnesLike(begin)
        return raw.StridedSliceGrad(shape_of(x, index), begin, end, ones, dy), None, None
    after = raw.Sub(raw.Sub(shape_of(x, index), begin), shape_of(op.outputs[0], index))
    return raw.Pad(dy, raw.Pack([begin, after], axis=1)), None, None


def _native_window(b: Any, x: Any, begin: Any, size: Any) -> Any:
    if begin.constant is not None and size.constant is not None:
        return b.view(_slice, x, begin.constant, size.constant)
    (shape,) = b.seen
    rest = [REST if n < 0 else 0 for n in b.known(size).tolist()]
    axes = [Axis(i, shape[i], 1, WINDOW | flag) for i, flag in enumerate(rest)]
    return b.slice(x, begin, begin, axes, shape)


def _slice_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, begin, size in (
            ((4, 3), [1, 0], [2, 3]),
            ((4, 3), [1, 1], [-1, -1]),
            ((4, 3), [4, 0], [0, 1]),
            ((3,), [0], [3]),
            ((), [], []),
            ((0, 2), [0, 1], [0, 1]),
        ):
            bounds = (np.array(begin, np.int32), np.array(size, np.int32))
            yield Sample(rng.normal(size=dims).astype(dtype), *bounds)


_slice_op = OpDef(
    "Slice",
    "input: T, begin: Index, size: Index -> output: T",
    types={"Index": INDICES},
    shape=_slice_shape,
    compute=_slice,
    aliases=True,
    grad=_slice_grad,
    samples=_slice_samples,
    native=_native_window,
)


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of a tensor that starts at `begin` and has shape `size`.

    Args:
      input_: a tensor.
      begin: integer vector `[rank]`, from 0.
      size: integer vector `[rank]`; -1 stands for all that follows.
      name: name of the op.

    Returns: a tensor of shape `size`.

    Raises:
      ValueError: if it reaches beyond the tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy())
    [[2 3]
     [5 6]]
    """
    return _slice_op(input_, begin, size, name=name)
