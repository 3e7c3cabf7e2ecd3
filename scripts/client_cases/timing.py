"""How many steps a second a program makes, once what compiles it is done."""

import time


def settle(step, patience=15.0):
    """Runs a step until it has been no quicker than before for as many seconds."""
    best, since = float("inf"), time.perf_counter()
    while time.perf_counter() - since < patience:
        start = time.perf_counter()
        for _ in range(5):
            step()
        if time.perf_counter() - start < 0.9 * best:
            best, since = time.perf_counter() - start, time.perf_counter()


def rate(step, count=200, patience=15.0):
    """Steps a second."""
    settle(step, patience)
    start = time.perf_counter()
    for _ in range(count):
        step()
    return count / (time.perf_counter() - start)
