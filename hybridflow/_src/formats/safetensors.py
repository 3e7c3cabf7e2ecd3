"""Files of the format `safetensors`, read and written by its library (the extra `safetensors`)."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats.tensor_reader import TensorReader
from hybridflow._src.formats.whole import write_whole
from hybridflow._src.framework import dtypes
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridflow._src.formats.slices import Extent

SUFFIX = ".safetensors"
_NO_LIBRARY = (
    "Files of safetensors are read and written by its library, which is not installed: "
    "pip install 'hybridflow[safetensors]'"
)
# The dtypes of ours that the format has, by its names.
_DTYPES = {
    "BOOL": dtypes.bool,
    "U8": dtypes.uint8,
    "I8": dtypes.int8,
    "U16": dtypes.uint16,
    "I16": dtypes.int16,
    "U32": dtypes.uint32,
    "I32": dtypes.int32,
    "U64": dtypes.uint64,
    "I64": dtypes.int64,
    "F16": dtypes.float16,
    "F32": dtypes.float32,
    "F64": dtypes.float64,
    "C64": dtypes.complex64,
}
HELD = frozenset(_DTYPES.values())
_INVALID = 0  # TensorFlow's number of no dtype


class SafetensorsReader(TensorReader):
    """The tensors of a file of safetensors.

    Raises:
      NotFoundError: if there is no such file. DataLossError: if it is damaged. ImportError: without
        the library.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        library = _library("safetensors")
        self._kinds: dict[str, str] = {}
        try:
            with translated(path):
                os.stat(path)  # the library's own errors have no number
                self._file = library.safe_open(path, framework="numpy")
        except library.SafetensorError as error:
            raise self._damaged(path, str(error)) from error
        for name in self._file.keys():  # noqa: SIM118 - it is no dict
            tensor = self._file.get_slice(name)
            self._kinds[name] = kind = tensor.get_dtype()
            self.shapes[name] = tuple(tensor.get_shape())
            self.kinds[name] = _DTYPES[kind].as_datatype_enum if kind in _DTYPES else _INVALID

    @property
    def most(self) -> int:
        return os.path.getsize(self.prefix)

    def kind(self, name: str) -> str:
        return self._kinds[name].lower()

    def slices(self, name: str) -> list[tuple[Extent, ...]]:
        return []

    def _kept(
        self, name: str, extents: tuple[Extent, ...] | None, out: np.ndarray | None
    ) -> np.ndarray:
        value: np.ndarray = self._file.get_tensor(name)
        return value


def write_safetensors(path: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes a file of safetensors, which is there whole or not at all.

    Args:
      path: the file.
      tensors: arrays of dtypes in `HELD`.

    Raises:
      ImportError: without the library.
    """
    save = _library("safetensors.numpy").save
    data = save({name: np.asarray(value, order="C") for name, value in tensors.items()})
    write_whole(path, lambda file: file.write(data))


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(_NO_LIBRARY) from error
