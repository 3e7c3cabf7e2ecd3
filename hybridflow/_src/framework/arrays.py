"""From Python and NumPy values to arrays: which dtype a value gets, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, fp
from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = ["OutOfRangeInteger", "Unconvertible", "to_array"]

_INT32 = np.iinfo(np.int32)
# Python numbers below this fit every dtype of at least four bytes.
_PLAIN = 2**31
# The kinds of arrays whose items all become items of an array of the kind given.
_TAKES = {"b": "b", "i": "bi", "u": "bu", "f": "biuf", "c": "biufc"}
_TAKES["V"] = "biufV"  # bfloat16


class OutOfRangeInteger(DTypeError, ValueError):
    """An integer that no dtype, or not the one asked for, has room for.

    TensorFlow raises TypeError where it builds a graph and ValueError eagerly.
    """


class Unconvertible(TypeError, ValueError):
    """No tensor can hold a value: TypeError where TensorFlow builds a graph, ValueError eagerly."""


def to_array(value: Any, dtype: DType | None = None) -> np.ndarray:
    """The array of a Python or NumPy value, always a copy of what the caller owns.

    Python floats become float32 and ints int32 (int64 if they do not fit) unless `dtype` says
    otherwise; NumPy values keep their dtype.

    Raises:
      TypeError: if the value cannot have that dtype. ValueError: if it is None or ragged.
    """
    kind = value.__class__
    if (kind is float or kind is int) and -_PLAIN < value < _PLAIN:
        # The quick way, for what most programs convert.
        if dtype is None:
            return np.array(value, np.float32 if kind is float else np.int32)
        signed = dtype.is_integer and not dtype.is_unsigned
        if dtype.size >= 4 and (dtype.is_floating or (signed and kind is int)):
            return np.array(value, dtype.np)
    # `fp.quietly`, without a call.
    status = fp.state()
    try:
        fp.silence()
        return _of_any(value, dtype)
    finally:
        try:
            fp.restore(status)
        finally:
            pass


def _of_any(value: Any, dtype: DType | None) -> np.ndarray:
    if isinstance(value, (np.ndarray, np.generic)):
        return _of_numpy(value, dtype)
    if value is None:
        raise ValueError(
            "None values not supported: a number, list, array or tensor is wanted. A Python "
            "function without `return` gives None."
        )
    if isinstance(value, (Dimension, TensorShape)):
        if dtype is not None and not dtype.is_integer:
            kind = type(value).__name__
            raise DTypeError(f"Cannot convert a {kind} to dtype {dtype.name}: it holds integers.")
        value = _of_shape(value)
    return _of_python(value) if dtype is None else _as_dtype(value, dtype.base_dtype)


def _of_numpy(value: Any, dtype: DType | None) -> np.ndarray:
    if dtype is None:
        dtype = dtypes.as_dtype(value.dtype)
    if dtype.base_dtype is dtypes.string:
        return _strings(value)
    if value.dtype.kind == "O":  # of numbers perhaps, as old programs make them
        return _as_dtype(value.tolist(), dtype.base_dtype)
    if value.dtype.kind in "US":
        raise DTypeError(f"Expected {dtype.name}, got an array of {value.dtype}.")
    # ascontiguousarray would turn a scalar into a vector.
    return np.array(value, dtype.np, order="C")


def _of_python(value: Any) -> np.ndarray:
    """The array of a Python value, with the dtype that TF gives it."""
    array = _array(value)
    kind = array.dtype.kind
    if kind == "f":
        # Only Python floats and lists come here: arrays kept their dtype.
        return array.astype(np.float32) if array.dtype == np.float64 else array
    if kind == "i":
        fits = array.size == 0 or (array.min() >= _INT32.min and array.max() <= _INT32.max)
        return array.astype(np.int32) if fits and array.dtype == np.int64 else array
    if kind in "bc":
        return array
    if kind == "O" and _holds_dimension(value):
        return _of_python(_without_dimensions(value))
    if kind in "US" or (kind == "O" and array.size and _all_strings(array)):
        return _strings(value)
    if kind == "u" and not isinstance(value, int):
        return array
    if kind in "uO":
        _check_nesting(value)
        if _too_large(value):
            raise OutOfRangeInteger(f"No dtype takes an out-of-range integer: {value!r:.100}")
    raise Unconvertible(
        f"Failed to convert object of type {type(value)} to Tensor. Contents: {value!r:.200}. "
        "Consider casting elements to a supported type."
    )


def _as_dtype(value: Any, dtype: DType) -> np.ndarray:
    """The array of a Python value, as `dtype`."""
    if dtype is dtypes.string:
        return _strings(value)
    if dtype.np.kind == "O":
        raise DTypeError(f"Expected {dtype.name}, got {value!r:.100}.")
    array = _array(value)
    if array.dtype.kind not in _TAKES[dtype.np.kind]:
        _check_items(value, dtype)
    if array.dtype == dtype.np:
        return array
    try:
        return np.array(value, dtype.np)
    except OverflowError:
        raise OutOfRangeInteger(
            f"Expected {dtype.name}, got an out-of-range integer: {value!r:.100}"
        ) from None


def _array(value: Any) -> np.ndarray:
    try:
        return np.array(value, order="C")
    except ValueError as error:
        if isinstance(error, UnicodeDecodeError):  # text, and bytes that are none
            return np.array(value, object)
        if "inhomogeneous" in str(error):
            _check_nesting(value)
            raise ValueError(
                f"Argument must be a dense tensor: {value!r:.200} has rows of different lengths, "
                "it is a non-rectangular Python sequence."
            ) from None
        raise


def _check_nesting(value: Any) -> None:
    """Refuses sequences in which sequences stand beside single values."""
    if not isinstance(value, (list, tuple)):
        return
    nested = [isinstance(item, (list, tuple)) for item in value]
    if len(value) and not nested[0] and any(nested):
        raise ValueError(
            f"Argument must be a dense tensor: {value!r:.200} is a Python sequence with mixed "
            "types, single values and sequences."
        )
    for item in value:
        _check_nesting(item)


def _too_large(value: Any) -> bool:
    """Whether it is, or holds, an integer that no dtype has room for."""
    if isinstance(value, (list, tuple)):
        return any(_too_large(item) for item in value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _check_items(value: Any, dtype: DType) -> None:
    """Refuses what TF refuses: floats for an integer dtype, numbers for bool, and so on."""
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_items(item, dtype)
        return
    if isinstance(value, (bool, np.bool_)):
        good = True
    elif isinstance(value, (int, np.integer)):
        good = not dtype.is_bool
    elif isinstance(value, (float, np.floating)):
        good = dtype.is_floating or dtype.is_complex
    elif isinstance(value, (complex, np.complexfloating)):
        good = dtype.is_complex
    elif isinstance(value, Dimension):
        good = dtype.is_integer and value.value is not None
    else:
        # What gives an array of its own is cast as an array is.
        good = hasattr(value, "__array__")
    if not good:
        kind = type(value).__name__
        raise DTypeError(
            f"Expected {dtype.name}, got {value!r:.100} of type '{kind}' instead. A number takes "
            "the dtype of the tensor beside it: write one of that kind, or convert the tensor with "
            "`hf.cast`."
        )


# -- shapes among the values -----------------------------------------------------------------------


def _of_shape(value: Dimension | TensorShape) -> Any:
    if isinstance(value, Dimension):
        if value.value is None:
            raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
        return value.value
    if not value.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
    return value.as_list() or np.zeros(0, np.int32)


def _holds_dimension(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_dimension(item) for item in value)
    return isinstance(value, Dimension)


def _without_dimensions(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_dimensions(item) for item in value]
    return _of_shape(value) if isinstance(value, Dimension) else value


# -- strings ---------------------------------------------------------------------------------------


def _all_strings(array: np.ndarray) -> bool:
    return all(isinstance(item, (str, bytes)) for item in array.flat)


def _strings(value: Any) -> np.ndarray:
    """An array of bytes objects; text is encoded as UTF-8."""
    source = np.array(value, object)
    result = np.empty(source.shape, object)
    for index, item in np.ndenumerate(source):
        if not isinstance(item, (str, bytes)):
            raise DTypeError(
                f"Expected string, got {item!r:.100} of type '{type(item).__name__}' instead."
            )
        result[index] = item.encode() if isinstance(item, str) else bytes(item)
    return result
