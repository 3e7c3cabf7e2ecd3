"""Ranks that fail: the job ends soon, and shows the first error once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import hybridflow as hf
from hybridflow import distributed as hvd
from tests.distributed.launching import ROOT, is_open_mpi, mpiexec, started

needs_mpi = pytest.mark.skipif(
    subprocess.run(
        [sys.executable, "-c", "import mpi4py"], check=False, capture_output=True
    ).returncode
    != 0,
    reason="mpi4py comes with the extra `test`",
)

BEGINNING = """
import os, signal, sys, time
import numpy as np
import tensorflow as tf
import horovod.tensorflow as hvd
hvd.init()
rank = hvd.rank()
x = tf.constant(np.ones(4, np.float32))
session = tf.Session()
mean = hvd.allreduce(x, name="mean")
session.run(mean)
print("rank", rank, "of", hvd.size(), "begins with", "a long line " * 20)
"""

# What ranks do, what is said of it (once), and what is not.
ENDS = {
    "it raises": (
        "if rank == 1: raise KeyError('broken')\nwhile True: session.run(mean)",
        ["rank 1 of 3 has failed", "KeyError: 'broken'"],
    ),
    "all raise": ("raise KeyError('broken')", ["of 3 has failed", "KeyError: 'broken'"]),
    "it exits": (
        "if rank == 1: sys.exit(0)\nwhile True: session.run(mean)",
        ["ranks 0, 2: Allreduce 'mean': float32 [4]; rank 1: has ended"],
    ),
    "it is killed": (
        "if rank == 1: os.kill(os.getpid(), signal.SIGKILL)\nwhile True: session.run(mean)",
        [],
    ),
    "it does something else": (
        "other = hvd.allreduce(x[:rank + 1], name='other')\nsession.run(other)",
        ["rank 0: Allreduce 'other': float32 [1]; rank 1: Allreduce 'other': float32 [2]; rank 2"],
    ),
    "it does something else when steps are native": (
        """
other = hvd.allreduce(x, name='other')
for _ in range(20):
    session.run(mean)
    time.sleep(0.05)
session.run(mean if rank else other)
""",
        ["rank 0: Allreduce 'other': float32 [4]; ranks 1, 2: Allreduce 'mean': float32 [4]"],
    ),
    "it uses another number of threads": (
        """
from hybridflow._src.kernels import pool
pool._size = 1 + rank % 2
v = tf.get_variable("v", initializer=np.ones(4, np.float32))
train = hvd.DistributedOptimizer(tf.train.AdamOptimizer()).minimize(tf.reduce_sum(v * v))
session.run(tf.global_variables_initializer())
for _ in range(9):
    session.run(train)
""",
        ["different numbers of threads, 1 and 2, so that"],
    ),
    "it is interrupted while it waits, and goes on": (
        """
import threading
for _ in range(20):
    session.run(mean)
    time.sleep(0.05)
if rank == 1:
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
else:
    time.sleep(2.0)
try:
    session.run(mean)
except KeyboardInterrupt:
    pass
session.run(mean)
""",
        ["Rank 1 has left a step in which others wait for it"],
    ),
    "two of its threads do so at once": (
        """
import contextlib, threading
def other():
    with contextlib.suppress(Exception):
        session.run(mean)
if rank == 1:
    threading.Timer(0.5, other).start()
else:
    time.sleep(2.0)
while True: session.run(mean)
""",
        ["Rank 1 runs collectives on two threads at once"],
    ),
    "it goes on after an error": (
        """
other = hvd.allreduce(x[:rank + 1], name='other')
try:
    session.run(other)
except tf.errors.FailedPreconditionError:
    pass
session.run(mean)
""",
        ["out of step. It was: Ranks do not do the same: rank 0: Allreduce 'other': float32 [1]"],
    ),
    "it leaves a step": (
        """
ok = tf.placeholder(tf.float32, [])
first = hvd.allreduce(x, name="first")
with tf.control_dependencies([first, tf.Assert(ok > 0.0, ["not ok"])]):
    second = hvd.allreduce(tf.identity(x), name="second")
try:
    session.run(second, {ok: -1.0 if rank == 1 else 1.0})
except tf.errors.InvalidArgumentError:
    pass
session.run(mean)
""",
        ["Rank 1 has left a step in which others wait for it"],
    ),
}


@needs_mpi
@pytest.mark.parametrize("case", ENDS)
def test_end(case, tmp_path):
    body, wanted = ENDS[case]
    program = tmp_path / "train.py"
    program.write_text(BEGINNING + body)
    began = time.monotonic()
    ended = mpiexec(3, "-m", "hybridflow", "run", program)
    assert ended.returncode != 0
    for text in wanted:
        assert ended.stderr.count(text) == 1, ended.stderr
    assert ended.stderr.count("Traceback (most recent call last)") == (1 if wanted else 0)
    # Whole lines; of a rank that the others' end came before, none.
    whole = {f"rank {r} of 3 begins with {'a long line ' * 20}" for r in range(3)}
    lines = [line for line in ended.stdout.splitlines() if "begins" in line]
    assert len(lines) == len(set(lines))
    assert whole >= set(lines)
    assert time.monotonic() - began < 100  # nobody waits for ever


# Of rank 1, before it meets the others, and what is said of it.
ENDS_UNMET = {
    "it raises": ("raise KeyError('no such file')", "KeyError: 'no such file'"),
    "it exits": ("sys.exit('no such file')", "no such file"),
    "others have ended": ("raise KeyError('late')\nif True: sys.exit()", "KeyError: 'late'"),
}


@needs_mpi
@pytest.mark.parametrize("case", ENDS_UNMET)
def test_end_of_one_that_has_not_met_the_others(case, tmp_path):
    body, wanted = ENDS_UNMET[case]
    program = tmp_path / "train.py"
    program.write_text(
        f"""
