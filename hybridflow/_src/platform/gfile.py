"""Files of this machine, by TensorFlow's names and with its errors."""

from __future__ import annotations

import glob
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import errors
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

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


_MODES = {f"{letter}{plus}" for letter in "rwa" for plus in ("", "+")}


class GFile:
    r"""A file: text, or bytes where `mode` ends in "b".

    What is read and what is written have places of their own in the file: with "+" one reads from
    the start what has been written and flushed.

    Args:
      name: the file's path.
      mode: "r", "w", "a", with "+" to both read and write, and with "b"; "r+" makes a file that is
        not there.

    Raises:
      InvalidArgumentError: for another mode. NotFoundError, PermissionDeniedError,
        FailedPreconditionError: if it may not be written, or is a folder. A file that is only read
        is opened when it is: then the same is raised.

    >>> import os, tempfile
    >>> import hybridflow as hf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "notes")
    ...     with hf.gfile.GFile(path, "w") as f:
    ...         f.write("one\ntwo\n")
    ...     with hf.gfile.GFile(path) as f:
    ...         print(list(f))
    ['one\n', 'two\n']
    """

    def __init__(self, name: str, mode: str = "r") -> None:
        self._name = name
        self._mode = mode
        self._kind = mode.replace("b", "").replace("t", "").replace("U", "")
        if self._kind not in _MODES:
            raise errors.InvalidArgumentError(
                None, None, f"File {name}: mode {mode!r} is none of r, w, a with + and b added."
            )
        self._reader: Any = None
        self._writer: Any = None
        if self._kind != "r":
            self._writer = self._opened(self._kind)

    def _opened(self, kind: str) -> Any:
        is_binary = "b" in self._mode

        def created(path: str, flags: int) -> int:
            return os.open(path, flags | os.O_CREAT, 0o666)

        with translated(self._name):
            return open(
                self._name,
                f"{kind}b" if is_binary else kind,
                encoding=None if is_binary else "utf-8",
                opener=created if kind == "r+" else None,
            )

    def _reading(self) -> Any:
        if self._kind in ("w", "a"):
            raise errors.PermissionDeniedError(
                None, None, f"File {self._name} isn't open for reading: its mode is {self._mode!r}."
            )
        if self._reader is None:
            self._reader = self._opened("r")
        return self._reader

    @property
    def name(self) -> str:
        """The file's path."""
        return self._name

    @property
    def mode(self) -> str:
        """The mode it was opened with."""
        return self._mode

    def size(self) -> int:
        """The size in bytes."""
        self.flush()
        with translated(self._name):
            return os.path.getsize(self._name)

    def read(self, n: int = -1) -> Any:
        """The next `n` characters or bytes; all that is left by default.

        Raises:
          PermissionDeniedError: if it is open for writing alone.
        """
        with translated(self._name):
            return self._reading().read(n)

    def readline(self) -> Any:
        """The next line, with its end; empty at the end of the file."""
        with translated(self._name):
            return self._reading().readline()

    def readlines(self) -> list[Any]:
        """All lines that are left."""
        with translated(self._name):
            return list(self._reading().readlines())

    def write(self, file_content: Any) -> None:
        """Writes text or bytes.

        Raises:
          PermissionDeniedError: if it is open for reading alone.
        """
        if self._writer is None:
            raise errors.PermissionDeniedError(
                None, None, f"File {self._name} isn't open for writing: its mode is {self._mode!r}."
            )
        if "b" in self._mode and isinstance(file_content, str):
            file_content = file_content.encode()
        elif "b" not in self._mode and isinstance(file_content, (bytes, bytearray)):
            file_content = bytes(file_content).decode()
        with translated(self._name):
            self._writer.write(file_content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Goes to `offset` bytes from the start (`whence` 0), from here (1) or from the end (2).

        `position` is the old name of `offset`.

        Raises:
          TypeError: without an offset, or with both. InvalidArgumentError: for another `whence`.
        """
        if offset is not None and position is not None:
            raise TypeError("seek(): offset and position may not be set both.")
        offset = position if offset is None else offset
        if offset is None:
            raise TypeError("seek(): offset must be set.")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(
                None, None, f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2."
            )
        with translated(self._name):
            file = self._writer if self._kind in ("w", "a") else self._reading()
            # Text knows no way but from the start.
            place = (0, file.tell(), os.path.getsize(self._name))[whence] + offset
            if place < 0:
                raise errors.InvalidArgumentError(
                    None, None, f"File {self._name} has no place {place} to go to."
                )
            file.seek(place)

    def tell(self) -> int:
        """The place of what is read next, or in a file that is only written of what is written."""
        file = self._writer if self._kind in ("w", "a") else self._reading()
        return int(file.tell())

    def flush(self) -> None:
        """Writes out what is held back."""
        if self._writer is not None and not self._writer.closed:
            with translated(self._name):
                self._writer.flush()

    def close(self) -> None:
        """Closes the file; what reads it then opens it anew."""
        reader, self._reader = self._reader, None
        for file in (self._writer, reader):
            if file is not None:
                with translated(self._name):
                    file.close()

    def next(self) -> Any:
        """The next line.

        Raises:
          StopIteration: at the end of the file.
        """
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    __next__ = next

    def __iter__(self) -> GFile:
        return self

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


FastGFile = Open = GFile


class FileStatistics(NamedTuple):
    """What `Stat` gives."""

    length: int
    mtime_nsec: int
    is_directory: bool


def Exists(filename: str) -> bool:
    """Whether there is such a file or folder."""
    return os.path.exists(filename)


def IsDirectory(dirname: str) -> bool:
    """Whether it is a folder."""
    return os.path.isdir(dirname)


def ListDirectory(dirname: str) -> list[str]:
    """The names in a folder, sorted.

    Raises:
      NotFoundError: if there is no such folder.
    """
    if not os.path.isdir(dirname):
        raise errors.NotFoundError(None, None, f"Could not find directory {dirname}")
    with translated(dirname):
        return sorted(os.listdir(dirname))


def Glob(filename: Any) -> list[str]:
    """The paths that match a pattern, or one of several patterns, sorted within each."""
    patterns = [filename] if isinstance(filename, str) else filename
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]


def MkDir(dirname: str) -> None:
    """Makes a folder, whose parent must exist.

    Raises:
      AlreadyExistsError, NotFoundError: if it exists, or its parent does not.
    """
    with translated(dirname):
        os.mkdir(dirname)


def MakeDirs(dirname: str) -> None:
    """Makes a folder and those above it, where they are missing."""
    with translated(dirname):
        os.makedirs(dirname, exist_ok=True)


def Remove(filename: str) -> None:
    """Removes a file.

    Raises:
      NotFoundError: if there is no such file.
    """
    with translated(filename):
        os.remove(filename)


def DeleteRecursively(dirname: str) -> None:
    """Removes a folder with all that is in it.

    Raises:
      NotFoundError: if there is no such folder.
    """
    with translated(dirname):
        shutil.rmtree(dirname)


def Copy(oldpath: str, newpath: str, overwrite: bool = False) -> None:
    """Copies a file.

    Raises:
      AlreadyExistsError: if `newpath` exists and is not to be overwritten.
    """
    _admit(newpath, overwrite)
    with translated(oldpath):
        shutil.copyfile(oldpath, newpath)


def Rename(oldname: str, newname: str, overwrite: bool = False) -> None:
    """Renames or moves a file or folder.

    Raises:
      AlreadyExistsError: if `newname` exists and is not to be overwritten.
    """
    _admit(newname, overwrite)
    with translated(oldname):
        os.replace(oldname, newname)


def _admit(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise errors.AlreadyExistsError(None, None, f"file already exists: {path}")


def Stat(filename: str) -> FileStatistics:
    """Length in bytes, time of the last change in nanoseconds, and whether it is a folder.

    Raises:
      NotFoundError: if there is no such file.
    """
    with translated(filename):
        found = os.stat(filename)
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(filename))


def Walk(top: str, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, folders in it, files in it) for a folder and all below it.

    Args:
      top: the folder.
      in_order: whether a folder comes before those in it, or after.
    """
    for folder, folders, files in os.walk(top, topdown=in_order):
        folders.sort()
        yield folder, sorted(folders), sorted(files)
