"""The folder of compiled kernels.

An entry is object code that this process would run, so it is read from a folder alone that nobody
but the user can write to, and only if it is whole and under the key that was asked for. Whatever is
wrong with an entry or the folder, the answer is that there is none.
"""

from __future__ import annotations

import contextlib
import os
import stat

_MAGIC = b"hybridflow kernel 1\n"
_LARGEST = 16 << 20
_ENTRY, _UNFINISHED = ".kernel", ".part"


def folder() -> str:
    """The folder: `HYBRIDFLOW_CACHE_DIR`, else the user's cache folder; "" if there is no home."""
    chosen = os.environ.get("HYBRIDFLOW_CACHE_DIR")
    if chosen:
        return chosen
    for base in (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")):
        if os.path.isabs(base):
            return os.path.join(base, "hybridflow")
    return ""


def problem() -> str:
    """Why kernels are not read from the folder, or ""."""
    path = folder()
    if not path:
        return "there is no home folder"
    try:
        info = os.lstat(path)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if not stat.S_ISDIR(info.st_mode):
        return "it is no folder"
    if not _is_own(info):
        return "it belongs to another user"
    if info.st_mode & 0o077 and hasattr(os, "geteuid"):
        return "others may use it: its mode must be 0700"
    return ""


def _is_own(info: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or info.st_uid == os.geteuid()


def _is_trusted(info: os.stat_result) -> bool:
    """Whether an open file is a plain one of the user's that others cannot write to."""
    shared = info.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and hasattr(os, "geteuid")
    return stat.S_ISREG(info.st_mode) and _is_own(info) and not shared


def load(key: str) -> bytes | None:
    """The object code under a key, or None."""
    if problem():
        return None
    # Not through a link, and without waiting for whoever writes to a pipe.
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        with open(os.open(os.path.join(folder(), key + _ENTRY), flags), "rb") as file:
            info = os.fstat(file.fileno())
            if not _is_trusted(info) or info.st_size > _LARGEST:
                return None
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    return _unpack(key, content)


def has(key: str) -> bool:
    """Whether there is an entry under a key; it may turn out to be none when it is loaded."""
    return not problem() and os.path.exists(os.path.join(folder(), key + _ENTRY))


def _digest(code: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(code).digest()


def _unpack(key: str, content: bytes) -> bytes | None:
    head = _MAGIC + key.encode() + b"\n"
    start = len(head) + 32
    code = content[start:]
    if not content.startswith(head) or content[len(head) : start] != _digest(code):
        return None
    return code


def store(key: str, code: bytes) -> bool:
    """Keeps object code under a key, if it can; tells whether it did."""
    path = folder()
    unfinished = os.path.join(path, f"{key}.{os.urandom(8).hex()}{_UNFINISHED}")
    made = False
    try:
        if path:
            os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
        if problem() or len(code) > _LARGEST // 2:
            return False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(unfinished, flags, 0o600), "wb") as file:
            made = True
            file.write(_MAGIC + key.encode() + b"\n" + _digest(code) + code)
        os.replace(unfinished, os.path.join(path, key + _ENTRY))
    except OSError:
        if made:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
        return False
    return True


def entries() -> list[str]:
    """The files of the cache."""
    return _files(_ENTRY)


def _files(*suffixes: str) -> list[str]:
    if problem():
        return []
    path = folder()
    return sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(suffixes))


def clear() -> int:
    """Removes all entries; tells how many.

    Raises:
      OSError: if one cannot be removed.
    """
    count = 0
    for path in _files(_ENTRY, _UNFINISHED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
            count += path.endswith(_ENTRY)
    return count
