"""Which ops a run needs, and the order of reads and writes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.framework.registry import raw
from hybridflow._src.plan import effects, schedule
from hybridflow._src.plan.pruning import prune
from tests import native

NOTHING = frozenset()


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def variable(request, graph):
    """Makes variables of either kind."""

    def make(name="v", value=0.0):
        return hf.get_variable(name, initializer=value, use_resource=request.param)

    return make


def started(*variables):
    sess = hf.Session()
    sess.run([v.initializer for v in variables])
    return sess


# -- pruning ---------------------------------------------------------------------------------------


def test_only_what_is_needed_runs(graph):
    a, b = hf.constant(1.0), hf.constant(2.0)
    c = hf.add(a, b)
    hf.add(c, b)
    n = hf.no_op()
    with hf.control_dependencies([n]):
        d = hf.identity(a)
    assert prune([c], [], NOTHING) == [a.op, b.op, c.op]
    assert prune([d], [], NOTHING) == [a.op, n, d.op]
    assert prune([], [n], NOTHING) == [n]
    assert prune([d, c], [n], NOTHING) == [a.op, b.op, c.op, n, d.op]
    assert prune([], [], NOTHING) == []


def test_a_feed_cuts_off_what_lies_behind_it(graph):
    a = hf.placeholder(hf.float32, [])
    b = hf.negative(a)
    c = hf.negative(b)
    assert prune([c], [], frozenset([b])) == [c.op]
    assert prune([b], [], frozenset([b])) == []
    # An op told to run runs, though its output is fed.
    assert prune([c], [b.op], frozenset([b])) == [a.op, b.op, c.op]
    first, second = hf.unstack(hf.stack([a, a]))
    assert second.op in prune([second], [], frozenset([first]))


# -- the read-before-write rule --------------------------------------------------------------------


def test_a_read_gives_the_value_from_before_the_step(variable):
    v = variable()
    loss = v * 10.0
    train = v.assign_add(1.0)
    sess = started(v)
    assert [sess.run([loss, train])[0] for _ in range(3)] == [0, 10, 20]
    assert [sess.run([train, loss])[1] for _ in range(3)] == [30, 40, 50]
    assert sess.run([v, train, v])[::2] == [6, 6]
    assert sess.run(v) == 7


def test_a_read_made_after_the_write_does_not_see_it_either(variable):
    v = variable()
    train = v.assign_add(1.0)
    loss = v * 10.0
    sess = started(v)
    assert sess.run([loss, train])[0] == 0
    assert sess.run([loss, train])[0] == 10


def test_a_read_that_depends_on_a_write_sees_it(variable):
    v = variable()
    write = v.assign(5.0)
    with hf.control_dependencies([write]):
        after = v.read_value() * 1.0
    before = v * 1.0
    sess = started(v)
    assert sess.run([before, after]) == [0, 5]
    sess.run(v.initializer)
    assert sess.run([after, before]) == [5, 0]


def test_a_read_told_to_wait_for_something_else_is_still_from_before(variable):
    v, w = variable("v"), variable("w")
    with hf.control_dependencies([w.assign_add(1.0)]):
        read = v.read_value() * 1.0
        write = v.assign(7.0)
    sess = started(v, w)
    assert sess.run([read, write])[0] == 0
    assert sess.run([v, w]) == [7, 1]


def test_a_chain_of_writes_and_reads(variable):
    v = variable()
    seen = [v.read_value() * 1.0]
    last = None
    for step in range(1, 4):
        with hf.control_dependencies([] if last is None else [last]):
            write = v.assign_add(float(step))
        with hf.control_dependencies([write]):
            last = v.read_value() * 1.0
        seen.append(last)
    sess = started(v)
    assert sess.run(seen[::-1])[::-1] == [0, 1, 3, 6]


def test_a_write_of_what_was_read_and_a_swap(variable):
    a, b = variable("a", 1.0), variable("b", 2.0)
    swap = hf.group(a.assign(b.read_value()), b.assign(a.read_value()))
    sess = started(a, b)
    sess.run(swap)
    assert sess.run([a, b]) == [2, 1]
    sess.run(swap)
    assert sess.run([a, b]) == [1, 2]


def test_many_users_of_one_read_agree_though_a_write_lies_between(variable):
    v = variable()
    first = v * 1.0
    write = v.assign_add(1.0)
    with hf.control_dependencies([write]):
        second = first + v.value()
    sess = started(v)
    for step in range(3):
        one, two = sess.run([first, second])
        assert one == step
        assert two in (2 * step, 2 * step + 1)


def test_writes_without_a_dependency_run_in_the_order_in_which_they_were_made(variable):
    v = variable()
    writes = [v.assign(float(i)) for i in range(5)]
    sess = started(v)
    for fetches in (writes, writes[::-1]):
        sess.run(v.initializer)
        sess.run(fetches)
        assert sess.run(v) == 4


def test_a_read_inside_a_branch_happens_when_the_branch_runs(graph):
    v = hf.get_variable("v", initializer=0.0, use_resource=True)
    write = v.assign_add(1.0)
    branch = hf.cond(hf.constant(True), lambda: v * 10.0, lambda: v * 20.0)
    with hf.control_dependencies([write]):
        after = hf.cond(hf.constant(True), lambda: v * 10.0, lambda: v * 20.0)
    sess = started(v)
    assert sess.run([branch, after]) == [0, 10]


def test_everything_that_can_run_before_a_write_does(variable):
    v = variable()
    write = v.assign(1.0)
    x = hf.constant(2.0)
    y = x * v.read_value()
    needed = prune([y], [write.op if hasattr(write, "op") else write], NOTHING)
    ordered = schedule.order(needed, NOTHING)
    assert sorted(ordered, key=lambda op: op._id) == needed
    written = next(op for op in ordered if effects.effects_of(op).writes)
    assert ordered.index(y.op) < ordered.index(written)
    for op in ordered[ordered.index(written) + 1 :]:
        assert written in prune([], [op], NOTHING)


# -- reads that are no copies: what TensorFlow 1.4 and 1.15 give -----------------------------------


def writes_of(v):
    sgd = hf.train.GradientDescentOptimizer(1.0)
    return {
        "assign": lambda: v.assign(7.0),
        "computed": lambda: v.assign(v * 2.0 + 3.0),
        "add": lambda: v.assign_add(1.0),
        "train": lambda: sgd.minimize(v * v + v),
    }


@pytest.mark.parametrize(
    ("kind", "after"), [("assign", 7), ("computed", 3), ("add", 1), ("train", -1)]
)
def test_who_waits_for_a_write_sees_it(variable, kind, after):
    v = variable()
    with hf.control_dependencies([writes_of(v)[kind]()]):
        late = [hf.identity(v), v + 10.0, v.read_value(), hf.reduce_sum(v * v)]
    wanted = [after, after + 10, after, after * after]
    sess = started(v)
    for _ in range(4):  # interpreted, then natively
        sess.run(v.initializer)
        assert sess.run([*late, v * 3.0]) == [*wanted, 0]
        native.wait()


def test_a_moving_average_of_what_was_just_trained(variable):
    v = variable(value=4.0)
    average = hf.train.ExponentialMovingAverage(0.5)
    with hf.control_dependencies([v.assign(8.0)]):
        step = average.apply([v])
    sess = started(v)
    sess.run(hf.global_variables_initializer())
    sess.run(step)
    assert sess.run(average.average(v)) == 6


def test_a_loop_sees_what_its_turns_write(variable):
    a, b = variable("a"), variable("b")

    def body(i):
        with hf.control_dependencies([a.assign_add(1.0)]):
            total = b.assign_add(a)
        with hf.control_dependencies([total]):
            return i + 1.0

    by_counter = hf.while_loop(lambda i: i < 10.0, body, [0.0])
    by_variable = hf.while_loop(lambda i: a < 5.0, body, [0.0])
    sess = started(a, b)
    for loop, turns in ((by_counter, 10), (by_variable, 5)):
        for _ in range(3):
            sess.run([a.initializer, b.initializer])
            assert sess.run(loop) == turns
            assert sess.run([a, b]) == [turns, turns * (turns + 1) / 2]
            native.wait()


def test_a_branch_inside_a_loop_squares_what_the_last_turn_left(variable):
    v = variable(value=2.0)

    def body(i):
        squared = hf.cond(hf.constant(True), lambda: v.assign(hf.square(v)), lambda: v + 0.0)
        with hf.control_dependencies([squared]):
            return i + 1

    loop = hf.while_loop(lambda i: i < 4, body, [0])
    sess = started(v)
    assert sess.run(loop) == 4
    assert sess.run(v) == 65536


@pytest.mark.parametrize("is_resource", [False, True])
@pytest.mark.parametrize("how", ["value", "identity", "twice", "sum"])
def test_the_identity_of_a_read_is_no_copy_in_loops_either(graph, how, is_resource):
    """What TensorFlow 1.15 gives, where a resource's identity is one."""
    v = hf.get_variable("v", initializer=3.0, use_resource=is_resource)
    ways = {
        "value": lambda: v.value(),
        "identity": lambda: hf.identity(v),
        "twice": lambda: hf.identity(hf.identity(v)),
        "sum": lambda: v + 0.0,
    }
    old = ways[how]()

    def body(i, _):
        with hf.control_dependencies([v.assign_add(1.0)]):
            return i + 1, old * 10.0

    with hf.control_dependencies([old]):
        loop = hf.while_loop(lambda i, _: i < 3, body, [0, 0.0])
    copies = is_resource or how == "sum"
    sess = started(v)
    for _ in range(4):
        sess.run(v.initializer)
        assert sess.run(loop[1]) == (30.0 if copies else 60.0)
        sess.run(v.initializer)
        assert sess.run(loop[1], {old: 1.0}) == 10.0
        native.wait()


