"""Checkpoints: variables that are saved and restored."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from typing import Any, NamedTuple

import numpy as np

# How many bytes a program that does it plainly writes or reads before it makes their checksum.
STEP = 1 << 18


class Kept(NamedTuple):
    """Tensors in one file."""

    values: list[np.ndarray]


def _kept(megabytes: float, tensors: int) -> Kept:
    rng = np.random.default_rng(6)
    size = int(megabytes * 1e6 / 4 / tensors)
    return Kept([rng.standard_normal(size, np.float32) for _ in range(tensors)])


def folder() -> str:
    """A new folder, which goes when the process ends."""
    found = tempfile.mkdtemp(prefix="hybridflow-bench-")
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found


FAMILIES: dict[str, Any] = {"save": _kept, "restore": _kept}
