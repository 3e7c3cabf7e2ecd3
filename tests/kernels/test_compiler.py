"""The compiler: what becomes of kernels, whatever becomes of the cache and the worker."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import sys
from importlib import metadata

import numpy as np
import pytest

from hybridflow._src.kernels import cache, compiler, target, worker_process
from hybridflow._src.kernels.compiler import Compiler
from hybridflow._src.kernels.driver import MISMATCH, Feed, feed_table
from hybridflow._src.kernels.jobs import Jobs
from hybridflow._src.kernels.kernel import Kernel, environment
from hybridflow._src.kernels.worker_process import CompileError, Worker
from hybridflow._src.plan.planning import Kernels, build
from tests.kernels import processes


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A new folder for kernels."""
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@pytest.fixture(scope="module")
def worker():
    """One worker for all that can do with the same."""
    found = Worker()
    yield found
    found.kill()
    found.abandon()


@pytest.fixture
def made(worker):
    """Makes compilers, which have a worker."""

    def make():
        found = Compiler()
        found._worker = worker
        return found

    return make


@pytest.fixture
def alone():
    """A compiler that starts workers of its own."""
    found = Compiler()
    yield found
    found.end_worker()


def answer(number, label="answer"):
    return Kernel(f"def kernel(a):\n    return word(a, 0) + {number}\n", label)


def call(address, argument):
    words = np.array([argument], np.int64)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(words.ctypes.data)


def address_of(compiler, kernel):
    return compiler.obtain([kernel])[kernel]


def counts(compiler):
    return compiler.compiled, compiler.loaded, compiler.failed


# -- from the worker, from the cache ---------------------------------------------------------------


def test_compiled_once_and_loaded_from_then_on(made):
    first, second = made(), made()
    kernel = answer(41)
    assert call(address_of(first, kernel), 1) == 42
    assert address_of(first, kernel) == address_of(first, answer(41))
    assert counts(first) == (1, 0, 0)
    assert call(address_of(second, kernel), 2) == 43
    assert counts(second) == (0, 1, 0)


def test_a_name_that_stands_for_values_of_several_types(made):
    """In float64, which has room for both, neither would be the same."""
    source = """def kernel(a):
    total = 0
    for i in range(word(a, 0)):
        x = f32(i) / f32(3)
        y = f32(x * x)
        x = (1 << 60) + i
        total += x + i64(y * f32(1 << 20))
    return total
"""
    thirds = np.arange(7, dtype=np.float32) / np.float32(3)
    wanted = sum((1 << 60) + i + int(y) for i, y in enumerate(thirds * thirds * np.float32(2**20)))
    assert call(address_of(made(), Kernel(source, "names")), 7) == wanted


def test_the_driver_runs_programs_and_marks_those_that_end(made):
    enter = made().entry().enter
    found = []

    @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
    def note(argument):
        found.append(argument)
        return argument if argument == 7 else 0

    function = ctypes.cast(note, ctypes.c_void_p).value

    def run(*arguments):
        words = [len(arguments), 0, 0]
        for argument in arguments:
            words += [function, argument]
        program = np.array(words, np.int64)
        return enter(program.ctypes.data), program[1]

    # ctypes takes the interpreter's lock for the call, which the driver has given back.
    assert run(1, 2, 3) == (0, 1)
    assert run(4, 7, 5) == (256 + 7, 0)
    assert run() == (0, 1)
    assert found == [1, 2, 3, 4, 7]


@pytest.mark.parametrize("runs", [True, False])
def test_the_driver_takes_arrays_that_fit_and_no_others(made, runs):
    entry, expected = made().entry(), object()
    program = np.array([0, 0, 0], np.int64)
    took = np.zeros(3, np.int64)
    base = took.ctypes.data
    feeds = [
        Feed(None, np.dtype(np.float32), (2, 3), [(base, 0), (base + 8, 4)]),
        Feed(expected),
        Feed(None, np.dtype(np.int64), (), [(base + 16, 0)]),
    ]
    table = feed_table(program.ctypes.data if runs else 0, feeds)
    feed = entry.feeder(table)

    good = np.ones((2, 3), np.float32)
    number = np.array(5)
    assert feed((good, expected, number)) == 0
    address = good.ctypes.data
    assert took.tolist() == [address, address + 4, number.ctypes.data]
    assert program[1] == runs

    program[1] = took[...] = 0
    assert feed((good, expected)) == 0
    assert took.tolist() == [address, address + 4, 0]

    class Other(np.ndarray):
        pass

    odd = np.zeros(25, np.uint8)[1:].view(np.float32).reshape(2, 3)
    for bad in (
        [[1.0, 1.0, 1.0]] * 2,
        None,
        np.float32(1),
        good.astype(np.float64),
        good.astype(">f4"),
        good[:, :2],
        good.reshape(3, 2),
        good.reshape(1, 2, 3),
        np.ones((3, 2), np.float32).T,
        odd,
        good.view(Other),
    ):
        program[1] = 0
        assert feed((bad, expected, number)) == MISMATCH
        assert not program[1]
    assert feed((good, object(), number)) == MISMATCH
    assert feed((good, expected, np.int64(5))) == MISMATCH


