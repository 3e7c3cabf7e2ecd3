"""Inputs of graphs that stand for eager tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.storage import Storage
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.framework.eager_tensor import EagerTensor
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.tensor import Tensor


def add_input(graph: Graph, like: EagerTensor, dims: Any, name: str) -> Tensor:
    """A placeholder for a value of the dtype of `like` and the shape `dims`."""
    dtype = like._dtype
    attrs: dict[str, Any] = {"dtype": dtype, "shape": TensorShape.of(dims)}
    if dtype is dtypes.resource and isinstance(like._a, Storage):
        value = np.asarray(like._a.value)
        attrs["handle_dtype"] = dtypes.as_dtype(value.dtype)
        attrs["handle_shape"] = TensorShape.of(value.shape)
    op = graph.add_op(raw.Placeholder, (), attrs, name, (dtype,), (dims,))
    return op.outputs[0]
