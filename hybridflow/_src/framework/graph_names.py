"""Tensors and operations of a graph by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

_TENSOR_NAMES = 'Tensor names must be of the form "<op_name>:<output_index>".'


def element_by_name(
    by_name: dict[str, Operation], name: str, allow_tensor: bool, allow_operation: bool
) -> Tensor | Operation:
    """The operation "<name>" or the tensor "<name>:<index>", of those that are asked for.

    Raises:
      KeyError: if there is none. ValueError: if `name` is not of a form asked for.
    """
    op_name, colon, index = name.rpartition(":")
    if colon and allow_tensor:
        return _tensor(by_name, name, op_name, index)
    if colon:
        raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a Operation.")
    op = by_name.get(name)
    if not allow_operation:
        found = "" if op is None else "The name refers to an Operation. "
        raise ValueError(
            f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. "
            f"{found}{_TENSOR_NAMES}"
        )
    if op is None:
        raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
    return op


def _tensor(by_name: dict[str, Operation], name: str, op_name: str, index: str) -> Tensor:
    if not op_name or ":" in op_name or not index.isdecimal():
        raise ValueError(
            f"The name {name!r} looks a like a Tensor name, but is not a valid one. {_TENSOR_NAMES}"
        )
    op = by_name.get(op_name)
    missing = f"The name {name!r} refers to a Tensor which does not exist. The operation, "
    if op is None:
        raise KeyError(f"{missing}{op_name!r}, does not exist in the graph.")
    if int(index) >= len(op.outputs):
        raise KeyError(f"{missing}{op_name!r}, exists but only has {len(op.outputs)} outputs.")
    return op.outputs[int(index)]
