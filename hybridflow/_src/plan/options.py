"""How plans run: what a session's configuration says of it."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """How the plans of one owner run.

    Attributes:
      threads: how many threads work on one large kernel; 0 leaves it to the process.
      winograd_block: the rows of a block of results in Winograd's algorithm: 2 or 4.
      without: the passes that are left out, of `passes.NAMED`.
    """

    threads: int = 0
    winograd_block: int = 2
    without: frozenset[str] = frozenset()


DEFAULT = Options()
