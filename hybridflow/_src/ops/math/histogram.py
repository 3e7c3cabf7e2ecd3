"""Histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["histogram_fixed_width", "histogram_fixed_width_bins"]


def _shape(
    attrs: dict[str, Any], values: Tensor, value_range: Tensor, nbins: Tensor
) -> shape_rules.Dims:
    shape_rules.same_size(shape_rules.with_rank(value_range, 1)[0], 2)
    shape_rules.with_rank(nbins, 0)
    count = constant_value(nbins)
    return (None if count is None else int(count),)


def _count(
    values: np.ndarray, value_range: np.ndarray, nbins: np.ndarray, dtype: DType
) -> np.ndarray:
    low, high = value_range.astype(np.float64)
    if not low < high:
        words = f"value_range must have a lower bound below the upper one, got [{low}, {high}]."
        raise InvalidArgumentError(None, None, words)
    if np.ndim(nbins):
        words = f"nbins must be a scalar, got shape {list(np.shape(nbins))}."
        raise InvalidArgumentError(None, None, words)
    if nbins <= 0:
        raise InvalidArgumentError(None, None, f"nbins must be positive, got {nbins}.")
    allocatable("HistogramFixedWidth", (int(nbins),), dtype.np)
    numbers = values.astype(np.float64).ravel()
    # NaN is in no bin, as no comparison holds for it.
    numbers = numbers[~np.isnan(numbers)]
    with np.errstate(all="ignore"):
        places = np.floor((np.clip(numbers, low, high) - low) / ((high - low) / int(nbins)))
    bins = np.minimum(places, int(nbins) - 1).astype(np.int64)
    return np.bincount(bins, minlength=int(nbins)).astype(dtype.np)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for dims in ((7,), (2, 3), (0,), (1000,)):
            values = (rng.normal(size=dims) * 3).astype(dtype)
            for counts in (dtypes.int32, dtypes.int64):
                bounds = np.array([-2, 4], dtype)
                yield Sample(values, bounds, np.array(5, np.int32), dtype=counts)


_record = OpDef(
    "HistogramFixedWidth",
    "values: T, value_range: T, nbins: int32 -> out: dtype",
    types=(*INDICES, dtypes.float32, dtypes.float64),
    attrs={"dtype": dtypes.int32},
    shape=_shape,
    compute=_count,
    grad=not_differentiable,
    samples=_samples,
)


def histogram_fixed_width(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How many values lie in each of some bins of one width.

    Values below the range count in the first bin, values above in the last; NaN in none.

    Args:
      values: tensor of float32, float64, int32 or int64.
      value_range: tensor of shape [2] of that dtype: the lower end of the first bin, and the upper
        end of the last.
      nbins: int32 number of bins.
      dtype: int32 or int64.
      name: name of the op.

    Returns: a tensor of shape [nbins] of that dtype.

    Raises:
      InvalidArgumentError: if the range or `nbins` is not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], 5).numpy())
    [2 1 1 0 2]
    """
    return _record(values, value_range, nbins, dtype=dtypes.as_dtype(dtype), name=name)


def histogram_fixed_width_bins(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """The bin of `histogram_fixed_width` in which each value lies. Of TensorFlow 1.15.

    Args:
      values: tensor of float32, float64, int32 or int64.
      value_range: tensor of shape [2] of that dtype: the lower end of the first bin, and the upper
        end of the last.
      nbins: int32 number of bins.
      dtype: int32 or int64.
      name: scope of the ops.

    Returns: a tensor of that dtype, of the shape of `values`.

    Raises:
      InvalidArgumentError: if `value_range` has no two numbers, or `nbins` is not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     values = [-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]
    ...     print(hf.histogram_fixed_width_bins(values, [0.0, 5.0], 5).numpy())
    [0 0 1 2 4 4]
    """
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        values = convert_to_tensor(values, name="values")
        ends = raw.Cast(
            convert_to_tensor(value_range, values.dtype.base_dtype, "value_range"),
            DstT=dtypes.float64,
        )
        low, high = raw.Unpack(ends, num=2, axis=0)
        count = raw.Cast(convert_to_tensor(nbins, dtypes.int32, "nbins"), DstT=dtypes.float64)
        places = raw.Floor((raw.Cast(values, DstT=dtypes.float64) - low) / (high - low) * count)
        within = raw.Minimum(raw.Maximum(places, 0.0), count - 1.0)
        return raw.Cast(within, DstT=dtypes.as_dtype(dtype))
