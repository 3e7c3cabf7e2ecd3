"""`StagingArea`: elements that one step puts by and a later one takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.framework.waiting import Waiting
from hybridflow._src.ops.data_flow.components import Components, dtype_list, values_of
from hybridflow._src.ops.data_flow.handles import named, new_handle
from hybridflow._src.ops.data_flow.queue_state import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["StagingArea"]


def _made(name: str, component_types: Any, shapes: Any, capacity: int, memory_limit: int) -> Stage:
    dims = [as_shape(shape)._dims for shape in shapes]
    return Stage(name, component_types, dims, int(capacity), int(memory_limit))


_area = named(
    "staging area",
    "StagingArea",
    _made,
    {"component_types": REQUIRED, "shapes": (), "capacity": 0, "memory_limit": 0},
)


def _op(
    name: str, signature: str, compute: Callable[..., Any], attrs: dict[str, Any] | None = None
) -> OpDef:
    return OpDef(
        name,
        f"handle: resource{signature}",
        attrs=attrs or {},
        shape=lambda attrs, *_: [None] * len(attrs.get("component_types", ())),
        compute=compute,
        grad=not_differentiable,
        stateful=True,
    )


_COMPONENTS = {"component_types": REQUIRED}
_put = _op(
    "StagingAreaPut", ", values: ... ->", Waiting(lambda area, *values: area.enqueue(*values))
)
_get = _op(
    "StagingAreaGet",
    " -> values: N*component_types",
    Waiting(lambda area, component_types: area.dequeue()),
    _COMPONENTS,
)
_peek = _op(
    "StagingAreaPeek",
    ", index: int32 -> values: N*component_types",
    Waiting(lambda area, index, component_types: area.peek(index)),
    _COMPONENTS,
)
_clear = _op("StagingAreaClear", " ->", Waiting(lambda area: area.clear()))
_size = OpDef(
    "StagingAreaSize",
    "handle: resource -> size: int32",
    shape=lambda attrs, handle: (),
    compute=lambda area: np.asarray(area.size(), np.int32),
    grad=not_differentiable,
    stateful=True,
)


class Area:
    """What areas for elements that are put by have in common.

    Args:
      record: the op that makes one. attrs: its attributes beside those that all have.
      dtypes, shapes, names, shared_name, capacity, memory_limit: as for `StagingArea`.
    """

    def __init__(
        self,
        record: OpDef,
        dtypes: Any,
        shapes: Any,
        names: Any,
        shared_name: str | None,
        capacity: int,
        memory_limit: int,
        **attrs: Any,
    ) -> None:
        kind = type(self).__name__
        if shared_name is not None and not isinstance(shared_name, str):
            raise TypeError(f"shared_name must be a string, got {shared_name!r}.")
        types = dtype_list(dtypes)
        for what, given in (("shapes", shapes), ("names", names)):
            if given is not None and len(given) != len(types):
                raise ValueError(
                    f"{kind} {what} must be the same length as dtypes: {len(given)} and "
                    f"{len(types)}."
                )
        found = None if shapes is None else [as_shape(shape) for shape in shapes]
        self._components = Components(types, found, None if names is None else list(names))
        self._capacity, self._memory_limit = int(capacity), int(memory_limit)
        self._handle = new_handle(
            record,
            shared_name or kind,
            component_types=types,
            shapes=found or [],
            capacity=self._capacity,
            memory_limit=self._memory_limit,
            shared_name=shared_name or "",
            **attrs,
        )
        eager = context.modes.top.eager
        self._name = shared_name or (kind if eager else self._handle.op.name)

    @property
    def name(self) -> str:
        """The name of the area."""
        return self._name

    @property
    def dtypes(self) -> list[DType]:
        """The dtypes of the components."""
        return self._components.dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components, as far as they are known."""
        return self._components.shapes

    @property
    def names(self) -> list[str] | None:
        """The names of the components, or None."""
        return self._components.names

    @property
    def capacity(self) -> int:
        """How many elements it holds at most; 0 for no bound."""
        return self._capacity

    @property
    def memory_limit(self) -> int:
        """How many bytes its elements may have; 0 for no bound."""
        return self._memory_limit

    @property
    def _last_name(self) -> str:
        return self._name.split("/")[-1]


class StagingArea(Area):
    """Elements that one step puts by and a later one takes, in the order in which they came.

    So a step may compute with what the step before has read. Like a queue it lives in the session,
    and any number of threads may use it.

    Args:
      dtypes: the dtypes of an element's components, a list.
      shapes: their shapes; None if elements may have any.
      names: names of the components: then elements are dicts.
      shared_name: areas of this name are one, within a session.
      capacity: how many elements it holds at most; 0 for no bound.
      memory_limit: how many bytes its elements may have; 0 for no bound.

    Raises:
      ValueError: if the lists differ in length. TypeError: for a `shared_name` that is no string.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x = hf.placeholder(hf.float32, [])
    ...     area = hf.contrib.staging.StagingArea([hf.float32], shapes=[[]])
    ...     put, (before,) = area.put([x]), area.get()
    ...     sess.run(put, {x: 1.0})
    ...     for value in (2.0, 3.0):
    ...         print(sess.run([before, put], {x: value})[0])
    1.0
    2.0
    """

    def __init__(
        self,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        super().__init__(_area, dtypes, shapes, names, shared_name, capacity, memory_limit)

    def put(self, values: Any, name: str | None = None) -> Any:
        """Puts an element by; waits while there is no room.

        Args:
          values: a tensor, or a list of them, one for each component; with names a dict.
          name: name of the op.

        Returns: the operation.

        Raises:
          ValueError: if there are other components, or other shapes. TypeError: for other dtypes.
            InvalidArgumentError: when it runs, for shapes that do not fit. ResourceExhaustedError:
            for what is larger than `memory_limit`. CancelledError: if the session is closed while
            it waits.
        """
        with name_scope(name, f"{self._last_name}_put", values_of(values)) as scope:
            tensors = self._components.tensors(values, "put")
            for tensor, shape in zip(tensors, self.shapes, strict=True):
                tensor.shape.assert_is_compatible_with(shape)
            return _put(self._handle, tensors, name=scope)

    def get(self, name: str | None = None) -> Any:
        """Takes the first element; waits while there is none.

        Returns: a list of tensors, one for each component; with names a dict.

        Raises:
          CancelledError: when it runs, if the session is closed while it waits.
        """
        name = name or f"{self._last_name}_get"
        return self._element(_get(self._handle, component_types=self.dtypes, name=name))

    def peek(self, index: Any, name: str | None = None) -> Any:
        """An element that stays where it is; waits until there is one.

        Args:
          index: an int32 scalar: 0 for the one that is taken next.
          name: name of the op.

        Returns: as `get`.

        Raises:
          InvalidArgumentError: when it runs, for an index below 0. CancelledError: as `get` does.
        """
        name = name or f"{self._last_name}_peek"
        return self._element(_peek(self._handle, index, component_types=self.dtypes, name=name))

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements: an int32 scalar."""
        size: Tensor = _size(self._handle, name=name or f"{self._last_name}_size")
        return size

    def clear(self, name: str | None = None) -> Any:
        """Drops all elements. Returns: the operation."""
        return _clear(self._handle, name=name or f"{self._last_name}_clear")

    def _element(self, tensors: list[Tensor]) -> Any:
        if not context.modes.top.eager:
            for tensor, shape in zip(tensors, self.shapes, strict=True):
                tensor.set_shape(shape)
        if self.names is None:
            return list(tensors)
        return dict(zip(self.names, tensors, strict=True))
