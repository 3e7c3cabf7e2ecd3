"""Graphs in files, with the values of their variables as constants."""

from __future__ import annotations

from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.framework.errors import NotFoundError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.graphs.files import read_message, write_message
from hybridflow._src.graphs.graph_util import convert_variables_to_constants
from hybridflow._src.graphs.importing import import_graph_def
from hybridflow._src.runtime.session import Session
from hybridflow._src.saved_model import constants
from hybridflow._src.saved_model.loader import load
from hybridflow._src.train.saving.meta_graph import import_meta_graph
from hybridflow._src.train.saving.reader import CheckpointReader
from hybridflow._src.train.saving.saver import Saver
from hybridflow._src.train.saving.state import checkpoint_exists


def freeze_graph(
    input_graph: str | None,
    input_saver: str | None,
    input_binary: bool,
    input_checkpoint: str | None,
    output_node_names: str,
    restore_op_name: str | None,
    filename_tensor_name: str | None,
    output_graph: str | None,
    clear_devices: bool,
    initializer_nodes: str,
    variable_names_whitelist: str = "",
    variable_names_blacklist: str = "",
    input_meta_graph: str | None = None,
    input_saved_model_dir: str | None = None,
    saved_model_tags: str = constants.SERVING,
) -> Any:
    """Writes a graph in which constants stand in place of variables.

    The graph is that of a SavedModel, or of `input_meta_graph`, or of `input_graph`; files may hold
    messages as bytes or as text.

    Args:
      input_graph: the file of a `GraphDef`.
      input_saver: the file of a `SaverDef`, whose ops in the graph restore the variables. Else
        those are restored that the checkpoint has.
      input_binary: not used, since it is found out.
      input_checkpoint: the checkpoint; a SavedModel has its own.
      output_node_names: the nodes to keep, with what they need; commas between.
      restore_op_name, filename_tensor_name: not used.
      output_graph: the file to write; None or an empty string for none.
      clear_devices: whether nodes lose the devices that they ask for.
      initializer_nodes: operations to run before, with commas between.
      variable_names_whitelist: the only variables to convert, if there are any.
      variable_names_blacklist: variables to leave.
      input_meta_graph: the file of a `MetaGraphDef`.
      input_saved_model_dir: the folder of a SavedModel.
      saved_model_tags: the tags of its graph.

    Returns: the `GraphDef` that is written.

    Raises:
      ValueError: without output nodes, or without a graph. NotFoundError: if there is no such
        checkpoint. OSError: if a file cannot be read. Otherwise as
        `hf.graph_util.convert_variables_to_constants`.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with hf.Graph().as_default(), hf.Session() as session:
    ...         v = hf.get_variable("v", initializer=2.0)
    ...         y = hf.square(v, name="y")
    ...         session.run(v.initializer)
    ...         path = hf.train.Saver().save(session, folder + "/model")
    ...     frozen = freeze_graph(
    ...         None, None, True, path, "y", None, None, folder + "/frozen.pb", True, "",
    ...         input_meta_graph=path + ".meta",
    ...     )
    >>> [(node.name, node.op) for node in frozen.node]
    [('v', 'Const'), ('v/read', 'Identity'), ('y', 'Square')]
    """
    return freeze_graph_with_def_protos(
        read_message(input_graph, messages.GraphDef) if input_graph else None,
        read_message(input_saver, messages.SaverDef) if input_saver else None,
        input_checkpoint,
        output_node_names,
        restore_op_name,
        filename_tensor_name,
        output_graph,
        clear_devices,
        initializer_nodes,
        variable_names_whitelist,
        variable_names_blacklist,
        read_message(input_meta_graph, messages.MetaGraphDef) if input_meta_graph else None,
        input_saved_model_dir,
        _split(saved_model_tags),
    )


def freeze_graph_with_def_protos(
    input_graph_def: Any,
    input_saver_def: Any,
    input_checkpoint: str | None,
    output_node_names: str,
    restore_op_name: str | None,
    filename_tensor_name: str | None,
    output_graph: str | None,
    clear_devices: bool,
    initializer_nodes: str,
    variable_names_whitelist: str = "",
    variable_names_blacklist: str = "",
    input_meta_graph_def: Any = None,
    input_saved_model_dir: str | None = None,
    saved_model_tags: list[str] | None = None,
) -> Any:
    """Freezes graphs that are there as messages: see `freeze_graph`."""
    outputs = _split(output_node_names)
    if not outputs:
        raise ValueError("You need to supply the name of a node to output_node_names.")
    checkpoint = input_checkpoint or ""
    if not input_saved_model_dir and not checkpoint_exists(checkpoint):
        raise NotFoundError(None, None, f"Input checkpoint '{input_checkpoint}' doesn't exist!")
    with Graph().as_default(), Session() as session:
        if input_saved_model_dir:
            graph_def = load(session, saved_model_tags or [], input_saved_model_dir).graph_def
        elif input_meta_graph_def is not None:
            graph_def = input_meta_graph_def.graph_def
            saver = import_meta_graph(input_meta_graph_def, clear_devices=True)
            if input_saver_def is not None:
                saver = Saver(saver_def=input_saver_def)
            if saver is not None:  # it has variables
                saver.restore(session, checkpoint)
        elif input_graph_def is not None:
            graph_def = input_graph_def
            import_graph_def(graph_def, name="")
            _restore(session, input_saver_def, checkpoint)
        else:
            raise ValueError(
                "There is no graph to freeze: give input_graph, input_meta_graph or "
                "input_saved_model_dir."
            )
        if initializer_nodes:
            session.run(_split(initializer_nodes))
        frozen = convert_variables_to_constants(
            session,
            graph_def,
            outputs,
            _split(variable_names_whitelist) or None,
            _split(variable_names_blacklist) or None,
        )
    if clear_devices:
        for node in frozen.node:
            node.device = ""
    if output_graph:
        write_message(output_graph, frozen, as_text=False)
    return frozen


def _restore(session: Session, saver_def: Any, checkpoint: str) -> None:
    """Restores what a saver says, or the variables that the checkpoint has."""
    if saver_def is not None:
        Saver(saver_def=saver_def).restore(session, checkpoint)
        return
    graph, found = session.graph, {}
    for name in CheckpointReader(checkpoint).get_variable_to_shape_map():
        try:
            found[name] = graph.get_tensor_by_name(f"{name}:0")
        except (KeyError, ValueError):
            continue  # such as slots of an optimizer
    if found:
        Saver(found).restore(session, checkpoint)


def _split(names: str | None) -> list[str]:
    return [name for name in (names or "").split(",") if name]
