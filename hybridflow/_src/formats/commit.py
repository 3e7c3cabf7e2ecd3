"""Files of a checkpoint become the checkpoint all at once, also where they replace another one.

They get pending names first, the index last. From the moment that there is a pending index, it and
the files that are still pending are the checkpoint; that they get their own names changes nothing.
So whatever ends the program, a reader finds the old checkpoint or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def pending(path: str) -> str:
    """The name of a file that is yet to get the name `path`."""
    return f"{path}.pending"


def commit(files: Mapping[str, str], index: str, written: str) -> None:
    """Makes a checkpoint of files that are on the disk.

    Args:
      files: the path that each is to get, by the one that it has.
      index: the path that the index is to get.
      written: the path that it has.

    Raises:
      IsADirectoryError: if a folder has the name of one of them; all is as before then.
    """
    for path in (*files.values(), index):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    settle(index)
    for source, target in files.items():
        os.replace(source, pending(target))
    os.replace(written, pending(index))
    settle(index)


def settle(index: str) -> None:
    """Gives the files of a pending checkpoint their own names, if there is one."""
    if not os.path.exists(pending(index)):
        return
    prefix = glob.escape(index.removesuffix(".index"))
    for path in glob.glob(pending(f"{prefix}.data-?????-of-?????")):
        with contextlib.suppress(FileNotFoundError):  # another program settles it too
            os.replace(path, path.removesuffix(pending("")))
    with contextlib.suppress(FileNotFoundError):
        os.replace(pending(index), index)
