"""Monitored sessions: they initialize, recover, call hooks in order, and end as they should."""

from __future__ import annotations

import threading

import pytest

import hybridflow as hf


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


class Recorder(hf.train.SessionRunHook):
    """Notes what is called; asks for what it is told to."""

    def __init__(self, name="", calls=None, request=None, stop_after=None):
        self.name = name
        self.calls = [] if calls is None else calls
        self.request = request
        self.stop_after = stop_after
        self.results = []
        self.runs = 0

    def _note(self, what):
        self.calls.append(f"{self.name}{what}")

    def begin(self):
        self._note("begin")

    def after_create_session(self, session, coord):
        self._note("after_create_session")
        self.session, self.coord = session, coord

    def before_run(self, run_context):
        self._note("before_run")
        self.context = run_context
        return self.request

    def after_run(self, run_context, run_values):
        self._note("after_run")
        self.results.append(run_values)
        self.runs += 1
        if self.runs == self.stop_after:
            run_context.request_stop()

    def end(self, session):
        self._note("end")


KINDS = pytest.mark.parametrize(
    "kind", [hf.train.MonitoredSession, hf.train.SingularMonitoredSession], ids=lambda k: k.__name__
)


@KINDS
class TestRunning:
    def test_the_order_of_calls(self, kind, graph):
        v = hf.get_variable("v", initializer=1.0)
        calls = []
        hooks = [Recorder("1 ", calls), Recorder("2 ", calls)]
        with kind(hooks=hooks) as session:
            assert graph.finalized
            assert session.graph is graph
            assert not session.should_stop()
            assert session.run(v) == 1.0
        both = ["begin", "after_create_session", "before_run", "after_run", "end"]
        assert calls == [f"{number} {what}" for what in both for number in (1, 2)]
        assert session.should_stop()
        assert session.graph is None
        assert not graph.finalized

    def test_what_hooks_ask_for(self, kind):
        x, y = hf.placeholder(hf.float32, [], name="x"), hf.placeholder(hf.float32, [])
        total = x + y
        hooks = [
            Recorder(request=hf.train.SessionRunArgs({"x": [x, total]}, {y: 2.0})),
            Recorder(request=hf.train.SessionRunArgs(None)),
            Recorder(),
        ]
        with kind(hooks=hooks) as session:
            assert session.run({"t": (total,)}, {x: 1.0}) == {"t": (3.0,)}
        assert hooks[0].results[0].results == {"x": [1.0, 3.0]}
        assert hooks[1].results[0].results is None
        args = hooks[0].context.original_args
        assert args.fetches == {"t": (total,)}
        assert args.feed_dict == {x: 1.0}
        assert hooks[0].context.session is hooks[0].session

    def test_nothing_is_fed_twice(self, kind):
        x = hf.placeholder(hf.float32, [], name="x")
        one = Recorder(request=hf.train.SessionRunArgs(None, {x: 1.0}))
        with kind(hooks=[one]) as session:
            assert session.run(x) == 1.0
            with pytest.raises(RuntimeError, match=r"fed by a SessionRunHook and user.*x:0"):
                session.run(x, {x: 1.0})
        both = [one, Recorder(request=one.request)]
        fails = pytest.raises(RuntimeError, match=r"fed by two hooks.*x:0")
        with kind(hooks=both) as session, fails:
            session.run(x)

    def test_options_are_joined(self, kind):
        x = hf.constant(1.0) + 1.0
        ask = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE, timeout_in_ms=5)
        ask.debug_options.debug_tensor_watch_opts.append("a")
        hooks = [Recorder(request=hf.train.SessionRunArgs(None, options=ask)), Recorder()]
        metadata = hf.RunMetadata()
        options = hf.RunOptions(timeout_in_ms=9)
        with kind(hooks=hooks) as session:
            session.run(x, options=options, run_metadata=metadata)
            session.run(x)
        values = hooks[1].results[0]
        assert values.run_metadata is metadata
        assert metadata.HasField("step_stats")
        assert values.options.trace_level == hf.RunOptions.FULL_TRACE
        assert values.options.timeout_in_ms == 9
        assert values.options.debug_options.debug_tensor_watch_opts == ["a"]
        assert hooks[0].results[1].run_metadata.HasField("step_stats")

    def test_a_hook_asks_to_stop(self, kind):
        x, ran = hf.constant(1.0), 0
        with kind(hooks=[Recorder(stop_after=3)]) as session:
            while not session.should_stop():
                session.run(x)
                ran += 1
            with pytest.raises(RuntimeError, match="even after should_stop requested"):
                session.run(x)
        assert ran == 3

    def test_a_thread_asks_to_stop(self, kind):
        hook = Recorder()
        with kind(hooks=[hook]) as session:
            hook.coord.request_stop()
            assert session.should_stop()

    def test_after_close(self, kind):
        x = hf.constant(1.0)
        session = kind()
        session.run(x)
        session.close()
        assert session.should_stop()
        with pytest.raises(RuntimeError, match="Session is already closed"):
            session.run(x)
        with pytest.raises(RuntimeError, match="Session is already closed"):
            session.close()

    def test_a_graph_that_was_finalized_stays_so(self, kind, graph):
        hf.train.Scaffold().finalize()
        with kind():
            pass
        assert graph.finalized


