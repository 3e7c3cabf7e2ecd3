"""Events read back from event files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages, records
from hybridflow._src.framework.errors import DataLossError
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["summary_iterator"]


def summary_iterator(path: Any) -> Iterator[Any]:
    """The `Event` messages of an event file, one after the other.

    Raises:
      NotFoundError: if there is no such file. DataLossError: at an event that is damaged or cut
        short.

    >>> import hybridflow as hf
    >>> next(hf.train.summary_iterator("no_such_file"))
    Traceback (most recent call last):
    hybridflow.errors.NotFoundError: no_such_file; No such file or directory
    """
    path = os.fspath(path)
    with translated(path):
        file = open(path, "rb")  # noqa: SIM115 - its errors alone are translated
    with file:
        found = records.read(file)
        while True:
            try:
                event = messages.Event.FromString(next(found))
            except StopIteration:
                return
            except (ValueError, messages.decode_error()) as error:
                raise DataLossError(None, None, f"{path}: {error}") from error
            yield event
