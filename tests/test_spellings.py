"""Names, functions and arguments that TensorFlow gained between 1.4 and 1.15."""

from __future__ import annotations

import functools
import json
import operator
import pathlib
import sys

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.check import _use
from hybridflow._src.cli.shim import finder
from hybridflow._src.cli.shim.names import find
from hybridflow._src.cli.shim.spellings import SPELLINGS
from hybridflow._src.cli.shim.table import MODULES
from hybridflow._src.framework.spelling import spelled
from tests.execution import EXECUTIONS, Execution

RECORDED = json.loads(
    (pathlib.Path(__file__).parent / "recorded" / "spellings.json").read_text("utf-8")
)


def value_of(path, root="tensorflow"):
    module, _, name = f"{root}.{path}".rpartition(".")
    found = find(module, name) if module in MODULES else None
    return None if found is None else found[0]


# ---- names ----


@pytest.mark.parametrize("name", hf.data.experimental.__all__)
def test_programs_find_what_stands_in_data_experimental(name):
    assert value_of(f"data.experimental.{name}") is getattr(hf.data.experimental, name)


@pytest.mark.parametrize("root", ["tensorflow", "tensorflow.compat.v1"])
def test_names_of_one_function_are_names_of_one_function(root):
    several = 0
    for group in RECORDED["groups"]:
        values = {path: value_of(path, root) for path in group}
        there = [value for value in values.values() if value is not None]
        several += len(there) > 1
        functions = {id(value) for value in there}
        assert len(functions) <= 1 or group in SEVERAL, values
    assert several > 200


# In 1.4 these are two functions, and so they are here.
SEVERAL = [group for group in RECORDED["groups"] if "floormod" in group]


def test_every_spelling_of_what_is_here_is_here():
    lacking = [
        path
        for group in RECORDED["groups"]
        if any(value_of(path) is not None for path in group)
        for path in group
        if value_of(path) is None and not path.startswith(EXCLUDED)
    ]
    assert lacking == []


# Families that are not here, of which a part is something else's other name.
EXCLUDED = ("estimator", "keras", "lite", "distribute", "feature_column", "sysconfig")


def test_every_spelling_leads_somewhere():
    for module, names in SPELLINGS.items():
        for name, path in names.items():
            assert value_of(path[1:]) is not None, (module, name)
            assert find(f"tensorflow{module}", name)[0] is value_of(path[1:])


def test_what_libraries_use_is_here():
    finder.install()
    names = (pathlib.Path(__file__).parent / "library_names.txt").read_text("utf-8").split()
    assert len(names) > 450
    missing = [name for name in names if not _use(f"tensorflow{name[2:]}", []).present]
    assert missing == []


# ---- functions ----


def tensor(value):
    is_nested = isinstance(value, list) and value and isinstance(value[0], list)
    return hf.constant(value) if is_nested else value


@pytest.fixture(params=EXECUTIONS)
def run(request):
    return Execution(request.param)


@pytest.mark.parametrize(
    "case", RECORDED["cases"], ids=[f"{i}-{case[0]}" for i, case in enumerate(RECORDED["cases"])]
)
def test_values_are_tensorflows(run, case):
    path, args, kwargs, wanted = case
    function = value_of(path)

    def called():
        return function(*map(tensor, args), **{key: tensor(x) for key, x in kwargs.items()})

    if path == "compat.v1.dimension_value":
        assert called() == wanted
        return
    found = run(called)
    several = isinstance(found, tuple)
    for got, value in zip(found, wanted, strict=True) if several else [(found, wanted)]:
        assert np.shape(got) == np.shape(value)
        np.testing.assert_allclose(got, value, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float16", "float32", "float64"])
def test_sorting_as_numpy_does(run, dtype):
    values = np.random.default_rng(0).integers(0, 9, size=(4, 5, 3)).astype(dtype)
    info = None if np.dtype(dtype).kind == "f" else np.iinfo(dtype)
    if info is not None:
        values[0, 0] = info.min, info.max, info.min
    for axis in (0, 1, -1):
        found = run(functools.partial(hf.sort, axis=axis), values)
        np.testing.assert_array_equal(found, np.sort(values, axis))
        found = run(functools.partial(hf.argsort, axis=axis), values)
        np.testing.assert_array_equal(found, np.argsort(values, axis, kind="stable"))


def test_sort_has_a_gradient(run):
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 10.0, 100.0])
    (grad,) = run.gradient(lambda x: hf.sort(x) * weights, values)
    np.testing.assert_array_equal(grad, [100.0, 1.0, 10.0])


