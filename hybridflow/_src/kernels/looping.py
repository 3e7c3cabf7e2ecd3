"""Native code that runs programs inside a program: one of several, or two in turns.

A kernel here gives a status of its own when it cannot go on by itself. The program around it, and
those around that, then stop where they are; when they run again it goes on from there.
"""

from __future__ import annotations

from hybridflow._src.kernels.driver import indented
from hybridflow._src.kernels.kernel import Kernel

# What kernels stop for: other threads and signals; a part for which there is no program; more room
# for what each turn keeps; others that run the loop for other rows.
PAUSED, UNKNOWN, FULL, WAITING = 252, 253, 254, 251

# Words: where the number lies that chooses, how many programs there are, and each (0: none).
CHOICE = Kernel(
    f"""
def kernel(args):
    chosen = load_i64(word(args, 0), 0, 31)
    if chosen < 0 or chosen >= word(args, 1):
        return {UNKNOWN}
    program = word(args, 2 + chosen)
    if program == 0:
        return {UNKNOWN}
    {indented(1)}
    return status & 255
""",
    "choice",
)

# A loop's words: how many variables it has; what it does (nothing yet, its condition, its body);
# where the work is counted that is left until it pauses, and how much a turn is; where the number
# of the turn lies, and where that of all turns so far is put; before which turn it does not end, so
# that its condition is not asked; whether it waits where it would end. Then for even turns and for
# odd ones the condition, where its result lies, and the body (0: none); then for each variable
# where its first value lies, where it lies before even and before odd turns, and its size in bytes.
# Where it lies is the same for one that stays as it is.
LOOP_HEAD, OF_PARITY, OF_VARIABLE = 8, 3, 4
TURN, LEAST, WAITS = 4, 6, 7
NOTHING, CONDITION, BODY = 0, 1, 2

_COPY = """
size = word(item, 3)
source = word(item, {source})
to = word(item, {to})
for k in range(size // 8):
    store_i64(to, k, 1, load_i64(source, k, 0))
for k in range(size // 8 * 8, size):
    store_u8(to, k, 1, load_u8(source, k, 0))
"""


def _copied(source: int, to: int, depth: int) -> str:
    text = _COPY.format(source=source, to=to).strip()
    return text.replace("\n", "\n" + "    " * depth)


LOOP = Kernel(
    f"""
def kernel(args):
    count = word(args, 0)
    items = args + {8 * (LOOP_HEAD + 2 * OF_PARITY)}
    if word(args, 1) == {NOTHING}:
        for i in range(count):
            item = items + i * {8 * OF_VARIABLE}
            if word(item, 0) != word(item, 1):
                {_copied(0, 1, 4)}
        set_word(word(args, {TURN}), 0, 0)
        set_word(args, 1, {CONDITION})
    turn = word(word(args, {TURN}), 0)
    status = 0
    while True:
        parity = args + {8 * LOOP_HEAD} + {8 * OF_PARITY} * (turn & 1)
        if word(args, 1) == {CONDITION}:
            if turn >= word(args, {LEAST}):
                program = word(parity, 0)
                {indented(4)}
                if status != 0:
                    break
                if not load_b1(word(parity, 1), 0, 31):
                    if word(args, {WAITS}) != 0:
                        status = {WAITING}
                    break
            set_word(args, 1, {BODY})
        program = word(parity, 2)
        if program == 0:
            status = {UNKNOWN}
            break
        {indented(2)}
        if status != 0:
            break
        turn += 1
        set_word(word(args, {TURN}), 0, turn)
        store_i32(word(args, 5), 0, 30, i32(turn))
        set_word(args, 1, {CONDITION})
        left = word(word(args, 2), 0) - word(args, 3)
        set_word(word(args, 2), 0, left)
        if left < 0:
            status = {PAUSED}
            break
    if status != 0:
        return status & 255
    set_word(args, 1, {NOTHING})
    if turn & 1:
        for i in range(count):
            item = items + i * {8 * OF_VARIABLE}
            if word(item, 2) != word(item, 1):
                {_copied(2, 1, 4)}
    store_i32(word(args, 5), 0, 30, i32(turn))
    return 0
""",
    "loop",
)

