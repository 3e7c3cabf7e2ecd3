"""What libraries take from inside TensorFlow: updates, summaries, resources, registries."""

from __future__ import annotations

import types
from collections import namedtuple

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.missing import Missing
from hybridflow._src.cli.shim.names import find
from hybridflow._src.platform import tf_logging


def inner(path):
    module, _, name = f"tensorflow.{path}".rpartition(".")
    return find(module, name)[0]


def test_updates_of_optimizers():
    ops = {
        name: inner(f"python.training.training_ops.{name}")
        for name in ("apply_adam", "resource_apply_adam", "resource_apply_gradient_descent")
    }
    with hf.Graph().as_default(), hf.Session() as session:
        by_kind = {
            kind: [
                hf.get_variable(f"{name}{kind:d}", initializer=value, use_resource=kind)
                for name, value in (("v", [1.0, 1.0]), ("m", [0.0, 0.0]), ("n", [0.0, 0.0]))
            ]
            for kind in (False, True)
        }
        session.run(hf.global_variables_initializer())
        rest = (0.9, 0.999, 0.1, 0.9, 0.999, 1e-8, [1.0, -2.0])
        updated = ops["apply_adam"](*by_kind[False], *rest, use_locking=False)
        np.testing.assert_allclose(session.run(updated), [0.9, 1.1], 1e-6)
        assert updated.op.graph is hf.get_default_graph()
        handles = [v.handle for v in by_kind[True]]
        session.run(ops["resource_apply_adam"](*handles, *rest))
        np.testing.assert_allclose(session.run(by_kind[True][0]), [0.9, 1.1], 1e-6)
        session.run(ops["resource_apply_gradient_descent"](handles[0], 0.5, [1.0, 1.0]))
        np.testing.assert_allclose(session.run(by_kind[True][0]), [0.4, 0.6], 1e-6)


def test_checkpoints_by_their_ops(tmp_path):
    save, restore = inner("python.ops.io_ops.save_v2"), inner("python.ops.io_ops.restore_v2")
    path = str(tmp_path / "x")
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(save(path, ["a", "b"], ["", ""], [[1.0, 2.0], np.array([3, 4])]))
        found = restore(path, ["b", "a"], ["", "2 0,1"], [hf.int64, hf.float32])
        b, a = session.run(found)
    assert (b.tolist(), a.tolist()) == ([3, 4], [1.0])
    assert b.dtype == np.int64


def test_rows_replaced():
    x = np.arange(6.0).reshape(3, 2)
    changed = [
        ("alias_inplace_update", 1, [7.0, 8.0], [[0, 1], [7, 8], [4, 5]]),
        ("inplace_add", [2, 0], [[1.0, 1.0], [2.0, 2.0]], [[2, 3], [2, 3], [5, 6]]),
        ("inplace_subtract", None, x, np.zeros((3, 2))),
    ]
    with hf.eager_mode():
        for name, i, v, wanted in changed[:2]:
            function = inner(f"python.ops.inplace_ops.{name}")
            np.testing.assert_array_equal(function(x, i, v).numpy(), wanted)
        name, i, v, wanted = changed[2]
        found = inner(f"python.ops.inplace_ops.{name}")(x, i, v)
        np.testing.assert_array_equal(found.numpy(), wanted)
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(3, 2))


def test_matrices_by_the_names_before_1_0():
    a = np.random.default_rng(0).normal(size=(2, 3, 3))
    with hf.eager_mode():
        s, u, v = inner("batch_svd")(a)
        again = u.numpy() * s.numpy()[:, None, :] @ v.numpy().swapaxes(1, 2)
        np.testing.assert_allclose(again, a, atol=1e-12)
        np.testing.assert_allclose(inner("batch_svd")(a, False).numpy(), s.numpy(), rtol=1e-12)
        product = inner("batch_matmul")(a, a, adj_y=True).numpy()
        np.testing.assert_allclose(product, a @ a.swapaxes(1, 2), rtol=1e-12)
        inverse = inner("batch_matrix_inverse")(a).numpy()
        np.testing.assert_allclose(inverse @ a, np.broadcast_to(np.eye(3), a.shape), atol=1e-12)


