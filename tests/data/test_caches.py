"""Datasets that remember their elements, in memory and in files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.data.running import elements, listed

D = hf.data.Dataset


def counted(made: list[int]) -> Any:
    def numbers() -> Any:
        for i in range(3):
            made.append(i)
            yield i, np.full([i], b"s")

    return D.from_generator(numbers, (hf.int64, hf.string), ([], [None]))


EXPECTED = [(0, []), (1, [b"s"]), (2, [b"s", b"s"])]


def test_elements_are_made_once():
    made: list[int] = []
    assert listed(elements("eager", lambda: counted(made).cache().repeat(3))) == EXPECTED * 3
    assert made == [0, 1, 2]


def test_shuffled_rows_are_remembered_in_their_order():
    found = listed(elements("eager", lambda: D.range(20).shuffle(20).cache().repeat(2)))
    assert found[:20] == found[20:]
    batches = listed(elements("eager", lambda: D.range(20).shuffle(20).cache().repeat(2).batch(7)))
    flat = [n for batch in batches for n in batch]
    assert flat[:20] == flat[20:]


def test_a_pass_that_was_left_is_made_again():
    made: list[int] = []
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = counted(made).cache().make_initializable_iterator()
        x, _ = iterator.get_next()
        session.run(iterator.initializer)
        session.run(x)
        session.run(iterator.initializer)
        assert [int(session.run(x)) for _ in range(3)] == [0, 1, 2]


def test_files(tmp_path):
    made: list[int] = []
    path = str(tmp_path / "cache")
    assert listed(elements("eager", lambda: counted(made).cache(path))) == EXPECTED
    # The next process finds them.
    assert listed(elements("one_shot", lambda: counted(made).cache(path).repeat(2))) == EXPECTED * 2
    assert made == [0, 1, 2]
    whole = (tmp_path / "cache.elements").read_bytes()
    for position in (5, 20, len(whole) - 2):
        broken = bytearray(whole)
        broken[position] ^= 1
        (tmp_path / "cache.elements").write_bytes(broken)
        with pytest.raises(hf.errors.DataLossError, match="cache"):
            elements("eager", lambda: counted(made).cache(path))


def test_what_tensorflow_has_cached_is_left_alone(tmp_path):
    for name in ("cache.index", "cache.data-00000-of-00001"):
        (tmp_path / name).write_bytes(b"a checkpoint")
    path = str(tmp_path / "cache")
    for _ in range(2):
        assert listed(elements("eager", lambda: counted([]).cache(path))) == EXPECTED
    assert (tmp_path / "cache.index").read_bytes() == b"a checkpoint"


def test_two_cannot_write_one_file(tmp_path):
    path = str(tmp_path / "cache")
    with hf.eager_mode():
        first = iter(counted([]).cache(path))
        next(first)
        with pytest.raises(hf.errors.AlreadyExistsError, match="lockfile"):
            next(iter(counted([]).cache(path)))
        assert len(list(first)) == 2
        assert len(list(counted([]).cache(path))) == 3
    with pytest.raises(hf.errors.NotFoundError):
        elements("eager", lambda: counted([]).cache(str(tmp_path / "no" / "folder")))
