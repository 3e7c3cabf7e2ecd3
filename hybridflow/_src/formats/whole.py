"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


def close_durably(file: BinaryIO) -> None:
    """Closes a file when what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


@contextlib.contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file to write; it gets its name when all is on the disk, and is removed after an error."""
    temporary = f"{path}.tempstate{secrets.randbits(64)}"
    try:
        with open(temporary, "xb") as file:
            yield file
            close_durably(file)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
