"""Pooling over regions of fractional size, drawn at random."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.pooling import regions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["fractional_avg_pool", "fractional_max_pool"]

_TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
_ATTRS = {
    "pooling_ratio": REQUIRED,
    "pseudo_random": False,
    "overlapping": False,
    "deterministic": False,
    "seed": 0,
    "seed2": 0,
}
_OUTPUTS = "row_pooling_sequence: int64, col_pooling_sequence: int64"


# -- records ---------------------------------------------------------------------------------------


def _shape(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    dims, ratios = shape_rules.with_rank(x, 4), attrs["pooling_ratio"]
    if len(ratios) != 4:
        raise ValueError(f"pooling_ratio field must specify 4 dimensions, got {len(ratios)}")
    if ratios[0] != 1 or ratios[3] != 1:
        raise ValueError(f"pooling_ratio of batch and channels must be 1, got {list(ratios)}")
    if min(ratios) < 1:
        raise ValueError(f"pooling_ratio cannot be smaller than 1, got {list(ratios)}")
    pooled = [None if n is None else int(n / r) for n, r in zip(dims, ratios, strict=True)]
    ends = [(None if n is None else n + 1,) for n in pooled[1:3]]
    return [tuple(pooled), *ends]


def _kernel_of(meaning: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def kernel(
        pooling_ratio: Any,
        pseudo_random: bool,
        overlapping: bool,
        deterministic: bool,
        seed: int,
        seed2: int,
    ) -> Callable[..., Any]:
        if not deterministic and (seed or seed2):
            raise InvalidArgumentError(
                None, None, "Both seed and seed2 should be 0 if deterministic is false."
            )
        if deterministic and not (seed or seed2):
            seed = int.from_bytes(os.urandom(8), "little") | 1

        def compute(x: np.ndarray, **_: Any) -> tuple[np.ndarray, ...]:
            # The same regions in every run where they are deterministic.
            generator = Philox(seed, seed2)
            rows, columns = (
                regions.sequence(generator, n, int(n / ratio), pseudo_random)
                for n, ratio in zip(x.shape[1:3], pooling_ratio[1:3], strict=True)
            )
            return meaning(x, rows, columns, overlapping), rows, columns

        return compute

    return kernel


def _like_input(attrs: dict[str, Any], x: Tensor, *_: Tensor) -> Any:
    return shape_rules.with_rank(x, 4)


def _of_sizes(attrs: dict[str, Any], sizes: Tensor, *_: Tensor) -> Any:
    dims = constant_dims(sizes)
    return (None,) * 4 if dims is None else dims


def _pooled(attrs: dict[str, Any], x: Tensor, *others: Tensor) -> Any:
    dims = shape_rules.with_rank(x, 4)
    ends = [shape_rules.with_rank(t, 1)[0] for t in others[-2:]]
    return (dims[0], *[None if n is None else n - 1 for n in ends], dims[3])


def _call(name: str, op: Any, *tensors: Any) -> Any:
    """Calls an op with the same regions."""
    return getattr(raw, name)(*tensors, overlapping=op.get_attr("overlapping"))


def _cases(rng: np.random.Generator) -> Iterable[tuple[Any, dict[str, Any]]]:
    for dtype in (np.float32, np.float64):
        for shape, ratios, pseudo, overlapping in (
            ((2, 5, 7, 2), (1.0, 1.4, 1.6, 1.0), False, False),
            ((1, 8, 5, 1), (1.0, 2.7, 1.3, 1.0), True, True),
        ):
            x = (rng.permutation(int(np.prod(shape))) * 0.1).reshape(shape).astype(dtype)
            yield (
                x,
                {
                    "pooling_ratio": ratios,
                    "pseudo_random": pseudo,
                    "overlapping": overlapping,
                    "deterministic": True,
                    "seed": 5,
                    "seed2": 3,
                },
            )


def _pooling_samples(rng: np.random.Generator) -> Iterable[Sample]:
    return (Sample(x, **attrs) for x, attrs in _cases(rng))


def _divided(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    for x, attrs in _cases(rng):
        y, rows, columns = _kernel_of(regions.largest)(**attrs)(x)
        yield x, y, rows, columns, {"overlapping": attrs["overlapping"]}


def _max_grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, y, rows, columns, attrs in _divided(rng):
        yield Sample(x, y, rng.normal(size=y.shape).astype(x.dtype), rows, columns, **attrs)


def _max_at_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, y, rows, columns, attrs in _divided(rng):
        yield Sample(x, y, rng.normal(size=x.shape).astype(x.dtype), rows, columns, **attrs)


def _avg_grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, y, rows, columns, attrs in _divided(rng):
        dy = rng.normal(size=y.shape).astype(x.dtype)
        yield Sample(np.array(x.shape, np.int64), dy, rows, columns, **attrs)


def _avg_at_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, _, rows, columns, attrs in _divided(rng):
        yield Sample(x, rows, columns, **attrs)


# -- in files: TensorFlow has no gradients of the gradients ----------------------------------------


def _copies(starts: Tensor, overlapping: bool) -> tuple[Tensor, Tensor]:
    """The places of one dimension, those in two regions twice; and in which region each is."""
    inner = starts[1:-1]
    places = raw.Range(np.int64(0), starts[-1], np.int64(1))
    begun = raw.GreaterEqual(raw.ExpandDims(places, 1), inner)
    region = raw.Sum(raw.Cast(begun, DstT=dtypes.int32), [1])
    if overlapping:
        places = raw.ConcatV2([places, inner], 0)
        region = raw.ConcatV2([region, raw.Range(0, raw.Size(inner), 1)], 0)
    return places, region


def _per_region(reduced: OpDef, x: Tensor, axis: int, region: Tensor, starts: Tensor) -> Tensor:
    """Reduces what stands in each region of one axis."""
    order = list(range(4))
    order[0], order[axis] = axis, 0
    found = reduced(raw.Transpose(x, order), region, raw.Size(starts) - 1)
    return raw.Transpose(found, order)


def _mean_of_ops(op: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """`regions.mean` by TensorFlow's ops."""
    share: Any = 1
    for axis, starts in ((1, rows), (2, columns)):
        places, region = _copies(starts, op.get_attr("overlapping"))
        x = raw.GatherV2(x, places, axis)
        x = _per_region(raw.UnsortedSegmentSum, x, axis, region, starts)
        ones = raw.OnesLike(raw.Cast(places, DstT=x.dtype))
        count = raw.UnsortedSegmentSum(ones, region, raw.Size(starts) - 1)
        share = share * raw.Reshape(count, [-1, *[1] * (3 - axis)])
    return raw.RealDiv(x, share)


