"""Files of safetensors: what the format defines is read, what we write comes back."""

from __future__ import annotations

import json
import struct
import sys

import numpy as np
import pytest

import hybridflow as hf
from hybridflow import errors
from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.formats.safetensors import HELD, write_safetensors
from tests.formats.test_bundle import same


def file_of(header, data):
    """A file as the format is defined: the header's length, the header, the bytes."""
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


HEADER = {
    "__metadata__": {"format": "pt"},
    "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "brain": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
    "none": {"dtype": "I64", "shape": [0, 3], "data_offsets": [22, 22]},
}
CONTENT = np.float32([[1, 2], [3, 4]]).tobytes() + b"\0" * 6


@pytest.fixture
def path(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(file_of(HEADER, CONTENT))
    return str(tmp_path / "m.safetensors")


def test_what_others_wrote_is_read(path):
    reader = open_checkpoint(path)
    assert reader.shapes == {"w": (2, 2), "brain": (3,), "none": (0, 3)}
    same(reader.read("w"), np.float32([[1, 2], [3, 4]]))
    same(reader.read("none"), np.empty((0, 3), np.int64))
    same(reader.read_slice("w", [(1, 1), (0, 2)]), np.float32([[3, 4]]))
    assert reader.read("w").flags.writeable
    assert set(reader.dtypes()) == {"w", "none"}
    assert reader.kind("brain") == "bf16"
    assert [reader.size(name) for name in ("w", "none", "brain")] == [16, 0, None]
    with pytest.raises(errors.UnimplementedError, match=r"Tensor brain .* is of dtype bf16"):
        reader.read("brain")
    with pytest.raises(errors.NotFoundError, match="Key v not found"):
        reader.read("v")


def test_every_dtype_comes_back(tmp_path):
    path = str(tmp_path / "m.safetensors")
    values = {dtype.name: np.array([[0, 1, 7]]).astype(dtype.np) for dtype in HELD}
    values["scalar"] = np.array(2.5)
    values["turned"] = np.arange(6.0).reshape(2, 3).T
    write_safetensors(path, values)
    reader = open_checkpoint(path)
    assert reader.shapes.keys() == values.keys()
    for name, value in values.items():
        same(reader.read(name), value)


def test_a_saver_restores_them(tmp_path):
    path = str(tmp_path / "m.safetensors")
    write_safetensors(path, {"w": np.float32([1, 2])})
    assert hf.train.list_variables(path) == [("w", [2])]
    with hf.Graph().as_default(), hf.Session() as session:
        w = hf.get_variable("w", [2])
        hf.train.Saver().restore(session, path)
        assert session.run(w).tolist() == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8 + b"{}",
        file_of(b"{]", b""),
        file_of({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}, b""),
        file_of({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"\0" * 4),
        file_of({"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, b"\0" * 8),
        file_of({"w": {"dtype": "who", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8),
        file_of(HEADER, CONTENT[:-1]),
        file_of(HEADER, CONTENT + b"\0"),
    ],
)
def test_damage_is_found(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(errors.DataLossError, match=r"m\.safetensors"):
        open_checkpoint(str(path))


def test_what_is_not_there(tmp_path, path, monkeypatch):
    with pytest.raises(errors.NotFoundError, match=r"n\.safetensors"):
        open_checkpoint(str(tmp_path / "n.safetensors"))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"pip install 'hybridflow\[safetensors\]'"):
        open_checkpoint(path)
