"""`hf.contrib.framework`: variables that are found, and values that they are given."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow.contrib import framework


def test_variables_by_scope_and_suffix():
    with hf.Graph().as_default():
        with hf.variable_scope("a") as scope:
            a = hf.get_variable("weights", [1])
            bias = hf.get_variable("bias", [1], trainable=False)
        with hf.variable_scope("b"):
            b = hf.get_variable("weights", [1])
            local = hf.get_local_variable("count", [])
        assert framework.get_variables() == [a, bias, b]
        assert framework.get_variables("a") == [a, bias]
        assert framework.get_variables(scope, suffix="bias") == [bias]
        assert framework.get_trainable_variables() == [a, b]
        assert framework.get_local_variables() == [local]
        assert framework.get_model_variables() == []
        assert framework.get_variables_by_suffix("weights", "b") == [b]
        assert framework.get_variables_by_name("weights") == [a, b]
        assert framework.get_unique_variable("a/bias") is bias
        with pytest.raises(ValueError, match=r"0 variables are called 'weights'.*a/weights:0"):
            framework.get_unique_variable("weights")


def test_variables_to_restore():
    with hf.Graph().as_default():
        names = ("conv/w", "conv/b", "head/w")
        w, b, head = [hf.get_variable(name, [1]) for name in names]
        assert framework.get_variables_to_restore() == [w, b, head]
        assert framework.get_variables_to_restore(["conv"], ["conv/b"]) == [w]
        assert framework.get_variables_to_restore([]) == []
        assert framework.get_variables_to_restore(exclude=("conv",)) == [head]
        for given in ({"include": "conv"}, {"exclude": "conv"}):
            with pytest.raises(TypeError, match=r"is provided but is not a list or a tuple"):
                framework.get_variables_to_restore(**given)
        assert framework.filter_variables([w, b, head], ["w"], ["head"]) == [w]
        assert framework.filter_variables([w, b, head], ["w", "b"], reg_search=False) == []
        assert framework.filter_variables([w, b, head], exclude_patterns=["conv"]) == [head]
        assert framework.filter_variables([w, b, head]) == [w, b, head]


def test_model_variables():
    with hf.Graph().as_default():
        v = hf.get_variable("v", [1])
        for _ in range(2):
            framework.add_model_variable(v)
        assert framework.get_model_variables() == [v]


@pytest.mark.parametrize("resource", [False, True], ids=["reference", "resource"])
def test_variables_by_their_collections(resource):
    with hf.Graph().as_default(), hf.variable_scope("a", use_resource=resource):
        local = framework.local_variable(1.0, name="local")
        other = framework.global_variable([1.0, 2.0], use_resource=not resource)
        w = framework.variable("w", [2], device="/cpu:1", collections=["own", "own"])
        m = framework.model_variable("m", [2, 1], regularizer=hf.contrib.layers.l2_regularizer(1.0))
        seen = []

        def getter(name, *args, reuse, **kwargs):
            seen.append((name, reuse))
            return hf.get_variable(name, *args, **kwargs)

        framework.variable("x", [2], custom_getter=getter)
        assert seen == [("x", False)]
        assert hf.local_variables() == [local]
        assert [v.name for v in hf.global_variables()] == [other.name, "a/m:0", "a/x:0"]
        assert other.name == "a/Variable:0"
        assert hf.get_collection("own") == [w]
        assert w.device == "/device:CPU:1"
        assert [v.name for v in hf.trainable_variables()] == ["a/w:0", "a/m:0", "a/x:0"]
        assert framework.get_model_variables() == [m]
        assert len(hf.losses.get_regularization_losses()) == 1
        kinds = [isinstance(v, hf.ResourceVariable) for v in (local, other, w)]
        assert kinds == [resource, not resource, resource]


def test_devices_of_variables():
    with hf.Graph().as_default():
        chooser = framework.VariableDeviceChooser(2, job_name="store", device_type="GPU")
        made = [framework.variable(name, [2], device=chooser) for name in "abc"]
        assert [v.device[: len("/job:store/task:0")] for v in made[:2]] == [
            "/job:store/task:0",
            "/job:store/task:1",
        ]
        assert framework.VariableDeviceChooser()(None) == "/device:CPU:0"


def test_the_global_step_is_given_or_found():
    with hf.Graph().as_default() as graph:
        assert framework.assert_or_get_global_step() is None
        step = hf.train.create_global_step()
        assert framework.assert_or_get_global_step(graph) is step
        other = hf.get_variable("other", [], hf.int64)
        assert framework.assert_or_get_global_step(global_step_tensor=other) is other
        with pytest.raises(TypeError, match="integer type"):
            framework.assert_or_get_global_step(None, hf.constant(1.0))


def test_smart_cond():
    with hf.Graph().as_default() as graph:
        assert framework.smart_cond(1, lambda: "yes", lambda: "no") == "yes"
        assert framework.smart_cond(hf.constant(False), lambda: "yes", lambda: "no") == "no"
        assert "cond" not in [op.name for op in graph.get_operations()]
        fed = hf.placeholder(hf.bool, [])
        chosen = framework.smart_cond(fed, lambda: hf.constant(1), lambda: hf.constant(2))
        with hf.Session() as session:
            assert session.run([chosen], {fed: False}) == [2]
        with pytest.raises(TypeError, match="pred"):
            framework.smart_cond("text", lambda: 1, lambda: 2)


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def kept(request, tmp_path):
    """A checkpoint, and a session of a graph with its variables."""
    with hf.Graph().as_default(), hf.variable_scope("", use_resource=request.param):
        hf.get_variable("a", initializer=np.float32([1, 2]))
        hf.get_variable("b", initializer=np.int64(3))
        with hf.variable_scope("", partitioner=hf.fixed_size_partitioner(2)):
            hf.get_variable("parts", initializer=hf.ones_initializer(), shape=[4, 2])
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            yield session, hf.train.Saver().save(session, str(tmp_path / "m"))


def values(session):
    found = session.run({v.op.name: v for v in hf.global_variables()})
    return {name: value.tolist() for name, value in found.items()}


@pytest.mark.parametrize("way", ["operation", "function"])
def test_values_of_a_checkpoint(kept, way):
    session, path = kept
    before = values(session)
    session.run([hf.assign(v, hf.zeros_like(v)).op for v in hf.global_variables()])
    if way == "operation":
        session.run(*framework.assign_from_checkpoint(path, hf.global_variables()))
    else:
        framework.assign_from_checkpoint_fn(path, hf.global_variables())(session)
    assert values(session) == before


@pytest.mark.parametrize("way", ["operation", "function"])
def test_other_names(kept, way):
    session, path = kept
    new = hf.get_variable("new", [2])
    if way == "operation":
        session.run(*framework.assign_from_checkpoint(path, {"a": new}))
    else:
        framework.assign_from_checkpoint_fn(path, {"a": new})(session)
    assert session.run(new).tolist() == [1, 2]


def test_parts_by_name(kept):
    session, path = kept
    with hf.variable_scope("", partitioner=hf.fixed_size_partitioner(4)):
        new = list(hf.get_variable("new", [4, 2]))
    session.run(*framework.assign_from_checkpoint(path, {"parts": new}))
    assert [part.tolist() for part in session.run(new)] == [[[1, 1]]] * 4


def test_what_a_checkpoint_lacks(kept):
    session, path = kept
    a = hf.global_variables()[0]
    session.run(a.assign([0, 0]))
    new = hf.get_variable("new", [2], initializer=hf.ones_initializer())
    session.run(new.initializer)
    with pytest.raises(ValueError, match=r"Checkpoint is missing variable \[new\]"):
        framework.assign_from_checkpoint(path, [a, new])
    with pytest.raises(hf.errors.NotFoundError, match="Key new"):
        framework.assign_from_checkpoint_fn(path, [a, new])(session)
    assert session.run(a).tolist() == [0, 0]
    session.run(*framework.assign_from_checkpoint(path, [a, new], ignore_missing_vars=True))
    assert session.run([a, new])[0].tolist() == [1, 2]
    session.run(a.assign([0, 0]))
    framework.assign_from_checkpoint_fn(path, [a, new], ignore_missing_vars=True)(session)
    assert [v.tolist() for v in session.run([a, new])] == [[1, 2], [1, 1]]
    assert framework.assign_from_checkpoint_fn(path, [new], ignore_missing_vars=True) is None
    with pytest.raises(ValueError, match="cannot be empty"):
        framework.assign_from_checkpoint_fn(path, [])


def test_other_shapes(kept):
    session, path = kept
    new = hf.get_variable("new", [2, 1])
    with pytest.raises(ValueError, match=r"lh_shape: \[\(2,\)\], rh_shape: \[\(2, 1\)\]"):
        framework.assign_from_checkpoint(path, {"a": new})
    framework.assign_from_checkpoint_fn(path, {"a": new}, reshape_variables=True)(session)
    assert session.run(new).tolist() == [[1], [2]]


def test_values_of_a_dict(kept):
    session, _ = kept
    a, b = hf.global_variables()[:2]
    session.run(*framework.assign_from_values({"a": np.float32([[5], [6]]), "b": np.int64(7)}))
    assert [v.tolist() for v in session.run([a, b])] == [[5, 6], 7]
    framework.assign_from_values_fn({"b": np.int64(8)})(session)
    assert session.run(b) == 8
    with pytest.raises(ValueError, match="0 variables are called 'c'"):
        framework.assign_from_values({"c": np.int64(7)})
