"""`hybridflow checkpoint`: what a checkpoint holds, and the same in another format."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING

from hybridflow._src.cli.columns import print_columns
from hybridflow._src.formats.bundle import BundleWriter
from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.formats.safetensors import HELD, SUFFIX, write_safetensors
from hybridflow._src.framework.errors import OpError
from hybridflow._src.platform.system_errors import translated
from hybridflow._src.train.saving.reader import checkpoint_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.formats.tensor_reader import TensorReader

_NOT_HELD = "{path} cannot hold these tensors; leave them out: {options}"
_FOLDER = "{path} is a folder: name the checkpoint in it, such as {name}."
_UNKNOWN = "There is no tensor {name!r} in {path} to leave out."


def checkpoint(path: str, target: str | None, left_out: Sequence[str]) -> int:
    """Prints what tensors a checkpoint holds, or writes them to another; gives the exit status.

    Args:
      path: the checkpoint: of TensorFlow's, a folder whose latest is meant, or of safetensors.
      target: where to write them, in the format that its ending says; None to print.
      left_out: the names of tensors to leave out.
    """
    try:
        found = checkpoint_in(path).removesuffix(".index")
        with translated(found):
            reader = open_checkpoint(found)
        names = sorted(reader.shapes)
        for name in left_out:
            if name not in names:
                raise ValueError(_UNKNOWN.format(name=name, path=found))
            names.remove(name)
        if target is None:
            _list(reader, names)
        else:
            _convert(reader, names, target)
    except (OpError, OSError, ValueError, ImportError) as error:
        print(f"hybridflow: {error}", file=sys.stderr)
        return 1
    return 0


def _list(reader: TensorReader, names: Sequence[str]) -> None:
    known = reader.dtypes()
    sizes = [reader.size(name) for name in names]
    print_columns(
        (
            name,
            known[name].name if name in known else reader.kind(name),
            str(list(reader.shapes[name])),
            "? bytes" if size is None else f"{size:,} bytes",
        )
        for name, size in zip(names, sizes, strict=True)
    )
    values = sum(math.prod(reader.shapes[name]) for name in names)
    total = sum(size or 0 for size in sizes)
    print(f"{len(names)} tensors, {values:,} values, {total / 1e6:.1f} MB")


def _convert(reader: TensorReader, names: Sequence[str], target: str) -> None:
    if os.path.isdir(target) or not os.path.basename(target):
        name = os.path.basename(reader.prefix).removesuffix(SUFFIX)
        raise ValueError(_FOLDER.format(path=target, name=os.path.join(target, name)))
    to_safetensors = target.endswith(SUFFIX)
    known = reader.dtypes()
    refused = [n for n in names if n not in known or (to_safetensors and known[n] not in HELD)]
    if refused:
        kinds = [known[name].name if name in known else reader.kind(name) for name in refused]
        options = [f"--leave-out {n} ({kind})" for n, kind in zip(refused, kinds, strict=True)]
        raise ValueError(_NOT_HELD.format(path=target, options=" ".join(options)))
    with translated(target):
        if to_safetensors:
            write_safetensors(target, {name: reader.read(name) for name in names})
            return
        with BundleWriter(target) as writer:
            for name in names:
                writer.add(name, reader.read(name))
            writer.finish()
