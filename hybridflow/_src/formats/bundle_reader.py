"""Reads checkpoints of version 2. See `bundle`."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import os
import re
import struct
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hybridflow._src.formats import messages, varints
from hybridflow._src.formats.bundle import HEADER, VERSION, data_name, index_name
from hybridflow._src.formats.checked_reading import fill, scan
from hybridflow._src.formats.checksums import crc32c, mask
from hybridflow._src.formats.commit import pending
from hybridflow._src.formats.ordered_code import slice_key
from hybridflow._src.formats.slices import extents_of
from hybridflow._src.formats.table_reader import TableReader
from hybridflow._src.formats.tensor_reader import TensorReader
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.alignment import aligned_empty
from hybridflow._src.framework.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hybridflow._src.formats.slices import Extent

T = TypeVar("T")
# How many checkpoints an error names.
_SHOWN = 10


class _Index:
    """What an index says: the messages by key, how many files of tensors there are, and of each
    tensor its shape and dtype.
    """

    def __init__(self, data: bytes) -> None:
        table = TableReader(functools.partial(io.BytesIO, data)).items()
        if not table or table[0][0] != HEADER:
            raise ValueError("it has no header")
        header = messages.BundleHeaderProto.FromString(table[0][1])
        if header.endianness != 0:
            raise ValueError("it was written on a big-endian machine")
        if header.version.min_consumer > VERSION:
            raise ValueError(f"it is of version {header.version.min_consumer}")
        self.shards = header.num_shards
        self.entries: dict[bytes, Any] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.kinds: dict[str, int] = {}
        for key, value in table[1:]:
            entry = self.entries[key] = messages.BundleEntryProto.FromString(value)
            shape = tuple([dim.size for dim in entry.shape.dim])
            if any(size < 0 for size in shape):
                raise ValueError(f"{key!r} has shape {shape}")
            if not key.startswith(b"\0"):  # those are slices
                name = key.decode()
                self.shapes[name] = shape
                self.kinds[name] = entry.dtype


# A graph restores each variable by an op of its own, and all read the same index.
_index = functools.lru_cache(maxsize=1)(_Index)


class BundleReader(TensorReader):
    """The tensors of a checkpoint of version 2.

    Attributes:
      entries: the messages of the index, by key; readers share them.
      shards: how many files of tensors there are.

    Raises:
      NotFoundError: if there is no such checkpoint. DataLossError: if its index is damaged.
    """

    reads_twice = True

    def __init__(self, prefix: str) -> None:
        super().__init__(prefix)
        self._path = index_name(prefix)
        self._pending = False
        self._held: tuple[dict[str, io.BufferedReader], contextlib.ExitStack] | None = None
        try:
            index = _index(self._index_in_force())
        except FileNotFoundError:
            raise NotFoundError(
                None,
                None,
                "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for "
                f"{prefix}{_others(prefix)}",
            ) from None
        except (ValueError, struct.error, messages.decode_error()) as error:
            raise self._damaged(self._path, str(error)) from error
        self.entries, self.shards = index.entries, index.shards
        self.shapes, self.kinds = index.shapes, index.kinds

    def _index_in_force(self) -> bytes:
        with contextlib.suppress(FileNotFoundError), open(pending(self._path), "rb") as file:
            self._pending = True
            return file.read()
        with open(self._path, "rb") as file:
            return file.read()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            self._held = {}, stack
            try:
                yield
            finally:
                self._held = None

    @contextlib.contextmanager
    def _file(self, path: str) -> Iterator[io.BufferedReader]:
        """A file of tensors: inside of `opened` one that stays open."""
        if self._held is None:
            with self._open(path) as file:
                yield file
            return
        files, stack = self._held
        if path not in files:
            files[path] = stack.enter_context(self._open(path))
        yield files[path]

    def _open(self, path: str) -> io.BufferedReader:
        if self._pending:
            with contextlib.suppress(FileNotFoundError):
                return open(pending(path), "rb")
        return open(path, "rb")

    @functools.cached_property
    def most(self) -> int:
        files = {entry.shard_id for entry in self.entries.values()}
        return sum([_size(data_name(self.prefix, file, self.shards)) for file in files])

    def slices(self, name: str) -> list[tuple[Extent, ...]]:
        return [extents_of(item) for item in self.entries[name.encode()].slices]

    def size(self, name: str) -> int:
        keys = [slice_key(name, extents) for extents in self.slices(name)] or [name.encode()]
        return sum([self.entries[key].size for key in keys if key in self.entries])

    def offsets(self, name: str) -> dict[tuple[Extent, ...], int]:
        """Where the bytes of each slice of a tensor begin."""
        return {e: self.entries[slice_key(name, e)].offset for e in self.slices(name)}

    def _kept(
        self, name: str, extents: tuple[Extent, ...] | None, out: np.ndarray | None
    ) -> np.ndarray:
        entry = self._entry(name, extents)
        shape = tuple([dim.size for dim in entry.shape.dim])

        def read(file: io.BufferedReader) -> tuple[np.ndarray, int]:
            if out is not None and out.shape != shape:
                raise ValueError(f"a slice of tensor {name} has shape {list(shape)}")
            if entry.dtype == dtypes.string.as_datatype_enum:
                file.seek(entry.offset)
                return _strings(file.read(entry.size), shape)
            value = aligned_empty(shape, self.dtype(name).np) if out is None else out
            return value, fill(value.reshape(-1).view(np.uint8), file, entry.offset)

        value = self._read(name, entry, read)
        if out is not None and value is not out:
            out[...] = value
        return value

    def _check(self, name: str, extents: tuple[Extent, ...] | None, shape: Sequence[int]) -> None:
        entry = self._entry(name, extents)
        if entry.dtype == dtypes.string.as_datatype_enum:
            super()._check(name, extents, shape)
            return

        def read(file: io.BufferedReader) -> tuple[None, int]:
            sizes = [dim.size for dim in entry.shape.dim]
            if sizes != list(shape):
                raise ValueError(f"a slice of tensor {name} has shape {sizes}")
            return None, scan(entry.size, file, entry.offset)

        self._read(name, entry, read)

    def _entry(self, name: str, extents: tuple[Extent, ...] | None) -> Any:
        entry = self.entries.get(name.encode() if extents is None else slice_key(name, extents))
        if entry is None:
            raise self._damaged(self._path, f"a slice of tensor {name} is missing")
        return entry

    def _read(self, name: str, entry: Any, read: Callable[[io.BufferedReader], tuple[T, int]]) -> T:
        """What `read` makes of the bytes of an entry; it also gives their checksum."""
        path = data_name(self.prefix, entry.shard_id, self.shards)
        try:
            if entry.dtype != self.kinds[name]:
                raise ValueError(f"a slice of tensor {name} is of another dtype")
            count = math.prod([dim.size for dim in entry.shape.dim])
            if entry.dtype != dtypes.string.as_datatype_enum and (
                entry.size != count * self.dtype(name).np.itemsize
            ):
                raise ValueError(f"tensor {name} has {entry.size} bytes for {count} numbers")
            with self._file(path) as file:
                size = os.fstat(file.fileno()).st_size
                if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > size:
                    raise ValueError(f"tensor {name} lies beyond its end")
                value, crc = read(file)
            if mask(crc) != entry.crc32c:
                raise ValueError(f"the checksum of tensor {name} is wrong")
        except FileNotFoundError:
            raise NotFoundError(None, None, f"{path}; No such file or directory") from None
        except ValueError as error:
            raise self._damaged(path, str(error)) from error
        return value


def _others(prefix: str) -> str:
    """Which checkpoints there are beside one that is not there, as text."""
    folder, name = os.path.split(prefix)
    step = re.compile(rf"{re.escape(re.sub(r'-[0-9]+$', '', name))}(-[0-9]+)?\.index")
    with contextlib.suppress(OSError):
        found = sorted(filter(step.fullmatch, os.listdir(folder or ".")))
        names = [name.removesuffix(".index") for name in found]
        return f". There are: {', '.join(names[:_SHOWN])}" if names else ""
    return ""


def _size(path: str) -> int:
    """How large a file is; one that is not there is found missing when it is read."""
    return max([os.path.getsize(p) for p in (path, pending(path)) if os.path.exists(p)], default=0)


def _strings(data: bytes, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """Strings, and the checksum of what is there."""
    count = math.prod(shape)
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
    return result.reshape(shape), crc32c(data[position - sum(lengths) :], crc)
