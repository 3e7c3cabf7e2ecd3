"""Where buffers lie: never over each other, and hardly more room than what is in use needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies

import hybridflow as hf
from hybridflow._src.plan.placing import aligned, needed, placed
from hybridflow._src.plan.values import PLANNED, Buffer
from tests import native
from tests.plan.sessions import program_of


def _buffer(size, first, last):
    buffer = Buffer(PLANNED, (size,), np.dtype(np.uint8), first)
    buffer.last = last
    return buffer


@given(
    strategies.lists(
        strategies.tuples(
            strategies.integers(0, 2000), strategies.integers(0, 20), strategies.integers(0, 9)
        ),
        max_size=60,
    )
)
def test_buffers_in_use_do_not_overlap(given):
    buffers = [_buffer(size, first, first + steps) for size, first, steps in given]
    offsets, size = placed(buffers)
    assert set(offsets) == set(buffers)
    assert needed(buffers) <= size <= sum(map(aligned, buffers))
    for i, one in enumerate(buffers):
        assert offsets[one] % 64 == 0
        assert offsets[one] + one.size <= size
        for other in buffers[:i]:
            if one.first <= other.last and other.first <= one.last:
                low, high = sorted((one, other), key=lambda b: offsets[b])
                assert offsets[low] + low.size <= offsets[high]


def test_many_buffers():
    buffers = [_buffer(4096 if i < 300 else 64, i, i + 2) for i in range(3000)]
    offsets, size = placed(buffers)
    assert len(offsets) == 3000
    assert size <= needed(buffers) + 44 * 4096 + 64 * 4


def _plain(x):
    for channels in (8, 16):
        x = hf.layers.conv2d(x, channels, 5, padding="same", activation=hf.nn.relu)
        x = hf.layers.max_pooling2d(x, 2, 2)
    x = hf.layers.dense(hf.layers.flatten(x), 128, activation=hf.nn.relu)
    return hf.layers.dense(x, 10)


def _residual(x):
    x = hf.layers.conv2d(x, 8, 3, padding="same")
    for channels, strides in ((8, 1), (8, 1), (16, 2), (16, 1), (32, 2), (32, 1)):
        y = x
        for stride in (strides, 1):
            y = hf.layers.conv2d(hf.nn.relu(y), channels, 3, stride, "same", use_bias=False)
            y = hf.layers.batch_normalization(y, training=True)
        x = y + (x if strides == 1 else hf.layers.conv2d(x, channels, 1, strides))
    return hf.layers.dense(hf.reduce_mean(x, axis=[1, 2]), 10)


@pytest.mark.parametrize("network", [_plain, _residual])
def test_a_step_takes_little_more_than_what_is_in_use(network):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, 28, 28, 1])
        labels = hf.placeholder(hf.int64, [None])
        loss = hf.losses.sparse_softmax_cross_entropy(labels, network(x))
        train = hf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
        session.run(hf.global_variables_initializer())
        feed = {x: np.ones((16, 28, 28, 1)), labels: np.arange(16) % 10}
        # Where things lie can be seen without kernels.
        with native.uncompiled_kernels():
            program = program_of(session, [loss, train], feed)
        block = program.block
        least = needed(block._offsets)
        assert least <= block.size <= 1.1 * least
        assert block.size < block.total
