"""The threads that share the work of kernels."""

from __future__ import annotations

import sys
import time

import pytest

from hybridflow._src.kernels import pool


class Interrupted(BaseException):
    """Raised at any moment, as KeyboardInterrupt is."""


@pytest.mark.parametrize("moment", range(1, 13))
def test_nothing_runs_after_an_interrupt(monkeypatch, moment):
    """Python looks for signals where a function is entered: here the nth of the pool's."""
    monkeypatch.setattr(pool, "_pool", pool._Pool())
    left, begun, ended = [moment], [], []

    def enter(program):
        begun.append(program)
        time.sleep(0.01 * program)  # the helpers' take longer
        ended.append(program)
        return 0

    def trace(frame, event, argument):
        if frame.f_code.co_filename == pool.__file__ and frame.f_code is not pool.run.__code__:
            left[0] -= 1
            if not left[0]:
                raise Interrupted

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        pool.run(enter, [1, 2, 3])
    except Interrupted:
        pass
    finally:
        sys.settrace(before)
    found = [*begun], [*ended]
    time.sleep(0.05)
    assert found == (begun, ended)
    assert sorted(begun) == sorted(ended)
