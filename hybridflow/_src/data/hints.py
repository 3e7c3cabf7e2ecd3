"""What tells TensorFlow how to run a dataset: here such datasets are what they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, Pass

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, Source, State


class _Same(Pass):
    def __init__(self, source: Derived) -> None:
        self._input = source.source.begin()

    def next(self) -> Item | None:
        return self._input.next()

    def state(self) -> State:
        return self._input.state()

    def restore(self, state: State) -> None:
        self._input.restore(state)


def _same(source: Source, *_: Any, **__: Any) -> Source:
    return Derived(source, _Same)


dataset_op("ModelDataset", "input_dataset: variant", _same, {"cpu_budget": 0, "algorithm": 0})
dataset_op(
    "OptimizeDataset",
    "input_dataset: variant, optimizations: string",
    _same,
    {"optimization_configs": ()},
)