def test_systems_whose_batches_broadcast():
    path = "python.ops.linalg.linear_operator_util"
    triangular = inner(f"{path}.matrix_triangular_solve_with_broadcast")
    solve = inner(f"{path}.matrix_solve_with_broadcast")
    rng = np.random.default_rng(1)
    matrix, rhs = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(2, 4, 3, 2))
    with hf.Graph().as_default(), hf.Session() as session:
        fed = hf.placeholder(hf.float64, [None, None])
        found = session.run([triangular(fed, rhs), solve(matrix, rhs)], {fed: matrix})
    np.testing.assert_allclose(found[0], np.linalg.solve(np.tril(matrix), rhs), rtol=1e-10)
    np.testing.assert_allclose(found[1], np.linalg.solve(matrix, rhs), rtol=1e-10)


def test_summaries_of_ones_own():
    scope = inner("python.ops.summary_op_util.summary_scope")
    collect = inner("python.ops.summary_op_util.collect")
    with hf.Graph().as_default() as graph:
        with hf.name_scope("outer"), scope("loss", family="train") as (tag, name):
            assert (tag, name) == ("train/outer/train/loss", "outer/train/loss/")
        with scope("a b") as (tag, _):
            assert tag == "a_b"
        x = hf.constant(1.0)
        collect(x, None, ["given"])
        collect(x, ["mine"], ["given"])
        assert graph.get_collection("given") == graph.get_collection("mine") == [x]
    assert inner("python.distribute.summary_op_util.skip_summary")() is False


def test_resources_of_a_graph():
    module = types.SimpleNamespace(
        **{
            name: inner(f"python.ops.resources.{name}")
            for name in (
                *("register_resource", "shared_resources", "local_resources"),
                *("initialize_resources", "report_uninitialized_resources"),
            )
        }
    )
    with hf.Graph().as_default(), hf.Session() as session:
        session.run(module.initialize_resources(module.shared_resources()))
        assert session.run(module.report_uninitialized_resources()).size == 0
        v = hf.get_variable("v", [2], use_resource=True)
        made = hf.is_variable_initialized(v)
        module.register_resource(v.handle, v.initializer, made)
        assert [r.handle for r in module.shared_resources()] == [v.handle]
        assert module.local_resources() == []
        left = module.report_uninitialized_resources()
        assert session.run(left).tolist() == [b"v:0"]
        session.run(module.initialize_resources(module.shared_resources()))
        assert session.run(left).tolist() == []


def test_what_ops_there_are():
    ops = inner("python.framework.op_def_registry.get_registered_ops")()
    assert [arg.name for arg in ops["MatMul"].input_arg] == ["a", "b"]
    assert inner("python.framework.op_def_registry.get")("NoSuchOp") is None


def test_modules_that_are_imported_when_they_are_used():
    names = {}
    lazy = inner("python.util.lazy_loader.LazyLoader")("stats", names, "statistics")
    assert names == {}
    assert lazy.mean([1, 3]) == 2
    assert names["stats"].__name__ == "statistics"
    assert "median" in dir(lazy)


def test_silence_about_what_is_deprecated(monkeypatch):
    told = []
    monkeypatch.setattr(tf_logging, "warning", lambda *args: told.append(args))
    old = inner("python.util.deprecation.deprecated")(None, "Use another one.", warn_once=False)(
        lambda: 3
    )
    with inner("python.util.deprecation.silence")():
        assert old() == 3
    assert told == []
    assert old() == 3
    assert len(told) == 1


def test_structures_by_what_is_taken_apart():
    shallow = inner("python.util.nest.get_traverse_shallow_structure")
    pair = namedtuple("pair", ["x", "y"])
    tree = {"b": [1, (2, 3)], "a": pair([4], 5)}
    no_tuples = shallow(lambda part: not isinstance(part, tuple), tree)
    assert no_tuples == {"a": False, "b": [True, False]}
    assert shallow(lambda part: True, tree) == {"a": pair([True], True), "b": [True, (True, True)]}
    only_a = shallow(lambda part: {"a": True, "b": False} if part is tree else True, tree)
    assert only_a == {"a": pair([True], True), "b": False}
    for wrong, text in (
        (lambda part: 1, "non-bool scalar"),
        (lambda part: [[True], True] if part == [[1], 2] else True, "depth=1"),
        (lambda part: [True] if part == 2 else True, "for non-structure: 2"),
    ):
        with pytest.raises(TypeError, match=text):
            shallow(wrong, [[1], 2])
    is_named = inner("python.util.nest._is_namedtuple")
    assert is_named(pair(1, 2))
    assert is_named(pair(1, 2), True)
    assert not is_named((1, 2))


