"""Reads checkpoints of version 1: tables of slices of tensors, one file or several.

The empty key holds what tensors there are and in which slices; each slice has a key of its own. The
numbers are lists in messages. TensorFlow wrote this before 0.12, and later where it was asked to.
"""

from __future__ import annotations

import glob
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.ordered_code import slice_key
from hybridflow._src.formats.slices import bounds, extents_of
from hybridflow._src.formats.table_reader import TableReader, table_in
from hybridflow._src.formats.tensor_reader import TensorReader

if TYPE_CHECKING:
    from hybridflow._src.formats.slices import Extent

_META = b""
# The field of a message that holds the numbers of a dtype, by the dtype's name.
_FIELDS = {
    "float": "float_val",
    "double": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "string": "string_val",
    "half": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    **dict.fromkeys(("int32", "uint8", "int16", "int8", "uint16"), "int_val"),
}
# How many elements come out of a byte at most: a number takes a byte, compressed 1/22.
_EXPANSION = 22


def files_of(prefix: str) -> list[str]:
    """The files of a checkpoint; `prefix` may be a pattern, as it is of a sharded one."""
    found = glob.glob(prefix) or glob.glob(glob.escape(prefix))
    return sorted([path for path in found if os.path.isfile(path)])


class SliceTableReader(TensorReader):
    """The tensors of a checkpoint of version 1.

    Args:
      prefix: the checkpoint. paths: its files.

    Raises:
      DataLossError: if a file is damaged, or is none of a checkpoint.
    """

    def __init__(self, prefix: str, paths: list[str]) -> None:
        super().__init__(prefix)
        self._slices: dict[str, dict[tuple[Extent, ...], tuple[str, TableReader]]] = {}
        for path in paths:
            try:
                self._take(path, table_in(path))
            except (ValueError, messages.decode_error()) as error:
                raise self._damaged(path, str(error)) from error
        self._paths = paths

    @property
    def most(self) -> int:
        return _EXPANSION * sum(map(os.path.getsize, self._paths))

    def _take(self, path: str, table: TableReader) -> None:
        found = table.get(_META)
        if found is None:
            raise ValueError("it is no checkpoint of version 1")
        for tensor in messages.SavedTensorSlices.FromString(found).meta.tensor:
            shape = tuple([dim.size for dim in tensor.shape.dim])
            if any(size < 0 for size in shape):
                raise ValueError(f"tensor {tensor.name} has shape {shape}")
            if self.shapes.setdefault(tensor.name, shape) != shape:
                raise ValueError(f"tensor {tensor.name} has another shape in another file")
            if self.kinds.setdefault(tensor.name, tensor.type) != tensor.type:
                raise ValueError(f"tensor {tensor.name} has another dtype in another file")
            kept = self._slices.setdefault(tensor.name, {})
            kept.update(dict.fromkeys(map(extents_of, tensor.slice), (path, table)))

    def slices(self, name: str) -> list[tuple[Extent, ...]]:
        return list(self._slices[name])

    def _kept(
        self, name: str, extents: tuple[Extent, ...] | None, out: np.ndarray | None
    ) -> np.ndarray:
        if extents is None:
            raise self._damaged(self.prefix, f"tensor {name} has no slices")
        path, table = self._slices[name][extents]
        try:
            found = table.get(slice_key(name, extents))
            if found is None:
                raise ValueError(f"a slice of tensor {name} is missing")
            data = messages.SavedTensorSlices.FromString(found).data.data
            shape = [length for _, length in bounds(extents, self.shapes[name])]
            value = self._value(name, data, math.prod(shape)).reshape(shape)
        except (ValueError, messages.decode_error()) as error:
            raise self._damaged(path, str(error)) from error
        if out is not None:
            out[...] = value
        return value

    def _value(self, name: str, data: Any, count: int) -> np.ndarray:
        dtype, kind = self.dtype(name), self.kind(name)
        numbers = getattr(data, _FIELDS[kind]) if kind in _FIELDS else ()
        if len(numbers) != count * (2 if dtype.is_complex else 1):
            raise ValueError(f"a slice of tensor {name} has {len(numbers)} numbers for {count}")
        if kind == "string":
            value = np.empty(count, object)
            value[:] = list(numbers)
            return value
        if kind == "half":
            return np.array(numbers, np.int64).astype(np.uint16).view(np.float16)
        if dtype.is_complex:
            return np.array(numbers, dtype.real_dtype.np).view(dtype.np)
        return np.array(numbers, np.int64 if dtype.is_integer else dtype.np).astype(
            dtype.np, copy=False
        )
