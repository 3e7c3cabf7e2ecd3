"""The passes that make a plan or a program: their names, in order, and the time that each took."""

from __future__ import annotations

import time


class Passes(list[tuple[str, float]]):
    """Names and seconds, noted as the passes end."""

    def __init__(self) -> None:
        super().__init__()
        self._last = time.perf_counter()

    def done(self, name: str) -> None:
        """Notes that a pass has ended, which began where the one before it did."""
        now = time.perf_counter()
        self.append((name, now - self._last))
        self._last = now