def test_a_key_tells_of_all_that_the_code_depends_on():
    key = answer(1).key
    assert answer(1, "another label").key == key
    assert answer(2).key != key
    lines = environment().splitlines()
    assert len(lines[0]) == 64
    numba = metadata.distribution("numba").locate_file("numba/_version.py").read_bytes()
    assert metadata.version("numba").encode() in numba
    assert f"numba {hashlib.sha256(numba).hexdigest()}" in lines
    assert f"llvmlite {metadata.version('llvmlite')}" in lines
    assert list(target.cpu()) == lines[-2:]


# -- a cache that cannot be used -------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"no object code", b"\x7fELF" + bytes(200)])
def test_an_entry_that_is_no_object_code(made, content):
    kernel = answer(10)
    assert cache.store(kernel.key, content)
    compiler = made()
    assert call(address_of(compiler, kernel), 1) == 11
    assert counts(compiler) == (1, 0, 0)
    # It was replaced.
    again = made()
    assert call(address_of(again, kernel), 1) == 11
    assert counts(again) == (0, 1, 0)


def test_object_code_of_another_kernel_under_the_key(made):
    wrong, kernel = answer(1), answer(20)
    address_of(made(), wrong)
    code = cache.load(wrong.key)
    assert code is not None
    assert cache.store(kernel.key, code)
    compiler = made()
    assert call(address_of(compiler, kernel), 1) == 21
    assert counts(compiler) == (1, 0, 0)


