"""Producers: queues with the rows of a tensor, in epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.arrays.shape_ops import size as size_of
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.data_flow.queues import FIFOQueue
from hybridflow._src.ops.files.whole import matching_files
from hybridflow._src.ops.random.sampling import random_shuffle
from hybridflow._src.summary.summary import scalar
from hybridflow._src.train.input.queue_runner import QueueRunner, add_queue_runner
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.ops.data_flow.queues import QueueBase

__all__ = [
    "input_producer",
    "limit_epochs",
    "match_filenames_once",
    "range_input_producer",
    "slice_input_producer",
    "string_input_producer",
]

_EAGER = (
    "Input by queues is not supported when eager execution is enabled: threads run the graph's "
    "operations. Build the graph in graph mode (`with hf.graph_mode():`); in eager mode a loop "
    "over arrays does."
)
_NO_STRINGS = "string_input_producer requires a non-null input tensor"


def check_mode(kind: type[Exception]) -> None:
    """Raises an error of this class in eager mode."""
    if context.modes.top.eager:
        raise kind(_EAGER)


def match_filenames_once(pattern: Any, name: str | None = None) -> Variable:
    """A local variable with the names of the files that match a pattern, looked up once.

    Args:
      pattern: a pattern, as for `hf.matching_files`, or a vector of them.
      name: name of the variable.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     names = hf.train.match_filenames_once("/no/such/place/*.csv")
    ...     sess.run(hf.local_variables_initializer())
    ...     print(sess.run(names))
    []
    """
    with name_scope(name, "matching_filenames", [pattern]) as scope:
        return Variable(
            name=scope,
            initial_value=matching_files(pattern),
            trainable=False,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Any:
    """A tensor that can be computed so often.

    A local variable `epochs` counts: run `hf.local_variables_initializer()` first.

    Args:
      tensor: any tensor.
      num_epochs: how often; None for no limit.
      name: name of the op.

    Raises:
      ValueError: if `num_epochs` is not positive. OutOfRangeError: when it runs once more.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     once = hf.train.limit_epochs(hf.constant(3), num_epochs=1)
    ...     sess.run(hf.local_variables_initializer())
    ...     print(sess.run(once))
    3
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name, "limit_epochs", [tensor]) as scope:
        epochs = Variable(
            convert_to_tensor(0, dtypes.int64, name="Const"),
            name="epochs",
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )
        with control_dependencies([epochs.count_up_to(num_epochs)]):
            return raw.Identity(convert_to_tensor(tensor), name=scope)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> QueueBase:
    """A queue with the rows of a tensor, filled by a runner that `start_queue_runners` starts.

    Args:
      input_tensor: a tensor `[n, ...]`.
      element_shape: the shape of a row, where it is not known.
      num_epochs: how often all rows are produced; then the queue is closed. None for no end. It is
        counted by a local variable: run `hf.local_variables_initializer()` first.
      shuffle: whether the rows of each epoch are shuffled; `seed`: how.
      capacity: how many rows the queue holds at most.
      shared_name: the queue's `shared_name`.
      summary_name: a summary of this name tells how full the queue is.
      name: name of the queue.
      cancel_op: closes the queue at once; made if it is None.

    Returns: the queue.

    Raises:
      ValueError: if the shape of rows is not known. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.input_producer([[1, 2], [3, 4]], shuffle=False, num_epochs=1)
    ...     row = queue.dequeue()
    ...     sess.run(hf.local_variables_initializer())
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(row), sess.run(row))
    [1 2] [3 4]
    """
    check_mode(RuntimeError)
    with name_scope(name, "input_producer", [input_tensor]):
        rows = convert_to_tensor(input_tensor, name="input_tensor")
        shape = rows.shape[1:].merge_with(element_shape)
        if not shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be "
                "specified"
            )
        if shuffle:
            rows = random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(
            capacity,
            [rows.dtype.base_dtype],
            shapes=[shape],
            shared_name=shared_name,
            name=name,
        )
        add_queue_runner(QueueRunner(queue, [queue.enqueue_many([rows])], cancel_op=cancel_op))
        if summary_name is not None:
            add_fullness(summary_name, queue.size(), capacity)
        return queue


def add_fullness(summary_name: str, size: Tensor, capacity: int) -> None:
    """Adds a summary of how full a queue is, a part of 1."""
    scalar(summary_name, raw.Cast(size, DstT=dtypes.float32) * (1.0 / capacity))


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> QueueBase:
    """A queue with strings, such as the names of files, filled by a runner.

    Args:
      string_tensor: a vector of strings.
      num_epochs, shuffle, seed, capacity, shared_name, cancel_op: as for `input_producer`.
      name: name of the ops.

    Returns: the queue.

    Raises:
      ValueError: for an empty list. InvalidArgumentError: when it runs, for an empty tensor.
        RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.string_input_producer(["a.csv", "b.csv"], shuffle=False)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(queue.dequeue()))
    b'a.csv'
    """
    if not isinstance(string_tensor, Tensor | Variable) and not len(string_tensor):
        raise ValueError(_NO_STRINGS)
    with name_scope(name, "input_producer", [string_tensor]) as scope:
        strings = convert_to_tensor(string_tensor, dtypes.string)
        with control_dependencies([Assert(size_of(strings) > 0, [_NO_STRINGS])]):
            strings = raw.Identity(strings)
        return input_producer(
            strings,
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            summary_name=f"fraction_of_{capacity}_full",
            name=scope,
            cancel_op=cancel_op,
        )


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> QueueBase:
    """A queue with the numbers from 0 to `limit` - 1, filled by a runner.

    Args:
      limit: an int32 scalar.
      num_epochs, shuffle, seed, capacity, shared_name: as for `input_producer`.
      name: name of the ops.

    Returns: the queue.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.range_input_producer(3, shuffle=False)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(queue.dequeue_many(5)))
    [0 1 2 0 1]
    """
    check_mode(RuntimeError)
    with name_scope(name, "input_producer", [limit]) as scope:
        summary = f"fraction_of_{capacity}_full"
        return input_producer(
            range_of(limit), [], num_epochs, shuffle, seed, capacity, shared_name, summary, scope
        )


def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """One row of each of several tensors: another one each time that they are computed.

    Args:
      tensor_list: tensors `[n, ...]` with as many rows.
      num_epochs, shuffle, seed, capacity, shared_name: as for `input_producer`.
      name: name scope of the ops.

    Returns: a list with a tensor `[...]` for each.

    Raises:
      ValueError: for an empty list. OutOfRangeError: when it runs, after `num_epochs`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x, y = hf.train.slice_input_producer([[1.0, 2.0], ["one", "two"]], shuffle=False)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run([x, y]))
    [np.float32(1.0), b'one']
    """
    check_mode(RuntimeError)
    with name_scope(name, "input_producer", list(tensor_list)):
        tensors = [convert_to_tensor_or_indexed_slices(t) for t in tensor_list]
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        queue = range_input_producer(
            shape_of(tensors[0])[0],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
        )
        index = queue.dequeue()
        return [gather(t, index) for t in tensors]
