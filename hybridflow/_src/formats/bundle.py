"""Checkpoints of version 2: a table of entries (`.index`) and the tensors' bytes (`.data-...`).

An entry says a tensor's dtype, shape, where its bytes lie, and their checksum. A tensor kept in
slices has an entry that lists them, and an entry for each under a key of its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages, varints
from hybridflow._src.formats.checksums import crc32c, mask
from hybridflow._src.formats.commit import commit
from hybridflow._src.formats.ordered_code import slice_key
from hybridflow._src.formats.slices import FULL, add_extents
from hybridflow._src.formats.sorted_table import TableWriter
from hybridflow._src.formats.whole import close_durably
from hybridflow._src.framework import dtypes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from hybridflow._src.formats.slices import Extent

VERSION = 1
HEADER = b""
# Numbers are written, read and their checksum made in steps that stay in the processor's cache.
STEP = 1 << 18


def index_name(prefix: str) -> str:
    """The file of a checkpoint's entries."""
    return f"{prefix}.index"


def data_name(prefix: str, shard: int = 0, shards: int = 1) -> str:
    """A file of a checkpoint's tensors."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def make_folder(prefix: str) -> bool:
    """Makes the folder of a checkpoint if it is not there; tells whether it was not."""
    folder = os.path.dirname(prefix)
    if not folder or os.path.isdir(folder):
        return False
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from error
    return True


class BundleWriter:
    """Writes a checkpoint of one file of tensors: `add` for each, then `finish`.

    Until `finish` the files have temporary names; used as a context manager, what is not finished
    is removed, with the folder if it was made for that.

    Args:
      prefix: the checkpoint's path; its folder is made if it is not there.
    """

    def __init__(self, prefix: str) -> None:
        self._made_folder = make_folder(prefix)
        self._prefix = prefix
        self._temporary = f".tempstate{secrets.randbits(64)}"
        self._entries: dict[bytes, Any] = {}
        self._offset = 0
        self._opened: BinaryIO | None = None

    @property
    def _file(self) -> BinaryIO:
        # Not before `with`: what interrupts leaves no file behind.
        if self._opened is None:
            self._opened = open(self._path, "xb")  # noqa: SIM115 - closed by `finish`
        return self._opened

    @property
    def _path(self) -> str:
        return data_name(self._prefix) + self._temporary

    def __enter__(self) -> BundleWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._opened is not None:
            with contextlib.suppress(OSError):  # what could not be written cannot be now
                self._opened.close()
        for path in (self._path, index_name(self._prefix) + self._temporary):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        if self._made_folder:
            with contextlib.suppress(OSError):  # it holds the checkpoint
                os.rmdir(os.path.dirname(self._prefix))

    def add(self, name: str, value: np.ndarray) -> None:
        """Writes a tensor.

        Raises:
          ValueError: if there is one of this name.
        """
        self._add(name.encode(), value)

    def add_slice(
        self, name: str, shape: Sequence[int], extents: Sequence[Extent], value: np.ndarray
    ) -> None:
        """Writes a slice of a tensor of `shape`: start and length along each axis."""
        if all(extent in (FULL, (0, n)) for extent, n in zip(extents, shape, strict=True)):
            self.add(name, value)
            return
        entry = self._entries.get(name.encode())
        if entry is None:
            entry = self._entries[name.encode()] = messages.BundleEntryProto()
            entry.dtype = _enum_of(value)
            _set_shape(entry.shape, shape)
        add_extents(entry.slices.add(), extents)
        self._add(slice_key(name, extents), value)

    def _add(self, key: bytes, value: np.ndarray) -> None:
        if key in self._entries:
            raise ValueError(f"Adding duplicate key: {key.decode(errors='replace')}")
        entry = messages.BundleEntryProto(dtype=_enum_of(value), offset=self._offset)
        _set_shape(entry.shape, value.shape)
        write = _write_strings if value.dtype == object else _write_numbers
        entry.size, crc = write(self._file.write, value)
        # So that where there is no room left, it is this tensor that has none.
        self._file.flush()
        entry.crc32c = mask(crc)
        self._offset += entry.size
        self._entries[key] = entry

    def finish(self) -> None:
        """Makes the files durable, and then the checkpoint."""
        close_durably(self._file)
        index = index_name(self._prefix)
        with open(index + self._temporary, "xb") as file:
            write_index(file, 1, self._entries)
            close_durably(file)
        commit({self._path: data_name(self._prefix)}, index, index + self._temporary)


def write_index(file: BinaryIO, shards: int, entries: dict[bytes, Any]) -> None:
    """Writes the table of a checkpoint's entries."""
    header = messages.BundleHeaderProto(num_shards=shards)
    header.version.producer = VERSION
    table = TableWriter(file)
    table.add(HEADER, header.SerializeToString())
    for key in sorted(entries):
        table.add(key, entries[key].SerializeToString())
    table.finish()


def _enum_of(value: np.ndarray) -> int:
    return int(dtypes.as_dtype(value.dtype).as_datatype_enum)


def _set_shape(message: Any, shape: Sequence[int]) -> None:
    message.SetInParent()
    for size in shape:
        message.dim.add(size=size)


def _write_numbers(write: Callable[[Any], Any], value: np.ndarray) -> tuple[int, int]:
    data = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    crc = 0
    for start in range(0, data.size, STEP):
        piece = data[start : start + STEP]
        write(piece)
        crc = crc32c(piece, crc)
    return data.nbytes, crc


def _write_strings(write: Callable[[Any], Any], value: np.ndarray) -> tuple[int, int]:
    """The lengths, a checksum of them as numbers of 32 bits, and the strings."""
    strings = [bytes(item) for item in value.reshape(-1)]
    lengths = b"".join(varints.encode(len(item)) for item in strings)
    crc = crc32c(struct.pack(f"<{len(strings)}I", *map(len, strings)))
    check = struct.pack("<I", mask(crc))
    content = b"".join(strings)
    write(lengths + check + content)
    return len(lengths) + 4 + len(content), crc32c(content, crc32c(check, crc))
