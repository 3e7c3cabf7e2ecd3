"""Native code of threads that run programs side by side, without the interpreter's lock.

A helper that has run its program *lingers*: for about a millisecond it looks for another one
in its box before it goes to sleep in Python. To wake a thread that sleeps takes longer than most
steps, so nobody waits for that: when the caller has run its own program, it takes those back that
no helper has begun, and runs them itself.

A box is an array of words: the slot (the state of the helper, or the program that it has to run),
and how many programs it has run. They lie in cache lines of their own.

A packet says who runs what: the program of the calling thread, the number of helpers, whether they
have been told, and for each helper its box, its program, and what `SHARE` fills in: how many
programs it has run when it is done, and whether it has to be woken. Last comes the address of the
function by which a thread lets others have the processor.
"""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels.driver import indented
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ASLEEP, LINGERING, RUNNING = 0, 1, 2
BOX_WORDS, COUNT_WORD = 16, 8
# How often a helper looks before it sleeps, and the caller before others may have the processor.
_LOOKS, _PATIENCE = 40_000, 20_000

# Tells the helpers, and gives how many have to be woken; called again, or if there are none, it
# runs the caller's program and sees to it that all others have run. The status is dropped: only
# kernels that cannot fail run side by side.
SHARE = Kernel(
    f"""
def kernel(owner, argument):
    packet = PyLong_AsSsize_t(argument)
    count = word(packet, 1)
    if word(packet, 2) == 0:
        set_word(packet, 2, 1)
        asleep = 0
        helper = packet + 24
        for _ in range(count):
            set_word(helper, 2, shared_word(word(helper, 0), {COUNT_WORD}) + 1)
            state = shared_word(word(helper, 0), 0)
            while exchange_word(word(helper, 0), 0, state, word(helper, 1)) != state:
                state = shared_word(word(helper, 0), 0)
            if state == {ASLEEP}:
                set_word(helper, 3, 1)
                asleep += 1
            helper += 32
        if asleep != 0:
            return PyLong_FromSsize_t(asleep)
    thread = PyEval_SaveThread()
    program = word(packet, 0)
    {indented(1)}
    helper = packet + 24
    for _ in range(count):
        program = word(helper, 1)
        before = {LINGERING}
        if word(helper, 3) != 0:
            before = {ASLEEP}
        if exchange_word(word(helper, 0), 0, program, before) == program:
            {indented(3)}
        else:
            looks = 0
            while shared_word(word(helper, 0), {COUNT_WORD}) != word(helper, 2):
                pause()
                looks += 1
                if looks > {_PATIENCE} and word(packet, 3 + 4 * count) != 0:
                    function_at(word(packet, 3 + 4 * count))
        helper += 32
    PyEval_RestoreThread(thread)
    return PyLong_FromSsize_t(0)
""",
    "share",
)

# Runs the program in the slot of a box, if it is still there, and those that are put there while it
# lingers.
LINGER = Kernel(
    f"""
def kernel(owner, argument):
    box = PyLong_AsSsize_t(argument)
    thread = PyEval_SaveThread()
    exchange_word(box, 0, {ASLEEP}, {LINGERING})
    looks = 0
    while True:
        program = shared_word(box, 0)
        if program == {LINGERING}:
            pause()
            looks += 1
            if looks > {_LOOKS} and exchange_word(box, 0, {LINGERING}, {ASLEEP}) == {LINGERING}:
                break
        elif program == {ASLEEP}:
            exchange_word(box, 0, {ASLEEP}, {LINGERING})
        elif exchange_word(box, 0, program, {RUNNING}) == program:
            {indented(3)}
            exchange_word(box, 0, {RUNNING}, {LINGERING})
            exchange_word(box, {COUNT_WORD}, word(box, {COUNT_WORD}), word(box, {COUNT_WORD}) + 1)
            looks = 0
    PyEval_RestoreThread(thread)
    return PyLong_FromSsize_t(0)
""",
    "linger",
)


class Crew(NamedTuple):
    """How programs are run side by side.

    Attributes:
      enter: runs one program. share, linger: the functions of `SHARE` and `LINGER`, given the
        address of a packet and of a box; None where programs are no native code.
    """

    enter: Callable[[int], Any]
    share: Callable[[int], int] | None = None
    linger: Callable[[int], Any] | None = None


class Shared(NamedTuple):
    """Programs that run side by side, and whether it is worth to wake threads for them."""

    programs: list[int]
    is_large: bool


def packet(program: int, jobs: Iterable[tuple[int, int]]) -> np.ndarray:
    """A packet for the caller's program and those of helpers, by their boxes."""
    words = [word for box, theirs in jobs for word in (box, theirs, 0, 0)]
    return np.array([program, len(words) // 4, 0, *words, yield_processor()], np.int64)


def must_be_woken(packet: np.ndarray) -> list[bool]:
    """For each helper whether it has not been told."""
    return packet[6:-1:4].astype(bool).tolist()


@functools.cache
def yield_processor() -> int:
    """The address of the function by which a thread lets others have the processor, or 0."""
    try:
        function = ctypes.CDLL(None).sched_yield
    except (AttributeError, TypeError, OSError):  # no POSIX
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0