@KINDS
class TestEnds:
    @pytest.mark.parametrize(
        "error", [hf.errors.OutOfRangeError(None, None, "no more"), StopIteration()], ids=repr
    )
    def test_the_end_of_input_is_a_good_end(self, kind, error):
        hook = Recorder()
        with kind(hooks=[hook]) as session:
            raise error
        assert hook.calls[-1] == "end"
        assert session.should_stop()

    @pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()], ids=repr)
    def test_an_error_is_not(self, kind, error):
        hook = Recorder()
        with pytest.raises(type(error)), kind(hooks=[hook]) as session:
            raise error
        assert "end" not in hook.calls
        assert session.should_stop()

    def test_an_error_of_a_hook(self, kind):
        class Failing(Recorder):
            def after_run(self, run_context, run_values):
                raise ValueError("of a hook")

        class FailingAtEnd(Recorder):
            def end(self, session):
                raise ValueError("at the end")

        x = hf.constant(1.0)
        with pytest.raises(ValueError, match="of a hook"), kind(hooks=[Failing()]) as session:
            session.run(x)
        with pytest.raises(ValueError, match="at the end"), kind(hooks=[FailingAtEnd()]) as session:
            session.run(x)
        assert session.should_stop()

    def test_an_error_of_a_thread(self, kind):
        hook = Recorder()
        session = kind(hooks=[hook])
        thread = threading.Thread(target=lambda: hook.coord.request_stop(ValueError("of a thread")))
        hook.coord.register_thread(thread)
        thread.start()
        thread.join()
        # The recoverable one takes any error here for a reason to stop.
        if kind is hf.train.MonitoredSession:
            assert session.should_stop()
        with pytest.raises(ValueError, match="of a thread"):
            session.close()
        assert session.should_stop()

    def test_threads_are_waited_for(self, kind):
        hook, ended = Recorder(), []
        with kind(hooks=[hook]):

            def work():
                hook.coord.wait_for_stop(60)
                ended.append(True)

            thread = threading.Thread(target=work)
            hook.coord.register_thread(thread)
            thread.start()
        assert ended == [True]


class TestRecovery:
    def failing(self, errors):
        """A hook that fails with one error after the other, and then no more."""

        class Failing(Recorder):
            def before_run(self, run_context):
                super().before_run(run_context)
                if errors:
                    raise errors.pop(0)

        return Failing()

    def test_a_session_that_is_lost_is_made_anew(self):
        v = hf.get_variable("v", initializer=1.0)
        update = v.assign_add(1.0)
        errors = [
            None,
            hf.errors.AbortedError(None, None, "gone"),
            hf.errors.UnavailableError(None, None, "gone"),
        ]
        hook = self.failing([e for e in errors if e])
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            first = hook.session
            assert session.run(update) == 2.0
            assert hook.session is not first
            assert session.run(update) == 3.0
        assert hook.calls.count("after_create_session") == 3
        assert hook.calls.count("begin") == 1

    def test_from_a_checkpoint(self, tmp_path):
        v = hf.get_variable("v", initializer=1.0)
        update = v.assign_add(1.0)
        scaffold = hf.train.Scaffold()
        creator = hf.train.ChiefSessionCreator(scaffold, checkpoint_dir=tmp_path)
        errors = []
        hook = self.failing(errors)
        with hf.train.MonitoredSession(creator, [hook]) as session:
            session.run(update)
            scaffold.saver.save(hook.session, str(tmp_path / "m"))
            session.run(update)
            errors.append(hf.errors.AbortedError(None, None, "gone"))
            assert session.run(update) == 3.0

    def test_one_that_is_singular_is_not(self):
        x = hf.constant(1.0)
        hook = self.failing([hf.errors.AbortedError(None, None, "gone")])
        with (
            pytest.raises(hf.errors.AbortedError),
            hf.train.SingularMonitoredSession([hook]) as session,
        ):
            session.run(x)

    def test_while_a_session_is_made(self):
        x, errors = hf.constant(1.0), [hf.errors.UnavailableError(None, None, "gone")] * 2

        class Creator(hf.train.SessionCreator):
            def create_session(self):
                if errors:
                    raise errors.pop()
                return hf.Session()

        with hf.train.MonitoredSession(Creator()) as session:
            assert session.run(x) == 1.0

    def test_while_it_is_asked_whether_to_stop(self):
        hook = Recorder()
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            first = hook.session
            hook.coord.request_stop(hf.errors.AbortedError(None, None, "gone"))
            assert not session.should_stop()
            assert hook.session is not first

    def test_the_cause_is_what_a_thread_lost(self):
        x = hf.placeholder(hf.float32, [])
        hook = Recorder()
        session = hf.train.SingularMonitoredSession([hook])
        hook.coord.request_stop(hf.errors.AbortedError(None, None, "the cause"))
        with pytest.raises(hf.errors.AbortedError, match="the cause"):
            session.run(x)
        with pytest.raises(hf.errors.AbortedError, match="the cause"):
            session.close()


