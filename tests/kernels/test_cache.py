"""The folder of kernels: whatever is wrong with an entry or the folder, there is no entry."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridflow._src.kernels import cache
from tests import native

# Python warns of forks in a process with threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
KEY = "ab" * 32
CODE = bytes(range(256)) * 3
NOBODY = 65534


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A new folder for kernels, which does not exist yet."""
    native.wait()  # what other tests had compiled is in its own by then
    path = tmp_path / "deep" / "kernels"
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(path))
    return path


@pytest.fixture
def entry(folder):
    """The file of an entry."""
    assert cache.store(KEY, CODE)
    (path,) = folder.iterdir()
    return path


def as_another_user(function, folder):
    """Runs a function in a process that may do only what the modes of files allow."""
    for path in folder.parents:
        if "pytest-" in str(path) and path.stat().st_uid == os.getuid():
            path.chmod(0o711)
    child = os.fork()
    if not child:
        if not os.getuid():
            os.setuid(NOBODY)
        os._exit(0 if function() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- what works ------------------------------------------------------------------------------------


def test_an_entry_is_kept_for_the_user_alone(folder, entry):
    assert cache.load(KEY) == CODE
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert cache.load("cd" * 32) is None
    assert cache.store(KEY, b"new")
    assert cache.load(KEY) == b"new"
    assert cache.entries() == [str(entry)]


def test_a_mask_of_the_process_makes_nothing_worse(folder):
    before = os.umask(0)
    try:
        assert cache.store(KEY, CODE)
    finally:
        os.umask(before)
    assert not cache.problem()
    assert cache.load(KEY) == CODE


def test_clear(folder, entry):
    (folder / f"{KEY}.0123.part").write_bytes(b"left by a process that was killed")
    (folder / "mine.txt").write_text("not of the cache")
    assert cache.clear() == 1
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert cache.load(KEY) is None
    assert cache.clear() == 0


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"HYBRIDFLOW_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/hybridflow"),
        ({"HYBRIDFLOW_CACHE_DIR": "", "HOME": "/c"}, "/c/.cache/hybridflow"),
        # The specification of XDG: a path that is not absolute is to be ignored.
        ({"XDG_CACHE_HOME": "b", "HOME": "/c"}, "/c/.cache/hybridflow"),
    ],
)
def test_where_it_is(environment, wanted, monkeypatch):
    for name in ("HYBRIDFLOW_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == wanted


def test_a_folder_given_relative_to_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", "here")
    assert cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE
    assert (tmp_path / "here").is_dir()


# -- folders ---------------------------------------------------------------------------------------


def nothing_there():
    return not cache.store(KEY, CODE) and cache.load(KEY) is None and not cache.entries()


def test_no_home(monkeypatch):
    for name in ("HYBRIDFLOW_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # a user unknown to the system
    assert cache.problem() == "there is no home folder"
    assert nothing_there()
    assert cache.clear() == 0


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_home_that_cannot_be_written(tmp_path, monkeypatch, mode):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(home / "kernels"))
    home.chmod(mode)
    try:
        assert as_another_user(nothing_there, home)
    finally:
        home.chmod(0o700)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707, 0o711])
def test_a_folder_open_to_others(folder, entry, mode):
    folder.chmod(mode)
    assert "0700" in cache.problem()
    assert nothing_there()
    folder.chmod(0o700)
    assert cache.load(KEY) == CODE


def test_a_folder_of_another_user(folder, entry, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(entry).st_uid + 1)
    assert cache.problem() == "it belongs to another user"
    assert nothing_there()


