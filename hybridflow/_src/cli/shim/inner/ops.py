"""`tensorflow.python.framework` and `.ops`: what their modules have beside public functions."""

from __future__ import annotations

import itertools
from typing import Any

from hybridflow._src.autodiff.custom_gradient import custom_gradient
from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.sparse_tensor import SparseTensor, SparseTensorValue
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.scoped_names import add_scope, strip_scope
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.math.confusion import remove_squeezable_dimensions
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.tensors import is_tensor
from hybridflow._src.variables.updates import scatter_add
from hybridflow._src.variables.variable import Variable

__all__ = [
    "ENABLE_CONTROL_FLOW_V2",
    "GetContainingXLAContext",
    "GraphOrParentsInXlaContext",
    "_TensorLike",
    "_as_graph_element",
    "_get_graph_from_inputs",
    "enabled",
    "gradients_v2",
    "internal_convert_to_tensor",
    "is_dense_tensor_like",
    "is_resource_variable",
    "is_sparse",
    "list_local_devices",
    "prepend_name_scope",
    "prevent_gradient",
    "remove_squeezable_dimensions",
    "resource_scatter_add",
    "set_shapes_for_outputs",
    "shape_internal",
    "strip_name_scope",
    "uid",
    "with_dependencies",
]


def enabled() -> bool:
    """False: programs have TensorFlow 1's behaviour."""
    return False


def GraphOrParentsInXlaContext(graph: Any) -> bool:
    """False: there is no other compiler."""
    return False


def is_dense_tensor_like(t: Any) -> bool:
    """Whether it is a tensor, or is used as one, and not sparse."""
    return is_tensor(t) and not isinstance(t, SparseTensor)


def shape_internal(
    input: Any, name: str | None = None, optimize: bool = True, out_type: Any = None
) -> Any:
    """`tf.shape`."""
    return shape(input, name) if out_type is None else shape(input, name, out_type)


def resource_scatter_add(ref: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """`tf.scatter_add` to a variable.

    Raises:
      TypeError: for a bare handle.
    """
    if not isinstance(ref, Variable):
        raise TypeError(f"resource_scatter_add takes the variable itself, got {ref!r:.100}.")
    return scatter_add(ref, indices, updates, name=name)


def _get_graph_from_inputs(op_input_list: Any, graph: Any = None) -> Any:
    """The graph that inputs are of, or the default one.

    Raises:
      ValueError: if they are of different graphs.
    """
    found, first = graph, None
    for item in op_input_list:
        given = getattr(item, "graph", None) if isinstance(item, Tensor | Variable) else None
        if given is not None and found is not None and given is not found:
            if first is None:
                raise ValueError(f"{item} is not from the passed-in graph.")
            raise ValueError(f"{item} must be from the same graph as {first}.")
        if found is None and given is not None:
            found, first = given, item
    return found or get_default_graph()


class _Device:
    """A device, as `list_local_devices` tells of it."""

    name = "/device:CPU:0"
    device_type = "CPU"
    memory_limit = 0
    incarnation = 0
    physical_device_desc = ""


def list_local_devices(session_config: Any = None) -> list[Any]:
    """The devices of this machine: its CPU."""
    return [_Device()]


def is_sparse(x: Any) -> bool:
    """Whether a value is a sparse tensor, or the value of one."""
    return isinstance(x, (SparseTensor, SparseTensorValue))


def is_resource_variable(var: Any) -> bool:
    """Whether something is a variable that ops read by its handle."""
    return isinstance(var, ResourceVariable)


_uids = itertools.count(1)


def uid() -> int:
    """A number that no other call of this process gives."""
    return next(_uids)


def prevent_gradient(input: Any, message: str = "", name: str | None = None) -> Any:
    """The tensor itself, whose gradient must not be taken.

    Raises:
      LookupError: when a gradient is taken.
    """

    @custom_gradient
    def prevented(x: Any) -> Any:
        def grad(*_: Any) -> Any:
            raise LookupError(f"Gradient explicitly disabled. Reason: {message}")

        return identity(x, name), grad

    return prevented(convert_to_tensor(input))


def GetContainingXLAContext(ctxt: Any) -> None:
    """None: there is no other compiler."""


def set_shapes_for_outputs(op: Any) -> None:
    """Does nothing: an operation has its outputs' shapes from the start."""


def _as_graph_element(obj: Any) -> Any:
    """The tensor or operation that stands for an object in its graph; None if none does."""
    found = getattr(obj, "_as_graph_element", None)
    return None if found is None else found()


gradients_v2 = gradients
internal_convert_to_tensor = convert_to_tensor
# Conditionals and loops are calls of functions.
ENABLE_CONTROL_FLOW_V2 = True
_TensorLike = Tensor
prepend_name_scope = add_scope
strip_name_scope = strip_scope
