"""The passes that make a plan or a program: their names, in order, and the time that each took."""

from __future__ import annotations

import time

# What is done to loops in native programs, beside what is done to all plans.
TURNS_AT_ONCE = "turns at once"
ROWS_IN_PLACE = "rows in place"
SUMS_AFTER = "sums after loops"
PRODUCTS_BEFORE = "products before loops"
INVARIANTS = "invariants before loops"
PACKED_ONCE = "weights packed once"
SHARED_ROWS = "rows shared by threads"
SCALARS_IN_REGISTERS = "scalars in registers"
OF_LOOPS = (
    TURNS_AT_ONCE,
    ROWS_IN_PLACE,
    SUMS_AFTER,
    PRODUCTS_BEFORE,
    INVARIANTS,
    PACKED_ONCE,
    SHARED_ROWS,
    SCALARS_IN_REGISTERS,
)
# What is done to the steps of layers; a session can leave it out like those.
IN_BANDS = "images in bands"
IN_STRIPS = "rows in strips"
KEPT_PACKED = "filters kept packed"
OF_LAYERS = (IN_BANDS, IN_STRIPS, KEPT_PACKED)
# And to products, in all of them.
BY_TILES = "products by tiles"
NAMED = (*OF_LOOPS, *OF_LAYERS, BY_TILES)


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
