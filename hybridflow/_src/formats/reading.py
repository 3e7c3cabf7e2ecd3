"""Opens a checkpoint, whatever its format is."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hybridflow._src.formats.bundle import index_name
from hybridflow._src.formats.bundle_reader import BundleReader
from hybridflow._src.formats.safetensors import SUFFIX, SafetensorsReader
from hybridflow._src.formats.slice_table import SliceTableReader, files_of
from hybridflow._src.framework.errors import DataLossError

if TYPE_CHECKING:
    from hybridflow._src.formats.tensor_reader import TensorReader

_PART = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")


def open_checkpoint(prefix: str) -> TensorReader:
    """A reader of a checkpoint of version 2, or where there is none of version 1.

    A path that ends in ".safetensors" is a file of that format.

    Raises:
      NotFoundError: if there is none. DataLossError: if it is damaged. ImportError: if a library
        that reads it is not installed.
    """
    paths = [] if os.path.exists(index_name(prefix)) else files_of(prefix)
    if prefix.endswith(SUFFIX) and not os.path.exists(index_name(prefix)):
        return SafetensorsReader(prefix)
    if not paths:
        return BundleReader(prefix)
    whole = _PART.sub("", prefix)
    if whole != prefix and os.path.exists(index_name(whole)):
        raise DataLossError(
            None, None, f"{prefix} is one file of a checkpoint: give its prefix, {whole}."
        )
    return SliceTableReader(prefix, paths)
