"""Where the buffers of a native plan lie: one block of memory, used again when values are done."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.alignment import LINE, aligned_empty
from hybridflow._src.framework.errors import InternalError
from hybridflow._src.plan.placing import aligned, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hybridflow._src.plan.values import Buffer

# Fetched arrays of at least this size are handed out themselves; smaller ones are copied.
LARGE = 1 << 14


class Handed:
    """Memory for one fetched value, which the caller gets: another array in each run.

    Arrays that nobody has any more are used again: new memory costs more than writing it. But not
    one of which its owner has changed shape, dtype or flags.
    """

    _MOST = 4

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._shape = shape
        self._dtype = dtype
        self._arrays: list[np.ndarray] = []

    def take(self) -> np.ndarray:
        """An array that nobody else has."""
        arrays = self._arrays
        for index in range(len(arrays)):
            # Known to the list and, for this call, to the function.
            if sys.getrefcount(arrays[index]) <= 2:
                if self._is_as_it_was(arrays[index]):
                    return arrays[index]
                del arrays[index]
                break
        array = aligned_empty(self._shape, self._dtype)
        if len(arrays) < self._MOST:
            arrays.append(array)
        return array

    def _is_as_it_was(self, array: np.ndarray) -> bool:
        return array.shape == self._shape and array.dtype is self._dtype and array.flags.carray


def new_block(buffers: Iterable[Buffer]) -> Block:
    """The memory of buffers; under `HYBRIDFLOW_CHECK_BOUNDS` one that is checked after each run."""
    checked = os.environ.get("HYBRIDFLOW_CHECK_BOUNDS", "").strip("0")
    return GuardedBlock(buffers) if checked else Block(buffers)


class Block:
    """A block of memory with the offset of each buffer in it.

    Attributes:
      size: in bytes: the most that is in use at any time, with gaps. total: what it would take if
        nothing were used again. is_guarded: whether it is checked.
    """

    is_guarded = False

    def __init__(self, buffers: Iterable[Buffer]) -> None:
        buffers = list(buffers)
        self._offsets, self.size = placed(buffers)
        self.total = sum(map(aligned, buffers))
        self._memory = np.empty(self.size + LINE, np.uint8)
        self._start = -self._memory.ctypes.data % LINE

    @property
    def buffers(self) -> Iterable[Buffer]:
        """What lies in it."""
        return self._offsets.keys()

    def array(self, buffer: Buffer) -> np.ndarray:
        """The memory of a buffer as an array."""
        start = self._start + self._offsets[buffer]
        flat = self._memory[start : start + buffer.size]
        return flat.view(buffer.dtype).reshape(buffer.shape)

    def address(self, buffer: Buffer) -> int:
        """The address of a buffer."""
        return self._memory.ctypes.data + self._start + self._offsets[buffer]

    def begin(self) -> None:
        """Prepares for a run."""

    def check(self, ops: Mapping[int, Iterable[Any]]) -> None:
        """Looks at the memory after a run."""


# What the zones around buffers are filled with, and what is in memory before it is written: NaN in
# every format of floating-point numbers.
_GUARD, _UNWRITTEN = 0xA5, 0xFF
_OVERRUN = (
    "{count} bytes {where} buffer {buffer} were written to, the first {distance} bytes away from "
    "it. Its maker is step {step}, of {ops}; steps up to {last} use it."
)


class GuardedBlock(Block):
    """A block for tests: nothing is used twice, and zones around each buffer show what is written
    out of bounds."""

    is_guarded = True

    def __init__(self, buffers: Iterable[Buffer]) -> None:
        buffers = list(buffers)
        super().__init__(buffers)
        offset = LINE
        for buffer in buffers:
            self._offsets[buffer] = offset
            # A zone begins where the buffer ends, and is at least as wide as the alignment.
            offset += -(-buffer.size // LINE) * LINE + 2 * LINE
        self._memory = np.empty(offset + LINE, np.uint8)
        self._start = -self._memory.ctypes.data % LINE
        self._is_zone = np.ones(offset, np.bool_)
        for buffer in buffers:
            self._is_zone[self._offsets[buffer] :][: buffer.size] = False

    def begin(self) -> None:
        own = self._memory[self._start :][: len(self._is_zone)]
        own[...] = np.where(self._is_zone, np.uint8(_GUARD), np.uint8(_UNWRITTEN))

    def check(self, ops: Mapping[int, Iterable[Any]]) -> None:
        """Looks at the memory after a run.

        Raises:
          InternalError: if a kernel wrote to what is no buffer.
        """
        own = self._memory[self._start :][: len(self._is_zone)]
        bad = np.flatnonzero(self._is_zone & (own != _GUARD))
        if not bad.size:
            return
        first = int(bad[0])

        def distance(buffer: Buffer) -> int:
            begin = self._offsets[buffer]
            return begin - first if first < begin else first - (begin + buffer.size) + 1

        buffer = min(self._offsets, key=distance)
        names = [getattr(op, "name", "?") for op in ops.get(buffer.maker, ())]
        message = _OVERRUN.format(
            count=bad.size,
            where="before" if first < self._offsets[buffer] else "after",
            buffer=buffer,
            distance=distance(buffer),
            step=buffer.maker,
            ops=", ".join(names),
            last=buffer.last,
        )
        raise InternalError(None, None, message)
