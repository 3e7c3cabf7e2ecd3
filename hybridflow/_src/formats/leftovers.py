"""What interrupted saves have left in a folder: files with temporary names, which nobody finishes.

Another program may be about to save there, so a file goes when it has not been written to for long.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from hybridflow._src.formats.commit import pending

if TYPE_CHECKING:
    from collections.abc import Iterator

# Who still writes has written within so many seconds.
_LONG = 3600.0
_DATA = re.compile(r"(.*)\.data-\d{5}-of-\d{5}\.pending", re.DOTALL)


def remove_leftovers(prefix: str, state: str, written: str) -> None:
    """Removes what saves of checkpoints `prefix`, or `prefix-<step>`, left unfinished long ago.

    Args:
      prefix: the path of the checkpoints.
      state: the name of the file in their folder that lists them.
      written: a file there that has been written just now, by the clock of the file system.
    """
    folder, name = os.path.split(prefix)
    checkpoint = rf"{re.escape(name)}(-\d+)?"
    temporary = re.compile(
        rf"({re.escape(state)}|{checkpoint}\.[^/]+)\.tempstate\d+|"
        rf"{checkpoint}\.data-\d{{5}}-of-\d{{5}}\.pending|{checkpoint}_temp_([0-9a-f]{{32}}|ranks)",
        re.DOTALL,
    )
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        now = os.stat(written).st_mtime
        for path in [entry.path for entry in entries if temporary.fullmatch(entry.name)]:
            # What goes wrong here does not concern who saves.
            with contextlib.suppress(OSError):
                if not _is_in_force(path) and now - max(_times(path)) > _LONG:
                    _remove(path)


def _is_in_force(path: str) -> bool:
    """Whether a pending file is part of a checkpoint, since there is a pending index."""
    data = _DATA.fullmatch(path)
    return data is not None and os.path.exists(pending(f"{data[1]}.index"))


def _times(path: str) -> Iterator[float]:
    """When a file was written to, or a folder and all that it holds."""
    yield os.lstat(path).st_mtime
    if os.path.isdir(path):
        for name in os.listdir(path):
            yield os.lstat(os.path.join(path, name)).st_mtime


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.remove(path)
