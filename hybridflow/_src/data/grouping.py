"""Datasets of windows of elements with one key, each reduced by a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.element import SCALAR, Element
from hybridflow._src.data.functions import ElementFunction, Traced, note_element
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, Pass, Source
from hybridflow._src.data.recipe import Given, Recipe
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError, OpError
from hybridflow._src.framework.op_def import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hybridflow._src.data.passes import Item, State


class Items(Source):
    """Elements that are there."""

    def __init__(self, items: list[Item], types: Any, shapes: Any) -> None:
        self.items = items
        self.types, self.shapes = types, shapes

    def begin(self) -> Pass:
        return _ItemsPass(self)


class _ItemsPass(Pass):
    def __init__(self, source: Items) -> None:
        self._items = source.items
        self._position = 0

    def next(self) -> Item | None:
        if self._position >= len(self._items):
            return None
        self._position += 1
        return self._items[self._position - 1]

    def state(self) -> State:
        return self._position

    def restore(self, state: State) -> None:
        self._position = int(state)


class _Grouped(Pass):
    """Windows of elements with one key, each as what a function makes of it."""

    def __init__(self, source: Derived) -> None:
        self._source = source.source
        self._key, self._reduce, self._size = source.args
        self._input = source.source.begin()
        self._has_input = True
        self._number = 0
        self._groups: dict[int, list[Item]] = {}
        self._sizes: dict[int, int] = {}
        # The window that is being given, from which its dataset can be made again.
        self._window: Any = None
        self._current: Pass | None = None

    def next(self) -> Item | None:
        while True:
            if self._current is not None:
                item = self._current.next()
                if item is not None:
                    return item
                self._current = self._window = None
            if not self._fill():
                return None

    def _fill(self) -> bool:
        """Reads until a window is full, or the input has ended; whether there is one."""
        while self._has_input:
            item = self._input.next()
            if item is None:
                self._has_input = False
                break
            key = self._key_of(item)
            group = self._groups.setdefault(key, [])
            group.append(item)
            if len(group) >= self._sizes[key]:
                self._open(key, self._groups.pop(key))
                return True
        if not self._groups:
            return False
        first = min(self._groups)
        self._open(first, self._groups.pop(first))
        return True

    def _key_of(self, item: Item) -> int:
        number, self._number = self._number, self._number + 1
        try:
            key = int(self._key(item)[0])
            if key not in self._sizes:
                self._sizes[key] = size = int(self._size([np.array(key, np.int64)])[0])
                if size <= 0:
                    raise InvalidArgumentError(
                        None, None, f"Window size must be greater than zero, but got {size}."
                    )
        except OpError as error:
            note_element(error, number, "group_by_window")
            raise
        return key

    def _open(self, key: int, items: list[Item]) -> Pass:
        window = Items(items, self._source.types, self._source.shapes)
        current: Pass = self._reduce([np.array(key, np.int64), window])[0].begin()
        self._current, self._window = current, [key, items]
        return current

    def state(self) -> State:
        current = None
        if self._current is not None:
            key, items = self._window
            current = [key, [list(item) for item in items], self._current.state()]
        return {
            "input": [self._has_input, self._number, self._input.state()],
            "groups": [[k, [list(item) for item in g]] for k, g in self._groups.items()],
            "sizes": [list(pair) for pair in self._sizes.items()],
            "current": current,
        }

    def restore(self, state: State) -> None:
        has_input, self._number, inner = state["input"]
        self._has_input = bool(has_input)
        self._input.restore(inner)
        self._groups = {key: [tuple(item) for item in group] for key, group in state["groups"]}
        self._sizes = dict(state["sizes"])
        self._current = self._window = None
        if state["current"] is not None:
            key, items, passed = state["current"]
            self._open(key, [tuple(item) for item in items]).restore(passed)


def _group_source(
    source: Source, *captured: Any, counts: Sequence[int] | None, **functions: Traced
) -> Source:
    parts = _parts(captured, counts, functions)
    bound = [functions[key].bound(part) for key, part in zip(_FUNCTIONS, parts, strict=True)]
    return Derived(source, _Grouped, *bound)


def _parts(
    captured: Sequence[Any], counts: Sequence[int] | None, functions: Mapping[str, Traced]
) -> Iterator[Sequence[Any]]:
    """What belongs to each function."""
    for count in counts or [len(functions[key].captured) for key in _FUNCTIONS]:
        yield captured[:count]
        captured = captured[count:]


_FUNCTIONS = ("key_func", "reduce_func", "window_size_func")


def _kinds_of(key: str) -> str:
    """The attribute that has the dtypes of what a function uses from outside."""
    return f"T{key}_other_arguments"


def _write(nodes: Any, op: Any) -> None:
    node = nodes.plain(op)
    parts = _parts(op.inputs[1:], op.attrs["counts"], op.attrs)
    for key, part in zip(_FUNCTIONS, parts, strict=True):
        kinds = node.attr[_kinds_of(key)].list
        kinds.SetInParent()
        kinds.type.extend([t.dtype.base_dtype.as_datatype_enum for t in part])


_group = dataset_op(
    "GroupByWindowDataset",
    "input_dataset: variant, other_arguments: ...",
    _group_source,
    # How many inputs each function has, where the functions do not tell.
    {**dict.fromkeys(_FUNCTIONS, REQUIRED), "counts": None},
    written=_write,
    read=lambda attrs: {"counts": [len(attrs[_kinds_of(key)]) for key in _FUNCTIONS]},
)


def grouped(
    dataset: Any,
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size_func: Callable[..., Any],
    kind: Any,
) -> Recipe:
    """Windows of elements with one key, each as what `reduce_func` makes of it.

    Args:
      kind: the class of datasets.

    Raises:
      TypeError, ValueError: if a function gives something else than it should.
    """
    element: Element = dataset.element
    made: list[Element] = []

    def reduced(key: Any, window: Any) -> Any:
        result = reduce_func(key, kind(Given(window, element)))
        if not isinstance(result, kind):
            raise TypeError(f"`reduce_func` must return a `Dataset` object, got {result!r:.200}.")
        made.append(result.element)
        return [result._as_variant_tensor()]

    key = ElementFunction(key_func, element, lambda r: [_int64(r, "key_func")])
    reduce = Traced([(dtypes.int64, SCALAR), (dtypes.variant, SCALAR)], reduced)
    size = Traced(
        [(dtypes.int64, SCALAR)],
        lambda k: [_int64(window_size_func(k), "window_size_func")],
    )
    functions = {"key_func": key, "reduce_func": reduce, "window_size_func": size}
    captured = [tensor for f in functions.values() for tensor in f.captured]
    return Recipe(_group, made[0], lambda: (dataset._as_variant_tensor(), captured), **functions)


def _int64(value: Any, what: str) -> Any:
    tensor = convert_to_tensor(value, preferred_dtype=dtypes.int64)
    if tensor.dtype.base_dtype is not dtypes.int64:
        raise ValueError(f"`{what}` must return a single tf.int64 tensor, got {tensor.dtype.name}.")
    return tensor
