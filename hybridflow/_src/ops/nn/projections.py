"""Projections of rows (vectors along the last axis) that are not compositions of other ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.kernels import projections as kernels
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import FLOATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

# Rounds of pooling must merge at least this share of all blocks to be worth another pass.
_WORTHWHILE = 1 / 16


def _rows(attrs: dict[str, Any], x: Tensor, *_: Tensor) -> shape_rules.Dims:
    return shape_rules.with_rank_at_least(x, 1)


# -- ProjectSimplex --------------------------------------------------------------------------------


def _simplex(w: np.ndarray, total: float, solid: bool) -> np.ndarray:
    """For each row x the nearest y >= 0 with sum(y) = total, or with sum(y) <= total if `solid`.

    y = max(x - t, 0), where t is such that the sum is right. With u the elements in descending
    order and S_j the sum of the first j of them, t = max_j (S_j - total) / j: going from j to j + 1
    this mean of excesses grows as long as u_{j+1} is above it, that is, as long as that element
    stays positive.

    Numbers are taken relative to the largest, so that a common offset costs no precision.
    """
    if not w.size:
        return w.copy()
    u = np.sort(w, axis=-1)[..., ::-1].astype(np.float64)
    top = u[..., :1]
    excess = np.cumsum(u - top, axis=-1) - total
    t = (excess / np.arange(1, w.shape[-1] + 1)).max(axis=-1, keepdims=True)
    y = (w - top) - t
    if solid:
        y = np.where(t + top <= 0, w, y)
    return np.maximum(y, 0).astype(w.dtype)


def _simplex_grad(op: Any, dy: Tensor) -> Any:
    """Positive elements share what is left when their mean is taken away, if the sum is fixed."""
    x, y = op.inputs[0], op.outputs[0]
    positive = raw.Cast(raw.Greater(y, raw.ZerosLike(y)), DstT=dy.dtype)
    last = np.array([-1], np.int32)
    count = raw.Maximum(raw.Sum(positive, last, keep_dims=True), 1.0)
    mean = raw.Sum(dy * positive, last, keep_dims=True) / count
    if op.get_attr("solid"):
        moved = raw.NotEqual(y, raw.Maximum(x, 0.0))
        mean = mean * raw.Cast(raw.Any(moved, last, keep_dims=True), DstT=dy.dtype)
    return (dy - mean) * positive


def _simplex_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for solid in (False, True):
            for shape in ((5,), (4, 3), (2, 2, 3), (0, 3), (3, 0), (1,)):
                yield Sample(rng.normal(size=shape).astype(dtype), total=1.0, solid=solid)
        yield Sample(rng.normal(size=(2, 3)).astype(dtype), total=0.0, differentiable=False)
        yield Sample(rng.normal(size=(2, 3)).astype(dtype), total=100.0, solid=True)


def _simplex_of_ops(op: Any, x: Tensor) -> Tensor:
    """`_simplex` by TensorFlow's ops."""
    wide, size = raw.Cast(x, DstT=dtypes.float64), raw.Shape(x)[-1]
    u = raw.TopKV2(wide, size)[0]
    top = u[..., :1]
    excess = raw.Cumsum(u - top, -1) - float(op.get_attr("total"))
    counts = raw.Cast(raw.Range(1, size + 1, 1), DstT=dtypes.float64)
    t = raw.Max(excess / counts, [-1], keep_dims=True)
    if op.get_attr("solid"):
        t = raw.Maximum(t, raw.Neg(top))
    return raw.Cast(raw.Maximum((wide - top) - t, 0.0), DstT=x.dtype)


_project_simplex = OpDef(
    "ProjectSimplex",
    "input: T -> output: T",
    types=FLOATS,
    attrs={"total": REQUIRED, "solid": False},
    shape=_rows,
    compute=_simplex,
    grad=_simplex_grad,
    samples=_simplex_samples,
    native=lambda b, x, total, solid: b.by_rows(kernels.project_simplex, x, float(total), solid),
    written=lambda nodes, op: nodes.composed(op, _simplex_of_ops),
)


# -- IsotonicRegression ----------------------------------------------------------------------------


def _isotonic_dims(attrs: dict[str, Any], x: Tensor) -> list[shape_rules.Dims]:
    dtype = x.dtype.base_dtype
    if attrs["output_dtype"] not in (None, dtype):
        raise ValueError(f"output_dtype is {attrs['output_dtype'].name}, the input {dtype.name}")
    return [_rows(attrs, x)] * 2


