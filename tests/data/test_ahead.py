"""Elements that a thread makes ahead."""

from __future__ import annotations

from collections import deque
from typing import Any

from hybridflow._src.data.ahead import Ahead


def test_the_last_result_comes_while_somebody_looks():
    """The thread gives its last result, and ends, right after none was found."""
    ahead = Ahead(lambda: None, 1)
    work = ahead._work

    class Late(deque[Any]):
        def __bool__(self) -> bool:
            if not work.ended:
                self.append(("last", None))
                work.ended = True
                return False
            return len(self) > 0

    work.start = work.wait = lambda: None
    work.results = Late()
    assert ahead.take() == "last"
    assert ahead.take() is None


def test_what_was_put_there_comes_before_the_end():
    ahead = Ahead(lambda: None, 2)
    ahead.put([1, 2], ended=True)
    assert [ahead.take() for _ in range(3)] == [1, 2, None]


def test_no_result_is_lost():
    for _ in range(300):
        numbers = iter(range(5))
        ahead = Ahead(lambda numbers=numbers: next(numbers, None), 2)
        assert [ahead.take() for _ in range(6)] == [0, 1, 2, 3, 4, None]
