"""Savers in trouble: killed, interrupted, without room, without a folder; nothing is torn."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import bundle, commit
from hybridflow._src.formats.bundle import index_name

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "count", [50, pytest.param(1000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_processes_that_are_killed(count, tmp_path):
    """The latest checkpoint is found, and is whole, whenever the process ended."""
    command = [sys.executable, "-W", "error", "-m", "tests.train.killing", str(count), tmp_path]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert found.returncode == 0, found.stderr
    assert "'steps'" in found.stdout
    for folder in tmp_path.iterdir():
        save_later(folder)
        left = [name for name in os.listdir(folder) if "temp" in name]
        # A pending checkpoint is one, with its index.
        data = [name for name in os.listdir(folder) if name.endswith("-of-00001.pending")]
        left += [n for n in data if not (folder / f"{n.split('.')[0]}.index.pending").exists()]
        assert left == []


def save_later(folder, hours=2):
    """Saves as if hours had passed."""
    for path in folder.rglob("*"):
        then = path.lstat().st_mtime - hours * 3600
        os.utime(path, (then, then), follow_symlinks=False)
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(hf.get_variable("v", initializer=1.0).initializer)
        hf.train.Saver().save(session, str(folder / "model"))


LEFT = ["model-3.data-00000-of-00001.tempstate12", "model.index.tempstate3"]
LEFT += ["model-4.meta.tempstate5", "checkpoint.tempstate6"]
LEFT += ["model-5.data-00000-of-00002.pending"]
KEPT = ["model-5.data-00000-of-00001", "other-3.index.tempstate7", "model-3.tempstate", "notes"]
KEPT += ["model-6.data-00000-of-00001.pending", "model-6.index.pending"]


@pytest.mark.parametrize("hours", [0.5, 2])
def test_what_was_left_long_ago_is_removed(tmp_path, hours):
    shards = tmp_path / f"model-7_temp_{'0a' * 16}"
    shards.mkdir()
    (shards / "part-00000-of-00001.index").touch()
    for name in LEFT + KEPT:
        (tmp_path / name).touch()
    save_later(tmp_path, hours)
    there = {path.name for path in tmp_path.iterdir()}
    assert set(KEPT) < there
    left = {*LEFT, shards.name}
    assert left & there == (left if hours < 1 else set())


def test_what_is_still_written_to_is_left(tmp_path):
    shards = tmp_path / f"model-7_temp_{'0a' * 16}"
    shards.mkdir()
    part = shards / "part-00000-of-00001.data-00000-of-00001"
    part.touch()
    os.utime(shards, (0, 0))
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(hf.get_variable("v", initializer=1.0).initializer)
        hf.train.Saver().save(session, str(tmp_path / "model"))
        assert part.exists()
        os.utime(part, (0, 0))
        hf.train.Saver().save(session, str(tmp_path / "model"))
        assert not shards.exists()


def two():
    zeros = hf.zeros_initializer()
    return [hf.get_variable(name, [50_000], initializer=zeros) for name in "ab"]


@pytest.fixture(params=["graph", "eager"])
def kept(request, tmp_path):
    """Two variables, how to save and restore them, and how to see and set their values."""

    class Kept:
        path = str(tmp_path / "m")

        def __init__(self, run, save, restore):
            self.save = lambda: save(self.path)
            self.restore = lambda path=self.path: restore(path)
            self._run = run

        def values(self):
            return [float(v.ravel()[0]) for v in self._run(None)]

        def set(self, value):
            self._run(value)

    if request.param == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            pair = two()
            saver = hf.train.Saver(pair)

            def run(value):
                for v in pair if value is not None else ():
                    v.assign(np.full(50_000, value, np.float32))
                return [v.numpy() for v in pair]

            yield Kept(
                run,
                lambda path: saver.save(None, path, write_state=False),
                lambda path: saver.restore(None, path),
            )
        return
    with hf.Graph().as_default(), hf.Session() as session:
        pair = two()
        saver = hf.train.Saver()
        fed = hf.placeholder(hf.float32, [])
        assigned = [hf.assign(v, hf.fill([50_000], fed)).op for v in pair]
        session.run(hf.global_variables_initializer())

        def run(value):
            if value is not None:
                session.run(assigned, {fed: value})
            return session.run(pair)

        yield Kept(
            run,
            lambda path: saver.save(session, path, write_meta_graph=False, write_state=False),
            lambda path: saver.restore(session, path),
        )


class TestSaving:
    @pytest.mark.parametrize("limit", [1000, 250_000])
    def test_no_room(self, kept, tmp_path, limit):
        """The checkpoint that was there stays, nothing else; the error names file and tensor."""
        kept.set(1.0)
        kept.save()
        before = sorted(os.listdir(tmp_path))
        kept.set(2.0)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            tensor = "a" if limit < 200_000 else "b"
            with pytest.raises(
                hf.errors.OutOfRangeError, match=rf"m \(tensor {tensor}\); File too"
            ):
                kept.save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            signal.signal(signal.SIGXFSZ, handler)
        assert sorted(os.listdir(tmp_path)) == before
        kept.restore()
        assert kept.values() == [1.0, 1.0]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")
    def test_a_full_disk(self, kept, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk])
        if mounted.returncode:
            pytest.skip("file systems cannot be mounted here")
        try:
            for path in (disk / "m", disk / "folder" / "m"):
                kept.path = str(path)
                with pytest.raises(
                    hf.errors.ResourceExhaustedError, match=r"tensor b.*No space left"
                ):
                    kept.save()
                assert os.listdir(disk) == []
        finally:
            subprocess.run(["umount", "-l", disk], check=True)

    def test_a_folder_that_goes_away(self, kept, tmp_path, monkeypatch):
        kept.path = str(tmp_path / "run" / "m")
        written = bundle.close_durably

        def gone(file):
            written(file)
            shutil.rmtree(tmp_path / "run")

        monkeypatch.setattr(bundle, "close_durably", gone)
        with pytest.raises((ValueError, hf.errors.NotFoundError), match="run"):
            kept.save()

    def test_a_folder_that_is_not_ours(self, kept, tmp_path, monkeypatch):
        def refused(path, *_, **__):
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(bundle.os, "makedirs", refused)
        kept.path = str(tmp_path / "new" / "m")
        with pytest.raises(hf.errors.PermissionDeniedError, match="new"):
            kept.save()


class TestBetweenTwoNames:
    """Files of a checkpoint that replaces one get their names one after the other."""

    @pytest.mark.parametrize("names", range(1, 5))
    def test_the_old_one_or_the_new_one(self, kept, monkeypatch, names):
        kept.set(1.0)
        kept.save()
        kept.set(2.0)
        given = [0]
        replace = os.replace

        def some(source, target):
            # Kernels that were compiled meanwhile get their names by the same function.
            is_ours = str(target).startswith(kept.path)
            given[0] += is_ours
            if is_ours and given[0] > names:
                raise OSError(5, "Input/output error", target)
            replace(source, target)

        monkeypatch.setattr(commit.os, "replace", some)
        with pytest.raises(hf.errors.OpError) if names < 4 else contextlib.nullcontext():
            kept.save()
        monkeypatch.undo()
        kept.set(0.0)
        kept.restore()
        wanted = 1.0 if names < 2 else 2.0
        assert kept.values() == [wanted, wanted]
        assert hf.train.checkpoint_exists(kept.path)
        kept.set(3.0)
        kept.save()
        assert not [path for path in os.listdir(os.path.dirname(kept.path)) if "pending" in path]
        kept.set(0.0)
        kept.restore()
        assert kept.values() == [3.0, 3.0]

    def test_removed_with_what_is_pending(self, kept, monkeypatch):
        kept.save()
        os.rename(index_name(kept.path), commit.pending(index_name(kept.path)))
        assert hf.train.load_variable(kept.path, "a").tolist() == [0] * 50_000
        hf.train.remove_checkpoint(kept.path)
        assert os.listdir(os.path.dirname(kept.path)) == []


# A file that is opened as the interrupt comes closes itself, which Python remarks.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestInterrupts:
    @pytest.mark.parametrize("what", ["save", "restore"])
    def test_at_any_moment(self, kept, tmp_path, what):
        """Files are the old ones or the new ones; values are the old ones or the new ones."""
        kept.set(1.0)
        kept.save()
        interrupted = 0
        for number in range(60):
            kept.set(2.0)
            main = threading.main_thread().ident
            timer = threading.Timer(number * 3e-5, signal.pthread_kill, (main, signal.SIGINT))
            try:
                timer.start()
                (kept.save if what == "save" else kept.restore)()
                timer.join()
                time.sleep(0.001)
            except KeyboardInterrupt:
                interrupted += 1
            timer.join()
            found = kept.values()
            assert found in ([2.0, 2.0], [1.0, 1.0])
            kept.restore()
            found = kept.values()
            assert found in ([2.0, 2.0], [1.0, 1.0])
            assert not [path for path in os.listdir(tmp_path) if "tempstate" in path]
            kept.set(1.0)
            kept.save()
        assert interrupted


class TestRestoring:
    def test_what_fails_changes_nothing(self, kept, tmp_path):
        """A damaged tensor, and one of another shape, behind one that is well."""
        kept.set(1.0)
        kept.save()
        kept.set(2.0)
        path = bundle.data_name(kept.path)
        data = bytearray(Path(path).read_bytes())
        data[300_000] ^= 1
        Path(path).write_bytes(bytes(data))
        with pytest.raises(hf.errors.DataLossError, match=r"m\.data.*tensor b"):
            kept.restore()
        assert kept.values() == [2.0, 2.0]
        other = str(tmp_path / "other")
        with bundle.BundleWriter(other) as writer:
            writer.add("a", np.zeros(50_000, np.float32))
            writer.add("b", np.zeros(3, np.float32))
            writer.finish()
        with pytest.raises((hf.errors.InvalidArgumentError, ValueError), match="shape"):
            kept.restore(other)
        assert kept.values() == [2.0, 2.0]


def test_a_folder_where_the_index_belongs(tmp_path):
    """The save fails, and leaves nothing that readers could take for a checkpoint."""
    (tmp_path / "model.index").mkdir()
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(hf.get_variable("v", initializer=1.0).initializer)
        with pytest.raises(hf.errors.FailedPreconditionError, match="directory"):
            hf.train.Saver().save(session, str(tmp_path / "model"))
    assert os.listdir(tmp_path) == ["model.index"]
