"""Files of this machine."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.platform.gfile import (
        Copy,
        DeleteRecursively,
        Exists,
        FastGFile,
        GFile,
        Glob,
        IsDirectory,
        ListDirectory,
        MakeDirs,
        MkDir,
        Open,
        Remove,
        Rename,
        Stat,
        Walk,
    )

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]
