"""Sequences of different lengths turned round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.math.reducing import renamed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["reverse_sequence"]


def _shape(attrs: dict[str, Any], x: Tensor, lengths: Tensor) -> shape_rules.Dims:
    (count,) = shape_rules.with_rank(lengths, 1)
    dims = x._dims
    if dims is None:
        return None
    for name in ("batch_dim", "seq_dim"):
        if not 0 <= attrs[name] < len(dims):
            raise ValueError(f"{name} must be < input rank: {attrs[name]} vs. {len(dims)}")
    at = attrs["batch_dim"]
    return (*dims[:at], shape_rules.same_size(dims[at], count), *dims[at + 1 :])


def _compute(x: np.ndarray, lengths: np.ndarray, seq_dim: int, batch_dim: int) -> np.ndarray:
    if batch_dim == seq_dim:
        raise ValueError(f"batch_dim == seq_dim == {seq_dim}")
    size = x.shape[seq_dim]
    if lengths.shape != (x.shape[batch_dim],):
        raise ValueError(f"Expected {x.shape[batch_dim]} lengths, got shape {lengths.shape}")
    for i, length in enumerate(lengths.tolist()):
        if not 0 <= length <= size:
            raise ValueError(f"seq_lens({i}) = {length} is not in [0, {size}]")
    place = np.arange(size)
    source = np.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    axes = [axis for axis in range(x.ndim) if axis not in (batch_dim, seq_dim)]
    if batch_dim > seq_dim:
        source = source.T
    return np.take_along_axis(x, np.expand_dims(source, axes), seq_dim)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for index in (np.int32, np.int64):
            for shape, lengths, seq_dim, batch_dim in (
                ((3, 4), [4, 0, 2], 1, 0),
                ((4, 2, 3), [3, 1, 4], 0, 2),
                ((2, 3, 2), [2, 3], 1, 0),
                ((0, 3), [], 1, 0),
            ):
                x = rng.normal(size=shape).astype(dtype)
                yield Sample(x, np.array(lengths, index), seq_dim=seq_dim, batch_dim=batch_dim)


_reverse_sequence = OpDef(
    "ReverseSequence",
    "input: T, seq_lengths: Tlen -> output: T",
    types={"Tlen": INDICES},
    attrs={"seq_dim": REQUIRED, "batch_dim": 0},
    shape=_shape,
    compute=_compute,
    grad=lambda op, dy: (
        raw.ReverseSequence(
            dy, op.inputs[1], seq_dim=op.get_attr("seq_dim"), batch_dim=op.get_attr("batch_dim")
        ),
        None,
    ),
    samples=_samples,
    checked=True,
)


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """The beginning of each sequence turned round, the rest as it is.

    Args:
      input: tensor in which sequences lie along one axis, a sequence for each index of another.
      seq_lengths: integer vector, a length for each sequence: how much of it is turned round.
      seq_axis: the axis along which the sequences lie.
      batch_axis: the axis of the sequences; by default 0.
      name: name of the op.
      seq_dim, batch_dim: older names of the two.

    Returns: a tensor of the dtype and shape of `input`.

    Raises:
      ValueError: if an axis is out of range, or `seq_lengths` is not of the right size.
      InvalidArgumentError: if the axes are one, or a length is larger than the sequence.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).numpy().tolist())
    [[2, 1, 3], [6, 5, 4]]
    """
    seq_axis = renamed("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch_axis = renamed("batch_axis", batch_axis, "batch_dim", batch_dim)
    if seq_axis is None:
        raise ValueError("seq_axis must be given.")
    return _reverse_sequence(
        input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis or 0, name=name
    )
