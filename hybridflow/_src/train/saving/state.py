"""The file `checkpoint`, which says what checkpoints a folder has and which is the latest."""

from __future__ import annotations

import glob
import importlib
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.bundle import index_name
from hybridflow._src.formats.commit import pending
from hybridflow._src.formats.whole import write_whole
from hybridflow._src.platform import tf_logging
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "checkpoint_exists",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "latest_checkpoint",
    "remove_checkpoint",
    "update_checkpoint_state",
]


def _state_file(folder: Any, latest_filename: str | None) -> str:
    return os.path.join(folder, latest_filename or "checkpoint")


def generate_checkpoint_state_proto(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
) -> Any:
    """What the file `checkpoint` is to say, as a `CheckpointState` message.

    Args:
      save_dir: the folder of the file; if it is a relative path, so are those in the message.
      model_checkpoint_path: the latest checkpoint.
      all_model_checkpoint_paths: all that are kept, the oldest first.

    >>> import hybridflow as hf
    >>> print(hf.train.generate_checkpoint_state_proto("run", "run/model-1"))
    model_checkpoint_path: "model-1"
    all_model_checkpoint_paths: "model-1"
    <BLANKLINE>
    """
    paths = list(all_model_checkpoint_paths or ())
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    if not os.path.isabs(save_dir):
        paths = [p if os.path.isabs(p) else os.path.relpath(p, save_dir or ".") for p in paths]
    return messages.CheckpointState(
        model_checkpoint_path=paths[-1], all_model_checkpoint_paths=paths
    )


def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    save_relative_paths: bool = False,
) -> None:
    """Writes the file `checkpoint`: at once, so that readers see the old one or the new.

    Args:
      save_dir: the folder of the checkpoints.
      model_checkpoint_path: the latest.
      all_model_checkpoint_paths: all that are kept, the oldest first.
      latest_filename: the name of the file, "checkpoint" if it is None.
      save_relative_paths: write paths relative to the folder, so that it can be moved.

    Raises:
      RuntimeError: if a checkpoint has the name of the file.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hf.train.update_checkpoint_state(folder, folder + "/m-1", save_relative_paths=True)
    ...     with open(folder + "/checkpoint") as file:
    ...         print(file.read())
    model_checkpoint_path: "m-1"
    all_model_checkpoint_paths: "m-1"
    <BLANKLINE>
    """
    paths = [*(all_model_checkpoint_paths or ()), model_checkpoint_path]
    if save_relative_paths:
        paths = [os.path.relpath(p, save_dir) if os.path.isabs(p) else p for p in paths]
    state = generate_checkpoint_state_proto(save_dir, paths[-1], paths[:-1])
    target = _state_file(save_dir, latest_filename)
    if target == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path {model_checkpoint_path!r} conflicts with path used for checkpoint state. "
            "Please use a different save path."
        )
    text = importlib.import_module("google.protobuf.text_format").MessageToString(state)
    with translated(target):
        write_whole(target, lambda file: file.write(text.encode()))


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> Any:
    """What the file `checkpoint` says, as a `CheckpointState` message with paths made whole.

    Args:
      checkpoint_dir: the folder.
      latest_filename: the name of the file, "checkpoint" if it is None.

    Returns: the message, or None if there is no such file, or no text of a message in it.

    Raises:
      ValueError: if the file names no checkpoint.

    >>> import hybridflow as hf
    >>> hf.train.get_checkpoint_state("no_such_folder") is None
    True
    """
    path = _state_file(checkpoint_dir, latest_filename)
    text_format = importlib.import_module("google.protobuf.text_format")
    state = messages.CheckpointState()
    try:
        with open(path, encoding="utf-8") as file:
            text_format.Merge(file.read(), state)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        tf_logging.warning("%s: %s", type(error).__name__, error)
        tf_logging.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {checkpoint_dir}")
    state.model_checkpoint_path = os.path.join(checkpoint_dir, state.model_checkpoint_path)
    for index, kept in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[index] = os.path.join(checkpoint_dir, kept)
    return state


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of the latest checkpoint in a folder, for `Saver.restore`; None without one.

    >>> import hybridflow as hf
    >>> hf.train.latest_checkpoint("no_such_folder") is None
    True
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path:
        return None
    if checkpoint_exists(state.model_checkpoint_path):
        return str(state.model_checkpoint_path)
    tf_logging.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return None


def _files_of(prefix: str) -> list[str]:
    """The files that show that a checkpoint is there: of version 2 its index, of version 1 itself.

    `prefix` may hold the pattern of a sharded one.
    """
    return glob.glob(index_name(prefix)) or [p for p in glob.glob(prefix) if os.path.isfile(p)]


def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Tells whether there is a checkpoint of this prefix, of either version.

    >>> import hybridflow as hf
    >>> hf.train.checkpoint_exists("no_such_folder/model")
    False
    """
    return bool(_files_of(os.fspath(checkpoint_prefix)))


def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[str]) -> list[float]:
    """When each checkpoint was written, in seconds since 1970; those that are gone are left out.

    >>> import hybridflow as hf
    >>> hf.train.get_checkpoint_mtimes(["no_such_folder/model"])
    []
    """
    found = [_files_of(os.fspath(prefix)) for prefix in checkpoint_prefixes]
    return [os.path.getmtime(files[0]) for files in found if files]


def remove_checkpoint(
    checkpoint_prefix: str, checkpoint_format_version: int = 2, meta_graph_suffix: str = "meta"
) -> None:
    """Removes the files of a checkpoint, its graph included; what is not there is no error.

    Args:
      checkpoint_prefix: the checkpoint.
      checkpoint_format_version: 2, or 1 for a checkpoint of one file.
      meta_graph_suffix: the ending of the file with its graph.

    >>> import hybridflow as hf
    >>> hf.train.remove_checkpoint("no_such_folder/model")
    """
    prefix = glob.escape(os.fspath(checkpoint_prefix))
    patterns = [f"{prefix}.{glob.escape(meta_graph_suffix)}"]
    if checkpoint_format_version == 2:
        # The index first: without it there is no checkpoint, with it there is a whole one.
        index, data = index_name(prefix), f"{prefix}.data-?????-of-?????"
        patterns = [pending(index), index, pending(data), data, *patterns]
    else:
        patterns.append(prefix)
    for pattern in patterns:
        for path in glob.glob(pattern):
            os.remove(path)