def test_batch_gather_has_a_gradient(run):
    params = np.arange(6.0).reshape(2, 3)
    (grad,) = run.gradient(lambda x: hf.batch_gather(x, [[0, 0], [2, 1]]), params)
    np.testing.assert_array_equal(grad, [[2.0, 0.0, 0.0], [0.0, 1.0, 1.0]])


def test_gather_in_batches_as_numpy_does(run):
    rng = np.random.default_rng(1)
    params = rng.normal(size=(2, 3, 4, 5))
    for batch, axis in ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (1, -1), (-1, 3)):
        picked = (2, 3, 6)[: 3 if axis != 3 or batch == 2 else 2] if batch == 2 else (2, 6)
        at, count = axis % 4, batch % len(picked)
        indices = rng.integers(0, params.shape[at], size=picked)
        found = run(
            lambda x, i, axis=axis, batch=batch: hf.gather(x, i, axis=axis, batch_dims=batch),
            params,
            indices,
        )
        wanted = np.stack(
            [
                np.take(part, index, axis=at - count)
                for part, index in zip(
                    params.reshape(-1, *params.shape[count:]),
                    indices.reshape(-1, *picked[count:]),
                    strict=True,
                )
            ]
        ).reshape(
            *picked[:count], *params.shape[count:at], *picked[count:], *params.shape[at + 1 :]
        )
        np.testing.assert_array_equal(found, wanted)


def test_a_number_of_another_part_of_the_batch_is_out_of_range(run):
    with pytest.raises(hf.errors.InvalidArgumentError):
        run(lambda x, i: hf.batch_gather(x, i), np.zeros((2, 3)), np.array([[3], [0]]))


def test_wrong_batches():
    with hf.eager_mode():
        x = hf.zeros([2, 3])
        with pytest.raises(ValueError, match="scalar"):
            hf.batch_gather(x, 1)
        with pytest.raises(ValueError, match="batch_dims = 2"):
            hf.gather(x, [[1], [0]], batch_dims=2)
        with pytest.raises(ValueError, match="at most axis"):
            hf.gather(hf.zeros([2, 3, 4]), [[[1]], [[0]]], axis=1, batch_dims=2)
    with hf.Graph().as_default(), pytest.raises(ValueError, match="unknown shape"):
        hf.batch_gather(hf.zeros([2, 3]), hf.placeholder(hf.int32))


def test_roll_refuses():
    with hf.eager_mode():
        with pytest.raises(ValueError, match="rank 1"):
            hf.roll(1.0, 1, 0)
        with pytest.raises(ValueError, match="same size"):
            hf.roll([1.0], [1, 2], [0])
        with pytest.raises(ValueError):
            hf.roll([1.0], 1, 1)
        with pytest.raises(ValueError, match="ASCENDING"):
            hf.sort([1.0], direction="UP")
        with pytest.raises(ValueError):
            hf.sort(1.0)


def test_ensure_shape(run):
    values = np.ones([2, 3])
    (grad,) = run.gradient(lambda x: hf.ensure_shape(x, [None, 3]) * 2.0, values)
    np.testing.assert_array_equal(grad, 2.0 * values)
    errors = ValueError, hf.errors.InvalidArgumentError
    with pytest.raises(errors, match=r"\(\?, 4\)"):
        run(lambda x: hf.ensure_shape(x, [None, 4]), values)


