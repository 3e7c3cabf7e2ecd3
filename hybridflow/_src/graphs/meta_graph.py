"""`MetaGraphDef`: a graph with its collections, and what names the ops that save it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.graphs.collections import add_collection_def, restore_collection
from hybridflow._src.graphs.files import read_message, tell_own_ops, write_message
from hybridflow._src.graphs.graph_util import with_nodes
from hybridflow._src.graphs.importing import import_graph_def
from hybridflow._src.graphs.op_list import stripped_op_list_for_graph, tensorflow_ops
from hybridflow._src.graphs.scoped_names import strip_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

UNBOUND = "$unbound_inputs_"
_UNBOUND_INPUTS = "unbound_inputs"
# For which TensorFlow graphs are written, and by whom.
_TENSORFLOW, _WRITER = "1.4.0", "hybridflow"
_SAVE_AND_RESTORE = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "Legacy")
    for name in ("Save", "SaveSlice", "SaveV2", "Restore", "RestoreSlice", "RestoreV2")
)
_EAGER = (
    "Exporting/importing meta graphs is not supported when eager execution is enabled. No graph "
    "exists when eager execution is enabled: build what is to be saved or loaded inside `with "
    "hf.Graph().as_default(), hf.Session() as sess:`."
)


def check_mode() -> None:
    """Raises RuntimeError in eager mode."""
    if context.modes.top.eager:
        raise RuntimeError(_EAGER)


def create_meta_graph_def(
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Sequence[Any] | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: Sequence[str] | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> Any:
    """A graph and its collections as a `MetaGraphDef`.

    Raises:
      TypeError: if an argument is of another kind.
    """
    for name, value, kind in (
        ("graph", graph, Graph),
        ("meta_info_def", meta_info_def, messages.MetaGraphDef.MetaInfoDef),
        ("graph_def", graph_def, messages.GraphDef),
        ("saver_def", saver_def, messages.SaverDef),
    ):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} must be of type {kind.__name__}, not {type(value)}")
    graph = graph or get_default_graph()
    found = messages.MetaGraphDef()
    if meta_info_def is not None:
        found.meta_info_def.CopyFrom(meta_info_def)
    found.meta_info_def.tensorflow_version = _TENSORFLOW
    found.meta_info_def.tensorflow_git_version = _WRITER
    found.graph_def.CopyFrom(
        graph.as_graph_def(add_shapes=True) if graph_def is None else graph_def
    )
    if not found.meta_info_def.stripped_op_list.op:
        found.meta_info_def.stripped_op_list.CopyFrom(stripped_op_list_for_graph(found.graph_def))
    if strip_default_attrs:
        _strip_default_attrs(found)
    if saver_def is not None:
        found.saver_def.CopyFrom(saver_def)
    keys = graph.get_all_collection_keys() if collection_list is None else collection_list
    for key in keys:
        if clear_extraneous_savers and key == GraphKeys.SAVERS:
            if saver_def is not None:
                found.collection_def[key].bytes_list.value.append(saver_def.SerializeToString())
            continue
        add_collection_def(found, key, graph, export_scope, frozenset(exclude_nodes or ()))
    return found


def _strip_default_attrs(meta_graph_def: Any) -> None:
    """Takes out attributes that have their defaults: older readers know all that are left."""
    graph_def = meta_graph_def.graph_def
    for nodes in (graph_def.node, *[f.node_def for f in graph_def.library.function]):
        for node in nodes:
            known = tensorflow_ops().get(node.op)
            for attr in known.attr if known is not None else ():
                given = attr.name in node.attr and attr.HasField("default_value")
                if given and node.attr[attr.name] == attr.default_value:
                    del node.attr[attr.name]
    meta_graph_def.meta_info_def.stripped_default_attrs = True


def add_default_attrs(graph_def: Any) -> None:
    """Gives nodes the attributes that were left out since they have their defaults."""
    for node in graph_def.node:
        known = tensorflow_ops().get(node.op)
        for attr in known.attr if known is not None else ():
            if attr.HasField("default_value") and attr.name not in node.attr:
                node.attr[attr.name].CopyFrom(attr.default_value)


# -- files -----------------------------------------------------------------------------------------


def read_meta_graph_file(filename: str) -> Any:
    """Reads a `MetaGraphDef`, from bytes or from text.

    Raises:
      OSError: if there is no such file, or it holds none.
    """
    return read_message(filename, messages.MetaGraphDef)


def import_scoped_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Mapping[str, Any] | None = None,
    unbound_inputs_col_name: str | None = _UNBOUND_INPUTS,
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
) -> dict[str, Any]:
    """Adds a graph and its collections to the default graph.

    Args:
      meta_graph_or_file: a `MetaGraphDef`, or the path of a file with one.
      clear_devices: whether operations get no device.
      graph: the graph to add to, by default the default one.
      import_scope: the name scope of what is added; none by default.
      input_map: tensors in place of inputs, as for `import_graph_def`.
      unbound_inputs_col_name: the collection that names inputs which must be given.
      restore_collections_predicate: tells which collections are wanted, by their keys.

    Returns: the variables by name.

    Raises:
      ValueError: if the graph is damaged, or needs inputs that are not given.
      OSError: if the file is none. RuntimeError: in eager mode.
    """
    check_mode()
    given = meta_graph_or_file
    if not isinstance(given, messages.MetaGraphDef):
        given = (
            messages.MetaGraphDef.FromString(given.SerializeToString())
            if hasattr(given, "SerializeToString")
            else read_meta_graph_file(given)
        )
    collections = given.collection_def
    if unbound_inputs_col_name and unbound_inputs_col_name in collections:
        _check_bound(collections[unbound_inputs_col_name], input_map or {})
    graph_def = given.graph_def
    if clear_devices:
        graph_def = messages.GraphDef()
        graph_def.CopyFrom(given.graph_def)
        for node in graph_def.node:
            node.device = ""
    graph = graph or get_default_graph()
    with graph.as_default():
        scope = graph.unique_name(import_scope, mark_as_used=False) if import_scope else ""
        before = graph.snapshot()
        mark = graph.mark()
        try:
            import_graph_def(graph_def, input_map, name=import_scope or "")
            for key in sorted(collections):
                if key != unbound_inputs_col_name and restore_collections_predicate(key):
                    restore_collection(graph, key, collections[key], scope)
        except BaseException:
            graph.restore(before)
            graph.forget(mark)
            raise
    variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope)
    return {strip_scope(v.name, scope): v for v in variables}


def _check_bound(collection: Any, input_map: Mapping[str, Any]) -> None:
    kind = collection.WhichOneof("kind")
    values = getattr(collection, kind).value if kind else ()
    names = [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    if names and sorted(names) != sorted(input_map):
        missing = ",".join(name for name in names if name not in input_map)
        raise ValueError(
            f"Graph contains unbound inputs: {missing}. Must provide these inputs through "
            "input_map."
        )


def export_scoped_meta_graph(
    filename: str | None = None,
    graph_def: Any = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    as_text: bool = False,
    unbound_inputs_col_name: str | None = _UNBOUND_INPUTS,
    clear_devices: bool = False,
    saver_def: Any = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    meta_info_def: Any = None,
    collection_list: Sequence[Any] | None = None,
) -> tuple[Any, dict[str, Any]]:
    """A graph, or what of it is in a name scope, as a `MetaGraphDef`, which is written to a file.

    Args:
      filename: the file, or None.
      graph_def: the nodes, by default those of `graph`.
      graph: the graph, by default the default one.
      export_scope: the name scope; names lose it. Inputs from outside of it are unbound: who
        imports the graph has to give them.
      as_text: write the message as text.
      unbound_inputs_col_name: the collection that names these inputs.
      clear_devices: whether devices are left out.
      saver_def: what names the ops that save and restore.
      clear_extraneous_savers: leave out the ops of other savers, and the collection of savers.
      strip_default_attrs: leave out attributes that have their defaults.
      meta_info_def: further information.
      collection_list: the keys of the collections, by default all.

    Returns: the message, and the variables by name.

    Raises:
      RuntimeError: in eager mode.
    """
    check_mode()
    graph = graph or get_default_graph()
    unbound: list[str] = []
    excluded: list[str] = []
    if export_scope or clear_extraneous_savers or clear_devices:
        whole = graph.as_graph_def(add_shapes=True) if graph_def is None else graph_def
        excluded = _extraneous(whole, saver_def) if clear_extraneous_savers else []
        without = frozenset(excluded)
        nodes = [
            _scoped(node, export_scope, unbound, clear_devices)
            for node in whole.node
            if node.name not in without
            and (not export_scope or node.name.startswith(f"{export_scope.rstrip('/')}/"))
        ]
        graph_def = with_nodes(whole, nodes)
        if unbound_inputs_col_name and (unbound or export_scope):
            graph.clear_collection(unbound_inputs_col_name)
            for name in dict.fromkeys(unbound):
                graph.add_to_collection(unbound_inputs_col_name, name)
    variables = {
        strip_scope(v.name, export_scope): v
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=export_scope)
        if v.op.name not in excluded
    }
    found = create_meta_graph_def(
        meta_info_def,
        graph_def,
        saver_def,
        collection_list,
        graph,
        export_scope,
        excluded,
        clear_extraneous_savers,
        strip_default_attrs,
    )
    if filename:
        write_message(os.fspath(filename), found, as_text)
        tell_own_ops(filename, found.graph_def)
    return found, variables


def _scoped(node: Any, scope: str | None, unbound: list[str], clear_devices: bool) -> Any:
    """A node as it is seen from inside a name scope; notes inputs from outside."""
    found = messages.NodeDef()
    found.CopyFrom(node)
    found.name = strip_scope(node.name, scope)
    del found.input[:]
    for text in node.input:
        if scope and not text.lstrip("^").startswith(f"{scope.rstrip('/')}/"):
            name = f"^{UNBOUND}{text[1:]}" if text.startswith("^") else f"{UNBOUND}{text}"
            unbound.append(name)
            found.input.append(name)
        else:
            found.input.append(strip_scope(text, scope))
    if scope and "_class" in node.attr:
        inside = f"loc:@{scope.rstrip('/')}/".encode()
        kept = [s for s in node.attr["_class"].list.s if s.startswith(inside)]
        found.attr["_class"].list.s[:] = [strip_scope(s, scope).encode() for s in kept]
    if clear_devices:
        found.device = ""
    return found


def _extraneous(graph_def: Any, saver_def: Any) -> list[str]:
    """The nodes in and below the name scopes of savers other than `saver_def`'s."""
    kept = set()
    if saver_def is not None:
        for name in (saver_def.save_tensor_name, saver_def.restore_op_name):
            kept.add(name.partition(":")[0].rpartition("/")[0])
    scopes = {
        node.name.rpartition("/")[0] for node in graph_def.node if node.op in _SAVE_AND_RESTORE
    } - {"", *kept}
    inside = tuple([f"{scope}/" for scope in scopes])
    return [node.name for node in graph_def.node if node.name.startswith(inside)]


def copy_scoped_meta_graph(
    from_scope: str,
    to_scope: str,
    from_graph: Graph | None = None,
    to_graph: Graph | None = None,
) -> dict[str, Any]:
    """Adds what is in a name scope to another one.

    Raises:
      ValueError: if both are one scope of one graph. RuntimeError: in eager mode.
    """
    check_mode()
    source = from_graph or get_default_graph()
    target = to_graph or get_default_graph()
    if source is target and from_scope == to_scope:
        raise ValueError(
            f"'from_scope' and 'to_scope' need to be different when performing copy in the same "
            f"graph: {from_scope!r}"
        )
    exported, variables = export_scoped_meta_graph(export_scope=from_scope, graph=source)
    copies = import_scoped_meta_graph(exported, graph=target, import_scope=to_scope)
    return {name: copies[name] for name in variables}