import os, sys
import horovod.tensorflow as hvd
if "1" in (os.environ.get("PMI_RANK"), os.environ.get("OMPI_COMM_WORLD_RANK")): {body}
hvd.init()
print("begins")
"""
    )
    ended = mpiexec(3, "-m", "hybridflow", "run", program, timeout=60)
    assert ended.returncode != 0
    assert ended.stderr.count(wanted) == 1, ended.stderr
    assert "begins" not in ended.stdout


@needs_mpi
def test_an_interrupt_ends_all_ranks(tmp_path):
    program = tmp_path / "train.py"
    program.write_text(BEGINNING + "print('pid', os.getpid())\nwhile True: session.run(mean)")
    with started(2, "-m", "hybridflow", "run", program, NUMBA_DISABLE_JIT="1") as process:
        pids = []
        while len(pids) < 2:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            pids += [int(line.split()[1])] if line.startswith("pid") else []
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    # Open MPI's launcher ends ranks by other signals.
    assert errors.count("KeyboardInterrupt") == (0 if is_open_mpi() else 1), errors
    until = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(runs, pids))


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@needs_mpi
def test_a_job_that_has_ended_begins_anew(tmp_path):
    program = tmp_path / "train.py"
    again = "    hvd.shutdown()\n    hvd.init()\n    print('total', session.run(mean))\n"
    program.write_text(
        BEGINNING + "for _ in range(4): session.run(mean)\nfor _ in range(2):\n" + again
    )
    ended = mpiexec(2, "-m", "hybridflow", "run", program)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("total [1. 1. 1. 1.]") == 4


def without_mpi4py(**environment):
    code = "import sys; sys.modules['mpi4py'] = None; import hybridflow.distributed as hvd; "
    code += "hvd.init(); print(hvd.rank(), hvd.size())"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_process_needs_no_mpi4py():
    ended = without_mpi4py()
    assert (ended.stdout, ended.stderr) == ("0 1\n", "")


def test_one_of_several_says_what_it_needs():
    ended = without_mpi4py(PMI_SIZE="4", PMI_RANK="1")
    assert ended.stderr.splitlines()[-1] == (
        "ImportError: this is one of 4 processes (PMI_SIZE says so), which need mpi4py to speak "
        "with each other: pip install 'hybridflow[mpi]'"
    )


def test_several_that_slurm_told_nothing_of_each_other():
    ended = without_mpi4py(SLURM_STEP_NUM_TASKS="4", SLURM_PROCID="1", SLURM_NTASKS="4")
    assert "srun started 4 processes" in ended.stderr.splitlines()[-1]
    # A script of a batch, which is alone.
    ended = without_mpi4py(SLURM_PROCID="0", SLURM_NTASKS="4")
    assert (ended.stdout, ended.stderr) == ("0 1\n", "")


# ---- one rank alone ----


@pytest.fixture
def alone():
    hvd.init()
    yield
    hvd.shutdown()


def test_nothing_is_there_before_init():
    for call in (hvd.rank, hvd.size, hvd.local_rank, lambda: hvd.allreduce(1.0)):
        with pytest.raises(ValueError, match=r"use hvd\.init"):
            call()


def test_an_optimizer_of_one_rank_adds_nothing(alone):
    with hf.Graph().as_default() as graph:
        v = hf.get_variable("v", initializer=[1.0, 2.0])
        optimizer = hvd.DistributedOptimizer(hf.train.MomentumOptimizer(0.5, 0.9))
        optimizer.minimize(hf.reduce_sum(v * v))
        assert not [op for op in graph.get_operations() if op.type.startswith("Horovod")]
        assert optimizer.get_slot(v, "momentum") is not None
        assert optimizer.get_slot_names() == ["momentum"]
        assert [s.op.name for s in optimizer.variables()] == ["v/Momentum"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hvd.broadcast(1.0, 1), ValueError, "root_rank must be a rank from 0 to 0"),
        (lambda: hvd.allreduce(1.0, True, op=hvd.Sum), ValueError, "supersedes average"),
        (lambda: hvd.allreduce(1.0, op="sum"), ValueError, "hvd.Average or hvd.Sum"),
        (lambda: hvd.allreduce(1.0, op=hvd.Adasum), NotImplementedError, "Adasum is refused"),
        (lambda: hvd.allgather(1.0), ValueError, "rank"),
        (lambda: hvd.join(), NotImplementedError, "as many batches"),
        (lambda: hvd.DistributedOptimizer("adam"), TypeError, "one of hf.train's optimizers"),
        (
            lambda: hvd.DistributedOptimizer(hf.train.AdamOptimizer(), backward_passes_per_step=2),
            ValueError,
            "must be 1",
        ),
    ],
)
def test_refused(alone, call, error, message):
    with hf.eager_mode(), pytest.raises(error, match=message):
        call()


def test_global_variables_are_broadcast_in_graphs_alone(alone):
    with hf.eager_mode(), pytest.raises(RuntimeError, match="broadcast_variables"):
        hvd.broadcast_global_variables(0)
