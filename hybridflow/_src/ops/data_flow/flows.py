"""What stands for a tensor array where control flow ops take tensors alone."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.data_flow.tensor_array import TensorArray


def flow_of(leaf: Any) -> Any:
    """The flow of a tensor array in a graph; anything else as it is."""
    return leaf.flow if isinstance(leaf, TensorArray) and leaf.flow is not None else leaf


def with_flow(leaf: Any, value: Any) -> Any:
    """What a value of control flow stands for: itself, or an array like `leaf`."""
    is_flow = isinstance(leaf, TensorArray) and not isinstance(value, TensorArray)
    return leaf.with_flow(value) if is_flow else value


def tensor_of(leaf: Any) -> Any:
    """A leaf as a tensor; an array as it is."""
    return leaf if isinstance(leaf, TensorArray) else convert_to_tensor(leaf)
