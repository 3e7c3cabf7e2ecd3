"""Coordinators: threads end together, and what one of them raises comes out at the join."""

from __future__ import annotations

import re
import threading
import time

import pytest

import hybridflow as hf


def started(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    return threads


def test_one_thread_ends_the_others():
    coord, turns = hf.train.Coordinator(), []

    def wait():
        while not coord.should_stop():
            coord.wait_for_stop(60)
        turns.append("ended")

    threads = started(wait, wait, coord.request_stop)
    coord.join(threads)
    assert turns == ["ended"] * 2
    assert coord.joined
    assert not any(thread.is_alive() for thread in threads)


def test_threads_that_end_by_themselves_are_waited_for():
    coord = hf.train.Coordinator()
    threads = started(lambda: time.sleep(0.02), lambda: None)
    coord.register_thread(threads[0])
    coord.join(threads[1:])
    assert not any(thread.is_alive() for thread in threads)
    assert not coord.should_stop()


@pytest.mark.parametrize("how", ["reported", "exc_info", "context"])
def test_an_exception_is_raised_by_join(how):
    coord = hf.train.Coordinator()

    def fail():
        if how == "context":
            with coord.stop_on_exception():
                raise ValueError("of a thread")
        try:
            raise ValueError("of a thread")
        except ValueError as error:
            given = error if how == "reported" else (type(error), error, error.__traceback__)
            coord.request_stop(given)

    threads = started(fail)
    with pytest.raises(ValueError, match="of a thread") as found:
        coord.join(threads)
    assert "fail" in [entry.name for entry in found.traceback]
    with pytest.raises(ValueError, match="of a thread"):
        coord.raise_requested_exception()


def test_the_first_exception_counts():
    coord = hf.train.Coordinator()
    coord.request_stop(ValueError("first"))
    coord.request_stop(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        coord.join()
    # Nobody would see it any more.
    with pytest.raises(KeyError, match="late"):
        coord.request_stop(KeyError("late"))


def test_the_end_of_input_is_a_good_end():
    coord = hf.train.Coordinator()
    coord.request_stop(hf.errors.OutOfRangeError(None, None, "no more"))
    coord.join()
    coord = hf.train.Coordinator(clean_stop_exception_types=(StopIteration,))
    coord.request_stop(StopIteration())
    coord.join()
    coord = hf.train.Coordinator(clean_stop_exception_types=())
    coord.request_stop(hf.errors.OutOfRangeError(None, None, "no more"))
    with pytest.raises(hf.errors.OutOfRangeError, match="no more"):
        coord.join()


def test_what_is_no_exception_is_one():
    coord = hf.train.Coordinator()
    coord.request_stop((None, None, None))
    coord.join()
    coord = hf.train.Coordinator()
    coord.request_stop("broken")
    with pytest.raises(ValueError, match="ex must be an exception or what"):
        coord.join()


def test_clear_stop():
    coord = hf.train.Coordinator()
    coord.request_stop(ValueError("once"))
    coord.clear_stop()
    assert not coord.should_stop()
    coord.join()


@pytest.mark.parametrize("ignored", [False, True])
def test_threads_that_run_on(ignored):
    coord, end = hf.train.Coordinator(), threading.Event()
    (thread,) = started(end.wait)
    coord.request_stop()
    try:
        if ignored:
            coord.join([thread], stop_grace_period_secs=0.02, ignore_live_threads=True)
        else:
            with pytest.raises(RuntimeError, match=f"still running: {re.escape(thread.name)}"):
                coord.join([thread], stop_grace_period_secs=0.02)
    finally:
        end.set()
        thread.join()


class TestLooperThread:
    def test_it_calls_until_it_is_to_end(self):
        coord, calls = hf.train.Coordinator(), []

        def call(value, more):
            calls.append((value, more))
            if len(calls) == 3:
                coord.request_stop()

        hf.train.LooperThread.loop(coord, None, call, args=(1,), kwargs={"more": 2})
        coord.join()
        assert calls == [(1, 2)] * 3

    def test_the_timer(self):
        coord, times = hf.train.Coordinator(), []

        class Looper(hf.train.LooperThread):
            def start_loop(self):
                times.append("start")

            def run_loop(self):
                times.append(time.time())
                if len(times) == 4:
                    coord.request_stop()

            def stop_loop(self):
                times.append("stop")

        looper = Looper(coord, 0.02)
        assert looper.daemon
        looper.start()
        coord.join()
        assert (times[0], times[-1]) == ("start", "stop")
        assert times[3] - times[1] >= 0.035

    def test_an_exception_is_reported(self):
        coord = hf.train.Coordinator()
        hf.train.LooperThread.loop(coord, 60, lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            coord.join()

    def test_wrong_arguments(self):
        with pytest.raises(ValueError, match="'coord' argument must be a Coordinator"):
            hf.train.LooperThread(None, 1)
        with pytest.raises(ValueError, match="also pass 'target'"):
            hf.train.LooperThread(hf.train.Coordinator(), 1, args=(1,))
