"""Runners of queues: threads that end when they should, errors that show, nobody who hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def ended(threads, seconds=20.0):
    """Whether all have ended after so long at most."""
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in threads)


def all_of(session, batch):
    """What a tensor gives until the end of the input."""
    found = []
    try:
        while True:
            found.append(session.run(batch))
    except hf.errors.OutOfRangeError:
        return found


def test_a_stop_ends_every_thread(session):
    names = hf.train.string_input_producer(["a", "b"])
    batch = hf.train.shuffle_batch([names.dequeue()], 4, 100, 20, num_threads=3)
    coord = hf.train.Coordinator()
    threads = hf.train.start_queue_runners(session, coord)
    session.run(batch)
    start = time.monotonic()
    coord.request_stop()
    coord.join(threads)
    assert time.monotonic() - start < 20.0
    assert ended(threads, 0)
    assert all_of(session, batch)


def test_the_end_of_the_input_goes_through_all_queues(session):
    number = hf.train.range_input_producer(10, num_epochs=3).dequeue()
    batch = hf.train.batch([number], 4, num_threads=3)
    session.run(hf.local_variables_initializer())
    coord = hf.train.Coordinator()
    threads = hf.train.start_queue_runners(session, coord)
    assert len(all_of(session, batch)) == 7
    assert not coord.should_stop()
    coord.request_stop()
    coord.join(threads)


def failing(session, queue):
    x = hf.constant([1.0, 2.0])
    index = hf.placeholder_with_default(5, [])
    return hf.train.QueueRunner(queue, [queue.enqueue(hf.gather(x, index))])


@pytest.mark.parametrize("is_resource", [False, True])
def test_a_count_ends_what_waits_beside_it(is_resource):
    """Nobody fills the queue once more; in TensorFlow both run at the same time."""
    with hf.Graph().as_default(), hf.Session() as session:
        source, target = (hf.FIFOQueue(9, [hf.int32], [[]]) for _ in range(2))
        turn = hf.get_variable("turn", initializer=0, use_resource=is_resource)
        count = turn.count_up_to(3)
        read = source.dequeue()
        step = target.enqueue([read * 10 + count])
        session.run([hf.global_variables_initializer(), source.enqueue_many([[5, 6, 7]])])
        for wanted in (50, 61, 72):
            session.run(step)
            assert session.run(target.dequeue()) == wanted
        session.run(source.enqueue([8]))
        with pytest.raises(hf.errors.OutOfRangeError, match="Reached limit of 3"):
            session.run(step)
        assert session.run(source.size()) == 1
        # Who reads the variable beside it has its value from before.
        session.run(turn.initializer)
        assert session.run([count, turn.value(), read]) == [0, 0, 8]


def test_an_error_is_told_to_the_coordinator(session, caplog):
    queue = hf.FIFOQueue(3, hf.float32, name="numbers")
    coord = hf.train.Coordinator()
    threads = failing(session, queue).create_threads(session, coord, start=True)
    with pytest.raises(hf.errors.InvalidArgumentError, match="Gather"):
        coord.join(threads)
    assert ended(threads)
    with pytest.raises(hf.errors.OutOfRangeError):
        session.run(queue.dequeue())
    # Programs that never join are told too.
    (told,) = [record for record in caplog.records if "'numbers'" in record.getMessage()]
    assert told.levelname == "WARNING"
    assert "Gather" in told.getMessage()


def test_without_a_coordinator_an_error_closes_the_queue(session):
    queue = hf.FIFOQueue(3, hf.float32)
    runner = failing(session, queue)
    threads = runner.create_threads(session, start=True)
    with pytest.raises(hf.errors.OutOfRangeError):
        session.run(queue.dequeue())
    assert ended(threads)
    assert [type(e) for e in runner.exceptions_raised] == [hf.errors.InvalidArgumentError]


def test_a_variable_that_has_no_value_is_the_error(session):
    batch = hf.train.batch([hf.train.range_input_producer(3, num_epochs=1).dequeue()], 2)
    coord = hf.train.Coordinator()
    threads = hf.train.start_queue_runners(session, coord)
    with pytest.raises(hf.errors.OutOfRangeError):
        session.run(batch)
    with pytest.raises(hf.errors.FailedPreconditionError, match="epochs"):
        coord.join(threads)


def test_threads_are_made_once(session):
    queue = hf.FIFOQueue(3, hf.float32)
    runner = hf.train.QueueRunner(queue, [queue.enqueue(1.0)] * 2)
    coord = hf.train.Coordinator()
    threads = runner.create_threads(session, coord, start=True)
    assert len(threads) == 3
    assert runner.create_threads(session, coord) == []
    coord.request_stop()
    coord.join(threads)
    coord.clear_stop()
    again = hf.FIFOQueue(3, hf.float32)
    runner = hf.train.QueueRunner(again, [again.enqueue(1.0)])
    threads = runner.create_threads(session, start=True, daemon=True)
    session.run(again.dequeue())
    session.close()
    assert ended(threads)
    assert runner.exceptions_raised == []


def test_errors_that_mean_the_end():
    with hf.Graph().as_default(), hf.Session() as session:
        queue = hf.FIFOQueue(3, hf.float32)
        other = hf.FIFOQueue(3, hf.float32)
        session.run(other.close())
        types = (hf.errors.OutOfRangeError, hf.errors.CancelledError)
        runner = hf.train.QueueRunner(
            queue, [other.enqueue(1.0)], queue_closed_exception_types=types
        )
        assert ended(runner.create_threads(session, start=True))
        assert session.run(queue.is_closed())
        assert runner.exceptions_raised == []
        for wrong in ((), [hf.errors.OutOfRangeError], (ValueError,)):
            with pytest.raises(TypeError, match="queue_closed_exception_types"):
                hf.train.QueueRunner(
                    queue, [queue.enqueue(1.0)], queue_closed_exception_types=wrong
                )


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="Must provide"):
        hf.train.QueueRunner()
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="No default session"):
            hf.train.start_queue_runners()
        with pytest.raises(TypeError, match="Session"):
            hf.train.start_queue_runners(sess="no session")
    with hf.eager_mode():
        with pytest.raises(RuntimeError, match="graph mode"):
            hf.train.QueueRunner()
        with pytest.raises(RuntimeError, match="graph mode"):
            hf.train.string_input_producer(["a"])


def test_examples_that_do_not_fit_each_other():
    with hf.Graph().as_default():
        dense, row = hf.constant([1.0]), hf.SparseTensor([[0]], [1.0], [1])
        matrix = hf.SparseTensorValue([[0, 0]], np.float32([1.0]), [1, 1])
        with pytest.raises(ValueError, match="Inconsistent SparseTensors"):
            hf.train.batch_join([[dense], [row]], 2)
        with pytest.raises(ValueError, match=r"Inconsistent SparseTensors list: ranks \[1, 2\]"):
            hf.train.batch_join([[row], [matrix]], 2)
        with pytest.raises(TypeError, match="consistent: float32 vs"):
            hf.train.batch_join([[row], [hf.SparseTensor([[0]], [1], [1])]], 2)


def test_a_graph_with_its_runners_is_written_and_read():
    with hf.Graph().as_default():
        number = hf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
        batch = hf.train.batch([number], 3, name="found")
        assert batch.op.name == "found"
        meta_graph = hf.train.export_meta_graph()
    proto = hf.train.QueueRunnerDef.FromString(
        meta_graph.collection_def["queue_runners"].bytes_list.value[0]
    )
    assert proto.queue_name == "input_producer"
    for scope in ("", "inner"):
        with hf.Graph().as_default() as graph, hf.Session() as session:
            hf.train.import_meta_graph(meta_graph, import_scope=scope)
            runners = graph.get_collection(hf.GraphKeys.QUEUE_RUNNERS)
            assert all(isinstance(r, hf.train.QueueRunner) for r in runners)
            name = f"{scope}/found:0" if scope else "found:0"
            session.run(hf.local_variables_initializer())
            threads = hf.train.start_queue_runners(session)
            assert session.run(name).tolist() == [0, 1, 2]
            assert session.run(name).tolist() == [3, 4, 5]
            assert ended(threads)


def test_under_a_monitored_session():
    with hf.Graph().as_default():
        number = hf.train.range_input_producer(5, num_epochs=2, shuffle=False).dequeue()
        batch = hf.train.batch([number], 5)
        found = []
        with hf.train.MonitoredSession() as session:
            # It has started them itself.
            assert hf.train.start_queue_runners(session) == []
            while not session.should_stop():
                found.extend(session.run(batch).tolist())
        assert found == [0, 1, 2, 3, 4] * 2


def test_training_from_queues_runs_natively(session):
    numbers = np.random.RandomState(1)
    x = numbers.rand(50, 4).astype(np.float32)
    rows, sums = hf.train.slice_input_producer([x, x.sum(1)], seed=1)
    xs, ys = hf.train.shuffle_batch([rows, sums], 10, 60, 20)
    w = hf.get_variable("w", [4, 1])
    loss = hf.reduce_mean(hf.square(hf.matmul(xs, w)[:, 0] - ys))
    step = hf.train.AdamOptimizer(0.1).minimize(loss)
    session.run(hf.global_variables_initializer())
    coord = hf.train.Coordinator()
    threads = hf.train.start_queue_runners(session, coord)
    for _ in range(150):
        _, last = session.run([step, loss])
    assert last < 0.01
    coord.request_stop()
    coord.join(threads)


PROGRAM = """
import sys, threading, time
import hybridflow as hf
number = hf.train.range_input_producer(100).dequeue()
batch = hf.train.shuffle_batch([number], 4, 100, 20, num_threads=4)
stuck = hf.FIFOQueue(3, hf.int32).dequeue()
with hf.Session() as session:
    coord = hf.train.Coordinator()
    threads = hf.train.start_queue_runners(session, coord)
    try:
        session.run(batch)
        print("ready", flush=True)
        if sys.argv[1] == "waiting":
            # While somebody else runs it is no deadlock.
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            session.run(stuck)
        while True:
            session.run(batch)
    except KeyboardInterrupt:
        start = time.monotonic()
        coord.request_stop()
        coord.join(threads)
        took = time.monotonic() - start
        print("ended", not any(t.is_alive() for t in threads) and took < 20.0, flush=True)
"""


@pytest.mark.parametrize("what", ["waiting", "running"])
def test_an_interrupt_ends_every_thread(what):
    command = [sys.executable, "-c", PROGRAM, what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "ended True\n"
        assert process.wait(60) == 0
