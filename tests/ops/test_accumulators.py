"""Accumulators of gradients: who waits for what, what comes too late, and that none is lost."""

from __future__ import annotations

import time

import numpy as np
import pytest

import hybridflow as hf
from tests.ops.test_queues import InThread, settle


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_taking_waits_for_enough_gradients(session):
    mean = hf.ConditionalAccumulator(hf.float32, [2])
    gradient = hf.placeholder(hf.float32, [2])
    apply, take = mean.apply_grad(gradient, local_step=1), mean.take_grad(3)
    taken = InThread(session.run, take)
    for number in (1.0, 2.0, 6.0):
        settle()
        assert taken.is_alive()
        session.run(apply, {gradient: [number, 0.0]})
    np.testing.assert_array_equal(taken.result(), [3.0, 0.0])
    assert session.run(mean.num_accumulated()) == 0


def test_closing_the_session_ends_who_waits():
    with hf.Graph().as_default():
        takes = [
            hf.ConditionalAccumulator(hf.float32, [2]).take_grad(1),
            hf.SparseConditionalAccumulator(hf.float32).take_grad(1),
        ]
        session = hf.Session()
        threads = [InThread(session.run, take) for take in takes]
        settle()
        session.close()
    for thread in threads:
        with pytest.raises(hf.errors.CancelledError, match="was cancelled"):
            thread.result()


def test_waiting_ends_when_the_run_has_no_more_time(session):
    take = hf.ConditionalAccumulator(hf.float32, [2]).take_grad(1)
    other = InThread(lambda: time.sleep(0.5))
    with pytest.raises(hf.errors.DeadlineExceededError):
        session.run(take, options=hf.RunOptions(timeout_in_ms=20))
    other.join()


@pytest.mark.parametrize("sparse", [False, True])
def test_no_gradient_is_lost_or_doubled(session, sparse):
    """Eight threads add numbers at once; the mean is that of all."""
    number = hf.placeholder(hf.float64, [])
    step = 2**40
    if sparse:
        mean = hf.SparseConditionalAccumulator(hf.float64, [4])
        apply = mean.apply_grad([1, 3], hf.stack([number, -number]), local_step=step)
        take = mean.take_grad(8).values
    else:
        mean = hf.ConditionalAccumulator(hf.float64, [2])
        apply = mean.apply_grad(hf.stack([number, -number]), local_step=step)
        take = mean.take_grad(8)
    count = mean.num_accumulated()
    add = session.make_callable(apply, [number])
    numbers = np.arange(1.0, 401.0).reshape(8, 50)
    sums = []

    def adds(row):
        for value in row:
            add(value)

    for round_of in range(50):
        threads = [InThread(adds, numbers[i, round_of : round_of + 1]) for i in range(8)]
        for thread in threads:
            thread.result()
        assert session.run(count) == 8
        sums.append(session.run(take) * 8)
    np.testing.assert_allclose(np.sum(sums, 0), [numbers.sum(), -numbers.sum()], rtol=1e-12)
    assert session.run(count) == 0


def test_rows_of_one_index_are_their_sum_and_one_gradient(session):
    mean = hf.SparseConditionalAccumulator(hf.float32)
    session.run(mean.apply_grad([5, 1, 5], [[1.0], [2.0], [3.0]]))
    session.run(mean.apply_grad([5], [[6.0]]))
    taken = session.run(mean.take_grad(2))
    assert taken.indices.tolist() == [1, 5]
    assert taken.values.tolist() == [[2.0], [5.0]]


def test_what_does_not_fit_leaves_all_as_it_was(session):
    mean = hf.ConditionalAccumulator(hf.float32)
    gradient = hf.placeholder(hf.float32)
    apply = mean.apply_grad(gradient)
    session.run(apply, {gradient: [1.0, 2.0]})
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"expected \[2\], got \[3\]"):
        session.run(apply, {gradient: [1.0, 2.0, 3.0]})
    sparse = hf.SparseConditionalAccumulator(hf.float32, [3])
    with pytest.raises(hf.errors.InvalidArgumentError, match="index is -1"):
        session.run(sparse.apply_grad([-1], [1.0]))
    assert session.run([mean.num_accumulated(), sparse.num_accumulated()]) == [1, 0]
    assert session.run(mean.take_grad(1)).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="incompatible"):
        hf.ConditionalAccumulator(hf.float32, [2]).apply_grad([1.0])
    with pytest.raises(TypeError, match="int32"):
        hf.ConditionalAccumulator(hf.int32)
    hf.ConditionalAccumulator(hf.float32, [2], shared_name="one")
    other = hf.ConditionalAccumulator(hf.float32, [3], shared_name="one")
    session.run(other.num_accumulated())
    first = hf.ConditionalAccumulator(hf.float32, [2], shared_name="one")
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"shape \[3\] but .* \[2\]"):
        session.run(first.num_accumulated())


def test_eagerly():
    with hf.eager_mode():
        mean = hf.ConditionalAccumulator(hf.float32, [2])
        mean.apply_grad([1.0, 2.0])
        mean.apply_grad([3.0, 4.0])
        assert mean.take_grad(2).numpy().tolist() == [2.0, 3.0]
        mean.apply_grad([3.0, 4.0])
        assert int(mean.num_accumulated()) == 0
        sparse = hf.SparseConditionalAccumulator(hf.float32)
        sparse.apply_grad([1], [[2.0]])
        assert sparse.take_grad(1).values.numpy().tolist() == [[2.0]]
