"""What all parts of one import share: the graph, the functions of the file, limits, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.graphs.functions import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation

# The nodes that a file may ask for, beside so many for each that it has: functions that call each
# other can ask for any number.
MOST_NODES = 50_000
_TIMES = 50


class Builder:
    """What the regions of one import share.

    Args:
      graph: the graph, which is the default one.
      library: the functions of the file, by name.
      size: how many nodes the file has, those of functions included.

    Attributes:
      loops: the names of loops that are built, or are being built.
      colocated: operations that stand beside others, and what tells these.
    """

    def __init__(self, graph: Graph, library: Mapping[str, Any], size: int = 0) -> None:
        self.graph = graph
        self.library = library
        self._functions: dict[str, Function] = {}
        self._most = MOST_NODES + _TIMES * size
        self._left = [self._most]
        self.loops: set[str] = set()
        self.colocated: list[tuple[Operation, Callable[[], Any]]] = []

    def within(self, graph: Graph) -> Builder:
        """The same for a graph inside, that of a function which an op has as an attribute."""
        found = Builder(graph, self.library)
        found._functions, found._most, found._left = self._functions, self._most, self._left
        return found

    def colocate(self) -> None:
        """Notes on the operations what they stand beside: they are on its device.

        Raises:
          ValueError: if that does not exist.
        """
        for op, find in self.colocated:
            names, beside = find()
            op.attrs = {**op.attrs, "_class": sorted(names)}
            if beside:
                op.device = next((other.device for other in beside if other.device), "")

    def function(self, name: str) -> Function:
        """A function of the library.

        Raises:
          ValueError: if there is none of this name, or it is damaged.
        """
        found = self._functions.get(name)
        if found is None:
            if name not in self.library:
                raise ValueError(f"The graph has no function {name!r} in its library.")
            found = self._functions[name] = Function(self.library[name], self.library)
        return found

    def name(self, wanted: str) -> str:
        """A name for an op, made unique, as `add_op` takes it whatever name scope is open."""
        graph = self.graph
        if wanted in graph._names_in_use:
            with graph.name_scope(None):
                wanted = graph.unique_name(wanted)
        return f"{wanted}/"

    def count(self, nodes: int = 1) -> None:
        """Counts nodes.

        Raises:
          ValueError: if there are too many: functions that call each other can ask for any number.
        """
        self._left[0] -= nodes
        if self._left[0] < 0:
            raise ValueError(f"The functions of the graph make more than {self._most} nodes.")
