"""Reductions of rows by segment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.allocation import allocatable, number_of
from hybridflow._src.ops.families import INDICES, NUMBERS, REALS, conj
from hybridflow._src.ops.grad_helpers import in_single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]


def _starts(ids: np.ndarray) -> np.ndarray:
    """Where runs of equal ids start."""
    return np.concatenate([[0], np.flatnonzero(np.diff(ids)) + 1])


def _by_runs(ufunc: Any, rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """`ufunc` over each run of rows."""
    result: np.ndarray = ufunc.reduceat(rows, starts, axis=0, dtype=accumulator(rows.dtype))
    return result


# -- sorted segments -------------------------------------------------------------------------------


def _segment_shape(attrs: dict[str, Any], data: Tensor, ids: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(ids, 1)
    dims = shape_rules.with_rank_at_least(data, 1)
    if dims is None:
        return None
    known = constant_value(ids)
    segments = None if known is None else int(known[-1]) + 1 if known.size else 0
    return (segments, *dims[1:])


def _check_sorted(data: np.ndarray, ids: np.ndarray) -> None:
    """Checks that the ids fit the data, are in order and are not negative.

    Raises:
      InvalidArgumentError: if they do not.
    """
    if ids.ndim != 1 or not data.ndim or len(ids) != len(data):
        raise InvalidArgumentError(
            None, None, "segment_ids should be the same size as dimension 0 of input."
        )
    if not len(ids):
        return
    if ids[-1] < 0:
        raise InvalidArgumentError(None, None, "segment ids must be >= 0")
    falls = np.flatnonzero(np.diff(ids) < 0)
    strays = np.flatnonzero((ids < 0) | (ids > ids[-1]))
    # TensorFlow goes from segment to segment, and says what it meets first.
    if len(strays) and (not len(falls) or ids[strays[0]] < ids[falls[0]]):
        raise InvalidArgumentError(
            None,
            None,
            f"Segment id {ids[strays[0]]} out of range [0, {ids[-1] + 1}), possibly because "
            "'segment_ids' input is not sorted.",
        )
    if len(falls):
        raise InvalidArgumentError(None, None, "segment ids are not increasing")


def _by_segment(
    name: str,
    ufunc: Any,
    grad: Callable[..., Any],
    types: Sequence[DType],
    empty: int = 0,
    mean: bool = False,
) -> OpDef:
    """The record of a reduction by segment; `empty` is what ids yield that do not occur."""

    def compute(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
        _check_sorted(data, segment_ids)
        count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
        shape = allocatable(name, (count, *data.shape[1:]), data.dtype)
        result = np.full(shape, empty, data.dtype)
        if count:
            starts = _starts(segment_ids)
            values = _by_runs(ufunc, data, starts)
            if mean:
                sizes = np.diff(np.append(starts, len(data)))
                sizes = sizes.reshape((-1,) + (1,) * (data.ndim - 1))
                values = values // sizes if data.dtype.kind in "iu" else values / sizes
            result[segment_ids[starts]] = values
        return result

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64):
            for shape, ids in (((4, 2), [0, 0, 1, 3]), ((3,), [1, 1, 1]), ((0, 2), [])):
                yield Sample(
                    rng.uniform(-2, 2, shape).astype(dtype),
                    np.array(ids, np.int32),
                )

    return OpDef(
        name,
        "data: T, segment_ids: Tindices -> output: T",
        types={"T": types, "Tindices": INDICES},
        shape=_segment_shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


def _sum_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    return raw.Gather(dy, op.inputs[1]), None


def _mean_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    data, ids = op.inputs

    def share(dy: Any, data: Any) -> Any:
        return dy / raw.SegmentSum(raw.OnesLike(data), ids)

    return raw.Gather(in_single(share, dy, data), ids), None


def _prod_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    """For each element the product of the others, right also where one is 0."""
    data, ids = op.inputs
    zeros, ones = raw.ZerosLike(data), raw.OnesLike(data)
    is_zero = raw.Equal(data, zeros)
    present = raw.Select(is_zero, ones, data)
    absent = raw.Cast(is_zero, DstT=dtypes.int32)
    others_absent = raw.Gather(raw.SegmentSum(absent, ids), ids) - absent
    others = raw.Gather(raw.SegmentProd(present, ids), ids) / present
    chosen = raw.Select(raw.Equal(others_absent, 0), others, zeros)
    return raw.Gather(dy, ids) * conj(chosen), None


def _extreme_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    """Equal shares for all elements of a segment that equal its extreme."""
    data, ids = op.inputs
    chosen = raw.Cast(raw.Equal(raw.Gather(op.outputs[0], ids), data), DstT=data.dtype)

    def share(dy: Any, chosen: Any) -> Any:
        return dy / raw.SegmentSum(chosen, ids)

    return chosen * raw.Gather(in_single(share, dy, chosen), ids), None


_segment_sum = _by_segment("SegmentSum", np.add, _sum_grad, NUMBERS)
_segment_mean = _by_segment("SegmentMean", np.add, _mean_grad, REALS, mean=True)
_segment_max = _by_segment("SegmentMax", np.maximum, _extreme_grad, REALS)
_segment_min = _by_segment("SegmentMin", np.minimum, _extreme_grad, REALS)
_segment_prod = _by_segment("SegmentProd", np.multiply, _prod_grad, NUMBERS, empty=1)


# -- unsorted segments -----------------------------------------------------------------------------


# So many elements are taken at a time.
_AT_ONCE = 1 << 20


def _add_rows(ufunc: Any, result: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    """`result[ids[i]] = ufunc(result[ids[i]], rows[i])`, one row after the other.

    Element by element, which NumPy does far quicker than row by row.
    """
    width = math.prod(result.shape[1:])
    flat, columns = result.reshape(-1), np.arange(width)
    some = max(1, _AT_ONCE // max(1, width))
    for first in range(0, len(ids), some):
        places = ids[first : first + some, None].astype(np.intp) * width + columns
        values = rows[first : first + some].astype(result.dtype, copy=False)
        ufunc.at(flat, places.reshape(-1), values.reshape(-1))


def _unsorted_shape(
    attrs: dict[str, Any], data: Tensor, ids: Tensor, num_segments: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(num_segments, 0)
    dims, places = data._dims, ids._dims
    if dims is None or places is None:
        return None
    if len(dims) < len(places):
        raise ValueError(f"Shape must be at least rank {len(places)} but is rank {len(dims)}")
    merge(dims[: len(places)], places)
    count = constant_value(num_segments)
    return (None if count is None else int(count), *dims[len(places) :])


def _check_unsorted(data: np.ndarray, ids: np.ndarray, count: int) -> None:
    """Checks that the ids fit the data and are in range; negative ones are, and stand for nothing.

    Raises:
      InvalidArgumentError: if they are not.
    """
    if data.shape[: ids.ndim] != ids.shape:
        raise InvalidArgumentError(
            None,
            None,
            f"data.shape = {list(data.shape)} does not start with segment_ids.shape = "
            f"{list(ids.shape)}",
        )
    if count < 0:
        raise InvalidArgumentError(None, None, f"num_segments must not be negative, got {count}")
    if ids.size and ids.max() >= count:
        place = tuple(np.argwhere(ids >= count)[0])
        raise InvalidArgumentError(
            None,
            None,
            f"segment_ids[{','.join(map(str, place))}] = {ids[place]} is out of range [0, {count})",
        )


def _unsorted(
    name: str,
    ufunc: Any,
    grad: Callable[..., Any],
    types: Sequence[DType],
    empty: Callable[[DType], Any],
) -> OpDef:
    """The record of a reduction of rows in any order; `empty(dtype)` is what no rows yield."""

    def compute(data: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray) -> np.ndarray:
        count = number_of(num_segments, "num_segments")
        _check_unsorted(data, segment_ids, count)
        ids: np.ndarray = segment_ids.ravel()
        rest = data.shape[segment_ids.ndim :]
        rows = data.reshape((len(ids), *rest))
        if ids.size and ids.min() < 0:
            ids, rows = ids[ids >= 0], rows[ids >= 0]
        start = empty(dtypes.as_dtype(data.dtype))
        dtype = accumulator(data.dtype)
        result = np.full(allocatable(name, (count, *rest), dtype), start, dtype)
        _add_rows(ufunc, result, ids, rows)
        return result.astype(data.dtype, copy=False)

    def native(b: Any, data: Any, ids: Any, count: Any) -> Any:
        count = int(b.known(count))

        # Rows with negative ids go to one row more, which is left out; past it lies nothing.
        def place(i: Any) -> Any:
            return np.where(i < 0, count, np.where(i >= count, count + 1, i))

        return b.view(lambda x: x[:count], b.sum_rows(data, b.elementwise(place, ids), count + 1))

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64):
            for shape, ids, count in (
                ((4, 2), [2, 0, 2, 1], 4),
                ((4, 2), [2, -1, 2, 1], 3),
                ((2, 2, 3), [[1, 0], [1, 1]], 2),
                ((3,), [0, 0, 0], 1),
                ((0, 2), [], 2),
                ((40, 60), [0, 1, 2, 3, -1] * 8, 5),
            ):
                yield Sample(
                    rng.uniform(-2, 2, shape).astype(dtype),
                    np.array(ids, np.int32),
                    np.array(count, np.int32),
                )

    return OpDef(
        name,
        "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
        types={"T": types, "Tindices": INDICES, "Tnumsegments": INDICES},
        shape=_unsorted_shape,
        compute=compute,
        grad=grad,
        samples=samples,
        native=native if ufunc is np.add else None,
    )


def _of_segments(values: Tensor, ids: Tensor) -> Any:
    """For each row the value of its segment; zeros where its id is negative."""
    known = constant_value(ids)
    if known is not None and (not known.size or known.min() >= 0):
        return raw.Gather(values, ids)
    rows = raw.Gather(values, raw.Maximum(ids, 0))
    ones = raw.Fill(raw.Pack([raw.Rank(rows) - raw.Rank(ids)], axis=0), 1)
    counts = raw.Reshape(raw.GreaterEqual(ids, 0), raw.ConcatV2([raw.Shape(ids), ones], 0))
    everywhere = raw.LogicalAnd(counts, raw.Fill(raw.Shape(rows), True))
    return raw.Select(everywhere, rows, raw.ZerosLike(rows))


def _unsorted_sum_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    return _of_segments(dy, op.inputs[1]), None, None


def _unsorted_max_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    data, ids, count = op.inputs
    chosen = raw.Cast(raw.Equal(_of_segments(op.outputs[0], ids), data), DstT=data.dtype)

    def share(dy: Any, chosen: Any) -> Any:
        # An empty segment counts 0, but no element takes its share.
        return dy / raw.UnsortedSegmentSum(chosen, ids, count)

    return chosen * _of_segments(in_single(share, dy, chosen), ids), None, None


_unsorted_sum = _unsorted("UnsortedSegmentSum", np.add, _unsorted_sum_grad, NUMBERS, lambda _: 0)
_unsorted_max = _unsorted(
    "UnsortedSegmentMax", np.maximum, _unsorted_max_grad, REALS, lambda dtype: dtype.min
)
_unsorted_min = _unsorted(
    "UnsortedSegmentMin", np.minimum, _unsorted_max_grad, REALS, lambda dtype: dtype.max
)


def _unsorted_prod_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    """For each element the product of the others, right also where one is 0."""
    data, ids, count = op.inputs
    zeros, ones = raw.ZerosLike(data), raw.OnesLike(data)
    is_zero = raw.Equal(data, zeros)
    present = raw.Select(is_zero, ones, data)
    absent = raw.Cast(is_zero, DstT=dtypes.int32)
    others_absent = _of_segments(raw.UnsortedSegmentSum(absent, ids, count), ids) - absent
    others = _of_segments(raw.UnsortedSegmentProd(present, ids, count), ids) / present
    chosen = raw.Select(raw.Equal(others_absent, 0), others, zeros)
    return _of_segments(dy, ids) * conj(chosen), None, None


_unsorted_prod = _unsorted(
    "UnsortedSegmentProd", np.multiply, _unsorted_prod_grad, NUMBERS, lambda _: 1
)

# -- public functions ------------------------------------------------------------------------------


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The sums of the rows of each segment.

    Args:
      data: tensor `[n, ...]` of a number dtype.
      segment_ids: int32 or int64 vector `[n]`, in rising order: the segment of each row.
      name: name of the op.

    Returns: a tensor `[last id + 1, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if the ids are not in order, are negative, or are not `n`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 0, 2]).numpy().tolist())
    [[4, 6], [0, 0], [5, 6]]
    """
    return _segment_sum(data, segment_ids, name=name)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The means of the rows of each segment.

    Args:
      data: tensor `[n, ...]` of a real dtype.
      segment_ids: int32 or int64 vector `[n]`, in rising order: the segment of each row.
      name: name of the op.

    Returns: a tensor `[last id + 1, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if the ids are not in order, are negative, or are not `n`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_mean([[1.0, 2.0], [3.0, 4.0]], [0, 0]).numpy().tolist())
    [[2.0, 3.0]]
    """
    return _segment_mean(data, segment_ids, name=name)


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The largest elements of the rows of each segment.

    Args:
      data: tensor `[n, ...]` of a real dtype.
      segment_ids: int32 or int64 vector `[n]`, in rising order: the segment of each row.
      name: name of the op.

    Returns: a tensor `[last id + 1, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if the ids are not in order, are negative, or are not `n`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_max([[1, 4], [3, 2]], [0, 0]).numpy().tolist())
    [[3, 4]]
    """
    return _segment_max(data, segment_ids, name=name)


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The smallest elements of the rows of each segment.

    Args:
      data: tensor `[n, ...]` of a real dtype.
      segment_ids: int32 or int64 vector `[n]`, in rising order: the segment of each row.
      name: name of the op.

    Returns: a tensor `[last id + 1, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if the ids are not in order, are negative, or are not `n`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_min([[1, 4], [3, 2]], [0, 0]).numpy().tolist())
    [[1, 2]]
    """
    return _segment_min(data, segment_ids, name=name)


