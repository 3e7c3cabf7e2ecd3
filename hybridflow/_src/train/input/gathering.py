"""Queues that gather examples: what all functions of batches do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor, SparseTensorValue
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.layers.arguments import smart_cond
from hybridflow._src.ops.arrays.partitioning import dynamic_partition
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.sparse.serializing import (
    deserialize_many_sparse,
    serialize_many_sparse,
    serialize_sparse,
)
from hybridflow._src.train.input.queue_runner import QueueRunner, add_queue_runner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape
    from hybridflow._src.ops.data_flow.queues import QueueBase


def as_lists(tensors_list: Any) -> list[list[Any]]:
    """Examples, each a list; the tensors of dicts by the order of their keys.

    Raises:
      ValueError: if there are none, or their keys differ.
    """
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    first = tensors_list[0]
    if isinstance(first, dict) and any(set(t) != set(first) for t in tensors_list[1:]):
        raise ValueError("All dictionaries in tensors_list must have the same keys")
    return [as_list(tensors) for tensors in tensors_list]


def as_list(tensors: Any) -> list[Any]:
    """The tensors of an example."""
    if isinstance(tensors, dict):
        return [tensors[key] for key in sorted(tensors, key=str)]
    return list(tensors)


def like(tensors: Any, found: Any) -> Any:
    """What was dequeued in the structure of what was enqueued; one of one is itself."""
    if isinstance(tensors, dict):
        return dict(zip(sorted(tensors, key=str), found, strict=True))
    return found[0] if len(found) == 1 else found


class Gathering:
    """Examples on their way into a queue and out of it.

    Sparse tensors are in the queue as strings: what their sizes are is seen when a batch is taken.

    Args:
      examples: tensors that are computed by different threads, a list each.
      keep_input: whether they are added.
      enqueue_many: whether the tensors are batches of examples.
      shapes: of the tensors of an example, where they are not known.
      what: where the examples are needed, in errors.

    Attributes:
      dtypes, shapes: of the queue's components.

    Raises:
      ValueError: if there are no tensors, a shape is not known, examples are sparse where others
        are not, or their shapes or ranks differ. TypeError: if their dtypes differ.
    """

    def __init__(
        self,
        examples: Sequence[Sequence[Any]],
        keep_input: Any,
        enqueue_many: bool,
        shapes: Any,
        what: str,
    ) -> None:
        self._examples = [[_converted(t) for t in example] for example in examples]
        if not self._examples or not self._examples[0]:
            raise ValueError(f"Expected at least one {what}().")
        self._keep = _checked_keep(keep_input, enqueue_many)
        self._many = enqueue_many
        self._dtypes = _dtypes_of(self._examples)
        several = list(zip(*self._examples, strict=True))
        self._sparse = [_is_sparse(tensors) for tensors in several]
        self.dtypes = [
            dtypes.string if sparse else dtype
            for sparse, dtype in zip(self._sparse, self._dtypes, strict=True)
        ]
        self.shapes = [
            as_shape([3]) if sparse else shape
            for sparse, shape in zip(self._sparse, self._shapes(several, shapes), strict=True)
        ]
        self._ranks = [
            _batch_rank(tensors, enqueue_many) if sparse else None
            for sparse, tensors in zip(self._sparse, several, strict=True)
        ]

    def _shapes(self, several: Sequence[Sequence[Any]], shapes: Any) -> Sequence[Any]:
        if shapes is not None:
            found: Sequence[Any] = shapes
            return found
        return [
            None if sparse else _shape_of(tensors, self._many)
            for sparse, tensors in zip(self._sparse, several, strict=True)
        ]

    def fill(self, queue: QueueBase, threads: int = 1) -> None:
        """Adds a runner that fills a queue, with so many threads for the first example."""
        enqueue = queue.enqueue_many if self._many else queue.enqueue
        ops = [self._kept(enqueue, tensors) for tensors in self._examples] * threads
        add_queue_runner(QueueRunner(queue, ops))

    def _kept(self, enqueue: Callable[[Any], Any], tensors: list[Any]) -> Any:
        if self._keep.shape.ndims == 1:
            which = raw.Cast(self._keep, DstT=dtypes.int32)
            return enqueue([dynamic_partition(t, which, 2)[1] for t in self._stored(tensors)])
        return smart_cond(self._keep, lambda: enqueue(self._stored(tensors)), no_op)

    def _stored(self, tensors: list[Any]) -> list[Tensor]:
        store = serialize_many_sparse if self._many else serialize_sparse
        return [store(t) if isinstance(t, SparseTensor) else t for t in tensors]

    def taken(self, queue: QueueBase, batch_size: Any, smaller: bool, name: str) -> list[Any]:
        """The tensors of a batch out of the queue.

        Args:
          smaller: whether a last batch may be smaller.
        """
        dequeue = queue.dequeue_up_to if smaller else queue.dequeue_many
        taken = dequeue(batch_size, name=name)
        parts = zip(
            taken if isinstance(taken, list) else [taken],
            self._dtypes,
            self._sparse,
            self._ranks,
            strict=True,
        )
        return [
            deserialize_many_sparse(t, dtype, rank) if sparse else t
            for t, dtype, sparse, rank in parts
        ]


def _converted(tensor: Any) -> Any:
    if isinstance(tensor, SparseTensorValue):
        return SparseTensor.from_value(tensor)
    if isinstance(tensor, SparseTensor):
        return tensor
    return convert_to_tensor_or_indexed_slices(tensor)


def _is_sparse(tensors: Sequence[Any]) -> bool:
    sparse = [isinstance(t, SparseTensor) for t in tensors]
    if any(sparse) != all(sparse):
        raise ValueError(f"Inconsistent SparseTensors list: {tensors[0]} vs. {tensors[1:]}")
    return sparse[0]


def _batch_rank(tensors: Sequence[SparseTensor], enqueue_many: bool) -> int | None:
    """The rank of batches of sparse tensors; `enqueue_many` says that they are such batches.

    Raises:
      ValueError: if they have several.
    """
    ranks = {t.shape.ndims for t in tensors if t.shape.ndims is not None}
    if len(ranks) > 1:
        raise ValueError(f"Inconsistent SparseTensors list: ranks {sorted(ranks)} of {tensors}")
    return ranks.pop() + (not enqueue_many) if ranks else None


def _checked_keep(keep_input: Any, enqueue_many: bool) -> Tensor:
    keep = convert_to_tensor(keep_input)
    rank = keep.shape.ndims
    if rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if rank == 1 and not enqueue_many:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if rank > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep


def _dtypes_of(examples: Sequence[Sequence[Any]]) -> list[Any]:
    types = [t.dtype.base_dtype for t in examples[0]]
    for other in examples[1:]:
        others = [t.dtype.base_dtype for t in other]
        if others != types:
            raise TypeError(
                f"Expected types to be consistent: {', '.join(t.name for t in types)} vs. "
                f"{', '.join(t.name for t in others)}."
            )
    return types


def _shape_of(tensors: Sequence[Tensor], enqueue_many: bool) -> TensorShape:
    """What the shapes of one component of several examples have in common."""
    for tensor in tensors:
        if tensor.shape.ndims is None:
            raise ValueError(f"Cannot infer Tensor's rank: {tensor}")
    rows = [t.shape.with_rank_at_least(1)[1:] if enqueue_many else t.shape for t in tensors]
    shape = as_shape(rows[0])
    for other in rows[1:]:
        shape = shape.merge_with(other)
    return shape
