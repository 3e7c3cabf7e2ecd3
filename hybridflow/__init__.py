"""hybridflow: TensorFlow 1.4's public names, run eagerly or as a deferred graph, on NumPy and Numba."""

from __future__ import annotations

from hybridflow import errors
from hybridflow._src.autodiff.gradients import AggregationMethod, gradients
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework.context import (
    eager_mode,
    executing_eagerly,
    graph_mode,
    in_eager_mode,
    in_graph_mode,
)
from hybridflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from hybridflow._src.framework.default_graph import (
    enable_eager_execution,
    get_default_graph,
    reset_default_graph,
)
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.dtypes import (
    DType,
    as_dtype,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_keys import (
    GraphKeys,
    add_to_collection,
    add_to_collections,
    get_collection,
    get_collection_ref,
)
from hybridflow._src.framework.indexed_slices import (
    IndexedSlices,
    convert_to_tensor_or_indexed_slices,
)
from hybridflow._src.framework.operation import NodeDef, Operation
from hybridflow._src.framework.scopes import (
    colocate_with,
    container,
    control_dependencies,
    device,
    init_scope,
    name_scope,
)
from hybridflow._src.framework.seeds import set_random_seed
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.constant import constant, fill, ones, ones_like, zeros, zeros_like
from hybridflow._src.ops.placeholder import placeholder, placeholder_with_default
from hybridflow._src.runtime.config import (
    ConfigProto,
    GPUOptions,
    GraphOptions,
    OptimizerOptions,
    RunMetadata,
    RunOptions,
)
from hybridflow._src.runtime.fetches import IndexedSlicesValue
from hybridflow._src.runtime.session import InteractiveSession, Session, get_default_session

__version__ = "0.1.0"

__all__ = [
    "AggregationMethod",
    "ConfigProto",
    "DType",
    "DeviceSpec",
    "Dimension",
    "EagerTensor",
    "GPUOptions",
    "GradientTape",
    "Graph",
    "GraphKeys",
    "GraphOptions",
    "IndexedSlices",
    "IndexedSlicesValue",
    "InteractiveSession",
    "NodeDef",
    "OpError",
    "Operation",
    "OptimizerOptions",
    "RunMetadata",
    "RunOptions",
    "Session",
    "Tensor",
    "TensorShape",
    "__version__",
    "add_to_collection",
    "add_to_collections",
    "as_dtype",
    "bool",
    "colocate_with",
    "complex64",
    "complex128",
    "constant",
    "container",
    "control_dependencies",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "device",
    "double",
    "eager_mode",
    "enable_eager_execution",
    "errors",
    "executing_eagerly",
    "fill",
    "float16",
    "float32",
    "float64",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
    "gradients",
    "graph_mode",
    "half",
    "in_eager_mode",
    "in_graph_mode",
    "init_scope",
    "int8",
    "int16",
    "int32",
    "int64",
    "name_scope",
    "ones",
    "ones_like",
    "placeholder",
    "placeholder_with_default",
    "register_tensor_conversion_function",
    "reset_default_graph",
    "resource",
    "set_random_seed",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "variant",
    "zeros",
    "zeros_like",
]
