"""Checkpoints of version 1: TensorFlow's are read, and damage is found."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from hybridflow import errors
from hybridflow._src.formats import messages, varints
from hybridflow._src.formats.checksums import crc32c, mask
from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.formats.sorted_table import SNAPPY, TableWriter
from hybridflow._src.formats.table_reader import table_in
from tests.formats.test_bundle import RECORDED, same
from tests.formats.test_snappy import compressed
from tests.recorded.checkpoint_values import PARTS, PARTS_VALUE, values

VALUES = {**values(), PARTS: PARTS_VALUE}
ONE_FILE = ["1_4.v1", "1_15.v1", "2_21.v1"]


def read_all(prefix):
    reader = open_checkpoint(str(prefix))
    return {name: reader.read(name) for name in reader.shapes}


@pytest.mark.parametrize("name", [*ONE_FILE, *[f"{n}-?????-of-?????" for n in ONE_FILE]])
def test_what_tensorflow_wrote_is_read(name):
    found = read_all(RECORDED / name)
    assert found.keys() == VALUES.keys()
    for key, value in VALUES.items():
        same(found[key], value)
    reader = open_checkpoint(str(RECORDED / name))
    same(reader.read_slice(PARTS, [(2, 4), (1, 1)]), PARTS_VALUE[2:6, 1:])
    same(reader.read_slice("whole", [(2, 3)]), VALUES["whole"][2:5])


class _Compressing(TableWriter):
    """Writes blocks as programs do that compress them."""

    def _write(self, block):
        content = block.finish()
        pieces = [content[start : start + 90] for start in range(0, len(content), 90)]
        data = compressed(pieces)[0] + bytes([SNAPPY])
        self._file.write(data + struct.pack("<I", mask(crc32c(data))))
        handle = varints.encode(self._offset) + varints.encode(len(data) - 1)
        self._offset += len(data) + 4
        return handle


def rewritten(source, target, change=lambda key, message: None, writer=TableWriter):
    """Writes a file anew, its messages changed."""
    with open(target, "wb") as file:
        table = writer(file)
        for key, value in table_in(str(source)).items():
            message = messages.SavedTensorSlices.FromString(value)
            change(key, message)
            table.add(key, message.SerializeToString())
        table.finish()


def test_compressed_blocks(tmp_path):
    rewritten(RECORDED / "1_4.v1", tmp_path / "m", writer=_Compressing)
    found = read_all(tmp_path / "m")
    for key, value in VALUES.items():
        same(found[key], value)


def test_version_2_comes_first(tmp_path):
    for end in ("v1", "index", "data-00000-of-00001"):
        shutil.copy(RECORDED / f"1_15.{end}", tmp_path / f"m.{end}")
    shutil.copy(tmp_path / "m.v1", tmp_path / "m")
    assert open_checkpoint(str(tmp_path / "m")).slices("whole") == []
    for end in ("index", "data-00000-of-00001"):
        with pytest.raises(errors.DataLossError, match=r"give its prefix, .*/m"):
            open_checkpoint(str(tmp_path / f"m.{end}"))


def test_a_name_with_signs_of_patterns(tmp_path):
    shutil.copy(RECORDED / "1_4.v1", tmp_path / "m[1]")
    assert read_all(tmp_path / "m[1]").keys() == VALUES.keys()


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "text").write_text("some text " * 10)
    (tmp_path / "empty").write_text("")
    with open(tmp_path / "table", "wb") as file:
        table = TableWriter(file)
        table.add(b"key", b"value")
        table.finish()
    for name in ("text", "empty", "table"):
        with pytest.raises(errors.DataLossError, match=f"Unable to read file .*/{name}"):
            open_checkpoint(str(tmp_path / name))


def _sized(message):
    for tensor in message.meta.tensor:
        if tensor.name == "whole":
            yield tensor


def _larger(key, message):
    """One tensor has a shape that no memory holds, and says that a slice fills it."""
    for tensor in _sized(message):
        tensor.shape.dim[0].size = 1 << 40


def _negative(key, message):
    for tensor in _sized(message):
        tensor.shape.dim[0].size = -7


def _outside(key, message):
    for tensor in _sized(message):
        tensor.slice[0].extent[0].start = 3
        tensor.slice[0].extent[0].length = 100


def _another_rank(key, message):
    for tensor in _sized(message):
        tensor.slice[0].extent.add()


def _sliceless(key, message):
    for tensor in _sized(message):
        del tensor.slice[:]


def _fewer_numbers(key, message):
    if message.data.name == "whole":
        del message.data.data.int64_val[2:]


def _another_dtype(key, message):
    for tensor in _sized(message):
        tensor.type = messages.enum("DataType").Value("DT_STRING")


@pytest.mark.parametrize(
    "change",
    [_larger, _negative, _outside, _another_rank, _sliceless, _fewer_numbers, _another_dtype],
)
def test_what_contradicts_itself(tmp_path, change):
    rewritten(RECORDED / "1_15.v1", tmp_path / "m", change)
    with pytest.raises(errors.DataLossError, match=r"/m\)(.*)whole"):
        open_checkpoint(str(tmp_path / "m")).read("whole")


def test_a_shard_that_is_missing(tmp_path):
    for shard in (0, 2):
        shutil.copy(RECORDED / f"1_4.v1-{shard:05d}-of-00003", tmp_path)
    found = read_all(tmp_path / "1_4.v1-?????-of-00003")
    assert found.keys() < VALUES.keys()


def test_a_wrong_byte_is_found(tmp_path):
    data = Path(RECORDED / "1_15.v1").read_bytes()
    path = tmp_path / "m"
    for position in range(0, len(data), 5):
        wrong = bytearray(data)
        wrong[position] ^= 1 << position % 8
        path.write_bytes(bytes(wrong))
        found, problem = {}, str(path)
        try:
            found = read_all(path)
        except errors.DataLossError as error:
            problem = str(error)
        assert str(path) in problem
        for name, value in found.items():
            same(value, VALUES[name])
    for size in range(0, len(data), 97):
        path.write_bytes(data[:size])
        with pytest.raises(errors.DataLossError, match=str(path)):
            read_all(path)
