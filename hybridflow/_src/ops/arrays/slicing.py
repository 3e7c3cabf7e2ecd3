"""Slices of tensors: strided ones, which `tensor[...]` makes, and `slice`."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["slice", "strided_slice"]

# What a strided slice says beside its bounds: bit i of a mask changes the meaning of entry i.
MASKS: dict[str, Any] = {
    "begin_mask": 0,
    "end_mask": 0,
    "ellipsis_mask": 0,
    "new_axis_mask": 0,
    "shrink_axis_mask": 0,
}


def _elements(tensor: Tensor) -> list[int | None] | None:
    """The entries of an integer vector as far as they are known; None if their number is not."""
    value = constant_value(tensor)
    if value is not None:
        if value.ndim != 1:
            raise ValueError(f"Shape must be rank 1 but is rank {value.ndim}")
        return value.tolist()
    (count,) = shape_rules.with_rank(tensor, 1)
    if tensor.op.type == "Pack" and tensor.op.attrs["axis"] == 0:
        parts = [constant_value(t) for t in tensor.op.inputs]
        return [None if p is None else int(p) for p in parts]
    return None if count is None else [None] * count


# -- StridedSlice ----------------------------------------------------------------------------------


def _walk(rank: int, count: int, masks: dict[str, Any]) -> Iterable[tuple[int, str, int]]:
    """For each entry of a slice spec its index, kind and the dimension of the input it is about.

    The kinds are "new", "pick" (an index), "range", and "keep" for the dimensions that the ellipsis
    stands for (at the end, if there is none).
    """
    ellipsis = masks["ellipsis_mask"] & ((1 << count) - 1)
    if ellipsis & (ellipsis - 1):
        raise ValueError("Multiple ellipses in slice spec not allowed")
    used = bin(~(masks["new_axis_mask"] | ellipsis) & ((1 << count) - 1)).count("1")
    if used > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")
    dim = 0
    for i in range(count):
        bit = 1 << i
        if ellipsis & bit:
            for _ in range(rank - used):
                yield i, "keep", dim
                dim += 1
        elif masks["new_axis_mask"] & bit:
            yield i, "new", dim
        else:
            yield i, "pick" if masks["shrink_axis_mask"] & bit else "range", dim
            dim += 1
    while dim < rank:
        yield count, "keep", dim
        dim += 1


def _check_pick(begin: int, stride: int | None, dim: int, size: int | None) -> None:
    if stride is not None and stride <= 0:
        raise ValueError("only stride 1 allowed on non-range indexing.")
    if size is not None and not -size <= begin < size:
        raise ValueError(f"slice index {begin} of dimension {dim} out of bounds.")


def _range(begin: Any, end: Any, stride: int, i: int, masks: dict[str, Any]) -> builtins.slice:
    if stride == 0:
        raise ValueError(f"strides[{i}] must be non-zero")
    return builtins.slice(
        None if masks["begin_mask"] >> i & 1 else begin,
        None if masks["end_mask"] >> i & 1 else end,
        stride,
    )


def index_of(
    dims: tuple[int, ...], begin: Any, end: Any, strides: Any, masks: dict[str, Any]
) -> tuple[Any, ...]:
    """The index that means for a NumPy array of shape `dims` what the slice spec means."""
    begin, end, strides = begin.tolist(), end.tolist(), strides.tolist()
    if not len(begin) == len(end) == len(strides):
        raise ValueError("Expected begin, end, and strides to be 1D equal size tensors")
    index: list[Any] = []
    for i, kind, dim in _walk(len(dims), len(begin), masks):
        if kind == "pick":
            _check_pick(begin[i], strides[i], dim, dims[dim])
            index.append(begin[i])
        elif kind == "range":
            index.append(_range(begin[i], end[i], strides[i], i, masks))
        else:
            index.append(None if kind == "new" else builtins.slice(None))
    # The ellipsis makes NumPy return an array where only one element is left.
    return (*index, ...)


def _sliced_shape(
    attrs: dict[str, Any], x: Tensor, begin: Tensor, end: Tensor, strides: Tensor
) -> shape_rules.Dims:
    specs = [_elements(t) for t in (begin, end, strides)]
    counts = {len(spec) for spec in specs if spec is not None}
    if len(counts) > 1:
        raise ValueError("Expected begin, end, and strides to be 1D equal size tensors")
    dims = x._dims
    if dims is None or not counts:
        return None
    count = counts.pop()
    first, last, steps = ([None] * count if spec is None else spec for spec in specs)
    result: list[int | None] = []
    for i, kind, dim in _walk(len(dims), count, attrs):
        if kind == "pick":
            at = first[i]
            if at is not None:
                _check_pick(at, steps[i], dim, dims[dim])
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
    wanted = _range(begin, end, stride, i, masks)
    if size is None or unknown_begin or unknown_end:
        return None
    return len(range(*wanted.indices(size)))


def _strided_slice(
    x: np.ndarray, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, **masks: int
) -> np.ndarray:
    return x[index_of(x.shape, begin, end, strides, masks)]


def _masks_of(op: Any) -> dict[str, Any]:
    return {name: op.get_attr(name) for name in MASKS}


def _strided_slice_grad(op: Any, dy: Tensor) -> tuple[Any, None, None, None]:
    x, begin, end, strides = op.inputs
    shape = shape_of(x, begin.dtype.base_dtype)
    return raw.StridedSliceGrad(shape, begin, end, strides, dy, **_masks_of(op)), None, None, None


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
    index = index_of(dims, b.known(begin), b.known(end), b.known(strides), masks)
    zeros = b.full(dims, 0, dy.dtype)
    return b.assemble(dims, dy.dtype, [(zeros, lambda a: a), (dy, lambda a: a[index])])


def _unsliced_grad(op: Any, dz: Tensor) -> tuple[None, None, None, None, Any]:
    _, begin, end, strides, _ = op.inputs
    return None, None, None, None, raw.StridedSlice(dz, begin, end, strides, **_masks_of(op))


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
    first, sizes = _elements(begin), _elements(size)
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
    after = raw.Sub(raw.Sub(shape_of(x, index), begin), shape_of(op.outputs[0], index))
    return raw.Pad(dy, raw.Pack([begin, after], axis=1)), None, None


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
