"""Pooling in any number of dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.convolution.dilated import strides_and_rates, with_space_to_batch
from hybridflow._src.ops.pooling.avg_pool import avg_pool
from hybridflow._src.ops.pooling.max_pool import max_pool
from hybridflow._src.ops.pooling.pool3d import avg_pool3d, max_pool3d
from hybridflow._src.ops.windows import FORMATS, each_inner_dimension, is_channels_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["pool"]

_BY_TYPE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "MAX": (max_pool, max_pool3d),
    "AVG": (avg_pool, avg_pool3d),
}


@spelled(dilations="dilation_rate")
def pool(
    input: Any,
    window_shape: Sequence[int],
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Sequence[int] | None = None,
    name: str | None = None,
    data_format: str | None = None,
) -> Tensor:
    """The largest element or the mean of each window, in one, two or three dimensions.

    Args:
      input: tensor `[batch, *inner, channels]` of a float dtype.
      window_shape: the sizes of the windows, an int for each inner dimension.
      pooling_type: "MAX" or "AVG".
      padding: "SAME" or "VALID", as in `max_pool`.
      dilation_rate: an int for each inner dimension, how far apart the elements of a window are; by
        default 1. Only one of this and `strides` may be above 1.
      strides: an int for each, how far the windows are apart; by default 1.
      name: name of the op.
      data_format: by default the channels are last; "NCW", "NCHW", "NCDHW": in the second
        dimension.

    Returns: a tensor `[batch, *out_inner, channels]` of the same dtype.

    Raises:
      ValueError: if arguments do not fit or have values that are not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[[1.0], [4.0], [2.0]]])
    ...     print(hf.nn.pool(x, [2], "MAX", "VALID").numpy().ravel())
    [4. 4.]
    """
    with name_scope(
        name, f"{settings.string(pooling_type, 'pooling_type').lower()}_pool", [input]
    ) as scope:
        x = convert_to_tensor(input, name="input")
        # One number alone tells no rank; the input may.
        inner_rank = 1 if x.shape.ndims is None else x.shape.ndims - 2
        window_shape = each_inner_dimension("window_shape", window_shape, inner_rank)
        count = len(window_shape)
        if not 1 <= count <= 3:
            raise ValueError("It is required that 1 <= num_spatial_dims <= 3.")
        rank = count + 2
        x.shape.with_rank(rank)
        steps, rates = strides_and_rates(count, strides, dilation_rate)
        if padding == "SAME" and max(rates) > 1:
            raise ValueError("pooling with SAME padding is not implemented for dilation_rate > 1")
        if any(step > size for step, size in zip(steps, window_shape, strict=True)):
            raise ValueError(
                "strides > window_shape not supported due to inconsistency between CPU and GPU "
                "implementations"
            )
        if pooling_type not in _BY_TYPE:
            raise ValueError(f"{count}-D {pooling_type} pooling is not supported.")
        if data_format is None:
            data_format = FORMATS[rank][0]
        if data_format not in FORMATS[rank]:
            raise ValueError('data_format must be "{}" or "{}".'.format(*FORMATS[rank]))
        first = is_channels_first(data_format)
        spatial = range(2, rank) if first else range(1, rank - 1)

        def op(part: Tensor, _: int, padding: str) -> Any:
            sizes, apart = [*window_shape], [*steps]
            form = data_format
            if count == 1:
                part = raw.ExpandDims(part, spatial[0])
                sizes, apart, form = [1, *sizes], [1, *apart], FORMATS[4][first]
            ones = ([1, 1], []) if first else ([1], [1])
            result = _BY_TYPE[pooling_type][count == 3](
                part,
                [*ones[0], *sizes, *ones[1]],
                [*ones[0], *apart, *ones[1]],
                padding,
                form,
                scope,
            )
            return raw.Squeeze(result, squeeze_dims=[spatial[0]]) if count == 1 else result

        return with_space_to_batch(x, rates, padding, op, window_shape, spatial, data_format)
