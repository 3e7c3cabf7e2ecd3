"""Clusters: their specifications, where replicas put ops, and the server that is this process."""

from __future__ import annotations

import pytest

import hybridflow as hf

SPEC = {"worker": ["w0:1", "w1:1"], "ps": {3: "p3:1", 1: "p1:1"}}


class TestClusterSpec:
    @pytest.mark.parametrize("how", ["dict", "spec", "message"])
    def test_what_it_tells(self, how):
        spec = hf.train.ClusterSpec(SPEC)
        if how == "spec":
            spec = hf.train.ClusterSpec(spec)
        elif how == "message":
            spec = hf.train.ClusterSpec(spec.as_cluster_def())
        assert sorted(spec.jobs) == ["ps", "worker"]
        assert spec.num_tasks("ps") == 2
        assert spec.task_indices("ps") == [1, 3]
        assert spec.job_tasks("ps") == [None, "p1:1", None, "p3:1"]
        assert spec.job_tasks("worker") == ["w0:1", "w1:1"]
        assert spec.task_address("ps", 3) == "p3:1"
        assert spec.as_dict() == SPEC
        assert spec == hf.train.ClusterSpec(SPEC)
        assert spec != hf.train.ClusterSpec({"worker": ["w0:1"]})
        jobs = "'ps': {1: 'p1:1', 3: 'p3:1'}, 'worker': ['w0:1', 'w1:1']"
        assert str(spec) == f"ClusterSpec({{{jobs}}})"
        assert spec
        assert not hf.train.ClusterSpec({})

    def test_the_message(self):
        """As TensorFlow's test of it has it."""
        found = hf.train.ClusterSpec(SPEC).as_cluster_def()
        assert [job.name for job in found.job] == ["ps", "worker"]
        assert dict(found.job[0].tasks) == {1: "p1:1", 3: "p3:1"}
        assert isinstance(found, hf.train.ClusterDef)

    def test_what_is_not_there(self):
        spec = hf.train.ClusterSpec(SPEC)
        for call in (spec.num_tasks, spec.task_indices, spec.job_tasks):
            with pytest.raises(ValueError, match="No such job in cluster: 'chief'"):
                call("chief")
        with pytest.raises(ValueError, match="No task with index 2 in job 'worker'"):
            spec.task_address("worker", 2)

    @pytest.mark.parametrize(
        "wrong", ["worker", ["w0:1"], {"w": "w0:1"}, {"w": {"0": "a"}}, {"w": [7]}, {7: ["a"]}]
    )
    def test_what_is_no_cluster(self, wrong):
        with pytest.raises(TypeError):
            hf.train.ClusterSpec(wrong)


class TestReplicaDeviceSetter:
    def devices(self, **kwargs):
        with hf.Graph().as_default(), hf.device(hf.train.replica_device_setter(**kwargs)):
            v = hf.Variable([1.0], name="v")
            w = hf.Variable([1.0], name="w")
            u = hf.Variable([1.0], name="u")
            with hf.device("/job:other/cpu:1"):
                x = v + w
            with hf.device("/cpu:0"):
                y = v + u
            return [t.device for t in (v, v.initializer, w, u, x, y)]

    def test_variables_take_turns(self):
        expected = [
            *["/job:ps/task:0", "/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:0"],
            *["/job:other/device:CPU:1", "/job:worker/device:CPU:0"],
        ]
        assert self.devices(ps_tasks=2) == expected
        assert self.devices(cluster={"ps": ["a", "b"], "worker": ["c"]}) == expected

    def test_a_strategy_and_other_names(self):
        found = self.devices(
            ps_tasks=3,
            ps_device="/job:moon",
            worker_device="/job:sun/task:4",
            ps_strategy=lambda op: len(op.name),
        )
        assert found[0] == "/job:moon/task:1"
        assert found[-1] == "/job:sun/task:4/device:CPU:0"

    def test_no_servers(self):
        assert hf.train.replica_device_setter() is None
        assert hf.train.replica_device_setter(cluster={"worker": ["a"]}) is None

    def test_without_merging(self):
        found = self.devices(ps_tasks=1, merge_devices=False)
        assert found[-1] == "/device:CPU:0"

    def test_what_is_no_strategy(self):
        with pytest.raises(TypeError, match="ps_strategy must be callable"):
            hf.train.replica_device_setter(ps_tasks=1, ps_strategy=1)


