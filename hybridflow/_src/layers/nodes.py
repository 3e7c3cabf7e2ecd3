"""How layers are connected: a node for each call, and what a layer tells of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.graph_keys import current_collections
from hybridflow._src.variables.variable import variables_are_eager

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = "layers"


class LayerState:
    """What a graph (or eager variable store) keeps for its layers.

    Attributes:
      counts: how many layers have a name made of each base name.
      history: for a tensor made by a connected layer: the layer, the number of its call, and the
        position among that call's outputs.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.history: dict[Any, tuple[Any, int, int]] = {}


def layer_state() -> LayerState:
    """That of the current graph or eager variable store."""
    return current_collections().extensions.setdefault(_KEY, LayerState())


class Node:
    """One call of a layer: the layers and tensors that went in, and the tensors that came out.

    Attributes:
      outbound_layer: the layer that was called.
      inbound_layers, node_indices, tensor_indices: for each input the layer that made it, the
        number of that layer's call, and the position among its outputs.
      input_tensors, output_tensors, input_shapes, output_shapes: lists.
      arguments: keyword arguments of the call.
    """

    def __init__(
        self,
        outbound_layer: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        origins: Sequence[tuple[Any, int, int]] = (),
        arguments: Any = None,
    ) -> None:
        self.outbound_layer = outbound_layer
        self.inbound_layers = [layer for layer, _, _ in origins]
        self.node_indices = [node for _, node, _ in origins]
        self.tensor_indices = [position for _, _, position in origins]
        self.input_tensors = list(inputs)
        self.output_tensors = list(outputs)
        self.input_shapes = [_static_shape(x) for x in inputs]
        self.output_shapes = [_static_shape(x) for x in outputs]
        self.arguments = arguments
        for layer in self.inbound_layers:
            layer.outbound_nodes.append(self)
        outbound_layer.inbound_nodes.append(self)
        history = layer_state().history
        number = len(outbound_layer.inbound_nodes) - 1
        for position, tensor in enumerate(outputs):
            history[tensor] = (outbound_layer, number, position)


def _static_shape(tensor: Any) -> tuple[int | None, ...] | None:
    return None if tensor.shape.ndims is None else tuple(tensor.shape.as_list())


def are_connected(tensors: Any) -> bool:
    """Whether all tensors come, by way of layers alone, from `hf.layers.Input`."""
    history = layer_state().history
    return all(tensor in history for tensor in nest.flatten(tensors))


def connect(layer: Any, inputs: Any, outputs: Any, arguments: Any) -> None:
    """Notes a call of a layer with connected inputs."""
    given = nest.flatten(inputs)
    history = layer_state().history
    Node(layer, given, nest.flatten(outputs), [history[x] for x in given], arguments)


def only_in_graphs(what: str) -> None:
    """Raises RuntimeError in eager mode, for what only layers of graphs have."""
    if variables_are_eager():
        raise RuntimeError(
            f"{what} not supported in Eager mode: there a layer keeps nothing of its calls."
        )


class Connected:
    """What a layer tells of its connected calls: those on tensors that come from `Input`."""

    name: str

    def __init__(self) -> None:
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    @property
    def inbound_nodes(self) -> list[Node]:
        """The connected calls of this layer."""
        return self._inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The connected calls of layers on outputs of this layer."""
        return self._outbound_nodes

    def _at(self, node_index: int, field: str, what: str) -> Any:
        only_in_graphs(f"Layer.get_{what.replace(' ', '_')}_at")
        nodes = self._inbound_nodes
        if not nodes:
            raise RuntimeError(
                f"The layer has never been called and thus has no defined {what}. Only calls on "
                "tensors that come from `hf.layers.Input` count."
            )
        if not node_index < len(nodes):
            raise ValueError(
                f"Asked to get {what} at node {node_index}, but the layer has only {len(nodes)} "
                "inbound nodes."
            )
        values = getattr(nodes[node_index], field)
        return values[0] if len(values) == 1 else values

    def get_input_at(self, node_index: int) -> Any:
        """The input, or list of inputs, of a call.

        Raises:
          RuntimeError: in eager mode, or if there was no connected call. ValueError: if there were
            not so many.
        """
        return self._at(node_index, "input_tensors", "input")

    def get_output_at(self, node_index: int) -> Any:
        """The output, or list of outputs, of a call; errors as for `get_input_at`."""
        return self._at(node_index, "output_tensors", "output")

    def get_input_shape_at(self, node_index: int) -> Any:
        """The static shape, or list of shapes, of the inputs of a call."""
        return self._at(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index: int) -> Any:
        """The static shape, or list of shapes, of the outputs of a call."""
        return self._at(node_index, "output_shapes", "output shape")

    @property
    def input(self) -> Any:
        """The input of the first call."""
        only_in_graphs("Layer.input")
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name} is not connected, no input to return.")
        return self.get_input_at(0)

    @property
    def output(self) -> Any:
        """The output of the first call."""
        only_in_graphs("Layer.output")
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name} has no inbound nodes.")
        return self.get_output_at(0)

    def _only_shape(self, field: str, what: str) -> Any:
        only_in_graphs(f"Layer.{what}_shape")
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer has never been called and thus has no defined {what} shape."
            )
        if len({str(getattr(node, field)) for node in self._inbound_nodes}) > 1:
            raise AttributeError(
                f'The layer "{self.name}" has multiple inbound nodes, with different {what} '
                f'shapes. Hence the notion of "{what} shape" is ill-defined for the layer. Use '
                f"`get_{what}_shape_at(node_index)` instead."
            )
        return self._at(0, field, f"{what} shape")

    @property
    def input_shape(self) -> Any:
        """The static shape of the inputs, if it is the same in all calls."""
        return self._only_shape("input_shapes", "input")

    @property
    def output_shape(self) -> Any:
        """The static shape of the outputs, if it is the same in all calls."""
        return self._only_shape("output_shapes", "output")
