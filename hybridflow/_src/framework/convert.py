"""From Python values to arrays and tensors: `convert_to_tensor` and its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.registry import OPS, raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph

    Converter = Callable[[Any, DType | None, str | None, bool], Any]

_GRAPH_IN_EAGER = (
    "{tensor} belongs to a graph and has no value in eager mode. Run the code that uses it in "
    "graph mode (`with {where}:`), or get its value with `session.run(t)` and use that."
)
_INT32 = np.iinfo(np.int32)


# -- values to arrays ------------------------------------------------------------------------------


def to_array(value: Any, dtype: DType | None = None) -> np.ndarray:
    """The array of a Python or NumPy value, always a copy of what the caller owns.

    Python floats become float32 and ints int32 (int64 if they do not fit) unless `dtype` says
    otherwise; NumPy values keep their dtype.

    Raises:
      TypeError: if the value cannot have that dtype. ValueError: if it is None or ragged.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _numpy_value(value, dtype)
    if value is None:
        raise ValueError("None values not supported.")
    if isinstance(value, Dimension | TensorShape):
        value = _static_int(value)
    if dtype is not None:
        dtype = dtype.base_dtype
        _check_python_value(value, dtype)
        if dtype is dtypes.string:
            return _string_array(value)
        try:
            return np.array(value, dtype.np)
        except OverflowError:
            raise TypeError(f"Value {value!r} is out of range for dtype {dtype.name}.") from None
        except ValueError as error:
            raise ValueError(_ragged(value, error)) from None
    try:
        array = np.array(value)
    except ValueError as error:
        raise ValueError(_ragged(value, error)) from None
    kind = array.dtype.kind
    if kind == "O" and isinstance(value, list | tuple) and _holds_dimension(value):
        return to_array(_without_dimensions(value))
    if kind == "f":
        # Only Python floats and lists come here: arrays kept their dtype above.
        return array.astype(np.float32) if array.dtype == np.float64 else array
    if kind == "i":
        fits = array.size == 0 or (array.min() >= _INT32.min and array.max() <= _INT32.max)
        return array.astype(np.int32) if fits and array.dtype == np.int64 else array
    if kind in "US" or (kind == "O" and _all_strings(array)):
        return _string_array(value)
    if array.size == 0 and kind == "O":
        return array.astype(np.float32)
    if kind in "bcu":
        return array
    raise TypeError(
        f"Cannot convert a value of type {type(value).__name__} to a tensor: {value!r:.200}"
    )


def _numpy_value(value: Any, dtype: DType | None) -> np.ndarray:
    if dtype is None:
        dtype = dtypes.as_dtype(value.dtype)
    if dtype.base_dtype is dtypes.string:
        return _string_array(value)
    if value.dtype.kind in "OUS":
        raise TypeError(f"Expected {dtype.name}, got an array of {value.dtype}.")
    # ascontiguousarray would turn a scalar into a vector.
    return np.array(value, dtype.np, order="C")


def _static_int(value: Dimension | TensorShape) -> Any:
    if isinstance(value, Dimension):
        if value.value is None:
            raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
        return value.value
    if not value.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
    return value.as_list() or np.zeros(0, np.int32)


def _holds_dimension(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_dimension(item) for item in value)
    return isinstance(value, Dimension)


def _without_dimensions(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_dimensions(item) for item in value]
    return _static_int(value) if isinstance(value, Dimension) else value


def _check_python_value(value: Any, dtype: DType) -> None:
    """Refuses what TF refuses: floats for an integer dtype, numbers for bool, and so on."""
    if isinstance(value, list | tuple):
        for item in value:
            _check_python_value(item, dtype)
        return
    if isinstance(value, bool | np.bool_):
        good = dtype.is_bool
    elif isinstance(value, int | np.integer):
        good = dtype.is_integer or dtype.is_floating or dtype.is_complex
    elif isinstance(value, float | np.floating):
        good = dtype.is_floating or dtype.is_complex
    elif isinstance(value, complex | np.complexfloating):
        good = dtype.is_complex
    elif isinstance(value, str | bytes):
        good = dtype is dtypes.string
    elif isinstance(value, Dimension):
        good = dtype.is_integer and value.value is not None
    else:
        good = isinstance(value, np.ndarray) or hasattr(value, "__array__")
    if not good:
        kind = type(value).__name__
        raise DTypeError(f"Expected {dtype.name}, got {value!r:.100} of type '{kind}' instead.")


def _all_strings(array: np.ndarray) -> bool:
    return array.size > 0 and all(isinstance(item, str | bytes) for item in array.flat)


def _string_array(value: Any) -> np.ndarray:
    source = np.array(value, object)
    result = np.empty(source.shape, object)
    for index, item in np.ndenumerate(source):
        if not isinstance(item, str | bytes):
            raise TypeError(
                f"Expected string, got {item!r:.100} of type '{type(item).__name__}' instead."
            )
        result[index] = item.encode() if isinstance(item, str) else bytes(item)
    return result


def _ragged(value: Any, error: ValueError) -> str:
    if "inhomogeneous" in str(error):
        return f"Argument must be a dense tensor: {value!r:.200} has rows of different lengths."
    return str(error)


# -- arrays to tensors -----------------------------------------------------------------------------


def constant_of(graph: Graph, array: np.ndarray, dtype: DType, name: str) -> Tensor:
    """Adds a constant to a graph; the shortest way to one, since most ops convert some argument."""
    op = graph.add_op(
        OPS["Const"], (), {"value": array, "dtype": dtype}, name, (dtype,), (array.shape,)
    )
    return op.outputs[0]