def test_object_code_cut_short(made):
    kernel = answer(30)
    address_of(made(), kernel)
    code = cache.load(kernel.key)
    assert code is not None
    for size in (8, 64, len(code) // 2, len(code) - 8):
        assert cache.store(kernel.key, code[:size])
        compiler = made()
        assert call(address_of(compiler, kernel), 1) == 31
        assert counts(compiler) == (1, 0, 0)


@pytest.mark.parametrize("place", ["/proc/none", "/dev/null", "/dev/null/kernels"])
def test_no_cache(made, monkeypatch, place):
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", place)
    compiler = made()
    assert call(address_of(compiler, answer(41)), 1) == 42
    assert counts(compiler) == (1, 0, 0)


# -- a worker in trouble ---------------------------------------------------------------------------


def kill_worker(subject, monkeypatch, times, marked=""):
    """The worker is killed after it got a request, so many times; gives the processes."""
    real, killed = worker_process.send, []

    def send(pipe, message):
        kills = len(killed) < times and marked.encode() in message
        if kills:  # stopped first, or it might have answered before it is killed
            killed.append(subject._worker.pid)
            os.kill(killed[-1], signal.SIGSTOP)
        real(pipe, message)
        if kills:
            os.kill(killed[-1], signal.SIGKILL)

    monkeypatch.setattr(worker_process, "send", send)
    return killed


@pytest.mark.parametrize("times", [1, 3])
def test_a_worker_that_is_killed_while_it_compiles(alone, monkeypatch, times):
    killed = kill_worker(alone, monkeypatch, times)
    assert call(address_of(alone, answer(50)), 1) == 51
    assert counts(alone) == (1, 0, 0)
    assert len(set(killed)) == times


def test_a_worker_that_is_killed_each_time(alone, monkeypatch):
    killed = kill_worker(alone, monkeypatch, 100, marked="+ 60")
    for _ in range(2):
        with pytest.raises(CompileError, match=r"sixty.* 4 times"):
            address_of(alone, answer(60, "sixty"))
    assert counts(alone) == (0, 0, 1)
    assert len(killed) == 4
    assert call(address_of(alone, answer(61)), 1) == 62


def test_others_have_their_turn_while_the_worker_is_killed(alone, monkeypatch):
    monkeypatch.setattr(compiler, "_PAUSES", (0.0, 0.1, 0.2))
    kill_worker(alone, monkeypatch, 100, marked="+ 60")
    jobs, made, problems = Jobs(), [], []

    def job(numbers):
        for number in numbers:
            yield from alone.make([answer(number)])
            made.append(number)

    jobs.submit(jobs, job([60, 62]), problems.append)
    jobs.submit(jobs, job([63, 64]), problems.append)
    assert jobs.wait(60)
    assert made == [63, 64]
    (problem,) = problems
    assert "ended 4 times" in problem


def test_a_worker_that_takes_too_long_is_ended(alone, monkeypatch):
    monkeypatch.setattr(worker_process, "_MOST_SECONDS", 0.01)
    with pytest.raises(CompileError, match=r"slow.* 4 times"):
        address_of(alone, answer(65, "slow"))
    monkeypatch.undo()
    assert call(address_of(alone, answer(66)), 1) == 67


@pytest.mark.parametrize("program", ["/bin/false", "/bin/cat", "/usr/bin/yes", "/nowhere/python"])
def test_a_worker_that_cannot_start(alone, monkeypatch, tmp_path, program):
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(CompileError, match=f"{program} is no Python|does not start"):
        address_of(alone, answer(70))
    assert counts(alone) == (0, 0, 1)


@pytest.mark.parametrize("program", ["/bin/false", "/bin/cat", "/usr/bin/yes"])
def test_what_only_looks_like_a_python(alone, monkeypatch, tmp_path, program):
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\nexec {program}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    with pytest.raises(CompileError, match=f"{path} does not run the compile worker"):
        address_of(alone, answer(71))
    monkeypatch.undo()
    assert call(address_of(alone, answer(72)), 1) == 73


def empty_plan():
    return build([], [], [], Kernels())


@pytest.mark.parametrize("executable", ["", None])
def test_without_a_python_nothing_is_compiled(monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    assert empty_plan().native is None


@pytest.mark.parametrize(("value", "wanted"), [("1", False), ("0", True), ("", True)])
def test_numba_switched_off(monkeypatch, value, wanted):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", value)
    assert (empty_plan().native is not None) == wanted


@pytest.mark.parametrize(
    "source", ["def kernel(a):\n    return unknown(a)\n", "def kernel(a:\n", "x = 1\n"]
)
def test_a_kernel_that_does_not_compile(made, source):
    subject = made()
    with pytest.raises(CompileError, match="broken"):
        address_of(subject, Kernel(source, "broken"))
    assert call(address_of(subject, answer(80)), 1) == 81
    assert counts(subject) == (1, 0, 1)


# -- whole programs --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected():
    """What the interpreter gives."""
    found = processes.run(NUMBA_DISABLE_JIT="1")
    assert found["programs"] == found["compiled"] == found["loaded"] == 0
    return found["losses"]


def check(found, expected, *, native=True):
    np.testing.assert_allclose(found["losses"], expected, rtol=1e-5)
    assert found["programs"] == native, found["problems"]
    assert not found["numba"]


def test_cold_and_warm(expected, folder):
    cold = processes.run(HYBRIDFLOW_CACHE_DIR=str(folder))
    check(cold, expected)
    assert cold["loaded"] == cold["failed"] == 0
    warm = processes.run(HYBRIDFLOW_CACHE_DIR=str(folder))
    check(warm, expected)
    assert warm["losses"] == cold["losses"]
    assert warm["compiled"] == warm["failed"] == 0
    assert warm["loaded"] == cold["compiled"]
    # Whatever happens to the entries, they are made anew.
    for number, path in enumerate(sorted(folder.iterdir())):
        content = bytearray(path.read_bytes())
        content[-1 - number] ^= 255
        path.write_bytes(content[: len(content) - number % 2])
    again = processes.run(HYBRIDFLOW_CACHE_DIR=str(folder))
    check(again, expected)
    assert again["losses"] == cold["losses"]
    assert again["loaded"] == 0


def test_two_processes_fill_a_cache_at_once(expected, folder):
    both = [processes.started(processes.RUN, HYBRIDFLOW_CACHE_DIR=str(folder)) for _ in range(2)]
    for process in both:
        found = processes.json.loads(processes.finished(process))
        check(found, expected)
        assert found["failed"] == 0
    warm = processes.run(HYBRIDFLOW_CACHE_DIR=str(folder))
    check(warm, expected)
    assert warm["compiled"] == 0
    assert all(path.suffix == ".kernel" for path in folder.iterdir())


def test_a_program_without_cache(expected):
    check(processes.run(HYBRIDFLOW_CACHE_DIR="/dev/null/kernels"), expected)


@pytest.mark.parametrize("executable", ["''", "None", "'/bin/false'", "'/bin/cat'"])
def test_a_program_without_worker(expected, executable):
    program = f"import sys\nsys.executable = {executable}\n" + processes.RUN
    check(processes.run(program, HYBRIDFLOW_CACHE_DIR="/dev/null"), expected, native=False)


def test_settings_of_numba_are_not_for_kernels(expected, folder):
    processes.run(HYBRIDFLOW_CACHE_DIR=str(folder), NUMBA_OPT="0", NUMBA_CPU_NAME="generic")
    codes = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    processes.run(HYBRIDFLOW_CACHE_DIR=str(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == codes


@pytest.mark.parametrize("when", ["at once", "soon", "later"])
def test_a_program_that_ends_while_kernels_are_compiled(when):
    program = (
        processes.TRAIN
        + {
            "at once": "step(session); step(session)",
            "soon": "import time; step(session); step(session); time.sleep(0.05)",
            "later": "import time; step(session); step(session); time.sleep(1.0)",
        }[when]
    )
    output = processes.finished(processes.started(program, HYBRIDFLOW_CACHE_DIR="/dev/null"), 30)
    assert output == ""
