"""Objects of a program's own classes, fetched from a session and fed to it."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.runtime import conversions
from hybridflow._src.runtime.conversions import register_session_run_conversion_functions


class Pair:
    """Two tensors."""

    def __init__(self, first, second):
        self.first, self.second = first, second


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(conversions, "_conversions", [])
    register_session_run_conversion_functions(
        Pair,
        lambda pair: ([pair.first, pair.second], tuple),
        lambda pair, value: [(pair.first, value[0]), (pair.second, value[1])],
        lambda pair: [pair.first, pair.second],
    )


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_fetched_in_any_structure(session):
    pair = Pair(hf.constant(1.0), hf.constant([2, 3]))
    for _ in range(3):  # the third time by a native plan
        first, second = session.run(pair)
        found = session.run({"a": [pair, hf.no_op()], "b": pair.first})
        assert first == 1.0
        assert second.tolist() == [2, 3]
        assert found["a"][0][1].tolist() == [2, 3]
        assert found["a"][1] is None


def test_fed(session):
    pair = Pair(hf.placeholder(hf.float32, []), hf.placeholder(hf.float32, [2]))
    total = pair.first + pair.second
    for i in range(4):
        found = session.run([total, pair], {pair: (i, [1.0, 2.0])})
        assert found[0].tolist() == [i + 1.0, i + 2.0]
        assert found[1][0] == i
    call = session.make_callable(total, [pair])
    for i in range(3):
        assert call((i, [1.0, 2.0])).tolist() == [i + 1.0, i + 2.0]
    handle = session.partial_run_setup([total], [pair])
    assert session.partial_run(handle, total, {pair: (1.0, [1.0, 1.0])}).tolist() == [2.0, 2.0]


def test_one_tensor_in_its_place(session):
    """Values are taken from where `feed_function` put them, each time."""

    class Doubled:
        def __init__(self, tensor):
            self.tensor = tensor

    register_session_run_conversion_functions(
        Doubled,
        lambda item: ([item.tensor], lambda values: values[0] * 10),
        lambda item, value: [(item.tensor, np.float32(value) * 2)],
        lambda item: [item.tensor],
    )
    x = hf.placeholder(hf.float32, [])
    y, key = x + 1.0, Doubled(x)
    assert [session.run(y, {key: i}) for i in range(4)] == [1.0, 3.0, 5.0, 7.0]
    call = session.make_callable(y, [key])
    assert [call(i) for i in range(4)] == [1.0, 3.0, 5.0, 7.0]
    assert session.run(Doubled(y), {x: 1.0}) == 20.0


def test_registered_once():
    class Derived(Pair):
        pass

    with pytest.raises(ValueError, match="already been registered"):
        register_session_run_conversion_functions(Pair, lambda pair: ([], tuple))
    register_session_run_conversion_functions(Derived, lambda pair: ([], lambda values: "derived"))
    with hf.Graph().as_default(), hf.Session() as session:
        one = hf.constant(1.0)
        assert session.run([Derived(one, one), one]) == ["derived", 1.0]


def test_a_key_without_a_way_to_feed_it(session):
    class Fetched:
        pass

    register_session_run_conversion_functions(Fetched, lambda item: ([], list))
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
        session.run(hf.constant(1.0), {Fetched(): 1.0})
