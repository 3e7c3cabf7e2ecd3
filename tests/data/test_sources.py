"""Rows of databases, examples in files, and elements left out so that classes are balanced."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import saving
from tests.data.running import WAYS, elements

D = hf.data.Dataset


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "some people?.sqlite")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (i INTEGER, x REAL, s TEXT, b BLOB, n INTEGER)")
    rows = [(2**40, 1.5, "ä\0b", b"\0\xff", None), (-3, -0.0, "", b"", 7)]
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


def sql(path, query, types):
    return hf.contrib.data.SqlDataset("sqlite", path, query, types)


ALL = "SELECT i, x, s, b, n FROM t ORDER BY i DESC"
TYPES = (hf.int64, hf.float32, hf.string, hf.string, hf.int8)


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_a_database(database, way):
    data = sql(database, ALL, TYPES)
    assert data.output_shapes == (hf.TensorShape([]),) * 5
    rows = elements(way, lambda: sql(database, ALL, TYPES))
    assert [[np.asarray(v).item() for v in row] for row in rows] == [
        [2**40, 1.5, "ä\0b".encode(), b"\0\xff", 0],
        [-3, 0.0, b"", b"", 7],
    ]


@pytest.mark.parametrize(
    ("query", "types", "error", "text"),
    [
        ("SELECT i FROM t", (hf.int32,), "InvalidArgumentError", "'i' has 1099511627776"),
        ("SELECT s FROM t", (hf.float32,), "InvalidArgumentError", "no float32"),
        ("SELECT i FROM t", (hf.int64, hf.int64), "InvalidArgumentError", "columns in query .1."),
        ("SELECT none FROM t", (hf.int64,), "UnknownError", "no such column: none"),
        ("SELEC i", (hf.int64,), "UnknownError", "syntax error"),
        ("DELETE FROM t", (hf.int64,), "InvalidArgumentError", "readonly"),
    ],
)
def test_queries_that_cannot_be_read(database, query, types, error, text):
    for way in WAYS:
        with pytest.raises(getattr(hf.errors, error), match=text):
            elements(way, lambda: sql(database, query, types))
    # Nothing has changed.
    assert len(elements("eager", lambda: sql(database, ALL, TYPES))) == 2


def test_databases_that_are_not_there(tmp_path):
    with pytest.raises(hf.errors.NotFoundError, match="no such place"):
        elements("eager", lambda: sql(str(tmp_path / "no such place"), "SELECT 1", (hf.int32,)))
    assert not list(tmp_path.iterdir())
    with pytest.raises(hf.errors.InvalidArgumentError, match="database type, mysql"):
        elements("eager", lambda: hf.contrib.data.SqlDataset("mysql", "x", "SELECT 1", (hf.int32,)))


def test_an_iterator_over_rows_goes_on_after_a_checkpoint(database):
    with hf.Graph().as_default(), hf.Session() as session:
        data = sql(database, "SELECT i FROM t ORDER BY i", hf.int64).repeat(2)
        iterator = data.make_initializable_iterator()
        number = iterator.get_next()
        state = saving.serialize_iterator(iterator._iterator_resource)
        given = hf.placeholder(hf.string, [])
        restore = saving.deserialize_iterator(iterator._iterator_resource, given)
        session.run(iterator.initializer)
        assert session.run(number) == -3
        kept = session.run(state)
        rest = [int(session.run(number)) for _ in range(3)]
        session.run(restore, {given: kept})
        assert rest == [int(session.run(number)) for _ in range(3)] == [2**40, -3, 2**40]


@pytest.mark.parametrize("initial", [None, [0.7, 0.2, 0.1]])
def test_classes_come_as_often_as_they_are_wanted(initial):
    classes = np.random.RandomState(1).choice(3, 6000, p=[0.7, 0.2, 0.1]).astype(np.int32)
    numbers = np.arange(6000)

    def make():
        data = D.from_tensor_slices((classes, {"n": numbers}))
        resample = hf.contrib.data.rejection_resample(
            lambda kind, rest: kind, [0.25, 0.25, 0.5], initial, seed=3
        )
        return data.apply(resample)

    with hf.eager_mode():
        found = [(int(c), int(k), int(e["n"])) for c, (k, e) in make()]
    kinds = np.array([c for c, _, _ in found])
    assert all(c == k == classes[n] for c, k, n in found)
    assert [n for _, _, n in found] == sorted({n for _, _, n in found})
    parts = np.bincount(kinds, minlength=3) / len(kinds)
    np.testing.assert_allclose(parts, [0.25, 0.25, 0.5], atol=0.04)
    # Those of the class that is the rarest, compared with what is wanted, all stay.
    assert (kinds == 2).sum() > 0.95 * (classes == 2).sum()


def test_batches_of_features_out_of_files(tmp_path):
    for name, start in (("a", 0), ("b", 3)):
        with hf.python_io.TFRecordWriter(str(tmp_path / name)) as writer:
            for n in range(start, start + 3):
                features = {
                    "n": hf.train.Feature(int64_list=hf.train.Int64List(value=[n])),
                    "words": hf.train.Feature(
                        bytes_list=hf.train.BytesList(value=[b"w"] * (n % 3))
                    ),
                }
                features = hf.train.Features(feature=features)
                writer.write(hf.train.Example(features=features).SerializeToString())
    spec = {"n": hf.FixedLenFeature([], hf.int64), "words": hf.VarLenFeature(hf.string)}
    for randomize in (False, True):
        with hf.Graph().as_default(), hf.Session() as session:
            batch = hf.contrib.data.read_batch_features(
                [str(tmp_path / "a"), str(tmp_path / "[bc]")],
                4,
                spec,
                hf.data.TFRecordDataset,
                randomize_input=randomize,
                num_epochs=2,
            )
            found = [session.run(batch) for _ in range(3)]
            with pytest.raises(hf.errors.OutOfRangeError):
                session.run(batch)
            numbers = np.concatenate([b["n"] for b in found]).tolist()
            assert sorted(numbers) == sorted([*range(6)] * 2)
            if not randomize:
                assert numbers == [*range(6)] * 2
                assert found[0]["words"].indices.tolist() == [[1, 0], [2, 0], [2, 1]]
    for nothing, text in (([], "empty"), ("", "empty"), (str(tmp_path / "z*"), "No files match")):
        with pytest.raises(ValueError, match=text):
            hf.contrib.data.read_batch_features(nothing, 1, spec, hf.data.TFRecordDataset)
