"""Blocks of inner dimensions: the places in a block moved into the batch, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "batch_to_space",
    "batch_to_space_nd",
    "required_space_to_batch_paddings",
    "space_to_batch",
    "space_to_batch_nd",
]


# -- SpaceToBatchND, BatchToSpaceND ----------------------------------------------------------------


def _block_dims(
    x: Tensor, block_shape: Tensor, pads: Tensor
) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
    """The dims of `x`, and the two others where they are known."""
    (count,) = shape_rules.with_rank(block_shape, 1)
    rows, two = shape_rules.with_rank(pads, 2)
    count = shape_rules.same_size(count, rows)
    shape_rules.same_size(two, 2)
    dims = shape_rules.with_rank_at_least(x, 1 if count is None else count + 1)
    block, known = constant_value(block_shape), constant_value(pads)
    if block is not None and (block < 1).any():
        raise ValueError(f"All values in block_shape must be positive, got {block.tolist()}")
    if known is not None and (known < 0).any():
        raise ValueError(f"Values to pad or crop must be non-negative, got {known.tolist()}")
    return dims, block, known


def _unknown(dims: Any, block_shape: Tensor) -> shape_rules.Dims:
    """What is known of the output for blocks that are not: what comes after them."""
    if dims is None:
        return None
    (count,) = shape_rules.with_rank(block_shape, 1)
    after = len(dims) if count is None else count + 1
    return (*(None,) * after, *dims[after:])


def _to_batch_shape(
    attrs: dict[str, Any], x: Tensor, block_shape: Tensor, paddings: Tensor
) -> shape_rules.Dims:
    dims, block, pads = _block_dims(x, block_shape, paddings)
    if dims is None or block is None:
        return _unknown(dims, block_shape)
    sizes = list(dims)
    sizes[0] = None if dims[0] is None else dims[0] * int(np.prod(block))
    for i, by in enumerate(block.tolist(), 1):
        if pads is None or dims[i] is None:
            sizes[i] = None
        else:
            sizes[i] = shape_rules.quotient(
                dims[i] + int(pads[i - 1].sum()), by, f"padded_shape[{i - 1}]"
            )
    return tuple(sizes)


def _to_space_shape(
    attrs: dict[str, Any], x: Tensor, block_shape: Tensor, crops: Tensor
) -> shape_rules.Dims:
    dims, block, pads = _block_dims(x, block_shape, crops)
    if dims is None or block is None:
        return _unknown(dims, block_shape)
    sizes = list(dims)
    sizes[0] = shape_rules.quotient(dims[0], int(np.prod(block)), "The batch size")
    for i, by in enumerate(block.tolist(), 1):
        if pads is None or dims[i] is None:
            sizes[i] = None
            continue
        sizes[i] = dims[i] * by - int(pads[i - 1].sum())
        if sizes[i] < 0:
            raise ValueError(f"cropped_shape[{i - 1}]={sizes[i]} must be non-negative")
    return tuple(sizes)


def _to_batch(x: np.ndarray, block_shape: np.ndarray, paddings: np.ndarray) -> np.ndarray:
    block, count = block_shape.tolist(), len(block_shape)
    rest = x.shape[1 + count :]
    pads = [[0, 0], *paddings.tolist(), *[[0, 0]] * len(rest)]
    padded = [n + sum(pad) for n, pad in zip(x.shape, pads, strict=True)]
    allocatable("SpaceToBatchND", padded, x.dtype)
    x = np.pad(x, pads)
    sizes = [n // by for n, by in zip(x.shape[1:], block, strict=False)]
    pairs = [n for pair in zip(sizes, block, strict=True) for n in pair]
    x = x.reshape(len(x), *pairs, *rest)
    inside, outside = range(2, 2 * count + 1, 2), range(1, 2 * count + 1, 2)
    turned = x.transpose(*inside, 0, *outside, *range(2 * count + 1, x.ndim))
    batch = len(x) * int(np.prod(block, dtype=np.int64))
    return np.array(turned, order="C").reshape(batch, *sizes, *rest)


def _to_space(x: np.ndarray, block_shape: np.ndarray, crops: np.ndarray) -> np.ndarray:
    block, count = block_shape.tolist(), len(block_shape)
    sizes, rest = x.shape[1 : 1 + count], x.shape[1 + count :]
    batch = len(x) // int(np.prod(block, dtype=np.int64))
    x = x.reshape(*block, batch, *sizes, *rest)
    pairs = [axis for i in range(count) for axis in (count + 1 + i, i)]
    turned = x.transpose(count, *pairs, *range(2 * count + 1, x.ndim))
    whole = turned.reshape(batch, *[n * by for n, by in zip(sizes, block, strict=True)], *rest)
    ends = [slice(a, n - b) for (a, b), n in zip(crops.tolist(), whole.shape[1:], strict=False)]
    return np.array(whole[(slice(None), *ends)], order="C")


_BLOCKS: tuple[tuple[tuple[int, ...], list[int], list[list[int]]], ...] = (
    ((1, 4, 4, 1), [2, 2], [[0, 0], [0, 0]]),
    ((2, 3, 4, 2), [2, 3], [[1, 0], [0, 2]]),
    ((1, 3, 2), [3], [[1, 2]]),
    ((2, 3), [], []),
)


def _to_batch_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for index in (np.int32, np.int64):
            for shape, block, pads in _BLOCKS:
                x = rng.normal(size=shape).astype(dtype)
                yield Sample(x, np.array(block, index), np.array(pads, index).reshape(-1, 2))


def _to_space_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _to_batch_samples(rng):
        yield Sample(_to_batch(*sample.args), *sample.args[1:])


_ND = {"Tblock_shape": INDICES, "Tpaddings": INDICES}
_space_to_batch_nd = OpDef(
    "SpaceToBatchND",
    "input: T, block_shape: Tblock_shape, paddings: Tpaddings -> output: T",
    types=_ND,
    shape=_to_batch_shape,
    compute=_to_batch,
    grad=lambda op, dy: (raw.BatchToSpaceND(dy, *op.inputs[1:]), None, None),
    samples=_to_batch_samples,
    checked=True,
)
_batch_to_space_nd = OpDef(
    "BatchToSpaceND",
    "input: T, block_shape: Tblock_shape, crops: Tcrops -> output: T",
    types={"Tblock_shape": INDICES, "Tcrops": INDICES},
    shape=_to_space_shape,
    compute=_to_space,
    grad=lambda op, dy: (raw.SpaceToBatchND(dy, *op.inputs[1:]), None, None),
    samples=_to_space_samples,
    checked=True,
)


# -- public functions ------------------------------------------------------------------------------


def space_to_batch_nd(
    input: Any, block_shape: Any, paddings: Any, name: str | None = None
) -> Tensor:
    """Inner dimensions padded with zeros, cut into blocks, and the places in a block made batches.

    Args:
      input: tensor `[batch, *inner, ...]`, with M inner dimensions.
      block_shape: integer vector `[M]`, the sizes of a block.
      paddings: integers `[M, 2]`, how many zeros before and after.
      name: name of the op.

    Returns: a tensor `[batch * prod(block_shape), *(padded / block_shape), ...]`.

    Raises:
      ValueError: if a block size does not divide the padded size.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.space_to_batch_nd([[1, 2, 3]], [2], [[0, 1]]).numpy().tolist())
    [[1, 3], [2, 0]]
    """
    return _space_to_batch_nd(input, block_shape, paddings, name=name)


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Undoes `space_to_batch_nd`.

    Args:
      input: tensor `[batch * prod(block_shape), *inner, ...]`, with M inner dimensions.
      block_shape: integer vector `[M]`, the sizes of a block.
      crops: integers `[M, 2]`, how many elements to take off before and after.
      name: name of the op.

    Returns: a tensor `[batch, *(inner * block_shape - crops), ...]`.

    Raises:
      ValueError: if the batch cannot be divided or more is taken off than there is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.batch_to_space_nd([[1, 3], [2, 0]], [2], [[0, 1]]).numpy().tolist())
    [[1, 2, 3]]
    """
    return _batch_to_space_nd(input, block_shape, crops, name=name)


