"""Parts of graphs as messages, and variables made constants in them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.graphs.graph_util import (
        convert_variables_to_constants,
        extract_sub_graph,
        must_run_on_cpu,
        remove_training_nodes,
        tensor_shape_from_node_def_name,
    )

__all__ = [
    "convert_variables_to_constants",
    "extract_sub_graph",
    "must_run_on_cpu",
    "remove_training_nodes",
    "tensor_shape_from_node_def_name",
]
