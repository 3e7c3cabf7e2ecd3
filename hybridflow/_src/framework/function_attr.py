"""Functions that ops have as attributes, such as what a dataset makes of each element."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor


class FunctionAttr:
    """A function as a graph of its own.

    Attributes:
      args: the placeholders of the graph for what it is called with: for the op's own values, then
        for those that it uses from outside, which are inputs of the op.
      outputs: what it gives.
      needed: the operations of the graph that compute that, in order.
    """

    args: Sequence[Tensor]
    outputs: Sequence[Tensor]
    needed: Sequence[Operation]

    def values(self) -> Sequence[np.ndarray] | None:
        """The values of all arguments, where they are the same in every call: a file has them in
        the function, which takes none.
        """
        return None
