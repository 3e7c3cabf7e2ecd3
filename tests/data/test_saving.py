"""Where iterators stand, saved and restored: what comes next is the same."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.data import saving
from hybridflow._src.data.state import packed, unpacked
from tests.data import test_sparse
from tests.data.test_datasets import CASES

D = hf.data.Dataset


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_comes_after_a_checkpoint_comes_again(name):
    make, _ = CASES[name]
    _goes_on(make, 1)


@pytest.mark.parametrize("name", test_sparse.CASES)
def test_sparse_elements_come_again(name):
    _goes_on(test_sparse.CASES[name][0], 1)


@pytest.mark.parametrize("after", [0, 1, 5, 30, 80])
@pytest.mark.parametrize("size", [3, 40, 1000])
@pytest.mark.parametrize("mapped", [False, True])
def test_shuffled_elements_go_on(after, size, mapped):
    def make() -> Any:
        data = D.range(40)
        data = data.map(lambda x: x) if mapped else data
        return data.shuffle(size).repeat(2).prefetch(3).batch(3)

    _goes_on(make, after // 3)
    _goes_on(lambda: make().apply(hf.contrib.data.unbatch()), after)
    _goes_on(lambda: D.range(40).apply(hf.contrib.data.shuffle_and_repeat(size, 2)), after)


@pytest.mark.parametrize("after", [0, 1, 4, 11, 17])
def test_interleaved_elements_go_on(after):
    def make(**kwargs: Any) -> Any:
        inner = lambda x: D.range(x).map(lambda y: 10 * x + y).repeat(2)  # noqa: E731
        interleave = hf.contrib.data.parallel_interleave(inner, 3, 2, **kwargs)
        return D.range(1, 5).apply(interleave)

    _goes_on(make, after)
    _goes_on(lambda: make(buffer_output_elements=1, prefetch_input_elements=0), after)
    _goes_on(lambda: make().prefetch(2).batch(2), after // 2)


def _goes_on(make: Any, after: int) -> None:
    """Saves an iterator after so many elements, and holds what follows against what does again."""
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = make().make_initializable_iterator()
        element = iterator.get_next()
        serialized = saving.serialize_iterator(iterator._iterator_resource)
        given = hf.placeholder(hf.string, [])
        restore = saving.deserialize_iterator(iterator._iterator_resource, given)
        session.run(iterator.initializer)
        _rest(session, element, after)
        state = session.run(serialized)
        rest = _rest(session, element)
        session.run(restore, {given: state})
        assert _rest(session, element) == rest


def _rest(session: Any, element: Any, most: int = 1000) -> list[str]:
    """What an iterator gives until it ends or fails, as text."""
    found = []
    with contextlib.suppress(hf.errors.OutOfRangeError, hf.errors.InvalidArgumentError):
        while len(found) < most:
            found.append(repr(session.run(element)))
    return found


def test_iterators_are_saved_with_variables(tmp_path):
    def build() -> Any:
        iterator = D.range(9).shuffle(4).make_initializable_iterator()
        saveable = hf.contrib.data.make_saveable_from_iterator(iterator)
        hf.add_to_collection(hf.GraphKeys.SAVEABLE_OBJECTS, saveable)
        v = hf.get_variable("v", initializer=np.int64(3))
        return iterator, iterator.get_next(), v, hf.train.Saver()

    with hf.Graph().as_default(), hf.Session() as session:
        iterator, x, v, saver = build()
        session.run([iterator.initializer, v.initializer])
        for _ in range(4):
            session.run(x)
        path = saver.save(session, os.path.join(tmp_path, "model"))
        rest = [int(session.run(x)) for _ in range(5)]
    with hf.Graph().as_default(), hf.Session() as session:
        iterator, x, v, saver = build()
        saver.restore(session, path)  # which initializes the iterator too
        assert [int(session.run(x)) for _ in range(5)] == rest
        assert session.run(v) == 3


def test_a_state_of_another_dataset_is_refused():
    with hf.Graph().as_default(), hf.Session() as session:
        one = D.range(9).shuffle(4).make_one_shot_iterator()
        other = D.range(9).batch(2).repeat(2).make_one_shot_iterator()
        state = session.run(saving.serialize_iterator(one._iterator_resource))
        given = hf.placeholder(hf.string, [])
        restore = saving.deserialize_iterator(other._iterator_resource, given)
        with pytest.raises(hf.errors.InvalidArgumentError, match="made in another way"):
            session.run(restore, {given: state})
        with pytest.raises(hf.errors.DataLossError, match="state"):
            session.run(restore, {given: b"nothing"})
        generated = D.from_generator(lambda: iter([1]), hf.int64).make_one_shot_iterator()
        with pytest.raises(hf.errors.UnimplementedError, match="cannot be saved"):
            session.run(saving.serialize_iterator(generated._iterator_resource))
        iterator = D.range(3).make_initializable_iterator()
        with pytest.raises(hf.errors.FailedPreconditionError):
            session.run(saving.serialize_iterator(iterator._iterator_resource))


STATES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(STATES)
def test_states_are_bytes_and_back(state):
    assert unpacked(packed(state)) == state


def test_arrays_in_states():
    arrays = [np.arange(3), np.zeros([0, 2], np.float32), np.array(b"x", object), np.float16(1.5)]
    for array, found in zip(arrays, unpacked(packed(arrays)), strict=True):
        np.testing.assert_array_equal(array, found)
        assert found.dtype == array.dtype
    with pytest.raises(TypeError):
        packed(object())


@given(st.data())
def test_damaged_states_raise(data):
    whole = bytearray(packed({"a": [1, np.arange(5)], "b": b"xyz"}))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        unpacked(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
