"""Bytes that several threads read: the checksum is that of the whole, and errors are told."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridflow._src.formats import checked_reading, checksums
from hybridflow._src.formats.checksums import crc32c, joined
from hybridflow._src.kernels import pool

OFFSET, SIZE = 7, 3_000_017


@given(st.binary(), st.binary())
@settings(max_examples=50, deadline=None)
def test_checksums_of_parts(first, second):
    assert joined(crc32c(first), crc32c(second), len(second)) == crc32c(first + second)


def test_checksums_of_large_data(monkeypatch):
    """The same with the interpreter's lock and without it, of every kind of bytes."""
    data = np.random.default_rng(0).bytes(100_001)
    found = [crc32c(kind(data), 5) for kind in (bytes, bytearray, memoryview)]
    found.append(crc32c(np.frombuffer(data, np.uint8), 5))
    monkeypatch.setattr(checksums, "_extend_alone", lambda: None)
    assert found == [crc32c(data, 5)] * 4
    assert crc32c(b"123456789") == 0xE3069283  # of RFC 3720's polynomial


@pytest.fixture(params=[1, 2, 4])
def content(request, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "_size", request.param)
    monkeypatch.setattr(checked_reading, "_LEAST", SIZE // 4)
    data = np.random.default_rng(1).bytes(SIZE)
    (tmp_path / "file").write_bytes(bytes(OFFSET) + data + b"more")
    with open(tmp_path / "file", "rb") as file:
        yield data, file


def test_what_is_read(content):
    data, file = content
    found = np.zeros(SIZE, np.uint8)
    assert checked_reading.fill(found, file, OFFSET) == crc32c(data)
    assert found.tobytes() == data
    assert checked_reading.scan(SIZE, file, OFFSET) == crc32c(data)
    assert checked_reading.scan(0, file, OFFSET) == 0


@pytest.mark.parametrize("part", [0.1, 0.6, 0.99])
def test_a_file_that_is_cut_short(content, part):
    _, file = content
    os.truncate(file.name, int(SIZE * part))
    with pytest.raises(ValueError, match="cut short"):
        checked_reading.scan(SIZE, file, OFFSET)


def test_no_threads(content, monkeypatch):
    data, file = content

    def none(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(checked_reading, "start_thread", none)
    assert checked_reading.scan(SIZE, file, OFFSET) == crc32c(data)
