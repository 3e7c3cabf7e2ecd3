"""Graphs with their savers: `export_meta_graph`, `import_meta_graph`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.graphs.meta_graph import (
    check_mode,
    export_scoped_meta_graph,
    import_scoped_meta_graph,
    read_meta_graph_file,
)
from hybridflow._src.train.input import queue_runner as _queue_runner  # noqa: F401 - registers runners
from hybridflow._src.train.saving.saver import Saver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.graph import Graph

__all__ = ["export_meta_graph", "import_meta_graph"]


def export_meta_graph(
    filename: str | None = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Sequence[str] | None = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> Any:
    """A graph and its collections as a `MetaGraphDef`, which TensorFlow can load.

    Args:
      filename: a file to write it to, or None.
      meta_info_def: further information for it.
      graph_def: the nodes, by default those of `graph`.
      saver_def: what names the ops that save and restore.
      collection_list: the keys of the collections, by default all.
      as_text: write the message as text.
      graph: the graph, by default the default one.
      export_scope: the only name scope whose nodes are meant; names lose it.
      clear_devices: whether devices are left out.
      clear_extraneous_savers: leave out the ops of savers other than `saver_def`'s.
      strip_default_attrs: leave out attributes that have their defaults.

    Raises:
      RuntimeError: in eager mode. ValueError: for a constant that is larger than 2 GB.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", [2])
    ...     sorted(hf.train.export_meta_graph().collection_def)
    ['trainable_variables', 'variables']
    """
    found, _ = export_scoped_meta_graph(
        filename,
        graph_def,
        graph,
        export_scope,
        as_text,
        clear_devices=clear_devices,
        saver_def=saver_def,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        meta_info_def=meta_info_def,
        collection_list=collection_list,
    )
    return found


def import_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    **kwargs: Any,
) -> Saver | None:
    """Adds a graph and its collections to the default graph.

    Args:
      meta_graph_or_file: a `MetaGraphDef`, or the path of a file with one, such as
        "model-100.meta".
      clear_devices: whether operations get no device.
      import_scope: the name scope of what is added; none by default.
      **kwargs: `input_map`, `graph`, `unbound_inputs_col_name` and `restore_collections_predicate`,
        as TensorFlow has them.

    Returns: a saver for the graph's variables; None if it has none.

    Raises:
      OSError: if there is no such file, or it holds no graph. ValueError: if the graph is damaged
        or uses ops that do not exist here. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     v = hf.get_variable("v", initializer=3.0)
    ...     session.run(v.initializer)
    ...     path = hf.train.Saver().save(session, folder + "/model")
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     saver = hf.train.import_meta_graph(path + ".meta")
    ...     saver.restore(session, path)
    ...     print(session.run("v:0"))
    3.0
    """
    check_mode()
    given = meta_graph_or_file
    if not hasattr(given, "SerializeToString"):
        given = read_meta_graph_file(given)
    import_scoped_meta_graph(given, clear_devices, import_scope=import_scope, **kwargs)
    if given.HasField("saver_def"):
        return Saver(saver_def=given.saver_def, name=import_scope)
    variables = get_collection(GraphKeys.GLOBAL_VARIABLES)
    return Saver() if variables or get_collection(GraphKeys.SAVEABLE_OBJECTS) else None
