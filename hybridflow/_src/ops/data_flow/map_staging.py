"""`MapStagingArea`: elements that one step puts by under a key, and a later one takes by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.framework.waiting import Waiting
from hybridflow._src.ops.data_flow.components import values_of
from hybridflow._src.ops.data_flow.handles import named
from hybridflow._src.ops.data_flow.map_stage_state import StageMap
from hybridflow._src.ops.data_flow.staging import Area

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["MapStagingArea"]


def _made(
    name: str, component_types: Any, shapes: Any, ordered: bool, capacity: int, memory_limit: int
) -> StageMap:
    dims = [as_shape(shape)._dims for shape in shapes]
    return StageMap(name, component_types, dims, bool(ordered), int(capacity), int(memory_limit))


_area = named(
    "map staging area",
    "MapStagingArea",
    _made,
    {"component_types": REQUIRED, "shapes": (), "ordered": False, "capacity": 0, "memory_limit": 0},
)


def _op(
    name: str, signature: str, compute: Callable[..., Any], shapes: Sequence[Any] = (), **attrs: Any
) -> OpDef:
    return OpDef(
        name,
        f"handle: resource{signature}",
        attrs=attrs,
        shape=lambda attrs, *_: [*shapes, *[None] * len(attrs.get("component_types", ()))],
        compute=compute,
        grad=not_differentiable,
        stateful=True,
    )


_put = _op(
    "MapStagingAreaPut",
    ", key: int64, indices: int32, values: ... ->",
    Waiting(lambda area, *inputs: area.put(*inputs)),
)
_peek = _op(
    "MapStagingAreaPeek",
    ", key: int64, indices: int32 -> values: N*component_types",
    Waiting(lambda area, key, indices, component_types: area.peek(key, indices)),
    component_types=REQUIRED,
)
_pop = _op(
    "MapStagingAreaPop",
    ", key: int64, indices: int32 -> values: N*component_types",
    Waiting(lambda area, key, indices, component_types: area.pop(key, indices)),
    component_types=REQUIRED,
)
_pop_any = _op(
    "MapStagingAreaPopAny",
    ", indices: int32 -> key: int64, values: N*component_types",
    Waiting(lambda area, indices, component_types: area.pop_any(indices)),
    [()],
    component_types=REQUIRED,
)
_clear = _op("MapStagingAreaClear", " ->", Waiting(lambda area: area.clear()))


def _asked(name: str, ask: Callable[[StageMap], int]) -> OpDef:
    return _op(name, " -> size: int32", lambda area: np.asarray(ask(area), np.int32), shapes=[()])


_size = _asked("MapStagingAreaSize", lambda area: area.size())
_incomplete_size = _asked("MapStagingAreaIncompleteSize", lambda area: area.incomplete_size())


class MapStagingArea(Area):
    """Elements that one step puts by under a key, and a later one takes by it.

    The components of an element may come, and be taken, apart: it can be looked up when all have
    come, and is gone when all have been taken. Like a queue it lives in the session, and any number
    of threads may use it.

    Args:
      dtypes: the dtypes of an element's components, a list.
      shapes: their shapes; None if elements may have any.
      names: names of the components: then elements are dicts.
      shared_name: areas of this name are one, within a session.
      ordered: whether `get` without a key takes the element with the smallest one; otherwise it is
        the one that has been there longest.
      capacity: how many elements it holds at most, beside those that lack components; 0 for no
        bound.
      memory_limit: how many bytes its elements may have; 0 for no bound.

    Raises:
      ValueError: if the lists differ in length. TypeError: for a `shared_name` that is no string.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     area = hf.contrib.staging.MapStagingArea([hf.float32], shapes=[[]])
    ...     sess.run([area.put(7, [0.5], [0]), area.put(3, [1.5], [0])])
    ...     key, (value,) = area.get(7)
    ...     print(sess.run(value), sess.run(area.size()))
    [None, None]
    0.5 1
    """

    def __init__(
        self,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        ordered: bool = False,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        super().__init__(
            _area,
            dtypes,
            shapes,
            names,
            shared_name,
            capacity,
            memory_limit,
            ordered=bool(ordered),
        )

    def put(
        self, key: Any, vals: Any, indices: Sequence[int] | None = None, name: str | None = None
    ) -> Any:
        """Puts components of an element by; waits while there is no room.

        Args:
          key: an int64 scalar.
          vals: with names a dict of tensors, otherwise a list of them.
          indices: for a list: which components they are, in order.
          name: name of the op.

        Returns: the operation.

        Raises:
          ValueError: for a dict without names or the reverse, for other names, more components,
            shapes that do not fit, or a list without `indices`. InvalidArgumentError: when it runs,
            for components that are there already. ResourceExhaustedError: when it runs, for more
            than `memory_limit`. CancelledError: if the session is closed while it waits.
        """
        with name_scope(name, f"{self._last_name}_put", [key, *values_of(vals)]) as scope:
            places, values = self._placed(vals, indices)
            tensors = []
            for place, value in zip(places, values, strict=True):
                dtype, shape = self.dtypes[place], self.shapes[place]
                tensor = convert_to_tensor(value, dtype, name=f"component_{place}")
                tensor.shape.assert_is_compatible_with(shape)
                tensors.append(tensor)
            return _put(self._handle, key, places, tensors, name=scope)

    def _placed(self, vals: Any, indices: Sequence[int] | None) -> tuple[list[int], list[Any]]:
        if isinstance(vals, dict):
            if self.names is None:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(vals) <= set(self.names):
                raise ValueError(
                    "Keys in dictionary to put do not match names of staging area. Dictionary: "
                    f"({sorted(vals, key=str)}), Queue: ({sorted(self.names)})"
                )
            places = [place for place, name in enumerate(self.names) if name in vals]
            return places, [vals[self.names[place]] for place in places]
        if self.names is not None:
            raise ValueError("You must enqueue a dictionary in a staging area with names")
        if indices is None:
            raise ValueError("Indices must be supplied when inserting a list of tensors")
        values = list(vals) if isinstance(vals, list | tuple) else [vals]
        places = self._places(indices)
        if len(places) != len(values):
            raise ValueError(
                f"Number of indices '{len(places)}' doesn't match number of values '{len(values)}'"
            )
        return places, values

    def peek(self, key: Any, indices: Sequence[Any] | None = None, name: str | None = None) -> Any:
        """The element of a key, which stays; waits until it is there.

        Args:
          key: an int64 scalar.
          indices: which components, by number or name, in order; by default all.
          name: name of the op.

        Returns: a list of tensors; with names a dict.

        Raises:
          TypeError, ValueError: for indices that are none. InvalidArgumentError: when it runs, for
            components that have been taken. CancelledError: if the session is closed while it
            waits.
        """
        places = self._places(indices)
        name = name or f"{self._last_name}_peek"
        tensors = _peek(self._handle, key, places, component_types=self._types(places), name=name)
        return self._element(places, tensors)

    def get(
        self, key: Any = None, indices: Sequence[Any] | None = None, name: str | None = None
    ) -> tuple[Any, Any]:
        """Takes components of an element; waits until it is there.

        Args:
          key: an int64 scalar; None for the smallest, if the area is `ordered`, or the first one.
          indices: which components, by number or name, in order; by default all.
          name: name of the op.

        Returns: the key, and a list of tensors, or with names a dict.

        Raises:
          TypeError, ValueError, InvalidArgumentError, CancelledError: as `peek` does.
        """
        places = self._places(indices)
        types = self._types(places)
        if key is None:
            name = name or f"{self._last_name}_get_nokey"
            key, *tensors = _pop_any(self._handle, places, component_types=types, name=name)
        else:
            name = name or f"{self._last_name}_get"
            tensors = _pop(self._handle, key, places, component_types=types, name=name)
        return key, self._element(places, tensors)

    def size(self, name: str | None = None) -> Tensor:
        """The number of whole elements: an int32 scalar."""
        size: Tensor = _size(self._handle, name=name or f"{self._last_name}_size")
        return size

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """The number of elements that lack components: an int32 scalar."""
        name = name or f"{self._last_name}_incomplete_size"
        size: Tensor = _incomplete_size(self._handle, name=name)
        return size

    def clear(self, name: str | None = None) -> Any:
        """Drops all elements. Returns: the operation."""
        return _clear(self._handle, name=name or f"{self._last_name}_clear")

    def _places(self, indices: Sequence[Any] | None) -> list[int]:
        if indices is None:
            return list(range(len(self.dtypes)))
        if not isinstance(indices, list | tuple):
            raise TypeError(f"Invalid indices type '{type(indices)}'")
        if not indices:
            raise ValueError("Empty indices")
        if all(isinstance(index, str) for index in indices):
            names = self.names
            if names is None:
                raise ValueError(
                    f"String indices provided '{list(indices)}', but this Staging Area was not "
                    "created with names."
                )
            for index in indices:
                if index not in names:
                    raise ValueError(f"Named index '{index}' not in Staging Area names '{names}'")
            return [names.index(index) for index in indices]
        if not all(isinstance(index, int) for index in indices):
            raise TypeError(f"Mixed types in indices '{indices}'. May only be str or int")
        for index in indices:
            if not 0 <= index < len(self.dtypes):
                raise ValueError(
                    f"Index {index} is none of the {len(self.dtypes)} components of an element."
                )
        return list(indices)

    def _types(self, places: Sequence[int]) -> list[Any]:
        return [self.dtypes[place] for place in places]

    def _element(self, places: Sequence[int], tensors: Sequence[Tensor]) -> Any:
        if not context.modes.top.eager:
            for place, tensor in zip(places, tensors, strict=True):
                tensor.set_shape(self.shapes[place])
        if self.names is None:
            return list(tensors)
        return {self.names[place]: tensor for place, tensor in zip(places, tensors, strict=True)}
