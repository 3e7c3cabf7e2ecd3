"""What tells TensorFlow how to run a dataset: here such datasets are what they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Counted, SamePass

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Source


def _same(source: Source, *_: Any, **__: Any) -> Source:
    return Counted(source, SamePass)


dataset_op("ModelDataset", "input_dataset: variant", _same, {"cpu_budget": 0, "algorithm": 0})
dataset_op(
    "OptimizeDataset",
    "input_dataset: variant, optimizations: string",
    _same,
    {"optimization_configs": ()},
)