def test_ensure_shape_of_what_is_unknown():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32)
        y = hf.ensure_shape(x, [None, 2])
        assert y.shape.as_list() == [None, 2]
        assert session.run(y, {x: [[1.0, 2.0]]}).tolist() == [[1.0, 2.0]]
        for wrong in ([1.0, 2.0], [[1.0]], 3.0):
            with pytest.raises(hf.errors.InvalidArgumentError, match=r"expected shape \(\?, 2\)"):
                session.run(y, {x: wrong})


def test_static_values():
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [None, 3])
        size = hf.shape(x)
        assert hf.get_static_value(x) is None
        assert hf.get_static_value(7) == 7
        assert hf.get_static_value(hf.constant([1, 2]) + 1).tolist() == [2, 3]
        packed = hf.stack([size[0], hf.constant(3)])
        assert hf.get_static_value(packed) is None
        for value_of in (hf.get_static_value, hf.contrib.util.constant_value):
            assert value_of(packed, partial=True).tolist() == [None, 3]
            found = value_of(hf.constant([1.0]))
            found[0] = 5.0  # it is the caller's own
            assert value_of(hf.constant([1.0])).tolist() == [1.0]


def test_what_is_a_tensor():
    with hf.Graph().as_default():
        sparse = hf.SparseTensor([[0]], [1.0], [2])
        for yes in (hf.constant(1), hf.Variable(1.0), hf.ResourceVariable(1.0), sparse):
            assert hf.is_tensor(yes)
        for no in (1, [hf.constant(1)], np.ones(2), None, hf.no_op()):
            assert not hf.is_tensor(no)


def test_groups_take_lists():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        v = hf.Variable(0.0)
        group = hf.group(hf.no_op(), [v.assign_add(1.0), (v.initializer,)], v.read_value())
        assert len(group.control_inputs) == 4
        session.run(v.initializer)
        session.run(group)
        before = len(graph.get_operations())
        with pytest.raises(TypeError, match=r"Expected operation or tensor in group\(\), got 'a'"):
            hf.group([v], "a")
        assert len(graph.get_operations()) == before


# ---- print ----


def item(value):
    if isinstance(value, dict):
        return hf.reshape(hf.range(value["range"]), value.get("shape", [-1]))
    return value if isinstance(value, str) else hf.constant(value)


@pytest.mark.parametrize("case", RECORDED["printed"], ids=str)
def test_what_is_printed_is_tensorflows(case, capsys):
    items, kwargs, text = case
    with hf.eager_mode():
        assert hf.print(*map(item, items), output_stream=sys.stdout, **kwargs) is None
    assert capsys.readouterr().out == text
    with hf.Graph().as_default(), hf.Session() as session:
        operation = hf.print(*map(item, items), output_stream=sys.stdout, **kwargs)
        assert isinstance(operation, hf.Operation)
        assert capsys.readouterr().out == ""
        for _ in range(3):
            session.run(operation)
            assert capsys.readouterr().out == text


def test_printed_structures_and_streams(capsys, tmp_path):
    path = tmp_path / "out.txt"
    with hf.eager_mode():
        hf.print({"a": hf.constant(1), "b": (hf.constant([2.0]), "{}")}, "t {}", 3, None)
        hf.print(hf.constant(["ä"]), output_stream=f"file://{path}")
        hf.print("again", output_stream=f"file://{path}")
        hf.print(
            hf.SparseTensor([[0, 1]], [2.0], [2, 2]), np.array([1.0]), output_stream=sys.stdout
        )
    printed = capsys.readouterr()
    assert printed.err == "{'a': 1, 'b': ([2], '{}')} t {} 3 None\n"
    assert printed.out == ("SparseTensor(indices=[[0 1]], values=[2], shape=[2 2]) array([1.])\n")
    assert path.read_text("utf-8") == '["ä"]\nagain\n'


