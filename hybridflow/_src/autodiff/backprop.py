"""Reverse accumulation, the same for graphs and for tapes.

An op that ran and an operation of a graph look alike here: a record, inputs, outputs, attributes.
"""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import variant
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.registry import raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.tensor import Tensor

# Ops whose gradient passes on what it gets, rows of a lookup included.
_PASS_ON = frozenset(("Identity", "ReadVariableOp"))
# Ops whose gradient takes None for an output without one; others get zeros beside a gradient that
# is there.
_TAKES_NONE = frozenset(("Case", "Cond", "PartitionedCall", "While"))


class Gradients:
    """The gradients that have reached each tensor so far."""

    def __init__(self) -> None:
        self._parts: dict[Tensor, list[Any]] = {}

    def add(self, tensor: Tensor, grad: Any) -> None:
        self._parts.setdefault(tensor, []).append(grad)

    def of(self, tensor: Tensor) -> Any:
        """The sum of all that has reached `tensor` (a tensor or `IndexedSlices`), or None."""
        parts = self._parts.get(tensor)
        if parts is None:
            return None
        if len(parts) > 1:
            self._parts[tensor] = parts = [total(parts)]
        return parts[0]


def total(grads: list[Any]) -> Any:
    """The sum of gradients; rows of lookups stay rows if all of them are."""
    if len(grads) == 1:
        return grads[0]
    if all(isinstance(g, IndexedSlices) for g in grads):
        return IndexedSlices(
            raw.ConcatV2([g.values for g in grads], 0),
            raw.ConcatV2([_int64(g.indices, grads) for g in grads], 0),
            grads[0].dense_shape,
        )
    if grads[0].dtype is variant:
        return functools.reduce(raw.AddStackGradients, grads)
    return raw.AddN([convert_to_tensor(g) for g in grads])


def _int64(indices: Tensor, grads: list[Any]) -> Tensor:
    """The indices in the one dtype that all have, else as int64."""
    if all(g.indices.dtype == indices.dtype for g in grads):
        return indices
    return raw.Cast(indices, DstT="int64")


def backward(
    ops: Iterable[Any],
    grads: Gradients,
    wanted: Callable[[Tensor], bool],
    stopped: frozenset[Tensor] = frozenset(),
    scope: Callable[[Any], AbstractContextManager[Any]] = nullcontext,
) -> None:
    """Carries gradients from outputs to inputs through `ops`, which come consumers first.

    Args:
      ops: the ops to go through.
      grads: gradients of the targets; those of everything before are added.
      wanted: tells whether the gradient for an input is of use.
      stopped: tensors at which gradients arrive, but through which they do not flow.
      scope: gives the context in which the gradient of an op is built.

    Raises:
      ValueError: if an op's gradient function gives the wrong number of gradients.
    """
    for op in ops:
        out_grads = [None if t in stopped else grads.of(t) for t in op.outputs]
        if all(g is None for g in out_grads):
            continue
        op_def = op.op_def
        with scope(op):
            if op_def.name not in _PASS_ON:
                out_grads = [
                    convert_to_tensor(g) if isinstance(g, IndexedSlices) else g for g in out_grads
                ]
            if len(out_grads) > 1 and op_def.name not in _TAKES_NONE:
                out_grads = [
                    raw.ZerosLike(t) if g is None and is_trainable(t) else g
                    for t, g in zip(op.outputs, out_grads, strict=True)
                ]
            in_grads = op_def.grad(op, *out_grads)
        if in_grads is None:
            continue
        if not isinstance(in_grads, list | tuple):
            in_grads = (in_grads,)
        if len(in_grads) != len(op.inputs):
            raise ValueError(
                f"The gradient of op {op.name!r} ({op.type}) gave {len(in_grads)} gradients for "
                f"{len(op.inputs)} inputs."
            )
        for tensor, grad in zip(op.inputs, in_grads, strict=True):
            if grad is not None and wanted(tensor):
                grads.add(tensor, grad)


def is_trainable(tensor: Any) -> bool:
    """Tells whether gradients flow through a tensor of this dtype."""
    dtype = tensor.dtype.base_dtype
    return bool(dtype.is_floating or dtype.is_complex)


def source_tensor(source: Any) -> Any:
    """The tensor at which the gradient for a source arrives: a variable's handle, or the tensor."""
    handle = getattr(source, "_gradient_source", None)
    return source if handle is None else handle
