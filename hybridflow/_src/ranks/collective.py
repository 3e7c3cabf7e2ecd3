"""What an op computes together with other ranks: the NumPy meaning of a collective.

It begins when its inputs are there, and ends when its results are needed; a plan puts other work
between the two. Called like any other meaning it does both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ranks import job as jobs
from hybridflow._src.ranks.roll import Roll

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from hybridflow._src.ranks.transfers import Transfer


class Collective:
    """The meaning of a collective.

    Args:
      kind: the type of its op.
      begin: called with its arrays and attributes; gives the transfer.
      free_rows: whether the size of the first axis of its first input may differ between ranks;
        the other ones say how.
      room: of the size of elements and shapes, what it needs of the memory that ranks share.
      adds: whether it gives the sums of its inputs.
    """

    def __init__(
        self,
        kind: str,
        begin: Callable[..., Transfer],
        free_rows: bool = False,
        room: Callable[[int, Sequence[Any]], int] = lambda size, shapes: 0,
        adds: bool = False,
    ) -> None:
        self._kind = kind
        self.begin = begin
        self.free_rows = free_rows
        self.room = room
        self.adds = adds

    def lines(
        self, name: str, dtype: Any, shapes: Sequence[Sequence[int | None]], attrs: Any
    ) -> list[str] | None:
        """What is said of it when the roll is called; None if that depends on unknown sizes.

        Args:
          name: of the op, "" in eager mode. dtype, shapes: of its inputs. attrs: of the op.
        """
        if self.free_rows:
            shapes = [shapes[0][1:]]
        if any(size is None for shape in shapes for size in shape):
            return None
        title = f"{self._kind} '{name}'" if name else self._kind
        title += "".join(f", {key}={value}" for key, value in sorted(attrs.items()))
        rows = "rows of " if self.free_rows else ""
        each = [f"{rows}{dtype.name} [{', '.join(map(str, shape))}]" for shape in shapes]
        if len(each) == 1:
            return [f"{title}: {each[0]}"]
        head = f"{title}: {len(each)} tensors"
        return [head, *[f"{title}, tensor {i}: {what}" for i, what in enumerate(each)]]

    def agree(self, name: str, arrays: Sequence[np.ndarray], attrs: Any, threads: int = 0) -> bool:
        """Calls the roll for this one, of arrays: see `Job.agree`."""
        dtype, shapes = arrays[0].dtype, [array.shape for array in arrays]
        lines = self.lines(name, dtype, shapes, attrs)
        assert lines is not None
        roll = Roll(lines, 1, self.room(dtype.itemsize, shapes))
        return jobs.here().agree(roll, threads)

    def __call__(self, *arrays: np.ndarray, **attrs: Any) -> list[np.ndarray]:
        self.agree("", arrays, attrs)
        return self.begin(*arrays, **attrs).wait()
