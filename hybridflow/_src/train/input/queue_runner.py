"""`QueueRunner`: threads that fill a queue."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import (
    OpError,
    OutOfRangeError,
    error_code_from_exception_type,
    exception_type_from_error_code,
)
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.waiting import add_helper
from hybridflow._src.graphs.proto_functions import register_proto_function
from hybridflow._src.graphs.scoped_names import add_scope, strip_scope
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.train.sessions.coordinator import Coordinator

__all__ = ["QueueRunner", "add_queue_runner", "start_queue_runners"]

_EAGER = (
    "{what} are not supported when eager execution is enabled: they run the graph's operations in "
    "threads. Build the graph in graph mode (`with hf.graph_mode():`), or add elements to the "
    "queue by hand."
)
_NO_SESSION = (
    "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or "
    "pass an explicit session to hf.train.start_queue_runners(sess=sess)"
)


class QueueRunner:
    """Runs operations that add elements to a queue, each again and again in a thread of its own.

    The threads end when the queue is closed, when an operation raises, and when a coordinator asks
    them to. When the last of them has ended, the queue is closed: who takes elements gets those
    that are left, and then an `OutOfRangeError`; nobody waits for ever.

    Args:
      queue: the queue.
      enqueue_ops: list of operations that add elements; one may stand in it several times.
      close_op: closes the queue; made if it is None.
      cancel_op: closes the queue at once, when a coordinator asks to stop; made if it is None.
      queue_closed_exception_types: tuple of errors which say that what the operations need has come
        to its end; `(OutOfRangeError,)` by default. Any other is an error.
      queue_runner_def: a `QueueRunnerDef` to take all this from.
      import_scope: name scope in which the names of `queue_runner_def` are.

    Raises:
      ValueError: if there is neither a queue with operations nor a message, or both. TypeError: for
        exception types that are none. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.FIFOQueue(10, hf.float32, shapes=[()])
    ...     runner = hf.train.QueueRunner(queue, [queue.enqueue(1.0)] * 2)
    ...     coord = hf.train.Coordinator()
    ...     threads = runner.create_threads(sess, coord, start=True)
    ...     print(sess.run(queue.dequeue_many(3)))
    ...     coord.request_stop()
    ...     coord.join(threads)
    [1. 1. 1.]
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Any = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: Any = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if context.modes.top.eager:
            raise RuntimeError(_EAGER.format(what="QueueRunners"))
        if queue_runner_def is not None:
            if queue is not None or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._take(queue_runner_def, import_scope)
        else:
            if queue is None or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            self._closed_types = _checked(queue_closed_exception_types)
            self._queue = queue
            self._enqueue_ops = enqueue_ops
            self._close_op = queue.close() if close_op is None else close_op
            if cancel_op is None:
                cancel_op = queue.close(cancel_pending_enqueues=True)
            self._cancel_op = cancel_op
        self._lock = new_lock()
        # How many threads run in each session.
        self._running: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._exceptions_raised: list[Exception] = []

    def _take(self, proto: Any, scope: str | None) -> None:
        graph = get_default_graph()

        def element(name: str) -> Any:
            return graph.as_graph_element(add_scope(name, scope))

        self._queue = element(proto.queue_name)
        self._enqueue_ops = [element(name) for name in proto.enqueue_op_name]
        self._close_op = element(proto.close_op_name)
        self._cancel_op = element(proto.cancel_op_name)
        codes = proto.queue_closed_exception_types
        self._closed_types = tuple(map(exception_type_from_error_code, codes)) or (OutOfRangeError,)

    @property
    def queue(self) -> Any:
        """The queue."""
        return self._queue

    @property
    def enqueue_ops(self) -> Any:
        """The operations that add elements."""
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        """The operation that closes the queue."""
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        """The operation that closes the queue at once."""
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type[OpError], ...]:
        """The errors which say that what the operations need has come to its end."""
        return self._closed_types

    @property
    def exceptions_raised(self) -> list[Exception]:
        """What threads raised that have no coordinator; with one, it is told."""
        return self._exceptions_raised

    @property
    def name(self) -> str:
        """The name of the queue."""
        name: str = self._queue.name
        return name

    # -- threads -----------------------------------------------------------------------------------

    def create_threads(
        self, sess: Any, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """Makes the threads for a session: one for each operation, and with a coordinator one that
        closes the queue when that asks to stop.

        Args:
          sess: the session.
          coord: told of what threads raise.
          daemon: whether the process ends without waiting for them.
          start: whether they are started here.

        Returns: the threads; none, while those of an earlier call run in the session.
        """
        if not holding(self._lock, self._begin, sess):
            return []
        threads = [
            threading.Thread(
                target=self._run,
                args=(sess, op, coord),
                name=f"QueueRunnerThread-{self.name}-{op.name}",
            )
            for op in self._enqueue_ops
        ]
        if coord is not None:
            closing = threading.Thread(
                target=self._close_on_stop,
                args=(sess, coord),
                name=f"QueueRunnerThread-{self.name}-close_on_stop",
            )
            add_helper(closing)
            threads.append(closing)
        for thread in threads:
            if coord is not None:
                coord.register_thread(thread)
            thread.daemon = daemon
            if start:
                thread.start()
        return threads

    def _begin(self, sess: Any) -> bool:
        if self._running.get(sess, 0) > 0:
            return False
        self._running[sess] = len(self._enqueue_ops)
        self._exceptions_raised = []
        return True

    def _run(self, sess: Any, op: Any, coord: Coordinator | None) -> None:
        """What a thread does."""
        try:
            enqueue = sess.make_callable(op)
            while coord is None or not coord.should_stop():
                enqueue()
        except self._closed_types:
            pass
        except Exception as error:
            if coord is not None:
                if not sess.is_closed and not coord.should_stop():
                    # Who takes from the queue is told that it is closed, and not why.
                    tf_logging.warning("The queue runner of '%s' ends: %s", self.name, error)
                coord.request_stop(error if not sess.is_closed else None)
            elif not sess.is_closed:
                tf_logging.error("Exception in QueueRunner: %s", error)
                self._exceptions_raised.append(error)
        finally:
            if holding(self._lock, self._end, sess) == 0:
                _run_quietly(sess, self._close_op)

    def _end(self, sess: Any) -> int:
        left = self._running[sess] = self._running[sess] - 1
        return left

    def _close_on_stop(self, sess: Any, coord: Coordinator) -> None:
        coord.wait_for_stop()
        _run_quietly(sess, self._cancel_op)

    # -- messages ----------------------------------------------------------------------------------

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The runner as a `QueueRunnerDef`; None if its queue is not in the name scope."""
        if export_scope is not None and not self.name.startswith(export_scope):
            return None
        found = messages.QueueRunnerDef(
            queue_name=strip_scope(self.name, export_scope),
            close_op_name=strip_scope(self._close_op.name, export_scope),
            cancel_op_name=strip_scope(self._cancel_op.name, export_scope),
        )
        found.enqueue_op_name.extend(
            [strip_scope(op.name, export_scope) for op in self._enqueue_ops]
        )
        found.queue_closed_exception_types.extend(
            map(error_code_from_exception_type, self._closed_types)
        )
        return found

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a `QueueRunnerDef` describes, in the default graph."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


def _checked(types: Any) -> tuple[type[OpError], ...]:
    if types is None:
        return (OutOfRangeError,)
    good = isinstance(types, tuple) and types
    if not good or not all(isinstance(t, type) and issubclass(t, OpError) for t in types):
        raise TypeError(
            "queue_closed_exception_types, when provided, must be a tuple of hf.errors types, but "
            f"saw: {types!r}"
        )
    return tuple(types)


def _run_quietly(sess: Any, op: Any) -> None:
    """Closes a queue that may be closed, in a session that may be."""
    try:
        sess.run(op)
    except Exception as error:
        tf_logging.debug("Ignored exception: %s", error)


register_proto_function(
    GraphKeys.QUEUE_RUNNERS,
    proto_type="QueueRunnerDef",
    to_proto=QueueRunner.to_proto,
    from_proto=QueueRunner.from_proto,
)


def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Adds a runner to those of the default graph that `start_queue_runners` starts.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     queue = hf.FIFOQueue(10, hf.float32)
    ...     hf.train.add_queue_runner(hf.train.QueueRunner(queue, [queue.enqueue(1.0)]))
    ...     len(graph.get_collection(hf.GraphKeys.QUEUE_RUNNERS))
    1
    """
    get_default_graph().add_to_collection(collection, qr)


def start_queue_runners(
    sess: Any = None,
    coord: Coordinator | None = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """Starts the threads of all runners of a graph.

    Args:
      sess: the session, by default the default one.
      coord: the threads end when it asks to stop, and it is told of what they raise.
      daemon: whether the process ends without waiting for the threads.
      start: whether they are started, or only made.
      collection: the collection with the runners.

    Returns: the threads.

    Raises:
      ValueError: if there is no session. TypeError: if it is none. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.string_input_producer(["a", "b"], shuffle=False)
    ...     name = queue.dequeue()
    ...     coord = hf.train.Coordinator()
    ...     threads = hf.train.start_queue_runners(sess, coord)
    ...     print(sess.run(name), sess.run(name), sess.run(name))
    ...     coord.request_stop()
    ...     coord.join(threads)
    b'a' b'b' b'a'
    """
    if context.modes.top.eager:
        raise RuntimeError(_EAGER.format(what="Queues"))
    if sess is None:
        sess = context.sessions.top
        if sess is None:
            raise ValueError(_NO_SESSION)
    if getattr(sess, "starts_queue_runners", False):
        return []
    if not hasattr(sess, "make_callable") or not hasattr(sess, "graph"):
        raise TypeError(f"sess must be a `hf.Session` object (tf.Session). Got {type(sess)}")
    threads: list[threading.Thread] = []
    runners: Sequence[QueueRunner] = sess.graph.get_collection(collection)
    for runner in runners:
        threads.extend(runner.create_threads(sess, coord, daemon=daemon, start=start))
    return threads
