"""Floating-point status, storage, seeds, the user's line, IndexedSlices."""

from __future__ import annotations

import sys
import threading
import warnings

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import fp, seeds, traceback
from hybridflow._src.framework.alignment import aligned_empty
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.storage import Storage

# -- floating-point status -------------------------------------------------------------------------

WAYS = {"direct": fp._direct(fp._variable), "public": fp._public()} if fp._variable else {
    "public": fp._public()
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_silence_ends_with_restore(way):
    state, silence, restore = WAYS[way]
    zero = np.zeros(1)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        before = state()
        silence()
        assert np.isinf(1 / zero)[0]
        inner = state()
        silence()
        restore(inner)
        assert np.isnan(zero / zero)[0]
        restore(before)
        with pytest.raises(FloatingPointError):
            1 / zero
    assert np.geterr()["divide"] == "warn"


@pytest.mark.parametrize("way", WAYS)
def test_silence_is_of_the_thread(way):
    state, silence, restore = WAYS[way]
    before = state()
    silence()
    seen = []
    thread = threading.Thread(target=lambda: seen.append(np.geterr()["divide"]))
    thread.start()
    thread.join()
    restore(before)
    assert seen == ["warn"]


# -- storage ---------------------------------------------------------------------------------------


def test_storage():
    storage = Storage("v")
    with pytest.raises(
        hf.errors.FailedPreconditionError,
        match=r"uninitialized value v: variable 'v' was read before.*global_variables_initializer",
    ):
        storage.read()
    first = storage.write(np.ones(2))
    assert storage.read() is first
    second = storage.update(np.add, 1)
    assert storage.read() is second
    assert (first.tolist(), second.tolist()) == ([1, 1], [2, 2])
    assert repr(storage) == "<Storage of 'v'>"


def test_a_failed_update_leaves_the_value():
    storage = Storage("v", np.ones(2))

    def fail(value):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        storage.update(fail)
    assert storage.read().tolist() == [1, 1]
    # The lock is free again.
    thread = threading.Thread(target=storage.write, args=(np.zeros(2),))
    thread.start()
    thread.join(5)
    assert storage.read().tolist() == [0, 0]


def test_updates_from_many_threads_are_all_there():
    storage = Storage("v", np.zeros(()))

    def work():
        for _ in range(500):
            storage.update(lambda value: value + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.read() == 2000


# -- seeds -----------------------------------------------------------------------------------------


def test_seeds_as_tensorflow_combines_them():
    with hf.Graph().as_default():
        assert seeds.get_seed(None) == (None, None)
        assert seeds.get_seed(5) == (87654321, 5)
        hf.set_random_seed(7)
        assert seeds.get_seed(5) == (7, 5)
        assert [seeds.get_seed(None) for _ in range(3)] == [(7, 0), (7, 1), (7, 2)]
        hf.set_random_seed(8)
        assert seeds.get_seed(None) == (8, 3)
    with hf.Graph().as_default():
        hf.set_random_seed(0)
        assert seeds.get_seed(0) == (0, 2**31 - 1)
        assert seeds.get_seed(None) == (0, 2**31 - 1)
        assert seeds.get_seed(None) == (0, 1)


def test_both_modes_count_alike_and_apart():
    with hf.Graph().as_default():
        hf.set_random_seed(1)
        in_graph = [seeds.get_seed(None) for _ in range(2)]
        with hf.eager_mode():
            hf.set_random_seed(1)
            eagerly = [seeds.get_seed(None) for _ in range(2)]
        assert seeds.get_seed(None) == (1, 2)
    assert in_graph == eagerly == [(1, 0), (1, 1)]


# -- the user's line -------------------------------------------------------------------------------


def test_frames_are_resolved_when_they_are_shown():
    def inner():
        return traceback.capture(0)  # the line

    raw = inner()
    frames = traceback.resolve(raw)
    assert frames[0].filename == __file__
    assert (frames[0].name, frames[0].line) == ("inner", "return traceback.capture(0)  # the line")
    assert frames[1].name == "test_frames_are_resolved_when_they_are_shown"
    assert frames[1].lineno > frames[0].lineno
    assert len(frames) <= 5
    assert traceback.resolve(()) == []


def test_deep_programs_keep_the_innermost_lines():
    def down(depth):
        return down(depth - 1) if depth else traceback.capture(0)

    frames = traceback.resolve(down(50))
    assert len(frames) == 5
    assert {frame.name for frame in frames} == {"down"}


# -- IndexedSlices ---------------------------------------------------------------------------------


def test_indexed_slices():
    with hf.Graph().as_default() as g, hf.Session() as sess:
        values = hf.constant([[1.0], [2.0], [4.0]], name="v")
        slices = hf.IndexedSlices(values, hf.constant([0, 2, 0]), hf.constant([3, 1]))
        assert (slices.values, slices.name, slices.op) == (values, "v:0", values.op)
        assert (slices.graph, slices.dtype, slices.device) == (g, hf.float32, "")
        dense = hf.convert_to_tensor(slices)
        assert sess.run(dense).tolist() == [[5], [0], [2]]
        assert sess.run(-slices).values.tolist() == [[-1], [-2], [-4]]
        assert hf.convert_to_tensor_or_indexed_slices(slices) is slices
        with pytest.raises(
            ValueError, match="requested dtype int32 for IndexedSlices with dtype fl"
        ):
            hf.convert_to_tensor(slices, hf.int32)
        bare = hf.IndexedSlices(values, slices.indices)
        assert bare.dense_shape is None
        with pytest.raises(ValueError, match="IndexedSlices without dense_shape"):
            hf.convert_to_tensor(bare)
        assert "IndexedSlices(indices=" in repr(slices)


def test_memory_that_a_variable_owns_begins_where_vectors_do():
    for size in (3, 1 << 12, (1 << 12) + 5):
        storage = Storage("v", np.arange(size, dtype=np.float32)[::-1])
        own = storage.own()
        assert own is storage.own()
        assert own.flags.carray
        assert size < 1 << 12 or own.ctypes.data % 64 == 0
        np.testing.assert_array_equal(own, np.arange(size)[::-1])


@pytest.mark.parametrize("size", [3, 1 << 12])
def test_a_variable_has_memory_back_that_nobody_looks_at(size):
    storage = Storage("v", np.zeros(size, np.float32))
    first = storage.own().ctypes.data

    def written(number):
        """Where a value is that is written in place, and where it would be without looking."""
        own = storage.own()
        own[...] = number
        return own.ctypes.data

    for number in range(3):
        storage.read()  # and let go
        assert written(number) == first
    seen = storage.read()
    view = memoryview(seen[1:])
    del seen
    assert written(7.0) != first
    np.testing.assert_array_equal(view, np.full(size - 1, 2, np.float32))
    np.testing.assert_array_equal(storage.read(), np.full(size, 7, np.float32))
    given = np.ones(size, np.float32)
    storage.write(given)
    assert written(2.0) not in (first, given.ctypes.data)
    assert (given == 1).all()


def test_readers_see_whole_values_while_memory_is_taken_back():
    storage = Storage("v", np.zeros(1 << 14, np.float32))
    errors, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            value = storage.read()
            first = value[0]
            if not (value == first).all() or value[0] != first:
                errors.append(value.copy())

    def write(number):
        own = storage.own()
        for part in np.array_split(own, 8):
            part += 1

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        holding(storage.lock, write, number)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert (storage.read() == 2000).all()


def test_views_hold_the_array_that_they_are_of():
    for size in (3, 1 << 12):
        array = aligned_empty((size,), np.dtype(np.float32))
        before = sys.getrefcount(array)
        views = [array[1:], array.reshape(1, -1), np.asarray(array).view(np.int32), array[1:][:1]]
        assert sys.getrefcount(array) == before + len(views)
