"""`DistributedOptimizer`: any optimizer, with the gradients of all ranks."""

from __future__ import annotations

from typing import Any

from hybridflow._src.distributed.gradients import Reduction
from hybridflow._src.ops.collectives.compression import Compression
from hybridflow._src.ops.collectives.reducing import Average, ReduceOp, reduction
from hybridflow._src.ranks import job
from hybridflow._src.train.optimizer import Optimizer

__all__ = ["DistributedOptimizer"]

_SEVERAL_PASSES = (
    "backward_passes_per_step must be 1, got {count!r}: gradients of several passes are not added "
    "up here. Use a batch that is so much larger."
)


class DistributedOptimizer(Optimizer):
    """An optimizer whose `compute_gradients` gives the mean of the gradients of all ranks.

    Each rank computes gradients of its own batch and makes the same update of the same variables.
    So variables, slots and what constraints made of them stay the same on all ranks, bit by bit, if
    they were so at the start: see `BroadcastGlobalVariablesHook` and `broadcast_variables`.

    Gradients travel together, 64 MB of them at most (the environment variable
    `HOROVOD_FUSION_THRESHOLD` sets another number of bytes). In a graph they set out as soon as so
    many are there, while the rest of the backward pass is computed.

    Args:
      optimizer: the optimizer that updates variables.
      name: of the operations that reduce gradients; by default after the optimizer's class.
      use_locking: accepted for compatibility; the optimizer's own counts.
      device_dense, device_sparse: accepted for compatibility.
      compression: in which dtype gradients travel: `Compression.none` or `Compression.fp16`.
      sparse_as_dense: whether `IndexedSlices` are made dense, rather than their rows gathered.
      backward_passes_per_step: 1.
      op: `Average` or `Sum`.

    Raises:
      ValueError: before `init`, or for other `backward_passes_per_step`. TypeError: if `optimizer`
        is none. NotImplementedError: for `op=Adasum`.

    >>> import hybridflow as hf
    >>> hvd = hf.distributed
    >>> hvd.init()
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0])
    ...     optimizer = hvd.DistributedOptimizer(hf.train.GradientDescentOptimizer(0.5))
    ...     optimizer.minimize(lambda: hf.reduce_sum(v * v))
    ...     print(v.numpy())
    [0. 0.]
    """

    def __init__(
        self,
        optimizer: Any,
        name: str | None = None,
        use_locking: bool = False,
        device_dense: str = "",
        device_sparse: str = "",
        compression: Any = Compression.none,
        sparse_as_dense: bool = False,
        backward_passes_per_step: int = 1,
        op: ReduceOp = Average,
    ) -> None:
        job.current()
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"`optimizer` must be one of hf.train's optimizers, got {optimizer!r:.200}."
            )
        if backward_passes_per_step != 1:
            raise ValueError(_SEVERAL_PASSES.format(count=backward_passes_per_step))
        name = name or f"Distributed{type(optimizer).__name__}"
        super().__init__(use_locking, name)
        self._optimizer = optimizer
        self._reduced = Reduction(
            f"{name}_Allreduce", compression, reduction(None, op), sparse_as_dense
        )

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """The gradients of `loss`, of all ranks: see `Optimizer.compute_gradients`."""
        pairs = self._optimizer.compute_gradients(*args, **kwargs)
        variables = [variable for _, variable in pairs]
        grads = self._reduced([grad for grad, _ in pairs], variables)
        return list(zip(grads, variables, strict=True))

    def apply_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """Updates variables by these gradients: see `Optimizer.apply_gradients`."""
        return self._optimizer.apply_gradients(*args, **kwargs)

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot `name` of a variable, or None."""
        return self._optimizer.get_slot(var, name)

    def get_slot_names(self) -> list[str]:
        """The names of all slots that were made, sorted."""
        return self._optimizer.get_slot_names()

    def variables(self) -> list[Any]:
        """All variables that the optimizer made for the current graph, or for eager mode."""
        return self._optimizer.variables()
