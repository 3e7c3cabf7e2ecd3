"""What a rank says before it exchanges anything: the collectives that it is going to run."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# Of a word the bits that say on how many threads a rank runs native code, 0 if it does not.
_BITS = 10
_MOST = (1 << _BITS) - 1


def parts_of(word: int) -> tuple[int, int]:
    """The digest in a word, and the number of threads."""
    return word >> _BITS, word & _MOST


class Roll:
    """Collectives that a rank is going to run, the same ones on all ranks or there is an error.

    Args:
      lines: what they are.
      transfers: how many transfers they are.
      room: how much they need of the memory that ranks of one machine share.
    """

    def __init__(self, lines: Sequence[str], transfers: int, room: int = 0) -> None:
        self.lines = list(lines)
        self.transfers = transfers
        self.room = room

    @cached_property
    def digest(self) -> int:
        """A number of 52 bits that differs where lines do."""
        text = "\n".join(self.lines).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 12

    def word(self, threads: int) -> int:
        """What a rank says to others: the digest, and on how many threads it runs native code."""
        return self.digest << _BITS | min(threads, _MOST)


def differences(said: Sequence[Sequence[str]]) -> str:
    """What ranks are about to do at the first place where that is not the same.

    Args:
      said: the lines of each rank.
    """
    longest = max(map(len, said))
    padded = [[*lines, *["nothing more"] * (longest - len(lines))] for lines in said]
    place = next(i for i in range(longest) if len({lines[i] for lines in padded}) > 1)
    by_line: dict[str, list[int]] = {}
    for rank, lines in enumerate(padded):
        by_line.setdefault(lines[place], []).append(rank)
    return "; ".join(f"{_named(ranks)}: {line}" for line, ranks in by_line.items())


def _named(ranks: Iterable[int]) -> str:
    """Ranks as people name them: `rank 1`, `ranks 0, 2`."""
    ranks = list(ranks)
    return f"{'rank' if len(ranks) == 1 else 'ranks'} {', '.join(map(str, ranks))}"
