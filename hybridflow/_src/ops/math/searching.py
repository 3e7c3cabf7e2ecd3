"""Where values belong among others that are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES, REALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["searchsorted"]


def _shape(attrs: dict[str, Any], sorted_inputs: Tensor, values: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(sorted_inputs, 2)
    shape_rules.with_rank(values, 2)
    return values._dims


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for rows, length, count in ((1, 4, 3), (2, 5, 6), (3, 0, 2), (2, 3, 0)):
            ordered = np.sort(rng.integers(0, 6, (rows, length)), axis=-1).astype(dtype)
            values = rng.integers(-1, 7, (rows, count)).astype(dtype)
            for out_type in INDICES:
                yield Sample(ordered, values, out_type=out_type)


def _record(name: str, side: Any) -> OpDef:
    def compute(sorted_inputs: np.ndarray, values: np.ndarray, out_type: DType) -> np.ndarray:
        if sorted_inputs.ndim != 2 or values.ndim != 2 or len(sorted_inputs) != len(values):
            raise InvalidArgumentError(
                None,
                None,
                f"{name}: expected matrices of as many rows, got shapes "
                f"{list(sorted_inputs.shape)} and {list(values.shape)}.",
            )
        found = np.empty(values.shape, out_type.np)
        for row, (ordered, wanted) in enumerate(zip(sorted_inputs, values, strict=True)):
            found[row] = np.searchsorted(ordered, wanted, side)
        return found

    return OpDef(
        name,
        "sorted_inputs: T, values: T -> output: out_type",
        types={"T": REALS, "out_type": INDICES},
        attrs={"out_type": dtypes.int32},
        shape=_shape,
        compute=compute,
        grad=not_differentiable,
        samples=_samples,
    )


_BOUNDS = {"left": _record("LowerBound", "left"), "right": _record("UpperBound", "right")}


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Where values would go into sequences that are in order. Of TensorFlow 1.15.

    Args:
      sorted_sequence: tensor `[..., n]` of a real dtype, in rising order along the last axis.
      values: tensor `[..., m]` of that dtype.
      side: "left" puts a value before those that equal it, "right" behind them.
      out_type: int32 or int64.
      name: scope of the ops.

    Returns: a tensor `[..., m]` of that dtype, of numbers in [0, n].

    Raises:
      ValueError: for another side.
      InvalidArgumentError: when it runs, if the tensors differ in another size than the last.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.searchsorted([1.0, 3.0, 3.0], [0.0, 3.0]).numpy())
    ...     print(hf.searchsorted([1.0, 3.0, 3.0], [0.0, 3.0], side="right").numpy())
    [0 1]
    [0 3]
    """
    if side not in _BOUNDS:
        raise ValueError(f"side must be either 'right' or 'left'.  Saw: {side!r}.")
    with name_scope(name, "searchsorted", [sorted_sequence, values]):
        ordered = convert_to_tensor(sorted_sequence, name="sorted_sequence")
        wanted = convert_to_tensor(values, ordered.dtype.base_dtype, "values")
        sizes = raw.Shape(wanted)
        # As matrices, also where there is nothing in them.
        lasts = [
            raw.StridedSlice(raw.Shape(t), [-1], [0], [1], end_mask=1) for t in (ordered, wanted)
        ]
        count = raw.Reshape(
            raw.Prod(raw.StridedSlice(sizes, [0], [-1], [1], begin_mask=1), [0]), [1]
        )
        rows = [
            raw.Reshape(tensor, raw.ConcatV2([count, last], 0))
            for tensor, last in zip((ordered, wanted), lasts, strict=True)
        ]
        found = _BOUNDS[side](*rows, out_type=dtypes.as_dtype(out_type))
        result: Tensor = raw.Reshape(found, sizes)
        result.set_shape(wanted.shape)
        return result
