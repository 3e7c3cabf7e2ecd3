"""What ops share by name: the same object, if it is what each asks for."""

from __future__ import annotations

import pytest

import hybridflow as hf

lookup = hf.contrib.lookup


def _queue(capacity=3, kind=hf.int32, dims=()):
    return hf.FIFOQueue(capacity, [kind], [dims], shared_name="x").size()


def _shuffled(least=1, seed=None):
    return hf.RandomShuffleQueue(3, least, [hf.int32], [()], seed=seed, shared_name="x").size()


def _table(kind=hf.int64):
    entries = lookup.KeyValueTensorInitializer(["a"], [1], value_dtype=kind)
    table = lookup.HashTable(entries, -1, shared_name="x")
    with hf.control_dependencies([table.init]):
        return table.size()


def _mutable():
    return lookup.MutableHashTable(hf.string, hf.int64, -1, shared_name="x").size()


def _sum(kind=hf.float32, dims=()):
    return hf.ConditionalAccumulator(kind, dims, shared_name="x").num_accumulated()


def _area(limit=0):
    area = hf.contrib.staging.StagingArea([hf.int32], shared_name="x", memory_limit=limit)
    return area.size()


def _map_area(ordered=False):
    area = hf.contrib.staging.MapStagingArea([hf.int32], shared_name="x", ordered=ordered)
    return area.size()


def _barrier(kind=hf.int32):
    return hf.contrib.framework.Barrier(kind, shapes=[], shared_name="x").ready_size()


def _reader(make=hf.TextLineReader):
    return make(name="x").num_records_produced()


OTHERS = {
    "capacity": (
        _queue,
        lambda: _queue(4),
        "queue 'x' has capacity 3 but requested capacity was 4",
    ),
    "types": (
        _queue,
        lambda: _queue(3, hf.float32),
        r"component types \[int32\] but .*\[float32\]",
    ),
    "shapes": (_queue, lambda: _queue(dims=[2]), r"component shapes \[\[\]\] but .* \[\[2\]\]"),
    "kind": (_queue, _shuffled, "has type FIFOQueue but requested type was RandomShuffleQueue"),
    "least": (_shuffled, lambda: _shuffled(2), "has min_after_dequeue 1"),
    "seeds": (_shuffled, lambda: _shuffled(1, 5), r"has random seeds None"),
    "table": (_table, _mutable, "table 'x' has kind HashTable"),
    "values": (_table, lambda: _table(hf.int32), "has value dtype int64"),
    "sum": (_sum, lambda: _sum(hf.float64), "accumulator 'x' has dtype float32"),
    "dims": (_sum, lambda: _sum(dims=[2]), r"has shape \[\] but requested shape was \[2\]"),
    "area": (_area, lambda: _area(9), "staging area 'x' has memory limit 0"),
    "order": (_map_area, lambda: _map_area(True), "map staging area 'x' has order False"),
    "barrier": (_barrier, lambda: _barrier(hf.int64), "barrier 'x' has component types"),
}


@pytest.mark.parametrize("case", sorted(OTHERS))
def test_what_has_a_name_must_be_what_is_asked_for(case):
    first, other, message = OTHERS[case]
    with hf.Graph().as_default(), hf.Session() as session:
        sizes = first(), first(), other()
        before = session.run(sizes[:2])
        with pytest.raises(hf.errors.InvalidArgumentError, match=message):
            session.run(sizes[2])
        assert session.run(sizes[:2]) == before


def test_without_seeds_one_takes_what_there_is():
    with hf.Graph().as_default(), hf.Session() as session:
        assert session.run([_shuffled(1, 5), _shuffled(1)]) == [0, 0]


def test_each_family_has_names_of_its_own():
    with hf.Graph().as_default(), hf.Session() as session:
        found = session.run(
            [_queue(), _table(), _sum(), _area(), _map_area(), _barrier(), _reader()]
        )
        assert found == [0, 1, 0, 0, 0, 0, 0]
