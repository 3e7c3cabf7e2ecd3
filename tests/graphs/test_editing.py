"""Graphs that are edited: what sessions have planned is planned anew, copies compute alike."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

ge = hf.contrib.graph_editor


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_plans_are_made_anew(session):
    x = hf.placeholder(hf.float32, [3])
    one, two = x + 1.0, x * 2.0
    y = hf.exp(one)
    call = session.make_callable(y, [x])
    feed = np.float32([1.0, 2.0, 3.0])
    for _ in range(3):
        np.testing.assert_allclose(session.run(y, {x: feed}), np.exp(feed + 1), 1e-6)
        np.testing.assert_allclose(call(feed), np.exp(feed + 1), 1e-6)
    assert ge.reroute_ts([two], [one]) == 1
    for _ in range(3):
        np.testing.assert_allclose(session.run(y, {x: feed}), np.exp(feed * 2), 1e-6)
        np.testing.assert_allclose(session.run([y], {x: feed})[0], np.exp(feed * 2), 1e-6)
        np.testing.assert_allclose(call(feed), np.exp(feed * 2), 1e-6)
    assert [op.name for op in one.consumers()] == []
    assert two.consumers() == [y.op]


def test_what_came_later_may_come_before(session):
    """An operation may use one that was made after it; gradients and files know."""
    x = hf.constant(3.0, name="x")
    y = hf.square(x, name="y")
    z = hf.negative(y, name="z")
    later = hf.multiply(x, 5.0, name="later")
    ge.reroute_ts(later, x, can_modify=y.op)
    assert session.run(z) == -225.0
    assert session.run(hf.gradients(z, x)) == [-2 * 25 * 3.0]
    names = [op.name for op in session.graph.get_operations()]
    assert names.index("later") < names.index("y")
    written = session.graph.as_graph_def()
    with hf.Graph().as_default(), hf.Session() as other:
        hf.import_graph_def(written, name="")
        assert other.run("z:0") == -225.0


def test_an_operation_does_not_need_itself(session):
    x = hf.constant(3.0)
    y = hf.square(x)
    z = hf.negative(y)
    with pytest.raises(ValueError, match="need its own result"):
        ge.reroute_ts(z, x)
    with pytest.raises(ValueError, match="need its own result"):
        ge.add_control_inputs(y.op, z.op)
    assert session.run(z) == -9.0
    assert x.consumers() == [y.op]
    assert y.op.control_inputs == []


def test_what_does_not_fit_is_refused(session):
    x, y = hf.constant(1.0), hf.constant(1)
    z = x + 1.0
    with pytest.raises(TypeError, match="does not fit"):
        ge.reroute_ts(y, x)
    with pytest.raises(ValueError, match="as many tensors"):
        ge.reroute_ts([x, x], [z])
    with hf.Graph().as_default():
        other = hf.constant(2.0)
    with pytest.raises(ValueError, match="does not belong"):
        ge.reroute_ts(other, x)
    ge.add_control_inputs(z.op, y.op)
    with pytest.raises(ValueError, match="waits for"):
        ge.add_control_inputs(z.op, y.op)
    ge.remove_control_inputs(z.op, y.op)
    with pytest.raises(ValueError, match="does not wait"):
        ge.remove_control_inputs(z.op, y.op)
    session.graph.finalize()
    with pytest.raises(RuntimeError, match="finalized"):
        ge.add_control_inputs(z.op, y.op)


def test_loops_are_left_alone(session):
    x, other = hf.constant(2.0), hf.constant(3.0)
    start = hf.constant(1.0)
    y = hf.while_loop(lambda v: v < 10.0, lambda v: v * x, [start])
    assert session.run(y) == 16.0
    with pytest.raises(ValueError, match="loops"):
        ge.reroute_ts(other, x)
    with pytest.raises(ValueError, match="cannot be copied"):
        ge.copy([op for op in session.graph.get_operations() if op.bodies])
    ge.reroute_ts(other, start)
    assert session.run(y) == 12.0


def test_control_inputs_are_waited_for(session):
    v = hf.Variable(1.0, use_resource=True)
    session.run(v.initializer)
    write = v.assign_add(1.0)
    y = hf.no_op()
    session.run(y)
    assert session.run(v) == 1.0
    ge.add_control_inputs(y, write.op)
    session.run(y)
    assert session.run(v) == 2.0
    ge.remove_control_inputs(y, write.op)
    session.run(y)
    assert session.run(v) == 2.0


def test_copies_compute_alike(session):
    x = hf.placeholder(hf.float32, [None, 3])
    w = hf.get_variable("layer/w", initializer=np.eye(3, 2, dtype=np.float32))
    with hf.name_scope("layer"):
        y = hf.nn.relu(hf.matmul(x, w), name="y")
    session.run(w.initializer)
    other = hf.constant([[1.0, 2.0, 3.0]])
    view, info = ge.copy_with_input_replacements(
        ge.sgv("^layer/(MatMul|y)", graph=session.graph), {x: other}, dst_scope="twice",
        src_scope="layer",
    )  # fmt: skip
    assert [op.name for op in view.ops] == ["twice/MatMul", "twice/y"]
    assert session.run(info.transformed(y)).tolist() == [[1.0, 2.0]]
    assert info.original(view.ops[1]) is y.op
    assert info.transformed(x) is other
    grads = hf.gradients(info.transformed(y), w)
    assert session.run(grads)[0].sum() == 12.0
    # In another graph all that comes from outside is a placeholder.
    with hf.Graph().as_default() as graph:
        pass
    view, info = ge.copy(ge.sgv_scope("layer", session.graph), graph)
    with hf.Session(graph=graph) as there:
        feeds = {info.transformed(x): [[1.0, 2.0, 3.0]]}
        there.run(info.transformed(w.initializer))
        assert there.run(info.transformed(y), feeds).tolist() == [[1.0, 2.0]]


def test_replaced_tensors(session):
    x, y = hf.constant(4.0), hf.constant(2.0)
    total = hf.sqrt(x) + y
    apart = y * 3.0
    new, same = ge.graph_replace([total, apart], {x: hf.constant(9.0)})
    assert session.run([total, new]) == [4.0, 5.0]
    assert same is apart
    with pytest.raises(ValueError, match="not connected"):
        ge.graph_replace(apart, {x: y})


def test_views(session):
    with hf.name_scope("a"):
        x = hf.constant(4.0, name="x")
        y = hf.sqrt(x, name="y")
        z = hf.add(y, y, name="z")
    hf.negative(y, name="out")
    view = ge.sgv([y.op, z.op])
    assert view.inputs == [x]
    assert [t.op.name for t in view.outputs] == ["a/y", "a/z"]
    assert [op.name for op in view.consumers()] == ["out"]
    assert view.remap_outputs([1]).outputs == [z]
    assert view.remap_outputs_to_consumers().outputs == [y]
    assert view.remap_outputs([0, 0, 1]).remap_outputs_make_unique().outputs == [y, z]
    assert view.remap_outputs([0]).remove_unused_ops().ops == [y.op]
    assert view.remap([0], [z]).remap_default().outputs == [y, z]
    assert view.find_op_by_name("a/z") is z.op
    assert view.output_index(z) == 1
    assert ge.sgv(x).passthroughs == [x]
    assert ge.sgv_scope("a", session.graph).ops == [x.op, y.op, z.op]
    assert not ge.SubGraphView()
    with pytest.raises(ValueError, match="not found"):
        view.find_op_by_name("b")
    with pytest.raises(ValueError, match="keyword argument 'graph'"):
        ge.select_ops("a")


def test_walks(session):
    a = hf.constant(1.0, name="a")
    b = hf.sqrt(a, name="b")
    c = hf.sqrt(b, name="c")
    d = hf.add(a, 1.0, name="d")
    with hf.control_dependencies([c]):
        e = hf.identity(d, name="e")

    def names(ops):
        return [op.name for op in ops]

    assert names(ge.get_forward_walk_ops(a.op, inclusive=False)) == ["b", "d", "c", "e"]
    assert names(ge.get_forward_walk_ops(a.op, stop_at_ts=[a])) == ["a"]
    assert names(ge.get_forward_walk_ops(a)) == ["b", "d", "c", "e"]
    controls = ge.ControlOutputs(session.graph)
    assert names(ge.get_forward_walk_ops(c.op, control_outputs=controls)) == ["c", "e"]
    assert set(names(ge.get_backward_walk_ops(e.op))) == {"e", "d", "a", "d/y"}
    assert set(names(ge.get_backward_walk_ops(e.op, control_inputs=True))) >= {"c", "b"}
    within = [a.op, b.op]
    assert names(ge.get_forward_walk_ops(a.op, within_ops=within)) == ["a", "b"]
    assert names(ge.get_forward_walk_ops(a.op, within_ops_fn=lambda op: op is not d.op)) == [
        *("a", "b", "c"),
    ]
    found = ge.get_within_boundary_ops(session.graph, b.op, [a.op])
    assert set(names(found)) == {"a", "b", "c"}
    with pytest.raises(ValueError, match="intersecting"):
        ge.get_within_boundary_ops(session.graph, b.op, [b.op])


def test_gradients_by_recomputing(session):
    """As libraries do that keep some activations and compute the others once more."""
    x = hf.constant(np.sin(np.arange(12.0)).reshape(4, 3).astype(np.float32))
    w = [hf.constant(np.cos(np.arange(9.0) + i).reshape(3, 3), hf.float32) for i in range(4)]
    layers = [x]
    for each in w:
        layers.append(hf.tanh(hf.matmul(layers[-1], each)))
    loss = hf.reduce_sum(layers[-1])
    plain = hf.gradients(loss, w)
    kept = layers[2]
    stopped = hf.stop_gradient(kept)
    upper = ge.get_backward_walk_ops(loss.op, stop_at_ts=[kept])
    upper = [op for op in upper if op.type != "Const"]
    _, info = ge.copy_with_input_replacements(ge.sgv(upper), {})
    copied = list(info._transformed_ops.values())
    ge.reroute_ts([stopped], [kept], can_modify=copied)
    above = hf.gradients(info.transformed(loss), [stopped, *w[2:]])
    lower = [layers[1].op, kept.op, layers[1].op.inputs[0].op, kept.op.inputs[0].op]
    _, info = ge.copy_with_input_replacements(ge.sgv(lower), {})
    for op in info._transformed_ops.values():
        ge.add_control_inputs(op, above[0].op)
    below = hf.gradients(info.transformed(kept), w[:2], grad_ys=above[0])
    for _ in range(3):
        wanted, got = session.run([plain, [*below, *above[1:]]])
        for one, two in zip(wanted, got, strict=True):
            np.testing.assert_allclose(two, one, 1e-5, 1e-6)
