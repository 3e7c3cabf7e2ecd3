"""Session managers and scaffolds: variables are restored, or initialized, or it is said why not."""

from __future__ import annotations

import threading

import pytest

import hybridflow as hf


@pytest.fixture(autouse=True)
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint in which `v` is 7."""
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=7.0)
        session.run(v.initializer)
        hf.train.Saver().save(session, str(tmp_path / "m"), global_step=1)
    return tmp_path


class TestPrepareSession:
    def test_it_initializes(self):
        v = hf.get_variable("v", initializer=1.0)
        x = hf.placeholder(hf.float32, [])
        init = hf.group(v.assign(x))
        called = []
        manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
        session = manager.prepare_session(
            "", init_op=init, init_feed_dict={x: 3.0}, init_fn=called.append
        )
        assert session.run(v) == 3.0
        assert called == [session]

    def test_it_restores(self, checkpoint):
        v = hf.get_variable("v", initializer=1.0)
        saver = hf.train.Saver()
        manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
        init = v.initializer
        session = manager.prepare_session("", init, saver, checkpoint_dir=checkpoint)
        assert session.run(v) == 7.0
        assert saver.last_checkpoints == [str(checkpoint / "m-1")]
        path = checkpoint / "m-1"
        session = manager.prepare_session("", init, saver, checkpoint_filename_with_path=path)
        assert session.run(v) == 7.0
        with pytest.raises(ValueError, match="Can not provide both checkpoint_dir"):
            manager.prepare_session("", init, saver, checkpoint, path)

    def test_an_empty_folder_is_no_checkpoint(self, tmp_path):
        v = hf.get_variable("v", initializer=1.0)
        manager = hf.train.SessionManager()
        session = manager.prepare_session("", v.initializer, hf.train.Saver(), tmp_path)
        assert session.run(v) == 1.0

    def test_it_waits_for_a_checkpoint(self, tmp_path, checkpoint):
        v = hf.get_variable("v", initializer=1.0)
        manager = hf.train.SessionManager(recovery_wait_secs=0.01)
        folder = tmp_path / "later"
        folder.mkdir()

        def save():
            with hf.Graph().as_default(), hf.Session() as session:
                w = hf.get_variable("v", initializer=8.0)
                session.run(w.initializer)
                hf.train.Saver().save(session, str(folder / "m"))

        timer = threading.Timer(0.05, save)
        timer.start()
        session = manager.prepare_session("", None, hf.train.Saver(), folder, None, True)
        timer.join()
        assert session.run(v) == 8.0
        empty = tmp_path / "empty"
        empty.mkdir()
        with pytest.raises(RuntimeError, match="no init_op or init_fn or local_init_op"):
            manager.prepare_session("", None, hf.train.Saver(), empty, None, True, 0.03)

    def test_local_variables(self):
        v = hf.get_variable("v", initializer=1.0)
        w = hf.get_local_variable("w", initializer=2.0)
        manager = hf.train.SessionManager(
            local_init_op=w.initializer,
            ready_op=hf.report_uninitialized_variables(),
            ready_for_local_init_op=hf.report_uninitialized_variables([v]),
        )
        assert manager.prepare_session("", v.initializer).run([v, w]) == [1.0, 2.0]
        with pytest.raises(RuntimeError, match=r"ready for local_init.*not initialized: v"):
            manager.prepare_session("", hf.no_op())
        with pytest.raises(ValueError, match="must also pass a local_init_op"):
            hf.train.SessionManager(ready_for_local_init_op=hf.no_op())

    def test_what_is_not_ready_is_named(self):
        v = hf.get_variable("v", initializer=1.0)
        hf.get_variable("w", initializer=1.0)
        manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
        with pytest.raises(RuntimeError, match="Variables not initialized: w"):
            manager.prepare_session("", v.initializer)
        manager = hf.train.SessionManager(ready_op=hf.assert_variables_initialized())
        with pytest.raises(RuntimeError, match="uninitialized value w"):
            manager.prepare_session("", v.initializer)
        with pytest.raises(RuntimeError, match="Model is not initialized"):
            manager.prepare_session("")

    def test_an_error_of_the_ready_op_is_raised(self):
        failing = hf.Assert(hf.constant(False), ["of the ready op"])
        manager = hf.train.SessionManager(ready_op=failing)
        with pytest.raises(hf.errors.InvalidArgumentError, match="of the ready op"):
            manager.prepare_session("", hf.no_op())


class TestRecoverSession:
    def test_it_tells_whether_it_has(self, checkpoint, tmp_path):
        v = hf.get_variable("v", initializer=1.0)
        saver = hf.train.Saver([v])
        manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
        session, recovered = manager.recover_session("", saver, checkpoint)
        assert recovered
        assert session.run(v) == 7.0
        empty = tmp_path / "empty"
        empty.mkdir()
        assert not manager.recover_session("", saver, empty)[1]
        hf.get_variable("w", initializer=1.0)
        manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
        assert not manager.recover_session("", saver, checkpoint)[1]
        w = hf.get_local_variable("l", initializer=1.0)
        manager = hf.train.SessionManager(
            local_init_op=w.initializer,
            ready_for_local_init_op=hf.report_uninitialized_variables(hf.global_variables()),
        )
        assert not manager.recover_session("", saver, checkpoint)[1]


class TestWaitForSession:
    def test_another_makes_it_ready(self):
        server = hf.train.Server.create_local_server()
        v = hf.get_variable("v", initializer=1.0)
        manager = hf.train.SessionManager(
            ready_op=hf.report_uninitialized_variables(), recovery_wait_secs=0.01
        )
        chief = hf.Session(server.target)
        timer = threading.Timer(0.05, lambda: chief.run(v.initializer))
        timer.start()
        assert manager.wait_for_session(server.target, max_wait_secs=60).run(v) == 1.0
        timer.join()

    def test_it_does_not_wait_for_ever(self):
        hf.get_variable("v", initializer=1.0)
        manager = hf.train.SessionManager(
            ready_op=hf.report_uninitialized_variables(), recovery_wait_secs=0.01
        )
        with pytest.raises(hf.errors.DeadlineExceededError, match="not ready after waiting"):
            manager.wait_for_session("", max_wait_secs=0.03)


class TestScaffold:
    def test_what_is_missing_is_made(self, graph):
        """Names, and what the collections hold, as TensorFlow 1.4.1 has them."""
        hf.get_variable("w", [2])
        hf.get_local_variable("l", [2])
        hf.train.get_or_create_global_step()
        scaffold = hf.train.Scaffold().finalize()
        names = [
            scaffold.init_op.name,
            scaffold.ready_op.name,
            scaffold.ready_for_local_init_op.name,
            scaffold.local_init_op.name,
        ]
        assert names == [
            "group_deps",
            "concat:0",
            "report_uninitialized_variables_1/boolean_mask/Gather:0",
            "group_deps_1",
        ]
        assert [op.name for op in scaffold.init_op.control_inputs] == ["init", "init_1"]
        local = [op.name for op in scaffold.local_init_op.control_inputs]
        assert local == ["init_2", "init_all_tables"]
        assert scaffold.summary_op is None
        assert scaffold.saver.saver_def.sharded
        for key in ("init_op", "ready_op", "ready_for_local_init_op", "local_init_op"):
            assert hf.get_collection(key) == [getattr(scaffold, key)]
        assert hf.get_collection(hf.GraphKeys.SAVERS) == [scaffold.saver]
        assert hf.get_collection(hf.GraphKeys.SUMMARY_OP) == []
        assert graph.finalized

    def test_what_is_given_is_kept_and_joins_no_collection(self):
        hf.get_variable("w", [2])
        pieces = {
            "init_op": hf.no_op(),
            "ready_op": hf.constant([], hf.string),
            "ready_for_local_init_op": hf.constant([], hf.string),
            "local_init_op": hf.no_op(),
            "summary_op": hf.summary.scalar("s", 1.0),
            "saver": hf.train.Saver(),
            "init_feed_dict": {"x": 1},
        }
        scaffold = hf.train.Scaffold(**pieces).finalize()
        assert {name: getattr(scaffold, name) for name in pieces} == pieces
        assert hf.get_collection(hf.GraphKeys.INIT_OP) == []
        copied = hf.train.Scaffold(copy_from_scaffold=scaffold, init_op=hf.Graph)
        assert copied.init_op is hf.Graph
        assert copied.saver is pieces["saver"]
        with pytest.raises(TypeError, match="copy_from_scaffold is not a Scaffold"):
            hf.train.Scaffold(copy_from_scaffold=1)

    def test_what_collections_hold_is_found(self):
        summary, init = hf.summary.scalar("s", 1.0), hf.no_op()
        hf.add_to_collection(hf.GraphKeys.INIT_OP, init)
        scaffold = hf.train.Scaffold().finalize()
        assert scaffold.init_op is init
        assert scaffold.summary_op.name == "Merge/MergeSummary:0"
        assert scaffold.summary_op.op.inputs[0] is summary
        assert hf.get_collection(hf.GraphKeys.SUMMARY_OP) == [scaffold.summary_op]

    @pytest.mark.parametrize("key", [hf.GraphKeys.INIT_OP, hf.GraphKeys.SAVERS])
    def test_several_are_too_many(self, key):
        for _ in range(2):
            hf.add_to_collection(key, hf.no_op())
        with pytest.raises(RuntimeError, match=f"More than one item in .*collection.*{key}"):
            hf.train.Scaffold().finalize()

    def test_init_fn_gets_the_scaffold(self):
        called = []
        scaffold = hf.train.Scaffold(init_fn=lambda *given: called.append(given))
        copied = hf.train.Scaffold(copy_from_scaffold=scaffold)
        session = hf.train.ChiefSessionCreator(copied).create_session()
        assert called == [(copied, session)]


def test_a_creator_of_ones_own_says_how():
    with pytest.raises(NotImplementedError, match="create_session is not implemented"):
        hf.train.SessionCreator().create_session()


def test_a_worker_takes_what_the_chief_has_made():
    with hf.Graph().as_default():
        server = hf.train.Server.create_local_server()
        v = hf.get_variable("v", initializer=2.0)
        three = v.assign(3.0)
        worker = hf.train.WorkerSessionCreator(master=server.target, max_wait_secs=0.01)
        with pytest.raises(hf.errors.DeadlineExceededError, match="not ready after waiting"):
            worker.create_session()
        chief = hf.train.ChiefSessionCreator(master=server.target).create_session()
        chief.run(three)
        assert worker.create_session().run(v) == 3.0
