"""Checkpoints of version 2: the bytes are TensorFlow's own, and damage is found."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridflow import errors
from hybridflow._src.formats.bundle import BundleWriter, data_name, index_name
from hybridflow._src.formats.bundle_reader import BundleReader
from tests.recorded.checkpoint_values import PARTS, PARTS_VALUE, values

RECORDED = Path(__file__).parent.parent / "recorded" / "checkpoints"
VERSIONS = ["1_4", "1_15", "2_21"]


def same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tolist() == expected.tolist()


def write(prefix, slices=((0, 3), (3, 2), (5, 2))):
    """What TensorFlow was asked to save, in the order in which its `Saver` saves."""
    with BundleWriter(str(prefix)) as writer:
        for name, value in sorted([*values().items(), (PARTS, PARTS_VALUE)]):
            if name != PARTS:
                writer.add(name, value)
                continue
            for start, length in slices:
                extents = [(start, length), (0, 2)]
                writer.add_slice(name, value.shape, extents, value[start : start + length])
        writer.finish()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_tensorflow_wrote_is_read(version):
    reader = BundleReader(str(RECORDED / version))
    assert set(reader.shapes) == {*values(), PARTS}
    for name, value in values().items():
        assert reader.shapes[name] == value.shape
        same(reader.read(name), value)
        assert reader.read(name).flags.writeable
    same(reader.read(PARTS), PARTS_VALUE)
    assert sorted(reader.slices(PARTS)) == [((0, 3), (0, 2)), ((3, 2), (0, 2)), ((5, 2), (0, 2))]
    assert reader.slices("whole") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bytes_are_tensorflows(version, tmp_path):
    # The versions write the parts of a variable in orders of their own.
    offsets = BundleReader(str(RECORDED / version)).offsets(PARTS)
    parts = sorted(offsets, key=offsets.__getitem__)
    write(tmp_path / "m", [extents[0] for extents in parts])
    assert sorted(os.listdir(tmp_path)) == ["m.data-00000-of-00001", "m.index"]
    for name in (index_name, data_name):
        ours = Path(name(str(tmp_path / "m"))).read_bytes()
        assert ours == Path(name(str(RECORDED / version))).read_bytes()


@given(
    cuts=st.lists(st.integers(0, 9), max_size=4),
    first=st.integers(0, 9),
    length=st.integers(0, 10),
    column=st.integers(0, 2),
)
@settings(max_examples=15, deadline=None)
def test_any_part_comes_from_any_slices(tmp_path_factory, cuts, first, length, column):
    value = np.arange(30).reshape(10, 3)
    prefix = str(tmp_path_factory.mktemp("slices") / "m")
    bounds = sorted({0, *cuts, 10})
    with BundleWriter(prefix) as writer:
        for start, end in itertools.pairwise(bounds):
            writer.add_slice("v", (10, 3), [(start, end - start), (0, -1)], value[start:end])
        writer.finish()
    length = min(length, 10 - first)
    found = BundleReader(prefix).read_slice("v", [(first, length), (column, 1)])
    same(found, value[first : first + length, column : column + 1])


def test_objects_of_tensorflow_2(monkeypatch):
    """Their tensors are read, and one whose dtype we lack is named."""
    reader = BundleReader(str(RECORDED / "2_21.objects"))
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    same(reader.read("dense" + suffix), np.float32([[1, 2], [3, 4]]))
    same(reader.read("step" + suffix), np.array(7))
    assert b"VARIABLE_VALUE" in reader.read("_CHECKPOINTABLE_OBJECT_GRAPH")[()]
    name = "brain" + suffix
    assert reader.kind(name) == "bfloat16"
    monkeypatch.setitem(reader.kinds, name, 24)  # a dtype of later versions
    assert name not in reader.dtypes()
    with pytest.raises(errors.UnimplementedError, match=r"Tensor brain/.* is of dtype number 24"):
        reader.read(name)


def test_bfloat16_of_tensorflow_2():
    pytest.importorskip("ml_dtypes")
    found = BundleReader(str(RECORDED / "2_21.objects")).read("brain/.ATTRIBUTES/VARIABLE_VALUE")
    assert found.dtype.name == "bfloat16"
    assert found.astype(np.float32).tolist() == [1.5, -2.0]


def test_large_tables_have_several_blocks(tmp_path):
    names = [f"{'x' * 60}/{i:05d}" for i in range(6000)]
    with BundleWriter(str(tmp_path / "m")) as writer:
        for index, name in enumerate(names):
            writer.add(name, np.array(index))
        writer.finish()
    reader = BundleReader(str(tmp_path / "m"))
    assert sorted(reader.shapes) == names
    assert [int(reader.read(name)) for name in names[::500]] == list(range(0, 6000, 500))


def test_what_is_not_finished_leaves_nothing(tmp_path):
    with BundleWriter(str(tmp_path / "m")) as writer:
        writer.add("x", np.zeros(3))
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


def test_a_name_is_written_once(tmp_path):
    with BundleWriter(str(tmp_path / "m")) as writer:
        writer.add("x", np.zeros(3))
        with pytest.raises(ValueError, match="Adding duplicate key: x"):
            writer.add("x", np.zeros(3))


def test_what_is_not_there(tmp_path):
    with pytest.raises(errors.NotFoundError, match="nothing"):
        BundleReader(str(tmp_path / "nothing"))
    write(tmp_path / "m")
    reader = BundleReader(str(tmp_path / "m"))
    with pytest.raises(errors.NotFoundError, match="Key nobody not found in checkpoint"):
        reader.read("nobody")
    os.remove(data_name(str(tmp_path / "m")))
    with pytest.raises(errors.NotFoundError, match="data-00000-of-00001"):
        reader.read("whole")


def read_all(prefix):
    reader = BundleReader(str(prefix))
    return {name: reader.read(name) for name in reader.shapes}


def test_a_wrong_byte_is_found(tmp_path):
    """Or it changes nothing: in a file's unused bytes."""
    expected = {**values(), PARTS: PARTS_VALUE}
    for suffix in ("index", "data-00000-of-00001"):
        for other in RECORDED.glob("1_15.*"):
            shutil.copy(other, tmp_path)
        path = tmp_path / f"1_15.{suffix}"
        data = path.read_bytes()
        for position in range(0, len(data), 3):
            wrong = bytearray(data)
            wrong[position] ^= 1 << position % 8
            path.write_bytes(bytes(wrong))
            found, problem = {}, ""
            try:
                found = read_all(tmp_path / "1_15")
            except (errors.DataLossError, errors.NotFoundError) as error:
                problem = str(error)
            assert found.keys() == expected.keys() or "1_15" in problem
            for name, value in found.items():
                same(value, expected[name])


@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_a_file_cut_short_is_found(tmp_path, suffix):
    for other in RECORDED.glob("1_15.*"):
        shutil.copy(other, tmp_path)
    path = tmp_path / f"1_15.{suffix}"
    data = path.read_bytes()
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        with pytest.raises(errors.DataLossError, match="1_15"):
            read_all(tmp_path / "1_15")
