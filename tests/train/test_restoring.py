"""Restoring takes little memory, and all variables change or none."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import bundle_reader
from hybridflow._src.formats.bundle import data_name
from hybridflow._src.framework.alignment import aligned_empty
from hybridflow._src.ops.saving import checkpoints
from tests import native

COUNT, SIZE = 8, 1_000_000
NUMBERS = 4 * SIZE


class Kept:
    """Variables `v0`, `v1`, ... of one size."""

    def __init__(self, path, run, save, restore):
        self.path = path
        self.run = run
        self.save = lambda: save(path)
        self.restore = lambda: restore(path)

    def values(self):
        found = self.run(None)
        assert all(value.min() == value.max() for value in found)
        return [float(value[0]) for value in found]

    def set(self, value):
        self.run(value)


@pytest.fixture(params=["reference", "resource", "described", "sharded", "reshaped", "eager"])
def kept(request, tmp_path):
    path, kind = str(tmp_path / "m"), request.param
    if kind == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield eager(path)
        return
    with hf.Graph().as_default(), hf.variable_scope("", use_resource=kind == "resource"):
        made = [hf.get_variable(f"v{n}", [SIZE]) for n in range(COUNT)]
        saver = hf.train.Saver(sharded=kind == "sharded", reshape=kind == "reshaped")
        if kind == "described":
            message = hf.train.export_meta_graph(saver_def=saver.as_saver_def())
            with hf.Graph().as_default(), hf.Session() as session:
                saver = hf.train.import_meta_graph(message)
                yield in_graph(path, session, saver, hf.global_variables())
            return
        with hf.Session() as session:
            yield in_graph(path, session, saver, made)


def in_graph(path, session, saver, made):
    fed = hf.placeholder(hf.float32, [])
    assigned = [hf.assign(v, hf.fill([SIZE], fed)).op for v in made]

    def run(value):
        return session.run(made) if value is None else session.run(assigned, {fed: value})

    return Kept(
        path,
        run,
        lambda path: saver.save(session, path, write_meta_graph=False, write_state=False),
        lambda path: saver.restore(session, path),
    )


def eager(path):
    made = [hf.get_variable(f"v{n}", [SIZE]) for n in range(COUNT)]
    saver = hf.train.Saver(made)

    def run(value):
        for v in made if value is not None else ():
            v.assign(np.full(SIZE, value, np.float32))
        return [v.numpy() for v in made]

    return Kept(
        path,
        run,
        lambda path: saver.save(None, path, write_state=False),
        lambda path: saver.restore(None, path),
    )


def test_memory(kept):
    """Beside what variables hold, no more than 1.1 x the largest, and what Python reads ahead."""
    kept.set(1.0)
    kept.save()
    kept.restore()
    kept.set(2.0)
    native.wait()  # what is compiled takes memory too
    tracemalloc.start()
    try:
        for _ in range(3):
            kept.set(2.0)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            kept.restore()
            assert tracemalloc.get_traced_memory()[1] - before < 1.1 * NUMBERS + (1 << 17)
            assert kept.values() == [1.0] * COUNT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("tensor", range(COUNT))
def test_damage_changes_nothing(kept, tensor):
    kept.set(1.0)
    kept.save()
    kept.set(2.0)
    damage(kept.path, tensor)
    with pytest.raises(hf.errors.DataLossError, match=rf"m\.data.*checksum of tensor v{tensor}"):
        kept.restore()
    assert kept.values() == [2.0] * COUNT


def damage(path, tensor):
    with open(data_name(path), "r+b") as file:
        file.seek(tensor * NUMBERS)
        file.write(b"\x01")


def when_checked(monkeypatch, function):
    """Has a function called when the last tensor is checked that is to be read once more."""
    check, left = checkpoints.Kept.check, [COUNT - 1]

    def checked(self):
        check(self)
        left[0] -= 1
        if not left[0]:
            function()

    monkeypatch.setattr(checkpoints.Kept, "check", checked)


def test_files_that_are_replaced_meanwhile(kept, monkeypatch):
    """What was checked is restored."""
    kept.set(1.0)
    kept.save()
    kept.set(2.0)

    def replace():
        for path in Path(kept.path).parent.glob("m.*"):
            other = path.with_name("other")
            other.write_bytes(bytes(len(path.read_bytes())))
            os.replace(other, path)

    when_checked(monkeypatch, replace)
    kept.restore()
    assert kept.values() == [1.0] * COUNT


def test_files_that_change_meanwhile(kept, monkeypatch):
    """An error says which variables have got values: to go back took all of their memory."""
    kept.set(1.0)
    kept.save()
    kept.set(2.0)
    when_checked(monkeypatch, lambda: damage(kept.path, 5))
    with pytest.raises(hf.errors.DataLossError, match=r"was changed.*from before: v0, v6, v7\b"):
        kept.restore()
    assert kept.values() == [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0]


def test_values_that_others_hold_stay(kept):
    kept.set(1.0)
    kept.save()
    kept.restore()
    ones = kept.run(None)
    kept.set(2.0)
    twos = kept.run(None)
    kept.restore()
    kept.set(3.0)
    assert all((value == 1.0).all() for value in ones)
    assert all((value == 2.0).all() for value in twos)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system tells it otherwise")
def test_no_memory_is_left_between_values(tmp_path):
    """What variables had is smaller than what they get, by what aligns it."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        many = [hf.get_variable(f"v{n}", [SIZE // 4]) for n in range(48)]
        saver = hf.train.Saver(many)
        path = saver.save(None, str(tmp_path / "m"), write_state=False)
        for v in many:
            v.assign(np.full(SIZE // 4, 2, np.float32))
        before = resident()
        saver.restore(None, path)
        assert resident() - before < 8 * NUMBERS // 4  # it was 24


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_memory_that_variables_had_is_used_again(kept, monkeypatch):
    """Of all tensors one alone needs memory of its own; the others get that of the one before."""
    kept.set(1.0)
    kept.save()
    kept.restore()
    made = []

    def counted(*args):
        made.append(args)
        return aligned_empty(*args)

    monkeypatch.setattr(bundle_reader, "aligned_empty", counted)
    kept.restore()
    assert len(made) == 1
    assert kept.values() == [1.0] * COUNT
