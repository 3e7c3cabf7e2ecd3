"""Reverse accumulation, the same for graphs and for tapes.

An op that ran and an operation of a graph look alike here: a record, inputs, outputs, attributes.
"""

from __future__ import annotations

import contextlib
import functools
from types import FunctionType
from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.registered import gradient_of
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import int64, variant
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import ZERO, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.control_flow.bodies import zeros_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager


# Ops whose gradient passes on what it gets, rows of a lookup included.
_PASS_ON = frozenset(("Identity", "ReadVariableOp"))
# Ops whose gradient takes None for an output without one; others get zeros.
_TAKES_NONE = frozenset(
    (
        *("CTCLoss", "Call", "Case", "FusedBatchNorm", "FusedBatchNormV2", "If"),
        *("PartitionedCall", "Qr", "SelfAdjointEigV2", "Svd", "While"),
    )
)


class Gradients:
    """The gradients that have reached each tensor so far.

    Args:
      colocate: whether sums stand beside what they add up, in a graph.
    """

    def __init__(self, colocate: bool = False) -> None:
        self._colocate = colocate
        # One gradient, or a list of several.
        self._parts: dict[Tensor, Any] = {}
        # Of handles that zeros alone have reached, a value of the variable.
        self._values: dict[Tensor, Tensor] = {}

    def add(self, tensor: Tensor, grad: Any) -> None:
        known = self._parts.get(tensor)
        if known is None or known is ZERO:
            self._parts[tensor] = grad
        elif grad is ZERO:
            return
        elif known.__class__ is list:
            known.append(grad)
        else:
            self._parts[tensor] = [known, grad]

    def of(self, tensor: Tensor) -> Any:
        """The sum of all that has reached `tensor` (tensor, `IndexedSlices`, `ZERO`), or None."""
        known = self._parts.get(tensor)
        if known.__class__ is list:
            with _beside(tensor, known) if self._colocate else _ANYWHERE:
                self._parts[tensor] = known = total(known)
        return known

    def of_source(self, tensor: Tensor) -> Any:
        """The gradient for `tensor`, zeros written out."""
        known = self.of(tensor)
        if known is not ZERO:
            return known
        return raw.ZerosLike(self._values[tensor]) if tensor in self._values else zeros_for(tensor)

    def add_zero_of_read(self, handle: Tensor, value: Tensor) -> None:
        """Adds `ZERO` for the handle of a variable that was read."""
        self._values[handle] = value
        self.add(handle, ZERO)


_ANYWHERE: AbstractContextManager[Any] = contextlib.nullcontext()


def _beside(tensor: Tensor, grads: list[Any]) -> AbstractContextManager[Any]:
    """Where gradients are added up: beside one of them if all have its device, else beside
    what they are gradients of.
    """
    devices = {getattr(grad, "device", None) for grad in grads}
    # The last one is that of the op which was made first, as TensorFlow's first one is.
    op = grads[-1].op if len(devices) == 1 and isinstance(grads[-1], Tensor) else tensor.op
    return tensor.op.graph.colocate_with(op, ignore_existing=True)


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
    if len(grads) == 2 and grads[0].__class__ is grads[1].__class__ is EagerTensor:
        return grads[0] + grads[1]
    return raw.AddN([convert_to_tensor(g) for g in grads])


def _int64(indices: Tensor, grads: list[Any]) -> Tensor:
    """The indices in the one dtype that all have, else as int64."""
    if all(g.indices.dtype == indices.dtype for g in grads):
        return indices
    return raw.Cast(indices, DstT=int64)


def backward(
    ops: Iterable[Any],
    grads: Gradients,
    wanted: Callable[[Tensor], bool],
    stopped: frozenset[Tensor] = frozenset(),
    scope: Callable[[Any], AbstractContextManager[Any]] | None = None,
) -> None:
    """Carries gradients from outputs to inputs through `ops`, which come consumers first.

    Args:
      ops: the ops to go through.
      grads: gradients of the targets; those of everything before are added.
      wanted: tells whether the gradient for an input is of use.
      stopped: tensors at which gradients arrive, but through which they do not flow.
      scope: in a graph, gives the context in which the gradient of an op is built. Gradients are
        built there for all inputs, since TensorFlow's names depend on it; in eager mode, for those
        that are wanted.

    Raises:
      ValueError: if an op's gradient function gives the wrong number of gradients.
    """
    of = grads.of
    for op in ops:
        out_grads = [None if t in stopped else of(t) for t in op.outputs]
        if out_grads.count(None) == len(out_grads):
            continue
        if ZERO in out_grads and not (out_grads := _without_zeros(op, out_grads, grads, wanted)):
            continue
        if scope is None:
            in_grads = _in_grads(op, out_grads)
        else:
            with scope(op):
                in_grads = [_value(grad) for grad in _in_grads(op, out_grads)]
        for tensor, grad in zip(op.inputs, in_grads, strict=True):
            if grad is not None and wanted(tensor):
                grads.add(tensor, _value(grad))


def _without_zeros(
    op: Any, out_grads: list[Any], grads: Gradients, wanted: Callable[[Tensor], bool]
) -> list[Any]:
    """The gradients of an op's outputs with None for `ZERO`; where there are no others, passes
    `ZERO` on to its inputs and gives nothing.
    """
    rest = [None if g is ZERO else g for g in out_grads]
    if rest.count(None) < len(rest):
        return rest
    if op.record.name == "ReadVariableOp":
        grads.add_zero_of_read(op.inputs[0], op.outputs[0])
    elif op.record.grad is not not_differentiable:
        for tensor in op.inputs:
            if wanted(tensor) and is_trainable(tensor):
                grads.add(tensor, ZERO)
    return []


def _value(grad: Any) -> Any:
    """A gradient; op records may give a function instead, called where the gradient is wanted."""
    return grad() if grad.__class__ is FunctionType else grad


def _in_grads(op: Any, out_grads: list[Any]) -> Sequence[Any]:
    """The gradients for the inputs of one op."""
    op_def = op.record
    for index, grad in enumerate(out_grads):
        if grad is None:
            # Beside a gradient that is there.
            if op_def.name not in _TAKES_NONE and is_trainable(op.outputs[index]):
                out_grads[index] = raw.ZerosLike(op.outputs[index])
        elif grad.__class__ is IndexedSlices and op_def.name not in _PASS_ON:
            out_grads[index] = convert_to_tensor(grad)
    found = gradient_of(op)(op, *out_grads)
    if found is None:
        return [None] * len(op.inputs)
    if found.__class__ is not tuple and found.__class__ is not list:
        found = (found,)
    if len(found) != len(op.inputs):
        raise ValueError(
            f"The gradient of op {op.name!r} ({op.type}) gave {len(found)} gradients for "
            f"{len(op.inputs)} inputs."
        )
    return found


def is_trainable(tensor: Any) -> bool:
    """Tells whether gradients flow through a tensor of this dtype."""
    dtype = tensor.dtype.base_dtype
    return bool(dtype.is_floating or dtype.is_complex)


def source_tensor(source: Any) -> Any:
    """The tensor at which the gradient for a source arrives: a variable's handle, or the tensor."""
    if source.__class__ is EagerTensor:
        return source
    handle = getattr(source, "_gradient_source", None)
    return source if handle is None else handle
