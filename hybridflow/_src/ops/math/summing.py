"""Sums of lists of tensors, and products with a scalar."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import NUMBERS
from hybridflow._src.plan.nested import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["accumulate_n", "add_n", "scalar_mul"]


def _sum_of(*arrays: Any, **_: Any) -> Any:
    if isinstance(arrays[0], Turns):
        return functools.reduce(_sum_of_lists, arrays)
    if len(arrays) == 1:
        return arrays[0].copy()
    total = np.add(arrays[0], arrays[1])
    for array in arrays[2:]:
        total += array
    return total


def _sum_of_lists(first: Turns, second: Any) -> Turns:
    """Lists of tensors, element by element; one that is not set is zero."""
    if len(first) != len(second):
        raise InvalidArgumentError(
            None,
            None,
            f"Trying to add two lists of tensors with different lengths. One is {len(first)} and "
            f"other is {len(second)}",
        )
    return Turns(
        y if x is None else x if y is None else _sum_of(x, y)
        for x, y in zip(first, second, strict=True)
    )


def _native_sum_of(b: Any, *values: Any, **_: Any) -> Any:
    if len(values) == 1:
        return b.copy(values[0])
    # One after the other, so that as many kernels add as it takes.
    return functools.reduce(lambda total, value: b.elementwise(np.add, total, value), values)


def _add_n_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((2, 3), (), (0, 2)):
            for count in (1, 2, 4):
                yield Sample([np.asarray(rng.normal(size=shape), dtype) for _ in range(count)])


_add_n = OpDef(
    "AddN",
    "inputs: N*T -> sum: T",
    types=(*NUMBERS, dtypes.variant),
    shape=shape_rules.merging,
    compute=_sum_of,
    grad=lambda op, dy: [dy] * len(op.inputs),
    samples=_add_n_samples,
    checked=True,
    native=_native_sum_of,
)
_accumulate_n = OpDef(
    "AccumulateNV2",
    "inputs: N*T -> sum: T",
    types=NUMBERS,
    attrs={"shape": None},
    shape=shape_rules.merging,
    compute=_sum_of,
    grad=lambda op, dy: [dy] * len(op.inputs),
    samples=_add_n_samples,
    checked=True,
    native=_native_sum_of,
)


def scalar_mul(scalar: Any, x: Any) -> Any:
    """`scalar * x` for a scalar and a tensor or `IndexedSlices`, whose rows alone are scaled.

    Args:
      scalar: number or scalar tensor, of the dtype of `x`.
      x: tensor or `IndexedSlices`.

    Returns: what `x` is: a tensor or `IndexedSlices`.

    Raises:
      ValueError: if `scalar` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.scalar_mul(2.0, hf.constant([1.0, 3.0])).numpy())
    [2. 6.]
    """
    dtype = getattr(x, "dtype", None)
    dtype = dtype.base_dtype if isinstance(dtype, DType) else None
    scalar = convert_to_tensor(scalar, dtype, name="scalar")
    if scalar._dims != ():
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(scalar * x.values, x.indices, x.dense_shape)
    return scalar * x


def _summands(inputs: Any) -> list[Any]:
    """The list of tensors to add up.

    Raises:
      ValueError: if it is empty or no list.
    """
    if not inputs or not isinstance(inputs, list | tuple):
        raise ValueError(
            "inputs must be a list of at least one Tensor with the same dtype and shape, got "
            f"{inputs!r:.200}"
        )
    return list(inputs)


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one dtype and shape.

    Args:
      inputs: non-empty list of tensors or `IndexedSlices` of a known dense shape.
      name: name of the op.

    Returns: a tensor of that dtype and shape; the only element of a list of one.

    Raises:
      ValueError: if the list is empty or the shapes differ (nothing is broadcast).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.add_n([hf.constant([1, 2]), hf.constant([3, 4]), hf.constant([5, 6])]).numpy())
    [ 9 12]
    """
    summands = _summands(inputs)
    if len(summands) == 1:
        only = convert_to_tensor(summands[0])
        return raw.Identity(only, name=name) if name else only
    return _add_n(summands, name=name)


def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None
) -> Tensor:
    """The sum of a list of tensors of one dtype and shape, as `add_n`.

    Args:
      inputs: non-empty list of tensors.
      shape: the shape that they have, where it is not known from them.
      tensor_dtype: the dtype that they have.
      name: name of the op.

    Returns: a tensor of that dtype and shape; the only element of a list of one.

    Raises:
      ValueError: if the list is empty or the shapes differ. TypeError: if `tensor_dtype` is
        another one.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.accumulate_n([hf.constant([1, 2]), hf.constant([3, 4])]).numpy())
    [4 6]
    """
    tensors = [convert_to_tensor(item) for item in _summands(inputs)]
    dtype = tensors[0].dtype.base_dtype
    if tensor_dtype is not None and dtypes.as_dtype(tensor_dtype) is not dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {dtype}")
    full = as_shape(shape)
    for tensor in tensors:
        full = full.merge_with(tensor.shape)
    if len(tensors) == 1:
        return raw.Identity(tensors[0], name=name) if name else tensors[0]
    return _accumulate_n(tensors, shape=full, name=name or "AccumulateN")
