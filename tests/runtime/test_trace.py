"""Traced runs: what `RunMetadata` is told, and the file for chrome://tracing."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from hybridflow._src.runtime.trace import Timeline
from tests import native
from tests.plan.sessions import program_of

FULL = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def m():
    """A session, a placeholder, and ops of a training step."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, 3], name="x")
        w = hf.get_variable("w", initializer=np.ones([3, 2], np.float32))
        loss = hf.reduce_sum(hf.square(hf.tanh(hf.matmul(x, w))), name="loss")
        count, _ = hf.unique(hf.cast(hf.reshape(x, [-1]), hf.int32), name="distinct")
        train = hf.train.GradientDescentOptimizer(0.1).minimize(loss)
        session.run(hf.global_variables_initializer())
        yield SimpleNamespace(session=session, x=x, w=w, loss=loss, count=count, train=train)


def traced(session, fetches, feed):
    metadata = hf.RunMetadata()
    before = time.time()
    result = session.run(fetches, feed, options=FULL, run_metadata=metadata)
    (device,) = metadata.step_stats.dev_stats
    assert device.device.endswith("CPU:0")
    for node in device.node_stats:
        assert before - 1 < node.all_start_micros / 1e6 < time.time() + 1
        assert node.op_start_rel_micros == 0
        assert 0 <= node.op_end_rel_micros <= node.all_end_rel_micros < 60e6
    return result, device.node_stats, metadata


def test_a_run_of_the_interpreter_has_a_node_for_each_op(m):
    value, nodes, _ = traced(m.session, [m.loss, m.count], {m.x: X})
    names = [node.node_name for node in nodes]
    assert set(names) >= {"loss", "distinct", "MatMul", "Tanh"}
    assert {node.thread_id for node in nodes} == {0}
    assert value[0] == pytest.approx(np.square(np.tanh(X @ np.ones((3, 2)))).sum(), rel=1e-5)
    starts = [node.all_start_micros for node in nodes]
    assert starts == sorted(starts)


def test_a_native_run_has_a_node_for_each_step(m):
    fetches = [m.loss, m.count, m.train]
    program = program_of(m.session, fetches, {m.x: X})
    before = m.session.run(m.w)
    (value, *_), nodes, _ = traced(m.session, fetches, {m.x: X})
    assert len(nodes) == len(program.steps)
    labels = [node.timeline_label for node in nodes]
    assert sum("NumPy: Unique" in label for label in labels) == 1
    assert any(label.startswith("MatMul = product_f32") for label in labels)
    named = {name for label in labels for name in label.split(" = ")[0].split(", ")}
    assert {"MatMul", "Tanh", "loss", "distinct"} <= named
    # It was a run like any other: the step was taken once.
    assert value == pytest.approx(np.square(np.tanh(X @ before)).sum(), rel=1e-5)
    after = m.session.run(m.w)
    assert (after != before).all()
    assert m.session.run(m.loss, {m.x: X}) < value


def test_traced_runs_and_plain_ones_take_the_same_steps(m):
    found = []
    for is_traced in (False, True):
        session, losses = hf.Session(), []
        session.run(hf.global_variables_initializer())
        for number in range(8):
            if is_traced and number != 5:
                losses.append(traced(session, [m.loss, m.train], {m.x: X})[0][0])
            else:
                losses.append(session.run([m.loss, m.train], {m.x: X})[0])
            native.wait()
        found.append(losses)
    np.testing.assert_array_equal(*found)


def test_a_step_that_fails_while_it_is_traced_is_undone(m):
    with hf.control_dependencies([m.train]):
        check = hf.Assert(hf.reduce_sum(m.x) < 100.0, ["too much"])
    program_of(m.session, [m.train, check], {m.x: X})
    before = m.session.run(m.w)
    with pytest.raises(hf.errors.InvalidArgumentError, match="too much"):
        traced(m.session, [m.train, check], {m.x: X + 100})
    np.testing.assert_array_equal(m.session.run(m.w), before)
    traced(m.session, [m.train, check], {m.x: X})
    assert (m.session.run(m.w) != before).any()


