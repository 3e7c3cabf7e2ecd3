"""Hooks that save and measure, sessions that train, supervisors: what they write, and when."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as graph:
        yield graph
    hf.summary.FileWriterCache.clear()


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test sets."""
    now = [1e9]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def counting(by=1):
    """An operation that counts the global step."""
    return hf.assign_add(hf.train.get_or_create_global_step(), by)


def events(folder):
    """All events of a folder, less those of files' versions."""
    hf.summary.FileWriterCache.clear()
    paths = sorted(Path(folder).glob("events*"))
    found = [event for path in paths for event in hf.train.summary_iterator(path)]
    return [event for event in found if event.WhichOneof("what") != "file_version"]


def values(folder, tag):
    """(step, value) of each summary of a tag."""
    return [
        (event.step, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
        if value.tag == tag
    ]


def checkpoints(folder):
    return sorted(int(path.stem.rsplit("-")[-1]) for path in Path(folder).glob("*.index"))


class TestCheckpointSaverHook:
    def run(self, folder, runs, clock=None, **kwargs):
        count = counting()
        hook = hf.train.CheckpointSaverHook(folder, scaffold=hf.train.Scaffold(), **kwargs)
        creator = hf.train.ChiefSessionCreator(hook._scaffold)
        with hf.train.MonitoredSession(creator, [hook]) as session:
            for _ in range(runs):
                session.run(count)
                if clock:
                    clock[0] += 1

    def test_every_few_steps(self, tmp_path):
        self.run(tmp_path, 6, save_steps=2)
        assert checkpoints(tmp_path) == [1, 3, 5, 6]
        assert hf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-6")

    def test_every_few_seconds(self, tmp_path, clock):
        self.run(tmp_path, 5, clock, save_secs=2, checkpoint_basename="x")
        assert checkpoints(tmp_path) == [1, 3, 5]
        assert (tmp_path / "x-3.index").exists()

    def test_what_it_writes_beside(self, tmp_path, graph):
        self.run(tmp_path, 1, save_steps=1)
        found = events(tmp_path)
        graphs = [hf.GraphDef.FromString(event.graph_def) for event in found if event.graph_def]
        assert "global_step" in [node.name for node in graphs[-1].node]
        metas = [hf.MetaGraphDef.FromString(e.meta_graph_def) for e in found if e.meta_graph_def]
        assert metas[-1].saver_def.save_tensor_name == "save/Identity:0"
        logs = [event for event in found if event.HasField("session_log")]
        assert [(e.step, e.session_log.status) for e in logs] == [(1, hf.SessionLog.CHECKPOINT)]
        assert logs[0].session_log.checkpoint_path == str(tmp_path / "model.ckpt")
        text = (tmp_path / "graph.pbtxt").read_text("utf-8")
        assert 'name: "global_step"' in text
        assert (tmp_path / "model.ckpt-1.meta").exists()

    def test_listeners(self, tmp_path):
        calls = []

        class Listener(hf.train.CheckpointSaverListener):
            def begin(self):
                calls.append("begin")

            def before_save(self, session, global_step_value):
                calls.append(("before", global_step_value, checkpoints(tmp_path)))

            def after_save(self, session, global_step_value):
                calls.append(("after", global_step_value, checkpoints(tmp_path)))

            def end(self, session, global_step_value):
                calls.append(("end", global_step_value))

        self.run(tmp_path, 2, save_steps=10, listeners=[Listener()])
        assert calls == [
            "begin",
            *[("before", 1, []), ("after", 1, [1])],
            *[("before", 2, [1]), ("after", 2, [1, 2])],
            ("end", 2),
        ]

    def test_which_saver(self, tmp_path):
        count = counting()
        hook = hf.train.CheckpointSaverHook(tmp_path, save_steps=1)
        with pytest.raises(RuntimeError, match="No items in collection savers"):
            hook._get_saver()
        hf.add_to_collection(hf.GraphKeys.SAVERS, hf.train.Saver(name="mine"))
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            session.run(count)
        assert hook._get_saver().saver_def.restore_op_name == "mine/restore_all"
        hf.add_to_collection(hf.GraphKeys.SAVERS, hf.train.Saver())
        with pytest.raises(RuntimeError, match="More than one item in collection savers"):
            hf.train.CheckpointSaverHook(tmp_path, save_steps=1)._get_saver()
        saver = hf.train.Saver()
        assert hf.train.CheckpointSaverHook("x", save_steps=1, saver=saver)._get_saver() is saver
        with pytest.raises(ValueError, match="cannot provide both saver and scaffold"):
            hf.train.CheckpointSaverHook(
                "x", save_steps=1, saver=saver, scaffold=hf.train.Scaffold()
            )

    def test_without_a_global_step(self, tmp_path):
        for hook in (
            hf.train.CheckpointSaverHook(tmp_path, save_steps=1),
            hf.train.SummarySaverHook(1, output_dir=tmp_path, summary_op=hf.constant("")),
            hf.train.StepCounterHook(output_dir=tmp_path),
            hf.train.ProfilerHook(1),
        ):
            name = type(hook).__name__
            with pytest.raises(RuntimeError, match=f"Global step should be created to use {name}"):
                hook.begin()


class TestSummarySaverHook:
    def test_every_few_steps(self, tmp_path):
        step = hf.train.get_or_create_global_step()
        summary = hf.summary.scalar("twice", hf.cast(step, hf.float32) * 2.0)
        hook = hf.train.SummarySaverHook(3, output_dir=tmp_path, summary_op=summary)
        count = counting()
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(8):
                session.run(count)
        # The step is read after the run, the summary's value in it.
        assert values(tmp_path, "twice") == [(1, 0.0), (4, 6.0), (7, 12.0)]
        logs = [e for e in events(tmp_path) if e.HasField("session_log")]
        assert [(e.step, e.session_log.status) for e in logs] == [(1, hf.SessionLog.START)]

    def test_every_few_seconds(self, tmp_path, clock):
        summary = [hf.summary.scalar("one", 1.0), hf.summary.scalar("two", 2.0)]
        hook = hf.train.SummarySaverHook(save_secs=2, output_dir=tmp_path, summary_op=summary)
        count = counting()
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(5):
                session.run(count)
                clock[0] += 1
        assert values(tmp_path, "one") == [(1, 1.0), (3, 1.0), (5, 1.0)]
        assert values(tmp_path, "two") == [(1, 2.0), (3, 2.0), (5, 2.0)]

    def test_those_of_a_scaffold(self, tmp_path):
        hf.summary.scalar("s", 1.0)
        scaffold, count = hf.train.Scaffold(), counting()
        hook = hf.train.SummarySaverHook(1, output_dir=tmp_path, scaffold=scaffold)
        creator = hf.train.ChiefSessionCreator(scaffold)
        with hf.train.MonitoredSession(creator, [hook]) as session:
            session.run(count)
        assert values(tmp_path, "s") == [(1, 1.0)]

    def test_no_summaries_and_no_writer(self):
        scaffold, count = hf.train.Scaffold(), counting()
        hook = hf.train.SummarySaverHook(1, scaffold=scaffold)
        with hf.train.MonitoredSession(hf.train.ChiefSessionCreator(scaffold), [hook]) as session:
            assert session.run(count) == 1

    def test_one_of_both(self):
        with pytest.raises(ValueError, match="Exactly one of scaffold or summary_op"):
            hf.train.SummarySaverHook(1, scaffold=hf.train.Scaffold(), summary_op=hf.constant(""))


class TestStepCounterHook:
    def test_steps_a_second(self, tmp_path, clock):
        count = counting(by=2)
        hook = hf.train.StepCounterHook(every_n_steps=10, output_dir=tmp_path)
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(12):
                session.run(count)
                clock[0] += 0.5
        # The step is looked at where the value before a run says so.
        assert values(tmp_path, "global_step/sec") == [(14, 4.0)]

    def test_every_few_seconds_into_a_writer(self, tmp_path, clock):
        count = counting()
        writer = hf.summary.FileWriter(tmp_path)
        hook = hf.train.StepCounterHook(None, every_n_secs=2, summary_writer=writer)
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(5):
                session.run(count)
                clock[0] += 1
        writer.close()
        assert values(tmp_path, "global_step/sec") == [(3, 1.0), (5, 1.0)]

    def test_a_step_that_does_not_grow(self, caplog, monkeypatch):
        monkeypatch.setattr(logging.getLogger("tensorflow"), "propagate", True)
        step = hf.train.get_or_create_global_step()
        with hf.train.MonitoredSession(hooks=[hf.train.StepCounterHook()]) as session:
            for _ in range(21):
                session.run(step)
        assert "global step (tf.train.get_global_step) has not been increased" in caplog.text


def test_profiles(tmp_path):
    count = counting()
    hook = hf.train.ProfilerHook(save_steps=2, output_dir=tmp_path)
    with hf.train.MonitoredSession(hooks=[hook]) as session:
        for _ in range(3):
            session.run(count)
    assert sorted(os.listdir(tmp_path)) == ["timeline-1.json", "timeline-3.json"]
    trace = json.loads((tmp_path / "timeline-3.json").read_text("utf-8"))
    assert any(event["ph"] == "X" for event in trace["traceEvents"])


class TestMonitoredTrainingSession:
    def train(self, folder, last_step, **kwargs):
        """The values of a variable that each step doubles, one session after the other."""
        with hf.Graph().as_default():
            count = counting()
            v = hf.get_variable("v", initializer=1.0)
            hf.summary.scalar("value", v)
            with hf.control_dependencies([count]):
                double = v.assign(v * 2.0)
            hooks = [hf.train.StopAtStepHook(last_step=last_step)]
            found = []
            with hf.train.MonitoredTrainingSession(
                checkpoint_dir=folder, hooks=hooks, **kwargs
            ) as session:
                while not session.should_stop():
                    found.append(session.run(double))
        hf.summary.FileWriterCache.clear()
        return found

    def test_it_goes_on(self, tmp_path):
        assert self.train(tmp_path, 2) == [2.0, 4.0]
        assert self.train(tmp_path, 4) == [8.0, 16.0]
        assert checkpoints(tmp_path) == [1, 2, 3, 4]
        assert [step for step, _ in values(tmp_path, "value")] == [1, 3]

    def test_what_it_is_told(self, tmp_path):
        chief = hf.train.LoggingTensorHook(["v"], at_end=True)
        self.train(
            tmp_path,
            4,
            save_checkpoint_secs=None,
            save_summaries_steps=2,
            log_step_count_steps=1,
            chief_only_hooks=[chief],
        )
        assert checkpoints(tmp_path) == []
        assert [step for step, _ in values(tmp_path, "value")] == [1, 3]
        assert [step for step, _ in values(tmp_path, "global_step/sec")] == [2, 3, 4]

    @pytest.mark.parametrize("none", [{"save_summaries_steps": None}, {"save_summaries_steps": 0}])
    def test_no_summaries(self, tmp_path, none):
        self.train(tmp_path, 2, log_step_count_steps=None, **none)
        assert values(tmp_path, "value") == []

    def test_without_a_folder(self):
        assert self.train(None, 2) == [2.0, 4.0]

    def test_a_worker_waits_for_its_chief(self):
        server = hf.train.Server.create_local_server()
        v = hf.get_variable("v", initializer=1.0)
        with hf.train.MonitoredTrainingSession(server.target) as chief:
            assert chief.run(v) == 1.0
            with hf.train.MonitoredTrainingSession(server.target, is_chief=False) as worker:
                assert worker.run(v) == 1.0

    def test_a_worker_alone(self):
        hf.get_variable("v", initializer=1.0)
        with pytest.raises(hf.errors.DeadlineExceededError):
            hf.train.MonitoredTrainingSession(is_chief=False, max_wait_secs=0)


class TestSupervisor:
    def test_it_goes_on(self, tmp_path):
        for expected in ([1, 2], [3, 4]):
            with hf.Graph().as_default():
                count = counting()
                supervisor = hf.train.Supervisor(logdir=tmp_path, save_model_secs=0)
                with supervisor.managed_session() as session:
                    assert [session.run(count) for _ in range(2)] == expected
                    supervisor.saver.save(
                        session, supervisor.save_path, global_step=supervisor.global_step
                    )
        assert supervisor.should_stop()
        assert checkpoints(tmp_path) == [2, 4]
        logs = [e.session_log.status for e in events(tmp_path) if e.HasField("session_log")]
        assert logs == [hf.SessionLog.START, hf.SessionLog.STOP] * 2

    def test_its_services(self, tmp_path):
        count = counting()
        hf.summary.scalar("s", 7.0)
        supervisor = hf.train.Supervisor(
            logdir=tmp_path, save_summaries_secs=0.02, save_model_secs=0.02
        )
        with supervisor.managed_session() as session:
            end = time.monotonic() + 60
            while not (list(tmp_path.glob("*.index")) and supervisor.coord) or (
                time.monotonic() < end and len(list(tmp_path.glob("*.index"))) < 2
            ):
                session.run(count)
        assert {value for _, value in values(tmp_path, "s")} == {7.0}
        assert values(tmp_path, "global_step/sec")
        kinds = {e.session_log.status for e in events(tmp_path) if e.HasField("session_log")}
        assert kinds == {hf.SessionLog.START, hf.SessionLog.STOP, hf.SessionLog.CHECKPOINT}
        assert (tmp_path / "graph.pbtxt").exists()

    @pytest.mark.parametrize("where", ["block", "thread"])
    def test_errors_come_out(self, where):
        supervisor = hf.train.Supervisor()

        def fail():
            raise ValueError("bad")

        def work():
            with supervisor.managed_session():
                if where == "block":
                    fail()
                supervisor.loop(60, fail)
                supervisor.wait_for_stop()

        with pytest.raises(ValueError, match="bad"):
            work()
        assert supervisor.should_stop()

    def test_the_end_of_input_is_a_good_end(self):
        supervisor = hf.train.Supervisor()
        with supervisor.managed_session():
            raise hf.errors.OutOfRangeError(None, None, "no more")

    def test_summaries_of_ones_own(self, tmp_path):
        summary, count = hf.summary.scalar("s", 7.0), counting()
        supervisor = hf.train.Supervisor(logdir=tmp_path, summary_op=None)
        with supervisor.managed_session(start_standard_services=False) as session:
            session.run(count)
            supervisor.summary_computed(session, session.run(summary))
            supervisor.summary_computed(session, session.run(summary), 9)
            with pytest.raises(TypeError, match="Expected a Summary"):
                supervisor.summary_computed(session, 1.0)
        assert values(tmp_path, "s") == [(1, 7.0), (9, 7.0)]
        with hf.Graph().as_default():
            supervisor = hf.train.Supervisor(logdir=tmp_path, summary_writer=None)
        with pytest.raises(RuntimeError, match="requires a summary writer"):
            supervisor.summary_computed(None, b"")

    def test_ops_that_are_given(self):
        v = hf.get_variable("v", initializer=1.0)
        x = hf.placeholder(hf.float32, [])
        called = []
        supervisor = hf.train.Supervisor(
            init_op=v.assign(x).op, init_feed_dict={x: 5.0}, init_fn=called.append
        )
        with supervisor.managed_session() as session:
            assert session.run(v) == 5.0
        assert called == [session]
        assert supervisor.ready_op.name.startswith("report_uninitialized_variables")
        assert supervisor.ready_for_local_init_op is None

    def test_a_worker_says_where_variables_stand(self):
        hf.get_variable("v", initializer=1.0)
        with pytest.raises(ValueError, match="must have their device set"):
            hf.train.Supervisor(is_chief=False)

    def test_a_worker_writes_nothing(self, tmp_path):
        with hf.device("/cpu:0"):
            hf.get_variable("v", initializer=1.0)
        supervisor = hf.train.Supervisor(is_chief=False, logdir=tmp_path)
        assert supervisor.summary_writer is None
        with pytest.raises(RuntimeError, match="Only chief supervisor can start"):
            supervisor.start_standard_services(None)

    def test_the_old_names(self):
        supervisor = hf.train.Supervisor()
        session = supervisor.PrepareSession()
        supervisor.RequestStop()
        assert supervisor.ShouldStop()
        supervisor.Stop()
        session.close()

    def test_in_eager_mode(self):
        with hf.eager_mode(), pytest.raises(RuntimeError, match="not compatible with eager"):
            hf.train.Supervisor()


class TestBasicTrainLoop:
    def test_it_runs_until_it_is_to_stop(self):
        count, supervisor, seen = counting(), None, []

        def step(session, *args, **kwargs):
            seen.append((session.run(count), args, kwargs))
            if len(seen) == 3:
                supervisor.request_stop()

        supervisor = hf.train.Supervisor()
        hf.train.basic_train_loop(supervisor, step, args=[1], kwargs={"b": 2})
        assert seen == [(n, (1,), {"b": 2}) for n in (1, 2, 3)]

    def test_it_begins_again_where_something_is_lost(self):
        count, seen = counting(), []

        def step(session):
            seen.append(int(session.run(count)))
            if len(seen) == 2:
                raise hf.errors.AbortedError(None, None, "gone")
            if len(seen) == 4:
                supervisor.request_stop()

        supervisor = hf.train.Supervisor()
        hf.train.basic_train_loop(supervisor, step)
        assert seen == [1, 2, 1, 2]

    def test_other_errors_come_out(self):
        supervisor = hf.train.Supervisor()
        with pytest.raises(ZeroDivisionError):
            hf.train.basic_train_loop(supervisor, lambda session: 1 / 0)


def test_values_are_numbers_of_numpy(tmp_path):
    """A step that is read as a NumPy number is a number of events too."""
    with hf.summary.FileWriter(tmp_path) as writer:
        writer.add_summary(hf.Summary(), np.int64(7))
        writer.add_session_log(hf.SessionLog(), np.array(8))
    assert [event.step for event in events(tmp_path)] == [7, 8]
