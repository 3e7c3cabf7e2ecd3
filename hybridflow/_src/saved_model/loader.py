"""Reads SavedModels."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.bundle import index_name
from hybridflow._src.graphs.meta_graph import add_default_attrs, check_mode
from hybridflow._src.graphs.scoped_names import add_scope
from hybridflow._src.platform import tf_logging
from hybridflow._src.saved_model import constants
from hybridflow._src.train.saving.meta_graph import import_meta_graph

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["load", "maybe_saved_model_directory"]

_NO_TAGS = (
    "MetaGraphDef associated with tags {tags} could not be found in SavedModel: it has graphs for "
    "{known}."
)
# What TensorFlow 2 calls the operation that runs when a model is loaded: a signature.
_INIT_SIGNATURE, _INIT_OUTPUT = "__saved_model_init_op", "__saved_model_init_op"


def maybe_saved_model_directory(export_dir: str) -> bool:
    """Tells whether a folder has the file of a SavedModel.

    >>> import hybridflow as hf
    >>> hf.saved_model.loader.maybe_saved_model_directory("no_such_folder")
    False
    """
    names = (constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT)
    return any(os.path.isfile(os.path.join(export_dir, name)) for name in names)


def parse_saved_model(export_dir: str) -> Any:
    """The `SavedModel` message of a folder.

    Raises:
      OSError: if there is none, or it is damaged.
    """
    path = os.path.join(export_dir, constants.SAVED_MODEL_FILENAME_PB)
    as_text = not os.path.isfile(path)
    if as_text:
        path = os.path.join(export_dir, constants.SAVED_MODEL_FILENAME_PBTXT)
    if not os.path.isfile(path):
        raise OSError(
            f"SavedModel file does not exist at: {export_dir}/"
            f"{{{constants.SAVED_MODEL_FILENAME_PBTXT}|{constants.SAVED_MODEL_FILENAME_PB}}}"
        )
    with open(path, "rb") as file:
        content = file.read()
    text_format = importlib.import_module("google.protobuf.text_format")
    try:
        if as_text:
            return text_format.Merge(content.decode(), messages.SavedModel())
        return messages.SavedModel.FromString(content)
    except (messages.decode_error(), UnicodeDecodeError, text_format.ParseError) as error:
        raise OSError(f"Cannot parse file {path}: {error}.") from error


def load(
    sess: Any,
    tags: Iterable[str],
    export_dir: str,
    import_scope: str | None = None,
    **saver_kwargs: Any,
) -> Any:
    """Adds a graph of a SavedModel to the session's graph, and restores its variables.

    Args:
      sess: the session.
      tags: what the graph is for: all its tags, and no others.
      export_dir: the folder.
      import_scope: the name scope of what is added; none by default.
      **saver_kwargs: as for `hf.train.import_meta_graph`.

    Returns: the `MetaGraphDef`, with the signatures.

    Raises:
      OSError: if there is no SavedModel, or it is damaged. RuntimeError: if it has no graph with
        these tags. ValueError: if the graph uses ops that do not exist here, or is damaged.
      OpError: if the variables cannot be restored.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     hf.saved_model.loader.load(session, ["serve"], "no_such_folder")
    Traceback (most recent call last):
    OSError: SavedModel file does not exist at: no_such_folder/{saved_model.pbtxt|saved_model.pb}
    """
    check_mode()
    if not isinstance(export_dir, (str, bytes, os.PathLike)):
        raise TypeError(
            f"export_dir must be the path of a folder, got {export_dir!r:.200}: "
            "`load(sess, tags, export_dir)`."
        )
    export_dir = os.fspath(export_dir)
    wanted = {tags} if isinstance(tags, str) else set(tags)
    graphs = list(parse_saved_model(export_dir).meta_graphs)
    found = [g for g in graphs if set(g.meta_info_def.tags) == wanted]
    if not found:
        known = ", ".join(str(sorted(g.meta_info_def.tags)) for g in graphs) or "nothing"
        raise RuntimeError(_NO_TAGS.format(tags=sorted(wanted), known=known))
    meta_graph = found[0]
    if meta_graph.meta_info_def.stripped_default_attrs:
        add_default_attrs(meta_graph.graph_def)
    with sess.graph.as_default():
        # The name scope may be taken; names then have the one that is used.
        scope = import_scope and sess.graph.unique_name(import_scope, mark_as_used=False)
        saver = import_meta_graph(meta_graph, import_scope=import_scope, **saver_kwargs)
        path = os.path.join(export_dir, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME)
        if saver is not None and (os.path.exists(index_name(path)) or _has_variables(meta_graph)):
            saver.restore(sess, path)
        else:
            tf_logging.info(
                "The specified SavedModel has no variables; no checkpoints were restored."
            )
        assets = {
            add_scope(file.tensor_info.name, scope): _asset_path(export_dir, file)
            for file in _assets(meta_graph)
        }
        init = _init_op(meta_graph)
        if init is not None:
            sess.run(add_scope(init, scope), assets)
    return meta_graph


def _has_variables(meta_graph: Any) -> bool:
    return "variables" in meta_graph.collection_def


def _assets(meta_graph: Any) -> list[Any]:
    """The files of a graph, as either TensorFlow notes them."""
    if meta_graph.asset_file_def:
        return list(meta_graph.asset_file_def)
    listed = meta_graph.collection_def
    if constants.ASSETS_KEY not in listed:
        return []
    values = listed[constants.ASSETS_KEY].any_list.value
    return [messages.AssetFileDef.FromString(value.value) for value in values]


def _asset_path(export_dir: str, file: Any) -> bytes:
    """Where a file of a model lies.

    Raises:
      ValueError: for a path that leads elsewhere.
    """
    folder = os.path.join(export_dir, constants.ASSETS_DIRECTORY)
    path = os.path.normpath(os.path.join(folder, file.filename))
    if os.path.commonpath([os.path.abspath(folder), os.path.abspath(path)]) != os.path.abspath(
        folder
    ):
        raise ValueError(f"The SavedModel names a file outside of its folder: {file.filename!r}")
    return os.fsencode(path)


def _init_op(meta_graph: Any) -> str | None:
    """The name of the operation that runs when the graph is loaded.

    Raises:
      RuntimeError: if there are several.
    """
    for key, what in (
        (constants.MAIN_OP_KEY, "SavedModel main op"),
        (constants.LEGACY_INIT_OP_KEY, "legacy serving init op"),
    ):
        if key in meta_graph.collection_def:
            names = meta_graph.collection_def[key].node_list.value
            if len(names) != 1:
                raise RuntimeError(f"Expected exactly one {what}.")
            return str(names[0])
    if _INIT_SIGNATURE in meta_graph.signature_def:
        outputs = meta_graph.signature_def[_INIT_SIGNATURE].outputs
        if _INIT_OUTPUT in outputs:
            return str(outputs[_INIT_OUTPUT].name)
    return None
