"""Barriers: elements whose components come one by one."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.ops.data_flow import barrier_state
from tests.ops.test_queues import InThread, settle

Barrier = hf.contrib.framework.Barrier
FIRST = -(2**63)


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_whole_elements_come_in_the_order_in_which_they_were_begun(session):
    barrier = Barrier([hf.string, hf.int32], shapes=[[], [2]])
    session.run(barrier.insert_many(0, ["k1", "k2"], ["a", "b"]))
    session.run(barrier.insert_many(1, ["k1"], [[1, 1]]))
    session.run(barrier.insert_many(0, ["k3"], ["c"]))
    session.run(barrier.insert_many(1, ["k3"], [[3, 3]]))
    sizes = barrier.ready_size(), barrier.incomplete_size()
    assert session.run(sizes) == (2, 1)
    session.run(barrier.insert_many(1, ["k2"], [[2, 2]]))
    assert session.run(sizes) == (3, 0)
    taken = barrier.take_many(3)
    assert [t.shape.as_list() for t in (taken.keys, *taken.values)] == [[3], [3], [3, 2]]
    indices, keys, (texts, numbers) = session.run(taken)
    assert indices.tolist() == [FIRST, FIRST, FIRST + 1]
    assert keys.tolist() == [b"k1", b"k2", b"k3"]
    assert texts.tolist() == [b"a", b"b", b"c"]
    assert numbers.tolist() == [[1, 1], [2, 2], [3, 3]]


def test_a_failed_insertion_leaves_all_as_it_was(session):
    barrier = Barrier([hf.int32, hf.float32], shapes=[[], []])
    session.run(barrier.insert_many(0, ["a"], [1]))
    sizes = barrier.ready_size(), barrier.incomplete_size()
    for wrong in (
        barrier.insert_many(0, ["b", "a"], [2, 1]),
        barrier.insert_many(0, ["b", "b"], [2, 2]),
    ):
        with pytest.raises(hf.errors.InvalidArgumentError, match="already has a value"):
            session.run(wrong)
    for wrong, why in (
        (barrier.insert_many(2, ["b"], [1]), "out of range 2"),
        (barrier.insert_many(0, ["b", "c"], [1]), "shapes"),
        (barrier.insert_many(0, ["b"], [[1]]), "Shape mismatch"),
        (barrier.insert_many(0, ["b"], np.zeros([1, 0], np.int32)), "no elements"),
        (barrier.take_many(hf.placeholder_with_default(-1, []))[0], "-1 < 0"),
        (barrier.take_many(1, timeout=5)[0], "timeout_in_ms"),
    ):
        with pytest.raises(hf.errors.InvalidArgumentError, match=why):
            session.run(wrong)
    assert session.run(sizes) == (0, 1)
    session.run(barrier.insert_many(1, ["a"], [0.5]))
    assert session.run(barrier.take_many(1)[0]).tolist() == [FIRST]


def test_who_waits_gets_what_other_threads_complete(session):
    barrier = Barrier([hf.int32, hf.int32], shapes=[[], []])
    key, value = hf.placeholder(hf.string, [None]), hf.placeholder(hf.int32, [None])
    first, second = (barrier.insert_many(i, key, value) for i in range(2))
    take = barrier.take_many(8)
    waiting = [InThread(session.run, take) for _ in range(4)]
    names = [[f"{i}:{j}" for j in range(8)] for i in range(4)]
    for insert in (first, second):
        adding = [
            InThread(session.run, insert, {key: row, value: np.arange(8) + 8 * i})
            for i, row in enumerate(names)
        ]
        for thread in adding:
            thread.result()
    found = [thread.result() for thread in waiting]
    assert sorted(k.decode() for f in found for k in f.keys) == sorted(
        n for row in names for n in row
    )
    for one in found:
        expected = [8 * int(k.split(b":")[0]) + int(k.split(b":")[1]) for k in one.keys]
        assert one.values[0].tolist() == one.values[1].tolist() == expected
        assert len(set(one.indices.tolist())) == 1


def test_a_closed_barrier_completes_what_was_begun(session):
    barrier = Barrier([hf.int32, hf.int32], shapes=[[], []])
    rest = barrier.insert_many(1, ["a", "b"], [3, 4])
    session.run(barrier.insert_many(0, ["a", "b", "c"], [1, 2, 3]))
    waiting = InThread(session.run, barrier.take_many(2).keys)
    too_many = InThread(session.run, barrier.take_many(4).keys)
    settle()
    session.run(barrier.close())
    with pytest.raises(hf.errors.CancelledError, match="already closed"):
        session.run(barrier.close())
    with pytest.raises(hf.errors.CancelledError, match="brand new key: d"):
        session.run(barrier.insert_many(0, ["d"], [1]))
    session.run(rest)
    assert waiting.result().tolist() == [b"a", b"b"]
    with pytest.raises(hf.errors.OutOfRangeError, match=r"requested 4, total size 1"):
        too_many.result()
    small = barrier.take_many(9, allow_small_batch=True)
    assert small.keys.shape.as_list() == [None]
    with pytest.raises(hf.errors.OutOfRangeError):
        session.run(small)
    session.run(barrier.insert_many(1, ["c"], [5]))
    assert session.run(small.values[1]).tolist() == [5]


def test_closing_at_once_drops_what_was_begun(session):
    barrier = Barrier([hf.int32, hf.int32], shapes=[[], []])
    session.run(barrier.insert_many(0, ["a", "b"], [1, 2]))
    session.run(barrier.insert_many(1, ["a"], [1]))
    session.run(barrier.close())
    session.run(barrier.close(cancel_pending_enqueues=True))
    assert session.run(barrier.incomplete_size()) == 0
    with pytest.raises(hf.errors.CancelledError, match="cancelled: True"):
        session.run(barrier.insert_many(1, ["b"], [1]))
    with pytest.raises(hf.errors.OutOfRangeError, match="requested 2, total size 1"):
        session.run(barrier.take_many(2))
    assert session.run(barrier.take_many(1).keys).tolist() == [b"a"]


def test_shapes_that_are_not_known_agree_where_elements_are_taken(session):
    barrier = Barrier(hf.float32)
    session.run(barrier.insert_many(0, ["a"], [[1.0]]))
    session.run(barrier.insert_many(0, ["b"], [[1.0, 2.0]]))
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"\[1\] and \[2\]"):
        session.run(barrier.take_many(2).values)
    assert session.run(barrier.take_many(1).values[0]).tolist() == [[1.0]]
    assert session.run(barrier.take_many(0).values[0]).shape == (0,)


def test_barriers_that_share_a_name(session):
    barriers = [Barrier(hf.int32, shapes=[], shared_name="b", name=n) for n in "xy"]
    session.run(barriers[0].insert_many(0, ["a"], [7]))
    assert session.run(barriers[1].take_many(1).values[0]).tolist() == [7]
    for other, why in (
        (Barrier(hf.float32, shapes=[], shared_name="b"), "component types"),
        (Barrier(hf.int32, shapes=[2], shared_name="b"), "component shapes"),
    ):
        with pytest.raises(hf.errors.InvalidArgumentError, match=why):
            session.run(other.ready_size())
    with pytest.raises(ValueError, match="Empty tensors"):
        Barrier(hf.float32, shapes=[[0]])
    with pytest.raises(ValueError, match="as many as types"):
        Barrier([hf.float32, hf.int32], shapes=[[1]])


def test_an_interrupted_insertion_is_completed():
    """Whatever has been done of it is not done again."""
    for stop in range(1, 5):
        barrier = barrier_state.Barrier("b", [hf.int32], [()])
        insertion = barrier._insertion(0, [(b"k", np.array(1, np.int32))])
        steps = [
            lambda b=barrier, i=insertion: b._begun.update(i.changed),
            lambda b=barrier: b._begun.pop(b"k", None),
            lambda b=barrier, i=insertion: b.put(i.entries, len(i.entries)),
        ]
        for step in steps[:stop]:
            step()
        barrier._commit(insertion)
        barrier._commit(insertion)
        assert (barrier.size(), barrier.incomplete_size()) == (1, 0)
        assert barrier.take_many(1, False).wait()[0].tolist() == [FIRST]
