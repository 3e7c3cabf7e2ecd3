"""Ops that only order others: no_op, group, tuple."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import (
    colocate_with,
    control_dependencies,
    device,
    name_scope,
)
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["group", "no_op", "tuple", "with_dependencies"]

_no_op = OpDef(
    "NoOp",
    "->",
    shape=lambda attrs: [],
    compute=lambda: None,
    native=lambda b: [],
    grad=not_differentiable,
    stateful=True,
    only_checks=True,
)


def no_op(name: str | None = None) -> Any:
    """An operation that does nothing: something to depend on.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.no_op(name="done").type
    'NoOp'
    """
    return _no_op(name=name)


def group(*inputs: Any, **kwargs: Any) -> Any:
    """An operation that is done when all `inputs` (operations, tensors, variables) are.

    In eager mode they are done already, and the result is None.

    Args:
      *inputs: what to wait for; also lists and tuples of it, as in TensorFlow 1.15.
      name: name of the operation.

    Raises:
      TypeError: for an input that is neither operation nor tensor. ValueError: for an unknown
        keyword argument.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     a, b = hf.no_op(), hf.no_op()
    ...     len(hf.group(a, b).control_inputs)
    2
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"Unknown keyword arguments: {', '.join(kwargs)}")
    if context.modes.top.eager:
        return None
    on_device: dict[str, dict[Operation, None]] = {}
    for item in nest.flatten(inputs):
        element = item.op if hasattr(item, "op") else item
        if not isinstance(element, Operation):
            raise TypeError(f"Expected operation or tensor in group(), got {item!r:.200}.")
        on_device.setdefault(element.device, {})[element] = None
    with name_scope(name, "group_deps") as scope:
        if len(on_device) == 1:
            [(where, ops)] = on_device.items()
            return _after(ops, where, scope)
        # One for the ops of each device, and one for these.
        return _after([_after(on_device[where], where) for where in sorted(on_device)], "", scope)


def _after(ops: Iterable[Operation], where: str, name: str | None = None) -> Any:
    with control_dependencies(list(ops)), device(where) if where else contextlib.nullcontext():
        return no_op(name=name)


def tuple(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The same tensors, each available only when all of them are.

    Args:
      tensors: list of tensors, `SparseTensor`s, `IndexedSlices` or None.
      name: name scope of the ops.
      control_inputs: further operations or tensors to wait for.

    Raises:
      ValueError: if there is neither tensor nor control input. TypeError: for other control inputs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [t.numpy() for t in hf.tuple([hf.constant(1), hf.constant(2)])]
    [np.int32(1), np.int32(2)]
    """
    present = [t for t in tensors if t is not None]
    if context.modes.top.eager:
        return list(tensors)
    waits = [t.op if hasattr(t, "op") else t for t in present]
    for item in control_inputs or ():
        element = item.op if isinstance(item, Tensor) else item
        if not isinstance(element, Operation):
            raise TypeError(f"Control input must be Operation or Tensor: {item!r:.200}")
        waits.append(element)
    if not waits:
        raise ValueError(f"Must have at least one Tensor: {tensors}")
    with name_scope(name, "tuple", present):
        gate = group(*waits)
        return [None if t is None else with_dependencies([gate], t) for t in tensors]


def with_dependencies(dependencies: Any, output: Any, name: str | None = None) -> Any:
    """`output`, available only when `dependencies` are done (in eager mode they are)."""
    if context.modes.top.eager:
        return output
    with (
        name_scope(name, "control_dependency", [output]) as scope,
        colocate_with(output.values if isinstance(output, SparseTensor) else output),
        control_dependencies(list(dependencies)),
    ):
        if isinstance(output, IndexedSlices):
            values = raw.Identity(output.values, name=scope)
            return IndexedSlices(values, output.indices, output.dense_shape)
        if isinstance(output, SparseTensor):
            return SparseTensor(*[raw.Identity(part) for part in output._parts()])
        return raw.Identity(convert_to_tensor(output), name=scope)


def current_body() -> Any:
    """The control flow body that ops are added to now, or None."""
    return get_default_graph()._scope.top.body
