"""Elements moved along axes: what leaves at one end comes back at the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["roll"]


def _shape(attrs: dict[str, Any], x: Tensor, shift: Tensor, axis: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank_at_least(x, 1)
    for name, tensor in (("shift", shift), ("axis", axis)):
        dims = tensor._dims
        if dims is not None and len(dims) > 1:
            raise ValueError(f"{name} must be a scalar or a vector, got shape {list(dims)}")
    if shift._dims is not None and axis._dims is not None and shift._dims != axis._dims:
        sizes = shift._dims, axis._dims
        if len(sizes[0]) != len(sizes[1]) or None not in (*sizes[0], *sizes[1]):
            raise ValueError(
                f"shift and axis must have the same size, got {list(sizes[0])} and {list(sizes[1])}"
            )
    value = constant_value(axis)
    if value is not None and x._dims is not None:
        for at in np.atleast_1d(value).tolist():
            shape_rules.axis_of(at, len(x._dims))
    return x._dims


def _compute(x: np.ndarray, shift: np.ndarray, axis: np.ndarray) -> np.ndarray:
    # NumPy takes a scalar beside a vector, which the shape rule does not.
    return np.roll(x, shift.tolist(), axis.tolist())


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for dims, shift, axis in (
            ((5,), 2, 0),
            ((2, 3), -1, 1),
            ((2, 3), 7, -1),
            ((2, 3), [1, -2], [0, 1]),
            ((2, 3), [1, 1], [1, 1]),
            ((0, 2), 1, 0),
        ):
            x = (10 * rng.normal(size=dims)).astype(dtype)
            yield Sample(
                x,
                np.array(shift, np.int32),
                np.array(axis, np.int64),
                differentiable=dtype is not np.int32,
            )


_roll = OpDef(
    "Roll",
    "input: T, shift: Tshift, axis: Taxis -> output: T",
    types={"Tshift": INDICES, "Taxis": INDICES},
    shape=_shape,
    compute=_compute,
    grad=lambda op, dy: (raw.Roll(dy, raw.Neg(op.inputs[1]), op.inputs[2]), None, None),
    samples=_samples,
    checked=True,
)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Moves elements along axes by whole steps; those that leave at one end come in at the other.

    Of TensorFlow 1.15, where it is `tf.roll` and `tf.manip.roll`.

    Args:
      input: tensor of at least one dimension.
      shift: an integer, or a vector of them, one for each entry of `axis`: by how many places. A
        negative one moves towards the beginning.
      axis: an integer, or a vector of them; one that is named twice is moved by the sum.
      name: name of the op.

    Returns: a tensor like `input`.

    Raises:
      ValueError: for a scalar `input`, sizes of `shift` and `axis` that differ, or an axis that
        `input` does not have.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.roll([0, 1, 2, 3, 4], shift=2, axis=0).numpy())
    [3 4 0 1 2]
    """
    return _roll(input, shift, axis, name=name)
