"""Queues: who waits for what, what ends that, and that no element is lost or doubled."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


class InThread(threading.Thread):
    """Calls a function in a thread; `result` waits for what it gives, or raises what it raised."""

    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self._call = function, args
        self._error = None
        self.start()

    def run(self):
        function, args = self._call
        try:
            self._result = function(*args)
        except BaseException as error:
            self._error = error

    def result(self):
        self.join(100)
        assert not self.is_alive()
        if self._error is not None:
            raise self._error
        return self._result


def settle():
    """Gives threads time to begin to wait."""
    time.sleep(0.05)


def make(kind, capacity, dtype=hf.int32, shapes=((),)):
    if kind == "shuffle":
        return hf.RandomShuffleQueue(capacity, 2, dtype, shapes=list(shapes))
    if kind == "padding":
        return hf.PaddingFIFOQueue(capacity, dtype, shapes=list(shapes))
    return hf.FIFOQueue(capacity, dtype, shapes=list(shapes))


def test_a_dequeue_waits_for_an_element(session):
    queue = make("fifo", 3)
    element = queue.dequeue()
    waiting = InThread(session.run, element)
    settle()
    assert waiting.is_alive()
    session.run(queue.enqueue(7))
    assert waiting.result() == 7


def test_an_enqueue_waits_for_room(session):
    queue = make("fifo", 2)
    session.run(queue.enqueue_many([[1, 2]]))
    waiting = InThread(session.run, queue.enqueue_many([[3, 4, 5]]))
    settle()
    assert waiting.is_alive()
    assert session.run(queue.dequeue_many(4)).tolist() == [1, 2, 3, 4]
    waiting.result()
    assert session.run(queue.dequeue()) == 5


def test_those_who_wait_are_served_in_order(session):
    queue = make("fifo", 9)
    element = queue.dequeue()
    waiting = []
    for _ in range(4):
        waiting.append(InThread(session.run, element))
        settle()
    session.run(queue.enqueue_many([[1, 2, 3, 4]]))
    assert [thread.result() for thread in waiting] == [1, 2, 3, 4]


def test_closing_ends_those_who_wait_for_elements(session):
    queue = make("fifo", 9)
    waiting = InThread(session.run, queue.dequeue_many(3))
    session.run(queue.enqueue_many([[1, 2]]))
    settle()
    session.run(queue.close())
    with pytest.raises(hf.errors.OutOfRangeError, match="insufficient elements"):
        waiting.result()
    # What it had taken is there again, in order.
    assert session.run(queue.dequeue_up_to(5)).tolist() == [1, 2]


def test_closing_waits_for_those_who_wait_for_room(session):
    queue = make("fifo", 1)
    session.run(queue.enqueue(1))
    adding = InThread(session.run, queue.enqueue(2))
    settle()
    closing = InThread(session.run, queue.close())
    settle()
    assert closing.is_alive()
    assert not session.run(queue.is_closed())
    assert session.run(queue.dequeue()) == 1
    adding.result()
    closing.result()
    assert session.run(queue.is_closed())
    assert session.run(queue.dequeue()) == 2


def test_closing_at_once_cancels_those_who_wait_for_room(session):
    queue = make("fifo", 1)
    session.run(queue.enqueue(1))
    adding = InThread(session.run, queue.enqueue(2))
    settle()
    session.run(queue.close(cancel_pending_enqueues=True))
    with pytest.raises(hf.errors.CancelledError):
        adding.result()
    assert session.run(queue.dequeue_up_to(9)).tolist() == [1]


def test_closing_the_session_ends_all_who_wait():
    with hf.Graph().as_default():
        queue = make("fifo", 1)
        session = hf.Session()
        waiting = InThread(session.run, queue.dequeue_many(2))
        settle()
        session.run(queue.enqueue(1))
        full = make("fifo", 0)
        adding = InThread(session.run, full.enqueue(1))
        settle()
        session.close()
        for thread in (waiting, adding):
            with pytest.raises(hf.errors.CancelledError):
                thread.result()


STUCK = """
import time
import hybridflow as hf
queue = hf.FIFOQueue(1, hf.int32, shapes=[()])
element, size = queue.dequeue(), queue.size()
batch = hf.train.batch([hf.train.range_input_producer(3).dequeue()], 2)
with hf.Session() as session:
    steps = (element, None), (batch, None), (queue.enqueue(4), queue.enqueue(3))
    for step, comes_before in steps:
        if comes_before is not None:
            session.run(comes_before)
        try:
            session.run(step)
        except hf.errors.FailedPreconditionError as error:
            print("start_queue_runners" in str(error))
    print(session.run(element), session.run(size))
