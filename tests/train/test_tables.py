"""Tables: saved and restored, shared, eager, in graphs that are trained."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.registry import raw

lookup = hf.contrib.lookup


def test_savers_keep_tables_that_change(tmp_path):
    def build():
        table = lookup.MutableHashTable(hf.string, hf.int64, -1, name="words")
        rows = lookup.MutableDenseHashTable(hf.int64, hf.float32, [0.0, 0.0], 0, name="rows")
        return table, rows

    path = str(tmp_path / "model")
    with hf.Graph().as_default(), hf.Session() as session:
        table, rows = build()
        session.run(table.insert(["a", "b"], [1, 2]))
        session.run(rows.insert([5], [[0.5, 1.5]]))
        hf.train.Saver().save(session, path)
    assert sorted(hf.train.load_checkpoint(path).get_variable_to_shape_map()) == [
        "rows-keys",
        "rows-values",
        "words-keys",
        "words-values",
    ]
    with hf.Graph().as_default(), hf.Session() as session:
        table, rows = build()
        session.run(table.insert(["b", "c"], [7, 8]))
        hf.train.Saver().restore(session, path)
        assert session.run(table.lookup(["a", "b", "c"])).tolist() == [1, 2, -1]
        assert session.run(rows.lookup([5, 6])).tolist() == [[0.5, 1.5], [0.0, 0.0]]


def test_eagerly(tmp_path):
    path = tmp_path / "words"
    path.write_text("one\ntwo\n")
    with hf.eager_mode():
        table = lookup.index_table_from_file(str(path), num_oov_buckets=1)
        found = table.lookup(hf.string_split(["two one", "ten"]))
        assert found.values.numpy().tolist() == [1, 0, 2]
        assert int(table.size()) == 3
        table = lookup.MutableHashTable(hf.int64, hf.string, "?")
        table.insert([1, 2], ["a", "b"])
        assert table.lookup([[2, 3]]).numpy().tolist() == [[b"b", b"?"]]
        keys, values = table.export()
        assert sorted(zip(keys.numpy(), values.numpy(), strict=True)) == [(1, b"a"), (2, b"b")]


def test_a_table_before_a_program_that_trains():
    with hf.Graph().as_default(), hf.Session() as session:
        words = hf.placeholder(hf.string, [None])
        ids = lookup.index_table_from_tensor(["a", "b", "c"], num_oov_buckets=1).lookup(words)
        rows = hf.nn.embedding_lookup(hf.get_variable("rows", [4, 2]), ids)
        step = hf.train.GradientDescentOptimizer(0.1).minimize(hf.reduce_sum(hf.square(rows)))
        session.run([hf.global_variables_initializer(), hf.tables_initializer()])
        for _ in range(80):
            session.run(step, {words: ["a", "c", "other"]})
        values = session.run(rows, {words: ["a", "b", "c", "other"]})
        assert np.abs(values[[0, 2, 3]]).max() < 1e-5 < np.abs(values[1]).max()


def test_dtypes_that_do_not_fit():
    with hf.Graph().as_default():
        table = lookup.HashTable(lookup.KeyValueTensorInitializer(["a"], [1.0]), 0.0)
        with pytest.raises(TypeError, match="Keys must be dtype string, got int32"):
            table.lookup(hf.constant([1]))
        with pytest.raises(TypeError):
            lookup.HashTable(lookup.KeyValueTensorInitializer(["a"], [1.0]), "x")
        with pytest.raises(ValueError, match="Values must be dtype int64"):
            lookup.TextFileInitializer("f", hf.string, -2, hf.int32, -1)
        with pytest.raises(ValueError, match="delimiter"):
            lookup.TextFileInitializer("f", hf.string, 0, hf.int64, 1, delimiter="ab")
        with pytest.raises(ValueError, match="vocab_size"):
            lookup.index_table_from_file("f", vocab_size=0)
        with pytest.raises(TypeError, match="integer and string"):
            lookup.index_table_from_tensor([1.0], dtype=hf.float32)
        with pytest.raises(ValueError, match="size 2"):
            lookup.StrongHashSpec([1])
        mutable = lookup.MutableHashTable(hf.string, hf.int64, -1)
        with pytest.raises(TypeError, match="Values"):
            mutable.insert(["a"], hf.constant([1.0]))


def test_entries_that_do_not_fit():
    entries = lookup.KeyValueTensorInitializer
    with hf.Graph().as_default(), hf.Session() as session:
        with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
            lookup.HashTable(entries(["a", "b"], [1, 2, 3]), -1)
        lines = lookup.TextFileInitializer(hf.constant(["f", "g"]), hf.string, -2, hf.int64, -1)
        with pytest.raises(ValueError, match="rank 0"):
            lookup.HashTable(lines, -1)
        keys = hf.placeholder(hf.string)
        table = lookup.HashTable(entries(keys, hf.ones_like(keys, hf.int64)), -1)
        with pytest.raises(hf.errors.InvalidArgumentError, match="cannot be empty"):
            session.run(table.init, {keys: []})
        session.run(table.init, {keys: ["a"]})
        assert session.run(table.size(), {keys: ["a"]}) == 1


def test_words_by_either_name_of_the_argument():
    """TensorFlow's own module calls it `vocabulary_list` from 1.5 on."""
    with hf.eager_mode():
        for name in ("mapping", "vocabulary_list"):
            words = {name: hf.constant(["a", "b"])}
            assert lookup.index_table_from_tensor(**words).lookup(hf.constant("b")).numpy() == 1
            table = lookup.index_to_string_table_from_tensor(**words)
            assert table.lookup(hf.constant(1, hf.int64)).numpy() == b"b"


def test_a_table_that_later_initializers_fill():
    """TensorFlow from 1.13 on writes `LookupTableImportV2` where it wrote `InitializeTableV2`."""
    with hf.Graph().as_default(), hf.Session() as session:
        table = raw.HashTableV2(key_dtype=hf.string, value_dtype=hf.int64)
        fill = raw.LookupTableImportV2(
            table, hf.constant(["a", "b"]), hf.constant([3, 4], hf.int64)
        )
        found = raw.LookupTableFindV2(table, hf.constant(["b", "c"]), hf.constant(-1, hf.int64))
        other = raw.LookupTableImportV2(table, hf.constant(["a"]), hf.constant([5], hf.int64))
        with pytest.raises(hf.errors.FailedPreconditionError, match="not initialized"):
            session.run(found)
        for _ in range(2):
            session.run(fill)
            assert session.run(found).tolist() == [4, -1]
        with pytest.raises(hf.errors.FailedPreconditionError, match="already initialized"):
            session.run(other)


@pytest.mark.parametrize("mode", [hf.eager_mode, lambda: hf.Graph().as_default()])
def test_a_default_is_one_value(mode):
    with mode():
        table = hf.contrib.lookup.MutableHashTable(hf.string, hf.int64, [[-1], [-1]])
        with pytest.raises(ValueError, match="at most rank 1 but is rank 2"):
            table.lookup(hf.constant(["a"]))
