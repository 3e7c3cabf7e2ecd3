"""Slots: variables that belong to variables, such as a momentum or a moving average."""

from __future__ import annotations

import contextlib
import copy
import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.scopes import colocate_with, device, init_scope, name_scope
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.graph import Graph

_KEY = "optimizers"


class SlotSet:
    """The variables that one optimizer made for those of one graph, or for eager ones.

    Attributes:
      slots: by name of the slot, by what they belong to.
      others: variables that belong to no single variable, by name.
    """

    __slots__ = ("others", "slots")

    def __init__(self) -> None:
        self.slots: dict[str, weakref.WeakKeyDictionary[Any, Any]] = {}
        self.others: dict[str, Any] = {}

    def named(self, name: str) -> weakref.WeakKeyDictionary[Any, Any]:
        """The slots of this name."""
        return self.slots.setdefault(name, weakref.WeakKeyDictionary())

    def __deepcopy__(self, memo: dict[int, Any]) -> SlotSet:
        """Slots for copies of the variables that are copied along, and for those that are not."""
        found = SlotSet()
        found.others = copy.deepcopy(self.others, memo)
        copied = set(memo)
        for name, slots in self.slots.items():
            for primary, slot in list(slots.items()):
                if id(primary) not in copied:
                    # Whether it is copied along shows later: if not, this copy and its slot go.
                    found.named(name)[primary] = copy.copy(slot)
                found.named(name)[copy.deepcopy(primary, memo)] = copy.deepcopy(slot, memo)
        return found

    def variables(self) -> list[Any]:
        """All of them."""
        return [
            *self.others.values(),
            *(v for named in self.slots.values() for v in named.values()),
        ]


class SlotSets:
    """The slot sets of one optimizer.

    That for a graph is kept by the graph, to which its variables refer: so it keeps no graph alive.
    """

    __slots__ = ("__weakref__", "_eager")

    def __init__(self) -> None:
        self._eager = SlotSet()

    def __deepcopy__(self, memo: dict[int, Any]) -> SlotSets:
        """With copies of the eager variables; those of a graph have their values in sessions."""
        found = SlotSets()
        found._eager = copy.deepcopy(self._eager, memo)
        return found

    def __reduce__(self) -> tuple[type[SlotSets], tuple[()]]:
        """What is pickled of an optimizer is how it was configured: it has no slots yet."""
        return SlotSets, ()

    def of_graph(self, graph: Graph | None) -> SlotSet:
        """The set for variables of `graph`, or for eager ones if it is None."""
        if graph is None:
            return self._eager
        by_owner = graph.extensions.setdefault(_KEY, weakref.WeakKeyDictionary())
        found: SlotSet | None = by_owner.get(self)
        return by_owner.setdefault(self, SlotSet()) if found is None else found

    def of(self, primary: Any) -> SlotSet:
        """The set to which the slots of a variable or tensor belong."""
        return self.of_graph(None if is_eager(primary) else primary.graph)

    def current(self) -> SlotSet:
        """The set for variables made in the current mode and graph."""
        graph: Graph | None = None if context.modes.top.eager else get_default_graph()
        while graph is not None and graph.building_function:
            graph = graph.outer_graph
        return self.of_graph(graph)


def is_eager(primary: Any) -> bool:
    """Tells whether a variable or tensor is an eager one."""
    return primary._eager if isinstance(primary, Variable) else isinstance(primary, EagerTensor)


def make_slot(
    primary: Any, initial_value: Any, op_name: str, dtype: Any = None, validate_shape: bool = True
) -> Any:
    """A variable `<primary>/<op_name>` of the kind of `primary`, beside it, not trainable.

    It takes its name from the variable scope that is open, and none of the scope's defaults.

    Args:
      primary: a variable, or a tensor of a graph.
      initial_value: a tensor, or a function without arguments that gives one.
      op_name: the last part of its name.
      dtype: its dtype, if not that of the initial value.
      validate_shape: whether its shape is fixed.
    """
    kind = ResourceVariable if isinstance(primary, ResourceVariable) else Variable
    prefix = primary._shared_name if isinstance(primary, Variable) else primary.op.name
    with (
        init_scope(),
        variable_scope(None, f"{prefix}/{op_name}", auxiliary_name_scope=False) as scope,
        _beside(primary),
        name_scope(None),
    ):
        slot = kind(
            initial_value,
            trainable=False,
            name=scope.name,
            dtype=dtype,
            validate_shape=validate_shape,
        )
    part: Any = primary._get_save_slice_info() if isinstance(primary, Variable) else None
    if part is not None:
        # A slot of a part is that part of a slot of the whole.
        suffix = scope.name[scope.name.index(prefix) + len(prefix) :]
        slot._set_save_slice_info(
            Variable.SaveSliceInfo(
                part.full_name + suffix,
                list(part.full_shape),
                list(part.var_offset),
                list(part.var_shape),
                rank=part.rank,
            )
        )
    return slot


def _beside(primary: Any) -> AbstractContextManager[Any]:
    if not isinstance(primary, Variable):
        return contextlib.nullcontext()
    return device(primary.device) if primary._eager else colocate_with(primary.op)