"""


def test_nobody_waits_for_what_cannot_come():
    """Alone in a process, a thread that waits is told; it has left the line then."""
    command = [sys.executable, "-c", STUCK]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert found.stdout.split() == ["True", "True", "True", "3", "0"], found.stderr


def test_waiting_ends_when_the_run_has_no_more_time(session):
    queue = hf.FIFOQueue(1, hf.int32, shapes=[()])
    one = queue.dequeue()
    soon = hf.RunOptions(timeout_in_ms=20)
    call = session.make_callable(queue.dequeue_many(2), accept_options=True)
    # Another thread is there, which might end it: it is the time that ends it.
    other = InThread(lambda: time.sleep(0.5))
    for run in (lambda: session.run(one, options=soon), lambda: call(options=soon)):
        with pytest.raises(hf.errors.DeadlineExceededError, match="Timed out waiting"):
            run()
    other.join()
    session.run(queue.enqueue(37), options=hf.RunOptions(timeout_in_ms=1000))
    with pytest.raises(hf.errors.DeadlineExceededError):
        call(options=soon)
    assert session.run(one, options=soon) == 37
    with hf.Session(config=hf.ConfigProto(operation_timeout_in_ms=20)) as hasty:
        with pytest.raises(hf.errors.DeadlineExceededError, match="operation_timeout_in_ms"):
            hasty.run(one)
        hasty.run(queue.enqueue(1))
        assert hasty.run(one) == 1


def test_a_server_says_how_long_its_sessions_wait():
    """Also where nobody is left who could end it: whoever sets a time wants that error."""
    server = hf.train.Server.create_local_server(hf.ConfigProto(operation_timeout_in_ms=20))
    with hf.Graph().as_default():
        one = hf.FIFOQueue(1, hf.int32, shapes=[()]).dequeue()
        raises = pytest.raises(hf.errors.DeadlineExceededError)
        with hf.Session(server.target) as session, raises:
            session.run(one)
        slow = hf.ConfigProto(operation_timeout_in_ms=60)
        with hf.Session(server.target, config=slow) as session:
            begin = time.monotonic()
            with pytest.raises(hf.errors.DeadlineExceededError):
                session.run(one)
            assert time.monotonic() - begin > 0.05


def test_there_is_no_queue_at_another_index(session):
    queues = [hf.FIFOQueue(1, hf.int32, name=f"q{i}") for i in range(2)]
    index = hf.placeholder(hf.int32, [])
    size = hf.FIFOQueue.from_list(index, queues).size()
    for wrong in (2, -1):
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"is not in \[0, 2\)"):
            session.run(size, {index: wrong})
    assert session.run(size, {index: 1}) == 0


def test_what_begins_together_may_wait_for_each_other(session):
    queue = make("fifo", 1)
    session.run(queue.enqueue(1))
    element = queue.dequeue()
    with hf.control_dependencies([]):
        adding = queue.enqueue(2)
    assert session.run([adding, element])[1] == 1
    assert session.run([element, queue.enqueue(5)])[0] == 2


def test_a_waiting_step_holds_no_lock_of_variables(session):
    variable = hf.get_variable("v", initializer=hf.zeros([300]))
    queue = make("fifo", 1, hf.float32)
    step = variable.assign_add(hf.fill([300], queue.dequeue()))
    other = variable.assign_add(hf.ones([300]))
    session.run(hf.global_variables_initializer())
    for _ in range(8):  # until a native program runs it
        session.run(queue.enqueue(1.0))
        session.run(step)
        session.run(other)
        time.sleep(0.02)
    waiting = InThread(session.run, step)
    settle()
    InThread(session.run, other).result()
    session.run(queue.enqueue(1.0))
    waiting.result()
    assert set(session.run(variable)) == {18.0}


def test_what_is_needed_before_and_after_waiting_is_computed_once(session):
    counter = hf.get_variable("n", initializer=0)
    queue = make("fifo", 9)
    drawn = hf.random_uniform([], maxval=1 << 30, dtype=hf.int32)
    with hf.control_dependencies([counter.assign_add(1)]):
        adding = queue.enqueue(drawn)
    with hf.control_dependencies([adding]):
        element = queue.dequeue()
        with hf.control_dependencies([element]):
            read = counter + 0
    session.run(hf.global_variables_initializer())
    for turn in range(1, 5):
        before, after, number = session.run([drawn, element, read])
        assert before == after
        assert number == turn


@pytest.mark.parametrize("inside", [True, False])
def test_queues_in_conditionals(session, inside):
    queue = make("fifo", 9)
    flag = hf.placeholder(hf.bool, [])
    variable = hf.get_variable("v", initializer=3)

    def add():
        return queue.enqueue(variable + 1)

    step = hf.cond(flag, add, hf.no_op)
    session.run(hf.global_variables_initializer())
    session.run(step, {flag: inside})
    assert session.run(queue.size()) == inside


def test_queues_in_loops(session):
    queue = make("fifo", 9)
    session.run(queue.enqueue_many([[1, 2, 3, 4]]))
    _, total = hf.while_loop(
        lambda i, _: i < 4, lambda i, total: (i + 1, total + queue.dequeue()), (0, 0)
    )
    assert session.run(total) == 10


def test_eagerly():
    with hf.eager_mode():
        queue = hf.FIFOQueue(4, [hf.int32, hf.string], shapes=[(), ()], names=["n", "s"])
        queue.enqueue({"n": 1, "s": "one"})
        queue.enqueue_many({"n": [2, 3], "s": ["two", "three"]})
        assert int(queue.size()) == 3
        found = queue.dequeue_many(2)
        assert found["n"].numpy().tolist() == [1, 2]
        assert found["s"].numpy().tolist() == [b"one", b"two"]
        queue.close()
        assert bool(queue.is_closed())
        assert int(queue.dequeue()["n"]) == 3
        with pytest.raises(hf.errors.OutOfRangeError):
            queue.dequeue()


@pytest.mark.parametrize("kind", ["fifo", "shuffle", "padding"])
def test_no_element_is_lost_or_doubled(kind):
    """Eight threads add, eight take, a hundred times."""
    with hf.Graph().as_default(), hf.Session() as session:
        value = hf.placeholder(hf.int32, [])
        values = hf.placeholder(hf.int32, [None])
        queues = [make(kind, 7) for _ in range(34)]
        for queue in queues:
            _exchange(session, queue, value, values)


def _exchange(session, queue, value, values):
    add = session.make_callable(queue.enqueue(value), [value])
    add_some = session.make_callable(queue.enqueue_many([values]), [values])
    take = session.make_callable(queue.dequeue())
    take_some = session.make_callable(queue.dequeue_up_to(4))
    close = queue.close()
    added = [list(range(100 * k, 100 * k + 12)) for k in range(8)]
    taken = [[] for _ in range(8)]

    def produce(mine):
        for number in mine[:6]:
            add(number)
        add_some(mine[6:])

    def consume(mine, single):
        try:
            while True:
                if single:
                    mine.append(int(take()))
                else:
                    mine.extend(take_some().tolist())
        except hf.errors.OutOfRangeError:
            pass

    producers = [InThread(produce, mine) for mine in added]
    consumers = [InThread(consume, mine, k % 2) for k, mine in enumerate(taken)]
    for thread in producers:
        thread.result()
    session.run(close)
    for thread in consumers:
        thread.result()
    assert sorted(itertools.chain(*taken)) == list(itertools.chain(*added))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_child_has_the_elements_and_nobody_who_waits(session):
    queue = make("fifo", 3)
    empty = make("fifo", 3)
    session.run(queue.enqueue(1))
    element, other, adding = queue.dequeue(), empty.dequeue(), empty.enqueue(5)
    waiting = InThread(session.run, other)
    settle()
    child = os.fork()
    if not child:
        code = 1
        try:
            session.run(adding)
            # Taken by nobody of the parent's.
            code = int(session.run(element) != 1 or session.run(other) != 5)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert waiting.is_alive()
    session.run(adding)
    assert waiting.result() == 5


def test_arguments_that_do_not_fit():
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="same length as dtypes"):
            hf.FIFOQueue(3, [hf.int32, hf.int32], shapes=[()])
        with pytest.raises(ValueError, match="fully defined"):
            hf.FIFOQueue(3, hf.int32, shapes=[[None]])
        with pytest.raises(ValueError, match="partial shapes"):
            hf.PaddingFIFOQueue(3, hf.int32, shapes=None)
        with pytest.raises(ValueError, match="names"):
            hf.FIFOQueue(3, hf.int32, names=["a", "b"])
        queue = hf.FIFOQueue(3, [hf.int32, hf.float32], shapes=[(), (2,)])
        with pytest.raises(ValueError, match="components"):
            queue.enqueue([1])
        with pytest.raises(ValueError, match="incompatible"):
            queue.enqueue([1, [1.0, 2.0, 3.0]])
        with pytest.raises(TypeError):
            queue.enqueue([1.5, [1.0, 2.0]])
        with pytest.raises(ValueError, match="must have names"):
            queue.enqueue({"a": 1})
        with pytest.raises(TypeError, match="list of queues"):
            hf.FIFOQueue.from_list(0, queue)
        with pytest.raises(TypeError, match="dtypes"):
            hf.FIFOQueue.from_list(0, [queue, hf.FIFOQueue(3, hf.int32)])


def test_elements_are_values(session):
    queue = make("fifo", 3, hf.float32, [(2,)])
    fed = np.ones(2, np.float32)
    x = hf.placeholder(hf.float32, [2])
    session.run(queue.enqueue(x), {x: fed})
    fed[:] = 5
    found = session.run(queue.dequeue())
    assert found.tolist() == [1.0, 1.0]
    found[:] = 7  # the caller's own
