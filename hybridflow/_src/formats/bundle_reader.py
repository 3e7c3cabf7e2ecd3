"""Reads checkpoints of version 2. See `bundle`."""

from __future__ import annotations

import math
import os
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages, varints
from hybridflow._src.formats.bundle import HEADER, VERSION, data_name, index_name
from hybridflow._src.formats.checksums import crc32c, mask
from hybridflow._src.formats.ordered_code import FULL, slice_key
from hybridflow._src.formats.sorted_table import read_table
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import DataLossError, NotFoundError, UnimplementedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.formats.ordered_code import Extent
    from hybridflow._src.framework.dtypes import DType

_DAMAGED = (
    "Unable to read file ({path}). Perhaps the file is corrupt or was produced by a newer version "
    "of TensorFlow with format changes: {problem}."
)


class BundleReader:
    """The tensors of a checkpoint.

    Attributes:
      shapes: the shape of each tensor, by name. dtypes: the dtype of each.
      entries: the messages of the index, by key. shards: how many files of tensors there are.

    Raises:
      NotFoundError: if there is no such checkpoint. DataLossError: if its index is damaged.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._index = index_name(prefix)
        try:
            with open(self._index, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise NotFoundError(
                None, None, f"Failed to find any matching files for {prefix}"
            ) from None
        self.entries: dict[bytes, Any] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.dtypes: dict[str, DType] = {}
        try:
            self._read(data)
        except (ValueError, struct.error, messages.decode_error()) as error:
            raise self._damaged(self._index, str(error)) from error

    def _read(self, data: bytes) -> None:
        table = read_table(data)
        key, value = next(table, (None, b""))
        if key != HEADER:
            raise ValueError("it has no header")
        header = messages.BundleHeaderProto.FromString(value)
        if header.endianness != 0:
            raise UnimplementedError(
                None, None, f"Checkpoint {self._prefix} was written on a big-endian machine."
            )
        if header.version.min_consumer > VERSION:
            raise ValueError(f"it is of version {header.version.min_consumer}")
        self.shards = header.num_shards
        for key, value in table:
            entry = self.entries[key] = messages.BundleEntryProto.FromString(value)
            shape = tuple([dim.size for dim in entry.shape.dim])
            if any(size < 0 for size in shape):
                raise ValueError(f"{key!r} has shape {shape}")
            if not key.startswith(b"\0"):  # those are slices
                name = key.decode()
                self.shapes[name] = shape
                self.dtypes[name] = dtypes.as_dtype(entry.dtype)

    def _damaged(self, path: str, problem: str) -> DataLossError:
        return DataLossError(None, None, _DAMAGED.format(path=path, problem=problem))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor.

        Raises:
          NotFoundError: if there is none of this name.
        """
        self._entry(name)
        return self.shapes[name]

    def slices(self, name: str) -> list[tuple[Extent, ...]]:
        """The slices in which a tensor is kept; none if it is kept whole."""
        return [_extents(item) for item in self._entry(name).slices]

    def offsets(self, name: str) -> dict[tuple[Extent, ...], int]:
        """Where the bytes of each slice of a tensor begin."""
        return {e: self.entries[slice_key(name, e)].offset for e in self.slices(name)}

    def _entry(self, name: str) -> Any:
        entry = self.entries.get(name.encode())
        if entry is None:
            raise NotFoundError(None, None, f"Key {name} not found in checkpoint {self._prefix}")
        return entry

    def read(self, name: str) -> np.ndarray:
        """A tensor, new and the caller's own.

        Raises:
          NotFoundError: if there is none of this name. DataLossError: if its bytes are damaged.
        """
        entry = self._entry(name)
        if not entry.slices:
            return self._value(name, entry)
        return self.read_slice(name, [(0, size) for size in self.shapes[name]])

    def read_slice(self, name: str, extents: Sequence[Extent]) -> np.ndarray:
        """Part of a tensor, however it is kept: start and length along each axis."""
        entry = self._entry(name)
        shape = self.shapes[name]
        wanted = [_whole(extent, size) for extent, size in zip(extents, shape, strict=True)]
        if not entry.slices:
            value = self._value(name, entry)
            return value[tuple([slice(start, start + n) for start, n in wanted])].copy()
        # A damaged index must not make large what its slices do not fill.
        missing = math.prod([length for _, length in wanted])
        parts = []
        for item in entry.slices:
            given = _extents(item)
            if len(given) != len(shape):
                raise self._damaged(self._index, f"{name} has a slice of rank {len(given)}")
            held = [_whole(extent, size) for extent, size in zip(given, shape, strict=True)]
            common = [_overlap(a, b) for a, b in zip(wanted, held, strict=True)]
            if all(length > 0 for _, length in common):
                missing -= math.prod([length for _, length in common])
                key = slice_key(name, given)
                part = self.entries.get(key)
                if part is None:
                    raise self._damaged(self._index, f"a slice of {name} is missing")
                parts.append((held, common, self._value(name, part)))
        if missing:
            raise self._damaged(self._index, f"the slices of {name} do not cover what is asked for")
        result = np.empty([length for _, length in wanted], self.dtypes[name].np)
        for held, common, value in parts:
            if value.shape != tuple([length for _, length in held]):
                raise self._damaged(self._index, f"a slice of {name} has shape {value.shape}")
            result[_within(common, wanted)] = value[_within(common, held)]
        return result

    def _value(self, name: str, entry: Any) -> np.ndarray:
        dtype = dtypes.as_dtype(entry.dtype)
        shape = tuple([dim.size for dim in entry.shape.dim])
        path = data_name(self._prefix, entry.shard_id, self.shards)
        count = math.prod(shape)
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > size:
                    raise ValueError(f"tensor {name} lies beyond its end")
                file.seek(entry.offset)
                if dtype is dtypes.string:
                    value, crc = _strings(file.read(entry.size), count)
                elif entry.size != count * dtype.np.itemsize:
                    raise ValueError(f"tensor {name} has {entry.size} bytes for shape {shape}")
                else:
                    value = np.empty(count, dtype.np)
                    file.readinto(value.view(np.uint8).data)
                    crc = crc32c(value)
            if mask(crc) != entry.crc32c:
                raise ValueError(f"the checksum of tensor {name} is wrong")
        except FileNotFoundError:
            raise NotFoundError(None, None, f"{path}; No such file or directory") from None
        except ValueError as error:
            raise self._damaged(path, str(error)) from error
        return value.reshape(shape)


