"""Graphs written beside what training writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.graphs.files import write_graph
from hybridflow._src.graphs.meta_graph import create_meta_graph_def

if TYPE_CHECKING:
    from hybridflow._src.framework.graph import Graph


def add_graph_to(writer: Any, graph: Graph, folder: Any, saver: Any) -> None:
    """Writes a graph to `graph.pbtxt` in a folder, and adds it to an event file.

    Args:
      writer: a `FileWriter`, or None.
      graph: the graph.
      folder: the folder, or None.
      saver: the saver that goes with it, or None.
    """
    graph_def = graph.as_graph_def(add_shapes=True)
    if folder:
        write_graph(graph_def, folder, "graph.pbtxt")
    if writer:
        writer.add_graph(graph)
        saver_def = None if saver is None else saver.saver_def
        with graph.as_default():
            writer.add_meta_graph(
                create_meta_graph_def(graph_def=graph_def, saver_def=saver_def, graph=graph)
            )
