"""Snappy's compression undone: what was compressed comes back, and damage is found."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.formats import varints
from hybridflow._src.formats.snappy import decompressed

literals = st.binary(min_size=1, max_size=90)
copies = st.tuples(st.integers(1, 1 << 20), st.integers(1, 64), st.sampled_from([1, 2, 4]))


def compressed(pieces):
    """Pieces (bytes, or how far back, how many, and in how many bytes that stands); their value."""
    found, data = bytearray(), bytearray()
    for piece in pieces:
        if isinstance(piece, bytes):
            length = len(piece) - 1
            data += bytes([length << 2]) if length < 60 else bytes([60 << 2, length])
            data += piece
            found += piece
            continue
        back, length, size = piece
        back = back % len(found) + 1 if found else 0
        if size == 1:
            back, length = min(back, 2047), 4 + length % 8
            data += bytes([1 | (length - 4) << 2 | back >> 8 << 5, back & 0xFF])
        else:
            back = min(back, 65535)
            data += bytes([(2 if size == 2 else 3) | (length - 1) << 2])
            data += back.to_bytes(size, "little")
        for _ in range(length):
            found.append(found[-back])
    return varints.encode(len(found)) + bytes(data), bytes(found)


@given(literals, st.lists(literals | copies, max_size=20))
def test_what_was_compressed(first, more):
    data, value = compressed([first, *more])
    assert decompressed(data) == value
    assert decompressed(memoryview(data)) == value


def test_bytes_of_the_library():
    """As Google's own library compresses them."""
    assert decompressed(bytes.fromhex("640061fe01008a0100")) == b"a" * 100
    assert decompressed(bytes.fromhex("3c08616263e20300")) == b"abc" * 20


@given(literals, st.lists(literals | copies, max_size=5), st.data())
def test_damage_is_an_error_or_other_bytes(first, more, data):
    good = bytearray(compressed([first, *more])[0])
    position = data.draw(st.integers(0, len(good) - 1))
    good[position] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ValueError):
        assert len(decompressed(bytes(good))) <= 22 * len(good)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x05\0", b"\xff\xff\xff\xff\x0f\0a", b"\x04\x05\0", b"\x02\0ab", b"\1\0ab", b"\3\0a"],
)
def test_what_is_cut_short_or_wrong(data):
    with pytest.raises(ValueError, match=r"compressed data|cut short"):
        decompressed(data)