def _isotonic(x: np.ndarray, output_dtype: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """For each row the nearest one that does not increase, and the number of each element's block.

    Adjacent blocks out of order are pooled into one with their mean, until none are: the order of
    pooling does not matter. Whole runs out of order are pooled at once, in all rows together, as
    long as a pass merges many of them; the rest one by one, which takes linear time.
    """
    flat = x.reshape(-1).astype(np.float64)
    size = x.shape[-1]
    sums: np.ndarray = flat
    counts: np.ndarray = np.ones(flat.size, np.int64)
    row = np.repeat(np.arange(flat.size // max(size, 1)), size)
    while True:
        means = sums / counts
        joins = (means[:-1] < means[1:]) & (row[:-1] == row[1:])
        if np.count_nonzero(joins) <= _WORTHWHILE * joins.size:
            break
        starts = np.flatnonzero(np.append(True, ~joins))
        sums, counts = np.add.reduceat(sums, starts), np.add.reduceat(counts, starts)
        row = row[starts]
    if joins.any():
        means, counts, row = _pool(means, counts, row)
    first = np.searchsorted(row, np.arange(flat.size // max(size, 1)))
    segments = np.repeat(np.arange(len(row)) - first[row], counts).reshape(x.shape)
    y = np.repeat(means, counts).reshape(x.shape)
    y[np.isnan(x).any(axis=-1)] = np.nan
    return y.astype(x.dtype), segments.astype(np.int32)


def _pool(means: np.ndarray, counts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Pools blocks from the left to the right; a pooled block may be out of order with the last."""
    pooled: list[tuple[float, int, int]] = []
    for mean, count, row in zip(means.tolist(), counts.tolist(), rows.tolist(), strict=True):
        while pooled and pooled[-1][0] < mean and pooled[-1][2] == row:
            last, size, _ = pooled.pop()
            mean, count = (last * size + mean * count) / (size + count), size + count
        pooled.append((mean, count, row))
    means, counts, rows = (np.array(column) for column in zip(*pooled, strict=True))
    return means, counts, rows


def _write_isotonic(nodes: Any, op: Any) -> None:
    """TensorFlow has the op since 2.5; it asks for the dtype of the output."""
    dtype = op.get_attr("T")
    given = {"T": dtype, "output_dtype": dtype}
    nodes.node(op, op.type, [nodes.input(op.inputs[0])], given)


def _isotonic_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((6,), (3, 5), (2, 2, 3), (0, 3), (3, 0), (1,)):
            yield Sample(rng.normal(size=shape).astype(dtype))


_isotonic_regression = OpDef(
    "IsotonicRegression",
    "input: T -> output: T, segments: int32",
    types=FLOATS,
    attrs={"output_dtype": None},
    shape=_isotonic_dims,
    compute=_isotonic,
    grad=lambda op, dy, _: None if dy is None else raw.SegmentMeans(dy, op.outputs[1]),
    samples=_isotonic_samples,
    written=_write_isotonic,
)


# -- SegmentMeans ----------------------------------------------------------------------------------


def _segment_means(x: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Each element replaced by the mean of its run of equal numbers in the row of `segments`."""
    if not x.size:
        return x.copy()
    ends = np.ones(x.shape, bool)
    ends[..., 1:] = segments[..., 1:] != segments[..., :-1]
    starts = np.flatnonzero(ends)
    counts = np.diff(np.append(starts, x.size))
    means = np.add.reduceat(x.reshape(-1).astype(np.float64), starts) / counts
    return np.repeat(means, counts).reshape(x.shape).astype(x.dtype)


def _segment_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((6,), (3, 5), (0, 3), (3, 0)):
            segments = np.cumsum(rng.uniform(size=shape) < 0.5, axis=-1).astype(np.int32)
            yield Sample(rng.normal(size=shape).astype(dtype), segments)


def _segment_means_of_ops(op: Any, x: Tensor, segments: Tensor) -> Tensor:
    """`_segment_means` by TensorFlow's ops, for rows whose segments have numbers from 0 on."""
    size = raw.Shape(x)[-1]
    rows = raw.FloorDiv(raw.Size(x), raw.Maximum(size, 1))
    shape = raw.Pack([rows, size])
    places = raw.Reshape(segments, shape) + raw.ExpandDims(raw.Range(0, rows, 1), 1) * size
    wide = raw.Reshape(raw.Cast(x, DstT=dtypes.float64), shape)
    sums, counts = (
        raw.UnsortedSegmentSum(t, places, raw.Size(x)) for t in (wide, raw.OnesLike(wide))
    )
    means = raw.GatherV2(sums / raw.Maximum(counts, 1.0), places, 0)
    return raw.Reshape(raw.Cast(means, DstT=x.dtype), raw.Shape(x))


_segment_means_op = OpDef(
    "SegmentMeans",
    "input: T, segments: int32 -> output: T",
    types=FLOATS,
    shape=lambda attrs, x, segments: shape_rules.merging(attrs, x, segments),
    compute=_segment_means,
    grad=lambda op, dy: (raw.SegmentMeans(dy, op.inputs[1]), None),
    samples=_segment_samples,
    written=lambda nodes, op: nodes.composed(op, _segment_means_of_ops),
)