class TestServer:
    def test_sessions_of_one_graph_share_values(self):
        server = hf.train.Server.create_local_server()
        with hf.Graph().as_default():
            v = hf.get_variable("v", initializer=1.0)
            with hf.Session(server.target) as first:
                first.run(v.initializer)
            second = hf.Session(server.target)
            third = hf.Session(server.target)
            assert second.run(v.assign_add(1.0)) == 2.0
            assert third.run(v) == 2.0
            alone = hf.Session(server.target, config=hf.ConfigProto(isolate_session_state=True))
            for session in (alone, hf.Session()):
                with pytest.raises(hf.errors.FailedPreconditionError):
                    session.run(v)
            hf.Session.reset(server.target)
            with pytest.raises(hf.errors.FailedPreconditionError):
                hf.Session(server.target).run(v)

    def test_a_reset_ends_sessions(self):
        server = hf.train.Server.create_local_server()
        with hf.Graph().as_default():
            with hf.container("lost"):
                lost = hf.Variable(1.0)
            with hf.container("kept"):
                kept = hf.Variable(2.0)
            first, other = hf.Session(server.target), hf.Session()
            for session in (first, other):
                session.run(hf.global_variables_initializer())
            read = first.make_callable(kept)
            assert first.run([lost, kept]) == [1.0, 2.0]
            hf.Session.reset(server.target, ["lost"])
            for aborted in (lambda: first.run(kept), lambda: first.run([lost, kept]), read):
                with pytest.raises(hf.errors.AbortedError, match="make a new one"):
                    aborted()
            first.close()
            with pytest.raises(RuntimeError, match="closed Session"):
                first.run(kept)
            second = hf.Session(server.target)
            assert second.run(kept) == 2.0
            with pytest.raises(hf.errors.FailedPreconditionError):
                second.run(lost)
            hf.Session.reset(server.target)
            with pytest.raises(hf.errors.FailedPreconditionError):
                hf.Session(server.target).run(kept)
            assert other.run([lost, kept]) == [1.0, 2.0]

    def test_sessions_with_a_cluster_of_their_own(self):
        servers = [hf.train.Server.create_local_server() for _ in range(2)]
        addresses = [server.target.removeprefix("grpc://") for server in servers]
        cluster = hf.train.ClusterSpec({"worker": addresses}).as_cluster_def()
        config = hf.ConfigProto(cluster_def=cluster)
        with hf.Graph().as_default():
            with hf.device("/job:worker/task:1"):
                v = hf.get_variable("v", initializer=1.0)
            first, second = [hf.Session(servers[0].target, config=config) for _ in range(2)]
            first.run(v.initializer)
            assert first.run(v.assign_add(1.0)) == 2.0
            for session in (second, hf.Session(servers[0].target)):
                with pytest.raises(hf.errors.FailedPreconditionError):
                    session.run(v)
            names = [device.name for device in first.list_devices()]
        assert names == [f"/job:worker/replica:0/task:{k}/device:CPU:0" for k in range(2)]

    def test_a_cluster_of_others_is_refused(self):
        cluster = hf.train.ClusterSpec({"worker": ["elsewhere:1"]}).as_cluster_def()
        text = "task 0 of job 'worker' at 'elsewhere:1', where no server"
        with pytest.raises(hf.errors.NotFoundError, match=text):
            hf.Session("", hf.Graph(), hf.ConfigProto(cluster_def=cluster))

    def test_what_it_serves(self):
        server = hf.train.Server({"local": ["localhost:47901"]}, protocol="grpc")
        assert server.target == "grpc://localhost:47901"
        assert server.server_def.job_name == "local"
        again = hf.train.Server(server.server_def)
        assert again.server_def == server.server_def
        assert isinstance(again.server_def, hf.train.ServerDef)

    def test_many_tasks_are_refused(self):
        with pytest.raises(hf.errors.UnimplementedError, match="in a cluster of 4 tasks"):
            hf.train.Server(SPEC, job_name="worker", task_index=0)

    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ((SPEC,), ValueError, "explicit `job_name`"),
            ((SPEC, "worker"), ValueError, "explicit `task_index`"),
            ((SPEC, "worker", 7), ValueError, "No task with index 7"),
            ((SPEC, "chief"), ValueError, "No such job"),
            (("worker",), TypeError, "Could not convert"),
        ],
    )
    def test_what_is_no_task(self, arguments, error, text):
        with pytest.raises(error, match=text):
            hf.train.Server(*arguments)

    def test_an_address_without_a_port(self):
        with pytest.raises(hf.errors.InvalidArgumentError, match="parse port for local"):
            hf.train.Server({"local": ["localhost"]})
        address = hf.train.Server.create_local_server().target.removeprefix("grpc://")
        assert hf.train.Server({"local": [address]}).target == f"grpc://{address}"

    def test_other_targets(self):
        with pytest.raises(hf.errors.NotFoundError, match="no clusters"):
            hf.Session("grpc://elsewhere:1", hf.Graph())
        with pytest.raises(hf.errors.NotFoundError, match="no clusters"):
            hf.Session.reset("grpc://elsewhere:1")


def test_synchronous_replicas_are_refused():
    with pytest.raises(hf.errors.UnimplementedError, match="Use AdamOptimizer itself"):
        hf.train.SyncReplicasOptimizer(hf.train.AdamOptimizer(), 2)
