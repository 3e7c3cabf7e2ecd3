"""Checkpoints damaged at random: an error that names the file, or the values; nothing else.

Checksums find nearly all damage, so most cases are read without them: what lies behind must be as
careful, since who damages a file on purpose makes its checksums right.
"""

from __future__ import annotations

import random
import shutil
import tracemalloc

import pytest

from hybridflow import errors
from hybridflow._src.formats import bundle_reader, table_reader
from hybridflow._src.formats.reading import open_checkpoint
from tests import native
from tests.formats.test_bundle import RECORDED, same
from tests.formats.test_safetensors import file_of

# What is read, and its files.
CHECKPOINTS = {
    "1_15": ("1_15.index", "1_15.data-00000-of-00001"),
    "2_21.objects": ("2_21.objects.index", "2_21.objects.data-00000-of-00001"),
    "1_4.v1": ("1_4.v1",),
    "m.safetensors": ("m.safetensors",),
}
# More than Python's own objects for a file of a few thousand bytes; a wrong size asks for more.
MEMORY = 1 << 20


class _Right(int):
    """A checksum that is the right one, whatever it is compared with."""

    def __ne__(self, other):
        return False

    __hash__ = int.__hash__


def damaged(data, chance):
    """The bytes with one to three things wrong."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        place = chance.randrange(len(data)) if data else 0
        size = chance.randint(1, 9)
        kind = chance.randrange(7)
        if kind == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1 and data:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            data[place : place + size] = chance.randbytes(size)
        elif kind == 3:
            data[place : place + size] = chance.choice((b"\xff", b"\0", b"\x7f")) * size
        elif kind == 4:
            del data[place : place + size]
        elif kind == 5:
            data[place:place] = chance.randbytes(size)
        else:
            del data[place:]
    return bytes(data)


def read_all(path):
    reader = open_checkpoint(path)
    return {name: reader.read(name) for name in reader.dtypes()}


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize(
    "cases", [60, pytest.param(12_500, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_any_damage(tmp_path, monkeypatch, name, checked, cases):
    for file in CHECKPOINTS[name]:
        if file == "m.safetensors":
            header = {
                "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
                "b": {"dtype": "BOOL", "shape": [5], "data_offsets": [16, 21]},
            }
            (tmp_path / file).write_bytes(file_of(header, bytes(21)))
        else:
            shutil.copy(RECORDED / file, tmp_path)
    path = str(tmp_path / name)
    expected = read_all(path)
    # A file of safetensors has no checksums.
    checked = checked and name != "m.safetensors"
    if not checked:
        monkeypatch.setattr(table_reader, "unmask", _Right)
        monkeypatch.setattr(bundle_reader, "mask", _Right)
    chance = random.Random(f"{name} {checked} {cases}")
    whole = {file: (tmp_path / file).read_bytes() for file in CHECKPOINTS[name]}
    found = 0
    native.wait()  # what is compiled takes memory too
    tracemalloc.start()
    try:
        for number in range(cases):
            file = chance.choice(CHECKPOINTS[name])
            (tmp_path / file).write_bytes(damaged(whole[file], chance))
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            values, problem = None, ""
            try:
                values = read_all(path)
            except (errors.DataLossError, errors.NotFoundError) as error:
                problem = str(error)
            found += values is None
            assert values is not None or name in problem, number
            if checked and values is not None:
                assert values.keys() == expected.keys(), number
                for key, value in expected.items():
                    same(values[key], value)
            assert tracemalloc.get_traced_memory()[1] - before < MEMORY, number
            (tmp_path / file).write_bytes(whole[file])
    finally:
        tracemalloc.stop()
    assert found > cases / 4
