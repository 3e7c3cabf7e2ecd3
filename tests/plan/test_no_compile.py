"""Kernels are for structures, not for shapes: what has been compiled once serves all sizes."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import program_of


def network(width=8):
    x = hf.placeholder(hf.float32, [None, 6])
    labels = hf.placeholder(hf.int32, [None])
    w = hf.get_variable("w", [6, width], constraint=hf.constraints.MaxNorm(1.0))
    v = hf.get_variable("v", [width, 3])
    logits = hf.matmul(hf.nn.relu(hf.matmul(x, w) + 0.5), v)
    losses = hf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = hf.reduce_mean(losses)
    return x, labels, loss, hf.train.AdamOptimizer(0.01).minimize(loss)


def batch(x, labels, size):
    random = np.random.default_rng(size)
    features = random.normal(size=(size, 6)).astype(np.float32)
    return {x: features, labels: random.integers(0, 3, size).astype(np.int32)}


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


def test_a_new_batch_size():
    x, labels, loss, train = network()
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        program_of(session, [loss, train], batch(x, labels, 16))
        with native.assert_no_compile():
            for size in (17, 5, 64, 200):
                program = program_of(session, [loss, train], batch(x, labels, size))
                assert not program.fallbacks


def test_another_session_and_another_graph():
    x, labels, loss, train = network()
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        program_of(session, [loss, train], batch(x, labels, 16))
    with native.assert_no_compile(), hf.Graph().as_default():
        x, labels, loss, train = network(width=20)
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            program_of(session, [loss, train], batch(x, labels, 9))


def test_it_is_noticed_when_a_kernel_is_needed():
    x = hf.placeholder(hf.float32, [None])
    with (
        hf.Session() as session,
        pytest.raises(AssertionError, match="a kernel was needed"),
        native.assert_no_compile(),
    ):
        # An expression that nothing else has.
        program_of(session, hf.tanh(x * 3.25) - hf.sqrt(x * 1.0625), {x: np.ones(7, np.float32)})
