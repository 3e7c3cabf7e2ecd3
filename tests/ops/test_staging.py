"""Elements put by for later: who waits for what, and how much there may be."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.ops.test_queues import InThread, settle

Area = hf.contrib.staging.StagingArea


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_a_step_takes_what_the_one_before_has_put_by(session):
    x = hf.placeholder(hf.int32, [])
    area = Area([hf.int32, hf.string], shapes=[[], []], names=["x", "text"])
    put, got = area.put({"x": x, "text": hf.as_string(x)}), area.get()
    assert got["x"].shape == ()
    assert put.name == "StagingArea_put"
    session.run(put, {x: 0})
    for value in range(1, 4):
        before, _ = session.run([got, put], {x: value})
        assert before == {"x": value - 1, "text": str(value - 1).encode()}
    assert session.run(area.size()) == 1
    session.run(area.clear())
    assert session.run(area.size()) == 0


@pytest.mark.parametrize("bounds", [{"capacity": 2}, {"memory_limit": 25}])
def test_putting_by_waits_for_room(session, bounds):
    """An element has 10 bytes."""
    x = hf.placeholder(hf.uint8, [None])
    area = Area([hf.uint8], **bounds)
    put, (got,) = area.put([x]), area.get()
    rows = np.arange(3, dtype=np.uint8)[:, None].repeat(10, 1)
    for row in rows[:2]:
        session.run(put, {x: row})
    third = InThread(session.run, put, {x: rows[2]})
    settle()
    assert third.is_alive()
    assert session.run(area.size()) == 2
    assert session.run(got).tolist() == rows[0].tolist()
    third.result()
    session.run(area.clear())
    if "memory_limit" in bounds:
        with pytest.raises(hf.errors.ResourceExhaustedError, match=r"'26' bytes .* limit of '25'"):
            session.run(put, {x: np.zeros(26)})
    waits = InThread(session.run, got)
    settle()
    assert waits.is_alive()
    session.run(put, {x: rows[1]})
    assert waits.result().tolist() == rows[1].tolist()


def test_looking_takes_nothing_and_waits(session):
    x, index = hf.placeholder(hf.int32, []), hf.placeholder(hf.int32, [])
    area = Area([hf.int32], shapes=[[]])
    put, (seen,), (got,) = area.put(x), area.peek(index), area.get()
    for value in range(2):
        session.run(put, {x: value})
    assert [session.run(seen, {index: i}) for i in (1, 0, 1)] == [1, 0, 1]
    third = InThread(session.run, seen, {index: 2})
    settle()
    assert third.is_alive()
    session.run(put, {x: 7})
    assert third.result() == 7
    assert [session.run(got) for _ in range(3)] == [0, 1, 7]
    with pytest.raises(hf.errors.InvalidArgumentError, match="no element -1"):
        session.run(seen, {index: -1})


def test_clearing_lets_those_who_wait_for_room_go_on(session):
    x = hf.placeholder(hf.int32, [])
    area = Area([hf.int32], capacity=1)
    put = area.put([x])
    session.run(put, {x: 1})
    second = InThread(session.run, put, {x: 2})
    settle()
    session.run(area.clear())
    second.result()
    assert session.run(area.get()) == [2]


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="shapes must be the same length"):
        Area([hf.int32], shapes=[[], []])
    with pytest.raises(ValueError, match="names must be the same length"):
        Area([hf.int32], names=["a", "b"])
    with pytest.raises(TypeError, match="shared_name"):
        Area([hf.int32], shared_name=3)
    with hf.Graph().as_default(), hf.Session() as session:
        area = Area([hf.int32, hf.float32], shapes=[[2], []])
        with pytest.raises(ValueError, match="2 components"):
            area.put([[1, 2]])
        with pytest.raises(ValueError, match="incompatible"):
            area.put([[1, 2, 3], 1.0])
        with pytest.raises(ValueError, match="must have names"):
            area.put({"x": [1, 2]})
        x = hf.placeholder(hf.int32)
        with pytest.raises(hf.errors.InvalidArgumentError, match="Shape mismatch"):
            session.run(area.put([x, 1.0]), {x: [1, 2, 3]})
        assert session.run(area.size()) == 0
        one, other = (Area([hf.int32], shared_name="one") for _ in range(2))
        session.run(one.put([5]))
        assert session.run(other.get()) == [5]


def test_eagerly():
    with hf.eager_mode():
        area = Area([hf.int32], shapes=[[2]])
        area.put([[1, 2]])
        area.put([[3, 4]])
        assert area.peek(1)[0].numpy().tolist() == [3, 4]
        assert area.get()[0].numpy().tolist() == [1, 2]
        assert int(area.size()) == 1
        area.clear()
        assert int(area.size()) == 0
