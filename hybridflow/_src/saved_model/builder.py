"""Writes SavedModels."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.graphs.files import tell_own_ops, write_message
from hybridflow._src.graphs.meta_graph import check_mode
from hybridflow._src.platform import tf_logging
from hybridflow._src.platform.system_errors import translated
from hybridflow._src.saved_model import constants
from hybridflow._src.saved_model.signatures import build_tensor_info, predict_signature_def
from hybridflow._src.train.saving.saver import Saver

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["SavedModelBuilder", "simple_save"]

_EXISTS = "Export directory already exists. Please specify a different export directory: {folder}"
_NOT_SAVED = (
    "Graph state including variables and assets has not been saved yet. Please invoke "
    "`add_meta_graph_and_variables()` first."
)
_SAVED = (
    "Graph state including variables and assets has already been saved. Please invoke "
    "`add_meta_graph()` instead."
)
_ANY_ASSET = "type.googleapis.com/tensorflow.AssetFileDef"


class SavedModelBuilder:
    """Writes a SavedModel: graphs for different uses, with the variables that they share.

    Args:
      export_dir: the folder, which is made.

    Raises:
      AssertionError: if the folder holds something already.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/model"
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     v = hf.get_variable("v", initializer=2.0)
    ...     session.run(v.initializer)
    ...     builder = hf.saved_model.builder.SavedModelBuilder(folder)
    ...     builder.add_meta_graph_and_variables(session, ["serve"])
    ...     print(builder.save()[len(folder):])
    /saved_model.pb
    """

    def __init__(self, export_dir: str) -> None:
        self._folder = os.fspath(export_dir)
        self._model = messages.SavedModel(
            saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION
        )
        self._has_variables = False
        self._made_folder = not os.path.exists(self._folder)
        if os.path.exists(self._folder) and (
            not os.path.isdir(self._folder) or os.listdir(self._folder)
        ):
            raise AssertionError(_EXISTS.format(folder=self._folder))
        with translated(self._folder):
            os.makedirs(self._folder, exist_ok=True)

    def add_meta_graph_and_variables(
        self,
        sess: Any,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Sequence[Tensor] | None = None,
        legacy_init_op: Operation | None = None,
        clear_devices: bool = False,
        main_op: Operation | None = None,
        strip_default_attrs: bool = False,
    ) -> None:
        """Adds the session's graph, and saves the variables: the first graph is added so.

        Args:
          sess: the session with the values.
          tags: what the graph is for, such as `tag_constants.SERVING`.
          signature_def_map: signatures by name.
          assets_collection: constant tensors with the paths of files, which are copied.
          legacy_init_op: the older name of `main_op`.
          clear_devices: whether devices are left out.
          main_op: an operation that runs when the model is loaded, such as
            `hf.saved_model.main_op.main_op()`.
          strip_default_attrs: leave out attributes that have their defaults.

        Raises:
          AssertionError: if variables are saved already, or a signature is incomplete.
          TypeError: if `main_op` is no operation. ValueError: for an asset that is no path.
          OpError: if the variables cannot be saved. Then the folder is empty, or gone, as before.
        """
        if self._has_variables:
            raise AssertionError(_SAVED)
        folders = [
            os.path.join(self._folder, name)
            for name in (constants.VARIABLES_DIRECTORY, constants.ASSETS_DIRECTORY)
        ]
        try:
            with translated(folders[0]):
                os.makedirs(folders[0], exist_ok=True)
            with sess.graph.as_default():
                self._add(
                    tags,
                    signature_def_map,
                    assets_collection,
                    legacy_init_op,
                    clear_devices,
                    main_op,
                    strip_default_attrs,
                    sess,
                )
        except BaseException:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
            if self._made_folder:
                with contextlib.suppress(OSError):
                    os.rmdir(self._folder)
            raise
        self._has_variables = True

    def add_meta_graph(
        self,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Sequence[Tensor] | None = None,
        legacy_init_op: Operation | None = None,
        clear_devices: bool = False,
        main_op: Operation | None = None,
        strip_default_attrs: bool = False,
    ) -> None:
        """Adds the default graph, whose variables are saved already; the arguments are those of
        `add_meta_graph_and_variables`.

        Raises:
          AssertionError: if no variables are saved yet.
        """
        if not self._has_variables:
            raise AssertionError(_NOT_SAVED)
        self._add(
            tags,
            signature_def_map,
            assets_collection,
            legacy_init_op,
            clear_devices,
            main_op,
            strip_default_attrs,
        )

    def _add(
        self,
        tags: Iterable[str],
        signatures: Mapping[str, Any] | None,
        assets: Sequence[Tensor] | None,
        legacy_init_op: Operation | None,
        clear_devices: bool,
        main_op: Operation | None,
        strip_default_attrs: bool,
        sess: Any = None,
    ) -> None:
        check_mode()
        _check_signatures(signatures or {})
        files = [self._copied(tensor) for tensor in assets or ()]
        saveables = [
            *get_collection(GraphKeys.GLOBAL_VARIABLES),
            *get_collection(GraphKeys.SAVEABLE_OBJECTS),
        ]
        saver = Saver(saveables, sharded=True, allow_empty=True)
        if sess is not None:
            folder = os.path.join(self._folder, constants.VARIABLES_DIRECTORY)
            path = os.path.join(folder, constants.VARIABLES_FILENAME)
            saver.save(sess, path, write_meta_graph=False, write_state=False)
        meta_graph = saver.export_meta_graph(
            clear_devices=clear_devices, strip_default_attrs=strip_default_attrs
        )
        meta_graph.meta_info_def.tags.extend(tags)
        for key, signature in (signatures or {}).items():
            meta_graph.signature_def[key].CopyFrom(signature)
        for file in files:
            meta_graph.asset_file_def.add().CopyFrom(file)
            listed = meta_graph.collection_def[constants.ASSETS_KEY].any_list.value.add()
            listed.type_url, listed.value = _ANY_ASSET, file.SerializeToString()
        for key, name, op in (
            (constants.MAIN_OP_KEY, "main_op", main_op),
            (
                constants.LEGACY_INIT_OP_KEY,
                "legacy_init_op",
                legacy_init_op if main_op is None else None,
            ),
        ):
            if op is None:
                continue
            if not isinstance(op, Operation):
                raise TypeError(f"{name} needs to be an Operation: {op!r}")
            if key in meta_graph.collection_def and name == "legacy_init_op":
                raise AssertionError(
                    "graph already contains one or more legacy init ops under the collection "
                    f"{key}."
                )
            meta_graph.collection_def[key].node_list.value[:] = [op.name]
        self._model.meta_graphs.add().CopyFrom(meta_graph)

    def _copied(self, tensor: Any) -> Any:
        """Copies an asset; gives what the model notes of it."""
        value = constant_value(tensor)
        if value is None or tensor.dtype.name != "string" or value.size != 1 or not value.item():
            raise ValueError(f"Invalid asset filepath tensor {tensor}")
        source = os.fsdecode(value.item())
        folder = os.path.join(self._folder, constants.ASSETS_DIRECTORY)
        target = os.path.join(folder, os.path.basename(source))
        with translated(source):
            os.makedirs(folder, exist_ok=True)
            if not os.path.exists(target):
                shutil.copyfile(source, target)
        return messages.AssetFileDef(
            filename=os.path.basename(source), tensor_info=build_tensor_info(tensor)
        )

    def save(self, as_text: bool = False) -> str:
        """Writes the model's own file, and gives its path.

        Args:
          as_text: write the message as text.
        """
        name = constants.SAVED_MODEL_FILENAME_PB
        if as_text:
            name = constants.SAVED_MODEL_FILENAME_PBTXT
        path = os.path.join(self._folder, name)
        write_message(path, self._model, as_text)
        for meta_graph in self._model.meta_graphs:
            tell_own_ops(path, meta_graph.graph_def)
        tf_logging.info("SavedModel written to: %s", path)
        return path


def _check_signatures(signatures: Mapping[str, Any]) -> None:
    for signature in signatures.values():
        for info in [*signature.inputs.values(), *signature.outputs.values()]:
            is_named = info.name or info.HasField("coo_sparse")
            for field, missing in (("name", not is_named), ("dtype", not info.dtype)):
                if missing:
                    raise AssertionError(
                        "All TensorInfo protos used in the SignatureDefs must have the "
                        f"{field} field set: {info}"
                    )


def simple_save(
    session: Any,
    export_dir: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    legacy_init_op: Operation | None = None,
) -> None:
    """Writes a SavedModel for serving: the session's graph with its variables and one signature.

    Args:
      session: the session with the values.
      export_dir: the folder, which is made.
      inputs, outputs: tensors by name.
      legacy_init_op: an operation that runs when the model is loaded.

    Raises:
      AssertionError: if the folder holds something already.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/model"
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.placeholder(hf.float32, [])
    ...     hf.saved_model.simple_save(session, folder, {"x": x}, {"y": x * 2.0})
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     model = hf.saved_model.loader.load(session, ["serve"], folder)
    ...     signature = model.signature_def["serving_default"]
    ...     x, y = signature.inputs["x"].name, signature.outputs["y"].name
    ...     print(session.run(y, {x: 3.0}))
    6.0
    """
    if context.modes.top.eager:
        check_mode()
    builder = SavedModelBuilder(export_dir)
    with session.graph.as_default():
        signature = predict_signature_def(inputs, outputs)
    builder.add_meta_graph_and_variables(
        session,
        [constants.SERVING],
        {constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=session.graph.get_collection(GraphKeys.ASSET_FILEPATHS),
        legacy_init_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()
