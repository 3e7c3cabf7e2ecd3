"""Kernels that Python calls by themselves, outside of programs.

One is made in the background when there has been enough to do for it. Until then, and where nothing
is compiled, there is another way to do it.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.kernels.jobs import JOBS, is_switched_off
from hybridflow._src.kernels.memory import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hybridflow._src.kernels.kernel import Kernel

# What makes kernels, imported in the background as for programs.
_COMPILER = "hybridflow._src.kernels.compiler"
_U64 = 0xFFFFFFFFFFFFFFFF


class Alone:
    """A kernel that may be there.

    Args:
      kernel: what it is.
      worth: how much there must have been to do before it is made: as much as takes the other way
        some hundredths of a second.
      holds_gil: whether other threads of Python wait while it runs.
    """

    def __init__(self, kernel: Kernel, worth: int, holds_gil: bool = False) -> None:
        self.kernel = kernel
        self.worth = worth
        self._type = ctypes.PYFUNCTYPE if holds_gil else ctypes.CFUNCTYPE
        self._function: Callable[[int], int] | None = None
        self._work = 0
        # In which process it was asked for: a child goes on without its parent's jobs.
        self._asked: int | None = None

    def is_there(self, work: int) -> bool:
        """Whether it can be called, where there is so much to do."""
        if self._function is not None:
            return True
        self._work += work
        if self._work >= self.worth and self._asked != os.getpid():
            self._asked = os.getpid()
            if not is_switched_off():
                # What goes wrong leaves it to the other way.
                JOBS.submit(self, self._make(), lambda _: None)
        return False

    def __call__(self, *words: int | np.ndarray) -> int:
        """Calls it with numbers, and with where arrays lie, row by row; gives its status."""
        assert self._function is not None
        found = [word & _U64 if isinstance(word, int) else address_of(word) for word in words]
        array = np.array(found, np.uint64)
        return self._function(array.ctypes.data)

    def _make(self) -> Iterator[float]:
        compiler = importlib.import_module(_COMPILER).COMPILER
        yield from compiler.make([self.kernel])
        address = compiler.obtain([self.kernel])[self.kernel]
        self._function = self._type(ctypes.c_int64, ctypes.c_int64)(address)