def test_printed_inside_a_loop(capsys):
    with hf.Graph().as_default(), hf.Session() as session:

        def body(i):
            with hf.control_dependencies([hf.print("turn", i)]):
                return i + 1

        assert session.run(hf.while_loop(lambda i: i < 3, body, [hf.constant(0)])) == 3
    assert capsys.readouterr().err == "turn 0\nturn 1\nturn 2\n"


def test_print_refuses():
    with hf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match="Unknown output_stream"):
            hf.print("a", output_stream=3)
        with pytest.raises(TypeError, match="unexpected keyword arguments: \\['colour'\\]"):
            hf.print("a", colour="red")
        assert graph.get_operations() == []


# ---- arguments ----

IMAGE = np.arange(2 * 4 * 4 * 1, dtype=np.float32).reshape(2, 4, 4, 1)
FILTER = np.array([1.0, 2.0, 3.0, 4.0], np.float32).reshape(2, 2, 1, 1)
FLAT = {"strides": [1, 1, 1, 1], "padding": "SAME"}
RENAMED = {
    "nn.conv2d": ([IMAGE], {"filter": FILTER, **FLAT}, {"filters": "filter"}),
    "nn.avg_pool": ([], {"value": IMAGE, "ksize": [1, 2, 2, 1], **FLAT}, {"input": "value"}),
    "nn.max_pool": ([], {"value": IMAGE, "ksize": [1, 2, 2, 1], **FLAT}, {"input": "value"}),
    "nn.convolution": (
        [IMAGE],
        {"filter": FILTER, "padding": "SAME", "dilation_rate": [2, 2]},
        {"filters": "filter", "dilations": "dilation_rate"},
    ),
    "nn.depthwise_conv2d": ([IMAGE, FILTER], {"rate": [2, 2], **FLAT}, {"dilations": "rate"}),
    "nn.moments": ([IMAGE, [1, 2]], {"keep_dims": True}, {"keepdims": "keep_dims"}),
    "nn.dropout": ([IMAGE], {"keep_prob": 1.0}, {}),
    "space_to_batch": (
        [IMAGE],
        {"paddings": [[0, 0], [0, 0]], "block_size": 2},
        {"block_shape": "block_size"},
    ),
    "extract_image_patches": (
        [IMAGE],
        {"ksizes": [1, 2, 2, 1], "rates": [1, 1, 1, 1], **FLAT},
        {"sizes": "ksizes"},
    ),
    "reduce_join": (
        [[["a", "b"], ["c", "d"]]],
        {"axis": 1, "keep_dims": True},
        {"keepdims": "keep_dims"},
    ),
    "string_to_number": ([], {"string_tensor": ["1.5"]}, {"input": "string_tensor"}),
    "count_nonzero": ([], {"input_tensor": IMAGE}, {"input": "input_tensor"}),
    "verify_tensor_all_finite": ([], {"t": IMAGE, "msg": "m"}, {"x": "t", "message": "msg"}),
    "nn.softmax_cross_entropy_with_logits": (
        [],
        {"labels": [[0.0, 1.0]], "logits": [[1.0, 2.0]], "dim": -1},
        {"axis": "dim"},
    ),
    "nn.weighted_cross_entropy_with_logits": (
        [],
        {"targets": [1.0, 0.0], "logits": [1.0, 2.0], "pos_weight": 2.0},
        {"labels": "targets"},
    ),
}


@pytest.mark.parametrize("path", RENAMED)
def test_arguments_by_their_newer_names(path, run):
    args, older, names = RENAMED[path]
    function = operator.attrgetter(path)(hf)
    back = {old: new for new, old in names.items()}
    newer = {back.get(key, key): value for key, value in older.items()}
    call = functools.partial(function, *args)
    for wanted, got in zip(
        *[
            found if isinstance(found, tuple) else (found,)
            for found in (run(lambda: call(**older)), run(lambda: call(**newer)))
        ],
        strict=True,
    ):
        np.testing.assert_array_equal(wanted, got)
    for new, old in names.items():
        with hf.eager_mode(), pytest.raises(ValueError, match=f"both '{new}' and '{old}'"):
            call(**older, **{new: older[old]})


