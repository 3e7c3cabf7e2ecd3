"""Batches: queues that gather examples, and what takes several at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.layers.arguments import smart_cond
from hybridflow._src.ops.arrays.partitioning import dynamic_partition
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.data_flow.queues import (
    FIFOQueue,
    PaddingFIFOQueue,
    QueueBase,
    RandomShuffleQueue,
)
from hybridflow._src.summary.summary import scalar
from hybridflow._src.train.input.producers import add_fullness, check_mode
from hybridflow._src.train.input.queue_runner import QueueRunner, add_queue_runner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = [
    "batch",
    "batch_join",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "shuffle_batch",
    "shuffle_batch_join",
]


# -- examples --------------------------------------------------------------------------------------


def _as_list(tensors: Any) -> list[Any]:
    if isinstance(tensors, dict):
        return [tensors[key] for key in sorted(tensors, key=str)]
    return list(tensors)


def _as_lists(tensors_list: Any) -> list[list[Any]]:
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    first = tensors_list[0]
    if isinstance(first, dict) and any(set(t) != set(first) for t in tensors_list[1:]):
        raise ValueError("All dictionaries in tensors_list must have the same keys")
    return [_as_list(tensors) for tensors in tensors_list]


def _like(tensors: Any, found: Any) -> Any:
    """What was dequeued in the structure of what was enqueued; one of one is itself."""
    if isinstance(tensors, dict):
        items = [found] if len(tensors) == 1 else found
        return dict(zip(sorted(tensors, key=str), items, strict=True))
    return found


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


def _dtypes_of(examples: Sequence[Sequence[Tensor]]) -> list[Any]:
    types = [t.dtype.base_dtype for t in examples[0]]
    for other in examples[1:]:
        others = [t.dtype.base_dtype for t in other]
        if others != types:
            raise TypeError(
                f"Expected types to be consistent: {', '.join(t.name for t in types)} vs. "
                f"{', '.join(t.name for t in others)}."
            )
    return types


def _shapes_of(
    examples: Sequence[Sequence[Tensor]], shapes: Any, enqueue_many: bool
) -> Sequence[Any]:
    if shapes is not None:
        found: Sequence[Any] = shapes
        return found
    merged: list[TensorShape] = []
    for several in zip(*examples, strict=True):
        for tensor in several:
            if tensor.shape.ndims is None:
                raise ValueError(f"Cannot infer Tensor's rank: {tensor}")
        rows = [t.shape.with_rank_at_least(1)[1:] if enqueue_many else t.shape for t in several]
        shape = as_shape(rows[0])
        for other in rows[1:]:
            shape = shape.merge_with(other)
        merged.append(shape)
    return merged


# -- queues ----------------------------------------------------------------------------------------


class _Batches:
    """What all functions here do.

    Args:
      examples: tensors that are computed by different threads, a list each.
      keep_input: whether they are added.
      threads: how many compute the first.
      enqueue_many: whether the tensors are batches of examples.
    """

    def __init__(
        self,
        examples: Sequence[Sequence[Any]],
        keep_input: Any,
        enqueue_many: bool,
        shapes: Any,
        what: str,
    ) -> None:
        self._examples = [[convert_to_tensor_or_indexed_slices(t) for t in e] for e in examples]
        if not self._examples or not self._examples[0]:
            raise ValueError(f"Expected at least one {what}().")
        self._keep = _checked_keep(keep_input, enqueue_many)
        self._many = enqueue_many
        self.dtypes = _dtypes_of(self._examples)
        self.shapes = _shapes_of(self._examples, shapes, enqueue_many)

    def fill(self, queue: QueueBase, threads: int = 1) -> None:
        """Adds a runner that fills a queue."""
        enqueue = queue.enqueue_many if self._many else queue.enqueue
        ops = [self._kept(enqueue, tensors) for tensors in self._examples] * threads
        add_queue_runner(QueueRunner(queue, ops))

    def _kept(self, enqueue: Callable[[Any], Any], tensors: list[Any]) -> Any:
        if self._keep.shape.ndims == 1:
            which = raw.Cast(self._keep, DstT=dtypes.int32)
            return enqueue([dynamic_partition(t, which, 2)[1] for t in tensors])
        return smart_cond(self._keep, lambda: enqueue(tensors), no_op)


def _add_fullness_over(queue: QueueBase, least: int, capacity: int) -> None:
    """Adds a summary of how many elements there are beside those that stay."""
    over = raw.Cast(raw.Maximum(0, queue.size() - least), DstT=dtypes.float32)
    rest = capacity - least
    scalar(f"fraction_over_{least}_of_{rest}_full", over * (1.0 / rest))


def _taken(queue: QueueBase, batch_size: Any, smaller: bool, name: str) -> Any:
    dequeue = queue.dequeue_up_to if smaller else queue.dequeue_many
    return dequeue(batch_size, name=name)


def _batch(
    tensors_list: Sequence[Any],
    default_name: str,
    batch_size: Any,
    keep_input: Any,
    num_threads: int,
    capacity: int,
    enqueue_many: bool,
    shapes: Any,
    dynamic_pad: bool,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
    name: str | None,
) -> Any:
    check_mode(ValueError)
    examples = _as_lists(tensors_list)
    values = [t for example in examples for t in example]
    with name_scope(name, default_name, [*values, keep_input]) as scope:
        what = "tensor in batch" if default_name == "batch" else "input in batch_join"
        batches = _Batches(examples, keep_input, enqueue_many, shapes, what)
        kind: Any = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queue = kind(capacity, batches.dtypes, shapes=batches.shapes, shared_name=shared_name)
        batches.fill(queue, num_threads)
        add_fullness(f"fraction_of_{capacity}_full", queue.size(), capacity)
        found = _taken(queue, batch_size, allow_smaller_final_batch, scope)
        return _like(tensors_list[0], found)


def _shuffle_batch(
    tensors_list: Sequence[Any],
    default_name: str,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int,
    seed: int | None,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
    name: str | None,
) -> Any:
    check_mode(ValueError)
    examples = _as_lists(tensors_list)
    values = [t for example in examples for t in example]
    with name_scope(name, default_name, [*values, keep_input]) as scope:
        if capacity <= min_after_dequeue:
            raise ValueError(
                f"capacity {capacity} must be bigger than min_after_dequeue {min_after_dequeue}."
            )
        what = "tensor in batch" if default_name == "shuffle_batch" else "input in batch_join"
        batches = _Batches(examples, keep_input, enqueue_many, shapes, what)
        queue = RandomShuffleQueue(
            capacity,
            min_after_dequeue,
            batches.dtypes,
            shapes=batches.shapes,
            seed=seed,
            shared_name=shared_name,
        )
        batches.fill(queue, num_threads)
        _add_fullness_over(queue, min_after_dequeue, capacity)
        found = _taken(queue, batch_size, allow_smaller_final_batch, scope)
        return _like(tensors_list[0], found)


# -- public functions ------------------------------------------------------------------------------


def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Examples in batches: threads compute tensors again and again, and a queue gathers them.

    The threads are those of a runner that `start_queue_runners` starts.

    Args:
      tensors: list or dict of tensors `[...]`: one example.
      batch_size: how many examples a batch has: an int32 scalar.
      num_threads: how many threads compute examples; with more than one their order is open.
      capacity: how many examples are kept at most.
      enqueue_many: whether `tensors` are several examples, `[n, ...]`.
      shapes: the shapes of an example's tensors, where they are not known.
      dynamic_pad: whether sizes of examples may differ: those of a batch are padded with zeros.
      allow_smaller_final_batch: whether the rest makes a smaller batch, or is dropped.
      shared_name: the queue's `shared_name`.
      name: name of the ops.

    Returns: tensors `[batch_size, ...]`, in a list or dict like `tensors`; for a list of one a
    tensor. Computing them raises `OutOfRangeError` after the last batch.

    Raises:
      ValueError: if a shape is not known, or in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     number = hf.train.range_input_producer(10, shuffle=False).dequeue()
    ...     squares = hf.train.batch([number * number], batch_size=4)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(squares))
    [0 1 4 9]
    """
    return _batch(
        [tensors],
        "batch",
        batch_size,
        True,
        num_threads,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, of those examples alone that are to be kept.

    Args:
      keep_input: bool scalar: whether `tensors` are added; with `enqueue_many` it may be a vector,
        which tells it for each example.

    The other arguments, the result and errors are those of `batch`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     number = hf.train.range_input_producer(10, shuffle=False).dequeue()
    ...     odd = hf.train.maybe_batch([number], hf.equal(number % 2, 1), batch_size=4)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(odd))
    [1 3 5 7]
    """
    return _batch(
        [tensors],
        "batch",
        batch_size,
        keep_input,
        num_threads,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, of examples that are computed in several ways, by a thread each.

    Args:
      tensors_list: list of lists or dicts of tensors: an example each, of the same dtypes. Where
        readers read different files, examples of several files are mixed.

    The other arguments, the result and errors are those of `batch`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     both = hf.train.batch_join([[hf.constant(1)], [hf.constant(2)]], batch_size=3)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(both).shape)
    (3,)
    """
    return maybe_batch_join(
        tensors_list,
        True,
        batch_size,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_batch_join(
    tensors_list: Any,
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch_join`, of those examples alone that are to be kept.

    Args:
      keep_input: as for `maybe_batch`.

    The other arguments, the result and errors are those of `batch_join`.
    """
    return _batch(
        tensors_list,
        "batch_join",
        batch_size,
        keep_input,
        1,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, in random order.

    Args:
      capacity: how many examples are kept at most: `min_after_dequeue` and some batches.
      min_after_dequeue: how many stay behind at least, to choose from: the more, the better they
        are mixed.
      seed: how they are chosen.

    The other arguments and the result are those of `batch`.

    Raises:
      ValueError: if a shape is not known, `capacity` is not larger than `min_after_dequeue`, or in
        eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     number = hf.train.range_input_producer(10).dequeue()
    ...     some = hf.train.shuffle_batch([number], 4, capacity=32, min_after_dequeue=10)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(some).shape)
    (4,)
    """
    return _shuffle_batch(
        [tensors],
        "shuffle_batch",
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        num_threads,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch`, of those examples alone that are to be kept.

    Args:
      keep_input: as for `maybe_batch`.

    The other arguments, the result and errors are those of `shuffle_batch`.
    """
    return _shuffle_batch(
        [tensors],
        "shuffle_batch",
        batch_size,
        capacity,
        min_after_dequeue,
        keep_input,
        num_threads,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch_join`, in random order.

    The arguments, the result and errors are those of `batch_join` and `shuffle_batch`.
    """
    return maybe_shuffle_batch_join(
        tensors_list,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch_join`, of those examples alone that are to be kept.

    Args:
      keep_input: as for `maybe_batch`.

    The other arguments, the result and errors are those of `shuffle_batch_join`.
    """
    return _shuffle_batch(
        tensors_list,
        "shuffle_batch_join",
        batch_size,
        capacity,
        min_after_dequeue,
        keep_input,
        1,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )
