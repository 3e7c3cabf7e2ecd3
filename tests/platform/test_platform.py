"""Flags, the start of a program, messages and files."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.inner import file_io
from hybridflow._src.platform import flags as module


@pytest.fixture
def flags(monkeypatch):
    """Flags that no other test has defined, and an empty command line."""
    monkeypatch.setattr(module, "FLAGS", module._FlagValues())
    monkeypatch.setattr(sys, "argv", ["program"])
    return module


# ---- flags ----


def define(flags):
    flags.DEFINE_string("name", "nobody", "100% of a name")
    flags.DEFINE_integer("steps", 10, "steps")
    flags.DEFINE_float("rate", 0.5, None)
    flags.DEFINE_boolean("shout", False, "loud")
    flags.DEFINE_enum("mode", "slow", ["slow", "fast"], "speed")


def test_defaults(flags):
    define(flags)
    values = flags.FLAGS
    assert (values.name, values.steps, values.rate, values.shout, values.mode) == (
        "nobody",
        10,
        0.5,
        False,
        "slow",
    )


def test_the_command_line(flags, monkeypatch):
    line = "program --name Ada --steps=3 --rate 1e-3 --shout --mode fast rest --other"
    monkeypatch.setattr(sys, "argv", line.split())
    define(flags)
    values = flags.FLAGS
    assert (values.name, values.steps, values.rate, values.shout, values.mode) == (
        "Ada",
        3,
        1e-3,
        True,
        "fast",
    )
    assert values._parse_flags() == ["rest", "--other"]


@pytest.mark.parametrize(
    ("argument", "value"),
    [("--shout", True), ("--noshout", False), ("--shout=true", True), ("--shout=0", False)],
)
def test_booleans(flags, argument, value):
    flags.DEFINE_bool("shout", not value, "loud")
    flags.FLAGS._parse_flags([argument])
    assert flags.FLAGS.shout is value


def test_values_can_be_set(flags):
    define(flags)
    flags.FLAGS.steps = 4
    flags.FLAGS.new = "value"
    assert flags.FLAGS.steps == 4
    assert flags.FLAGS.new == "value"
    # As programs print them.
    assert flags.FLAGS.__flags["steps"] == 4


def test_flags_by_name(flags, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--steps", "4"])
    flags.DEFINE_integer("steps", 3, "how many")
    flags.DEFINE_string("name", None, None)
    found = flags.FLAGS
    assert sorted(found) == ["name", "steps"]
    assert len(found) == 2
    assert "steps" in found
    assert "other" not in found
    assert found["steps"] == ("steps", 4, 3, "how many")
    assert found.flag_values_dict() == {"name": None, "steps": 4}
    with pytest.raises(KeyError):
        found["other"]


def test_a_flag_defined_later(flags):
    define(flags)
    assert flags.FLAGS.steps == 10
    flags.DEFINE_integer("later", 3, "late")
    assert flags.FLAGS.later == 3


def test_mistakes(flags, monkeypatch, capsys):
    define(flags)
    with pytest.raises(AttributeError, match=r"No flag 'step' is defined\. Did you mean 'steps'"):
        _ = flags.FLAGS.step
    with pytest.raises(argparse.ArgumentError, match="steps"):
        flags.DEFINE_integer("steps", 3, "again")
    monkeypatch.setattr(sys, "argv", ["program", "--steps", "many"])
    with pytest.raises(SystemExit):
        flags.FLAGS._parse_flags()
    assert "program: error: argument --steps: invalid int value: 'many'" in capsys.readouterr().err


def test_required(flags):
    flags.DEFINE_string("one", None, "needed")
    flags.DEFINE_string("two", None, "needed")
    flags.mark_flag_as_required("one")
    flags.mark_flags_as_required(["two"])
    with pytest.raises(AttributeError, match="Flag --two must be specified"):
        flags.FLAGS._parse_flags(["--one", "1"])
    assert flags.FLAGS._parse_flags(["--one", "1", "--two", "2"]) == []


# ---- programs ----

PROGRAM = """
import hybridflow as hf

hf.flags.DEFINE_integer("status", 0, "exit status")
FLAGS = hf.app.flags.FLAGS

def main(argv):
    print(argv[1:], FLAGS.status)
    hf.logging.info("not shown")
    hf.logging.warning("%d shown", 1)
    hf.logging.set_verbosity(hf.logging.INFO)
    for i in range(5):
        hf.logging.log_every_n(hf.logging.INFO, "every %d", 2, i)
        hf.logging.log_first_n(hf.logging.INFO, "first %d", 2, i)
        hf.logging.log_if(hf.logging.ERROR, "if %d", i == 4, i)
    hf.logging.flush()
    return FLAGS.status

if __name__ == "__main__":
    hf.app.run()
"""


def test_a_program(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py", "file", "--status", "3"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == "['file'] 3\n"
    assert done.stderr.splitlines() == [
        "WARNING:tensorflow:1 shown",
        "INFO:tensorflow:every 0",
        "INFO:tensorflow:first 0",
        "INFO:tensorflow:first 1",
        "INFO:tensorflow:every 2",
        "INFO:tensorflow:every 4",
        "ERROR:tensorflow:if 4",
    ]


# ---- files ----


def test_text_and_bytes(tmp_path):
    path = str(tmp_path / "notes")
    with hf.gfile.Open(path, "w") as f:
        f.write("grüße\nzwei\n")
        assert f.size() == 13
    with hf.gfile.GFile(path, "a") as f:
        f.write("drei")
    with hf.gfile.FastGFile(path) as f:
        assert (f.name, f.mode) == (path, "r")
        assert f.read(3) == "grü"
        f.seek(0)
        assert f.readline() == "grüße\n"
        assert f.next() == "zwei\n"
        assert list(f) == ["drei"]
        f.seek(position=0)
        assert f.readlines()[2] == "drei"
        with pytest.raises(StopIteration):
            f.next()
    with hf.gfile.GFile(path, "rb") as f:
        assert f.read(4) == "grü".encode()
        assert f.tell() == 4
        f.seek(-4, 2)
        assert f.read() == b"drei"
        with pytest.raises(TypeError, match="offset"):
            f.seek()
        with pytest.raises(hf.errors.InvalidArgumentError, match="whence"):
            f.seek(0, 3)


def test_folders(tmp_path):
    folder = str(tmp_path / "a" / "b")
    with pytest.raises(hf.errors.NotFoundError):
        hf.gfile.MkDir(folder)
    hf.gfile.MakeDirs(folder)
    hf.gfile.MakeDirs(folder)
    with pytest.raises(hf.errors.AlreadyExistsError):
        hf.gfile.MkDir(folder)
    for name in ("two", "one"):
        with hf.gfile.GFile(f"{folder}/{name}", "w") as f:
            f.write(name)
    assert hf.gfile.ListDirectory(folder) == ["one", "two"]
    assert hf.gfile.Glob(f"{folder}/o*") == [f"{folder}/one"]
    assert hf.gfile.Glob([f"{folder}/t*", f"{folder}/o*"]) == [f"{folder}/two", f"{folder}/one"]
    assert hf.gfile.IsDirectory(folder)
    assert not hf.gfile.IsDirectory(f"{folder}/one")
    assert hf.gfile.Stat(f"{folder}/one").length == 3
    assert hf.gfile.Stat(folder).is_directory
    top = str(tmp_path / "a")
    assert list(hf.gfile.Walk(top)) == [(top, ["b"], []), (folder, [], ["one", "two"])]
    assert [w[0] for w in hf.gfile.Walk(top, in_order=False)] == [folder, top]
    hf.gfile.Copy(f"{folder}/one", f"{top}/copy")
    with pytest.raises(hf.errors.AlreadyExistsError):
        hf.gfile.Copy(f"{folder}/two", f"{top}/copy")
    hf.gfile.Copy(f"{folder}/two", f"{top}/copy", overwrite=True)
    with hf.gfile.GFile(f"{top}/copy") as f:
        assert f.read() == "two"
    with pytest.raises(hf.errors.AlreadyExistsError):
        hf.gfile.Rename(f"{folder}/one", f"{top}/copy")
    hf.gfile.Rename(f"{folder}/one", f"{top}/moved")
    assert hf.gfile.Exists(f"{top}/moved")
    hf.gfile.Remove(f"{top}/moved")
    assert not hf.gfile.Exists(f"{top}/moved")
    hf.gfile.DeleteRecursively(top)
    assert not hf.gfile.Exists(top)


@pytest.mark.parametrize("operation", ["Remove", "DeleteRecursively", "ListDirectory", "Stat"])
def test_what_is_not_there(tmp_path, operation):
    path = str(tmp_path / "nothing")
    with pytest.raises(hf.errors.NotFoundError, match="nothing"):
        hf.gfile.GFile(path).read()  # as TensorFlow does, which opens it then
    with pytest.raises(hf.errors.NotFoundError, match="nothing"):
        getattr(hf.gfile, operation)(path)
    assert not hf.gfile.Exists(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(hf.errors.FailedPreconditionError, match=tmp_path.name):
        hf.gfile.GFile(str(tmp_path)).read()
    with pytest.raises(hf.errors.FailedPreconditionError, match=tmp_path.name):
        hf.gfile.GFile(str(tmp_path), "w")


def test_modes_of_files(tmp_path):
    """What is read and written have places of their own."""
    path = str(tmp_path / "file")
    with hf.gfile.GFile(path, "r+") as f:  # makes it
        f.write("one\ntwo\n")
        f.flush()
        assert f.readline() == "one\n"
        f.write(b"three\n")
        f.seek(0)
        assert (f.size(), f.tell()) == (14, 0)
        assert f.readlines() == ["one\n", "two\n", "three\n"]
        f.seek(-6, 2)
        assert f.read() == "three\n"
        with pytest.raises(hf.errors.InvalidArgumentError, match="no place -1"):
            f.seek(-1)
        with pytest.raises(TypeError, match="both"):
            f.seek(1, position=1)
    assert (f.size(), f.read(3)) == (14, "one")  # is opened anew
    f.close()
    with hf.gfile.GFile(path, "r+b") as f:  # leaves what is there
        f.write("ONE")
        f.flush()
        assert f.read(5) == b"ONE\nt"
    refused = pytest.raises(hf.errors.PermissionDeniedError, match="for reading: its mode is 'a'")
    with hf.gfile.GFile(path, "a") as f, refused:
        f.read()
    with pytest.raises(hf.errors.PermissionDeniedError, match="for writing: its mode is 'r'"):
        hf.gfile.GFile(path).write("no")
    with pytest.raises(hf.errors.InvalidArgumentError, match="mode 'x'"):
        hf.gfile.GFile(path, "x")


def test_file_io(tmp_path):
    path = str(tmp_path / "file")
    file_io.atomic_write_string_to_file(path, "old", overwrite=False)
    with pytest.raises(hf.errors.AlreadyExistsError, match="file already exists"):
        file_io.atomic_write_string_to_file(path, "new", overwrite=False)
    assert file_io.read_file_to_string(path) == "old"
    file_io.atomic_write_string_to_file(path, b"new")
    assert file_io.read_file_to_string(path, binary_mode=True) == b"new"
