"""`tensorflow.python.lib.io.file_io`: files, by names of its own."""

from __future__ import annotations

from hybridflow._src.formats.whole import write_whole
from hybridflow._src.framework.errors import AlreadyExistsError
from hybridflow._src.platform import gfile
from hybridflow._src.platform.system_errors import translated

__all__ = [
    "FileIO",
    "atomic_write_string_to_file",
    "copy",
    "create_dir",
    "delete_file",
    "delete_recursively",
    "file_exists",
    "get_matching_files",
    "is_directory",
    "list_directory",
    "read_file_to_string",
    "recursive_create_dir",
    "rename",
    "stat",
    "walk",
    "write_string_to_file",
]

FileIO = gfile.GFile
copy = gfile.Copy
create_dir = gfile.MkDir
delete_file = gfile.Remove
delete_recursively = gfile.DeleteRecursively
file_exists = gfile.Exists
get_matching_files = gfile.Glob
is_directory = gfile.IsDirectory
list_directory = gfile.ListDirectory
recursive_create_dir = gfile.MakeDirs
rename = gfile.Rename
stat = gfile.Stat
walk = gfile.Walk


def read_file_to_string(filename: str, binary_mode: bool = False) -> str | bytes:
    """What a file holds, as text or as bytes."""
    with gfile.GFile(filename, "rb" if binary_mode else "r") as file:
        content: str | bytes = file.read()
    return content


def write_string_to_file(filename: str, file_content: str | bytes) -> None:
    """Makes a file of text or bytes."""
    with gfile.GFile(filename, "wb" if isinstance(file_content, bytes) else "w") as file:
        file.write(file_content)


def atomic_write_string_to_file(
    filename: str, contents: str | bytes, overwrite: bool = True
) -> None:
    """Makes a file of text or bytes, whole or not at all.

    Raises:
      AlreadyExistsError: if there is one, and it is not to be overwritten.
    """
    if not overwrite and gfile.Exists(filename):
        raise AlreadyExistsError(None, None, f"file already exists: {filename}")
    content = contents if isinstance(contents, bytes) else contents.encode()
    with translated(filename):
        write_whole(filename, lambda file: file.write(content))
