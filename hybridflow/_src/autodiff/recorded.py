"""What a tape is asked for, and its gradient op by op."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.autodiff.backprop import Gradients, backward
from hybridflow._src.framework.registry import raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dispatch import EagerOp
    from hybridflow._src.framework.tensor import Tensor


class Recorded(NamedTuple):
    """What a tape is asked for.

    Attributes:
      ops: the ops recorded, in their order.
      tracked: the tensors that the tape watches, and those computed from them.
      targets: what is differentiated. seeds: a gradient for each, or None for ones.
      sources: with respect to what.
    """

    ops: Sequence[EagerOp]
    tracked: set[Tensor]
    targets: Sequence[Tensor]
    seeds: Sequence[Tensor | None]
    sources: Sequence[Tensor]

    def gradient(self) -> list[Any]:
        """For each source a tensor, `IndexedSlices` or None."""
        tracked = self.tracked
        grads = Gradients()
        for tensor, seed in zip(self.targets, self.seeds, strict=True):
            if tensor in tracked:
                grads.add(tensor, raw.OnesLike(tensor) if seed is None else seed)
        backward(reversed(self.ops), grads, tracked.__contains__)
        return [grads.of_source(source) for source in self.sources]
