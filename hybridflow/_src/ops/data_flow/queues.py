"""Queues: what threads pass tensors on with."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, seeds, settings
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.dtypes import int64
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index
from hybridflow._src.ops.control_flow.conditional import common_dims
from hybridflow._src.ops.data_flow import queue_ops
from hybridflow._src.ops.data_flow.components import (
    Components,
    dtype_list,
    name_list,
    shape_list,
    values_of,
)
from hybridflow._src.ops.data_flow.handles import new_handle, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class QueueBase:
    """What all queues can do: elements go in and come out, and who must wait for that does.

    An element is a tuple of tensors, its components. Any number of threads may add and take
    elements; each comes out once. In a graph the queue lives in the session, and ends with it: who
    still waits gets a `CancelledError`. No lock is held by who waits, so that other threads may run
    anything meanwhile.

    A thread that waits when no other one is left which could end that gets a
    `FailedPreconditionError`.

    Args:
      dtypes, shapes: of the components; `shapes` is None if they may have any.
      names: if given, elements are dicts with these keys.
      queue_ref: the handle of the queue.

    Raises:
      ValueError: if the lists differ in length.
    """

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Tensor) -> None:
        types = dtype_list(dtypes)
        if shapes is not None and len(shapes) != len(types):
            raise ValueError("Queue shapes must have the same length as dtypes")
        if names is not None and len(names) != len(types):
            raise ValueError("Queue names must have the same length as dtypes")
        self._components = Components(types, shapes, names)
        self._queue_ref = queue_ref
        self._full_name = getattr(getattr(queue_ref, "_a", None), "name", "")
        self._name = self.name.split("/")[-1]

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """The queue at an index of a list, looked at each time that the graph runs.

        Args:
          index: an int32 scalar.
          queues: a list of queues with the same dtypes and names.

        Raises:
          TypeError: if `queues` is no such list.
        """
        if (
            not queues
            or not isinstance(queues, list)
            or not all(isinstance(q, QueueBase) for q in queues)
        ):
            raise TypeError("A list of queues expected")
        first = queues[0]
        if any(q.dtypes != first.dtypes for q in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        if any(q.names != first.names for q in queues):
            raise TypeError("Queues do not have matching component names.")
        shapes = [
            TensorShape.of(functools.reduce(common_dims, [s._dims for s in several]))
            for several in zip(*[q.shapes for q in queues], strict=True)
        ]
        handle = one_of(index, [q.queue_ref for q in queues])
        return QueueBase(first.dtypes, shapes, first.names, handle)

    @property
    def queue_ref(self) -> Tensor:
        """The handle of the queue."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the queue's op."""
        return self._full_name or self._queue_ref.op.name

    @property
    def dtypes(self) -> list[DType]:
        """The dtypes of the components."""
        return self._components.dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components, as far as they are known."""
        return self._components.shapes

    @property
    def names(self) -> list[str] | None:
        """The names of the components, or None."""
        return self._components.names

    def enqueue(self, vals: Any, name: str | None = None) -> Any:
        """Adds one element; waits while the queue is full.

        Args:
          vals: a tensor, or a list of them, one for each component; with names a dict.
          name: name of the op.

        Returns: the operation.

        Raises:
          ValueError: if there are other components than those of the queue, or other shapes.
            TypeError: for other dtypes. CancelledError: when it runs, if the queue is closed, or is
            closed with `cancel_pending_enqueues` while it waits, or the session is.
            InvalidArgumentError: when it runs, for shapes that do not fit.
        """
        with name_scope(name, f"{self._name}_enqueue", values_of(vals)) as scope:
            tensors = self._components.tensors(vals)
            self._components.check_shapes([tensor.shape for tensor in tensors], self._name)
            return queue_ops.enqueue(self._queue_ref, tensors, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Any:
        """Adds the rows of tensors `[n, ...]` as elements, as far as there is room, and waits for
        room for the others.

        Args:
          vals: as for `enqueue`, each with one more dimension in front.
          name: name of the op.

        Returns: the operation.

        Raises:
          ValueError, TypeError, CancelledError, InvalidArgumentError: as `enqueue` does.
        """
        with name_scope(name, f"{self._name}_EnqueueMany", values_of(vals)) as scope:
            tensors = self._components.tensors(vals)
            explained(
                lambda: _check_rows([tensor.shape for tensor in tensors]),
                lambda: (
                    f"Queue '{self._name}' takes rows of elements, tensors [n, ...], got shapes "
                    f"{[tensor.shape.as_list() for tensor in tensors]}"
                ),
            )
            self._components.check_shapes([tensor.shape[1:] for tensor in tensors], self._name)
            return queue_ops.enqueue_many(self._queue_ref, tensors, name=scope)

    def dequeue(self, name: str | None = None) -> Any:
        """Takes one element; waits while there is none.

        Args:
          name: name of the op.

        Returns: a tensor, or a list of them, one for each component; with names a dict.

        Raises:
          OutOfRangeError: when it runs, if the queue is closed and empty. CancelledError: if the
            session is closed while it waits.
        """
        found = queue_ops.dequeue(
            self._queue_ref, component_types=self.dtypes, name=name or f"{self._name}_Dequeue"
        )
        return self._structure(found, self.shapes)

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Takes `n` elements, joined along a new first dimension; waits while there are fewer.

        Args:
          n: an int32 scalar.
          name: name of the op.

        Returns: as `dequeue`, tensors `[n, ...]`.

        Raises:
          OutOfRangeError: when it runs, if the queue is closed and has fewer elements, which stay.
            InvalidArgumentError: if the queue was made without shapes. CancelledError: as for
            `dequeue`.
        """
        name = name or f"{self._name}_DequeueMany"
        found = queue_ops.dequeue_many(self._queue_ref, n, component_types=self.dtypes, name=name)
        number = n
        if not context.modes.top.eager:
            number = constant_value(found[0].op.inputs[1])
        size = None if number is None else int(number)
        return self._structure(found, [as_shape([size]).concatenate(s) for s in self.shapes])

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """As `dequeue_many`, but what is left in a closed queue is taken though it is less.

        Args:
          n: an int32 scalar.
          name: name of the op.

        Returns: as `dequeue`, tensors `[m, ...]` with `m` at most `n`.

        Raises:
          OutOfRangeError: when it runs, if the queue is closed and empty. InvalidArgumentError,
            CancelledError: as for `dequeue_many`.
        """
        name = name or f"{self._name}_DequeueUpTo"
        found = queue_ops.dequeue_up_to(self._queue_ref, n, component_types=self.dtypes, name=name)
        return self._structure(found, [as_shape([None]).concatenate(s) for s in self.shapes])

    def _structure(self, tensors: list[Tensor], shapes: Sequence[TensorShape]) -> Any:
        if not context.modes.top.eager:
            for tensor, shape in zip(tensors, shapes, strict=True):
                tensor.set_shape(shape)
        return self._components.structure(tensors)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Any:
        """Closes the queue: no elements come any more, those that are there can be taken.

        Args:
          cancel_pending_enqueues: whether those that wait to add elements get a `CancelledError`;
            otherwise it is closed when they are done.
          name: name of the op.

        Returns: the operation.

        Raises:
          CancelledError: when it runs, if the queue is closed and nothing is to be cancelled.
        """
        return queue_ops.close(
            self._queue_ref,
            cancel_pending_enqueues=bool(cancel_pending_enqueues),
            name=name or f"{self._name}_Close",
        )

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether the queue is closed: a bool scalar."""
        closed: Tensor = queue_ops.is_closed(
            self._queue_ref, name=name or f"{self._name}_Is_Closed"
        )
        return closed

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements in the queue: an int32 scalar."""
        size: Tensor = queue_ops.size(self._queue_ref, name=name or f"{self._name}_Size")
        return size


