"""Reads many bytes of a file and makes their checksum, by several threads.

Each takes a part, so that some bytes are read while the checksum of others is made; that of the
whole follows from those of the parts.
"""

from __future__ import annotations

import functools
import itertools
import os
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.formats.bundle import STEP
from hybridflow._src.formats.checksums import crc32c, joined
from hybridflow._src.framework.locks import start_thread
from hybridflow._src.kernels import pool

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

# Less is read before a thread has begun.
_LEAST = 8 * STEP
# More threads wait for memory.
_MOST = 4


def fill(data: np.ndarray, file: io.BufferedReader, offset: int) -> int:
    """Reads bytes at a place of a file into an array of them; gives their checksum.

    Raises:
      ValueError: if the file is cut short.
    """

    def read(start: int, stop: int) -> int:
        crc = 0
        for first in range(start, stop, STEP):
            crc = _piece(data[first : min(first + STEP, stop)], file, offset + first, crc)
        return crc

    return _by_parts(read, data.size)


def scan(size: int, file: io.BufferedReader, offset: int) -> int:
    """The checksum of bytes at a place of a file, which are not kept.

    Raises:
      ValueError: if the file is cut short.
    """

    def read(start: int, stop: int) -> int:
        crc = 0
        buffer = np.empty(min(STEP, stop - start), np.uint8)
        for first in range(start, stop, STEP):
            crc = _piece(buffer[: stop - first], file, offset + first, crc)
        return crc

    return _by_parts(read, size)


def _piece(data: np.ndarray, file: io.BufferedReader, offset: int, crc: int) -> int:
    """Reads a few bytes; the checksum goes on from `crc`."""
    if hasattr(os, "preadv"):
        done = 0
        while done < data.size:
            found = os.preadv(file.fileno(), [data[done:].data], offset + done)
            if not found:
                raise ValueError("it is cut short")
            done += found
    else:
        file.seek(offset)
        if file.readinto(data.data) != data.size:
            raise ValueError("it is cut short")
    return crc32c(data, crc)


def _by_parts(read: Callable[[int, int], int], size: int) -> int:
    """The checksum of `size` bytes; `read` gives that of those between two places."""
    # Else threads would move each other's place in the file.
    most = min(_MOST, pool.size()) if hasattr(os, "preadv") else 1
    parts = max(1, min(most, size // _LEAST))
    places = [size * part // parts for part in range(parts + 1)]
    others = [_begun(read, *ends) for ends in itertools.pairwise(places[1:])]
    try:
        crc = read(*places[:2])
    finally:
        results = [other() for other in others]
    for part, result in enumerate(results, 1):
        if isinstance(result, Exception):
            raise result
        crc = joined(crc, result, places[part + 1] - places[part])
    return crc


def _begun(read: Callable[[int, int], int], start: int, stop: int) -> Callable[[], int | Exception]:
    """Has a thread read; gives a function that waits for its result, or for what went wrong."""
    results: SimpleQueue[int | Exception] = SimpleQueue()

    def run() -> None:
        try:
            results.put(read(start, stop))
        except Exception as error:
            results.put(error)

    try:
        start_thread(run, "hybridflow checkpoint")
    except RuntimeError:  # there can be no more threads
        run()
    return functools.partial(results.get)
