"""`Saver`: saves variables to checkpoints and restores them, and keeps the latest few."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.bundle import index_name
from hybridflow._src.formats.leftovers import remove_leftovers
from hybridflow._src.framework import context, settings
from hybridflow._src.framework.errors import FailedPreconditionError, NotFoundError
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.graphs.files import write_message
from hybridflow._src.graphs.meta_graph import export_scoped_meta_graph
from hybridflow._src.graphs.proto_functions import register_proto_function
from hybridflow._src.platform import tf_logging
from hybridflow._src.ranks import job
from hybridflow._src.runtime.session import BaseSession
from hybridflow._src.train.saving import spread
from hybridflow._src.train.saving.graph import SaverOps, write
from hybridflow._src.train.saving.restoring import restore_plan, restore_saveables
from hybridflow._src.train.saving.saveables import saveables_of
from hybridflow._src.train.saving.state import (
    checkpoint_exists,
    get_checkpoint_mtimes,
    remove_checkpoint,
    update_checkpoint_state,
)
from hybridflow._src.train.training_util import global_step as value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Saver"]

_V2 = 2
_HOUR = 3600.0
_FOLDER = (
    "{path} is a folder: `restore` wants the path of a checkpoint. That of the latest one in it is "
    "`hf.train.latest_checkpoint({path!r})`."
)


class Saver:
    """Saves variables to checkpoints, files of TensorFlow's own format, and restores them.

    In a graph it adds the ops that do it, under TensorFlow's names; in eager mode it works at once,
    and `sess` is None.

    Args:
      var_list: the variables, as a list or as a dict from the names that they have in checkpoints;
        all of the graph if it is None.
      reshape: restore also into variables of another shape with as many elements.
      sharded: write a file for each device.
      max_to_keep: how many checkpoints are kept; 0 or None keeps all.
      keep_checkpoint_every_n_hours: keep one in so many hours beside these.
      name: the name scope of the ops.
      restore_sequentially: restore one variable after the other.
      saver_def: a message that names the ops of a saver that the graph has already.
      builder: for other programs' sake; None.
      defer_build: add the ops when `build` is called.
      allow_empty: no variables are no error, and nothing is saved.
      write_version: the version of checkpoints: `SaverDef.V2`.
      pad_step_number: write the step in eight digits.
      save_relative_paths: let the file `checkpoint` hold relative paths.
      filename: the path that is used where none is fed.

    Raises:
      ValueError: if there is nothing to save, or a name or variable is there twice.
      RuntimeError: in eager mode without `var_list`.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     saver = hf.train.Saver()
    ...     with hf.Session() as session:
    ...         _ = session.run(hf.global_variables_initializer())
    ...         path = saver.save(session, folder + "/model", global_step=7)
    ...     with hf.Session() as session:
    ...         saver.restore(session, hf.train.latest_checkpoint(folder))
    ...         print(path[len(folder):], session.run(v))
    /model-7 [1. 2.]
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = _V2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        eager = context.modes.top.eager
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. Either set "
                "defer_build=False or var_list=None."
            )
        if eager and var_list is None:
            raise RuntimeError(
                "When eager execution is enabled, `var_list` must specify a list or dict of "
                "variables to save."
            )
        if write_version != _V2:
            raise ValueError(
                f"Checkpoints are written in version 2 (`SaverDef.V2`), not {write_version}: "
                "TensorFlow reads it from 0.12 on."
            )
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = settings.whole(max_to_keep or 0, "max_to_keep")
        self._hours = keep_checkpoint_every_n_hours
        self._name = name
        self._sequentially = restore_sequentially
        self._allow_empty = allow_empty
        self._is_empty = False
        # Whether other ranks have some of it, and save at the same time.
        self._is_spread = False
        self._pad_step_number = pad_step_number
        self._relative = save_relative_paths
        self._filename = filename
        self._last: list[tuple[str, float]] = []
        # Of two threads that save, the later one has read the later step.
        self._saving = new_lock()
        self._next_kept = time.time() + self._hours * _HOUR
        self.saver_def: Any = None
        if saver_def is not None:
            self._take(saver_def)
        elif not eager and not defer_build:
            self.build()

    # -- how it is described -----------------------------------------------------------------------

    def _take(self, saver_def: Any) -> None:
        """Uses the ops that a message names."""
        for field in ("save_tensor_name", "restore_op_name"):
            if not getattr(saver_def, field, None):
                raise ValueError(f"saver_def must specify the {field}: {saver_def}")
        self.saver_def = messages.SaverDef()
        self.saver_def.CopyFrom(saver_def)
        if self._name:
            for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                setattr(self.saver_def, field, f"{self._name}/{getattr(saver_def, field)}")
        self._max_to_keep = saver_def.max_to_keep
        self._sharded = saver_def.sharded
        self._hours = saver_def.keep_checkpoint_every_n_hours
        self._next_kept = time.time() + self._hours * _HOUR

    def build(self) -> None:
        """Adds the ops that save and restore to the default graph; a second call does nothing.

        Raises:
          RuntimeError: in eager mode.
        """
        if context.modes.top.eager:
            raise RuntimeError("Use save/restore instead of build in eager mode.")
        if self.saver_def is not None or self._is_empty:
            return
        variables = self._variables()
        if not variables:
            self._is_empty = True
            return
        saveables = saveables_of(variables)
        self._is_spread = spread.is_spread(saveables)
        ops = SaverOps(
            saveables,
            self._name,
            self._filename,
            self._sharded,
            self._reshape,
            self._sequentially,
        )
        self.saver_def = messages.SaverDef(
            filename_tensor_name=ops.filename.name,
            save_tensor_name=ops.saved.name,
            restore_op_name=ops.restore.name,
            max_to_keep=self._max_to_keep,
            sharded=self._sharded,
            keep_checkpoint_every_n_hours=self._hours,
            version=_V2,
        )

    def _variables(self) -> Any:
        variables = self._var_list
        if variables is None:
            variables = [
                *get_collection(GraphKeys.GLOBAL_VARIABLES),
                *get_collection(GraphKeys.SAVEABLE_OBJECTS),
            ]
        if not variables and not self._allow_empty:
            raise ValueError("No variables to save")
        return variables

    def as_saver_def(self) -> Any:
        """The names of the ops, and how many checkpoints are kept: a `SaverDef` message."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The `SaverDef` message, its names without `export_scope`; None if they are not in it."""
        if export_scope is None or self.saver_def is None:
            return self.saver_def
        found = messages.SaverDef()
        found.CopyFrom(self.saver_def)
        for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
            name = getattr(found, field)
            if not name.startswith(f"{export_scope}/"):
                return None
            setattr(found, field, name[len(export_scope) + 1 :])
        return found

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None) -> Saver:
        """The saver that `to_proto` described, its ops below `import_scope`."""
        return Saver(saver_def=saver_def, name=import_scope)

    # -- checkpoints that are kept -----------------------------------------------------------------

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that are kept, the oldest first."""
        return [path for path, _ in self._last]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Says which checkpoints there are, the oldest first."""
        self.set_last_checkpoints_with_time([(path, float("inf")) for path in last_checkpoints])

    def set_last_checkpoints_with_time(
        self, last_checkpoints_with_time: list[tuple[str, float]]
    ) -> None:
        """Says which checkpoints there are, and when each was written, in seconds since 1970."""
        if not isinstance(last_checkpoints_with_time, list):
            raise AssertionError(f"Expected a list, got {last_checkpoints_with_time!r:.200}")
        self._last = list(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Finds out when checkpoints were written; those that are gone are forgotten."""
        times = [(path, get_checkpoint_mtimes([path])) for path in checkpoint_paths]
        self._last = [(path, found[0]) for path, found in times if found]

    def _note(self, path: str) -> tuple[str, float] | None:
        """Adds a checkpoint to those that are kept; gives one that is too many."""
        if not self._max_to_keep:
            return None
        self._last = [(p, t) for p, t in self._last if p != path] + [(path, time.time())]
        return self._last.pop(0) if len(self._last) > self._max_to_keep else None

    def _drop(self, path: str, written: float, suffix: str) -> None:
        """Removes a checkpoint, unless one is due to be kept for good."""
        if written > self._next_kept:
            self._next_kept += self._hours * _HOUR
            return
        try:
            remove_checkpoint(path, meta_graph_suffix=suffix)
        except OSError as error:
            tf_logging.warning("Ignoring: %s", error)

    # -- saving and restoring ----------------------------------------------------------------------

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
    ) -> str | None:
        """Saves the variables, and notes the checkpoint in the file `checkpoint` beside it.

        Files get their names when they are whole, the index last and then `checkpoint`: whatever
        ends the program, the latest checkpoint that is noted is whole. What a save of checkpoints
        of this name left unfinished more than an hour ago is removed.

        Args:
          sess: the session with the values; None in eager mode.
          save_path: the path, without an ending.
          global_step: a number, variable or tensor that is added to the path.
          latest_filename: the name of the file that is called `checkpoint` otherwise.
          meta_graph_suffix: the ending of the file with the graph.
          write_meta_graph: whether to write the graph too, for `import_meta_graph`.
          write_state: whether to note it in `checkpoint`.
          strip_default_attrs: leave out attributes that have their defaults in that file.

        Returns: the path of the checkpoint, for `restore`; None if there is nothing to save.

        Raises:
          ValueError: if the folder is not there, or is no folder; if `save_path` is empty; if the
            graph is larger than 2 GB and is to be written.
          TypeError: without a session, or for a path that is no text.
          RuntimeError: if `build` is still to be called.
        """
        given = (save_path, global_step, latest_filename, meta_graph_suffix, write_meta_graph)
        return holding(self._saving, self._save, sess, *given, write_state, strip_default_attrs)

    def _save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any,
        latest_filename: str | None,
        meta_graph_suffix: str,
        write_meta_graph: bool,
        write_state: bool,
        strip_default_attrs: bool,
    ) -> str | None:
        save_path = settings.string(os.fspath(save_path), "save_path")
        if not save_path:
            raise ValueError("`save_path` is empty: it names no checkpoint.")
        latest_filename = latest_filename or "checkpoint"
        if os.path.dirname(latest_filename):
            raise ValueError("'latest_filename' must not contain path components")
        prefix = save_path
        if global_step is not None:
            is_number = isinstance(global_step, (int, np.integer))
            step = int(global_step) if is_number else value_of(sess, global_step)
            save_path = (
                f"{save_path}-{step:08d}" if self._pad_step_number else f"{save_path}-{step}"
            )
        elif os.path.basename(save_path) == latest_filename and not self._sharded:
            raise ValueError(
                f"'latest_filename' collides with 'save_path': {latest_filename!r} and "
                f"{save_path!r}"
            )
        if self._is_empty:
            return None
        folder = os.path.dirname(save_path)
        try:
            graph = (
                _session(sess).graph if write_meta_graph and not context.modes.top.eager else None
            )
            if graph is not None:
                # Before anything is written: it may be too large.
                meta_graph = self._meta_graph(graph, strip_default_attrs)
            path = self._saved(sess, save_path)
            is_noted = not self._is_spread or job.rank() == 0
            if graph is not None and is_noted:
                write_message(f"{path}.{meta_graph_suffix}", meta_graph, False)
            if write_state and is_noted:
                surplus = self._note(path)
                update_checkpoint_state(
                    folder, path, self.last_checkpoints, latest_filename, self._relative
                )
                if surplus is not None:
                    self._drop(*surplus, meta_graph_suffix)
            if is_noted:
                remove_leftovers(prefix, latest_filename, index_name(path))
            if self._is_spread:
                spread.meet(path)
        except (FailedPreconditionError, NotFoundError) as error:
            if os.path.isdir(folder or "."):
                raise
            raise ValueError(
                f"Parent directory of {save_path} doesn't exist, can't save."
            ) from error
        return path

    def _meta_graph(self, graph: Any, strip_default_attrs: bool) -> Any:
        """The graph and its collections as a message."""
        with graph.as_default():
            found, _ = export_scoped_meta_graph(
                graph=graph, saver_def=self._built(), strip_default_attrs=strip_default_attrs
            )
        return found

    def export_meta_graph(
        self,
        filename: str | None = None,
        collection_list: Sequence[str] | None = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
    ) -> Any:
        """The default graph with this saver: see `hf.train.export_meta_graph`."""
        found, _ = export_scoped_meta_graph(
            filename,
            export_scope=export_scope,
            as_text=as_text,
            clear_devices=clear_devices,
            saver_def=self.to_proto(export_scope) if export_scope else self.saver_def,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            collection_list=collection_list,
        )
        return found

    def _saved(self, sess: Any, path: str) -> str:
        if context.modes.top.eager:
            saveables = saveables_of(self._var_list)
            self._is_spread = spread.is_spread(saveables)
            if self._is_spread:
                spread.save(path, saveables, write)
            else:
                write(path, saveables)
            return path
        found = _session(sess).run(self._built().save_tensor_name, self._fed(path))
        return os.fsdecode(found)

    def restore(self, sess: Any, save_path: str) -> None:
        """Gives the variables the values of a checkpoint; they need not be initialized.

        Args:
          sess: the session that gets the values; None in eager mode.
          save_path: the checkpoint, as `save` or `latest_checkpoint` gives it.

        Raises:
          ValueError: if `save_path` is None.
          NotFoundError: if there is no checkpoint, or it lacks a variable.
          DataLossError: if it is damaged. The variables stay as they are then.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        tf_logging.info("Restoring parameters from %s", save_path)
        save_path = os.fspath(save_path)
        if os.path.isdir(save_path) and not checkpoint_exists(save_path):
            raise NotFoundError(None, None, _FOLDER.format(path=save_path))
        if context.modes.top.eager:
            restore_saveables(save_path, saveables_of(self._var_list), self._reshape)
        else:
            runnable, feeds = _session(sess).prepared(
                self._built().restore_op_name, self._fed(save_path)
            )
            restore_plan(runnable.plan, feeds)

    def _built(self) -> Any:
        if self.saver_def is None:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        return self.saver_def

    def _fed(self, path: str) -> dict[str, str]:
        return {self._built().filename_tensor_name: path}


def _session(sess: Any) -> Any:
    if not isinstance(sess, BaseSession):
        raise TypeError(f"'sess' must be a Session; {sess!r}{_hint(sess)}")
    return sess


def _hint(sess: Any) -> str:
    """What to do with a session of another kind."""
    if not hasattr(sess, "should_stop"):
        return ""
    return (
        ". A monitored session saves by itself: give it `checkpoint_dir`, or a "
        "`hf.train.CheckpointSaverHook`; a hook gets the session below as `run_context.session`."
    )


register_proto_function(
    GraphKeys.SAVERS,
    "SaverDef",
    lambda saver, export_scope=None: saver.to_proto(export_scope),
    Saver.from_proto,
)
