"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable


def close_durably(file: BinaryIO) -> None:
    """Closes a file when what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def write_whole(path: str, write: Callable[[BinaryIO], object]) -> None:
    """Gives `write` a file that gets its name when all is on the disk, and is removed on error."""
    temporary = f"{path}.tempstate{secrets.randbits(64)}"
    try:
        with open(temporary, "xb") as file:
            write(file)
            close_durably(file)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
