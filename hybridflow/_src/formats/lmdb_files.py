"""Databases of LMDB, read by its library (the extra `lmdb`)."""

from __future__ import annotations

import importlib
import os
import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import DataLossError
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LIBRARY = (
    "Databases of LMDB are read by its library, which is not installed: "
    "pip install 'hybridflow[lmdb]'"
)
# What a folder holds.
_FILE = "data.mdb"
# The databases that are open: a process may open each once. None is used by a child of the process.
_open: weakref.WeakValueDictionary[tuple[int, str], Any] = weakref.WeakValueDictionary()
_lock = new_lock()


def read(path: str) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a database, in the order of the keys.

    Args:
      path: of its folder, or of its file alone.

    Raises:
      ImportError: without the library. NotFoundError, PermissionDeniedError: what the system says.
        DataLossError: for what is no database, or a damaged one.
    """
    library = _library()
    with translated(path):
        os.stat(path)  # the library's own errors have no number
    try:
        database = holding(_lock, _database, library, path)
        with database.begin() as transaction:
            yield from transaction.cursor()
    except library.Error as error:
        raise DataLossError(None, None, f"{error} ({path})") from error


def _database(library: Any, path: str) -> Any:
    is_folder = os.path.isdir(path)
    file = os.path.join(path, _FILE) if is_folder else path
    key = os.getpid(), os.path.realpath(file)
    found = _open.get(key)
    if found is None:
        found = library.open(path, subdir=is_folder, create=False, readonly=True, lock=False)
        _open[key] = found
    return found


def _library() -> Any:
    try:
        return importlib.import_module("lmdb")
    except ImportError as error:
        raise ImportError(_NO_LIBRARY) from error