def test_a_link_in_place_of_the_folder(folder, entry, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache.problem() == "it is no folder"
    assert nothing_there()


def test_a_file_in_place_of_the_folder(folder):
    folder.parent.mkdir()
    folder.write_text("")
    assert cache.problem() == "it is no folder"
    assert nothing_there()


# -- entries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_entry_that_others_can_write(entry, mode):
    entry.chmod(mode)
    assert cache.load(KEY) is None


def test_an_entry_of_another_user(folder, entry, monkeypatch):
    real = os.fstat

    def foreign(descriptor):
        info = list(real(descriptor))
        info[4] += 1
        return os.stat_result(info)

    monkeypatch.setattr(os, "fstat", foreign)
    assert cache.load(KEY) is None


def test_an_entry_that_cannot_be_read(folder, entry):
    entry.chmod(0)
    if not os.getuid():
        os.chown(folder, NOBODY, NOBODY)
        os.chown(entry, NOBODY, NOBODY)
    assert as_another_user(lambda: not cache.problem() and cache.load(KEY) is None, folder)


def test_a_link_in_place_of_an_entry(folder, entry, tmp_path):
    entry.rename(tmp_path / "target")
    entry.symlink_to(tmp_path / "target")
    assert cache.load(KEY) is None
    # It is replaced, and what it led to stays.
    assert cache.store(KEY, b"new")
    assert cache.load(KEY) == b"new"
    assert (tmp_path / "target").read_bytes().endswith(CODE)


def test_a_pipe_in_place_of_an_entry(entry):
    entry.unlink()
    os.mkfifo(entry, 0o600)
    found = []
    thread = threading.Thread(target=lambda: found.append(cache.load(KEY)), daemon=True)
    thread.start()
    thread.join(10)
    assert found == [None]


def test_a_folder_in_place_of_an_entry(entry):
    entry.unlink()
    entry.mkdir(0o700)
    assert cache.load(KEY) is None
    assert not cache.store(KEY, CODE)
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]


def test_a_truncated_entry(entry):
    content = entry.read_bytes()
    for size in (0, 1, 19, 20, 60, 85, 100, 116, 117, 118, len(content) - 1):
        entry.write_bytes(content[:size])
        assert cache.load(KEY) is None, size
    entry.write_bytes(content + b"\0")
    assert cache.load(KEY) is None
    entry.write_bytes(content)
    assert cache.load(KEY) == CODE


def test_each_byte_counts(entry):
    content = entry.read_bytes()
    for position in range(len(content)):
        entry.write_bytes(
            content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        )
        assert cache.load(KEY) is None, position


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=300))
def test_whatever_stands_in_a_file(entry, content):
    entry.write_bytes(content)
    assert cache.load(KEY) is None


def test_an_entry_under_the_wrong_key(entry):
    other = "cd" * 32
    entry.rename(entry.with_name(entry.name.replace(KEY, other)))
    assert cache.load(other) is None


def test_a_huge_entry_is_not_read(entry):
    os.truncate(entry, 1 << 40)  # as large as a file can be without taking room
    assert cache.load(KEY) is None


# -- disks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["open", "replace", "mkdir"])
@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_refuses(folder, monkeypatch, call, problem):
    def refuse(*args, **kwargs):
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(os, call, refuse)
    assert not cache.store(KEY, CODE)
    monkeypatch.undo()
    assert not folder.exists() or not list(folder.iterdir())


def test_a_disk_that_is_full_in_the_middle_of_a_file(folder, entry):
    program = (
        "import resource\n"
        "from hybridflow._src.kernels import cache\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
        f"print(cache.store('cd' * 32, {CODE!r}), cache.load('cd' * 32), len(cache.load({KEY!r})))"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "None", str(len(CODE))]
    assert [path.name for path in folder.iterdir()] == [entry.name]


def test_many_write_and_read_one_entry_at_once(folder):
    codes = [bytes([number]) * 50_000 for number in range(4)]
    found = []

    def work(code):
        for _ in range(50):
            cache.store(KEY, code)
            found.append(cache.load(KEY))

    threads = [threading.Thread(target=work, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= set(codes)
    assert [Path(path).name for path in cache.entries()] == [f"{KEY}.kernel"]
    assert len(list(folder.iterdir())) == 1


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """The cache on a disk of four pages."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount disks, and not everywhere")
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(place / "kernels"))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(small_disk):
    keys = [f"{number:064x}" for number in range(8)]
    kept = [cache.store(key, CODE * 5) for key in keys]
    assert kept[0]
    assert not kept[-1]
    assert [cache.load(key) == CODE * 5 for key in keys] == kept
    assert len(list((small_disk / "kernels").iterdir())) == sum(kept)
    assert cache.clear() == sum(kept)
    assert cache.store(keys[-1], CODE)


def test_a_disk_that_became_read_only(small_disk):
    assert cache.store(KEY, CODE)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert cache.load(KEY) == CODE
    assert not cache.store("cd" * 32, CODE)
    with pytest.raises(OSError, match="Read-only"):
        cache.clear()
