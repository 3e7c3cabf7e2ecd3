"""What stands for a tensor array where control flow ops take tensors alone."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.data_flow.tensor_array import TensorArray


def flow_of(leaf: Any) -> Any:
    """The flow of a tensor array; anything else as it is."""
    return leaf.flow if isinstance(leaf, TensorArray) else leaf


def with_flow(leaf: Any, tensor: Tensor) -> Any:
    """A tensor, or an array like `leaf` that it stands for."""
    return leaf.with_flow(tensor) if isinstance(leaf, TensorArray) else tensor


def eager_value(leaf: Any) -> Any:
    """A tensor of a leaf; an array as it is."""
    return leaf if isinstance(leaf, TensorArray) else convert_to_tensor(leaf)
