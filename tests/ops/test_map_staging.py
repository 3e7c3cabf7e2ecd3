"""Elements put by under keys: whole ones and parts, and who waits for which."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.ops.test_queues import InThread, settle

Area = hf.contrib.staging.MapStagingArea


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


@pytest.mark.parametrize("ordered", [False, True])
def test_elements_are_found_by_their_keys(session, ordered):
    key, x = hf.placeholder(hf.int64, []), hf.placeholder(hf.float32, [])
    area = Area([hf.float32, hf.string], [[], []], names=["x", "text"], ordered=ordered)
    put = area.put(key, {"x": x, "text": hf.as_string(key)})
    for number in (5, 3, 9):
        session.run(put, {key: number, x: number / 2})
    seen = area.peek(key)
    assert seen["x"].shape == ()
    assert session.run(seen, {key: 9}) == {"x": 4.5, "text": b"9"}
    assert session.run(area.get(9)[1]) == {"x": 4.5, "text": b"9"}
    assert session.run(area.size()) == 2
    found = [session.run(area.get()) for _ in range(2)]
    assert [int(k) for k, _ in found] == ([3, 5] if ordered else [5, 3])
    session.run(put, {key: 1, x: 0})
    session.run(area.clear())
    assert session.run([area.size(), area.incomplete_size()]) == [0, 0]


def test_parts_come_and_go_apart(session):
    area = Area([hf.int32, hf.int32, hf.int32], names=["a", "b", "c"])
    sizes = area.size(), area.incomplete_size()
    session.run(area.put(1, {"a": 1, "c": 3}))
    assert session.run(sizes) == (0, 1)
    with pytest.raises(hf.errors.InvalidArgumentError, match="already initialized"):
        session.run(area.put(1, {"a": 1}))
    waiting = InThread(session.run, area.get(1, ["b"])[1])
    settle()
    assert waiting.is_alive()
    session.run(area.put(1, {"b": 2}))
    assert waiting.result() == {"b": 2}
    assert session.run(sizes) == (1, 0)
    with pytest.raises(hf.errors.InvalidArgumentError, match="already initialized"):
        session.run(area.put(1, {"b": 2}))
    for again in (area.peek(1), area.get(1, [1])[1], area.get(None, ["b"])):
        with pytest.raises(hf.errors.InvalidArgumentError, match="already been removed"):
            session.run(again)
    assert session.run(area.get(1, [0, 2])[1]) == {"a": 1, "c": 3}
    assert session.run(sizes) == (0, 0)


def test_who_waits_for_one_key_is_in_nobodys_way(session):
    key = hf.placeholder(hf.int64, [])
    area = Area([hf.int64])
    put, (got,) = area.put(key, [key], [0]), area.get(key)[1]
    first = InThread(session.run, got, {key: 1})
    settle()
    second = InThread(session.run, got, {key: 2})
    settle()
    session.run(put, {key: 2})
    assert second.result() == 2
    assert first.is_alive()
    session.run(put, {key: 1})
    assert first.result() == 1


@pytest.mark.parametrize("bounds", [{"capacity": 2}, {"memory_limit": 25}])
def test_putting_by_waits_for_room(session, bounds):
    key, x = hf.placeholder(hf.int64, []), hf.placeholder(hf.uint8, [None])
    area = Area([hf.uint8], **bounds)
    put, (got,) = area.put(key, [x], [0]), area.get(key)[1]
    for number in range(2):
        session.run(put, {key: number, x: np.full(10, number)})
    third = InThread(session.run, put, {key: 2, x: np.full(10, 2)})
    settle()
    assert third.is_alive()
    assert session.run(got, {key: 1}).tolist() == [1] * 10
    third.result()
    assert session.run(got, {key: 2}).tolist() == [2] * 10
    if "memory_limit" in bounds:
        with pytest.raises(hf.errors.ResourceExhaustedError, match=r"'26' bytes .* limit of '25'"):
            session.run(put, {key: 4, x: np.zeros(26)})


def test_what_is_refused(session):
    area, named = Area([hf.int32, hf.int32], [[], []]), Area([hf.int32], names=["a"])
    for call, why in (
        (lambda: area.put(1, {"a": 1}), "must have names"),
        (lambda: area.put(1, [1]), "Indices must be supplied"),
        (lambda: area.put(1, [1], [0, 1]), "doesn't match"),
        (lambda: area.put(1, [[1]], [0]), "incompatible|not compatible"),
        (lambda: named.put(1, [1], [0]), "must enqueue a dictionary"),
        (lambda: named.put(1, {"b": 1}), "do not match names"),
        (lambda: area.get(1, ["a"]), "not created with names"),
        (lambda: named.get(1, ["b"]), "'b' not in"),
        (lambda: area.get(1, []), "Empty"),
        (lambda: area.get(1, [2]), "none of the 2 components"),
    ):
        with pytest.raises(ValueError, match=why):
            call()
    for indices in (0, [0, "a"]):
        with pytest.raises(TypeError):
            area.get(1, indices)
    with pytest.raises(hf.errors.InvalidArgumentError, match="strictly ordered"):
        session.run(area.put(1, [1, 2], [1, 0]))
    x = hf.placeholder(hf.int32)
    with pytest.raises(hf.errors.InvalidArgumentError, match="Shape mismatch"):
        session.run(area.put(1, [x], [0]), {x: [1]})


def test_areas_that_share_a_name(session):
    areas = [Area([hf.int32], shared_name="a") for _ in range(2)]
    session.run(areas[0].put(1, [7], [0]))
    assert session.run(areas[1].get(1)[1]) == [7]
    with pytest.raises(hf.errors.InvalidArgumentError, match="order"):
        session.run(Area([hf.int32], shared_name="a", ordered=True).size())


def test_an_area_of_eager_mode():
    with hf.eager_mode():
        area = Area([hf.int32], ordered=True)
        for key in (2, 1):
            area.put(key, [10 * key], [0])
        key, (value,) = area.get()
        assert (int(key), int(value), int(area.size())) == (1, 10, 1)
