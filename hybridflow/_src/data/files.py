"""Datasets of what stands in files: lines of text, records, pieces of one length."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.element import SCALAR, Element
from hybridflow._src.data.memory import RowSource
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Pass, Rows, Source
from hybridflow._src.data.recipe import Recipe, optional, whole
from hybridflow._src.formats import records
from hybridflow._src.formats.compressed import check_compression, open_file
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DataLossError, InvalidArgumentError
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.platform.gfile import Glob
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from typing import BinaryIO

    from hybridflow._src.data.passes import Item, State

_BUFFER_BYTES = 256 * 1024


class _Files(Source):
    """Pieces of files, one file after the other.

    Args:
      filenames: their names. kind: how they are compressed. buffer: how many bytes are read ahead.
    """

    def __init__(self, filenames: Any, kind: Any, buffer: Any) -> None:
        self.paths = [os.fsdecode(name) for name in np.ravel(filenames)]
        try:
            self.kind = check_compression(kind[()].decode())
        except ValueError as error:
            raise InvalidArgumentError(None, None, str(error)) from None
        self.buffer = int(buffer)
        if self.buffer < 0:
            raise InvalidArgumentError(
                None, None, f"`buffer_size` must be >= 0 (0 == default), got {self.buffer}."
            )

    def opened(self, path: str) -> BinaryIO:
        """One of the files."""
        return open_file(path, self.kind, self.buffer)


class _FilesPass(Pass):
    """A pass through the pieces of files."""

    def __init__(self, source: _Files) -> None:
        self._source: Any = source
        self._number = 0
        self._file: BinaryIO | None = None

    def next(self) -> Item | None:
        items = self.items(1)
        return items[0] if items else None

    def items(self, most: int) -> list[Item]:
        pieces: list[bytes] = []
        paths = self._source.paths
        while len(pieces) < most and self._number < len(paths):
            path = paths[self._number]
            with translated(path):
                try:
                    if self._file is None:
                        self._file = self._source.opened(path)
                        self._begin(self._file, path)
                    pieces += self._read(self._file, most - len(pieces))
                except Exception as error:
                    self._leave()
                    if isinstance(error, ValueError):
                        raise DataLossError(None, None, f"{path}: {error}") from error
                    raise
            if len(pieces) < most:
                self._leave()
        values = np.empty(len(pieces), object)
        values[:] = pieces
        return [(values[number, ...],) for number in range(len(pieces))]

    def _leave(self) -> None:
        """Goes on with the next file."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._number += 1

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self, file: BinaryIO, path: str) -> None:
        """Called for each file that is opened."""

    def _read(self, file: BinaryIO, most: int) -> list[bytes]:
        """The next pieces of a file, so many; fewer only at its end.

        Raises:
          ValueError: if it is damaged.
        """
        raise NotImplementedError

    def state(self) -> State:
        return [self._number, None if self._file is None else self._position(self._file)]

    def restore(self, state: State) -> None:
        self._number, position = state
        self._file = None
        if position is not None:
            path = self._source.paths[self._number]
            with translated(path):
                self._file = self._source.opened(path)
                self._begin(self._file, path)
                self._go_to(self._file, position)

    def _position(self, file: BinaryIO) -> int:
        return self._passed

    def _go_to(self, file: BinaryIO, position: int) -> None:
        left = position - self._passed
        while left > 0:
            left -= len(file.read(min(left, _BUFFER_BYTES)) or b" " * left)
        self._passed = position

    # How many bytes have been read of the file.
    _passed = 0


# -- lines -----------------------------------------------------------------------------------------


class _Lines(_Files):
    def begin(self) -> Pass:
        return _LinesPass(self)


def _of_strings(attrs: Any) -> dict[str, Any]:
    """Files leave out that the elements are strings."""
    return {"output_types": (dtypes.string,), "output_shapes": (SCALAR,)}


class _LinesPass(_FilesPass):
    def _begin(self, file: BinaryIO, path: str) -> None:
        self._passed = 0

    def _read(self, file: BinaryIO, most: int) -> list[bytes]:
        lines = list(islice(file, most))
        text = b"".join(lines)
        self._passed += len(text)
        if b"\r" in text:
            text = text.replace(b"\r", b"")
        # Behind the last line's end there is nothing.
        return text.split(b"\n")[: len(lines)]


_text_lines = dataset_op(
    "TextLineDataset",
    "filenames: string, compression_type: string, buffer_size: int64",
    _Lines,
    read=_of_strings,
)


def of_lines(filenames: Any, compression_type: Any, buffer_size: Any) -> Recipe:
    """The lines of text files."""
    inputs = _file_inputs(filenames, compression_type, buffer_size)
    return Recipe(_text_lines, Element(dtypes.string, SCALAR), lambda: inputs)


def _file_inputs(filenames: Any, compression_type: Any, buffer_size: Any) -> tuple[Any, Any, Any]:
    return (
        convert_to_tensor(filenames, dtypes.string, name="filenames"),
        optional(compression_type, "", "compression_type", dtypes.string),
        optional(buffer_size, _BUFFER_BYTES, "buffer_size"),
    )


# -- records ---------------------------------------------------------------------------------------


