"""`tf.contrib.summary`: where summaries go, and which are recorded, in both modes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import device
from hybridflow._src.framework.stack import Opened, Opener, Pushed, Stack
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.summaries.writing import new_handle
from hybridflow._src.runtime.session import get_default_session
from hybridflow._src.train.training_util import get_or_create_global_step
from hybridflow._src.variables.variable import Variable

__all__ = [
    "SummaryWriter",
    "all_summary_ops",
    "always_record_summaries",
    "create_file_writer",
    "create_summary_file_writer",
    "eval_dir",
    "flush",
    "initialize",
    "never_record_summaries",
    "record_if",
    "record_summaries_every_n_global_steps",
    "should_record_summaries",
    "summary_writer_initializer_op",
]

_INITIALIZERS = "_SUMMARY_WRITER_V2"
SUMMARIES = "_SUMMARY_V2"
NO_WRITER = (
    "No default tf.contrib.summary.SummaryWriter found: make one by `create_file_writer(...)` and "
    "call this inside of `with writer.as_default():`."
)
_NOT_CONDITION = "record_if takes a bool, a boolean tensor or a function that gives one, got {got}."
_GRAPH_ONLY = "tf.contrib.summary.{name} is only supported in graph mode."

writers: Stack[SummaryWriter | None] = Stack(None, "default summary writer")
# True, False, a boolean tensor, or a function that gives one.
_recording: Stack[Any] = Stack(False, "scope that says which summaries are recorded")


# -- whether ---------------------------------------------------------------------------------------


def should_record_summaries() -> Any:
    """Whether summaries are written here: a bool, or a boolean tensor.

    >>> import hybridflow as hf
    >>> hf.contrib.summary.should_record_summaries()
    False
    >>> with hf.contrib.summary.always_record_summaries():
    ...     hf.contrib.summary.should_record_summaries()
    True
    """
    found = _recording.top
    return found() if callable(found) else found


def always_record_summaries() -> Pushed[Any, Any]:
    """A context manager in which all summaries are written."""
    return _recording.scope(True)


def never_record_summaries() -> Pushed[Any, Any]:
    """A context manager in which no summaries are written."""
    return _recording.scope(False)


def record_if(condition: Any) -> Pushed[Any, Any]:
    """A context manager in which summaries are written where a condition holds.

    Args:
      condition: a bool, a boolean scalar, or a function without arguments that gives one and is
        called for each summary.

    Raises:
      TypeError: for a condition of another kind.

    >>> import hybridflow as hf
    >>> with hf.contrib.summary.record_if(lambda: 2 > 1):
    ...     hf.contrib.summary.should_record_summaries()
    True
    """
    if isinstance(condition, np.bool_):
        condition = bool(condition)
    is_tensor = isinstance(condition, Tensor | Variable)
    if is_tensor and condition.dtype.base_dtype is not dtypes.bool:
        raise TypeError(_NOT_CONDITION.format(got=condition.dtype.name))
    if not (is_tensor or isinstance(condition, bool) or callable(condition)):
        raise TypeError(_NOT_CONDITION.format(got=repr(condition)[:200]))
    return _recording.scope(condition)


def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Pushed[Any, Any]:
    """A context manager in which summaries are written where the global step is a multiple of `n`.

    In eager mode that is asked for each summary, in a graph when it runs.

    Args:
      n: how many steps lie between.
      global_step: an integer scalar; the global step by default, which is made if there is none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     step = hf.train.get_or_create_global_step()
    ...     with hf.contrib.summary.record_summaries_every_n_global_steps(2):
    ...         for _ in range(3):
    ...             print(bool(hf.contrib.summary.should_record_summaries()), end=" ")
    ...             _ = step.assign_add(1)
    True False True
    """
    step = get_or_create_global_step() if global_step is None else global_step

    def due() -> Tensor:
        with device("cpu:0"):
            return raw.Equal(step % n, 0)

    return _recording.scope(due if context.modes.top.eager else due())


# -- where to --------------------------------------------------------------------------------------


class SummaryWriter:
    """A writer of summaries, as `create_file_writer` makes it.

    Args:
      resource: its handle; None for one that writes nothing.
      created: in a graph, the operation that makes its file.
    """

    def __init__(self, resource: Tensor | None, created: Any = None) -> None:
        self.resource = resource
        self._created = created

    def init(self) -> Any:
        """In a graph, the operation that makes the file; in eager mode it is there."""
        return no_op() if self._created is None else self._created

    def flush(self) -> Any:
        """Writes out what has gathered; in a graph, an op that does it."""
        return flush(self)

    def set_as_default(self) -> None:
        """Has summaries of this thread go to this writer."""
        if self.resource is not None:
            writers.entries[-1].item = self

    def as_default(self) -> Opener:
        """A context manager in which summaries go to this writer.

        At its end they are written out, except in a graph: there `flush` makes an op that does it.
        """
        return _AsDefault(self)

    def close(self) -> Any:
        """Writes out what has gathered and closes the file; in a graph, an op that does it."""
        return no_op() if self.resource is None else raw.CloseSummaryWriter(self.resource)


class _AsDefault(Opener):
    """The context manager of `SummaryWriter.as_default`."""

    __slots__ = ("_writer",)
    _what = "default summary writer"

    def __init__(self, writer: SummaryWriter) -> None:
        self._writer = writer

    def _open(self, opened: Opened) -> SummaryWriter:
        if self._writer.resource is not None:
            opened.push(writers, self._writer)
            if context.modes.top.eager or get_default_graph().building_function:
                opened.on_exit(flush, self._writer)
        return self._writer


def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
) -> SummaryWriter:
    """A writer of summaries to a new event file.

    In eager mode the file is there at once, in a graph when `initialize` or
    `summary_writer_initializer_op` has run.

    Args:
      logdir: the folder, whose parent is there; None for a writer that writes nothing.
      max_queue: how many events gather before they are written; 10 by default.
      flush_millis: after how many milliseconds they are written at the latest; two minutes by
        default.
      filename_suffix: the end of the file's name.
      name: the name under which a graph keeps the writer.

    Raises:
      NotFoundError: if the folder cannot be made because its parent is not there.

    >>> import hybridflow as hf
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.eager_mode():
    ...     writer = hf.contrib.summary.create_file_writer(folder)
    ...     with writer.as_default(), hf.contrib.summary.always_record_summaries():
    ...         _ = hf.contrib.summary.scalar("loss", 0.5, step=7)
    ...     writer.close()
    ...     [file] = os.listdir(folder)
    ...     for event in hf.train.summary_iterator(os.path.join(folder, file)):
    ...         for value in event.summary.value:
    ...             print(event.step, value.tag, value.simple_value)
    7 loss 0.5
    """
    if logdir is None:
        return SummaryWriter(None)
    with device("cpu:0"):
        resource = new_handle(name)
        created = raw.CreateSummaryFileWriter(
            resource,
            logdir if isinstance(logdir, Tensor) else os.fspath(logdir),
            10 if max_queue is None else max_queue,
            2 * 60 * 1000 if flush_millis is None else flush_millis,
            "" if filename_suffix is None else filename_suffix,
        )
    if not context.modes.top.eager:
        get_default_graph().add_to_collection(_INITIALIZERS, created)
        return SummaryWriter(resource, created)
    return SummaryWriter(resource)


create_summary_file_writer = create_file_writer


def initialize(graph: Any = None, session: Any = None) -> None:
    """Makes the files of a graph's writers, and writes a graph to the default one.

    Args:
      graph: a `Graph` or `GraphDef` to write, for TensorBoard to show.
      session: the session; the default one if it is None.

    Raises:
      RuntimeError: in eager mode, or without a default writer.
      ValueError: without a session.
    """
    initializers = summary_writer_initializer_op()
    writer = writers.top
    if writer is None:
        raise RuntimeError(NO_WRITER)
    session = session or get_default_session()
    if session is None:
        raise ValueError("session must be passed if no default session exists")
    session.run(initializers)
    if graph is not None:
        fed = placeholder(dtypes.string)
        session.run(write_graph(writer, 0, fed), {fed: serialized(graph)})


def summary_writer_initializer_op() -> list[Any]:
    """The ops that make the files of a graph's writers.

    Raises:
      RuntimeError: in eager mode.
    """
    return _in_graph(_INITIALIZERS, "summary_writer_initializer_op")


def all_summary_ops() -> list[Any]:
    """The ops that write a graph's summaries, those of `graph` left out.

    Raises:
      RuntimeError: in eager mode.
    """
    return _in_graph(SUMMARIES, "all_summary_ops")


def _in_graph(collection: str, name: str) -> list[Any]:
    if context.modes.top.eager:
        raise RuntimeError(_GRAPH_ONLY.format(name=name))
    return get_default_graph().get_collection(collection)


def flush(writer: SummaryWriter | Tensor | None = None, name: str | None = None) -> Any:
    """Writes out what has gathered.

    Args:
      writer: the writer, or its handle; the default one if it is None.
      name: name of the operation.

    Returns: in a graph, the operation that does it.
    """
    found = writer or writers.top
    resource = found.resource if isinstance(found, SummaryWriter) else found
    return no_op() if resource is None else raw.FlushSummaryWriter(resource, name=name)


def eval_dir(model_dir: str, name: str | None = None) -> str:
    """The folder for summaries of an evaluation, below that of training.

    >>> import hybridflow as hf
    >>> hf.contrib.summary.eval_dir("run"), hf.contrib.summary.eval_dir("run", "test")
    ('run/eval', 'run/eval_test')
    """
    return os.path.join(model_dir, f"eval_{name}" if name else "eval")


# -- graphs and steps ------------------------------------------------------------------------------


def write_graph(writer: SummaryWriter, step: Any, data: Any, name: str | None = None) -> Any:
    with device("cpu:0"):
        return raw.WriteGraphSummary(writer.resource, chosen_step(step), data, name=name)


def serialized(given: Any) -> bytes:
    graph_def = given.as_graph_def(add_shapes=True) if isinstance(given, Graph) else given
    data: bytes = graph_def.SerializeToString()
    return data


def chosen_step(step: Any) -> Tensor:
    return cast(get_or_create_global_step() if step is None else step, dtypes.int64)