# Sorted by priority, then by time of registration.
_converters: list[tuple[int, int, type | tuple[type, ...], Converter]] = []
_by_type: dict[type, list[Converter]] = {}


def register_tensor_conversion_function(
    base_type: type | tuple[type, ...], conversion_func: Converter, priority: int = 100
) -> None:
    """Registers a function that converts objects of `base_type` to tensors.

    Args:
      base_type: a type, or a tuple of types, whose instances `conversion_func` takes.
      conversion_func: called with (value, dtype, name, as_ref); returns a tensor, or NotImplemented
        to let the next function try.
      priority: functions with smaller numbers are tried first.

    Raises:
      TypeError: if `base_type` holds no types or `conversion_func` is not callable.

    >>> import hybridflow as hf
    >>> class Celsius:
    ...     def __init__(self, degrees):
    ...         self.degrees = degrees
    >>> def convert(value, dtype=None, name=None, as_ref=False):
    ...     return hf.constant(value.degrees, dtype, name=name)
    >>> hf.register_tensor_conversion_function(Celsius, convert)
    >>> with hf.eager_mode():
    ...     print((hf.constant(1.5) + Celsius(20.0)).numpy())
    21.5
    """
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not types or not all(isinstance(t, type) for t in types):
        raise TypeError("base_type must be a type or a tuple of types.")
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    _converters.append((priority, len(_converters), types, conversion_func))
    _converters.sort(key=lambda entry: entry[:2])
    _by_type.clear()


def _converters_for(kind: type) -> list[Converter]:
    found = _by_type.get(kind)
    if found is None:
        found = [f for _, _, types, f in _converters if issubclass(kind, types)]
        _by_type[kind] = found
    return found


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    as_ref: bool = False,
) -> Tensor:
    """Converts a value to a tensor: numbers, lists, arrays, variables, lists of tensors.

    Args:
      value: what to convert; a tensor is returned as it is.
      dtype: the dtype it must have; by default Python floats become float32 and ints int32, NumPy
        values keep theirs.
      name: name of the op that is made, if one is.
      preferred_dtype: the dtype to use where `value` allows it, else it is ignored.

    Returns: a `Tensor` (in eager mode one with a value).

    Raises:
      TypeError: if the value cannot become a tensor (of that dtype). ValueError: if it is a tensor
        of another dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.convert_to_tensor([1, 2]).dtype
    <dtype: 'int32'>
    """
    kind = value.__class__
    eager = context.modes.top.eager
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if kind is EagerTensor or kind is Tensor:
        tensor = admit_tensor(value, eager, name or "convert_to_tensor")
        return _checked(tensor, dtype)
    for converter in _converters_for(kind):
        if preferred_dtype is not None and dtype is None:
            try:
                result = converter(value, dtypes.as_dtype(preferred_dtype), name, as_ref)
            except (TypeError, ValueError):
                result = NotImplemented
            if result is not NotImplemented:
                return _checked(result, None)
        result = converter(value, dtype, name, as_ref)
        if result is not NotImplemented:
            return _checked(result, dtype)
    return _constant_or_pack(value, dtype, name, preferred_dtype, eager)


def _constant_or_pack(
    value: Any, dtype: DType | None, name: str | None, preferred_dtype: Any, eager: bool
) -> Tensor:
    if isinstance(value, list | tuple) and _holds_tensor(value):
        return _pack(value, dtype, name)
    if preferred_dtype is not None and dtype is None:
        try:
            array = to_array(value, dtypes.as_dtype(preferred_dtype))
        except (TypeError, ValueError):
            array = to_array(value)
    else:
        array = to_array(value, dtype)
    result_dtype = dtypes.as_dtype(array.dtype)
    if eager:
        return EagerTensor(array, result_dtype)
    return constant_of(get_default_graph(), array, result_dtype, name or "Const")


def _holds_tensor(value: Any) -> bool:
    for item in value:
        if isinstance(item, list | tuple):
            if _holds_tensor(item):
                return True
        elif isinstance(item, Tensor) or _converters_for(item.__class__):
            return True
    return False


def _pack(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    """A tensor of a (nested) list that holds tensors: TF packs such lists without being asked."""
    if dtype is None:
        dtype = _first_dtype(value)
    rows = [
        _pack(item, dtype, None)
        if isinstance(item, list | tuple)
        else convert_to_tensor(item, dtype)
        for item in value
    ]
    return raw.Pack(rows, axis=0, name=name or "packed")


def _first_dtype(value: Any) -> DType | None:
    for item in value:
        if isinstance(item, list | tuple):
            dtype = _first_dtype(item)
        else:
            dtype = item.dtype.base_dtype if hasattr(item, "dtype") else None
            dtype = dtype if isinstance(dtype, dtypes.DType) else None
        if dtype is not None:
            return dtype
    return None


def admit_tensor(tensor: Tensor, eager: bool, user: str) -> Tensor:
    """The tensor to use for `tensor` in the current mode and graph, or an error that says why."""
    if eager:
        if tensor.__class__ is EagerTensor:
            return tensor
        raise TypeError(_GRAPH_IN_EAGER.format(tensor=tensor, where="graph.as_default()"))
    graph = get_default_graph()
    if tensor.__class__ is Tensor and tensor.op.graph is graph:
        return tensor
    return graph.capture(tensor, user)


def _checked(tensor: Tensor, dtype: DType | None) -> Tensor:
    if dtype is not None and not dtype.is_compatible_with(tensor.dtype.base_dtype):
        raise DTypeError(
            f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
            f"{tensor.dtype.name}: {tensor!r}. Use `hf.cast(t, hf.{dtype.name})`."
        )
    return tensor
