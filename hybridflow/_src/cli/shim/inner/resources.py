"""`tensorflow.python.ops.resources`: what is made before a graph runs and is no variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.selecting import boolean_mask
from hybridflow._src.ops.control_flow.ordering import group, no_op
from hybridflow._src.ops.math.comparison import logical_not

if TYPE_CHECKING:
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "initialize_resources",
    "local_resources",
    "register_resource",
    "report_uninitialized_resources",
    "shared_resources",
]


class _Resource(NamedTuple):
    handle: Any
    create: Any
    is_initialized: Any


def register_resource(
    handle: Any, create_op: Any, is_initialized_op: Any, is_shared: bool = True
) -> None:
    """Notes a resource, the operation that makes it and the tensor that says whether it is made."""
    key = GraphKeys.RESOURCES if is_shared else GraphKeys.LOCAL_RESOURCES
    add_to_collection(key, _Resource(handle, create_op, is_initialized_op))


def shared_resources() -> list[Any]:
    """The resources of the default graph that all sessions share."""
    found: list[Any] = get_default_graph().get_collection(GraphKeys.RESOURCES)
    return found


def local_resources() -> list[Any]:
    """The resources of the default graph that each session has for itself."""
    found: list[Any] = get_default_graph().get_collection(GraphKeys.LOCAL_RESOURCES)
    return found


def initialize_resources(resource_list: list[Any], name: str = "init") -> Operation:
    """An operation that makes resources."""
    if not resource_list:
        return no_op(name=name)
    return group(*[resource.create for resource in resource_list], name=name)


def report_uninitialized_resources(
    resource_list: list[Any] | None = None,
    name: str = "report_uninitialized_resources",
) -> Tensor:
    """A vector of the names of those resources that are not made yet; of all by default."""
    if resource_list is None:
        resource_list = shared_resources() + local_resources()
    names = constant([resource.handle.name for resource in resource_list], dtype="string")
    if not resource_list:
        return names
    with control_dependencies(None):
        made = stack([resource.is_initialized for resource in resource_list])
    return boolean_mask(names, logical_not(made), name=name)
