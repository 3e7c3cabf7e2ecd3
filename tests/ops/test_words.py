"""Words looked up by a kernel: the same values as by a dictionary, whatever the words are."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import uncompiled, words
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.ops.strings.elementwise import strings
from hybridflow._src.ops.tables.table_state import FixedTable
from tests.kernels.building import built

rng = np.random.default_rng(5)
# Of all lengths around those that are read at once; some differ in their last byte, or in zeros.
KNOWN = sorted(
    {rng.bytes(length) for length in range(30) for _ in range(4)}
    | {b"same beginning, " * times + bytes([last]) for times in range(4) for last in range(5)}
    | {bytes(length) for length in range(20)}
)
OTHERS = [b"\1" * length for length in range(20)] + [word + b"\0" for word in KNOWN[-40:]]


def _find(monkeypatch, way):
    kernel = words.FIND.kernel
    find = Alone(kernel, worth=1 << 60, holds_gil=True)
    find._function = built(kernel) if way == "compiled" else uncompiled.function_of(kernel)
    monkeypatch.setattr(words, "FIND", find)


def _table(values, dtype):
    table = FixedTable("t", hf.string, dtype)
    table.initialize_from(strings(KNOWN, (len(KNOWN),)), values)
    return table


@pytest.mark.parametrize("way", ["compiled", "python"])
@pytest.mark.parametrize("dtype", [hf.int64, hf.float32, hf.string], ids=lambda d: d.name)
def test_values_are_those_of_the_dictionary(monkeypatch, way, dtype):
    numbers = np.arange(len(KNOWN))
    is_text = dtype is hf.string
    values = strings(map(str.encode, map(str, numbers)), numbers.shape) if is_text else numbers
    table = _table(values.astype(dtype.np), dtype)
    default = np.array(b"none" if is_text else -7, dtype.np)
    # Other objects than those that entered.
    asked = [bytes(bytearray(word)) for word in 2 * [*KNOWN, *OTHERS]]
    keys = rng.permutation(np.array(asked, object)).reshape(2, -1)
    expected = table.find(keys, default)
    assert table._laid_out is None
    _find(monkeypatch, way)
    # Rows that do not lie together, too.
    for given, wanted in ((keys, expected), (keys.T, expected.T)):
        found = table.find(given, default)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert found.tolist() == wanted.tolist()
    assert table._laid_out is not None


def test_what_is_no_word_is_left_to_the_dictionary(monkeypatch):
    table = _table(np.arange(len(KNOWN)), hf.int64)
    _find(monkeypatch, "compiled")
    keys = strings(KNOWN, (len(KNOWN),))
    keys[70] = np.bytes_(KNOWN[70])
    assert table.find(keys, np.array(-1)).tolist() == list(range(len(KNOWN)))
    keys[70] = 3.5
    assert table.find(keys, np.array(-1))[70] == -1


def test_without_entries_all_is_default(monkeypatch):
    table = FixedTable("t", hf.string, hf.int64)
    table.initialize([])
    _find(monkeypatch, "compiled")
    keys = strings(KNOWN, (len(KNOWN),))
    assert table.find(keys, np.array(-1)).tolist() == [-1] * len(KNOWN)


@pytest.mark.parametrize("way", ["compiled", "python"])
def test_words_with_the_hash_of_another_are_told_apart(monkeypatch, way):
    _find(monkeypatch, way)
    for size in (1, 7, 8, 9, 16, 19):
        word = b"." * size
        one, asked = strings([word], (1,)), strings([bytes(bytearray(word))], (1,))
        numbers = words.Numbers(one)
        assert numbers.find(asked).tolist() == [0]
        for other in (b"," + word[1:], word[1:] + b",", word[1:], word + b"."):
            # The slot holds the hash of `word`.
            one[0] = other
            assert numbers.find(asked).tolist() == [-1]
