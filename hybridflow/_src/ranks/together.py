"""What ranks of one machine do in memory that they share: they meet, and sum what each laid there.

Each rank sums all of it itself, in the order of ranks, so sums are the same bit by bit; it waits
for the others once.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ranks.memory import lent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Each reads what all have: with more ranks than so many MPI's own sums move less.
MOST_RANKS = 4
# Where in the line of memory that each rank writes: how often it met the others, the two words that
# it gave the last two times, how many sums it has laid down what belongs to it for.
MEETINGS, WORDS, LAID = 0, 1, 3
_LINE = 64
# So much each rank lays in memory that is there from the beginning, which native code knows: as
# much as gradients that travel together are, or less where a machine has less to share. It takes
# none before it is used.
_ARENAS = 64 << 20, 16 << 20, 4 << 20, 1 << 20


def room(size: int) -> int:
    """The memory that so many bytes take."""
    return -(-size // _LINE) * _LINE


class Together:
    """The memory that the ranks of a machine share.

    Args:
      mpi: the module `mpi4py.MPI`. local: the ranks, which make this object together.
      until: called to wait for what its argument tells.

    Attributes:
      line: where this rank's line of words lies; lines: those of the others.
      arenas: where the memory of each rank lies that is there from the beginning.
      arena: how much of it there is.
    """

    def __init__(self, mpi: Any, local: Any, until: Callable[..., None]) -> None:
        self._mpi = mpi
        self._local = local
        self._until = until
        self._rank = local.Get_rank()
        fitting = [size for size in _ARENAS if _is_there(size * local.Get_size())]
        self.arena = local.bcast(max(fitting, default=0))
        self._window, memories = self._shared(_LINE + self.arena)
        starts = [np.frombuffer(memory, np.uint8).ctypes.data for memory in memories]
        self.line = starts[self._rank]
        self.lines = [start for start in starts if start != self.line]
        self.arenas = [start + _LINE for start in starts]
        self._lines = [memoryview(memory).cast("B")[:_LINE].cast("q") for memory in memories]
        self._line = self._lines[self._rank]
        for place in range(len(self._line)):
            self._line[place] = 0
        local.Barrier()
        self._arenas = [memoryview(memory).cast("B")[_LINE:] for memory in memories]
        # Where arrays lie for which there is too little there: one such memory of each rank.
        self._place: Any = None
        self._memories: list[Any] = []
        self._is_in_arena = True
        self._room = self._taken = 0
        self._least_refused: float = math.inf

    def _shared(self, size: int) -> tuple[Any, list[Any]]:
        window = self._mpi.Win.Allocate_shared(size, 1, comm=self._local)
        window.Lock_all()
        return window, [window.Shared_query(r)[0] for r in range(self._local.Get_size())]

    def free(self) -> None:
        """Gives the memory back; all ranks do so."""
        self._lines, self._line, self._arenas = [], memoryview(b""), []
        self._drop()
        self._window.Unlock_all()
        self._window.Free()

    def _drop(self) -> None:
        if self._place is not None:
            self._memories = []
            self._place.Unlock_all()
            self._place.Free()
            self._place = None
            self._room = 0

    def meet(self, word: int) -> list[int]:
        """Waits for all; gives the words of all."""
        number = self._line[MEETINGS] + 1
        # The word before is still being read, by who has not met this rank again.
        place = WORDS + number % 2
        self._line[place] = word
        self._window.Sync()
        self._line[MEETINGS] = number
        self._wait(MEETINGS, number)
        return self.words()

    def words(self) -> list[int]:
        """The words that all gave when they met last."""
        place = WORDS + self._line[MEETINGS] % 2
        return [line[place] for line in self._lines]

    def _wait(self, place: int, number: int, patient: bool = True) -> None:
        """Waits until all have come so far; what they wrote before can be read then."""
        others = [line for line in self._lines if line is not self._line]

        def there() -> bool:
            return all(line[place] >= number for line in others)

        self._until(there, patient)
        self._window.Sync()

    def make_room(self, size: int) -> None:
        """Makes sure that so much fits until all meet again, if the machine has it; all do so."""
        self._taken = 0
        self._is_in_arena = size <= self.arena
        if self._is_in_arena:
            return
        if self._room < size < self._least_refused:
            self._drop()
            # The first memory may not have been used yet, and counts as free then.
            whole = (size + self.arena) * self._local.Get_size()
            there = self._local.bcast(_is_there(whole))
            if there:
                self._place, self._memories = self._shared(size)
                self._room = size
            else:
                self._least_refused = size

    def fits(self, size: int) -> bool:
        """Whether arrays of so many bytes have a place."""
        return self._taken + room(size) <= (self.arena if self._is_in_arena else self._room)

    def lay(self, arrays: Sequence[np.ndarray]) -> Callable[[], np.ndarray]:
        """Lays arrays of one dtype down behind each other.

        Returns: what waits for the other ranks and gives the sums.
        """
        dtype = arrays[0].dtype
        count = sum([array.size for array in arrays])
        start = self._taken
        self._taken += room(count * dtype.itemsize)
        memories = self._arenas if self._is_in_arena else self._memories
        each = [np.frombuffer(memory, dtype, count, start) for memory in memories]
        np.concatenate([array.reshape(-1) for array in arrays], out=each[self._rank])
        self._window.Sync()
        self._line[LAID] += 1
        number = self._line[LAID]

        def sums() -> np.ndarray:
            self._wait(LAID, number, patient=False)
            whole: np.ndarray = lent(count, dtype)
            with np.errstate(all="ignore"):
                np.add(each[0], each[1], out=whole)
                for other in each[2:]:
                    np.add(whole, other, out=whole)
            return whole

        return sums


def _is_there(size: int) -> bool:
    """Whether so much memory may be shared: containers often have little."""
    try:
        found = os.statvfs("/dev/shm")
    except (OSError, AttributeError):
        return True  # not Linux
    return size < 0.8 * found.f_bavail * found.f_frsize
