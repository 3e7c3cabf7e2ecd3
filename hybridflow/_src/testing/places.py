"""Folders that tests write to and read from, and what the machine has."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

__all__ = [
    "get_temp_dir",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "test_src_dir_path",
]


@functools.cache
def _scratch() -> str:
    folder = tempfile.mkdtemp(prefix="hybridflow-test-")
    owner = os.getpid()

    def remove() -> None:
        # A process that was forked goes on without it.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def get_temp_dir(test: str = "") -> str:
    """A folder for the files of tests, which is removed when the process ends.

    Args:
      test: the name of a test, for a folder of its own.

    >>> import hybridflow as hf
    >>> hf.test.get_temp_dir() == hf.test.get_temp_dir()
    True
    """
    folder = os.path.join(_scratch(), hashlib.sha1(test.encode()).hexdigest()[:12] if test else "")
    os.makedirs(folder, exist_ok=True)
    return folder


def test_src_dir_path(relative_path: str) -> str:
    """The path of a file of this package, given from the folder that holds the package.

    >>> import hybridflow as hf
    >>> hf.test.test_src_dir_path("hybridflow/nn").endswith("nn")
    True
    """
    return str(Path(__file__).parents[3] / relative_path)


def is_built_with_cuda() -> bool:
    """False: everything runs on the processor.

    >>> import hybridflow as hf
    >>> hf.test.is_built_with_cuda()
    False
    """
    return False


def is_gpu_available(
    cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None
) -> bool:
    """False: everything runs on the processor.

    >>> import hybridflow as hf
    >>> hf.test.is_gpu_available()
    False
    """
    return False


def gpu_device_name() -> str:
    """An empty text: there is no GPU.

    >>> import hybridflow as hf
    >>> hf.test.gpu_device_name()
    ''
    """
    return ""
