"""From values to tensors: `convert_to_tensor` and its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.arrays import to_array
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph

    Converter = Callable[[Any, DType | None, str | None, bool], Any]

__all__ = [
    "admit_tensor",
    "constant_of",
    "convert",
    "convert_to_tensor",
    "register_tensor_conversion_function",
    "to_array",
]

_GRAPH_IN_EAGER = (
    "{tensor} belongs to a graph and has no value in eager mode. Run the code that uses it in "
    "graph mode (`with {where}:`), or get its value with `session.run(t)` and use that."
)


def constant_of(graph: Graph, array: np.ndarray, dtype: DType, name: str) -> Tensor:
    """Adds a constant to a graph; the shortest way to one, since most ops convert some argument.

    The array becomes the op's own: nobody may write to it from now on.
    """
    array.setflags(write=False)
    op = graph.add_op(
        raw.Const, (), {"value": array, "dtype": dtype}, name, (dtype,), (array.shape,)
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
    eager = context.modes.entries[-1].item.eager
    if dtype is not None:
        return _checked(convert(value, dtypes.as_dtype(dtype), name, eager), dtype)
    if preferred_dtype is None or isinstance(value, Tensor):
        return convert(value, None, name, eager)
    try:
        return convert(value, dtypes.as_dtype(preferred_dtype), name, eager)
    except (TypeError, ValueError):
        return convert(value, None, name, eager)


def convert(value: Any, dtype: DType | None, name: str | None, eager: bool) -> Tensor:
    """`convert_to_tensor` for callers that check the dtype of a tensor themselves."""
    kind = value.__class__
    if kind is Tensor or kind is EagerTensor:
        return admit_tensor(value, eager, name or "convert_to_tensor")
    for converter in _converters_for(kind):
        result = converter(value, dtype, name, False)
        if result is not NotImplemented:
            return admit_tensor(result, True, name or kind.__name__) if eager else result
    if isinstance(value, (list, tuple)) and _holds_tensor(value):
        return _pack(value, dtype, name, eager)
    array = to_array(value, dtype)
    dtype = dtypes.as_dtype(array.dtype) if dtype is None else dtype.base_dtype
    if eager:
        return EagerTensor(array, dtype)
    graph = get_default_graph()
    if name:
        name = graph.check_name(name)
    return constant_of(graph, array, dtype, name or "Const")


def _holds_tensor(values: Any) -> bool:
    for kind in set(map(type, values)):
        if issubclass(kind, (list, tuple)):
            if any(_holds_tensor(item) for item in values if isinstance(item, (list, tuple))):
                return True
        elif issubclass(kind, Tensor) or _converters_for(kind):
            return True
    return False


def _pack(values: Any, dtype: DType | None, name: str | None, eager: bool) -> Tensor:
    """A tensor of a (nested) list that holds tensors: TF packs such lists without being asked."""
    found = _first_dtype(values)
    if dtype is not None and found is not None and found is not dtype.base_dtype:
        raise TypeError(
            f"Expected {dtype.name}, got list containing Tensors of type {found.name} instead."
        )
    dtype = dtype or found
    name = name or "packed"
    if eager:
        return raw.Pack(_packed_items(values, dtype, eager), axis=0)
    with get_default_graph().name_scope(name) as scope:
        return raw.Pack(_packed_items(values, dtype, eager), axis=0, name=scope)


def _packed_items(values: Any, dtype: DType | None, eager: bool) -> list[Tensor]:
    items = []
    for index, item in enumerate(values):
        name = str(index)
        if isinstance(item, (list, tuple)):
            if _holds_tensor(item):
                items.append(_pack(item, dtype, name, eager))
                continue
            if not eager:
                # TF opens a scope for each list, though nothing is added in it.
                get_default_graph().unique_name(name)
        tensor = convert(item, None if isinstance(item, Tensor) else dtype, name, eager)
        if dtype is not None and tensor._dtype.base_dtype is not dtype:
            raise TypeError(
                f"Cannot convert a list containing a tensor of dtype {tensor.dtype.name} to "
                f"{dtype.name} (Tensor is: {tensor!r})"
            )
        items.append(tensor)
    return items


def _first_dtype(value: Any) -> DType | None:
    for item in value:
        if isinstance(item, (list, tuple)):
            dtype = _first_dtype(item)
        else:
            dtype = getattr(item, "dtype", None)
            dtype = dtype.base_dtype if isinstance(dtype, dtypes.DType) else None
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
    if tensor.__class__ is Tensor and (tensor.op.graph is graph or not graph.building_function):
        # One of another graph has its users added to that graph.
        return tensor
    return graph.capture(tensor, user)


def _checked(tensor: Tensor, dtype: Any) -> Tensor:
    wanted = dtypes.as_dtype(dtype).base_dtype
    if wanted is not tensor._dtype.base_dtype:
        raise ValueError(
            f"Tensor conversion requested dtype {wanted.name} for Tensor with dtype "
            f"{tensor.dtype.name}: {tensor!r}. Use `hf.cast(t, hf.{wanted.name})`."
        )
    return tensor