def test_one_copy_of_a_model():
    strategy = inner("distribute.get_strategy")()
    assert strategy.num_replicas_in_sync == 1
    with strategy.scope():
        assert strategy.reduce(inner("distribute.ReduceOp").SUM, 3.0) == 3.0
    with pytest.raises(ValueError, match="axis 0"):
        strategy.reduce("SUM", 3.0, axis=0)
    assert strategy.extended.strategy is strategy


def test_datasets_by_functions():
    with hf.Graph().as_default(), hf.Session() as session:
        dataset = hf.data.Dataset.range(3).batch(2)
        assert inner("data.get_output_types")(dataset) is hf.int64
        assert inner("data.get_output_shapes")(dataset).as_list() == [None]
        assert inner("data.get_output_classes")(dataset) is hf.Tensor
        once = inner("data.make_one_shot_iterator")(dataset).get_next()
        assert session.run(once).tolist() == [0, 1]
        again = inner("data.make_initializable_iterator")(dataset)
        session.run(again.initializer)
        assert session.run(again.get_next()).tolist() == [0, 1]


def test_configurations_of_rewriting():
    rewriter = inner("core.protobuf.rewriter_config_pb2.RewriterConfig")
    config = hf.ConfigProto()
    config.graph_options.rewrite_options.layout_optimizer = rewriter.OFF
    config.graph_options.rewrite_options.optimizers.append("constfold")
    config.experimental.executor_type = ""
    config.gpu_options.experimental.use_unified_memory = True
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        assert session.run(hf.constant(2.0)) == 2.0
    with pytest.raises(AttributeError, match="has no 'layout' field"):
        config.graph_options.rewrite_options.layout = 1


def test_classes_that_are_missing_can_be_derived_from():
    base = Missing("tensorflow.python.autograph.pyct.transformer").Base
    derived = type("Derived", (base,), {"visit": lambda self: None})
    assert not isinstance(3, derived)
    with pytest.raises(AttributeError, match=r"transformer\.Base"):
        derived()
    with pytest.raises(AttributeError, match=r"transformer\.Base"):
        derived.anything  # noqa: B018
    with pytest.raises(AttributeError, match="nothing"):
        Missing("tensorflow.python.autograph").nothing  # noqa: B018


def test_items_of_dicts_by_structures():
    flat = inner("contrib.framework.nest.flatten_dict_items")
    assert flat({(4, (5, 6)): (1, (2, 3)), 7: [8]}) == {4: 1, 5: 2, 6: 3, 7: [8]}
    for bad, error in (
        (3, TypeError),
        ({(1, 2): (3,)}, ValueError),
        ({(1, 1): (2, 3)}, ValueError),
    ):
        with pytest.raises(error):
            flat(bad)


def test_structures_by_keywords():
    pack = inner("nest.pack_sequence_as")
    assert pack(structure=(1, 2), flat_sequence=[3, 4]) == (3, 4)
    assert inner("nest.flatten")((1, [2]), expand_composites=True) == [1, 2]
    assert inner("nest.map_structure")(abs, (-1,), expand_composites=True) == (1,)
    assert inner("nest.is_nested")([1])
    assert not inner("nest.is_nested")(1)


def test_constants_that_no_session_runs():
    evaluate = inner("python.pywrap_tensorflow.TF_TryEvaluateConstant_wrapper")
    with hf.Graph().as_default() as graph:
        total = hf.constant(2) + 3
        unknown = hf.placeholder(hf.int32)
        assert evaluate(graph._c_graph, total._as_tf_output()) in (5, None)
        assert evaluate(graph._c_graph, hf.constant(2)._as_tf_output()) == 2
        assert evaluate(graph._c_graph, unknown._as_tf_output()) is None


