"""Iterators in checkpoints: where they stand is saved and restored with the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.iterator import Iterator
from hybridflow._src.data.state import packed, unpacked
from hybridflow._src.framework.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
)
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.train.saving.saveables import SaveableObject, SaveSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.data.passes import Source
    from hybridflow._src.data.resources import IteratorResource
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["make_saveable_from_iterator"]

_OTHER = (
    "The iterator cannot go where another one stood: that one went through a dataset that was made "
    "in another way ({problem})."
)


def _serialize(iterator: IteratorResource) -> np.ndarray:
    return np.array(packed(iterator.state()), object)


def _deserialize(iterator: IteratorResource, serialized: Any, *dataset: Source) -> tuple[()]:
    try:
        state = unpacked(serialized[()])
    except ValueError as error:
        raise DataLossError(None, None, f"{error} of an iterator") from error
    if dataset:
        iterator.begin(dataset[0])
    try:
        iterator.restore(state)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, (FailedPreconditionError, InvalidArgumentError)):
            raise
        raise InvalidArgumentError(None, None, _OTHER.format(problem=error)) from error
    return ()


_serialize_iterator = OpDef(
    "SerializeIterator",
    "resource_handle: resource -> serialized: string",
    shape=scalar,
    compute=_serialize,
    grad=not_differentiable,
    stateful=True,
)
_deserialize_iterator = OpDef(
    "DeserializeIterator",
    "resource_handle: resource, serialized: string, dataset: ... ->",
    shape=lambda attrs, *_: [],
    compute=_deserialize,
    grad=not_differentiable,
    stateful=True,
)


def serialize_iterator(resource: Tensor) -> Tensor:
    """Where an iterator stands, as a string."""
    serialized: Tensor = _serialize_iterator(resource)
    return serialized


def deserialize_iterator(resource: Tensor, serialized: Any) -> Operation:
    """Has an iterator go where another one stood; it need not be initialized.

    That takes the dataset of its initializer, if there is one initializer alone.
    """
    made = [op.inputs[0] for op in resource.consumers() if op.type == "MakeIterator"]
    operation: Operation = _deserialize_iterator(
        resource, serialized, made if len(made) == 1 else []
    )
    return operation


class _IteratorSaveable(SaveableObject):
    """An iterator as savers see it."""

    def __init__(self, resource: Tensor) -> None:
        spec = SaveSpec(serialize_iterator(resource), "", resource.name + "-state")
        super().__init__(resource.op, [spec], resource.name)
        self._resource = resource

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Any) -> Operation:
        return deserialize_iterator(self._resource, restored_tensors[0])


def make_saveable_from_iterator(iterator: Iterator) -> SaveableObject:
    """An iterator for savers: in the collection `SAVEABLE_OBJECTS` it is saved with the variables.

    What is saved is where it stands: numbers, elements in buffers, streams of random numbers; not
    the dataset, which the program that restores it makes again.

    Raises (when it is saved): UnimplementedError for iterators that go through generators, as in
    TensorFlow, or files of caches.

    >>> import hybridflow as hf, os, tempfile
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     iterator = hf.data.Dataset.range(9).shuffle(4).make_initializable_iterator()
    ...     x = iterator.get_next()
    ...     saveable = hf.contrib.data.make_saveable_from_iterator(iterator)
    ...     hf.add_to_collection(hf.GraphKeys.SAVEABLE_OBJECTS, saveable)
    ...     saver = hf.train.Saver()
    ...     session.run(iterator.initializer)
    ...     first = session.run(x)
    ...     path = saver.save(session, os.path.join(tempfile.mkdtemp(), "model"))
    ...     rest = [int(session.run(x)) for _ in range(8)]
    ...     saver.restore(session, path)
    ...     print(rest == [int(session.run(x)) for _ in range(8)])
    True
    """
    return _IteratorSaveable(iterator._iterator_resource)
