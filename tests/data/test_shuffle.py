"""Shuffled datasets: TensorFlow's own order, and what it costs."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import shuffling
from hybridflow._src.data.memory import RowSource
from hybridflow._src.data.passes import Rows
from hybridflow._src.data.words import Seeds
from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.drawing import DRAW
from tests.data.running import elements, listed
from tests.kernels.building import built
from tests.recorded import dataset_programs

D = hf.data.Dataset
RECORDED = pathlib.Path(dataset_programs.__file__).parent / "datasets.json"
RUNS = {case["id"]: case["runs"] for case in json.loads(RECORDED.read_text())["cases"]}


@pytest.mark.parametrize("program", dataset_programs.PROGRAMS, ids=lambda p: p[0])
def test_orders_are_tensorflows(program):
    name, seed, text = program
    with hf.Graph().as_default(), hf.Session() as session:
        if seed is not None:
            hf.set_random_seed(seed)
        dataset = dataset_programs.build(text, hf, hf.contrib.data)
        iterator = dataset.make_initializable_iterator()
        element = iterator.get_next()
        for expected in RUNS[name]:
            session.run(iterator.initializer)
            assert [session.run(element).tolist() for _ in expected] == expected
            with pytest.raises(hf.errors.OutOfRangeError):
                session.run(element)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 300, 1000, 5000])
@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("most", [1, 7, 128, 4096])
@pytest.mark.parametrize("way", ["python", "kernel"])
def test_rows_come_in_the_order_of_elements(monkeypatch, size, epochs, most, way):
    draw = Alone(DRAW.kernel, worth=1 << 60)
    draw._function = built(DRAW.kernel) if way == "kernel" else None
    monkeypatch.setattr(shuffling, "DRAW", draw)
    source = RowSource(Rows([np.arange(1000)]))
    by_item = shuffling._ItemShuffle(_shuffled(source, size, epochs))
    by_row = shuffling._RowShuffle(_shuffled(source, size, epochs))
    expected = []
    while (item := by_item.next()) is not None:
        expected.append(int(item[0]))
    found: list[int] = []
    while len(numbers := by_row.numbers(most)):
        found += numbers.tolist()
    assert found == expected
    assert sorted(found) == sorted(list(range(1000)) * epochs)


def test_the_kernel_runs_as_python(monkeypatch):
    draw = Alone(DRAW.kernel, worth=1)
    monkeypatch.setattr(shuffling, "DRAW", draw)
    monkeypatch.setattr(draw, "_function", uncompiled.function_of(DRAW.kernel))
    by_row = shuffling._RowShuffle(_shuffled(RowSource(Rows([np.arange(40)])), 7, 2))
    by_item = shuffling._ItemShuffle(_shuffled(RowSource(Rows([np.arange(40)])), 7, 2))
    assert by_row.numbers(99).tolist() == [int(item[0]) for item in by_item.items(99)]


def _shuffled(source, size, epochs):
    return shuffling.Shuffled(source, size, Seeds(3, 4, False), epochs)


def test_without_seeds_each_order_is_another_one():
    make = lambda: D.range(100).shuffle(100).repeat(2)  # noqa: E731
    with hf.Graph().as_default():
        first, second = listed(elements("eager", make)), listed(elements("one_shot", make))
    assert first[:100] != first[100:]
    assert first != second
    assert sorted(first) == sorted(second)


def test_the_same_order_each_time_where_that_is_asked_for():
    make = lambda: D.range(50).shuffle(9, reshuffle_each_iteration=False).repeat(2)  # noqa: E731
    found = listed(elements("eager", make))
    assert found[:50] == found[50:]


def test_batches_of_shuffled_rows():
    x = np.arange(60, dtype=np.float32).reshape(20, 3)
    rows = D.from_tensor_slices
    make = lambda: rows((x, x[:, 0])).shuffle(7, seed=1).repeat(2).batch(8)  # noqa: E731

    def plain() -> hf.data.Dataset:
        items = rows((x, x[:, 0])).map(lambda a, b: (a, b))
        return items.shuffle(7, seed=1).repeat(2).batch(8)

    for (a, b), (c, d) in zip(elements("eager", make), elements("eager", plain), strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
        np.testing.assert_array_equal(a[:, 0], b)


def test_seeds_may_be_fed():
    with hf.Graph().as_default(), hf.Session() as session:
        seed = hf.placeholder(hf.int64, [])
        iterator = D.range(10).shuffle(10, seed).make_initializable_iterator()
        x = iterator.get_next()
        session.run(iterator.initializer, {seed: 3})
        assert [int(session.run(x)) for _ in range(10)] == RUNS["all"][0]
