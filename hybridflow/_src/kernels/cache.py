"""The folder of compiled kernels.

An entry is object code that this process would run, so it is read from a folder alone that nobody
but the user can write to, and only if it is whole and under the key that was asked for. Whatever is
wrong with an entry or the folder, the answer is that there is none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

_MAGIC = b"hybridflow kernel 1\n"
_LARGEST = 16 << 20
_SUFFIX = ".kernel"


def folder() -> Path:
    """The folder: `HYBRIDFLOW_CACHE_DIR`, else the user's cache folder."""
    chosen = os.environ.get("HYBRIDFLOW_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hybridflow"


def _is_private(info: os.stat_result, kind: int) -> bool:
    """Whether a file or folder is of this kind, belongs to the user, and others cannot write it."""
    if stat.S_IFMT(info.st_mode) != kind:
        return False
    if not hasattr(os, "getuid"):
        return True
    return info.st_uid == os.getuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def usable(path: Path) -> bool:
    """Whether kernels may be read from this folder."""
    try:
        info = path.lstat()
    except OSError:
        return False
    shared = info.st_mode & 0o077 and hasattr(os, "getuid")
    return _is_private(info, stat.S_IFDIR) and not shared


def load(key: str) -> bytes | None:
    """The object code under a key, or None."""
    path = folder()
    if not usable(path):
        return None
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path / (key + _SUFFIX), flags), "rb") as file:
            info = os.fstat(file.fileno())
            if not _is_private(info, stat.S_IFREG) or info.st_size > _LARGEST:
                return None
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    return _unpack(key, content)


def _unpack(key: str, content: bytes) -> bytes | None:
    head = _MAGIC + key.encode() + b"\n"
    start = len(head) + hashlib.sha256().digest_size
    code = content[start:]
    if not content.startswith(head) or content[len(head) : start] != hashlib.sha256(code).digest():
        return None
    return code


def store(key: str, code: bytes) -> bool:
    """Keeps object code under a key, if it can; tells whether it did."""
    path = folder()
    temporary = None
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not usable(path):
            return False
        handle, temporary = tempfile.mkstemp(dir=path, suffix=".part")
        with open(handle, "wb") as file:
            file.write(_MAGIC + key.encode() + b"\n" + hashlib.sha256(code).digest() + code)
        os.replace(temporary, path / (key + _SUFFIX))
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        return False
    return True


def entries() -> list[Path]:
    """The files of the cache."""
    path = folder()
    return sorted(path.glob("*" + _SUFFIX)) if usable(path) else []


def clear() -> int:
    """Removes all entries; tells how many."""
    found = entries()
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