def test_an_argument_without_a_value_is_not_given():
    @spelled(keepdims="keep_dims")
    def function(x, keep_dims=False):
        return x, keep_dims

    assert function(1, keepdims=None) == (1, False)
    assert function(1, keepdims=True) == (1, True)
    with pytest.raises(TypeError, match="multiple values"):
        function(1, True, keepdims=True)


def test_dropout_by_its_rate(run):
    ones = np.ones(1000, np.float32)

    def dropped(**kwargs):
        def call(x):
            hf.set_random_seed(1)
            return hf.nn.dropout(x, seed=2, **kwargs)

        return call

    np.testing.assert_array_equal(run(dropped(rate=0.75), ones), run(dropped(keep_prob=0.25), ones))
    with hf.eager_mode():
        for wrong in ({}, {"rate": 0.5, "keep_prob": 0.5}):
            with pytest.raises(ValueError, match="and not both"):
                hf.nn.dropout(ones, **wrong)
        with pytest.raises(ValueError, match="in the range"):
            hf.nn.dropout(ones, rate=1.0)


# ---- variables ----


def test_kinds_of_variables():
    with hf.Graph().as_default():
        assert not isinstance(hf.Variable(1.0), hf.ResourceVariable)
        assert isinstance(hf.Variable(1.0, use_resource=True), hf.ResourceVariable)
        assert not hf.resource_variables_enabled()
        hf.enable_resource_variables()
        try:
            assert hf.resource_variables_enabled()
            assert isinstance(hf.Variable(1.0), hf.ResourceVariable)
            assert isinstance(hf.get_variable("a", []), hf.ResourceVariable)
            assert not isinstance(hf.Variable(1.0, use_resource=False), hf.ResourceVariable)
            with hf.variable_scope("s", use_resource=False):
                assert not isinstance(hf.get_variable("b", []), hf.ResourceVariable)
        finally:
            hf.disable_resource_variables()
        assert not isinstance(hf.get_variable("c", []), hf.ResourceVariable)
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        assert isinstance(hf.Variable(1.0, use_resource=False), hf.ResourceVariable)


@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
def test_variables_of_several_machines(mode):
    on_read, on_write = (
        hf.VariableSynchronization.ON_READ,
        hf.VariableSynchronization.ON_WRITE,
    )
    with hf.Graph().as_default(), mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable(
            "v", [], synchronization=on_write, aggregation=hf.VariableAggregation.MEAN
        )
        assert v.trainable
        assert hf.get_variable("t", [], trainable=None).trainable
        assert not hf.get_variable("u", [], trainable=None, synchronization=on_read).trainable
        assert not hf.Variable(1.0, trainable=None, synchronization=on_read).trainable
        before = {x.name for x in hf.global_variables()}
        with pytest.raises(ValueError, match="ON_READ only for non-trainable"):
            hf.get_variable("w", [], trainable=True, synchronization=on_read)
        with pytest.raises(ValueError, match="Invalid variable aggregation mode: 'sum'"):
            hf.get_variable("w", [], aggregation="sum")
        with pytest.raises(ValueError, match="Invalid variable synchronization mode: 3"):
            hf.Variable(1.0, synchronization=3)
        assert {x.name for x in hf.global_variables()} == before


def test_getters_may_pass_on_what_1_15_has():
    def getter(get, name, *args, **kwargs):
        return get(
            name,
            *args,
            synchronization=hf.VariableSynchronization.AUTO,
            aggregation=hf.VariableAggregation.NONE,
            **kwargs,
        )

    with hf.Graph().as_default(), hf.variable_scope("s", custom_getter=getter):
        assert hf.get_variable("v", [2]).trainable
        assert not hf.get_variable("w", [2], trainable=False).trainable
