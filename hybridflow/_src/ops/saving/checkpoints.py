"""Ops that write checkpoints and read them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import merging
from hybridflow._src.formats.bundle import BundleWriter
from hybridflow._src.formats.reading import open_checkpoint
from hybridflow._src.formats.slices import FULL, Extent
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from hybridflow._src.formats.tensor_reader import TensorReader


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


def _restore(
    prefix: np.ndarray, tensor_names: np.ndarray, shape_and_slices: np.ndarray, dtypes: Any
) -> list[np.ndarray]:
    path = _text(prefix)
    found = []
    with translated(path):
        reader = open_checkpoint(path)
        for name, spec, dtype in zip(
            _texts(tensor_names), _texts(shape_and_slices), dtypes, strict=True
        ):
            with translated(f"{path} (tensor {name})"):
                value = _part(reader, name, spec) if spec else reader.read(name)
            if reader.dtype(name) != dtype:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"tensor_name = {name}; expected dtype {dtype.name} does not equal original "
                    f"dtype {reader.dtype(name).name} in checkpoint {path}.",
                )
            found.append(value)
    return found


def _part(reader: TensorReader, name: str, spec: str) -> np.ndarray:
    shape, extents = parse_slice(spec)
    if reader.shape(name) != shape:
        raise InvalidArgumentError(
            None,
            None,
            f"tensor_name = {name}; shape in shape_and_slice spec {list(shape)} does not match the "
            f"shape stored in checkpoint: {list(reader.shape(name))}",
        )
    return reader.read_slice(name, extents)


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
