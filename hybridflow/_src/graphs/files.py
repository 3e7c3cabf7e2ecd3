"""Graphs as files."""

from __future__ import annotations

import importlib
import os
from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.whole import write_whole
from hybridflow._src.framework.graph import Graph
from hybridflow._src.graphs.importing import ops_of_our_own
from hybridflow._src.graphs.op_list import where_else
from hybridflow._src.platform import tf_logging
from hybridflow._src.platform.system_errors import translated

__all__ = ["write_graph"]

_OUR_OWN = (
    "%s: TensorFlow 1 does not load this graph, which uses ops that it lacks: %s. hybridflow does; "
    "for TensorFlow, build what is written without them (`hf.graph_util.extract_sub_graph` takes "
    "out what outputs do not need)."
)
# What has been told: a training program writes its graph with each checkpoint.
_told: set[tuple[str, ...]] = set()


def text_of(message: Any) -> str:
    """A message as text."""
    return str(importlib.import_module("google.protobuf.text_format").MessageToString(message))


def write_message(path: str, message: Any, as_text: bool) -> None:
    """Writes a message to a file, whole or not at all.

    Raises:
      OpError: of TensorFlow's class for what the system says.
    """
    content = text_of(message).encode() if as_text else message.SerializeToString()
    with translated(path):
        write_whole(path, lambda file: file.write(content))


def tell_own_ops(path: Any, graph_def: Any) -> None:
    """Logs which ops of a graph TensorFlow lacks, once for the same ones."""
    # `write_graph` writes other messages too.
    own = ops_of_our_own(graph_def) if type(graph_def).__name__ == "GraphDef" else {}
    if own and (*own,) not in _told:
        _told.add((*own,))
        tf_logging.warning(
            _OUR_OWN,
            path,
            ", ".join([f"{op}{where_else(op)} (node {name!r})" for op, name in own.items()]),
        )


def read_message(filename: str, kind: Any) -> Any:
    """Reads a message of a class, from bytes or from text.

    Raises:
      OSError: if there is no such file, or it holds none.
    """
    path = os.fspath(filename)
    if not os.path.isfile(path):
        raise OSError(f"File {path} does not exist.")
    with open(path, "rb") as file:
        content = file.read()
    try:
        return kind.FromString(content)
    except messages.decode_error() as error:
        problem: Exception = error
    text_format = importlib.import_module("google.protobuf.text_format")
    try:
        return text_format.Merge(content.decode(), kind())
    except (UnicodeDecodeError, text_format.ParseError) as error:
        if not isinstance(error, UnicodeDecodeError):
            problem = error
    raise OSError(f"Cannot parse file {path}: {problem}.")


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Writes a graph to a file, which TensorFlow can load.

    Args:
      graph_or_graph_def: a `Graph` or a `GraphDef`.
      logdir: the folder; made if it is not there.
      name: the name of the file.
      as_text: write the message as text.

    Returns: the path of the file.

    Logs a warning that names ops which TensorFlow lacks.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with hf.Graph().as_default() as graph, tempfile.TemporaryDirectory() as folder:
    ...     _ = hf.no_op(name="done")
    ...     with open(hf.train.write_graph(graph, folder, "graph.pbtxt")) as file:
    ...         print(file.read())
    node {
      name: "done"
      op: "NoOp"
    }
    versions {
      producer: 24
    }
    <BLANKLINE>
    """
    given = graph_or_graph_def
    graph_def = given.as_graph_def() if isinstance(given, Graph) else given
    with translated(logdir):
        os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    write_message(path, graph_def, as_text)
    tell_own_ops(path, graph_def)
    return path
