"""Starts programs on several ranks."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MPIEXEC = str(Path(sysconfig.get_path("scripts")) / "mpiexec")


def started(count, *command, **environment):
    """Python with some arguments on so many ranks, as a process that has begun."""
    return subprocess.Popen(
        [MPIEXEC, "-n", str(count), sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HYBRIDFLOW_NUM_THREADS": "1", **environment},
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