def test_work_that_is_divided_shows_on_its_threads():
    config = hf.ConfigProto(intra_op_parallelism_threads=3)
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        x = hf.placeholder(hf.float32, [None])
        y = hf.sqrt(x, name="root")
        array = np.arange(900_000, dtype=np.float32)
        program_of(session, y, {x: array})
        value, nodes, _ = traced(session, y, {x: array})
        np.testing.assert_array_equal(value, np.sqrt(array))
        assert [node.node_name for node in nodes] == ["root"] * 3
        assert 1 <= len({node.thread_id for node in nodes}) <= 3


def test_results_are_the_callers_own(m):
    value = hf.identity(m.w)
    for _ in range(4):
        found, _, _ = traced(m.session, value, None)
        np.testing.assert_array_equal(found, np.ones((3, 2)))
        found[...] = 7
        native.wait()


@pytest.mark.parametrize("options", [None, hf.RunOptions(), FULL])
def test_what_is_asked_for_is_recorded(m, options):
    metadata = hf.RunMetadata()
    m.session.run(m.loss, {m.x: X}, options=options, run_metadata=metadata)
    assert metadata.HasField("step_stats") == (options is FULL)
    assert m.session.run(m.loss, {m.x: X}, options=options) > 0
    if options is not FULL:
        with pytest.raises(ValueError, match="FULL_TRACE"):
            metadata.chrome_trace()


def test_make_callable_takes_options(m):
    call = m.session.make_callable(m.loss, [m.x], accept_options=True)
    metadata = hf.RunMetadata()
    assert call(X, options=FULL, run_metadata=metadata) == m.session.run(m.loss, {m.x: X})
    assert metadata.step_stats.dev_stats[0].node_stats


def test_control_flow_is_one_node():
    with hf.Graph().as_default(), hf.Session() as session:
        loop = hf.while_loop(lambda i: i < 5, lambda i: i + 1, [0], name="loop")
        value, nodes, _ = traced(session, loop, None)
        assert value == 5
        assert [node.timeline_label for node in nodes].count("loop/While = NumPy: While") == 1


def test_the_file_for_chrome(m):
    program_of(m.session, [m.loss, m.train], {m.x: X})
    _, nodes, metadata = traced(m.session, [m.loss, m.train], {m.x: X})
    text = metadata.chrome_trace()
    assert text == Timeline(metadata.step_stats).generate_chrome_trace_format()
    events = json.loads(text)["traceEvents"]
    work = [event for event in events if event["ph"] == "X"]
    assert len(work) == len(nodes)
    for event in work:
        assert set(event) == {"ph", "name", "cat", "ts", "dur", "pid", "tid", "args"}
        assert event["dur"] >= 0
        assert event["name"] in event["args"]["ops"]
        assert event["args"]["kernel"]
    names = {event["name"] for event in events if event["ph"] == "M"}
    assert names == {"process_name", "thread_name"}


def test_metadata_as_a_message():
    metadata = hf.RunMetadata()
    assert not metadata.HasField("step_stats")
    device = metadata.step_stats.dev_stats.add(device="cpu")
    device.node_stats.add().node_name = "x"
    assert metadata.HasField("step_stats")
    read = messages.RunMetadata.FromString(metadata.SerializeToString())
    assert read.step_stats.dev_stats[0].node_stats[0].node_name == "x"
    # And back: programs keep what runs told in files.
    again = hf.RunMetadata.FromString(read.SerializeToString())
    assert again == metadata
    copy = hf.RunMetadata()
    copy.CopyFrom(read)
    copy.step_stats.dev_stats[0].node_stats.add(node_name="y")
    assert again.step_stats.dev_stats[0].node_stats[0].node_name == "x"
    assert again != copy
    with pytest.raises(messages.decode_error()):
        again.ParseFromString(b"\xff")
    with pytest.raises(ValueError, match="has no 'nothing' field"):
        metadata.HasField("nothing")


def test_what_ran_of_the_graph() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant(1.0, name="x")
        y = hf.square(x, name="y")
        hf.negative(x, name="other")
        options, metadata = hf.RunOptions(output_partition_graphs=True), hf.RunMetadata()
        session.run(y, options=options, run_metadata=metadata)
        (graph,) = metadata.partition_graphs
        assert [node.name for node in graph.node] == ["x", "y"]
        session.run(y, run_metadata=metadata)
        assert not metadata.partition_graphs
        session.make_callable(y.op, accept_options=True)(options=options, run_metadata=metadata)
        assert len(metadata.partition_graphs) == 1
