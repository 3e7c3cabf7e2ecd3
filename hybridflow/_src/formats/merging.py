"""Checkpoints of several writers made one: files get new names, tables become one."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.bundle import (
    data_name,
    index_name,
    make_folder,
    write_index,
)
from hybridflow._src.formats.bundle_reader import BundleReader
from hybridflow._src.formats.commit import commit
from hybridflow._src.formats.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence


def merge(sources: Sequence[str], target: str) -> None:
    """Makes `target` of the checkpoints `sources`, which are gone afterwards.

    Raises:
      ValueError: if two of them hold a tensor of one name, and not slices of it.
    """
    entries: dict[bytes, Any] = {}
    files: dict[str, int] = {}
    for source in sources:
        reader = BundleReader(source)
        for key, entry in reader.entries.items():
            known = entries.get(key)
            if known is None:
                known = entries[key] = messages.BundleEntryProto.FromString(
                    entry.SerializeToString()
                )
            elif not (known.slices and entry.slices):
                raise ValueError(f"Duplicate tensor keyed by {key!r} when merging prefix: {source}")
            else:
                known.slices.extend(entry.slices)
                continue
            if not entry.slices:
                path = data_name(source, entry.shard_id, reader.shards)
                known.shard_id = files.setdefault(path, len(files))
    make_folder(target)
    index = index_name(target)
    written = f"{index}.tempstate{secrets.randbits(64)}"
    write_whole(written, lambda file: write_index(file, len(files), entries))
    commit({p: data_name(target, shard, len(files)) for p, shard in files.items()}, index, written)
    for source in sources:
        os.remove(index_name(source))
