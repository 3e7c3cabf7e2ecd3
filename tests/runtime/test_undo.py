"""After a run that failed, variables are as before it."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.storage import Storage, undone_on_error


def fail():
    raise ValueError("mine")


def failing_after(*ops):
    with hf.control_dependencies([op for op in ops if op is not None]):
        return hf.py_func(fail, [], [])


@pytest.mark.parametrize("use_resource", [False, True])
def test_a_failed_run_takes_its_writes_back(use_resource):
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=[1.0, 2.0], use_resource=use_resource)
        w = hf.get_variable("w", initializer=5.0, use_resource=use_resource)
        twice = v.assign_add([1.0, 1.0])
        with hf.control_dependencies([twice]):
            again = v.assign([7.0, 7.0])
        broken = failing_after(again, w.assign(0.0))
        session.run(hf.global_variables_initializer())
        with pytest.raises(hf.errors.InvalidArgumentError, match="mine"):
            session.run(broken)
        np.testing.assert_array_equal(session.run(v), [1.0, 2.0])
        assert session.run(w) == 5.0
        session.run(again)
        np.testing.assert_array_equal(session.run(v), [7.0, 7.0])


def test_turns_of_a_loop_before_the_one_that_failed():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=1.0, use_resource=True)

        def body(i):
            with hf.control_dependencies([v.assign_add(1.0), hf.Assert(i < 3, ["too far"])]):
                return i + 1

        loop = hf.while_loop(lambda i: i < 5, body, [0])
        session.run(hf.global_variables_initializer())
        with pytest.raises(hf.errors.InvalidArgumentError, match="too far"):
            session.run(loop)
        assert session.run(v) == 1.0


def test_an_initializer_that_failed_leaves_the_variable_without_a_value():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=1.0)
        broken = failing_after(v.initializer)
        with pytest.raises(hf.errors.InvalidArgumentError, match="mine"):
            session.run(broken)
        with pytest.raises(hf.errors.FailedPreconditionError):
            session.run(v)


def test_a_traced_function():
    with hf.eager_mode():
        v = hf.Variable(1.0)

        @hf.function
        def step():
            v.assign_add(1.0)
            hf.py_func(fail, [], [])

        with pytest.raises(hf.errors.InvalidArgumentError, match="mine"):
            step()
        assert float(v) == 1.0


def test_optimizers_and_their_slots():
    with hf.eager_mode():
        v = hf.Variable([1.0, 2.0])
        bad = hf.Variable([1.0], constraint=lambda w: hf.py_func(lambda x: fail(), [w], hf.float32))
        optimizer = hf.train.AdamOptimizer(0.1)
        optimizer.apply_gradients([(hf.constant([1.0, 1.0]), v)])
        before = v.numpy(), optimizer.get_slot(v, "m").numpy()
        with pytest.raises(hf.errors.InvalidArgumentError, match="mine"):
            optimizer.apply_gradients([(hf.constant([1.0, 1.0]), v), (hf.constant([1.0]), bad)])
        np.testing.assert_array_equal(v.numpy(), before[0])
        np.testing.assert_array_equal(optimizer.get_slot(v, "m").numpy(), before[1])


def test_what_another_thread_wrote_since_stays():
    storage = Storage("s", np.float32(1))

    def other():
        storage.write(np.float32(9))

    thread = threading.Thread(target=other)

    def work():
        storage.write(np.float32(2))
        thread.start()
        thread.join()
        raise RuntimeError

    with contextlib.suppress(RuntimeError):
        undone_on_error(work)
    assert storage.value == 9


def test_levels():
    a, b = Storage("a", np.float32(1)), Storage("b", np.float32(1))

    def write_and_fail():
        b.write(np.float32(2))
        raise KeyError

    def work():
        undone_on_error(a.write, np.float32(2))
        with contextlib.suppress(KeyError):
            undone_on_error(write_and_fail)
        assert (a.value, b.value) == (2, 1)
        a.write(np.float32(3))
        raise RuntimeError

    with contextlib.suppress(RuntimeError):
        undone_on_error(work)
    assert (a.value, b.value) == (1, 1)
    a.write(np.float32(4))
    assert a.value == 4
