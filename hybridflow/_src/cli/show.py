"""`hybridflow show`: what a model in a file or folder is, without running anything of it."""

from __future__ import annotations

import collections
import importlib
import math
import os
import sys
from typing import TYPE_CHECKING, Any

from hybridflow._src.cli.columns import print_columns
from hybridflow._src.formats import messages
from hybridflow._src.formats.bundle import index_name
from hybridflow._src.formats.tensors import dtype_of, shape_of
from hybridflow._src.graphs.importing import missing_ops, ops_of_our_own
from hybridflow._src.graphs.meta_graph import read_meta_graph_file
from hybridflow._src.graphs.op_list import where_else
from hybridflow._src.saved_model.loader import maybe_saved_model_directory, parse_saved_model
from hybridflow._src.train.saving.state import latest_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
# What nobody uses and is no result.
_NO_RESULTS = frozenset(
    ("Assign", "AssignVariableOp", "Const", "NoOp", "Placeholder", "VarIsInitializedOp")
)


def show(path: str) -> int:
    """Prints what a model is; gives the exit status."""
    try:
        graphs = _read(path)
    except FileNotFoundError:
        print(f"hybridflow: {path} does not exist{_checkpoint_at(path)}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"hybridflow: {error}", file=sys.stderr)
        return 1
    for index, graph in enumerate(graphs):
        if index:
            print()
        _show(graph)
    return 0


def _checkpoint_at(path: str | None) -> str:
    """What to do with a checkpoint, as text behind an error."""
    if path is None or not os.path.exists(index_name(path)):
        return ""
    graph = f", `hybridflow show {path}.meta` its graph" if os.path.exists(f"{path}.meta") else ""
    return f": `hybridflow checkpoint {path}` shows the tensors of that checkpoint{graph}"


def _read(path: str) -> list[Any]:
    """The graphs of a file or folder, as `MetaGraphDef` messages.

    Raises:
      OSError: if there is no model.
    """
    if os.path.isdir(path):
        if not maybe_saved_model_directory(path):
            raise OSError(f"{path} holds no SavedModel{_checkpoint_at(latest_checkpoint(path))}")
        return list(parse_saved_model(path).meta_graphs)
    name = os.path.basename(path)
    if name.startswith("saved_model.pb"):
        return list(parse_saved_model(os.path.dirname(path)).meta_graphs)
    if ".meta" in name:
        return [read_meta_graph_file(path)]
    with open(path, "rb") as file:
        content = file.read()
    text_format = importlib.import_module("google.protobuf.text_format")
    try:
        if name.endswith((".pbtxt", ".txt")):
            graph_def = text_format.Merge(content.decode(), messages.GraphDef())
        else:
            graph_def = messages.GraphDef.FromString(content)
    except (messages.decode_error(), UnicodeDecodeError, text_format.ParseError) as error:
        raise OSError(f"{path} holds no graph: {error}") from error
    return [messages.MetaGraphDef(graph_def=graph_def)]


def _show(meta_graph: Any) -> None:
    graph_def = meta_graph.graph_def
    tags = ", ".join(meta_graph.meta_info_def.tags)
    version = meta_graph.meta_info_def.tensorflow_version
    writer = meta_graph.meta_info_def.tensorflow_git_version
    if tags:
        print(f"tags:    {tags}")
    if version:
        ours = "hybridflow, for " if writer == "hybridflow" else ""
        print(f"written: by {ours}TensorFlow {version}")
    nodes = [*graph_def.node, *[n for f in graph_def.library.function for n in f.node_def]]
    functions = len(graph_def.library.function)
    where = f", in {functions} functions and outside" if functions else ""
    print(f"nodes:   {len(nodes)}{where}")
    _show_values(nodes)
    if meta_graph.signature_def:
        for key in sorted(meta_graph.signature_def):
            signature = meta_graph.signature_def[key]
            print(
                f"\nsignature {key!r}"
                + (f" ({signature.method_name})" * bool(signature.method_name))
            )
            print_columns(
                (kind, key, _dtype(info.dtype), _shape(info.tensor_shape), info.name)
                for kind, infos in (("input", signature.inputs), ("output", signature.outputs))
                for key, info in sorted(infos.items())
            )
    else:
        _show_ends(graph_def)
    print("\nops")
    counts = collections.Counter(node.op for node in nodes)
    print_columns(
        (op, str(count)) for op, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))
    )
    missing = missing_ops(graph_def)
    own = ops_of_our_own(graph_def)
    if own:
        told = ", ".join(f"{op}{where_else(op)} (node {name!r})" for op, name in own.items())
        print(f"\nmissing in TensorFlow: {told}")
    print(f"\nmissing here: {', '.join(missing) or 'none'}")


def _show_values(nodes: Iterable[Any]) -> None:
    """Prints how many values are in variables and in constants, and their bytes."""
    variables, constants = [0, 0, 0], [0, 0, 0]
    for node in nodes:
        if node.op in _VARIABLES:
            found, shape, dtype = variables, node.attr["shape"].shape, node.attr["dtype"].type
        elif node.op == "Const":
            tensor = node.attr["value"].tensor
            found, shape, dtype = constants, tensor.tensor_shape, tensor.dtype
        else:
            continue
        count = math.prod(max(dim.size, 0) for dim in shape.dim)
        try:
            size = dtype_of(dtype).base_dtype.size
        except TypeError:
            size = 0
        for place, value in enumerate((1, count, count * size)):
            found[place] += value
    for what, (number, count, size) in (("variables", variables), ("constants", constants)):
        if number:
            print(f"{what}: {number}, of {count:,} values, {size / 1e6:.1f} MB")


def _show_ends(graph_def: Any) -> None:
    """Prints the placeholders of a graph, and what nobody uses."""
    used = {text.lstrip("^").split(":")[0] for node in graph_def.node for text in node.input}
    inputs = [node for node in graph_def.node if node.op.startswith("Placeholder")]
    outputs = [n for n in graph_def.node if n.name not in used and n.op not in _NO_RESULTS]
    print("\ninputs and outputs")
    print_columns(
        (kind, node.name, node.op, _dtype(node.attr["dtype"].type or node.attr["T"].type), shape)
        for kind, found in (("input", inputs), ("output", outputs))
        for node in found
        for shape in [_shape(node.attr["shape"].shape) if kind == "input" else ""]
    )


def _dtype(number: int) -> str:
    try:
        return dtype_of(number).name if number else ""
    except TypeError:
        return f"dtype {number}"


def _shape(proto: Any) -> str:
    try:
        return str(shape_of(proto))
    except ValueError:
        return "damaged"
