"""Tensors as messages and arrays, and the ops that a graph uses."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.tensors import make_ndarray, make_tensor_proto
    from hybridflow._src.framework.static_value import get_static_value as constant_value
    from hybridflow._src.graphs.op_list import ops_used_by_graph_def, stripped_op_list_for_graph

__all__ = [
    "constant_value",
    "make_ndarray",
    "make_tensor_proto",
    "ops_used_by_graph_def",
    "stripped_op_list_for_graph",
]