def _check_rows(shapes: Sequence[TensorShape]) -> None:
    count = dimension_at_index(shapes[0].with_rank_at_least(1), 0)
    for shape in shapes:
        count = count.merge_with(shape.with_rank_at_least(1)[0])


def _handle(
    record: OpDef,
    dtypes: Sequence[DType],
    shapes: Sequence[TensorShape] | None,
    capacity: Any,
    shared_name: str | None,
    name: str | None,
    **attrs: Any,
) -> Tensor:
    return new_handle(
        record,
        name,
        component_types=list(dtypes),
        shapes=list(shapes or ()),
        capacity=settings.whole(capacity, "capacity"),
        shared_name=shared_name or "",
        **attrs,
    )


class FIFOQueue(QueueBase):
    """A queue whose elements come out in the order in which they went in.

    Args:
      capacity: how many elements it holds at most; no bound if it is negative.
      dtypes: the dtypes of an element's components, or one dtype.
      shapes: their shapes, fully defined; None if elements may differ in shape, which rules out
        `dequeue_many`.
      names: names of the components: then elements are dicts.
      shared_name: queues of this name are one, within a session.
      name: name of the op.

    Raises:
      ValueError, TypeError: for shapes that are not known, and lists that differ in length.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.FIFOQueue(10, hf.float32, shapes=[()])
    ...     sess.run(queue.enqueue_many([[1.0, 2.0, 3.0]]))
    ...     print(sess.run(queue.dequeue()), sess.run(queue.dequeue_many(2)))
    1.0 [2. 3.]
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str | None = "fifo_queue",
    ) -> None:
        types = dtype_list(dtypes)
        found = shape_list(shapes)
        labels = name_list(names, types)
        handle = _handle(queue_ops.fifo_queue, types, found, capacity, shared_name, name)
        super().__init__(types, found, labels, handle)


class PaddingFIFOQueue(QueueBase):
    """A `FIFOQueue` whose elements may differ in size: those taken together are padded with zeros.

    Args:
      capacity, dtypes, names, shared_name, name: as for `FIFOQueue`.
      shapes: the shapes of the components; a size may be None, and is then that of the largest of
        the elements that `dequeue_many` takes.

    Raises:
      ValueError: if there is no list of shapes, one for each dtype, with known ranks.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.PaddingFIFOQueue(10, hf.int32, shapes=[[None]])
    ...     sess.run(queue.enqueue([[1]]))
    ...     sess.run(queue.enqueue([[2, 3]]))
    ...     print(sess.run(queue.dequeue_many(2)))
    [[1 0]
     [2 3]]
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str | None = "padding_fifo_queue",
    ) -> None:
        types = dtype_list(dtypes)
        found = shape_list(shapes, partial=True) or []
        labels = name_list(names, types)
        if len(types) != len(found):
            raise ValueError(
                f"Shapes must be provided for all components, but received {len(types)} dtypes "
                f"and {len(found)} shapes."
            )
        handle = _handle(queue_ops.padding_queue, types, found, capacity, shared_name, name)
        super().__init__(types, found, labels, handle)


