"""Libraries of TensorFlow's kernels and file systems, which nothing but TensorFlow can load."""

from __future__ import annotations

import os
from typing import NoReturn

from hybridflow._src.framework.errors import NotFoundError, UnimplementedError

__all__ = ["load_file_system_library", "load_op_library"]


def load_op_library(library_filename: str) -> NoReturn:
    """Refuses a library of TensorFlow's ops: it is machine code that calls TensorFlow's.

    Args:
      library_filename: path of a shared library.

    Raises:
      NotFoundError: if there is no such file.
      UnimplementedError: if there is; it says what to write instead.

    >>> import hybridflow as hf
    >>> try:
    ...     hf.load_op_library("zero_out.so")
    ... except hf.errors.NotFoundError as error:
    ...     print(error.message)
    zero_out.so: cannot open shared object file: no such file
    """
    _refuse(
        library_filename,
        "Write the op in Python: of hf's ops, so that it has gradients and is compiled, or by "
        "`hf.py_func` and `hf.custom_gradient`.",
    )


def load_file_system_library(library_filename: str) -> NoReturn:
    """Refuses a library of a file system: it is machine code that calls TensorFlow's.

    Args:
      library_filename: path of a shared library.

    Raises:
      NotFoundError: if there is no such file.
      UnimplementedError: if there is; it says what to do instead.

    >>> import hybridflow as hf
    >>> try:
    ...     hf.load_file_system_library("nowhere.so")
    ... except hf.errors.NotFoundError as error:
    ...     print(error.message)
    nowhere.so: cannot open shared object file: no such file
    """
    _refuse(library_filename, "Mount the file system, so that its files have paths.")


def _refuse(filename: str, instead: str) -> NoReturn:
    path = os.fspath(filename)
    if not os.path.isfile(path):
        raise NotFoundError(None, None, f"{path}: cannot open shared object file: no such file")
    raise UnimplementedError(
        None,
        None,
        f"{path} is machine code for TensorFlow's own runtime, which hybridflow does not have. "
        f"{instead}",
    )