def _extents(message: Any) -> tuple[Extent, ...]:
    return tuple(
        [
            (item.start, item.length) if item.WhichOneof("has_length") else FULL
            for item in message.extent
        ]
    )


def _whole(extent: Extent, size: int) -> Extent:
    return (0, size) if extent == FULL else extent


def _overlap(a: Extent, b: Extent) -> Extent:
    start = max(a[0], b[0])
    return start, min(a[0] + a[1], b[0] + b[1]) - start


def _within(common: Sequence[Extent], frame: Sequence[Extent]) -> tuple[slice, ...]:
    """Where `common` lies in an array that begins with `frame`."""
    return tuple(
        [
            slice(start - first, start - first + length)
            for (start, length), (first, _) in zip(common, frame, strict=True)
        ]
    )


def _strings(data: bytes, count: int) -> tuple[np.ndarray, int]:
    """Strings, and the checksum of what is there."""
    lengths, position = [], 0
    if count > len(data):
        raise ValueError("strings are cut short")
    for _ in range(count):
        length, position = varints.decode(data, position)
        lengths.append(length)
    if position + 4 + sum(lengths) != len(data) or any(n >= 1 << 32 for n in lengths):
        raise ValueError("strings are cut short")
    crc = crc32c(struct.pack(f"<{count}I", *lengths))
    check = data[position : position + 4]
    if struct.pack("<I", mask(crc)) != check:
        raise ValueError("the checksum of the strings' lengths is wrong")
    crc = crc32c(check, crc)
    result = np.empty(count, object)
    position += 4
    for index, length in enumerate(lengths):
        result[index] = data[position : position + length]
        position += length
    return result, crc32c(data[position - sum(lengths) :], crc)
