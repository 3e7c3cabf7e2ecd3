"""Savers: what is saved comes back, in both modes and from TensorFlow's own files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats.bundle import data_name, index_name
from tests.recorded.checkpoint_values import PARTS, PARTS_VALUE, values

RECORDED = Path(__file__).parent.parent / "recorded" / "checkpoints"


def files(folder):
    return sorted(os.listdir(folder))


def variables(resource=False):
    hf.get_variable("w", initializer=np.float32([[1, 2], [3, 4]]), use_resource=resource)
    hf.get_variable("step", initializer=np.int64(7), trainable=False)
    with hf.variable_scope("p", partitioner=hf.fixed_size_partitioner(2)):
        hf.get_variable("part", [4, 2], initializer=hf.random_uniform_initializer(seed=1))


@pytest.mark.parametrize("resource", [False, True], ids=["reference", "resource"])
@pytest.mark.parametrize("sharded", [False, True], ids=["one file", "sharded"])
@pytest.mark.parametrize("sequentially", [False, True])
def test_values_come_back(tmp_path, resource, sharded, sequentially):
    with hf.Graph().as_default():
        variables(resource)
        saver = hf.train.Saver(sharded=sharded, restore_sequentially=sequentially)
        fetched = hf.global_variables()
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            before = session.run(fetched)
            path = saver.save(session, str(tmp_path / "run" / "m"), global_step=3)
        assert path == str(tmp_path / "run" / "m-3")
        assert files(tmp_path / "run") == [
            "checkpoint",
            "m-3.data-00000-of-00001",
            "m-3.index",
            "m-3.meta",
        ]
        with hf.Session() as session:
            saver.restore(session, hf.train.latest_checkpoint(str(tmp_path / "run")))
            for old, new in zip(before, session.run(fetched), strict=True):
                np.testing.assert_array_equal(old, new)


def test_shards_are_merged(tmp_path):
    with hf.Graph().as_default():
        for number in range(3):
            with hf.device(f"/cpu:{number}"):
                hf.get_variable(f"v{number}", initializer=float(number))
        saver = hf.train.Saver(sharded=True)
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            path = saver.save(session, str(tmp_path / "m"), write_state=False)
        assert files(tmp_path) == [
            *[f"m.data-{shard:05d}-of-00003" for shard in range(3)],
            "m.index",
            "m.meta",
        ]
        reader = hf.train.NewCheckpointReader(path)
        assert [reader.get_tensor(f"v{n}") for n in range(3)] == [0.0, 1.0, 2.0]


def test_the_ops_have_tensorflows_names():
    """As TensorFlow 1.4.1 has them."""
    with hf.Graph().as_default() as graph:
        hf.get_variable("v", [2])
        saver_def = hf.train.Saver().as_saver_def()
        names = [op.name for op in graph.get_operations() if op.name.startswith("save")]
    assert names == [
        "save/Const",
        "save/SaveV2/tensor_names",
        "save/SaveV2/shape_and_slices",
        "save/SaveV2",
        "save/control_dependency",
        "save/RestoreV2/tensor_names",
        "save/RestoreV2/shape_and_slices",
        "save/RestoreV2",
        "save/Assign",
        "save/restore_all",
    ]
    assert saver_def.filename_tensor_name == "save/Const:0"
    assert saver_def.save_tensor_name == "save/control_dependency:0"
    assert saver_def.restore_op_name == "save/restore_all"


@pytest.mark.parametrize(
    "version", ["1_4", "1_15", "2_21", "1_4.v1", "2_21.v1", "1_15.v1-?????-of-?????"]
)
@pytest.mark.parametrize("parts", [1, 2, 7])
def test_tensorflows_checkpoints_are_restored(version, parts):
    """Under any partitioning."""
    with hf.Graph().as_default():
        made = {}
        for name, value in values().items():
            kind = hf.string if value.dtype == object else value.dtype
            made[name] = hf.Variable(hf.zeros(value.shape, kind), name=name)
        scope, name = PARTS.split("/")
        with hf.variable_scope(scope, partitioner=hf.fixed_size_partitioner(parts)):
            whole = hf.get_variable(name, PARTS_VALUE.shape)
        saver = hf.train.Saver()
        with hf.Session() as session:
            saver.restore(session, str(RECORDED / version))
            for name, value in values().items():
                found = session.run(made[name])
                assert np.asarray(found).tolist() == value.tolist()
            np.testing.assert_array_equal(session.run(hf.convert_to_tensor(whole)), PARTS_VALUE)


def test_our_file_is_tensorflows(tmp_path):
    with hf.Graph().as_default():
        for name, value in values().items():
            kind = hf.string if value.dtype == object else value.dtype
            hf.Variable(hf.constant(value, kind), name=name)
        scope, name = PARTS.split("/")
        with hf.variable_scope(scope, partitioner=hf.fixed_size_partitioner(3)):
            starts = {3: 0, 2: 3}

            def initial(shape, dtype, partition_info):
                first = partition_info.var_offset[0]
                return hf.constant(PARTS_VALUE[first : first + int(shape[0])], dtype)

            assert starts
            hf.get_variable(name, PARTS_VALUE.shape, initializer=initial)
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            path = hf.train.Saver().save(session, str(tmp_path / "m"))
    # TensorFlow itself writes the parts of a variable in any order: 2.21 in this one.
    for name in (index_name, data_name):
        assert Path(name(path)).read_bytes() == Path(name(str(RECORDED / "2_21"))).read_bytes()


class TestWhatIsSaved:
    def test_names_of_a_dict(self, tmp_path):
        with hf.Graph().as_default():
            v = hf.get_variable("v", initializer=1.0)
            hf.get_variable("other", initializer=2.0)
            with hf.Session() as session:
                session.run(hf.global_variables_initializer())
                path = hf.train.Saver({"renamed": v}).save(session, str(tmp_path / "m"))
        assert hf.train.list_variables(path) == [("renamed", [])]
        assert hf.train.load_variable(path, "renamed") == 1.0

    def test_a_saveable_of_ones_own(self, tmp_path):
        state = {"value": np.float32([1, 2, 3])}

        class Own(hf.train.SaveableObject):
            def __init__(self):
                tensor = hf.py_func(lambda: state["value"], [], hf.float32)
                super().__init__(tensor.op, [hf.train.SaveSpec(tensor, "", "own")], "own")

            def restore(self, restored_tensors, restored_shapes):
                def keep(value):
                    state["value"] = value
                    return np.int32(0)

                return hf.py_func(keep, restored_tensors, hf.int32).op

        with hf.Graph().as_default():
            hf.add_to_collection(hf.GraphKeys.SAVEABLE_OBJECTS, Own())
            saver = hf.train.Saver()
            with hf.Session() as session:
                path = saver.save(session, str(tmp_path / "m"))
                state["value"] = np.zeros(3, np.float32)
                saver.restore(session, path)
        assert state["value"].tolist() == [1, 2, 3]

    def test_another_shape(self, tmp_path):
        with hf.Graph().as_default(), hf.Session() as session:
            hf.get_variable("v", initializer=np.arange(6))
            session.run(hf.global_variables_initializer())
            path = hf.train.Saver().save(session, str(tmp_path / "m"))
        with hf.Graph().as_default(), hf.Session() as session:
            v = hf.get_variable("v", [2, 3], hf.int64)
            with pytest.raises(hf.errors.InvalidArgumentError, match="shape"):
                hf.train.Saver().restore(session, path)
            hf.train.Saver(reshape=True).restore(session, path)
            assert session.run(v).tolist() == [[0, 1, 2], [3, 4, 5]]

    def test_what_cannot_be_saved(self):
        with hf.Graph().as_default():
            with pytest.raises(ValueError, match="No variables to save"):
                hf.train.Saver()
            v = hf.get_variable("v", [2])
            with pytest.raises(TypeError, match="is not a Variable"):
                hf.train.Saver({"x": hf.constant(1.0)})
            with pytest.raises(TypeError, match="Name is not a string: 3"):
                hf.train.Saver({3: v})
            with pytest.raises(TypeError, match="dict or a list"):
                hf.train.Saver(v)
            with pytest.raises(ValueError, match="two variables have the same name: v"):
                hf.train.Saver([v, v])
            with pytest.raises(ValueError, match="restored with two names"):
                hf.train.Saver({"a": v, "b": v})
            with pytest.raises(ValueError, match="version 2"):
                hf.train.Saver(write_version=1)

    def test_nothing_may_be_allowed(self, tmp_path):
        with hf.Graph().as_default(), hf.Session() as session:
            saver = hf.train.Saver(allow_empty=True)
            assert saver.save(session, str(tmp_path / "m")) is None
            saver.restore(session, "anything")
        assert files(tmp_path) == []


class TestWhatIsKept:
    @pytest.fixture
    def session(self):
        with hf.Graph().as_default(), hf.Session() as session:
            hf.get_variable("v", initializer=1.0)
            session.run(hf.global_variables_initializer())
            yield session

    def test_the_latest(self, session, tmp_path):
        saver = hf.train.Saver(max_to_keep=2)
        for step in range(4):
            saver.save(session, str(tmp_path / "m"), global_step=step)
        assert files(tmp_path) == [
            "checkpoint",
            *[f"m-{s}.{e}" for s in (2, 3) for e in ("data-00000-of-00001", "index", "meta")],
        ]
        assert saver.last_checkpoints == [str(tmp_path / f"m-{s}") for s in (2, 3)]
        state = hf.train.get_checkpoint_state(str(tmp_path))
        assert list(state.all_model_checkpoint_paths) == saver.last_checkpoints
        assert state.model_checkpoint_path == saver.last_checkpoints[-1]

    def test_some_for_good(self, session, tmp_path):
        saver = hf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1e-9)
        for step in range(3):
            saver.save(session, str(tmp_path / "m"), global_step=step)
        assert [f for f in files(tmp_path) if f.endswith("index")] == [
            f"m-{step}.index" for step in range(3)
        ]
        assert len(saver.last_checkpoints) == 1

    @pytest.mark.parametrize("most", [0, None])
    def test_all(self, session, tmp_path, most):
        saver = hf.train.Saver(max_to_keep=most)
        for step in range(7):
            saver.save(session, str(tmp_path / "m"), global_step=step)
        assert len([f for f in files(tmp_path) if f.endswith("index")]) == 7
        assert saver.last_checkpoints == []
        assert hf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "m-6")

    def test_known_from_an_earlier_run(self, session, tmp_path):
        first = hf.train.Saver()
        paths = [first.save(session, str(tmp_path / "m"), global_step=s) for s in range(3)]
        hf.train.remove_checkpoint(paths[1])
        later = hf.train.Saver(max_to_keep=2)
        later.recover_last_checkpoints(paths)
        assert later.last_checkpoints == [paths[0], paths[2]]
        later.save(session, str(tmp_path / "m"), global_step=3)
        assert not hf.train.checkpoint_exists(paths[0])
        assert hf.train.checkpoint_exists(paths[2])

    def test_relative_paths_move_with_the_folder(self, session, tmp_path):
        saver = hf.train.Saver(save_relative_paths=True)
        saver.save(session, str(tmp_path / "old" / "m"))
        os.rename(tmp_path / "old", tmp_path / "new")
        assert hf.train.latest_checkpoint(str(tmp_path / "new")) == str(tmp_path / "new" / "m")

    def test_steps(self, session, tmp_path):
        saver = hf.train.Saver(pad_step_number=True)
        assert saver.save(session, str(tmp_path / "m"), 7).endswith("m-00000007")
        step = hf.train.create_global_step()
        session.run(step.initializer)
        assert saver.save(session, str(tmp_path / "m"), step).endswith("m-00000000")

    def test_names_that_collide(self, session, tmp_path):
        saver = hf.train.Saver()
        with pytest.raises(ValueError, match="collides with 'save_path'"):
            saver.save(session, str(tmp_path / "checkpoint"))
        with pytest.raises(ValueError, match="must not contain path components"):
            saver.save(session, str(tmp_path / "m"), latest_filename="a/b")
        with pytest.raises(TypeError, match="must be a Session"):
            saver.save(None, str(tmp_path / "m"))
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match=r"Parent directory of .* doesn't exist"):
            saver.save(session, str(tmp_path / "file" / "m"))


def test_a_failed_restore_changes_nothing(tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        hf.get_variable("a", initializer=1.0)
        path = str(tmp_path / "m")
        session.run(hf.global_variables_initializer())
        hf.train.Saver().save(session, path)
        hf.get_variable("b", initializer=2.0)
        session.run(hf.global_variables_initializer())
        session.run(hf.global_variables()[0].assign(5.0))
        with pytest.raises(hf.errors.NotFoundError, match="Key b not found in checkpoint"):
            hf.train.Saver().restore(session, path)
        assert session.run(hf.global_variables()) == [5.0, 2.0]


class TestEager:
    def test_values_come_back(self, tmp_path):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.get_variable("scope/v", initializer=np.float32([1, 2]))
            saver = hf.train.Saver([v])
            path = saver.save(None, str(tmp_path / "m"), global_step=1)
            v.assign([0.0, 0.0])
            saver.restore(None, path)
            assert v.numpy().tolist() == [1, 2]
            assert hf.train.latest_checkpoint(str(tmp_path)) == path
        assert hf.train.list_variables(path) == [("scope/v", [2])]

    def test_a_graph_reads_what_was_saved(self, tmp_path):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.get_variable("v", initializer=3.0)
            path = hf.train.Saver({"v": v}).save(None, str(tmp_path / "m"))
        with hf.Graph().as_default(), hf.Session() as session:
            v = hf.get_variable("v", [])
            hf.train.Saver().restore(session, path)
            assert session.run(v) == 3.0

    def test_variables_must_be_named(self):
        with (
            hf.eager_mode(),
            pytest.raises(RuntimeError, match="must specify a list or dict of variables"),
        ):
            hf.train.Saver()


def test_a_saver_described_by_a_message(tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        hf.get_variable("v", initializer=1.0)
        with hf.name_scope("outer"):
            first = hf.train.Saver(max_to_keep=3)
        second = hf.train.Saver.from_proto(first.to_proto("outer"), "outer")
        assert second.as_saver_def() == first.as_saver_def()
        assert first.to_proto("other") is None
        session.run(hf.global_variables_initializer())
        assert second.save(session, str(tmp_path / "m")) == str(tmp_path / "m")


class TestState:
    def test_what_is_no_message(self, tmp_path):
        (tmp_path / "checkpoint").write_bytes(b"no: message {")
        assert hf.train.get_checkpoint_state(str(tmp_path)) is None
        (tmp_path / "checkpoint").write_bytes(b"\xff\xfe")
        assert hf.train.get_checkpoint_state(str(tmp_path)) is None
        (tmp_path / "checkpoint").write_text("")
        with pytest.raises(ValueError, match="Invalid checkpoint state"):
            hf.train.get_checkpoint_state(str(tmp_path))

    def test_a_checkpoint_that_is_gone(self, tmp_path):
        hf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "m"))
        assert hf.train.latest_checkpoint(str(tmp_path)) is None

    def test_a_name_that_collides(self, tmp_path):
        with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
            hf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "checkpoint"))


def test_a_folder_without_checkpoints(tmp_path):
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
        hf.train.load_checkpoint(str(tmp_path))


@pytest.mark.parametrize(
    ("path", "error"), [("", ValueError), (b"m", TypeError), (None, TypeError), (5, TypeError)]
)
def test_a_path_that_names_no_file_is_refused_before_anything_is_written(
    tmp_path, monkeypatch, path, error
):
    monkeypatch.chdir(tmp_path)
    with hf.Graph().as_default(), hf.Session() as session:
        variables()
        saver = hf.train.Saver()
        session.run(hf.global_variables_initializer())
        with pytest.raises(error):
            saver.save(session, path)
        assert saver.last_checkpoints == []
    assert files(tmp_path) == []


@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
def test_a_folder_is_no_checkpoint(mode, tmp_path):
    with hf.Graph().as_default(), mode(), hf.EagerVariableStore().as_default():
        saver = hf.train.Saver([hf.get_variable("v", [2])])
        session = hf.Session() if mode is hf.graph_mode else None
        with pytest.raises(hf.errors.NotFoundError, match=r"`hf\.train\.latest_checkpoint\('/"):
            saver.restore(session, tmp_path)


def test_threads_that_save_leave_the_latest_step(tmp_path):
    """A checkpoint whose step was read first is not the last that is noted."""
    with hf.Graph().as_default():
        step = hf.train.get_or_create_global_step()
        count = hf.assign_add(step, 1)
        saver = hf.train.Saver(max_to_keep=0)
        with hf.Session() as session:
            session.run(step.initializer)
            ended = threading.Event()

            def save():
                while not ended.is_set():
                    saver.save(session, str(tmp_path / "m"), global_step=step)

            threads = [threading.Thread(target=save) for _ in range(3)]
            for thread in threads:
                thread.start()
            for _ in range(100):
                session.run(count)
                latest = saver.save(session, str(tmp_path / "m"), global_step=step)
                assert hf.train.latest_checkpoint(tmp_path) == latest
            ended.set()
            for thread in threads:
                thread.join()


def test_an_eager_variable_that_is_listed_twice(tmp_path):
    """It is one variable; two of one name are refused."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", initializer=1.0)
        saver = hf.contrib.eager.Saver([v, v])
        path = saver.save(str(tmp_path / "m"))
        v.assign(2.0)
        saver.restore(path)
        assert v.numpy() == 1.0
        with hf.EagerVariableStore().as_default():
            other = hf.get_variable("v", initializer=1.0)
        with pytest.raises(ValueError, match="same name"):
            hf.contrib.eager.Saver([v, other]).save(path)


