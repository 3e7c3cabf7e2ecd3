"""Numbers drawn at random from a ring of them, which others enter: how datasets are shuffled."""

from __future__ import annotations

from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
load_u32 = NAMESPACE["load_u32"]
i64 = NAMESPACE["i64"]


def draw(a: int) -> int:
    """Draws numbers from a ring. The ring's first one takes the place of each, and the next of
    those that enter, if there are any, that of the first one.

    Words: how many; random words; among how many numbers the first one is drawn, and how many fewer
    the others in turn; the ring, its size, where it begins; whether others enter, and these; what
    is drawn.
    """
    ring = word(a, 4)
    size = word(a, 5)
    begin = word(a, 6)
    for turn in range(word(a, 0)):
        choices = word(a, 2) - turn * word(a, 3)
        first = (begin + turn) % size
        place = (begin + turn + i64(load_u32(word(a, 1), turn, 0)) % choices) % size
        store_i64(word(a, 9), turn, 1, load_i64(ring, place, 2))
        store_i64(ring, place, 2, load_i64(ring, first, 2))
        if word(a, 7):
            store_i64(ring, first, 2, load_i64(word(a, 8), turn, 3))
    return 0


DRAW = Alone(written(draw, "i64"), worth=100_000)
