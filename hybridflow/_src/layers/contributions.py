"""Losses and updates that a layer gives, and the collections that they join."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.collections import Deferred
from hybridflow._src.framework.graph_keys import (
    GraphKeys,
    add_to_collection,
    get_collection_ref,
)
from hybridflow._src.layers.input_spec import as_list
from hybridflow._src.layers.nodes import only_in_graphs
from hybridflow._src.variables.variable import variables_are_eager

_LOSS_OF_NOW = (
    "Layer.add_loss: a tensor of eager mode is the loss of this moment alone. Pass a function "
    "without arguments that computes it: it is called whenever losses are asked for."
)


class Contributions:
    """What a layer gives beside its outputs: losses, and operations that move variables."""

    scope_name: Any
    # The collection that losses join; None: none.
    losses_key: str | None = GraphKeys.REGULARIZATION_LOSSES

    def __init__(self) -> None:
        # By the inputs that they depend on; None for those that depend on none.
        self._updates: dict[Any, list[Any]] = {}
        self._losses: dict[Any, list[Any]] = {}

    @property
    def losses(self) -> list[Any]:
        """The losses of its variables and outputs; in eager mode computed anew."""
        return _values(self._losses)

    @property
    def updates(self) -> list[Any]:
        """Operations that move variables which are not trained, such as moving averages.

        Raises:
          RuntimeError: in eager mode, where they have happened.
        """
        only_in_graphs("Layer.updates")
        return _values(self._updates)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds losses to those of the layer, and to `GraphKeys.REGULARIZATION_LOSSES`.

        Those of Keras' layers join no collection.

        Args:
          losses: a tensor or a list of them; in eager mode a function that computes one, or a list.
          inputs: the inputs of the call on which they depend.

        Raises:
          RuntimeError: for a tensor in eager mode.
        """
        found = as_list(losses)
        if variables_are_eager():
            if not all(callable(loss) for loss in found):
                raise RuntimeError(_LOSS_OF_NOW)
            name = f"{self.scope_name}/Regularizer"
            found = [Deferred(name, loss) for loss in found]
        self._losses.setdefault(_inputs_key(inputs), []).extend(found)
        if self.losses_key is not None:
            add_missing(found, self.losses_key)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds operations to the layer's updates, which join `GraphKeys.UPDATE_OPS` by the call.

        In eager mode it does nothing: updates have happened.

        Args:
          updates: an operation or a list of them.
          inputs: the inputs of the call on which they depend.
        """
        if not variables_are_eager():
            self._updates.setdefault(_inputs_key(inputs), []).extend(as_list(updates))

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on these inputs; with None, those that depend on none."""
        found = self._losses.get(_inputs_key(inputs), [])
        return _values({None: found})

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on these inputs; with None, those that depend on none.

        Raises:
          RuntimeError: in eager mode.
        """
        only_in_graphs("Layer.get_updates_for")
        return list(self._updates.get(_inputs_key(inputs), []))


def _inputs_key(inputs: Any) -> Any:
    leaves = [] if inputs is None else nest.flatten(inputs)
    return tuple(map(id, leaves)) or None


def _values(groups: dict[Any, list[Any]]) -> list[Any]:
    found = [item for items in groups.values() for item in items]
    return [item() if isinstance(item, Deferred) else item for item in found]


def add_missing(items: list[Any], key: str) -> None:
    present = {id(item) for item in get_collection_ref(key)}  # made where it is missing, as in TF
    for item in items:
        if id(item) not in present:
            add_to_collection(key, item)
