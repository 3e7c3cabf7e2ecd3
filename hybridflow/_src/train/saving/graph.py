"""The ops of a saver in a graph, under TensorFlow's names: `save/SaveV2`, `save/restore_all`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, device, name_scope
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.control_flow.ordering import group, with_dependencies
from hybridflow._src.ops.saving import checkpoints as _checkpoints  # noqa: F401 - registers ops
from hybridflow._src.ops.strings.joining import string_join
from hybridflow._src.train.saving import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.train.saving.saveables import SaveableObject


class SaverOps:
    """The ops that save and restore, added to the default graph.

    Attributes:
      filename: the path of the checkpoint, to be fed.
      saved: the path again, once it is saved.
      restore: restores everything.
    """

    def __init__(
        self,
        saveables: Sequence[SaveableObject],
        name: str | None,
        filename: str | None,
        sharded: bool,
        reshape: bool,
        sequentially: bool,
    ) -> None:
        self._reshape = reshape
        self._sequentially = sequentially
        with name_scope(name, "save", [saveable.op for saveable in saveables]):
            self.filename = constant(filename or "model")
            if spread.is_spread(saveables):
                self.saved = spread.save(self.filename, saveables, write)
                self.restore = self._restore(saveables, "restore_all", None)
            elif sharded:
                shards = _by_device(saveables)
                self.saved = _save_shards(self.filename, shards)
                self.restore = group(
                    *[self._restore(part, "restore_shard", on) for on, part in shards],
                    name="restore_all",
                )
            else:
                self.saved = write(self.filename, saveables)
                self.restore = self._restore(saveables, "restore_all", None)

    def _restore(self, saveables: Sequence[SaveableObject], name: str, on: str | None) -> Operation:
        assigned: list[Operation] = []
        with device(on):
            for saveable in saveables:
                with control_dependencies(assigned[-1:] if self._sequentially else []):
                    tensors = [self._read(spec) for spec in saveable.specs]
                    assigned.append(saveable.restore(tensors, self._shapes(saveable)))
            return group(*assigned, name=name)

    def _read(self, spec: Any) -> Tensor:
        dtype = spec.tensor.dtype.base_dtype
        return raw.RestoreV2(self.filename, [spec.name], [spec.slice_spec], dtypes=[dtype])[0]

    def _shapes(self, saveable: SaveableObject) -> list[Any] | None:
        if not self._reshape:
            return None
        tensors = [spec.tensor for spec in saveable.specs]
        return [t.shape.as_list() if t.shape.is_fully_defined() else shape_of(t) for t in tensors]


def write(filename: Any, saveables: Iterable[SaveableObject]) -> Tensor:
    """Saves into one file, and then gives `filename`; in eager mode too."""
    specs = [spec for saveable in saveables for spec in saveable.specs]
    tensors = [spec.tensor for spec in specs]
    done = raw.SaveV2(
        filename,
        [spec.name for spec in specs],
        [spec.slice_spec for spec in specs],
        tensors,
        dtypes=[t.dtype.base_dtype for t in tensors],
    )
    return with_dependencies([done], filename)


def _save_shards(
    filename: Tensor, shards: Sequence[tuple[str | None, list[SaveableObject]]]
) -> Tensor:
    """Saves what is on each device in a file of its own, then makes these one checkpoint."""
    folder = string_join([filename, f"_temp_{uuid.uuid4().hex}/part"])
    count = constant(len(shards), name="num_shards")
    prefixes, saved = [], []
    for number, (on, saveables) in enumerate(shards):
        with device(on):
            prefixes.append(raw.ShardedFilename(folder, number, count))
            saved.append(write(prefixes[-1], saveables))
    with control_dependencies([tensor.op for tensor in saved]), device(shards[-1][0]):
        merged = raw.MergeV2Checkpoints(prefixes, filename)
        with control_dependencies([merged]):
            return identity(filename)


def _by_device(
    saveables: Iterable[SaveableObject],
) -> list[tuple[str | None, list[SaveableObject]]]:
    """What is on each device, in the order of their names."""
    found: dict[str, list[SaveableObject]] = {}
    for saveable in saveables:
        on = {DeviceSpec.from_string(spec.tensor.device).to_string() for spec in saveable.specs}
        if len(on) != 1:
            raise ValueError(
                f"All tensors of a saveable object must be on the same device: {saveable.name}"
            )
        found.setdefault(on.pop(), []).append(saveable)
    return [(on or None, found[on]) for on in sorted(found)]
