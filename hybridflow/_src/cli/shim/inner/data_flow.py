"""`tensorflow.python.ops.data_flow_ops`: what has no public name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.arrays.partitioning import dynamic_stitch

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["parallel_dynamic_stitch"]


def parallel_dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """`dynamic_stitch`, of which TensorFlow leaves open who is the last where indices repeat.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(parallel_dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy())
    [10 20 30]
    """
    return dynamic_stitch(indices, data, name or "ParallelDynamicStitch")