def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The products of the rows of each segment.

    Args:
      data: tensor `[n, ...]` of a number dtype.
      segment_ids: int32 or int64 vector `[n]`, in rising order: the segment of each row.
      name: name of the op.

    Returns: a tensor `[last id + 1, ...]` of the same dtype; 1 for ids that do not occur. The
      gradient is right also where elements are 0; TF 1.4 has none.

    Raises:
      InvalidArgumentError: if the ids are not in order, are negative, or are not `n`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_prod([[1, 4], [3, 2]], [0, 0]).numpy().tolist())
    [[3, 8]]
    """
    return _segment_prod(data, segment_ids, name=name)


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sums of the rows of each segment, in any order.

    Args:
      data: tensor of a number dtype whose shape starts with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row.
      num_segments: scalar int: the number of segments.
      name: name of the op.

    Returns: a tensor `[num_segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an id is not in `[0, num_segments)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_sum([1, 2, 3], [2, 0, 2], 4).numpy())
    [2 0 4 0]
    """
    return _unsorted_sum(data, segment_ids, num_segments, name=name)


def unsorted_segment_max(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The largest elements of the rows of each segment, in any order.

    Args:
      data: tensor of a real dtype whose shape starts with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row.
      num_segments: scalar int: the number of segments.
      name: name of the op.

    Returns: a tensor `[num_segments, ...]` of the same dtype; the smallest finite value of the
      dtype for ids that do not occur.

    Raises:
      InvalidArgumentError: if an id is not in `[0, num_segments)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_max([1, 2, 3], [1, 0, 1], 2).numpy())
    [2 3]
    """
    return _unsorted_max(data, segment_ids, num_segments, name=name)


def unsorted_segment_min(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The smallest elements of the rows of each segment, in any order. Of TensorFlow 1.15.

    Args:
      data: tensor of a real dtype, whose shape begins with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row; none if negative.
      num_segments: an integer scalar, the number of segments.
      name: name of the op.

    Returns: a tensor `[num_segments, ...]` of the same dtype; its largest number for ids that do
      not occur.

    Raises:
      InvalidArgumentError: if an id is `num_segments` or more.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_min([5, 1, 2], [1, 0, 1], 2).numpy())
    [1 2]
    """
    return _unsorted_min(data, segment_ids, num_segments, name=name)


def unsorted_segment_prod(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The products of the rows of each segment, in any order. Of TensorFlow 1.15.

    Args:
      data: tensor of a number dtype, whose shape begins with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row; none if negative.
      num_segments: an integer scalar, the number of segments.
      name: name of the op.

    Returns: a tensor `[num_segments, ...]` of the same dtype; 1 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an id is `num_segments` or more.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_prod([5, 3, 2], [1, 0, 1], 3).numpy())
    [ 3 10  1]
    """
    return _unsorted_prod(data, segment_ids, num_segments, name=name)


def _sums_and_counts(data: Tensor, ids: Tensor, num_segments: Any) -> tuple[Any, Any]:
    """The sums of the rows of each segment, and how many they are, but 1 for none."""
    ones = raw.Cast(raw.OnesLike(ids), DstT=data.dtype.base_dtype)
    counts = raw.Maximum(raw.UnsortedSegmentSum(ones, ids, num_segments), 1.0)
    within = raw.Fill(raw.Pack([raw.Rank(data) - raw.Rank(ids)], axis=0), 1)
    shape = raw.ConcatV2([raw.Shape(counts), within], 0)
    return raw.UnsortedSegmentSum(data, ids, num_segments), raw.Reshape(counts, shape)


def unsorted_segment_mean(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The means of the rows of each segment, in any order. Of TensorFlow 1.15.

    Args:
      data: tensor of a float dtype, whose shape begins with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row; none if negative.
      num_segments: an integer scalar, the number of segments.
      name: scope of the ops.

    Returns: a tensor `[num_segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an id is `num_segments` or more.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_mean([5.0, 3.0, 2.0], [1, 0, 1], 3).numpy())
    [3.  3.5 0. ]
    """
    with name_scope(name, "UnsortedSegmentMean", [data, segment_ids]):
        tensors = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sums, counts = _sums_and_counts(*tensors, num_segments)
        return sums / counts


def unsorted_segment_sqrt_n(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sums of the rows of each segment, divided by the roots of their numbers.

    Of TensorFlow 1.15.

    Args:
      data: tensor of a float dtype, whose shape begins with that of `segment_ids`.
      segment_ids: int32 or int64 tensor: the segment of each row; none if negative.
      num_segments: an integer scalar, the number of segments.
      name: scope of the ops.

    Returns: a tensor `[num_segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an id is `num_segments` or more.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_sqrt_n([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 0], 1).numpy())
    [5.]
    """
    with name_scope(name, "UnsortedSegmentSqrtN", [data, segment_ids]):
        tensors = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sums, counts = _sums_and_counts(*tensors, num_segments)
        return sums / raw.Sqrt(counts)
