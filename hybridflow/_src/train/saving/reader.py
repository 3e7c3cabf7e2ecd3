"""Tensors of a checkpoint by name, without a graph."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.platform.system_errors import translated
from hybridflow._src.train.saving.state import latest_checkpoint

if TYPE_CHECKING:
    import numpy as np

    from hybridflow._src.framework.dtypes import DType

__all__ = [
    "CheckpointReader",
    "NewCheckpointReader",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]


class CheckpointReader:
    """Reads a checkpoint.

    Args:
      prefix: the checkpoint's path, as `Saver.save` returns it.

    Raises:
      NotFoundError: if there is none. DataLossError: if it is damaged.
    """

    def __init__(self, prefix: str) -> None:
        path = os.fspath(prefix)
        with translated(path):
            self._reader = open_checkpoint(path)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor by its name."""
        return {name: list(shape) for name, shape in self._reader.shapes.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """The dtype of each tensor by its name; those of dtypes that we lack are left out."""
        return self._reader.dtypes()

    def has_tensor(self, tensor_str: str) -> bool:
        """Tells whether there is a tensor of this name."""
        return tensor_str in self._reader.shapes

    def get_tensor(self, tensor_str: str) -> np.ndarray | Any:
        """The value of a tensor, new; one that is saved in slices is put together.

        Raises:
          NotFoundError: if there is none of this name. DataLossError: if its bytes are damaged.
          UnimplementedError: if it is of a dtype that we lack, such as bfloat16.
        """
        with translated(self._reader.prefix):
            value = self._reader.read(tensor_str)
        return value if value.ndim else value[()]

    def debug_string(self) -> bytes:
        """Names, dtypes and shapes, a tensor a line."""
        lines = [
            f"{name} (DT_{self._reader.kind(name).upper()}) [{','.join(map(str, shape))}]\n"
            for name, shape in sorted(self._reader.shapes.items())
        ]
        return "".join(lines).encode()


def NewCheckpointReader(filepattern: str) -> CheckpointReader:
    """Reads the checkpoint of a prefix.

    Raises:
      NotFoundError: if there is none. DataLossError: if it is damaged.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     with hf.Session() as session:
    ...         _ = session.run(v.initializer)
    ...         path = hf.train.Saver().save(session, folder + "/model")
    ...     print(hf.train.NewCheckpointReader(path).get_tensor("v"))
    [1. 2.]
    """
    return CheckpointReader(filepattern)


def load_checkpoint(ckpt_dir_or_file: str) -> CheckpointReader:
    """A reader of a checkpoint, or of the latest one in a folder.

    Raises:
      ValueError: if the folder has none.

    >>> import hybridflow as hf
    >>> hf.train.load_checkpoint("no_such_folder/model")
    Traceback (most recent call last):
    hybridflow.errors.NotFoundError: Unsuccessful TensorSliceReader constructor: ...
    """
    return CheckpointReader(checkpoint_in(ckpt_dir_or_file))


def checkpoint_in(ckpt_dir_or_file: Any) -> str:
    """The path of a checkpoint, which for a folder is its latest one.

    Raises:
      ValueError: if the folder has none.
    """
    path = os.fspath(ckpt_dir_or_file)
    if not os.path.isdir(path):
        return str(path)
    latest = latest_checkpoint(path)
    if latest is None:
        raise ValueError(
            f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}"
        )
    return latest


def load_variable(ckpt_dir_or_file: str, name: str) -> np.ndarray | Any:
    """The value of one variable of a checkpoint, as an array.

    Args:
      ckpt_dir_or_file: a checkpoint, or a folder whose latest one is read.
      name: the variable; ":0" at its end is left out.

    >>> import hybridflow as hf
    >>> hf.train.load_variable("no_such_folder/model", "w")
    Traceback (most recent call last):
    hybridflow.errors.NotFoundError: Unsuccessful TensorSliceReader constructor: ...
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: str) -> list[tuple[str, list[int]]]:
    """Names and shapes of the variables of a checkpoint, sorted by name.

    >>> import hybridflow as hf
    >>> hf.train.list_variables("no_such_folder/model")
    Traceback (most recent call last):
    hybridflow.errors.NotFoundError: Unsuccessful TensorSliceReader constructor: ...
    """
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    return sorted(shapes.items())
