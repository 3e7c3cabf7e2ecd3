"""Batches: queues that gather examples, and what takes several at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.data_flow.queues import (
    FIFOQueue,
    PaddingFIFOQueue,
    QueueBase,
    RandomShuffleQueue,
)
from hybridflow._src.summary.summary import scalar
from hybridflow._src.train.input.gathering import Gathering, as_lists, like
from hybridflow._src.train.input.producers import add_fullness, check_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def _batch(default_name: str, tensors_list: Sequence[Any], dynamic_pad: bool, **rest: Any) -> Any:
    """What the functions of batches in order do, with the arguments that they have."""

    def make(gathering: Gathering, capacity: int, shared_name: str | None) -> QueueBase:
        kind: Any = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queue: QueueBase = kind(
            capacity, gathering.dtypes, shapes=gathering.shapes, shared_name=shared_name
        )
        return queue

    def tell(queue: QueueBase, capacity: int) -> None:
        add_fullness(f"fraction_of_{capacity}_full", queue.size(), capacity)

    return _gathered(default_name, tensors_list, make, tell, **rest)


def _shuffle_batch(
    default_name: str,
    tensors_list: Sequence[Any],
    min_after_dequeue: int,
    seed: int | None,
    **rest: Any,
) -> Any:
    """What the functions of batches in random order do."""
    least = min_after_dequeue

    def make(gathering: Gathering, capacity: int, shared_name: str | None) -> QueueBase:
        if capacity <= least:
            raise ValueError(f"capacity {capacity} must be bigger than min_after_dequeue {least}.")
        return RandomShuffleQueue(
            capacity, least, gathering.dtypes, gathering.shapes, None, seed, shared_name
        )

    def tell(queue: QueueBase, capacity: int) -> None:
        over = raw.Cast(raw.Maximum(0, queue.size() - least), DstT=dtypes.float32)
        full = capacity - least
        scalar(f"fraction_over_{least}_of_{full}_full", over * (1.0 / full))

    return _gathered(default_name, tensors_list, make, tell, **rest)


def _gathered(
    default_name: str,
    tensors_list: Sequence[Any],
    make: Callable[[Gathering, int, str | None], QueueBase],
    tell: Callable[[QueueBase, int], None],
    *,
    batch_size: Any,
    keep_input: Any,
    capacity: int,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
    name: str | None,
    num_threads: int = 1,
) -> Any:
    """Batches of examples out of a queue, by the arguments of the public functions.

    Args:
      make: makes the queue.
      tell: adds the summary of how full it is.
    """
    check_mode(ValueError)
    examples = as_lists(tensors_list)
    values = [t for example in examples for t in example]
    with name_scope(name, default_name, [*values, keep_input]) as scope:
        what = "input in batch_join" if default_name.endswith("join") else "tensor in batch"
        gathering = Gathering(examples, keep_input, enqueue_many, shapes, what)
        queue = make(gathering, capacity, shared_name)
        gathering.fill(queue, num_threads)
        tell(queue, capacity)
        found = gathering.taken(queue, batch_size, allow_smaller_final_batch, scope)
        return like(tensors_list[0], found)


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
    return maybe_batch(keep_input=True, **locals())


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
    arguments = locals()
    return _batch("batch", [arguments.pop("tensors")], **arguments)


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
    return maybe_batch_join(keep_input=True, **locals())


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
    return _batch("batch_join", **locals())


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
    return maybe_shuffle_batch(keep_input=True, **locals())


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
    arguments = locals()
    return _shuffle_batch("shuffle_batch", [arguments.pop("tensors")], **arguments)


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
    return maybe_shuffle_batch_join(keep_input=True, **locals())


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
    return _shuffle_batch("shuffle_batch_join", **locals())