def test_a_choice_by_a_cond_of_ones_own():
    helper = inner("python.ops.control_flow_ops._case_helper")

    def first(pred, true_fn, false_fn):
        return true_fn() if pred else false_fn()

    pairs = [(False, lambda: 1), (True, lambda: 2), (True, lambda: 3)]
    assert helper(first, pairs, lambda: 4, False, "case") == 2
    assert helper(first, pairs[:1], lambda: 4, False, "case") == 4
    assert helper(first, {0: lambda: 1, 1: lambda: 2}, None, False, None) == 2


def test_tests_in_both_modes():
    seen = []

    @inner("contrib.eager.run_all_tests_in_graph_and_eager_modes")
    class Case(hf.test.TestCase):
        def testMode(self):
            seen.append(hf.executing_eagerly())

        def helper(self):
            seen.append("helper")

    Case("testMode").debug()
    assert seen == [False, True]


def test_tests_in_graphs_alone():
    seen = []

    @inner("python.framework.test_util.deprecated_graph_mode_only")
    class Case(hf.test.TestCase):
        def testMode(self):
            seen.append(hf.executing_eagerly())

    with hf.eager_mode():
        Case("testMode").debug()
    assert seen == [False]
    assert inner("python.framework.test_util.run_v1_only")("a reason", len) is len


def test_operators_that_a_program_changes():
    names = set(hf.Tensor.OVERLOADABLE_OPERATORS)
    try:
        hf.Tensor.OVERLOADABLE_OPERATORS.update({"__iter__"})
        assert "__div__" in names
    finally:
        hf.Tensor.OVERLOADABLE_OPERATORS.intersection_update(names)
    with hf.eager_mode():
        assert hf.constant(True).__nonzero__()


def test_variable_scopes_without_name_scopes():
    pure = inner("python.ops.variable_scope._pure_variable_scope")
    with hf.Graph().as_default():
        with hf.name_scope("names"), pure("scope", initializer=hf.ones_initializer()):
            v = hf.get_variable("v", [2])
            assert hf.constant(1.0).name == "names/Const:0"
        with pure("scope", reuse=True):
            assert hf.get_variable("v", [2]) is v
    assert v.name == "scope/v:0"


def test_devices_that_are_asked_for():
    config = types.SimpleNamespace(
        **{
            name: inner(f"config.experimental.{name}")
            for name in (
                *("list_physical_devices", "list_logical_devices", "set_visible_devices"),
                *("get_visible_devices", "set_memory_growth", "get_memory_growth"),
            )
        }
    )
    assert config.list_physical_devices("GPU") == config.list_logical_devices("GPU") == []
    (cpu,) = config.list_physical_devices()
    assert cpu.device_type == config.list_logical_devices()[0].device_type == "CPU"
    config.set_visible_devices([], "GPU")
    config.set_visible_devices(cpu)
    assert config.get_visible_devices() == [cpu]
    with pytest.raises(ValueError, match="Unrecognized device: 'GPU:0'"):
        config.set_visible_devices("GPU:0")
    for refused in (
        lambda: config.set_memory_growth(cpu, True),
        lambda: config.get_memory_growth(cpu),
    ):
        with pytest.raises(ValueError, match="is no GPU of this machine"):
            refused()


def test_tables_with_the_arguments_of_1_15():
    with hf.eager_mode():
        entries = inner("lookup.KeyValueTensorInitializer")(["a", "b"], [1, 2])
        table = inner("lookup.StaticHashTable")(entries, -1, "table")
        assert table.lookup(hf.constant(["b", "c"])).numpy().tolist() == [2, -1]
    assert inner("saved_model.SERVING") == hf.saved_model.tag_constants.SERVING


def test_graphs_of_inputs():
    graph_of = inner("python.framework.ops._get_graph_from_inputs")
    with hf.Graph().as_default() as one:
        x = hf.constant(1.0)
    with hf.Graph().as_default() as two:
        y = hf.constant(2.0)
        assert graph_of([1.0]) is two
        assert graph_of([x, 3.0]) is graph_of([], one) is one
        with pytest.raises(ValueError, match="not from the passed-in graph"):
            graph_of([x], two)
        with pytest.raises(ValueError, match="must be from the same graph as Tensor"):
            graph_of([x, y])
