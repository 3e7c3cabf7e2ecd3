"""Reductions by segment of rows that indices name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.allocation import allocatable, number_of
from hybridflow._src.ops.families import FLOATS, INDICES, REALS
from hybridflow._src.ops.sparse.coordinates import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_segment_mean", "sparse_segment_sqrt_n", "sparse_segment_sum"]

# By what the sum of so many rows is divided.
_DIVISORS: dict[str, Callable[[Any], Any] | None] = {
    "Sum": None,
    "Mean": lambda counts: np.maximum(counts, 1),
    "SqrtN": lambda counts: np.sqrt(np.maximum(counts, 1)),
}


# -- shapes and checks -----------------------------------------------------------------------------


def _shape(attrs: dict[str, Any], *tensors: Tensor) -> shape_rules.Dims:
    data, indices, ids, *count = tensors
    dims = shape_rules.with_rank_at_least(data, 1)
    shape_rules.same_size(shape_rules.with_rank(indices, 1)[0], shape_rules.with_rank(ids, 1)[0])
    known = constant_value(count[0] if count else ids)
    if count:
        shape_rules.with_rank(count[0], 0)
        segments = None if known is None else int(known)
    else:
        segments = None if known is None else int(known[-1]) + 1 if known.size else 0
    return None if dims is None else (segments, *dims[1:])


def _check(indices: np.ndarray, ids: np.ndarray, rows: int) -> None:
    """Checks that indices and ids fit, and that all indices name rows.

    Raises:
      InvalidArgumentError: if they do not.
    """
    if indices.ndim != 1 or ids.ndim != 1 or len(indices) != len(ids):
        raise invalid("segment_ids and indices should be vectors of the same size.")
    wrong = np.flatnonzero((indices < 0) | (indices >= rows))
    if len(wrong):
        raise invalid(f"indices[{wrong[0]}] == {indices[wrong[0]]} out of range [0, {rows})")


def _segments(ids: np.ndarray, count: np.ndarray | None) -> int:
    """The number of segments, of ids in rising order.

    Raises:
      InvalidArgumentError: if the ids fall, are negative or too large.
    """
    least = int(ids[-1]) + 1 if len(ids) else 0
    found = least if count is None else int(number_of(count, "num_segments"))
    if found < 0 or (len(ids) and found == 0):
        raise invalid("segment ids must be >= 0")
    if found < least:
        raise invalid("segment ids must be < num_segments")
    if not len(ids):
        return found
    # A segment is looked at where it ends: is the next id larger, then is it inside?
    last = ids[np.append(ids[1:] != ids[:-1], True)]
    falls = np.append(last[1:] < last[:-1], False)
    outside = (last < 0) | (last >= found)
    wrong = np.flatnonzero(falls | outside)
    if len(wrong) and falls[wrong[0]]:
        raise invalid("segment ids are not increasing")
    if len(wrong):
        raise invalid(
            f"Segment id {last[wrong[0]]} out of range [0, {found}), possibly because "
            "'segment_ids' input is not sorted."
        )
    return found


def _divided(rows: np.ndarray, counts: np.ndarray, how: str) -> np.ndarray:
    divisor = _DIVISORS[how]
    if divisor is None:
        return rows
    numbers = divisor(counts).astype(rows.dtype).reshape((-1,) + (1,) * (rows.ndim - 1))
    result: np.ndarray = rows / numbers
    return result


# -- reductions ------------------------------------------------------------------------------------


def _reduced(
    name: str,
    how: str,
    data: np.ndarray,
    indices: np.ndarray,
    ids: np.ndarray,
    count: np.ndarray | None,
) -> np.ndarray:
    if not data.ndim:
        raise invalid("data must have rows, got a scalar")
    _check(indices, ids, len(data))
    segments = _segments(ids, count)
    wide = accumulator(data.dtype)
    result = np.zeros(allocatable(name, (segments, *data.shape[1:]), wide), wide)
    if len(ids):
        starts = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1])
        sums = np.add.reduceat(data[indices], starts, axis=0, dtype=wide)
        result[ids[starts]] = _divided(sums, np.diff(np.append(starts, len(ids))), how)
    return result.astype(data.dtype, copy=False)


def _sum_grad(op: Any, dy: Tensor) -> Any:
    data, indices, ids, *more = op.inputs
    rows = raw.Shape(data)[0] if data._dims is None or data._dims[0] is None else data._dims[0]
    grad = raw.UnsortedSegmentSum(raw.Gather(dy, ids), indices, rows)
    return grad, None, None, *[None for _ in more]


def _grad_by(name: str) -> Callable[..., Any]:
    def grad(op: Any, dy: Tensor) -> Any:
        data, indices, ids, *more = op.inputs
        rows = raw.Shape(data)[0] if data._dims is None or data._dims[0] is None else data._dims[0]
        return getattr(raw, name)(dy, indices, ids, rows), None, None, *[None for _ in more]

    return grad


def _samples(counted: bool) -> Callable[[np.random.Generator], Iterable[Sample]]:
    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64):
            for shape, indices, ids in (
                ((4, 2), [0, 3, 0], [0, 0, 2]),
                ((3,), [2, 1, 1, 0], [1, 1, 1, 3]),
                ((3, 2, 2), [], []),
                ((20, 30), [*range(20), *range(20)], sorted([*range(10)] * 4)),
            ):
                parts = [
                    rng.uniform(0.5, 2, shape).astype(dtype),
                    np.array(indices, np.int32),
                    np.array(ids, np.int32),
                ]
                yield Sample(*parts, *[np.array(12, np.int32)] * counted)

    return samples


def _reduction(how: str, types: Sequence[DType], grad: Callable[..., Any]) -> tuple[OpDef, OpDef]:
    """The records of a reduction, without and with a number of segments."""
    name = f"SparseSegment{how}"

    def native(b: Any, data: Any, indices: Any, ids: Any, *count: Any) -> Any:
        (shape,) = b.seen
        return b.sum_segments(data, indices, ids, shape[0], *count, divided=_DIVISORS[how])

    def compute(data: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
        return _reduced(name, how, data, indices, segment_ids, None)

    def counted(
        data: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray
    ) -> np.ndarray:
        return _reduced(name, how, data, indices, segment_ids, num_segments)

    inputs = "data: T, indices: Tidx, segment_ids: int32"
    kinds = {"T": types, "Tidx": INDICES}
    return (
        OpDef(
            name,
            f"{inputs} -> output: T",
            types=kinds,
            shape=_shape,
            compute=compute,
            grad=grad,
            samples=_samples(False),
            native=native,
        ),
        OpDef(
            f"{name}WithNumSegments",
            f"{inputs}, num_segments: Tnumsegments -> output: T",
            types={**kinds, "Tnumsegments": INDICES},
            shape=_shape,
            compute=counted,
            grad=grad,
            samples=_samples(True),
            native=native,
        ),
    )


_sums = _reduction("Sum", REALS, _sum_grad)
_means = _reduction("Mean", FLOATS, _grad_by("SparseSegmentMeanGrad"))
_sqrt_ns = _reduction("SqrtN", FLOATS, _grad_by("SparseSegmentSqrtNGrad"))


# -- gradients -------------------------------------------------------------------------------------


def _grad_shape(
    attrs: dict[str, Any], grad: Tensor, indices: Tensor, ids: Tensor, rows: Tensor
) -> shape_rules.Dims:
    dims = shape_rules.with_rank_at_least(grad, 1)
    shape_rules.same_size(shape_rules.with_rank(indices, 1)[0], shape_rules.with_rank(ids, 1)[0])
    shape_rules.with_rank(rows, 0)
    known = constant_value(rows)
    return None if dims is None else (None if known is None else int(known), *dims[1:])


def _gradient(how: str) -> OpDef:
    """The record of what flows to the rows: each gets its share of its segments' gradients."""
    name = f"SparseSegment{how}Grad"

    def compute(
        grad: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, output_dim0: np.ndarray
    ) -> np.ndarray:
        count = int(number_of(output_dim0, "output_dim0"))
        wide = accumulator(grad.dtype)
        result = np.zeros(allocatable(name, (count, *grad.shape[1:]), wide), wide)
        _check(indices, segment_ids, count)
        if len(segment_ids) and not 0 <= segment_ids.min() <= segment_ids.max() < len(grad):
            raise invalid(f"Segment ids out of range [0, {len(grad)}).")
        counts = np.bincount(segment_ids, minlength=len(grad))
        shares = _divided(grad.astype(wide, copy=False), counts, how)
        np.add.at(result, indices, shares[segment_ids])
        return result.astype(grad.dtype, copy=False)

    def native(b: Any, grad: Any, indices: Any, ids: Any, rows: Any) -> Any:
        (shape,) = b.seen
        b.known(rows)
        return b.spread_segments(grad, indices, ids, shape[0], divided=_DIVISORS[how])

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64):
            for shape, indices, ids, rows in (
                ((3, 2), [0, 3, 0], [0, 0, 2], 4),
                ((4,), [2, 1, 1, 0], [1, 1, 1, 3], 3),
                ((2, 2), [], [], 3),
            ):
                yield Sample(
                    rng.uniform(0.5, 2, shape).astype(dtype),
                    np.array(indices, np.int32),
                    np.array(ids, np.int32),
                    np.array(rows, np.int32),
                )

    def grad_of(op: Any, dz: Tensor) -> tuple[Any, None, None, None]:
        grad, indices, ids, _ = op.inputs
        rows = raw.Shape(grad)[0] if grad._dims is None or grad._dims[0] is None else grad._dims[0]
        record = getattr(raw, f"SparseSegment{how}WithNumSegments")
        return record(dz, indices, ids, rows), None, None, None

    return OpDef(
        name,
        "grad: T, indices: Tidx, segment_ids: int32, output_dim0: int32 -> output: T",
        types={"T": FLOATS, "Tidx": INDICES},
        shape=_grad_shape,
        compute=compute,
        grad=grad_of,
        samples=samples,
        native=native,
    )


