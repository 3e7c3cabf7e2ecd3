"""Kernels by which ranks of one machine sum, in memory that they share: see `ranks/together.py`.

One that waits for others looks for some time, then gives a status, so that signals and messages are
looked at; when it runs again it goes on waiting.
"""

from __future__ import annotations

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.ranks.together import LAID, MEETINGS, WORDS

# What a kernel stops for: others have not come yet; they do something else.
AWAITED, DIFFERENT = 249, 248
# So often it looks before others may have the processor, some tens of microseconds, and before it
# stops: each look takes long then, if others want it.
_PATIENCE, _LOOKS = 2_000, 2_200


def _waiting(line: str, place: int, number: str, yields: str) -> str:
    """The text that waits until a word of a line has come so far."""
    return f"""
        while shared_word({line}, {place}) < {number}:
            looks += 1
            if looks > {_LOOKS}:
                return {AWAITED}
            pause()
            if looks > {_PATIENCE} and {yields} != 0:
                function_at({yields})
""".strip()


# Waits for all ranks, and gives a status unless all give the same word. Words: whether this rank
# has given its word; the word; its line; where the number of transfers lies that it owes to others,
# and how many they are from now on; a function that lets others have the processor, or 0; how many
# other ranks there are, and their lines.
MEET = Kernel(
    f"""
def kernel(args):
    line = word(args, 2)
    if word(args, 0) == 0:
        number = word(line, {MEETINGS}) + 1
        # The word before is still being read, by who has not met this rank again.
        set_word(line, {WORDS} + (number & 1), word(args, 1))
        set_word(word(args, 3), 0, word(args, 4))
        set_word(args, 0, 1)
        exchange_word(line, {MEETINGS}, number - 1, number)
    number = word(line, {MEETINGS})
    looks = 0
    for k in range(word(args, 6)):
        {_waiting("word(args, 7 + k)", MEETINGS, "number", "word(args, 5)")}
    set_word(args, 0, 0)
    for k in range(word(args, 6)):
        if shared_word(word(args, 7 + k), {WORDS} + (number & 1)) != word(args, 1):
            return {DIFFERENT}
    return 0
""",
    "agree",
)

# Waits until all ranks have laid down what belongs to a sum. Words: where the number of the sum
# lies; a function that lets others have the processor, or 0; how many other ranks there are, and
# their lines.
WAIT = Kernel(
    f"""
def kernel(args):
    number = load_i64(word(args, 0), 0, 0)
    looks = 0
    for k in range(word(args, 2)):
        {_waiting("word(args, 3 + k)", LAID, "number", "word(args, 1)")}
    return 0
""",
    "wait: sum",
)

_LAY = """
def kernel(args):
    to = word(args, 2)
    start = 0
    for k in range(word(args, 4)):
        source = word(args, 5 + 2 * k)
        count = word(args, 6 + 2 * k)
        for i in range(count):
            store_{T}(to, start + i, 1, load_{T}(source, i, 0))
        start += count
    number = word(word(args, 0), {LAID}) + 1
    store_i64(word(args, 3), 0, 2, number)
    exchange_word(word(args, 0), {LAID}, number - 1, number)
    set_word(word(args, 1), 0, word(word(args, 1), 0) - 1)
    return 0
"""

_ADD = """
def kernel(args):
    first = word(args, 0)
    last = word(args, 1)
    result = word(args, 2)
    one = word(args, 4)
    other = word(args, 5)
    for i in range(first, last):
        store_{T}(result, i, 2, {T}(load_{T}(one, i, 0) + load_{T}(other, i, 1)))
    for k in range(2, word(args, 3)):
        other = word(args, 4 + k)
        for i in range(first, last):
            store_{T}(result, i, 2, {T}(load_{T}(result, i, 2) + load_{T}(other, i, 1)))
    return 0
"""


def laying(element: str) -> Kernel:
    """The kernel that lays arrays down behind each other, and tells the others.

    Words: this rank's line; where the number of transfers lies that it owes; where the arrays go;
    where the number of the sum is put; how many arrays, and each with the number of its elements.
    """
    return Kernel(_LAY.format(T=element, LAID=LAID), "begin: sum")


def adding(element: str) -> Kernel:
    """The kernel that adds up what lies at several places, in their order.

    Words: the first element and the last; the sums; how many places, at least two, and each.
    """
    return Kernel(_ADD.format(T=element), "add in order")
