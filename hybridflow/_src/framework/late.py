"""What higher layers supply to lower ones, imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Where what higher layers supply is defined.
_SUPPLIERS = {
    "create_op": "hybridflow._src.graphs.operations",
    "function_attr": "hybridflow._src.data.functions",
    "gradients": "hybridflow._src.autodiff.gradients",
    "graph_def": "hybridflow._src.graphs.exporting",
    "load_data": "hybridflow._src.data",
    "load_ops": "hybridflow._src.ops",
    "node_def": "hybridflow._src.graphs.exporting",
    "op_def": "hybridflow._src.graphs.exporting",
    "philox_blocks": "hybridflow._src.kernels.philox",
    "run_single": "hybridflow._src.plan.single",
    "shape_proto": "hybridflow._src.formats.tensors",
}


class _Late:
    """What higher layers supply, each set once by the module that defines it.

    Attributes:
      create_op: adds an operation by its op type.
      function_attr: a function that an op has as an attribute, from its dtypes and what builds it.
      gradients: symbolic gradients, by which control flow ops differentiate their bodies.
      graph_def, node_def, op_def: a graph and an operation as messages.
      load_data: imports the ops of datasets.
      load_ops: imports every op family.
      philox_blocks: blocks of random words by a kernel, once there is one.
      run_single: runs an op of eager mode by kernels.
      shape_proto: a shape as a message.
    """

    create_op: Callable[..., Any]
    function_attr: Callable[..., Any]
    gradients: Callable[..., list[Any]]
    graph_def: Callable[..., Any]
    load_data: Callable[[], None]
    load_ops: Callable[[], None]
    node_def: Callable[..., Any]
    op_def: Callable[..., Any]
    philox_blocks: Callable[..., Any]
    run_single: Callable[..., Any]
    shape_proto: Callable[..., Any]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in _SUPPLIERS:
                raise AttributeError(name)
            importlib.import_module(_SUPPLIERS[name])
            return self.__dict__[name]


late = _Late()
