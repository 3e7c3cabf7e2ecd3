"""The kernels by which ranks sum, with two ranks that one thread plays."""

from __future__ import annotations

import numpy as np
import pytest

from hybridflow._src.kernels import meeting
from hybridflow._src.kernels.uncompiled import function_of
from hybridflow._src.ranks.together import MEETINGS


class Rank:
    """What one of two ranks has in memory: its line, what it owes, its part of what is shared."""

    def __init__(self):
        self.line = np.zeros(8, np.int64)
        self.owed = np.zeros(1, np.int64)
        self.arena = np.zeros(8)
        self.number = np.zeros(1, np.int64)

    def meet(self, other, word, transfers=1):
        words = [0, word, at(self.line), at(self.owed), transfers, 0, 1, at(other.line)]
        return Running(meeting.MEET, words)

    def lay(self, *arrays):
        each = [word for array in arrays for word in (at(array), array.size)]
        words = [at(self.line), at(self.owed), at(self.arena), at(self.number), len(arrays), *each]
        return Running(meeting.laying("f64"), words)()

    def wait(self, other):
        return Running(meeting.WAIT, [at(self.number), 0, 1, at(other.line)])


class Running:
    def __init__(self, kernel, words):
        self.words, self.function = np.array(words, np.int64), function_of(kernel)

    def __call__(self):
        return self.function(self.words.ctypes.data)


def at(array):
    return array.ctypes.data


@pytest.fixture
def ranks():
    return Rank(), Rank()


def test_ranks_meet_and_sum(ranks):
    one, other = ranks
    for turn in range(1, 4):
        mine, theirs = one.meet(other, 7), other.meet(one, 7)
        assert mine() == meeting.AWAITED  # and says its word once, however often it looks
        assert mine() == meeting.AWAITED
        assert one.line[MEETINGS] == turn
        assert theirs() == 0
        assert mine() == 0
        assert one.owed[0] == 1
        arrays = [np.array([1.0, turn]), np.array([3.0])]
        one.lay(*arrays)
        assert one.owed[0] == 0
        assert one.wait(other)() == meeting.AWAITED
        other.lay(*[np.multiply(10, array) for array in arrays])
        assert one.wait(other)() == other.wait(one)() == 0
        result = np.zeros(3)
        places = [at(one.arena), at(other.arena)]
        Running(meeting.adding("f64"), [0, 3, at(result), 2, *places])()
        np.testing.assert_array_equal(result, [11.0, 11.0 * turn, 33.0])


def test_ranks_that_do_not_do_the_same(ranks):
    one, other = ranks
    mine = one.meet(other, 7)
    assert mine() == meeting.AWAITED
    assert one.owed[0] == 1  # it would leave the other one
    assert other.meet(one, 8)() == meeting.DIFFERENT
    assert mine() == meeting.DIFFERENT


def test_sums_of_several_in_order():
    places = [np.array([value, 1.0], np.float32) for value in (1e8, -1e8, 0.5)]
    result = np.zeros(2, np.float32)
    words = [0, 2, at(result), 3, *map(at, places)]
    Running(meeting.adding("f32"), words)()
    np.testing.assert_array_equal(result, [0.5, 3.0])
