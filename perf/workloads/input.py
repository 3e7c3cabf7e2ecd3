"""Input: rows in a random order, another one in each epoch; lines of text as numbers of words;
records of numbers; steps of training beside which the next batch is made.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from perf.workloads.subject import Subject

BATCH = 128
# An epoch is so many steps. A step takes many batches, so that it makes no difference that some
# had been made before it began.
_STEPS = 4


class Rows(NamedTuple):
    """Rows to be shuffled, all of them, and batched."""

    values: np.ndarray  # [n, width], n a multiple of the batch


def _rows(count: int, width: int) -> Rows:
    return Rows(np.random.default_rng(7).random((count, width), np.float32))


class File:
    """A file that holds these bytes, which is gone when nobody has it."""

    def __init__(self, data: bytes) -> None:
        number, self.name = tempfile.mkstemp()
        with open(number, "wb") as file:
            file.write(data)
        weakref.finalize(self, os.unlink, self.name)


class Lines(NamedTuple):
    """Lines of words, to be split and numbered, a batch of lines at a time."""

    file: File
    lines: int  # how many, a multiple of the batch
    words: list[str]  # in the order of their numbers; others are -1


def _lines(count: int, words: int) -> Lines:
    rng = np.random.default_rng(7)
    known = [f"word{number}" for number in range(words)]
    lines = []
    for length in rng.integers(4, 25, count):
        # Words are the rarer the higher their numbers; some are not known.
        numbers = (words * 1.05 * rng.random(length) ** 2).astype(int)
        lines.append(" ".join(f"word{number}" for number in numbers) + "\n")
    return Lines(File("".join(lines).encode()), count, known)


class Records(NamedTuple):
    """A TFRecord file of `Example`s, each with floats `x` and a whole number `label`, to be parsed,
    a batch at a time.
    """

    file: File
    records: int  # how many, a multiple of the batch
    width: int  # how many floats
    length: int  # bytes of a record, and of what stands around it
    start: int  # where in these the floats lie; the label is the last byte of the record

    def numbers(self, data: bytes) -> np.ndarray:
        """The floats and the label of records, from where they lie: float32 `[n, width + 1]`."""
        rows = np.frombuffer(data, np.uint8).reshape(-1, self.length)
        found = np.empty((len(rows), self.width + 1), np.float32)
        floats = rows[:, self.start : self.start + 4 * self.width]
        found[:, :-1] = np.ascontiguousarray(floats).view(np.float32)
        found[:, -1] = rows[:, -5]
        return found


def _records(count: int, width: int) -> Records:
    rng = np.random.default_rng(7)
    floats = rng.random((count, width), np.float32).view(np.uint8)
    label = _field(1, b"label") + _field(2, _field(3, _field(1, b"\1")))
    numbers = _field(1, b"x") + _field(2, _field(2, _field(1, bytes(4 * width))))
    example = _field(1, _field(1, numbers) + _field(1, label))
    start = example.index(bytes(4 * width))
    data = np.tile(np.frombuffer(example, np.uint8), (count, 1))
    data[:, start : start + 4 * width] = floats
    data[:, -1] = rng.integers(0, 10, count)
    size = np.tile(np.frombuffer(len(example).to_bytes(8, "little"), np.uint8), (count, 1))
    framed = np.concatenate([size, _checksums(size), data, _checksums(data)], axis=1)
    return Records(File(framed.tobytes()), count, width, framed.shape[1], 12 + start)


def _field(number: int, value: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes."""
    size, length = b"", len(value)
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + value


def _checksums(rows: np.ndarray) -> np.ndarray:
    """The masked CRC-32C of each row of bytes, as bytes."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1)
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = table[(crc ^ column) & 0xFF] ^ crc >> 8
    crc = ~crc
    masked = (crc >> 15 | crc << 17) + np.uint32(0xA282EAD8)
    return masked[:, np.newaxis].view(np.uint8)


class Training(NamedTuple):
    """Steps of a network with one hidden layer, on batches of shuffled rows of bytes."""

    images: np.ndarray  # uint8 [n, width]
    labels: np.ndarray  # int64 [n], below 10
    hidden: int


def _training(count: int, width: int, hidden: int) -> Training:
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (count, width), np.uint8)
    return Training(images, rng.integers(0, 10, count), hidden)


def batches(problem: Rows, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes batches of rows."""
    return _epochs(len(problem.values) // BATCH, take)


def numbered(problem: Lines, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes the numbers of the words in batches of lines."""
    return _of_file(_epochs(problem.lines // BATCH, take), problem.file)


def parsed(problem: Records, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes what batches of records hold: floats, and the label behind."""
    return _of_file(_epochs(problem.records // BATCH, take), problem.file)


def _of_file(subject: Subject, file: File) -> Subject:
    # The subject has the file as long as it is.
    return subject._replace(facts=lambda: {"bytes": os.path.getsize(file.name)})


def _epochs(count: int, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes a part of so many batches; what all of an epoch come to is
    compared.
    """
    part = count // _STEPS
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += part
        for _ in range(part):
            take()

    def result() -> list[np.ndarray]:
        for _ in range(-taken % count):
            take()
        return [np.sum([np.sum(take(), axis=0) for _ in range(count)], axis=0)]

    return Subject(step, result, tolerance=1e-3)


FAMILIES: dict[str, Any] = {
    "batches": _rows,
    "lines": _lines,
    "records": _records,
    "fed": _training,
}
