"""`hybridflow checkpoint`: tensors of a checkpoint as a table, and conversion both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.main import main
from hybridflow._src.formats.reading import open_checkpoint
from tests.formats.test_bundle import same

RECORDED = Path(__file__).parents[1] / "recorded" / "checkpoints"


@pytest.fixture
def told(capsys):
    """Runs the command and gives what is printed, the columns one space apart."""

    def run(*arguments, status=0):
        assert main(["checkpoint", *map(str, arguments)]) == status
        printed = capsys.readouterr()
        return [" ".join(line.split()) for line in (printed.out + printed.err).splitlines()]

    return run


@pytest.fixture
def kept(tmp_path):
    """A folder with a checkpoint of two tensors."""
    with hf.Graph().as_default(), hf.Session() as session:
        hf.get_variable("w", initializer=[[1.0, 2.0]])
        hf.get_variable("step", initializer=hf.constant(7, hf.int64))
        session.run(hf.global_variables_initializer())
        hf.train.Saver().save(session, str(tmp_path / "m"), 7)
    return tmp_path


def test_a_table(told, kept):
    expected = ["step int64 [] 8 bytes", "w float32 [1, 2] 8 bytes", "2 tensors, 3 values, 0.0 MB"]
    for path in (kept, kept / "m-7", kept / "m-7.index"):
        assert told(path) == expected
    assert told(kept, "--leave-out", "w")[:-1] == expected[:1]


@pytest.mark.parametrize("name", ["2_21.objects", "1_4.v1"])
def test_dtypes_and_sizes_of_all_kinds(told, name):
    reader = open_checkpoint(str(RECORDED / name))
    lines = told(RECORDED / name)
    assert len(lines) == len(reader.shapes) + 1
    for line in lines[:-1]:
        assert line.split()[0] in reader.shapes
        assert line.endswith("bytes")
    if name == "2_21.objects":
        assert "brain/.ATTRIBUTES/VARIABLE_VALUE bfloat16 [2] 4 bytes" in lines


def test_both_ways(told, kept):
    assert told(kept / "m-7", "--convert", kept / "m.safetensors") == []
    assert "step int64 [] 8 bytes" in told(kept / "m.safetensors")
    assert told(kept / "m.safetensors", "--convert", kept / "back" / "m") == []
    first, last = open_checkpoint(str(kept / "m-7")), open_checkpoint(str(kept / "back" / "m"))
    assert first.shapes == last.shapes
    for name in first.shapes:
        same(last.read(name), first.read(name))
    for suffix in ("index", "data-00000-of-00001"):
        written = (kept / "back" / f"m.{suffix}").read_bytes()
        assert written == (kept / f"m-7.{suffix}").read_bytes()


def test_a_checkpoint_of_version_1(told, tmp_path):
    told(RECORDED / "1_4.v1", "--convert", tmp_path / "m")
    old, new = open_checkpoint(str(RECORDED / "1_4.v1")), open_checkpoint(str(tmp_path / "m"))
    assert old.shapes == new.shapes
    for name in old.shapes:
        same(new.read(name), old.read(name))


def test_what_the_other_format_lacks(told, tmp_path):
    """It is named before anything is written, and can be left out."""
    source, target = RECORDED / "2_21.objects", tmp_path / "m.safetensors"
    [line] = told(source, "--convert", target, status=1)
    assert "cannot hold these tensors" in line
    graph, brain = "_CHECKPOINTABLE_OBJECT_GRAPH", "brain/.ATTRIBUTES/VARIABLE_VALUE"
    assert f"--leave-out {graph} (string)" in line
    assert f"--leave-out {brain} (bfloat16)" in line
    assert not target.exists()
    refused = [name.split("--leave-out ")[1] for name in line.split(" (") if "--leave" in name]
    told(source, "--convert", target, *[f"--leave-out={name}" for name in refused])
    same(
        open_checkpoint(str(target)).read("dense/.ATTRIBUTES/VARIABLE_VALUE"),
        np.float32([[1, 2], [3, 4]]),
    )


def test_errors(told, kept, tmp_path):
    assert "Failed to find any matching files" in told(tmp_path / "none", status=1)[0]
    name = next(kept.glob("*.index")).stem
    beside = kept / f"{name}-7"
    assert told(beside, status=1)[0].endswith(f"{beside}. There are: {name}")
    (folder := tmp_path / "folder").mkdir()
    for target in (folder, f"{folder}/"):
        line = told(kept, "--convert", target, status=1)[0]
        assert f"is a folder: name the checkpoint in it, such as {folder}/{name}" in line
    assert not list(folder.iterdir())
    assert "There is no tensor 'v'" in told(kept, "--leave-out", "v", status=1)[0]
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 20)
    assert "bad.safetensors" in told(tmp_path / "bad.safetensors", status=1)[0]
    (tmp_path / "file").write_bytes(b"")
    assert "directory" in told(kept, "--convert", tmp_path / "file" / "m", status=1)[0]