class TestStepFunctions:
    def test_with_hooks_and_without(self):
        v = hf.get_variable("v", initializer=1.0)
        update = v.assign_add(1.0)
        hook = Recorder()

        def step(step_context):
            step_context.session.run(update)
            return step_context.run_with_hooks(update)

        with hf.train.MonitoredSession(hooks=[hook]) as session:
            assert session.run_step_fn(step) == 3.0
        assert hook.runs == 1

    def test_it_asks_to_stop(self):
        hook = Recorder()
        with hf.train.MonitoredSession(hooks=[hook]) as session:
            session.run_step_fn(lambda step_context: step_context.request_stop())
            raise AssertionError("not reached")
        assert hook.calls[-1] == "end"

    def test_it_recovers(self):
        x, errors = hf.constant(1.0), [hf.errors.AbortedError(None, None, "gone")]

        def step(step_context):
            if errors:
                raise errors.pop()
            return step_context.run_with_hooks(x)

        with hf.train.MonitoredSession() as session:
            assert session.run_step_fn(step) == 1.0

    def test_a_method(self):
        class Model:
            def step(self, step_context):
                return step_context.session.run(x)

        x = hf.constant(1.0)
        with hf.train.MonitoredSession() as session:
            assert session.run_step_fn(Model().step) == 1.0

    @pytest.mark.parametrize(
        "function", [lambda: 1, lambda context: 1, lambda step_context, more: 1], ids="nct"
    )
    def test_other_arguments(self, function):
        fails = pytest.raises(ValueError, match="`step_fn` may either have one")
        with hf.train.MonitoredSession() as session, fails:
            session.run_step_fn(function)


def test_queue_runners_are_started():
    class Runner:
        def create_threads(self, sess, coord, daemon, start):
            self.given = sess, coord, daemon, start
            return []

    runner, hook = Runner(), Recorder()
    hf.add_to_collection(hf.GraphKeys.QUEUE_RUNNERS, runner)
    with hf.train.SingularMonitoredSession([hook]) as session:
        assert runner.given == (session.raw_session(), hook.coord, True, True)
    assert session.raw_session() is None


class TestWhatTrainingSaves:
    """After so many steps or seconds; nothing if told so."""

    def steps(self, tmp_path, **given):
        with hf.Graph().as_default():
            count = hf.assign_add(hf.train.get_or_create_global_step(), 1)
            hf.summary.scalar("count", count)
            hooks = [hf.train.StopAtStepHook(last_step=5)]
            folder = str(tmp_path / "checkpoints")
            with hf.train.MonitoredTrainingSession(
                checkpoint_dir=folder, hooks=hooks, log_step_count_steps=None, **given
            ) as session:
                while not session.should_stop():
                    session.run(count)
        hf.summary.FileWriterCache.clear()
        state = hf.train.get_checkpoint_state(folder)
        paths = [] if state is None else state.all_model_checkpoint_paths
        return [int(path.rpartition("-")[2]) for path in paths]

    def test_steps(self, tmp_path):
        assert self.steps(tmp_path, save_checkpoint_steps=2) == [1, 3, 5]

    @pytest.mark.parametrize("given", [{}, {"save_checkpoint_secs": 1000}])
    def test_seconds(self, tmp_path, given):
        assert self.steps(tmp_path, **given) == [1, 5]

    @pytest.mark.parametrize("none", [None, 0])
    def test_neither(self, tmp_path, none):
        given = {"save_checkpoint_secs": none, "save_checkpoint_steps": none}
        assert self.steps(tmp_path, **given) == []

    def test_both(self, tmp_path):
        with pytest.raises(ValueError, match="both every_secs and every_steps"):
            self.steps(tmp_path, save_checkpoint_secs=1, save_checkpoint_steps=1)

    def test_events_elsewhere(self, tmp_path):
        given = {"summary_dir": str(tmp_path / "events"), "save_summaries_steps": 1}
        self.steps(tmp_path, save_checkpoint_secs=None, **given)
        (file,) = (tmp_path / "events").iterdir()
        events = list(hf.train.summary_iterator(str(file)))
        values = [v.simple_value for event in events for v in event.summary.value]
        assert values == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_eager_mode_has_no_graph_to_run():
    with hf.eager_mode():
        for make in (hf.train.MonitoredTrainingSession, hf.train.SingularMonitoredSession):
            with pytest.raises(RuntimeError, match="run a graph, and eager mode has none"):
                make()
