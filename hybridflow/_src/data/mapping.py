"""Datasets of what a function makes of each element: map, scan; or of those it accepts: filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import nest
from hybridflow._src.data.element import Element, common_shape, flat_tensors, tensors_of
from hybridflow._src.data.functions import (
    ElementFunction,
    Traced,
    is_end,
    note_element,
    structure_of,
)
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, DerivedPass
from hybridflow._src.data.recipe import Recipe
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.op_def import REQUIRED
from hybridflow._src.framework.scopes import name_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.functions import Bound
    from hybridflow._src.data.passes import Item, Source, State


class FunctionPass(DerivedPass):
    """A pass through what a function makes of elements."""

    what = "map"  # how errors name it
    kept = ("_number", "_ended")

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        self._function: Bound = source.args[0]
        self._number = 0
        self._ended = False

    def _call(self, item: Any) -> list[Any] | None:
        """What the function gives for the next element, or None if it says that there is no more.

        Raises:
          OpError: of the function, with the number of the element.
        """
        number, self._number = self._number, self._number + 1
        try:
            return self._function(item)
        except OpError as error:
            if is_end(error):
                self._ended = True
                return None
            note_element(error, number, self.what)
            raise


class Mapped(FunctionPass):
    """What a function gives for each element."""

    def next(self) -> Item | None:
        item = None if self._ended else self._input.next()
        result = None if item is None else self._call(item)
        return None if result is None else tuple(result)


class _Filtered(FunctionPass):
    """The elements for which a function gives true."""

    what = "filter"

    def next(self) -> Item | None:
        while not self._ended and (item := self._input.next()) is not None:
            result = self._call(item)
            if result is not None and result[0]:
                return item
        return None


class _Scanned(FunctionPass):
    """What a function gives for a state and each element, beside the next state."""

    what = "scan"

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        self._state: list[Any] = list(source.args[1])

    def next(self) -> Item | None:
        item = None if self._ended else self._input.next()
        result = None if item is None else self._call([*self._state, *item])
        if result is None:
            return None
        count = len(self._state)
        self._state = result[:count]
        return tuple(result[count:])

    def state(self) -> State:
        return [self._state, super().state()]

    def restore(self, state: State) -> None:
        self._state, inner = state
        super().restore(inner)


_map = dataset_op(
    "MapDataset",
    "input_dataset: variant, other_arguments: ...",
    lambda source, *captured, f: Derived(source, Mapped, f.bound(captured)),
    {"f": REQUIRED},
)
_filter = dataset_op(
    "FilterDataset",
    "input_dataset: variant, other_arguments: ...",
    lambda source, *captured, predicate: Derived(source, _Filtered, predicate.bound(captured)),
    {"predicate": REQUIRED},
)


class MappedFunction(ElementFunction):
    """A function that makes elements of elements.

    Attributes:
      element: the form of what it gives.
    """

    def __init__(self, function: Callable[..., Any], elements: Element) -> None:
        def take(result: Any) -> Any:
            structure = structure_of(result)
            self.element = Element.of(structure)
            return flat_tensors(structure)

        super().__init__(function, elements, take)


def mapped(dataset: Any, function: Callable[..., Any]) -> Recipe:
    """What a function gives for each element."""
    f = MappedFunction(function, dataset.element)
    return Recipe(_map, f.element, lambda: (dataset._as_variant_tensor(), f.captured), f=f)


def filtered(dataset: Any, predicate: Callable[..., Any]) -> Recipe:
    """The elements for which a function gives true.

    Raises:
      ValueError: if it gives anything but a truth value.
    """

    def take(result: Any) -> Any:
        tensor = convert_to_tensor(result)
        if tensor.dtype is not dtypes.bool or not tensor.shape.is_compatible_with([]):
            raise ValueError(
                "`predicate` must return a scalar boolean tensor, got "
                f"{tensor.dtype.name} of shape {tensor.shape}: `x > 0`, `hf.equal(x, y)` give such."
            )
        return [tensor]

    f = ElementFunction(predicate, dataset.element, take)
    inputs = lambda: (dataset._as_variant_tensor(), f.captured)  # noqa: E731
    return Recipe(_filter, dataset.element, inputs, predicate=f)


# -- scan ------------------------------------------------------------------------------------------


def _scan_source(source: Source, *values: Any, f: Traced, states: int) -> Source:
    return Derived(source, _Scanned, f.bound(values[states:]), values[:states])


def write_states(nodes: Any, op: Any) -> None:
    node = nodes.plain(op)
    kinds = [t.dtype.base_dtype.as_datatype_enum for t in op.inputs[1:]]
    states = op.attrs["states"]
    node.attr["Tstate"].list.type.extend(kinds[:states])
    node.attr["Targuments"].list.type.extend(kinds[states:])
    node.attr["Targuments"].list.SetInParent()


_scan = dataset_op(
    "ScanDataset",
    "input_dataset: variant, initial_state_and_other_arguments: ...",
    _scan_source,
    {"f": REQUIRED, "states": REQUIRED},
    written=write_states,
    read=lambda attrs: {"states": len(attrs["Tstate"])},
)


class StateFunction(Traced):
    """A function of a state and an element that gives the next state and an element.

    Attributes:
      shapes: of the tensors of a state. element: the form of what it gives.
    """

    def __init__(
        self, function: Callable[..., Any], state: Any, shapes: list[Any], elements: Element
    ) -> None:
        flat_state = nest.flatten(state)

        def build(*flat: Any) -> Any:
            count = len(flat_state)
            old = nest.pack_sequence_as(state, list(flat[:count]))
            result = function(old, elements.pack(flat[count:]))
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(
                    "The scan function must return a pair comprising the new state and the output "
                    "value."
                )
            # A list inside of what it gives is a tensor, as everywhere in datasets.
            new, output = tensors_of(result[0]), tensors_of(result[1])
            nest.assert_same_structure(state, new)
            news = flat_tensors(new)
            wanted = [t.dtype.base_dtype for t in flat_state]
            got = [t.dtype.base_dtype for t in news]
            if wanted != got:
                raise TypeError(
                    "The element types for the new state must match the initial state. Expected "
                    f"{wanted}; got {got}."
                )
            self.shapes = [common_shape(a, t.shape) for a, t in zip(shapes, news, strict=True)]
            self.element = Element.of(output)
            return [*news, *flat_tensors(output)]

        types = [t.dtype.base_dtype for t in flat_state]
        inputs = [
            *zip(types, shapes, strict=True),
            *zip(elements.flat_types, elements.flat_shapes, strict=True),
        ]
        super().__init__(inputs, build)


def of_states(
    initial_state: Any, function: Callable[..., Any], elements: Element
) -> tuple[Any, StateFunction]:
    """The first state as tensors, and a function of states and elements, traced.

    Raises:
      TypeError, ValueError: if it gives no pair, or a state of another form.
    """
    with name_scope(None, "initial_state"):
        state = tensors_of(initial_state)
    shapes = [t.shape for t in flat_tensors(state)]
    f = StateFunction(function, state, shapes, elements)
    # A state that changes its shape is traced with what stays of that.
    while [s._dims for s in f.shapes] != [s._dims for s in shapes]:
        shapes = f.shapes
        f = StateFunction(function, state, shapes, elements)
    return state, f


def scanned(dataset: Any, initial_state: Any, function: Callable[..., Any]) -> Recipe:
    """What a function gives for a state and each element, beside the next state.

    Raises:
      TypeError, ValueError: if it gives no pair, or a state of another form.
    """
    state, f = of_states(initial_state, function, dataset.element)
    flat = flat_tensors(state)

    def inputs() -> tuple[Any, ...]:
        return dataset._as_variant_tensor(), [*flat, *f.captured]

    return Recipe(_scan, f.element, inputs, f=f, states=len(flat))