def test_when_checkpoints_were_written(tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        hf.get_variable("v", initializer=1.0)
        session.run(hf.global_variables_initializer())
        saver = hf.train.Saver()
        paths = [saver.save(session, str(tmp_path / "m"), step) for step in (1, 2)]
    os.utime(paths[0] + ".index", (7, 7))
    found = hf.train.get_checkpoint_mtimes([*paths, str(tmp_path / "none")])
    assert found[0] == 7
    assert found[1] == os.stat(paths[1] + ".index").st_mtime
    assert len(found) == 2


def test_steps_that_are_numbers_of_numpy(tmp_path):
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(hf.get_variable("v", initializer=1.0).initializer)
        saver = hf.train.Saver()
        for step in (np.int64(4), np.uint8(5)):
            path = saver.save(session, str(tmp_path / "m"), global_step=step)
            assert path == str(tmp_path / f"m-{step}")


def test_arguments_of_other_kinds(tmp_path):
    with hf.Graph().as_default():
        step = hf.train.get_or_create_global_step()
        with pytest.raises(ValueError, match="`max_to_keep` must be a whole number"):
            hf.train.Saver(max_to_keep="3")
        saver = hf.train.Saver([step])
        with hf.train.MonitoredTrainingSession() as session:
            with pytest.raises(TypeError, match=r"give it `checkpoint_dir`"):
                saver.save(session, str(tmp_path / "m"))
            with pytest.raises(TypeError, match=r"must be a Session; 3$"):
                saver.save(3, str(tmp_path / "m"))
