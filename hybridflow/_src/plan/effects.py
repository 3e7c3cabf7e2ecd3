"""Which variables an op reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.framework.dtypes import resource
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.signature import takes_variable

if TYPE_CHECKING:
    from collections.abc import Collection

    from hybridflow._src.framework.tensor import Tensor


class Effects(NamedTuple):
    """The variables, each named by the op that makes its handle, which an op reads and writes."""

    reads: frozenset[Operation]
    writes: frozenset[Operation]


NONE = Effects(frozenset(), frozenset())


def source_of(handle: Tensor) -> Operation:
    """The op that makes a variable's handle or reference, seen through ops that pass it on."""
    op = handle.op
    while op.record.effect is not None and handle._dtype.is_ref_dtype:
        handle = op.inputs[0]
        op = handle.op
    return op


def is_reference(tensor: Tensor) -> bool:
    """Tells whether a tensor is a variable's own reference, which is read where it is used."""
    return tensor._dtype.is_ref_dtype and tensor.op.record.effect is None


def effects_of(op: Operation) -> Effects:
    """The effects of an op, with those of the bodies that it runs."""
    op_def = op.record
    if op.bodies:
        reads: set[Operation] = set()
        writes: set[Operation] = set()
        for body in op.bodies:
            for inner in body.operations:
                found = effects_of(inner)
                reads |= found.reads
                writes |= found.writes
        return Effects(frozenset(reads), frozenset(writes))
    variables = set()
    used = set()
    for index, tensor in enumerate(op.inputs):
        dtype = tensor._dtype
        if dtype is resource or (dtype.is_ref_dtype and takes_variable(op.record.inputs, index)):
            variables.add(source_of(tensor))
        elif dtype.is_ref_dtype and is_reference(tensor):
            used.add(tensor.op)
    if op_def.effect == "write":
        return Effects(frozenset(used), frozenset(variables))
    if op_def.effect == "read":
        used |= variables
    return Effects(frozenset(used), frozenset()) if used else NONE


def is_pure_read(op: Operation) -> bool:
    """Tells whether an op does nothing but read one variable."""
    if op.record.effect == "read":
        return len(op.inputs) == 1
    return op.record.name == "Identity" and is_reference(op.inputs[0])


def snapshot_of(tensor: Tensor) -> Operation | None:
    """The variable kept by reference of which a tensor is a read that its users share."""
    op = tensor.op
    if op.record.name != "Identity" or not is_reference(op.inputs[0]):
        return None
    return op.inputs[0].op


def read_from(tensor: Tensor, given: Collection[Tensor] = ()) -> Operation | None:
    """The variable kept by reference of which a tensor is a read that a body takes from outside.

    The identity of one is one: in TensorFlow neither is a copy. But not what is `given`, or
    computed from that.
    """
    while tensor not in given and tensor.op.record.name == "Identity":
        tensor = tensor.op.inputs[0]
        if is_reference(tensor):
            return tensor.op
    return None
