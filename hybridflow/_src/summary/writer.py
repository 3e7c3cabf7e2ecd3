"""`FileWriter`: summaries, graphs and what else events hold, for TensorBoard."""

from __future__ import annotations

import os
import time
from typing import Any, ClassVar

from hybridflow._src.formats import messages
from hybridflow._src.formats.event_file_writer import EventFileWriter
from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.graphs.meta_graph import create_meta_graph_def
from hybridflow._src.platform import tf_logging
from hybridflow._src.summary.plugin_asset import write_plugin_assets

__all__ = ["FileWriter", "FileWriterCache"]

_NOT_EAGER = (
    "tf.summary.FileWriter is not compatible with eager execution. Use tf.contrib.summary instead."
)


class SummaryToEventTransformer:
    """Makes events of summaries, graphs and other messages, for a writer that takes them.

    Args:
      event_writer: an object with `add_event` and `get_logdir`.
      graph: a graph that is added at once.
      graph_def: a `GraphDef` message instead of it; deprecated.
    """

    def __init__(self, event_writer: Any, graph: Any = None, graph_def: Any = None) -> None:
        self.event_writer = event_writer
        self._session_run_tags: set[str] = set()
        # Of the metadata of a tag the first are kept: they repeat.
        self._seen_summary_tags: set[str] = set()
        if graph is not None or graph_def is not None:
            self.add_graph(graph=graph, graph_def=graph_def)
            self._add_meta_graph_of(graph if graph_def is None else graph_def)

    def _add_meta_graph_of(self, given: Any) -> None:
        graph = given if isinstance(given, Graph) else get_default_graph()
        graph_def = None if given is graph else given
        with graph.as_default():
            self.add_meta_graph(create_meta_graph_def(graph_def=graph_def, graph=graph))

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Adds a summary.

        Args:
          summary: a `Summary` message, or the value of a summary op.
          global_step: the training step that it belongs to.
        """
        if isinstance(summary, bytes):
            summary = messages.Summary.FromString(summary)
        for value in summary.value:
            if not value.HasField("metadata"):
                continue
            if value.tag in self._seen_summary_tags:
                value.ClearField("metadata")
            self._seen_summary_tags.add(value.tag)
        self._add_event(messages.Event(summary=summary), global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Adds a `SessionLog` message: a session began, ended or was saved."""
        self._add_event(messages.Event(session_log=session_log), global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Adds a graph, which TensorBoard draws.

        Args:
          graph: a `Graph`, such as `session.graph`.
          global_step: the training step that it belongs to.
          graph_def: a `GraphDef` message instead of it; deprecated.

        Raises:
          ValueError: if both are given. TypeError: if what is given is neither.
        """
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        given = graph_def if graph is None else graph
        if isinstance(given, Graph):
            if given is graph_def:
                tf_logging.warning(
                    "When passing a `Graph` object, please use the `graph` named argument instead "
                    "of `graph_def`."
                )
            found = given.as_graph_def(add_shapes=True)
            write_plugin_assets(given, self.event_writer.get_logdir())
        elif isinstance(given, messages.GraphDef):
            tf_logging.warning(
                "Passing a `GraphDef` to the SummaryWriter is deprecated. Pass a `Graph` object "
                "instead, such as `sess.graph`."
            )
            found = given
        else:
            raise TypeError(
                "The passed graph must be an instance of `Graph` or the deprecated `GraphDef`, got "
                f"{given!r:.200}"
            )
        self._add_event(messages.Event(graph_def=found.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Adds a `MetaGraphDef` message, as `Saver.export_meta_graph` gives it.

        Raises:
          TypeError: if it is none.
        """
        if not isinstance(meta_graph_def, messages.MetaGraphDef):
            raise TypeError(
                f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}"
            )
        data = meta_graph_def.SerializeToString()
        self._add_event(messages.Event(meta_graph_def=data), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Adds what a run told of itself; TensorBoard shows times and memory of its nodes.

        Args:
          run_metadata: the `RunMetadata` that `Session.run` has filled.
          tag: its name, which must be new.
          global_step: the training step that it belongs to.

        Raises:
          ValueError: if the tag was there before.
        """
        if tag in self._session_run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._session_run_tags.add(tag)
        tagged = messages.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add_event(messages.Event(tagged_run_metadata=tagged), global_step)

    def _add_event(self, event: Any, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)


class FileWriter(SummaryToEventTransformer):
    """Writes summaries and other events to a new file in a folder, for TensorBoard.

    Events gather and are written in the background. Nothing is lost when the program ends, forks or
    is interrupted; only who kills it loses what has gathered.

    As a context manager it closes itself.

    Args:
      logdir: the folder, which is made if it is not there.
      graph: a graph that is added at once, such as `session.graph`.
      max_queue: how many events gather before they are written.
      flush_secs: after how many seconds they are at the latest.
      graph_def: a `GraphDef` message instead of `graph`; deprecated.
      filename_suffix: the end of the file's name.

    Raises:
      RuntimeError: in eager mode. OpError: of the class that fits, if there can be no such file.

    >>> import hybridflow as hf
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with hf.summary.FileWriter(folder) as writer:
    ...         value = hf.Summary.Value(tag="loss", simple_value=0.5)
    ...         writer.add_summary(hf.Summary(value=[value]), global_step=1)
    ...     [name] = os.listdir(folder)
    ...     for event in hf.train.summary_iterator(os.path.join(folder, name)):
    ...         print(event.step, [v.tag for v in event.summary.value])
    0 []
    1 ['loss']
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
    ) -> None:
        if context.modes.top.eager:
            raise RuntimeError(_NOT_EAGER)
        if not isinstance(logdir, (str, bytes, os.PathLike)):
            raise TypeError(
                f"logdir must be the path of a folder, got {logdir!r:.200}: "
                "`hf.summary.FileWriter(logdir, graph)`."
            )
        writer = EventFileWriter(logdir, max_queue, flush_secs, filename_suffix)
        super().__init__(writer, graph, graph_def)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The folder of the file."""
        logdir: str = self.event_writer.get_logdir()
        return logdir

    def add_event(self, event: Any) -> None:
        """Adds an `Event` message as it is."""
        self.event_writer.add_event(event)

    def flush(self) -> None:
        """Writes out what has gathered.

        Raises:
          OpError: of the class that fits, if it cannot be written; it is kept.
        """
        self.event_writer.flush()

    def close(self) -> None:
        """Writes out what has gathered, and closes the file."""
        self.event_writer.close()

    def reopen(self) -> None:
        """After `close`, begins another file in the folder; else it does nothing."""
        self.event_writer.reopen()


class FileWriterCache:
    """One `FileWriter` for each folder, shared by all that write there.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     hf.summary.FileWriterCache.get(folder) is hf.summary.FileWriterCache.get(folder)
    ...     hf.summary.FileWriterCache.clear()
    True
    """

    _cache: ClassVar[dict[str, FileWriter]] = {}
    _lock: ClassVar[Any] = new_lock()

    @staticmethod
    def clear() -> None:
        """Closes all of them, and forgets them."""

        def clear() -> None:
            while FileWriterCache._cache:
                _, writer = FileWriterCache._cache.popitem()
                writer.close()

        holding(FileWriterCache._lock, clear)

    @staticmethod
    def get(logdir: Any) -> FileWriter:
        """The writer for a folder; a new one begins with the default graph."""

        def get(key: str) -> FileWriter:
            cache = FileWriterCache._cache
            if key not in cache:
                cache[key] = FileWriter(key, graph=get_default_graph())
            return cache[key]

        return holding(FileWriterCache._lock, get, os.fspath(logdir))