def test_a_read_that_is_fed_is_what_it_is_fed_with(graph):
    v = hf.get_variable("v", initializer=1.0, use_resource=False)

    def written():
        with hf.control_dependencies([v.assign_add(1.0)]):
            return v * 10.0

    with hf.control_dependencies([v.assign_add(1.0)]):
        late = v * 10.0
    branch = hf.cond(hf.constant(True), written, lambda: 0.0)
    sess = started(v)
    assert sess.run([late, branch], {v.value(): 100.0}) == [1000, 1000]
    assert sess.run(v) == 3
    assert sess.run(late) == 40
    assert sess.run(branch) == 50


# -- effects ---------------------------------------------------------------------------------------


def test_effects(graph):
    v = hf.get_variable("v", initializer=1.0, use_resource=True)
    r = hf.get_variable("r", initializer=1.0, use_resource=False)
    read = v.read_value().op
    assert {op.name for op in effects.effects_of(_source(read)).reads} == {"v"}
    assert effects.effects_of(hf.constant(1.0).op) == effects.NONE
    assert effects.effects_of(r.op) == effects.NONE
    assign = r.assign(2.0).op
    assert {op.name for op in effects.effects_of(assign).writes} == {"r"}
    assert not effects.effects_of(assign).reads
    chained = raw.AssignAdd(r.assign(1.0), 2.0).op
    assert {op.name for op in effects.effects_of(chained).writes} == {"r"}
    reference = graph.get_tensor_by_name("r:0")
    cond = hf.cond(hf.constant(True), lambda: v.assign(3.0), lambda: hf.identity(reference))
    found = effects.effects_of(next(op for op in graph.get_operations() if op.bodies))
    assert cond.op.type == "Identity"
    assert {op.name for op in found.writes} == {"v"}
    assert "r" in {op.name for op in found.reads}


