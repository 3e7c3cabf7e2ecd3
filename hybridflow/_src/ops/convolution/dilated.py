"""Windows whose elements lie apart, made by cutting the input into blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.space_to_batch import (
    batch_to_space_nd,
    required_space_to_batch_paddings,
    space_to_batch_nd,
)
from hybridflow._src.ops.windows import each_inner_dimension, is_channels_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["with_space_to_batch"]


def strides_and_rates(count: int, strides: Any, rates: Any) -> tuple[list[int], list[int]]:
    """The two for each of `count` dimensions, 1 by default.

    Raises:
      ValueError: for lists of another length, values below 1, or both above 1.
    """
    found = []
    for label, values in (("dilation_rate", rates), ("strides", strides)):
        values = [1] * count if values is None else each_inner_dimension(label, values, count)
        if len(values) != count:
            raise ValueError(
                f"len({label})={len(values)} but should be {count}: one for each inner dimension, "
                f"without batch and channels; got {values}."
            )
        if min(values, default=1) < 1:
            raise ValueError(f"all values of {label} must be positive")
        found.append(values)
    rates, strides = found
    if max(strides, default=1) > 1 and max(rates, default=1) > 1:
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    return strides, rates


def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: str,
    op: Callable[[Tensor, int, str], Any],
    filter_shape: Any = None,
    spatial_dims: Sequence[int] | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Applies `op` to every `dilation_rate`-th element, as if its windows had gaps.

    Args:
      input: tensor with N inner dimensions.
      dilation_rate: int32 vector `[N]`, how far apart the elements of the windows are.
      padding: "SAME" or "VALID".
      op: called with the tensor to work on, N, and the padding; gives a tensor with the same inner
        dimensions.
      filter_shape: integer vector whose first N elements are the sizes of the windows; needed for
        "SAME".
      spatial_dims: the inner dimensions, in order; by default those of `data_format`.
      data_format: one that begins with "NC" where the channels are in the second dimension.

    Returns: what `op` gives, put together again; for rates of 1, `op(input, N, padding)`.

    Raises:
      ValueError: if the padding is unknown, or arguments do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     def sums(x, dims, padding):
    ...         return hf.nn.convolution(x, hf.ones([2, 1, 1]), padding)
    ...     x = hf.constant([[[1.0], [2.0], [4.0], [8.0]]])
    ...     print(hf.nn.with_space_to_batch(x, [2], "VALID", sums).numpy().ravel())
    [ 5. 10.]
    """
    input = convert_to_tensor(input, name="input")
    rates = convert_to_tensor(dilation_rate, dtypes.int32, name="dilation_rate")
    dims = rates._dims
    if dims is not None and len(dims) != 1:
        wanted = "one int for each inner dimension, such as [2, 2] for images"
        raise ValueError(f"rate must be rank 1, {wanted}; got shape {rates.shape}.")
    if dims is None or dims[0] is None:
        raise ValueError("rate must have known shape")
    count = dims[0]
    first = 2 if data_format is not None and is_channels_first(data_format) else 1
    spatial = list(range(first, first + count)) if spatial_dims is None else list(spatial_dims)
    if sorted(set(spatial)) != spatial or min(spatial, default=1) < 1:
        raise ValueError(
            "spatial_dims must be a montonically increasing sequence of positive integers"
        )
    known = constant_value(rates)
    if known is not None:
        if (known < 1).any():
            raise ValueError("dilation_rate must be positive")
        if (known == 1).all():
            return op(input, count, padding)
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"Invalid padding method {padding!r}")
    if padding == "SAME" and filter_shape is None:
        raise ValueError("filter_shape must be specified for SAME padding")
    base = (
        _base(filter_shape, count, rates if known is None else known) if padding == "SAME" else None
    )
    sizes = _sizes(input, spatial)
    paddings, crops = required_space_to_batch_paddings(sizes, rates, base)
    block = _spread(rates, 1, spatial)
    paddings, crops = _spread(paddings, 0, spatial), _spread(crops, 0, spatial)
    result = op(space_to_batch_nd(input, block, paddings), count, "VALID")
    return batch_to_space_nd(result, block, crops)


def _sizes(input: Tensor, spatial: list[int]) -> Any:
    dims = input._dims
    sizes = None if dims is None else [dims[i] for i in spatial]
    if sizes is not None and None not in sizes:
        return np.array(sizes, np.int32)
    shape = raw.Shape(input)
    return raw.Pack([shape[i] for i in spatial], axis=0)


def _base(filter_shape: Any, count: int, rates: Any) -> Any:
    """What "SAME" pads for windows with gaps."""
    shape = convert_to_tensor(filter_shape, name="filter_shape")
    known = constant_value(shape)
    if known is None or not isinstance(rates, np.ndarray):
        more = (shape[:count] - 1) * rates
        return raw.Pack([more // 2, more - more // 2], axis=1)
    more = (known[:count] - 1) * rates
    return np.stack([more // 2, more - more // 2], axis=1).astype(np.int32)


def _spread(values: Any, fill: int, spatial: list[int]) -> Any:
    """A value for each dimension behind the batch; `fill` for those that are no inner one."""
    known = constant_value(values)
    rest = tuple(values.shape.as_list()[1:])
    if known is not None:
        full = np.full((spatial[-1], *rest), fill, known.dtype)
        full[np.array(spatial) - 1] = known
        return full
    other = np.full(rest, fill, values.dtype.base_dtype.np)
    at = {axis: i for i, axis in enumerate(spatial)}
    return raw.Pack(
        [values[at[axis]] if axis in at else other for axis in range(1, spatial[-1] + 1)], axis=0
    )
