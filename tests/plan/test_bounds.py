"""Guard zones: a kernel that writes out of bounds is found, with the buffer and its step."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan.memory import Block, GuardedBlock, new_block
from hybridflow._src.plan.values import PLANNED, Buffer
from tests.plan.sessions import program_of


class Op:
    name = "culprit"


@pytest.fixture
def buffers():
    found = [Buffer(PLANNED, (shape,), np.dtype(np.float32), 0) for shape in (3, 16, 0, 1, 1000)]
    for number, buffer in enumerate(found):
        buffer.maker = buffer.first = number
        buffer.last = number + 1
    return found


@pytest.mark.parametrize(
    ("value", "kind"), [("", Block), ("0", Block), ("1", GuardedBlock), (None, Block)]
)
def test_the_environment_asks_for_it(monkeypatch, buffers, value, kind):
    monkeypatch.delenv("HYBRIDFLOW_CHECK_BOUNDS", raising=False)
    if value is not None:
        monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", value)
    block = new_block(buffers)
    assert type(block) is kind
    block.begin()
    block.check({})


def test_buffers_lie_aligned_and_apart_and_hold_nan(buffers):
    block = GuardedBlock(buffers)
    block.begin()
    ends = []
    for buffer in buffers:
        array = block.array(buffer)
        assert array.shape == buffer.shape
        assert block.address(buffer) % 64 == 0
        assert array.size == 0 or block.address(buffer) == array.ctypes.data
        assert np.isnan(array).all()
        ends.append((block.address(buffer), block.address(buffer) + buffer.size))
        array[...] = 1
    block.check({})
    ends.sort()
    assert all(end + 64 <= begin for (_, end), (begin, _) in itertools.pairwise(ends))


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("distance", [1, 4, 60])
@pytest.mark.parametrize("number", range(5))
def test_each_zone_is_watched(buffers, where, distance, number):
    block = GuardedBlock(buffers)
    block.begin()
    buffer = buffers[number]
    start = block.address(buffer) - block._memory.ctypes.data
    at = start - distance if where == "before" else start + buffer.size + distance - 1
    block._memory[at] = 0
    message = f"1 bytes {where} buffer .*, the first {distance} bytes .*step {number}, of culprit;"
    with pytest.raises(hf.errors.InternalError, match=message):
        block.check({number: [Op]})
    block.begin()
    block.check({})


def test_a_run_that_wrote_out_of_bounds_is_an_error(monkeypatch):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None])
        y = hf.tanh(x, name="squash") + hf.reduce_sum(x)
        feed = {x: np.ones(5, np.float32)}
        program = program_of(session, y, feed)
        assert program.block.is_guarded
        wanted = np.full(5, np.tanh(1) + 5, np.float32)
        np.testing.assert_allclose(session.run(y, feed), wanted, rtol=1e-6)
        (buffer, *_) = program.block._offsets
        real = program._enter

        def overrun(start):
            status = real(start)
            after = program.block.address(buffer) + buffer.size
            program.block._memory[after - program.block._memory.ctypes.data] ^= 1
            return status

        program._enter = overrun
        with pytest.raises(hf.errors.InternalError, match="1 bytes after buffer"):
            session.run(y, feed)
        program._enter = real
        np.testing.assert_allclose(session.run(y, feed), wanted, rtol=1e-6)
