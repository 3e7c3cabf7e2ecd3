"""Datasets of files: lines, records, pieces of one length; damage and what is not there."""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.formats import compressed, records
from tests.data.running import WAYS, elements, listed

io = hf.python_io
OPTIONS = [None, *map(io.TFRecordOptions, (0, 1, 2))]
KINDS = {"": lambda data: data, "GZIP": gzip.compress, "ZLIB": zlib.compress}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_lines(tmp_path, way, kind):
    texts = [b"one\ntwo\r\n\nfour", b"", b"five\n"]
    names = []
    for number, text in enumerate(texts):
        names.append(str(tmp_path / f"{number}.txt"))
        (tmp_path / f"{number}.txt").write_bytes(KINDS[kind](text))
    found = listed(elements(way, lambda: hf.data.TextLineDataset(names, kind, buffer_size=3)))
    assert found == [b"one", b"two", b"", b"four", b"five"]
    batched = hf.data.TextLineDataset
    assert listed(elements(way, lambda: batched(names, kind).repeat(2).skip(6).batch(9))) == [
        [b"two", b"", b"four", b"five"]
    ]


@pytest.mark.parametrize("options", OPTIONS)
def test_records(tmp_path, options):
    path = str(tmp_path / "some.tfrecord")
    items = [b"", b"one", b"x" * 100_000, "grün".encode()]
    with io.TFRecordWriter(path, options) as writer:
        for item in items[:2]:
            writer.write(item)
        writer.flush()
        writer.write(items[2])
        writer.write("grün")
    assert list(io.tf_record_iterator(path, options)) == items
    kind = io.TFRecordOptions.get_compression_type_string(options)
    made = lambda: hf.data.TFRecordDataset([path, path], kind)  # noqa: E731
    assert listed(elements("eager", made)) == items * 2
    assert listed(elements("one_shot", made)) == items * 2
    with pytest.raises(hf.errors.FailedPreconditionError, match="closed"):
        writer.write(b"more")


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found_and_the_next_file_read(tmp_path, kind):
    good, bad = str(tmp_path / "good"), str(tmp_path / "bad")
    whole = records.frame(b"first") + records.frame(b"second")
    broken = bytearray(whole)
    broken[30] ^= 1
    for path, data in ((good, whole), (bad, bytes(broken))):
        with open(path, "wb") as file:
            file.write(KINDS[kind](data))
    with hf.eager_mode():
        iterator = iter(hf.data.TFRecordDataset([bad, good], kind))
        assert next(iterator).numpy() == b"first"
        with pytest.raises(hf.errors.DataLossError, match="bad: corrupted record"):
            next(iterator)
        assert [x.numpy() for x in iterator] == [b"first", b"second"]
    options = io.TFRecordOptions(kind)
    with pytest.raises(hf.errors.DataLossError, match="bad: corrupted record"):
        list(io.tf_record_iterator(bad, options))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_raise(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    path = str(folder / "file")
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    whole = bytearray(KINDS[kind](b"".join(map(records.frame, [b"one", b"two" * 50, b""]))))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with open(path, "wb") as file:
        file.write(whole[: data.draw(st.integers(0, len(whole)))])
    for make in (hf.data.TFRecordDataset, hf.data.TextLineDataset):
        with contextlib.suppress(hf.errors.DataLossError):
            elements("eager", lambda make=make: make(path, kind), most=1000)


def test_a_length_that_is_wrong_takes_no_memory(tmp_path):
    length = (2**60).to_bytes(8, "little")
    (tmp_path / "huge").write_bytes(length + records._checksum(length) + b"short")
    with pytest.raises(hf.errors.DataLossError, match="truncated"):
        list(io.tf_record_iterator(tmp_path / "huge"))


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_one_length(tmp_path, kind):
    names = []
    for number in range(2):
        names.append(str(tmp_path / str(number)))
        (tmp_path / str(number)).write_bytes(KINDS[kind](b"HH" + bytes(range(9)) + b"FFF"))

    def make(names: Any = names, size: int = 3, footer: int = 3) -> Any:
        return hf.data.FixedLengthRecordDataset(names, size, 2, footer, 4, compression_type=kind)

    pieces = [bytes(range(i, i + 3)) for i in (0, 3, 6)]
    for way in WAYS:
        assert listed(elements(way, make)) == pieces * 2
    with pytest.raises((hf.errors.InvalidArgumentError, hf.errors.DataLossError)):
        elements("eager", lambda: make(size=4))
    with pytest.raises(hf.errors.InvalidArgumentError, match="record_bytes"):
        elements("eager", lambda: make(size=0))


def test_files_that_are_not_there(tmp_path):
    missing = str(tmp_path / "missing")
    for make in (
        hf.data.TextLineDataset,
        hf.data.TFRecordDataset,
        lambda name: hf.data.FixedLengthRecordDataset(name, 3),
    ):
        with pytest.raises(hf.errors.NotFoundError, match="missing"):
            elements("eager", lambda make=make: make(missing))
        with pytest.raises(hf.errors.NotFoundError, match="missing"):
            elements("one_shot", lambda make=make: make(missing))
    with pytest.raises(hf.errors.NotFoundError):
        io.tf_record_iterator(missing)
    with pytest.raises(hf.errors.NotFoundError):
        io.TFRecordWriter(str(tmp_path / "no" / "folder"))
    with pytest.raises(hf.errors.InvalidArgumentError, match="Unsupported compression type"):
        elements("eager", lambda: hf.data.TextLineDataset(missing, "LZ"))
    with pytest.raises(ValueError, match="Unsupported compression type"):
        io.TFRecordOptions("LZ")
    with pytest.raises(hf.errors.InvalidArgumentError, match="buffer_size"):
        elements("eager", lambda: hf.data.TextLineDataset(missing, "", -1))


def test_the_names_of_files(tmp_path):
    for name in ("b.txt", "a.txt", "c.dat"):
        (tmp_path / name).touch()
    texts = [os.fsencode(tmp_path / name) for name in ("a.txt", "b.txt")]
    for way in WAYS:
        found = elements(way, lambda: hf.data.Dataset.list_files(str(tmp_path / "*.txt")))
        assert listed(found) == texts
    patterns = [str(tmp_path / "*.dat"), str(tmp_path / "*.txt")]
    found = listed(elements("eager", lambda: hf.data.Dataset.list_files(patterns)))
    assert found == [os.fsencode(tmp_path / "c.dat"), *texts]
    made = lambda: hf.data.Dataset.list_files(patterns, shuffle=True, seed=1)  # noqa: E731
    assert sorted(listed(elements("eager", made))) == sorted(found)
    assert not elements("eager", lambda: hf.data.Dataset.list_files(str(tmp_path / "*.no")))


@given(st.lists(st.binary(max_size=3000), max_size=4), st.sampled_from(sorted(KINDS)))
@settings(max_examples=50, deadline=None)
def test_compressed_files(tmp_path_factory, parts, kind):
    path = tmp_path_factory.getbasetemp() / "compressed"
    writer = compressed.CompressedWriter(path, kind)
    for part in parts:
        writer.write(part)
        writer.flush()
    writer.close()
    with compressed.open_file(path, kind, 7) as file:
        assert file.read() == b"".join(parts)
    decompress = {"GZIP": gzip.decompress, "ZLIB": zlib.decompress}.get(kind, bytes)
    assert decompress(path.read_bytes()) == b"".join(parts)


def test_members_of_gzip_follow_each_other(tmp_path):
    (tmp_path / "two").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    made = lambda: hf.data.TextLineDataset(str(tmp_path / "two"), "GZIP")  # noqa: E731
    assert listed(elements("eager", made)) == [b"one", b"two"]


def test_what_is_no_record_is_refused(tmp_path):
    path = str(tmp_path / "records")
    with hf.python_io.TFRecordWriter(path) as writer:
        writer.write("text")
        with pytest.raises(TypeError, match=r"type 'Example'.*message.SerializeToString\(\)"):
            writer.write(hf.train.Example())
        with pytest.raises(TypeError, match="type 'int'"):
            writer.write(3)
    assert list(hf.python_io.tf_record_iterator(path)) == [b"text"]
