"""Training on many ranks under MPI, in the words of `horovod.tensorflow`."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributed.joining import join
    from hybridflow._src.distributed.optimizer import DistributedOptimizer
    from hybridflow._src.distributed.tape import DistributedGradientTape
    from hybridflow._src.distributed.variables import (
        BroadcastGlobalVariablesHook,
        broadcast_global_variables,
        broadcast_variables,
    )
    from hybridflow._src.ops.collectives.compression import Compression
    from hybridflow._src.ops.collectives.exchanging import alltoall
    from hybridflow._src.ops.collectives.gathering import allgather, broadcast
    from hybridflow._src.ops.collectives.reducing import Adasum, Average, Sum, allreduce
    from hybridflow._src.ranks.job import (
        init,
        is_initialized,
        local_rank,
        local_size,
        mpi_threads_supported,
        rank,
        shutdown,
        size,
    )
    from hybridflow._src.variables.sharded import sharded_variable_partitioner

__all__ = [
    "Adasum",
    "Average",
    "BroadcastGlobalVariablesHook",
    "Compression",
    "DistributedGradientTape",
    "DistributedOptimizer",
    "Sum",
    "allgather",
    "allreduce",
    "alltoall",
    "broadcast",
    "broadcast_global_variables",
    "broadcast_variables",
    "init",
    "is_initialized",
    "join",
    "local_rank",
    "local_size",
    "mpi_threads_supported",
    "rank",
    "sharded_variable_partitioner",
    "shutdown",
    "size",
]