_mean_grad, _sqrt_n_grad = _gradient("Mean"), _gradient("SqrtN")


# -- public functions ------------------------------------------------------------------------------


def _call(
    records: tuple[OpDef, OpDef],
    data: Any,
    indices: Any,
    segment_ids: Any,
    num_segments: Any,
    name: str | None,
) -> Tensor:
    if num_segments is None:
        result: Tensor = records[0](data, indices, segment_ids, name=name)
    else:
        result = records[1](data, indices, segment_ids, num_segments, name=name)
    return result


def sparse_segment_sum(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Sums of the rows of each segment, where the rows are named by indices.

    Args:
      data: tensor `[n, ...]` of a real dtype.
      indices: int32 or int64 vector `[m]`: rows of `data`.
      segment_ids: int32 vector `[m]`, in rising order: the segment of each of these rows.
      name: name of the op.
      num_segments: the number of segments; by default the last id and one more.

    Returns: a tensor `[segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an index or id is out of range, or the ids fall.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = [[1, 2], [3, 4], [5, 6]]
    ...     print(hf.sparse_segment_sum(x, [0, 2, 1], [0, 0, 1]).numpy().tolist())
    [[6, 8], [3, 4]]
    """
    return _call(_sums, data, indices, segment_ids, num_segments, name)


def sparse_segment_mean(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Means of the rows of each segment, where the rows are named by indices.

    Args:
      data: tensor `[n, ...]` of a float dtype.
      indices: int32 or int64 vector `[m]`: rows of `data`.
      segment_ids: int32 vector `[m]`, in rising order: the segment of each of these rows.
      name: name of the op.
      num_segments: the number of segments; by default the last id and one more.

    Returns: a tensor `[segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an index or id is out of range, or the ids fall.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    ...     print(hf.sparse_segment_mean(x, [0, 2, 1], [0, 0, 1]).numpy().tolist())
    [[3.0, 4.0], [3.0, 4.0]]
    """
    return _call(_means, data, indices, segment_ids, num_segments, name)


def sparse_segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Sums of the rows of each segment, divided by the square root of their number.

    Args:
      data: tensor `[n, ...]` of a float dtype.
      indices: int32 or int64 vector `[m]`: rows of `data`.
      segment_ids: int32 vector `[m]`, in rising order: the segment of each of these rows.
      name: name of the op.
      num_segments: the number of segments; by default the last id and one more.

    Returns: a tensor `[segments, ...]` of the same dtype; 0 for ids that do not occur.

    Raises:
      InvalidArgumentError: if an index or id is out of range, or the ids fall.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = [1.0, 2.0, 3.0]
    ...     print(hf.sparse_segment_sqrt_n(x, [0, 1, 1, 2], [0, 0, 0, 0]).numpy())
    [4.]
    """
    return _call(_sqrt_ns, data, indices, segment_ids, num_segments, name)