@spelled(block_shape="block_size")
def space_to_batch(input: Any, paddings: Any, block_size: int, name: str | None = None) -> Tensor:
    """`space_to_batch_nd` of images, with square blocks.

    Args:
      input: tensor `[batch, height, width, depth]`.
      paddings: integers `[2, 2]`, how many zeros above and below, left and right.
      block_size: height and width of a block.
      name: name of the op.

    Returns: a tensor `[batch * block_size ** 2, height / block_size, width / block_size, depth]`,
      height and width padded.

    Raises:
      ValueError: if the block size does not divide the padded sizes.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(4), [1, 2, 2, 1])
    ...     print(hf.space_to_batch(x, [[0, 0], [0, 0]], 2).shape)
    (4, 1, 1, 1)
    """
    block = np.array([block_size, block_size], np.int64)
    result: Tensor = _space_to_batch_nd(input, block, paddings, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


@spelled(block_shape="block_size")
def batch_to_space(input: Any, crops: Any, block_size: int, name: str | None = None) -> Tensor:
    """Undoes `space_to_batch`.

    Args:
      input: tensor `[batch * block_size ** 2, height, width, depth]`.
      crops: integers `[2, 2]`, how much to take off above and below, left and right.
      block_size: height and width of a block.
      name: name of the op.

    Returns: a tensor `[batch, height * block_size, width * block_size, depth]`, less what is taken
      off.

    Raises:
      ValueError: if the batch cannot be divided or more is taken off than there is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(4), [4, 1, 1, 1])
    ...     print(hf.batch_to_space(x, [[0, 0], [0, 0]], 2).numpy().reshape(2, 2).tolist())
    [[0, 1], [2, 3]]
    """
    block = np.array([block_size, block_size], np.int64)
    result: Tensor = _batch_to_space_nd(input, block, crops, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """What to pad so that blocks divide the sizes, and what to crop afterwards.

    Args:
      input_shape: int32 vector `[M]`, the sizes of the inner dimensions.
      block_shape: int32 vector `[M]`, the sizes of a block.
      base_paddings: int32 `[M, 2]`, the least to pad; by default nothing.
      name: name of the scope.

    Returns: two int32 tensors `[M, 2]`: paddings for `space_to_batch_nd`, crops for
      `batch_to_space_nd`; constant where the arguments are.

    Raises:
      ValueError: if the shapes of the arguments do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     paddings, crops = hf.required_space_to_batch_paddings([5], [2])
    ...     print(paddings.numpy(), crops.numpy())
    [[0 1]] [[0 1]]
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        sizes = convert_to_tensor(input_shape, dtypes.int32, name="input_shape")
        block = convert_to_tensor(block_shape, dtypes.int32, name="block_shape")
        block.shape.assert_has_rank(1)
        block.shape.assert_is_fully_defined()
        count = dimension_at_index(block.shape, 0).value
        sizes.shape.assert_is_compatible_with([count])
        base = np.zeros([count or 0, 2], np.int32) if base_paddings is None else base_paddings
        base = convert_to_tensor(base, dtypes.int32, name="base_paddings")
        base.shape.assert_is_compatible_with([count, 2])
        known = [constant_value(t) for t in (sizes, block, base)]
        if all(value is not None for value in known):
            paddings, crops = _paddings(*known)
            return (
                convert_to_tensor(paddings, dtypes.int32, name="paddings"),
                convert_to_tensor(crops, dtypes.int32, name="crops"),
            )
        start, end = base[:, 0], base[:, 1]
        extra = (block - (sizes + start + end) % block) % block
        paddings = raw.Pack([start, end + extra], axis=1, name="paddings")
        return paddings, raw.Pack([raw.ZerosLike(extra), extra], axis=1, name="crops")


def _paddings(sizes: Any, block: Any, base: Any) -> tuple[np.ndarray, np.ndarray]:
    extra = -(sizes + base.sum(1)) % block
    return base + np.stack([0 * extra, extra], 1), np.stack([0 * extra, extra], 1)
