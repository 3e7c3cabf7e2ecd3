"""Starts programs on several ranks."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MPIEXEC = str(Path(sysconfig.get_path("scripts")) / "mpiexec")


def mpiexec(count, *command, timeout=120, **environment):
    """Runs Python with some arguments on so many ranks; gives the ended process."""
    return subprocess.run(
        [MPIEXEC, "-n", str(count), sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HYBRIDFLOW_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
