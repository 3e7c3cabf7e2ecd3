"""Ops that write checkpoints and read them."""

from __future__ import annotations

import contextlib
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import merging
from hybridflow._src.formats.bundle import BundleWriter
from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.formats.slices import FULL, Extent, bounds
from hybridflow._src.framework import dtypes as _dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.formats.tensor_reader import TensorReader
    from hybridflow._src.framework.dtypes import DType


def _text(array: np.ndarray) -> str:
    return os.fsdecode(array.item())


def _texts(array: np.ndarray) -> list[str]:
    return [os.fsdecode(item) for item in array.reshape(-1)]


def parse_slice(spec: str) -> tuple[tuple[int, ...], list[Extent]]:
    """The shape of the whole, and start and length along each axis: of "4 2 0,2:-".

    Raises:
      InvalidArgumentError: if `spec` is not of this form.
    """
    *sizes, extents = spec.split(" ")
    try:
        shape = tuple([int(size) for size in sizes])
        found = [
            FULL if part == "-" else (int(part.split(",")[0]), int(part.split(",")[1]))
            for part in extents.split(":")
        ]
        fits = len(found) == len(shape) and all(
            extent == FULL or (extent[0] >= 0 < extent[1] and sum(extent) <= size)
            for extent, size in zip(found, shape, strict=True)
        )
    except (ValueError, IndexError):
        fits = False
    if not fits:
        raise InvalidArgumentError(
            None, None, f"{spec!r} is no slice of a shape: '4 2 0,2:-' is, for rows 0 and 1 of 4."
        )
    return shape, found


def _save(
    prefix: np.ndarray,
    tensor_names: np.ndarray,
    shape_and_slices: np.ndarray,
    *tensors: np.ndarray,
    dtypes: Any,
) -> tuple[()]:
    path = _text(prefix)
    names, specs = _texts(tensor_names), _texts(shape_and_slices)
    if not len(names) == len(specs) == len(tensors):
        raise InvalidArgumentError(
            None,
            None,
            f"Got {len(names)} tensor names, {len(specs)} slices and {len(tensors)} tensors: there "
            "must be as many of each.",
        )
    with translated(path), BundleWriter(path) as writer:
        for name, spec, tensor in zip(names, specs, tensors, strict=True):
            with translated(f"{path} (tensor {name})"):
                if spec:
                    writer.add_slice(name, *parse_slice(spec), tensor)
                else:
                    writer.add(name, tensor)
        writer.finish()
    return ()


class Kept:
    """A tensor of a checkpoint, or with `spec` part of it, that is not read yet.

    Attributes:
      reader: reads the checkpoint.
      shape, dtype: of what is to be read.
      count: how many elements that are.
      size: how many bytes, about; of strings as the file has them.

    Raises:
      NotFoundError: if there is none of this name. InvalidArgumentError: if it is of another dtype,
        or `spec` does not fit. DataLossError: if the index is damaged.
    """

    def __init__(self, reader: TensorReader, name: str, spec: str, dtype: DType) -> None:
        self.reader = reader
        self._name = name
        self._extents: list[Extent] | None = None
        found = reader.dtype(name)
        self.shape = reader.shape(name)
        if spec:
            whole, self._extents = parse_slice(spec)
            if self.shape != whole:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"tensor_name = {name}; shape in shape_and_slice spec {list(whole)} does not "
                    f"match the shape stored in checkpoint: {list(self.shape)}",
                )
            self.shape = tuple([length for _, length in bounds(self._extents, whole)])
        if found != dtype:
            raise InvalidArgumentError(
                None,
                None,
                f"tensor_name = {name}; expected dtype {dtype.name} does not equal original "
                f"dtype {found.name} in checkpoint {reader.prefix}.",
            )
        self.dtype = dtype.np
        self.count = math.prod(self.shape)
        strings = reader.size(name) or 0 if dtype == _dtypes.string else 0
        self.size = strings or self.count * dtype.size

    def read(self, out: np.ndarray | None = None) -> np.ndarray:
        """The value, new, or in an array of its shape and dtype if it can be.

        Raises:
          DataLossError: if it is damaged.
        """
        with self._translated():
            if self._extents is None:
                return self.reader.read(self._name, out)
            return self.reader.read_slice(self._name, self._extents, out)

    def check(self) -> None:
        """Reads it and keeps nothing.

        Raises:
          DataLossError: if it is damaged.
        """
        with self._translated():
            self.reader.check(self._name, self._extents)

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(f"{self.reader.prefix} (tensor {self._name})")


def kept(
    prefix: np.ndarray,
    tensor_names: np.ndarray,
    shape_and_slices: np.ndarray,
    dtypes: Any,
    opener: Callable[[str], TensorReader] = open_checkpoint,
) -> list[Kept]:
    """What `RestoreV2` is to read, of the checkpoint that `opener` opens.

    Raises:
      OpError: if something is not there, or is not as it should be.
    """
    path = _text(prefix)
    with translated(path):
        reader = opener(path)
    names, specs = _texts(tensor_names), _texts(shape_and_slices)
    return [Kept(reader, *args) for args in zip(names, specs, dtypes, strict=True)]


def _restore(
    prefix: np.ndarray, tensor_names: np.ndarray, shape_and_slices: np.ndarray, dtypes: Any
) -> list[np.ndarray]:
    return [tensor.read() for tensor in kept(prefix, tensor_names, shape_and_slices, dtypes)]


def _merge(
    checkpoint_prefixes: np.ndarray, destination_prefix: np.ndarray, delete_old_dirs: bool
) -> tuple[()]:
    target = _text(destination_prefix)
    sources = _texts(checkpoint_prefixes)
    with translated(target):
        merging.merge(sources, target)
        if delete_old_dirs:
            for folder in {os.path.dirname(source) for source in sources}:
                with contextlib.suppress(OSError):  # it holds something else
                    os.rmdir(folder)
    return ()


OpDef(
    "SaveV2",
    "prefix: string, tensor_names: string, shape_and_slices: string, tensors: ... ->",
    attrs={"dtypes": REQUIRED},
    shape=lambda attrs, *_: [],
    compute=_save,
    grad=not_differentiable,
    stateful=True,
)
OpDef(
    "RestoreV2",
    "prefix: string, tensor_names: string, shape_and_slices: string -> tensors: N*dtypes",
    attrs={"dtypes": REQUIRED},
    shape=lambda attrs, *_: [None] * len(attrs["dtypes"]),
    compute=_restore,
    grad=not_differentiable,
    stateful=True,
)
OpDef(
    "MergeV2Checkpoints",
    "checkpoint_prefixes: string, destination_prefix: string ->",
    attrs={"delete_old_dirs": True},
    shape=lambda attrs, *_: [],
    compute=_merge,
    grad=not_differentiable,
    stateful=True,
)
OpDef(
    "ShardedFilename",
    "basename: string, shard: int32, num_shards: int32 -> filename: string",
    shape=scalar,
    compute=lambda basename, shard, num_shards: np.array(
        basename[()] + b"-%05d-of-%05d" % (shard, num_shards), object
    ),
    grad=not_differentiable,
    stateful=True,
)
