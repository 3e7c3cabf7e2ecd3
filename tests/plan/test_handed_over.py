"""Values handed to a caller as its own: who else has one is told by counting references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import passes
from hybridflow._src.plan.values import handed_over


def _fresh() -> np.ndarray:
    return np.arange(6.0)


def test_what_nobody_else_has_is_not_copied():
    values = [_fresh(), _fresh().astype(np.float32)]
    places = [value.ctypes.data for value in values]
    found = handed_over(values)
    assert [value.ctypes.data for value in found] == places


def test_what_somebody_else_has_is_copied():
    kept = _fresh()
    held = {"by": [_fresh()]}
    twice = _fresh()
    found = handed_over([kept, held["by"][0], twice, twice])
    for value, other in zip(found, [kept, held["by"][0], twice, twice], strict=True):
        assert not np.shares_memory(value, other)
        assert value.tolist() == other.tolist()
    assert not np.shares_memory(found[2], found[3])


def test_what_is_part_of_another_array_or_may_not_be_written_to_is_copied():
    base, fixed = np.arange(12.0), _fresh()
    fixed.flags.writeable = False
    place = fixed.ctypes.data
    values = [base[:6], fixed]
    del fixed
    found = handed_over(values)
    assert not np.shares_memory(found[0], base)
    assert found[1].ctypes.data != place
    for value in found:
        value[0] = 7  # the caller's own


def test_scalars_are_numpys():
    found = handed_over([np.array(3.0), np.float32(2), b"text", None])
    assert [type(value) for value in found] == [np.float64, np.float32, bytes, type(None)]


@pytest.mark.parametrize("is_kept", [False, True])
def test_an_element_of_a_dataset_is_copied_where_it_is_kept(monkeypatch, is_kept):
    """Rows that a dataset has taken belong to who runs it; those that `cache` keeps do not."""
    made: list[int] = []
    taken = passes._taken

    def noting(*args: Any) -> Any:
        found = taken(*args)
        made.append(found.ctypes.data)
        return found

    monkeypatch.setattr(passes, "_taken", noting)
    with hf.Graph().as_default(), hf.Session() as session:
        x = np.arange(60.0).reshape(20, 3)
        data = hf.data.Dataset.from_tensor_slices(x).shuffle(20, seed=1).batch(5)
        data = data.cache().repeat(2) if is_kept else data
        element = data.make_one_shot_iterator().get_next()
        found = [session.run(element) for _ in range(4)]
        assert [batch.ctypes.data == place for batch, place in zip(found, made, strict=True)] == [
            not is_kept
        ] * 4
        before = [batch.tolist() for batch in found]
        for batch in found:
            batch[:] = -1.0
        if is_kept:
            assert [session.run(element).tolist() for _ in range(4)] == before
