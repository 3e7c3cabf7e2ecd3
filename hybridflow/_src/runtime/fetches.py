"""Fetches and feeds of `Session.run`: from nested structures to flat lists of tensors and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes, fp, nest
from hybridflow._src.framework.advice import made_at
from hybridflow._src.framework.arrays import to_array
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.sparse_tensor import SparseTensor, SparseTensorValue
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.data_flow.session_tensors import TensorHandle
from hybridflow._src.runtime.conversions import conversion_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.graph import Graph


class IndexedSlicesValue(NamedTuple):
    """The value of `IndexedSlices`, as `Session.run` gives it.

    Attributes:
      values: array `[n, ...]`. indices: array `[n]`. dense_shape: array, or None.
    """

    values: np.ndarray
    indices: np.ndarray
    dense_shape: np.ndarray | None


class Fetches:
    """What to run for a structure of fetches, and how to put the values back into that structure.

    Attributes:
      tensors: fetched tensors, each once.
      operations: operations to run for their effect.
      pack: gives the structure, from the list of the tensors' values.
    """

    __slots__ = ("_graph", "_positions", "operations", "pack", "tensors")

    def __init__(self, graph: Graph, fetches: Any) -> None:
        self._graph = graph
        self._positions: dict[Tensor, int] = {}
        self.tensors: list[Tensor] = []
        self.operations: list[Operation] = []
        self.pack: Callable[[list[Any]], Any] = self._packer(fetches)

    def _packer(self, fetches: Any) -> Callable[[list[Any]], Any]:
        """What puts values into the structure of `fetches`, which may be nested to any depth."""
        steps: list[tuple[Callable[[Any], Any], int]] = []
        # Items still to come, last first, and parents, whose steps follow those of their items.
        pending: list[Any] = [fetches]
        visits = 0
        while pending:
            item = pending.pop()
            if isinstance(item, _Parent):
                steps.append((item.make, item.size))
            elif isinstance(item, (list, tuple, dict)):
                visits += 1
                nest.refuse_cycle(fetches, visits)
                items = list(item.values() if isinstance(item, dict) else item)
                pending.append(_Parent(_maker(item), len(items)))
                pending.extend(reversed(items))
            else:
                steps.append((self._leaf(item), _LEAF))
        leaves = [step for step, size in steps if size == _LEAF]
        make = steps[-1][0]
        if len(steps) == 1 and leaves:
            return make
        if len(steps) == len(leaves) + 1:
            return lambda values: make([leaf(values) for leaf in leaves])

        def pack(values: list[Any]) -> Any:
            made: list[Any] = []
            for make, size in steps:
                if size == _LEAF:
                    made.append(make(values))
                else:
                    first = len(made) - size
                    made[first:] = [make(made[first:])]
            return made[0]

        return pack

    def _leaf(self, fetch: Any) -> Callable[[list[Any]], Any]:
        if fetch is None:
            raise TypeError("Fetch argument None has invalid type <class 'NoneType'>")
        conversion = conversion_for(fetch)
        if conversion is not None:
            wanted, contract = conversion.fetch(fetch)
            steps = [self._leaf(item) for item in wanted]
            return lambda values: contract([step(values) for step in steps])
        if isinstance(fetch, IndexedSlices):
            return self._slices_packer(fetch)
        if isinstance(fetch, SparseTensor):
            parts = [self._leaf(part) for part in fetch._parts()]
            return lambda values: SparseTensorValue(*[part(values) for part in parts])
        element = self._element(fetch)
        if isinstance(element, Operation):
            self.operations.append(element)
            return lambda values: None
        position = self._position(element)
        if element.op.type == "GetSessionHandle":
            dtype = element.op.inputs[0].dtype.base_dtype
            return lambda values: TensorHandle(values[position], dtype)
        return lambda values: values[position]

    def _slices_packer(self, fetch: IndexedSlices) -> Callable[[list[Any]], Any]:
        values_pack = self._leaf(fetch.values)
        indices_pack = self._leaf(fetch.indices)
        shape_pack = None if fetch.dense_shape is None else self._leaf(fetch.dense_shape)

        def pack(values: list[Any]) -> IndexedSlicesValue:
            shape = None if shape_pack is None else shape_pack(values)
            return IndexedSlicesValue(values_pack(values), indices_pack(values), shape)

        return pack

    def _position(self, tensor: Tensor) -> int:
        position = self._positions.setdefault(tensor, len(self.tensors))
        if position == len(self.tensors):
            self.tensors.append(tensor)
        return position

    def _element(self, fetch: Any) -> Tensor | Operation:
        graph = self._graph
        try:
            element: Tensor | Operation = graph.as_graph_element(fetch)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {fetch!r} has invalid type {type(fetch)}, must be a string or "
                f"Tensor. ({error})"
            ) from None
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error.args[0]})"
            ) from None
        op = element.op if isinstance(element, Tensor) else element
        if not graph.is_fetchable(op):
            where = f" It lies inside the {op.body.what}." if op.body is not None else ""
            raise ValueError(f"Operation {op.name!r} has been marked as not fetchable.{where}")
        if isinstance(element, Tensor) and element.dtype is dtypes.resource:
            raise TypeError(
                f"Fetch argument {fetch!r} is the handle of a resource variable, no value: "
                "fetch the variable itself."
            )
        return element


# In place of a size: the step of an item that is not nested.
_LEAF = -1


class _Parent(NamedTuple):
    """A list, tuple or dict whose items come first: what makes it of so many items."""

    make: Callable[[list[Any]], Any]
    size: int


def _maker(fetches: Any) -> Callable[[list[Any]], Any]:
    """What makes a structure like this one, which may change, of a list of new items."""
    kind = type(fetches)
    if isinstance(fetches, dict):
        keys = list(fetches)
        return lambda items: _fill(kind(), zip(keys, items, strict=True))
    if hasattr(fetches, "_fields"):
        return lambda items: kind(*items)
    return list if isinstance(fetches, list) else tuple


def _fill(mapping: Any, items: Iterable[tuple[Any, Any]]) -> Any:
    mapping.update(items)
    return mapping


def freeze(fetches: Any) -> Any:
    """A hashable key for a structure of fetches; structures with equal keys pack alike."""
    return nest.written_out(fetches, lambda item: item) if nest.is_sequence(fetches) else fetches


def expand_feed(key: Any, value: Any) -> list[tuple[Any, Any]]:
    """The (key, value) pairs of one entry of `feed_dict`, which may be a nested structure."""
    pairs = []
    pending: list[tuple[Any, Any]] = [(key, value)]
    while pending:
        key, value = pending.pop()
        conversion = conversion_for(key)
        if conversion is not None and conversion.feed is not None:
            pairs += conversion.feed(key, value)
        elif isinstance(key, IndexedSlices):
            pairs += [(key.values, value[0]), (key.indices, value[1])]
            if key.dense_shape is not None:
                pairs.append((key.dense_shape, value[2]))
        elif isinstance(key, SparseTensor):
            pairs += zip(key._parts(), _sparse_parts(key, value), strict=True)
        elif isinstance(key, (tuple, list)):
            if not isinstance(value, (tuple, list)) or len(key) != len(value):
                raise ValueError(
                    f"The value fed for {key!r} must have the same nested structure, got "
                    f"{value!r:.200}."
                )
            pending.extend(zip(reversed(key), reversed(value), strict=True))
        else:
            pairs.append((key, value))
    return pairs


def feed_keys(key: Any) -> list[Any]:
    """The tensors that one key of a feed stands for, where there is no value yet."""
    conversion = conversion_for(key)
    if conversion is not None and conversion.feed_keys is not None:
        return list(conversion.feed_keys(key))
    if isinstance(key, IndexedSlices):
        return [t for t in (key.values, key.indices, key.dense_shape) if t is not None]
    return list(key._parts()) if isinstance(key, SparseTensor) else [key]


def _sparse_parts(key: SparseTensor, value: Any) -> list[Any]:
    """Indices, values and shape of what is fed for a sparse tensor, whose shape may be a constant.

    Raises:
      TypeError: if it does not have these parts.
    """
    parts = value._parts() if isinstance(value, SparseTensor) else value
    if isinstance(parts, (tuple, list)) and len(parts) == 2:
        shape = constant_value(key.dense_shape)
        parts = parts if shape is None else [*parts, shape]
    if not isinstance(parts, (tuple, list)) or len(parts) != 3:
        raise TypeError(
            f"The value fed for {key} must be a SparseTensorValue, or a tuple of its indices, "
            f"values and shape, got {value!r:.200}."
        )
    return list(parts)


def feed_tensor(graph: Graph, key: Any) -> Tensor:
    """The tensor that a key of `feed_dict` names.

    Raises:
      TypeError: if it names none. ValueError: if the tensor must not be fed.
    """
    try:
        tensor: Tensor = graph.as_graph_element(key, allow_operation=False)
    except (TypeError, ValueError, KeyError) as error:
        raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None
    if not graph.is_feedable(tensor):
        raise ValueError(f"Tensor {tensor} may not be fed.")
    return tensor


def feed_array(tensor: Tensor, value: Any) -> np.ndarray:
    """The array to feed for `value`: a copy of the caller's, of the tensor's dtype.

    Raises:
      TypeError: if the value does not have that dtype. ValueError: if it does not fit the shape.
    """
    dtype = tensor._dtype.base_dtype
    if isinstance(value, TensorHandle):
        value = _array_of_handle(tensor, value, dtype)
    elif isinstance(value, Tensor):
        if not isinstance(value, EagerTensor):
            raise TypeError(
                "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include "
                "Python scalars, strings, lists, numpy ndarrays and eager tensors. For reference, "
                f"the tensor object was {value!r} which was passed to the feed with key {tensor}."
            )
        value = value._a
    if dtype is dtypes.resource or dtype is dtypes.variant:
        return value
    if value.__class__ is np.ndarray and value.dtype is dtype.np and dtype is not dtypes.string:
        array = np.array(value, order="C")
    else:
        array = _as_dtype(tensor, value, dtype)
    dims = tensor._dims
    if dims is not None and array.shape != dims and not _fits(array.shape, dims):
        raise ValueError(
            f"Cannot feed value of shape {array.shape} for Tensor {tensor.name!r}, which has shape "
            f"'{tensor.shape}'{made_at(tensor.op)}. Any size fits where there is a ?, which is "
            "None in `hf.placeholder(dtype, shape)`."
        )
    return array


def _array_of_handle(tensor: Tensor, handle: TensorHandle, dtype: dtypes.DType) -> np.ndarray:
    if handle.dtype is not dtype:
        advice = " Feed its `handle`, which is a string." if dtype is dtypes.string else ""
        raise TypeError(
            f"Cannot feed {handle!r} for Tensor {tensor.name!r}, which has dtype {dtype.name}."
            f"{advice}"
        )
    return handle._array()


def _as_dtype(tensor: Tensor, value: Any, dtype: dtypes.DType) -> np.ndarray:
    try:
        if dtype is dtypes.string:
            return to_array(value, dtype)
        given = fp.quietly(np.asarray, value)
        if given.dtype.kind == "O":  # of numbers perhaps, as old programs make them
            given = fp.quietly(np.asarray, given.tolist())
            if given.dtype.kind not in "biufc":
                raise TypeError("it holds what is no number")
        if given.dtype.kind == "c" and not dtype.is_complex:
            raise TypeError("complex numbers have no place in it")
        array = fp.quietly(lambda: np.array(given, dtype.np, order="C"))
    except (ValueError, TypeError, OverflowError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(
            f"Cannot feed {value!r:.200} for Tensor {tensor.name!r}, which has dtype {dtype.name}: "
            f"{error} Type of feed value {value!r:.80} with type {type(value)} is not compatible."
        ) from None
    loses = given.dtype.kind == "f" and not (dtype.is_floating or dtype.is_complex)
    loses = loses or (given.dtype.kind in "iu" and dtype.is_integer)
    if loses and given.dtype != array.dtype and not np.array_equal(given, array):
        raise TypeError(
            f"Type of feed value {value!r:.200} with type {given.dtype} is not compatible with "
            f"Tensor type {dtype.name}: {tensor.name!r} would get other values than were fed."
        )
    return array


def _fits(shape: tuple[int, ...], dims: tuple[int | None, ...]) -> bool:
    if len(shape) != len(dims):
        return False
    return not [1 for size, dim in zip(shape, dims, strict=True) if dim not in (None, size)]
