"""Tables that are too large for one rank: each rank of a job has some of their rows, and no others.

Rows are looked up where they are: ids travel to their ranks, rows come back, and gradients go the
way of the ids. So updates and constraints stay with who has a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.checks.comparing import assert_less, assert_non_negative
from hybridflow._src.ops.collectives.exchanging import alltoall
from hybridflow._src.ops.collectives.gathering import allgather
from hybridflow._src.ops.nn.embedding import places_in_parts, rows_of
from hybridflow._src.ranks import job
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sharded_variable_partitioner"]

_TOO_FEW = (
    "sharded_variable_partitioner: a variable of shape {shape} has no row for each of {count} "
    "ranks. Leave it whole on all of them: give the partitioner to large tables alone."
)


class ShardedPartitioner:
    """Cuts along the first axis, a part for each rank."""

    def __call__(self, shape: TensorShape, **_: Any) -> list[int]:
        count = job.size()
        if not shape.ndims or (shape.as_list()[0] or 0) < count:
            raise ValueError(_TOO_FEW.format(shape=shape, count=count))
        return [count, *[1] * (shape.ndims - 1)]

    def __repr__(self) -> str:
        return "sharded_variable_partitioner()"


def sharded_variable_partitioner() -> ShardedPartitioner:
    """A partitioner that puts the rows of a table on the ranks, each of which has a part.

    `get_variable` gives a table whose rows `embedding_lookup` finds wherever they are: ids and rows
    travel by `alltoall`, and so do gradients. `DistributedOptimizer` updates each row on its rank
    alone, with its constraint; slots lie there too. All ranks look up at the same time, each with
    ids of its own, as many as it likes.

    The rows are those of the whole table, in order, whatever `partition_strategy` says. As a tensor
    the table is gathered on all ranks. Its regularization loss counts for each rank as much as the
    whole table's would, so that the mean over ranks is that one.

    Returns: what `get_variable` takes as `partitioner`, for variables of at least one row a rank.

    Raises:
      ValueError: when it is used, before `init` or for a variable with too few rows.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     partitioner = hf.distributed.sharded_variable_partitioner()
    ...     table = hf.get_variable("table", initializer=[[1.0], [2.0]], partitioner=partitioner)
    ...     print(hf.nn.embedding_lookup(table, [1, 1, 0]).numpy().tolist())
    [[2.0], [2.0], [1.0]]
    """
    return ShardedPartitioner()


class ShardedVariable(PartitionedVariable):
    """A partitioned variable of which this rank has one part."""

    @property
    def _part(self) -> Variable:
        return self._variable_list[0]

    def _as_graph_element(self) -> Any:
        """What stands for it where operations are placed beside it."""
        return self._part._as_graph_element()

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows of the whole at `indices`, of whichever ranks; all ranks ask at the same time.

        Args:
          indices: int32 or int64 tensor of rows. name: name of the operation.

        Returns: a tensor of shape `indices.shape + shape[1:]`.
        """
        with name_scope(name, f"{self._name}/rows", [indices]):
            ids = convert_to_tensor(indices)
            if self._partitions[0] == 1:
                return rows_of(self._part, ids)
            different, places = raw.Unique(raw.Reshape(ids, [-1]), out_idx=dtypes.int32)
            rows = self._fetched(self._checked(different))
            return gather(rows, raw.Reshape(places, shape_of(ids)))

    def _checked(self, ids: Tensor) -> Tensor:
        total = self._shape.as_list()[0]
        said = f"There is no such row of table '{self._name}', which has {total}."
        limit = convert_to_tensor(total, ids.dtype.base_dtype)
        checks = [assert_non_negative(ids, message=said), assert_less(ids, limit, message=said)]
        with control_dependencies([check for check in checks if check is not None]):
            return raw.Identity(ids)

    def _fetched(self, ids: Tensor) -> Tensor:
        """The rows at ids, each of which is there once."""
        count = self._partitions[0]
        rank, row = places_in_parts(ids, self._shape.as_list()[0], count)
        rank = raw.Cast(rank, DstT=dtypes.int32)
        asked = raw.DynamicPartition(row, rank, num_partitions=count)
        order = raw.DynamicPartition(raw.Range(0, raw.Size(ids), 1), rank, num_partitions=count)
        counts = raw.Pack([raw.Size(part, out_type=dtypes.int64) for part in asked], axis=0)
        wanted, from_each = alltoall(raw.ConcatV2(asked, 0), counts)
        found, _ = alltoall(rows_of(self._part, wanted), from_each)
        return raw.DynamicStitch([raw.ConcatV2(order, 0)], [found])

    def _joined(self) -> Tensor:
        return allgather(self._part, name=self._name)

    def _apply(self, method: str, value: Any, use_locking: bool) -> Any:
        value = convert_to_tensor(value, self._dtype)
        self._shape.assert_is_compatible_with(value.shape)
        info = self._part._get_save_slice_info()
        assert info is not None
        mine = raw.Slice(value, np.array(info.var_offset), np.array(info.var_shape))
        return getattr(self._part, method)(mine, use_locking=use_locking)


def for_all_ranks(regularizer: Any) -> Any:
    """A regularizer of one rank's part, whose mean over ranks is the loss of the whole."""

    def scaled(part: Any) -> Any:
        loss = regularizer(part)
        return None if loss is None else loss * job.size()

    return scaled


def rank_of(variable: Any) -> int | None:
    """The rank that alone has a variable, a part of a table or of a slot; None if all have it."""
    info = variable._get_save_slice_info() if isinstance(variable, Variable) else None
    return None if info is None else info.rank
