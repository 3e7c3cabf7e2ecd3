"""Records of files without end, and of databases."""

from __future__ import annotations

import pytest

import hybridflow as hf

RecordInput = hf.contrib.framework.RecordInput


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four files of 25 numbers each."""
    folder = tmp_path_factory.mktemp("records")
    for number in range(4):
        with hf.python_io.TFRecordWriter(str(folder / f"r.{number}")) as writer:
            for record in range(25 * number, 25 * number + 25):
                writer.write(b"%d" % record)
    return folder


@pytest.mark.parametrize("mode", ["graph", "eager"])
@pytest.mark.parametrize(("parallelism", "buffer_size"), [(1, 1), (3, 30), (9, 500)])
def test_each_record_comes_once_an_epoch(folder, mode, parallelism, buffer_size):
    records = RecordInput(
        f"{folder}/r.[01],{folder}/r.[23]",
        batch_size=5,
        batches=2,
        parallelism=parallelism,
        buffer_size=buffer_size,
        shift_ratio=0.33,
        seed=4,
    )
    epochs = []
    with hf.eager_mode() if mode == "eager" else hf.Graph().as_default():
        if mode == "eager":
            step = lambda: [[t.numpy() for t in b] for b in records.get_yield_op()]  # noqa: E731
        else:
            session, op = hf.Session(), records.get_yield_op()
            step = lambda: session.run(op)  # noqa: E731
        for _ in range(3):
            batches = [batch for _ in range(10) for batch in step()]
            assert all(len(batch) == 5 for batch in batches)
            epochs.append([int(record) for batch in batches for record in batch])
    for epoch in epochs:
        assert sorted(epoch) == list(range(100))
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_seed_gives_an_order(folder):
    def some(seed):
        with hf.Graph().as_default(), hf.Session() as session:
            records = RecordInput(f"{folder}/r.*", 40, buffer_size=50, parallelism=2, seed=seed)
            return session.run(records.get_yield_op()).tolist()

    assert some(1) == some(1) != some(2)


def test_files_that_are_none(folder, tmp_path):
    path = tmp_path / "damaged"
    path.write_bytes((folder / "r.0").read_bytes()[:-3])
    for pattern, error in (("/nowhere/*", "NotFoundError"), (path, "DataLossError")):
        with hf.Graph().as_default(), hf.Session() as session:
            op = RecordInput(str(pattern), buffer_size=100).get_yield_op()
            for _ in range(2):
                with pytest.raises(getattr(hf.errors, error), match=str(pattern).replace("*", ".")):
                    session.run(op)
    for name in ("batch_size", "buffer_size", "parallelism", "batches"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1"):
            RecordInput("x", **{name: 0})


def read_all(path, session):
    queue = hf.train.string_input_producer([str(path)], num_epochs=2)
    pair = hf.LMDBReader().read(queue)
    session.run(hf.local_variables_initializer())
    hf.train.start_queue_runners(session)
    while True:
        try:
            yield tuple(session.run(pair))
        except hf.errors.OutOfRangeError:
            return


def test_keys_and_values_of_databases(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    folder = tmp_path / "data"
    with lmdb.open(str(folder)) as database, database.begin(write=True) as transaction:
        for number in range(10):
            transaction.put(b"%d" % number, bytes([97 + number]))
    expected = [(b"%d" % i, bytes([97 + i])) for i in range(10)] * 2
    with hf.Graph().as_default(), hf.Session() as session:
        both = zip(read_all(folder, session), read_all(folder / "data.mdb", session), strict=True)
        for found, pair in zip(both, expected, strict=True):
            assert found == (pair, pair)
    (tmp_path / "none").write_bytes(b"x" * 9000)
    for name, error in (("none", "DataLossError"), ("nowhere", "NotFoundError")):
        raises = pytest.raises(getattr(hf.errors, error), match=name)
        with hf.Graph().as_default(), hf.Session() as session, raises:
            next(read_all(tmp_path / name, session))


def test_a_library_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lmdb", None)
    raises = pytest.raises(ImportError, match=r"pip install 'hybridflow\[lmdb\]'")
    with hf.Graph().as_default(), hf.Session() as session, raises:
        next(read_all(tmp_path, session))