_LOCATE = """
def kernel(args):
    index = i64(load_{I}(word(args, 0), 0, 0))
    if index < 0:
        index += word(args, 2)
    if index < 0 or index >= word(args, 1):
        return word(args, 3)
    table = word(args, 4)
    for k in range(word(table, 0)):
        entry = table + 8 + 24 * k
        set_word(word(entry, 0), 0, word(entry, 1) + word(entry, 2) * index)
    return 0
"""


def locate(index: str) -> Kernel:
    """The kernel that says where rows lie, so that calls after it find them there.

    Words: where the index lies; how many rows there are, and what is added to a negative index; the
    status if there is no such row; a table. A table has the number of its entries, and for each
    the address of a word, that of the first row, and how far rows lie apart.
    """
    return Kernel(_LOCATE.format(I=index), "locate")


# Words: what is put, its size in bytes, the stack, where the number of the turn lies, how many
# turns there is room for.
PUSH = Kernel(
    f"""
def kernel(args):
    turn = word(word(args, 3), 0)
    if turn >= word(args, 4):
        return {FULL}
    size = word(args, 1)
    source = word(args, 0)
    to = word(args, 2) + size * turn
    for k in range(size // 8):
        store_i64(to, k, 1, load_i64(source, k, 0))
    for k in range(size // 8 * 8, size):
        store_u8(to, k, 1, load_u8(source, k, 0))
    return 0
""",
    "push",
)

# Words: where the index lies, the element, its size in bytes, the elements, how many there is room
# for, which are written, of an array that grows where its size lies (else 0), and how far elements
# lie apart. Gives a status if there is no such place, or it is taken.
WRITE = Kernel(
    f"""
def kernel(args):
    index = i64(load_i32(word(args, 0), 0, 0))
    number = word(args, 6)
    if index < 0:
        return 1
    if index >= word(args, 4):
        return 1 if number == 0 else {FULL}
    if load_u8(word(args, 5), index, 1) != 0:
        return 1
    store_u8(word(args, 5), index, 1, u8(1))
    if number != 0 and i64(load_i32(number, 0, 4)) <= index:
        store_i32(number, 0, 4, i32(index + 1))
    size = word(args, 2)
    source = word(args, 1)
    to = word(args, 3) + word(args, 7) * index
    for k in range(size // 8):
        store_i64(to, k, 3, load_i64(source, k, 2))
    for k in range(size // 8 * 8, size):
        store_u8(to, k, 3, load_u8(source, k, 2))
    return 0
""",
    "write_item",
)

# Words: indices, how many there are, where the size of an array that grows lies, and which of its
# elements are written (0 if it does not matter). Gives a status unless there are such elements.
READABLE = Kernel(
    """
def kernel(args):
    size = i64(load_i32(word(args, 2), 0, 1))
    written = word(args, 3)
    for k in range(word(args, 1)):
        index = i64(load_i32(word(args, 0), k, 0))
        if index < 0 or index >= size:
            return 1
        if written != 0 and load_u8(written, index, 2) == 0:
            return 1
    return 0
""",
    "readable",
)

# Words: which elements are written, and how many there are. Gives a status unless all are.
WHOLE = Kernel(
    """
def kernel(args):
    for k in range(word(args, 1)):
        if load_u8(word(args, 0), k, 0) == 0:
            return 1
    return 0
""",
    "all_written",
)

# Gives a status unless an int32 number is as expected.
SAME = Kernel(
    """
def kernel(args):
    if load_i32(word(args, 0), 0, 0) != i32(word(args, 1)):
        return 1
    return 0
""",
    "same",
)
