"""`DistributedGradientTape`: a tape that gives the gradients of all ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributed.gradients import Reduction
from hybridflow._src.framework import nest
from hybridflow._src.framework.stack import Opener
from hybridflow._src.ops.collectives.compression import Compression
from hybridflow._src.ops.collectives.reducing import Average, ReduceOp, reduction
from hybridflow._src.ranks import job

if TYPE_CHECKING:
    from hybridflow._src.autodiff.tape import GradientTape
    from hybridflow._src.framework.stack import Opened

__all__ = ["DistributedGradientTape"]


class DistributedGradientTape(Opener):
    """A tape whose `gradient` gives the mean of the gradients of all ranks.

    Args:
      gradtape: the tape; it may have recorded already, or record inside `with` this one.
      device_dense, device_sparse: accepted for compatibility.
      compression: in which dtype gradients travel: `Compression.none` or `Compression.fp16`.
      sparse_as_dense: whether `IndexedSlices` are made dense, rather than their rows gathered.
      op: `Average` or `Sum`.

    All else is the tape's own.

    Raises:
      ValueError: before `init`. NotImplementedError: for `op=Adasum`.

    >>> import hybridflow as hf
    >>> hvd = hf.distributed
    >>> hvd.init()
    >>> with hf.eager_mode():
    ...     v = hf.Variable(3.0)
    ...     with hvd.DistributedGradientTape(hf.GradientTape()) as tape:
    ...         loss = v * v
    ...     print(tape.gradient(loss, v).numpy())
    6.0
    """

    def __init__(
        self,
        gradtape: GradientTape,
        device_dense: str = "",
        device_sparse: str = "",
        compression: Any = Compression.none,
        sparse_as_dense: bool = False,
        op: ReduceOp = Average,
    ) -> None:
        job.current()
        self._tape = gradtape
        self._reduced = Reduction(
            "DistributedGradientTape_Allreduce", compression, reduction(None, op), sparse_as_dense
        )

    def _open(self, opened: Opened) -> DistributedGradientTape:
        self._tape._open(opened)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "_tape":  # it is being copied
            raise AttributeError(name)
        return getattr(self._tape, name)

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """The gradients of all ranks: see `GradientTape.gradient`."""
        found = self._tape.gradient(target, sources, output_gradients)
        return nest.pack_sequence_as(
            found, self._reduced(nest.flatten(found), nest.flatten(sources))
        )
