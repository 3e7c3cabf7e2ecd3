"""Facts about the machine and the programs that a measurement ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = (
    "numpy",
    "numba",
    "llvmlite",
    "pytensor",
    "jax",
    "jaxlib",
    "optax",
    "torch",
    "tensorflow",
    "tensorflow_cpu",
)


def versions() -> dict[str, str]:
    """Python and what of the libraries is installed beside it."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _proc(path: str, key: str) -> str | None:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), None)


def _git(*args: str) -> str | None:
    done = subprocess.run(["git", "-C", str(ROOT), *args], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def facts() -> dict[str, Any]:
    """The machine, the load on it, and the revision that is measured."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "system": platform.platform(),
        "processor": _proc("/proc/cpuinfo", "model name") or platform.processor(),
        "flags": sorted(
            set((_proc("/proc/cpuinfo", "flags") or "").split()) & {"avx2", "fma", "avx512f"}
        ),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "memory": _proc("/proc/meminfo", "MemTotal"),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "revision": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "hybridflow")),
        "python": sys.version,
    }
