"""How many steps a second a program makes, once what compiles it is done."""

import sys
import time


def settle(step, patience=15.0):
    """Runs a step until more runs make it no quicker.

    hybridflow says when nothing is left to compile. Under TensorFlow a step is run until it has
    been no quicker than before for as many seconds.
    """
    if "hybridflow" in sys.modules:
        from hybridflow._src.kernels.compiler import COMPILER

        # What a run has found out is compiled after it; what is compiled may ask for more.
        for _ in range(5):
            step()
            step()
            COMPILER.wait()
        return
    best, since = float("inf"), time.perf_counter()
    while time.perf_counter() - since < patience:
        start = time.perf_counter()
        for _ in range(5):
            step()
        if time.perf_counter() - start < 0.9 * best:
            best, since = time.perf_counter() - start, time.perf_counter()


def rate(step, count=20, rounds=15, patience=15.0):
    """Steps a second, in the quickest of some rounds: what else the machine does slows others."""
    settle(step, patience)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            step()
        best = min(best, time.perf_counter() - start)
    return count / best
