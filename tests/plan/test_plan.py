"""Plans: what is run once, what is kept how long, what happens when an op fails."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan.planning import Kernels, build


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


def plan_of(tensors, operations=(), feeds=()):
    return build(list(tensors), list(operations), list(feeds), Kernels())


# -- instructions ----------------------------------------------------------------------------------


def test_constants_are_no_instructions(graph):
    a = hf.constant([1.0, 2.0])
    plan = plan_of([a, a + a, a])
    assert [step.op.type for step in plan.instructions] == ["Add"]
    assert plan.fetches[0] == plan.fetches[2]
    values = plan.run([])
    assert [v.tolist() for v in values] == [[1, 2], [2, 4], [1, 2]]
    assert values[0] is a.op.attrs["value"]


def test_an_op_runs_once_however_often_it_is_used(graph):
    calls = []

    def count():
        calls.append(1)
        return np.float32(len(calls))

    x = hf.py_func(count, [], hf.float32)
    y = x + x
    assert hf.Session().run([x, y, x, x.op, [y * x]]) == [1, 2, 1, None, [2]]
    assert calls == [1]


def test_a_stateful_op_is_made_once_a_session_and_goes_on(graph):
    x = hf.random_uniform([3], seed=1)
    y = x + 0.0
    one, two = hf.Session(), hf.Session()
    first, second = one.run(x), one.run(y)
    assert first.tolist() != second.tolist()
    # Another session starts over, and its plans share one stream too.
    assert two.run(y).tolist() == first.tolist()
    assert two.run([x, y])[0].tolist() == second.tolist()
    a, b = one.run([x, y])
    assert a.tolist() == b.tolist()


def test_ops_that_merely_look_alike_both_run(graph):
    calls = []
    ops = [hf.py_func(lambda: calls.append(1) or np.float32(0), [], hf.float32) for _ in range(3)]
    hf.Session().run(ops)
    assert len(calls) == 3


def test_fed_tensors_are_not_computed(graph):
    x = hf.placeholder(hf.float32, [])
    y = hf.negative(x)
    z = hf.negative(y)
    plan = plan_of([z, y], feeds=[y])
    assert [step.op for step in plan.instructions] == [z.op]
    assert plan.run([np.float32(3)]) == [-3, 3]
    first, second = hf.unstack(hf.stack([1.0, 2.0]))
    # One output fed, the other computed: the fed one keeps what was fed.
    assert hf.Session().run([first, second], {first: 9.0}) == [9, 2]


def test_attributes_that_the_record_does_not_know_are_not_passed_on(graph):
    a = hf.constant([1.0])
    with hf.colocate_with(a):
        b = hf.identity(a)
    assert b.op.get_attr("_class") == [b"loc:@Const"]
    assert hf.Session().run(b).tolist() == [1]


# -- liveness --------------------------------------------------------------------------------------


def test_each_buffer_is_released_after_its_last_use(graph):
    x = hf.placeholder(hf.float32, [4])
    c = hf.constant([1.0] * 4)
    a = x + c
    b = a * a
    d = b - a
    e = hf.negative(d)
    plan = plan_of([e, b], feeds=[x])
    last = {}
    for position, step in enumerate(plan.instructions):
        for slot in (*step.inputs, *step.outputs):
            last[slot] = position
    kept = {*plan.fetches, *plan.feeds, *_constants(plan)}
    released = {}
    for position, step in enumerate(plan.instructions):
        for slot in step.release:
            assert slot not in released
            released[slot] = position
    assert released == {slot: position for slot, position in last.items() if slot not in kept}
    assert len(released) == 2


def _constants(plan):
    return [i for i, value in enumerate(plan.template) if value is not None]


def test_an_output_that_nobody_uses_is_released_at_once(graph):
    first, _ = hf.unstack(hf.stack([1.0, 2.0]))
    plan = plan_of([first])
    unpack = plan.instructions[-1]
    assert unpack.op.type == "Unpack"
    assert unpack.outputs[1] in unpack.release
    assert unpack.outputs[0] not in unpack.release


def test_memory_in_use_stays_small(graph):
    alive = []

    def make(previous):
        array = np.zeros(1000, np.float32)
        alive.append(weakref.ref(array))
        gc.collect()
        counts.append(sum(r() is not None for r in alive))
        return array

    counts = []
    x = hf.constant(0.0)
    for _ in range(8):
        x = hf.py_func(make, [x], hf.float32)
    hf.Session().run(hf.reduce_sum(x))
    assert len(counts) == 8
    assert max(counts) <= 2


def test_a_run_leaves_nothing_in_the_plan(graph):
    x = hf.placeholder(hf.float32, [None])
    plan = plan_of([x + 1.0], feeds=[x])
    before = list(plan.template)
    plan.run([np.zeros(3, np.float32)])
    assert all(a is b for a, b in zip(before, plan.template, strict=True))


# -- values that must not change -------------------------------------------------------------------


@pytest.mark.parametrize("resource", [False, True])
def test_a_value_that_was_read_stays_when_the_variable_is_written(graph, resource):
    v = hf.get_variable("v", initializer=[1.0, 2.0], use_resource=resource)
    before = v.read_value()
    alias = hf.reshape(before, [2, 1])
    with hf.control_dependencies([before]):
        write = v.assign_add([10.0, 10.0])
    with hf.control_dependencies([write]):
        late = hf.identity(alias)
        after = v.read_value()
    with hf.Session() as sess:
        sess.run(v.initializer)
        first, second, third, fourth = sess.run([before, alias, late, after])
    assert (first.tolist(), second.tolist(), third.tolist()) == ([1, 2], [[1], [2]], [[1], [2]])
    assert fourth.tolist() == [11, 12]


@pytest.mark.parametrize("resource", [False, True])
def test_rows_written_in_place_do_not_show_in_what_was_read(graph, resource):
    v = hf.get_variable("v", initializer=[[1.0], [2.0]], use_resource=resource)
    before = v.read_value()
    rows = hf.IndexedSlices(hf.constant([[5.0], [5.0]]), hf.constant([0, 0]))
    with hf.control_dependencies([before]):
        write = v.scatter_sub(rows)
    with hf.Session() as sess:
        sess.run(v.initializer)
        initial = sess.run(v)
        value, _ = sess.run([before, write])
        assert value.tolist() == initial.tolist() == [[1], [2]]
        assert sess.run(v).tolist() == [[-9], [2]]


def test_a_fed_array_assigned_to_a_variable_is_the_variables_own(graph):
    x = hf.placeholder(hf.float32, [2])
    v = hf.get_variable("v", [2])
    assign = v.assign(x)
    array = np.array([1, 2], np.float32)
    with hf.Session() as sess:
        given = sess.run(assign, {x: array})
        array[:] = 7
        if given is not None:
            given[:] = 8
        fetched = sess.run(v)
        fetched[:] = 9
        assert sess.run(v).tolist() == [1, 2]


# -- failures --------------------------------------------------------------------------------------


def test_a_placeholder_that_is_not_fed_is_named(graph):
    x = hf.placeholder(hf.float32, [None, 3], name="inputs/x")
    y = x + 1.0
    with pytest.raises(
        hf.errors.InvalidArgumentError,
        match=r"must feed a value for placeholder tensor 'inputs/x' with dtype float and shape "
        r"\[\?,3\].*feed_dict=\{inputs/x: value\}",
    ) as caught:
        plan_of([y])
    assert caught.value.op is x.op
    assert __file__ in str(caught.value)


def test_an_op_that_fails_is_named_with_the_users_line(graph):
    x = hf.placeholder(hf.float32, [None], name="x")
    y = hf.placeholder(hf.float32, [None], name="y")
    z = hf.add(x, y, name="total")  # the user's line
    with pytest.raises(hf.errors.InvalidArgumentError) as caught:
        plan_of([z], feeds=[x, y]).run([np.zeros(2, np.float32), np.zeros(3, np.float32)])
    text = str(caught.value)
    assert "'total'" in text
    assert "[2], [3]" in text
    assert 'hf.add(x, y, name="total")  # the user\'s line' in text
    assert caught.value.op is z.op
    assert caught.value.node_def.name == "total"


def test_errors_of_data_keep_their_class(graph):
    i = hf.placeholder(hf.int32, [])
    x = hf.gather(hf.constant([1.0, 2.0]), i, name="pick")
    with hf.Session() as sess:
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"5 is not in \[0, 2\)"):
            sess.run(x, {i: 5})
        # The session goes on.
        assert sess.run(x, {i: 1}) == 2


def test_an_exception_of_the_users_python_function_comes_out(graph):
    class Mine(Exception):
        pass

    def fail():
        raise Mine("mine")

    x = hf.py_func(fail, [], hf.float32)
    with pytest.raises((Mine, hf.errors.UnknownError), match="mine"):
        hf.Session().run(x)


def test_a_failed_run_changes_no_numpy_settings(graph):
    x = hf.placeholder(hf.float32, [None])
    with np.errstate(divide="raise"):
        with hf.Session() as sess, pytest.raises(ValueError, match="Incompatible shapes"):
            sess.run(hf.add(x, [1.0, 2.0]), {x: [1.0, 2.0, 3.0]})
        assert np.geterr()["divide"] == "raise"
    with np.errstate(all="raise"), hf.Session() as sess:
        assert np.isinf(sess.run(hf.log(x), {x: [0.0]}))[0]


# -- large graphs ----------------------------------------------------------------------------------


def test_a_chain_of_100_000_ops(graph):
    one = hf.constant(1.0)
    x = hf.placeholder(hf.float32, [])
    y = x
    for _ in range(100_000):
        y = hf.add(y, one)
    with hf.Session() as sess:
        assert sess.run(y, {x: 5.0}) == 100_005
    assert len(graph.get_operations()) == 100_002


def test_a_long_chain_of_writes_and_reads(graph):
    v = hf.get_variable("v", initializer=0.0, use_resource=True)
    last = hf.no_op()
    for _ in range(3000):
        with hf.control_dependencies([last]):
            last = v.assign_add(1.0)
    with hf.control_dependencies([last]):
        end = v.read_value()
    with hf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run([v.value(), end]) == [0, 3000]


def test_a_wide_graph(graph):
    x = hf.constant(1.0)
    total = hf.add_n([x * float(i) for i in range(5000)])
    assert hf.Session().run(total) == pytest.approx(12_497_500)


def test_a_graph_is_freed():
    with hf.Graph().as_default() as g, hf.Session() as sess:
        x = hf.constant(1.0)
        for _ in range(2000):
            x = x + 1.0
        sess.run(x)
    watch = weakref.ref(g)
    del g, x, sess
    gc.collect()
    assert watch() is None
