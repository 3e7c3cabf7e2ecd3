"""Hooks that look, stop, wait, feed and evaluate."""

from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def log(caplog, monkeypatch):
    """The messages that are logged."""
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.INFO, "tensorflow"):
        yield caplog


def counting():
    """An operation that counts the global step."""
    return hf.assign_add(hf.train.get_or_create_global_step(), 1)


def run(hooks, fetches, times):
    with hf.train.MonitoredSession(hooks=hooks) as session:
        ran = 0
        while ran < times and not session.should_stop():
            session.run(fetches)
            ran += 1
    return ran


class TestSecondOrStepTimer:
    def test_steps(self):
        timer = hf.train.SecondOrStepTimer(every_steps=3)
        assert timer.should_trigger_for_step(1)
        assert timer.update_last_triggered_step(1) == (None, None)
        assert [timer.should_trigger_for_step(s) for s in (1, 2, 3, 4, 5)] == [0, 0, 0, 1, 1]
        seconds, steps = timer.update_last_triggered_step(5)
        assert steps == 4
        assert seconds >= 0
        assert timer.last_triggered_step() == 5
        timer.reset()
        assert timer.last_triggered_step() is None
        assert timer.should_trigger_for_step(5)

    def test_seconds(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(time, "time", lambda: now[0])
        timer = hf.train.SecondOrStepTimer(every_secs=2)
        timer.update_last_triggered_step(1)
        assert not timer.should_trigger_for_step(2)
        now[0] = 102.0
        assert timer.should_trigger_for_step(2)
        assert not timer.should_trigger_for_step(1)
        assert timer.update_last_triggered_step(2) == (2.0, 1)

    def test_one_of_both(self):
        with pytest.raises(ValueError, match="Either every_secs or every_steps"):
            hf.train.SecondOrStepTimer()
        with pytest.raises(ValueError, match="Can not provide both"):
            hf.train.SecondOrStepTimer(1, 1)


class TestLoggingTensorHook:
    def test_every_few_runs(self, log):
        v = hf.get_variable("v", initializer=0.0)
        update = v.assign_add(1.0)
        hook = hf.train.LoggingTensorHook({"first": update, "second": "v:0"}, every_n_iter=2)
        run([hook], update, 4)
        lines = [m for m in log.messages if "first" in m]
        assert len(lines) == 2
        assert lines[0].startswith("first = 1.0, second = ")
        assert "sec)" in lines[1]

    def test_at_the_end(self, log):
        hf.constant([1e-9, 2.0], name="c")
        run([hf.train.LoggingTensorHook(["c"], at_end=True)], hf.no_op(), 3)
        assert [m for m in log.messages if m.startswith("c")] == ["c = [0. 2.]"]
        hook = hf.train.LoggingTensorHook(["c"], every_n_iter=10, at_end=True)
        log.clear()
        run([hook], hf.no_op(), 3)
        assert len([m for m in log.messages if m.startswith("c")]) == 2

    def test_every_few_seconds(self, log, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(time, "time", lambda: now[0])
        c = hf.constant(1.0, name="c")
        hook = hf.train.LoggingTensorHook([c], every_n_secs=1.0)
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(4):
                session.run(c)
                now[0] += 0.6
        assert len([m for m in log.messages if "c:0" in m]) == 2

    def test_a_text_of_ones_own(self, log):
        c = hf.constant(1.0, name="c")
        hook = hf.train.LoggingTensorHook(
            {"c": c}, every_n_iter=1, formatter=lambda values: f"it is {values['c']}"
        )
        run([hook], c, 1)
        assert "it is 1.0" in log.messages

    def test_it_can_be_used_again(self, log):
        c = hf.constant(1.0, name="c")
        hook = hf.train.LoggingTensorHook([c], every_n_iter=10)
        for _ in range(2):
            run([hook], c, 2)
        assert len([m for m in log.messages if "c:0" in m]) == 2

    @pytest.mark.parametrize(
        "arguments", [{}, {"every_n_iter": 1, "every_n_secs": 1}, {"every_n_iter": 0}]
    )
    def test_wrong_arguments(self, arguments):
        with pytest.raises(ValueError, match="every_n_iter"):
            hf.train.LoggingTensorHook(["c"], **arguments)

    def test_tensors_of_other_graphs_and_unclear_names(self):
        hf.unstack(hf.constant([1.0, 2.0]), name="two")
        with pytest.raises(ValueError, match="two is ambiguous"):
            hf.train.LoggingTensorHook(["two"], at_end=True).begin()
        with hf.Graph().as_default():
            other = hf.constant(1.0)
        with pytest.raises(ValueError, match="graph attribute that is equal"):
            hf.train.LoggingTensorHook([other], at_end=True).begin()


class TestNanTensorHook:
    def test_it_raises(self):
        x = hf.log(hf.constant(-1.0))
        with pytest.raises(hf.train.NanLossDuringTrainingError, match="NaN loss"):
            run([hf.train.NanTensorHook(x)], x, 3)

    def test_it_stops(self, log):
        x = hf.log(hf.constant(-1.0))
        assert run([hf.train.NanTensorHook(x, fail_on_nan_loss=False)], x, 3) == 1
        assert "Model diverged with loss = NaN." in log.messages

    def test_a_number_is_no_reason(self):
        x = hf.constant(np.inf)
        assert run([hf.train.NanTensorHook(x)], x, 3) == 3


class TestStopAtStepHook:
    def test_at_a_step(self):
        assert run([hf.train.StopAtStepHook(last_step=4)], counting(), 9) == 4

    def test_after_so_many(self):
        count = counting()
        hook = hf.train.StopAtStepHook(num_steps=3)
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            ran = 0
            while not session.should_stop():
                session.run(count)
                ran += 1
        assert ran == 3

    def test_runs_that_do_not_count(self):
        count, other = counting(), hf.constant(1.0)
        hook = hf.train.StopAtStepHook(last_step=2)
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            session.run(count)
            session.run(other)
            assert not session.should_stop()
            session.run(count)
            assert session.should_stop()

    def test_wrong_arguments(self):
        with pytest.raises(ValueError, match="One of num_steps or last_step"):
            hf.train.StopAtStepHook()
        with pytest.raises(ValueError, match="Only one of num_steps or last_step"):
            hf.train.StopAtStepHook(1, 1)

    @pytest.mark.parametrize(
        "hook",
        [
            hf.train.StopAtStepHook(1),
            hf.train.GlobalStepWaiterHook(1),
        ],
        ids=lambda hook: type(hook).__name__,
    )
    def test_without_a_global_step(self, hook):
        name = type(hook).__name__
        with pytest.raises(RuntimeError, match=f"Global step should be created to use {name}"):
            hook.begin()


class TestGlobalStepWaiterHook:
    def test_it_waits_for_others(self, log):
        server = hf.train.Server.create_local_server()
        step = hf.train.get_or_create_global_step()
        count = hf.assign(step, 10)
        other = hf.Session(server.target)
        hook = hf.train.GlobalStepWaiterHook(10)
        creator = hf.train.ChiefSessionCreator(master=server.target)
        with hf.train.MonitoredSession(creator, [hook]) as session:
            timer = threading.Timer(0.05, lambda: other.run(count))
            timer.start()
            assert session.run(step) == 10
            timer.join()
            other.run(step.initializer)
            assert session.run(step) == 0
        assert any("Waiting for global step 10" in m for m in log.messages)


class TestFeedFnHook:
    def test_it_feeds_each_run(self):
        x = hf.placeholder(hf.float32, [])
        double = x * 2.0
        fed = iter([1.0, 2.0])
        hook = hf.train.FeedFnHook(lambda: {x: next(fed)})
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            assert [session.run(double) for _ in range(2)] == [2.0, 4.0]


class TestFinalOpsHook:
    def test_it_evaluates_at_the_end(self):
        v = hf.get_variable("v", initializer=1.0)
        x = hf.placeholder(hf.float32, [])
        update, final = v.assign_add(1.0), {"sum": [v + x]}
        hook = hf.train.FinalOpsHook(final, {x: 10.0})
        assert hook.final_ops_values is None
        run([hook], update, 3)
        assert hook.final_ops_values == {"sum": [14.0]}

    def test_nothing_to_evaluate(self):
        hook = hf.train.FinalOpsHook(None)
        run([hook], hf.no_op(), 1)
        assert hook.final_ops_values is None
