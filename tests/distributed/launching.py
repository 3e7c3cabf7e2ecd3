"""Starts programs on several ranks, by MPICH's launcher or Open MPI's."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The one that was installed beside mpi4py; else that of the system.
_BESIDE = Path(sysconfig.get_path("scripts")) / "mpiexec"
MPIEXEC = str(_BESIDE) if _BESIDE.exists() else shutil.which("mpiexec") or "mpiexec"
# What Open MPI has to be told, where a container has one user and few processors.
OPEN_MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


@functools.cache
def is_open_mpi():
    """Whether ranks are started by Open MPI."""
    said = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True, check=False)
    return "Open" in said.stdout.split("\n")[0]


def started(count, *command, **environment):
    """Python with some arguments on so many ranks, as a process that has begun."""
    return subprocess.Popen(
        [MPIEXEC, "-n", str(count), sys.executable, *map(str, command)],
        cwd=ROOT,
        env={
            **os.environ,
            **OPEN_MPI,
            "PYTHONPATH": str(ROOT),
            "HYBRIDFLOW_NUM_THREADS": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def mpiexec(count, *command, timeout=120, **environment):
    """Runs Python with some arguments on so many ranks; gives the ended process."""
    with started(count, *command, **environment) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
