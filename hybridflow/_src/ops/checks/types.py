"""Assertions of what is known before anything runs: dtypes, and that a value is a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.control_flow.ordering import no_op

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "assert_integer",
    "assert_proper_iterable",
    "assert_same_float_dtype",
    "assert_type",
    "is_numeric_tensor",
]

_NUMERIC = (
    *(dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128),
    *(dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
    *(dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64),
)


def assert_proper_iterable(values: Any) -> None:
    """Asserts that `values` is meant to be iterated: a list, a tuple, a generator.

    Raises:
      TypeError: for a tensor, an array or a string, and for what cannot be iterated.

    >>> import hybridflow as hf
    >>> hf.assert_proper_iterable([1, 2])
    """
    if isinstance(values, (Tensor, SparseTensor, np.ndarray, str, bytes)):
        raise TypeError(
            f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}'
        )
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Any:
    """Asserts that `x` has an integer dtype.

    Returns: an operation that does nothing; None in eager mode.

    Raises:
      TypeError: if it has another.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_integer(hf.constant(1))
    """
    with name_scope(name, "assert_integer", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_integer:
            which = "tensor" if context.modes.top.eager else x.name
            raise TypeError(
                f'{message or ""}  Expected "x" to be integer type.  Found: {which} of dtype '
                f"{x.dtype!r}"
            )
        return no_op("statically_determined_was_integer")


def assert_type(
    tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None
) -> Any:
    """Asserts that a tensor has a certain dtype.

    Returns: an operation that does nothing; None in eager mode.

    Raises:
      TypeError: if it has another.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_type(hf.constant(1), hf.float32)
    Traceback (most recent call last):
    TypeError:   tensor must be of type <dtype: 'float32'>, got <dtype: 'int32'>
    """
    with name_scope(name, "assert_type", [tensor]):
        tensor = convert_to_tensor(tensor, name="tensor")
        if tensor.dtype != tf_type:
            which = "tensor" if context.modes.top.eager else tensor.name
            raise TypeError(
                f"{message or ''}  {which} must be of type {tf_type!r}, got {tensor.dtype!r}"
            )
        return no_op("statically_determined_correct_type")


def is_numeric_tensor(tensor: Any) -> bool:
    """Tells whether a value is a tensor of numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.is_numeric_tensor(hf.constant(1)), hf.is_numeric_tensor(hf.constant(True))
    (True, False)
    """
    return isinstance(tensor, Tensor) and tensor.dtype.base_dtype in _NUMERIC


def assert_same_float_dtype(tensors: Iterable[Any] | None = None, dtype: Any = None) -> Any:
    """Asserts that tensors share one floating dtype, and gives it.

    Args:
      tensors: tensors, variables or operations' results; None among them is passed over.
      dtype: the dtype that they must have.

    Returns: the dtype; float32 where there are neither tensors nor `dtype`.

    Raises:
      ValueError: if the dtypes differ, or are not floating.

    >>> import hybridflow as hf
    >>> hf.assert_same_float_dtype([], hf.float64)
    <dtype: 'float64'>
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
    first = None
    for item in tensors or ():
        if item is None:
            continue
        found = item.dtype.base_dtype
        if wanted is None:
            wanted, first = found, item
        elif found is not wanted:
            like = "" if first is None else f" as {_name(first)}"
            raise ValueError(
                f"{_name(item)}, type={found!r}, must be of the same type ({wanted!r}){like}."
            )
    wanted = wanted or dtypes.float32
    if not wanted.is_floating:
        raise ValueError(f"Expected floating point type, got {wanted!r}.")
    return wanted


def _name(item: Any) -> str:
    eager = context.modes.top.eager and isinstance(item, Tensor)
    return str(item) if eager else getattr(item, "name", str(item))
