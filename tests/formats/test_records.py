"""Records: what TensorFlow's readers take, and damage is found."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.formats import records


def test_the_bytes_of_a_record():
    # As tf.python_io.TFRecordWriter of TensorFlow 1.15 writes b"abc".
    assert records.frame(b"abc").hex() == "0300000000000000b099490e6162636e57f121"


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_what_was_written_is_read(items):
    file = io.BytesIO(b"".join(map(records.frame, items)))
    assert list(records.read(file)) == items


def test_damage_is_found():
    good = records.frame(b"first") + records.frame(b"second")
    for position in range(len(good)):
        wrong = bytearray(good)
        wrong[position] ^= 0x10
        with pytest.raises(ValueError, match="record"):
            list(records.read(io.BytesIO(wrong)))
    for size in range(1, len(good)):
        if size != len(records.frame(b"first")):
            with pytest.raises(ValueError, match="truncated record"):
                list(records.read(io.BytesIO(good[:size])))
