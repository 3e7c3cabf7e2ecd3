"""Slots: the variables in which an optimizer keeps what it needs for each variable it updates."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.scopes import colocate_with, device, init_scope, name_scope
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.variable import SaveSliceInfo, Variable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.graph import Graph

_KEY = "optimizers"


class OptimizerState:
    """The variables that one optimizer made for the variables of one graph, or for eager ones.

    Attributes:
      slots: by name of the slot, by variable.
      others: variables that belong to no single variable, by name.
    """

    __slots__ = ("others", "slots")

    def __init__(self) -> None:
        self.slots: dict[str, weakref.WeakKeyDictionary[Any, Any]] = {}
        self.others: dict[str, Any] = {}

    def slots_named(self, name: str) -> weakref.WeakKeyDictionary[Any, Any]:
        """The slots of this name."""
        return self.slots.setdefault(name, weakref.WeakKeyDictionary())

    def variables(self) -> list[Any]:
        """All of them."""
        return [*self.others.values(), *(v for named in self.slots.values() for v in named.values())]


class OptimizerStates:
    """The states of one optimizer.

    That for a graph is kept by the graph, which its variables refer to: so an optimizer keeps no graph alive.
    """

    __slots__ = ("__weakref__", "_eager")

    def __init__(self) -> None:
        self._eager = OptimizerState()

    def of_graph(self, graph: Graph | None) -> OptimizerState:
        """The state for variables of `graph`, or for eager ones if it is None."""
        if graph is None:
            return self._eager
        kept = graph.extensions.setdefault(_KEY, weakref.WeakKeyDictionary())
        state = kept.get(self)
        if state is None:
            state = kept.setdefault(self, OptimizerState())
        return state  # type: ignore[no-any-return]

    def of_variable(self, variable: Any) -> OptimizerState:
        """The state to which the slots of `variable` belong."""
        return self.of_graph(None if variable._eager else variable.graph)

    def current(self) -> OptimizerState:
        """The state for variables made in the current mode and graph."""
        graph: Graph | None = None if context.modes.top.eager else get_default_graph()
        while graph is not None and graph.building_function:
            graph = graph.outer_graph
        return self.of_graph(graph)


def make_slot(
    primary: Any, initial_value: Any, op_name: str, dtype: Any = None, validate_shape: bool = True
) -> Any:
    """A variable `<primary>/<op_name>` of the kind of `primary`, beside it, not trainable.

    It takes its name from the variable scope that is open, and none of the scope's defaults.
    """
    kind = ResourceVariable if isinstance(primary, ResourceVariable) else Variable
    prefix = primary._shared_name
    with init_scope(), variable_scope(None, f"{prefix}/{op_name}", auxiliary_name_scope=False) as scope:
        with _beside(primary), name_scope(None):
            slot = kind(
                initial_value,
                trainable=False,
                name=scope.name,
                dtype=dtype,
                validate_shape=validate_shape,
            )
    part = primary._get_save_slice_info()
    if part is not None:
        # A slot of a part is that part of a slot of the whole.
        suffix = scope.name[scope.name.index(prefix) + len(prefix) :]
        slot._set_save_slice_info(
            SaveSliceInfo(
                part.full_name + suffix,
                list(part.full_shape),
                list(part.var_offset),
                list(part.var_shape),
            )
        )
    return slot


def _beside(variable: Any) -> AbstractContextManager[Any]:
    return device(variable.device) if variable._eager else colocate_with(variable.op)
