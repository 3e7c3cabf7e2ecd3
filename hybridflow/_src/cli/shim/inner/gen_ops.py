"""`tensorflow.python.ops.gen_*_ops`: a function for each op, as TensorFlow generates them.

Those that TensorFlow hides begin with an underscore; here each may.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.graphs.op_list import tensorflow_ops
from hybridflow._src.graphs.operations import record_of

if TYPE_CHECKING:
    from collections.abc import Callable


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted({*_types(), *[f"_{known}" for known in _types()]})
    type_ = _types().get(name.removeprefix("_"))
    if type_ is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _function_of(type_)


@functools.cache
def _types() -> dict[str, str]:
    """The op types that exist here, by the names of their functions."""
    return {_snake(type_): type_ for type_ in tensorflow_ops() if record_of(type_) is not None}


def _snake(type_: str) -> str:
    """The name of the function of an op type: `lookup_table_find_v2` of `LookupTableFindV2`."""
    text = ""
    for index, letter in enumerate(type_):
        before, after = type_[index - 1 : index], type_[index + 1 : index + 2]
        if letter.isupper() and index and (before.islower() or after.islower()):
            text += "_"
        text += letter.lower()
    return text


@functools.cache
def _function_of(type_: str) -> Callable[..., Any]:
    """The function of an op type: of its inputs, then its attributes, those without a default
    first.
    """
    message = tensorflow_ops()[type_]
    record = record_of(type_)
    assert record is not None
    inputs = [arg.name for arg in message.input_arg]
    told = {
        key
        for arg in message.input_arg
        for key in (arg.type_attr, arg.number_attr, arg.type_list_attr)
        if key
    }
    attrs = {attr.name: attr for attr in message.attr if attr.name not in told}
    later = [name for name, attr in attrs.items() if attr.HasField("default_value")]
    names = [*inputs, *[name for name in attrs if name not in later], *later, "name"]

    def function(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip(names, args, strict=False))
        twice = [name for name in kwargs if name in given or name not in names]
        if len(args) > len(names) or twice:
            raise TypeError(f"{_snake(type_)}() takes {names}, each once.")
        given.update(kwargs)
        missing = [name for name in inputs if name not in given]
        if missing:
            raise TypeError(f"{_snake(type_)}() lacks {missing}.")
        values = {
            name: _of_kind(attrs[name].type, value)
            for name, value in given.items()
            if name in record.defaults
        }
        for arg in message.input_arg:
            if arg.type_list_attr in record.defaults:
                given[arg.name] = [convert_to_tensor(item) for item in given[arg.name]]
                values[arg.type_list_attr] = tuple([item.dtype for item in given[arg.name]])
        result = record(*[given[name] for name in inputs], name=given.get("name"), **values)
        if not (isinstance(result, Operation) and message.output_arg):
            return result
        # What changes a variable kept by reference gives that reference.
        with control_dependencies([result]):
            return raw.Identity(given[inputs[0]])

    function.__name__ = function.__qualname__ = _snake(type_)
    function.__doc__ = f"The op {type_!r}: {', '.join(names)}."
    return function


def _of_kind(kind: str, value: Any) -> Any:
    """An attribute as records have it."""
    if kind.startswith("list("):
        return tuple([_of_kind(kind[5:-1], item) for item in value])
    if kind == "type":
        return dtypes.as_dtype(value)
    return as_shape(value) if kind == "shape" else value
