"""What stands for tensor arrays and sparse tensors where control flow ops take tensors alone."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.data_flow.tensor_array import TensorArray


def taken_apart(structure: Any) -> list[Any]:
    """The leaves of a structure: for a tensor array in a graph its flow, for a sparse tensor its
    parts.
    """
    return [_flow_of(leaf) for leaf in nest.flatten_parts(structure)]


def put_together(structure: Any, values: Any) -> Any:
    """A structure like another one, of other leaves as `taken_apart` gives them."""
    leaves = nest.flatten_parts(structure)
    return nest.pack_parts(structure, map(_with_flow, leaves, values))


def _flow_of(leaf: Any) -> Any:
    return leaf.flow if isinstance(leaf, TensorArray) and leaf.flow is not None else leaf


def _with_flow(leaf: Any, value: Any) -> Any:
    is_flow = isinstance(leaf, TensorArray) and not isinstance(value, TensorArray)
    return leaf.with_flow(value) if is_flow else value


def tensor_of(leaf: Any) -> Any:
    """A leaf as a tensor; an array or a sparse tensor as it is."""
    return leaf if isinstance(leaf, (TensorArray, nest.Composite)) else convert_to_tensor(leaf)