def _source(op):
    while op.type != "ReadVariableOp":
        op = op.inputs[0].op
    return op


def test_references_are_read_where_they_are_used(graph):
    r = hf.get_variable("r", initializer=1.0, use_resource=False)
    more = hf.add(graph.get_tensor_by_name("r:0"), 1.0)
    write = r.assign(5.0)
    with hf.control_dependencies([write]):
        late = hf.identity(graph.get_tensor_by_name("r:0"))
    sess = started(r)
    assert sess.run([more, late]) == [2, 5]


# -- orders of any program -------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(["read", "add", "assign", "sum"]),
        st.integers(0, 1),
        st.lists(st.integers(0, 30), max_size=3),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.booleans())
def test_any_program_runs_as_the_rules_say(program, resource):
    """Compares a run with a slow model of the rules.

    The model takes the plan's order and checks that it keeps every dependency, and that each read
    is given the value from before all writes, or after the ones that it depends on.
    """
    with hf.Graph().as_default():
        variables = [
            hf.get_variable(f"v{i}", initializer=float(i), use_resource=resource) for i in range(2)
        ]
        made = []
        for kind, which, waits in program:
            v = variables[which]
            before = [made[w % len(made)] for w in waits] if made else []
            with hf.control_dependencies([t.op if hasattr(t, "op") else t for t in before]):
                if kind == "read":
                    made.append(v.read_value())
                elif kind == "add":
                    made.append(v.assign_add(1.0))
                elif kind == "assign":
                    made.append(v.assign(10.0 * len(made)))
                else:
                    made.append(hf.add(variables[0].read_value(), variables[1].read_value()))
        targets = [t.op if hasattr(t, "op") else t for t in made]
        needed = prune([], targets, NOTHING)
        ordered = schedule.order(needed, NOTHING)
        position = {op: i for i, op in enumerate(ordered)}
        assert len(position) == len(needed)
        before = {}
        for op in needed:
            behind = set()
            for other in [*[t.op for t in op.inputs], *op.control_inputs]:
                behind |= {other, *before[other]}
            before[op] = behind
        for op in ordered:
            for other in [t.op for t in op.inputs]:
                assert position[other] < position[op]
            own = effects.effects_of(op)
            for other in op.control_inputs:
                moved = effects.is_pure_read(op) and not _writes(before[op], own.reads)
                assert moved or position[other] < position[op]
            if effects.is_pure_read(op):
                writes = {o for o in needed if effects.effects_of(o).writes & own.reads}
                seen = {o for o in writes if position[o] < position[op]}
                depends = before[op] & writes
                if depends:
                    assert depends <= seen
                else:
                    assert not seen


def _writes(ops, variables):
    return any(effects.effects_of(op).writes & variables for op in ops)


def test_nothing_waits_for_what_is_fed():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [])
        halves = hf.placeholder(hf.float32, []) / 2.0
        with hf.control_dependencies([x, halves]):
            y = hf.constant(1.0) + 1.0
        assert session.run(y, {x: 3.0, halves: 1.0}) == 2
        with pytest.raises(hf.errors.InvalidArgumentError, match="You must feed a value"):
            session.run(y, {x: 3.0})