def _at_largest_of_ops(
    op: Any, x: Tensor, y: Tensor, values: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """`regions.at_largest` by TensorFlow's ops: the first place of a region that has its value."""
    overlapping = op.get_attr("overlapping")
    (down, above), (across, left) = _copies(rows, overlapping), _copies(columns, overlapping)
    copies = raw.GatherV2(raw.GatherV2(x, down, 1), across, 2)
    largest = raw.GatherV2(raw.GatherV2(y, above, 1), left, 2)
    none = rows[-1] * columns[-1]
    zeros = raw.ZerosLike(raw.Cast(copies, DstT=dtypes.int64))
    place = zeros + raw.ExpandDims(raw.ExpandDims(down, 1) * columns[-1] + across, 2)
    keys = raw.Select(raw.Equal(copies, largest), raw.Neg(place), zeros - none)
    keys = _per_region(raw.UnsortedSegmentMax, keys, 1, above, rows)
    first = raw.Neg(_per_region(raw.UnsortedSegmentMax, keys, 2, left, columns))
    sizes = raw.Cast(raw.Shape(x), DstT=dtypes.int64)
    image = raw.Reshape(raw.Range(np.int64(0), sizes[0], np.int64(1)), [-1, 1, 1, 1])
    channel = raw.Range(np.int64(0), sizes[3], np.int64(1))
    index = (image * none + raw.Minimum(first, none - 1)) * sizes[3] + channel
    return raw.GatherV2(raw.Reshape(values, [-1]), index, 0)


_max_pool = OpDef(
    "FractionalMaxPool",
    f"value: T -> output: T, {_OUTPUTS}",
    types=_TYPES,
    attrs=_ATTRS,
    shape=_shape,
    kernel=_kernel_of(regions.largest),
    grad=lambda op, dy, *_: _call(
        "FractionalMaxPoolGrad", op, op.inputs[0], op.outputs[0], dy, *op.outputs[1:]
    ),
    samples=_pooling_samples,
    checked=True,
)
OpDef(
    "FractionalMaxPoolGrad",
    "orig_input: T, orig_output: T, out_backprop: T, row_pooling_sequence: int64, "
    "col_pooling_sequence: int64 -> output: T",
    types=_TYPES,
    attrs={"overlapping": False},
    shape=_like_input,
    compute=regions.largest_gradient,
    grad=lambda op, dz: (
        None,
        None,
        _call("FractionalMaxPoolAt", op, *op.inputs[:2], dz, *op.inputs[3:]),
        None,
        None,
    ),
    samples=_max_grad_samples,
)
OpDef(
    "FractionalMaxPoolAt",
    "orig_input: T, orig_output: T, values: T, row_pooling_sequence: int64, "
    "col_pooling_sequence: int64 -> output: T",
    types=_TYPES,
    attrs={"overlapping": False},
    shape=_pooled,
    compute=regions.at_largest,
    grad=lambda op, dz: (
        None,
        None,
        _call("FractionalMaxPoolGrad", op, *op.inputs[:2], dz, *op.inputs[3:]),
        None,
        None,
    ),
    samples=_max_at_samples,
    written=lambda nodes, op: nodes.composed(op, _at_largest_of_ops),
)
_avg_pool = OpDef(
    "FractionalAvgPool",
    f"value: T -> output: T, {_OUTPUTS}",
    types=_TYPES,
    attrs=_ATTRS,
    shape=_shape,
    kernel=_kernel_of(regions.mean),
    grad=lambda op, dy, *_: _call(
        "FractionalAvgPoolGrad", op, shape_of(op.inputs[0], dtypes.int64), dy, *op.outputs[1:]
    ),
    samples=_pooling_samples,
    checked=True,
)
OpDef(
    "FractionalAvgPoolGrad",
    "orig_input_tensor_shape: int64, out_backprop: T, row_pooling_sequence: int64, "
    "col_pooling_sequence: int64 -> output: T",
    types=_TYPES,
    attrs={"overlapping": False},
    shape=_of_sizes,
    compute=regions.mean_gradient,
    grad=lambda op, dz: (
        None,
        _call("FractionalAvgPoolAt", op, dz, *op.inputs[2:]),
        None,
        None,
    ),
    samples=_avg_grad_samples,
)
OpDef(
    "FractionalAvgPoolAt",
    "input: T, row_pooling_sequence: int64, col_pooling_sequence: int64 -> output: T",
    types=_TYPES,
    attrs={"overlapping": False},
    shape=_pooled,
    compute=regions.mean,
    grad=lambda op, dz: (
        _call(
            "FractionalAvgPoolGrad",
            op,
            shape_of(op.inputs[0], dtypes.int64),
            dz,
            *op.inputs[1:],
        ),
        None,
        None,
    ),
    samples=_avg_at_samples,
    written=lambda nodes, op: nodes.composed(op, _mean_of_ops),
)


# -- public functions ------------------------------------------------------------------------------


def _each(ratio: Any) -> tuple[float, ...]:
    """The ratios of the four dimensions."""
    if not isinstance(ratio, Iterable):
        raise TypeError(
            "pooling_ratio are 4 floats, one for each dimension: "
            f"`pooling_ratio=[1.0, {ratio}, {ratio}, 1.0]`; got {ratio!r}."
        )
    return tuple([float(r) for r in ratio])


class FractionalPool(NamedTuple):
    """What fractional pools give."""

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


def fractional_max_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """The largest element of each region, where rows and columns are divided at random.

    Args:
      value: tensor `[batch, height, width, channels]` of float32, float64, int32 or int64.
      pooling_ratio: 4 floats from 1, how much smaller the output is; those of batch and channels
        are 1.
      pseudo_random: regions of two sizes at almost equal distances; by default in random order.
      overlapping: each region also has the first row and column of the next.
      deterministic: the same regions in every run.
      seed, seed2: seeds of the regions, where they are deterministic.
      name: name of the op.

    Returns: `(output, row_pooling_sequence, col_pooling_sequence)`: a tensor
      `[batch, out_height, out_width, channels]`, sizes rounded down; and
      where the regions of rows and of columns begin, int64 `[out_height + 1]`, `[out_width + 1]`.

    Raises:
      ValueError: if the ratios are not allowed.
      InvalidArgumentError: for seeds of regions that are not deterministic.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     y, rows, _ = hf.nn.fractional_max_pool(hf.ones([1, 5, 5, 1]), [1.0, 1.5, 1.5, 1.0])
    ...     print(y.shape, rows.numpy()[[0, -1]])
    (1, 3, 3, 1) [0 5]

    References:
      Graham, Fractional Max-Pooling (2015).
    """
    y, rows, columns = _max_pool(
        value,
        pooling_ratio=_each(pooling_ratio),
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )
    return FractionalPool(y, rows, columns)


def fractional_avg_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """The mean of each region, where rows and columns are divided at random.

    Args:
      value: tensor `[batch, height, width, channels]` of float32, float64, int32 or int64.
      pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2: as in
        `fractional_max_pool`.
      name: name of the op.

    Returns: `(output, row_pooling_sequence, col_pooling_sequence)`: a tensor
      `[batch, out_height, out_width, channels]`, sizes rounded down; and
      where the regions of rows and of columns begin, int64 `[out_height + 1]`, `[out_width + 1]`.

    Raises:
      ValueError: if the ratios are not allowed.
      InvalidArgumentError: for seeds of regions that are not deterministic.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     y, _, _ = hf.nn.fractional_avg_pool(hf.ones([1, 5, 5, 1]), [1.0, 1.5, 1.5, 1.0])
    ...     print(y.numpy().mean())
    1.0

    References:
      Graham, Fractional Max-Pooling (2015).
    """
    y, rows, columns = _avg_pool(
        value,
        pooling_ratio=_each(pooling_ratio),
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )
    return FractionalPool(y, rows, columns)