class _Records(_Files):
    def begin(self) -> Pass:
        return _RecordsPass(self)


class _RecordsPass(_FilesPass):
    def _begin(self, file: BinaryIO, path: str) -> None:
        self._passed = 0

    def _read(self, file: BinaryIO, most: int) -> list[bytes]:
        found = records.read_some(file, most)
        self._passed += sum(map(len, found)) + len(found) * records.FRAME
        return found


_tf_records = dataset_op(
    "TFRecordDataset",
    "filenames: string, compression_type: string, buffer_size: int64",
    _Records,
    read=_of_strings,
)


def of_records(filenames: Any, compression_type: Any, buffer_size: Any) -> Recipe:
    """The records of TFRecord files."""
    inputs = _file_inputs(filenames, compression_type, buffer_size)
    return Recipe(_tf_records, Element(dtypes.string, SCALAR), lambda: inputs)


# -- pieces of one length --------------------------------------------------------------------------


class _Pieces(_Files):
    def __init__(
        self, filenames: Any, header: Any, size: Any, footer: Any, buffer: Any, *kind: Any
    ) -> None:
        super().__init__(filenames, kind[0] if kind else np.array(b"", object), buffer)
        self.header, self.size, self.footer = int(header), int(size), int(footer)
        for name, value, least in (
            ("header_bytes", self.header, 0),
            ("record_bytes", self.size, 1),
            ("footer_bytes", self.footer, 0),
        ):
            if value < least:
                bound = "> 0" if least else ">= 0"
                raise InvalidArgumentError(None, None, f"`{name}` must be {bound}, got {value}.")

    def begin(self) -> Pass:
        return _PiecesPass(self)


class _PiecesPass(_FilesPass):
    def _begin(self, file: BinaryIO, path: str) -> None:
        source = self._source
        self._passed = source.header
        # What has been read beyond the piece that comes next: the footer, at the end.
        self._beyond = b""
        if not source.kind:
            body = os.stat(path).st_size - source.header - source.footer
            if body < 0 or body % source.size:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Excluding the header ({source.header} bytes) and footer ({source.footer} "
                    f'bytes), input file "{path}" has body length {body} bytes, which is not an '
                    f"exact multiple of the record length ({source.size} bytes).",
                )
        if len(file.read(source.header)) < source.header:
            raise ValueError("the file is shorter than its header")

    def _read(self, file: BinaryIO, most: int) -> list[bytes]:
        pieces: list[bytes] = []
        while len(pieces) < most and (piece := self._read_one(file)) is not None:
            pieces.append(piece)
        return pieces

    def _read_one(self, file: BinaryIO) -> bytes | None:
        """The next piece of a file, None at its end."""
        source = self._source
        data = self._beyond + file.read(source.size + source.footer - len(self._beyond))
        if len(data) < source.size + source.footer:
            if len(data) != source.footer:
                raise ValueError("the last record is cut short")
            return None
        self._beyond = data[source.size :]
        self._passed += source.size
        return data[: source.size]


def _write_pieces(nodes: Any, op: Any) -> None:
    """Only later TensorFlows have an op for compressed files."""
    is_plain = constant_value(op.inputs[-1]) == b"" if len(op.inputs) > 5 else True
    type_ = "FixedLengthRecordDataset" if is_plain else "FixedLengthRecordDatasetV2"
    nodes.node(op, type_, [nodes.input(t) for t in (op.inputs[:5] if is_plain else op.inputs)], {})


_fixed_length = dataset_op(
    "FixedLengthRecordDataset",
    "filenames: string, header_bytes: int64, record_bytes: int64, footer_bytes: int64, "
    "buffer_size: int64, compression_type: ...",
    _Pieces,
    written=_write_pieces,
    read=_of_strings,
)


def of_pieces(
    filenames: Any,
    record_bytes: Any,
    header_bytes: Any,
    footer_bytes: Any,
    buffer_size: Any,
    compression_type: Any,
) -> Recipe:
    """Pieces of one length of binary files."""
    names, kind, buffer = _file_inputs(filenames, compression_type, buffer_size)
    inputs = (
        names,
        optional(header_bytes, 0, "header_bytes"),
        whole(record_bytes, "record_bytes"),
        optional(footer_bytes, 0, "footer_bytes"),
        buffer,
        [kind],
    )
    return Recipe(_fixed_length, Element(dtypes.string, SCALAR), lambda: inputs)


# -- names -----------------------------------------------------------------------------------------


def _matching(patterns: Any) -> Source:
    found = Glob([os.fsdecode(pattern) for pattern in np.ravel(patterns)])
    names = np.empty(len(found), object)
    names[:] = [os.fsencode(name) for name in found]
    return RowSource(Rows([names]))


_matching_files = dataset_op(
    "MatchingFilesDataset", "patterns: string", _matching, read=_of_strings
)


def of_names(file_pattern: Any) -> Recipe:
    """The names of the files that match patterns, in order."""
    patterns = convert_to_tensor(file_pattern, dtypes.string, name="file_pattern")
    return Recipe(_matching_files, Element(dtypes.string, SCALAR), lambda: (patterns,))
