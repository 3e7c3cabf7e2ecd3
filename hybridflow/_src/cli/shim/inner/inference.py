"""`tensorflow.python.tools.optimize_for_inference_lib` and `strip_unused_lib`."""

from __future__ import annotations

from hybridflow._src.formats import messages
from hybridflow._src.graphs.files import read_message, write_message
from hybridflow._src.graphs.inference import (
    ensure_graph_is_valid,
    fold_batch_norms,
    optimize_for_inference,
    strip_unused,
)

__all__ = [
    "ensure_graph_is_valid",
    "fold_batch_norms",
    "optimize_for_inference",
    "strip_unused",
    "strip_unused_from_files",
]


def strip_unused_from_files(
    input_graph: str,
    input_binary: bool,
    output_graph: str,
    output_binary: bool,
    input_node_names: str,
    output_node_names: str,
    placeholder_type_enum: int,
) -> None:
    """`strip_unused` of a file, into another one.

    Args:
      input_graph: file of a `GraphDef`. input_binary: not used: it is found out.
      output_graph: the file to write. output_binary: whether bytes are written, or text.
      input_node_names, output_node_names: names with commas between them.
      placeholder_type_enum: the dtype of the placeholders.

    Raises:
      OSError: for files that cannot be read or written. ValueError: if names are not there.
    """
    found = strip_unused(
        read_message(input_graph, messages.GraphDef),
        input_node_names.split(","),
        output_node_names.split(","),
        placeholder_type_enum,
    )
    write_message(output_graph, found, as_text=not output_binary)