class PriorityQueue(QueueBase):
    """A queue from which the element with the smallest priority comes first.

    Each element has its priority as a first component more: an int64 scalar. Of equal ones that
    comes first which went in first.

    Args:
      capacity, shapes, names, shared_name, name: as for `FIFOQueue`.
      types: the dtypes of an element's components, without the priority.

    Raises:
      ValueError, TypeError: as for `FIFOQueue`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.PriorityQueue(10, hf.string, shapes=[()])
    ...     sess.run(queue.enqueue_many([[2, 1], ["later", "soon"]]))
    ...     print(sess.run(queue.dequeue()))
    [np.int64(1), b'soon']
    """

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str | None = "priority_queue",
    ) -> None:
        dtypes = dtype_list(types)
        found = shape_list(shapes)
        handle = _handle(queue_ops.priority_queue, dtypes, found, capacity, shared_name, name)
        all_shapes = [as_shape(()), *found] if found else None
        super().__init__([int64, *dtypes], all_shapes, names, handle)


class RandomShuffleQueue(QueueBase):
    """A queue whose elements come out in random order.

    Args:
      capacity, dtypes, shapes, names, shared_name, name: as for `FIFOQueue`.
      min_after_dequeue: how many elements at least stay behind, to choose from: who takes some
        waits until there are more, unless the queue is closed.
      seed: with it, or with `hf.set_random_seed`, the order is that of TensorFlow, as long as one
        thread adds and takes elements.

    Raises:
      ValueError, TypeError: as for `FIFOQueue`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.RandomShuffleQueue(10, 0, hf.int32, shapes=[()], seed=3)
    ...     sess.run(queue.enqueue_many([[1, 2, 3, 4]]))
    ...     print(sorted(sess.run(queue.dequeue_many(4)).tolist()))
    [1, 2, 3, 4]
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str | None = "random_shuffle_queue",
    ) -> None:
        types = dtype_list(dtypes)
        found = shape_list(shapes)
        labels = name_list(names, types)
        seed1, seed2 = seeds.get_seed(seed)
        if seed1 is not None and seed is None and shared_name is not None:
            # All queues of one name have one seed, whatever was made before them.
            digest = hashlib.md5(f"{seed1}{shared_name}".encode(), usedforsecurity=False)
            seed2 = int(digest.hexdigest()[:8], 16) & 0x7FFFFFFF
        handle = _handle(
            queue_ops.random_shuffle_queue,
            types,
            found,
            capacity,
            shared_name,
            name,
            min_after_dequeue=int(min_after_dequeue),
            seed=seed1 or 0,
            seed2=int(seed2 or 0),
        )
        super().__init__(types, found, labels, handle)
