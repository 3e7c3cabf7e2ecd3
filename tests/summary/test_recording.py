"""`contrib.summary`: summaries written where they are made, the same in all executions."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest

import hybridflow as hf

summary = hf.contrib.summary


def events(folder):
    """The events of the only file of a folder, without the first, which says its version."""
    [name] = os.listdir(folder)
    return list(hf.train.summary_iterator(os.path.join(folder, name)))[1:]


def tags(folder):
    return [(event.step, value.tag) for event in events(folder) for value in event.summary.value]


@pytest.fixture(params=["eager", "function", "graph"])
def recorded(request, tmp_path):
    """Writes what a function writes, once for each of the feeds: see `record`."""
    folder = str(tmp_path / "run")

    def record(body, feeds=(0.0,), **writer_args):
        """Calls `body` with a tensor and the global step, which is the number of the call."""
        if request.param == "graph":
            with hf.Graph().as_default(), hf.Session() as session:
                step = hf.train.get_or_create_global_step()
                x = hf.placeholder(hf.float32, [])
                with summary.create_file_writer(folder, **writer_args).as_default():
                    body(x)
                    summary.initialize()
                    session.run(step.initializer)
                    for value in feeds:
                        session.run(summary.all_summary_ops(), {x: value})
                        session.run(step.assign_add(1))
                    session.run(summary.flush())
            return folder
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            step = hf.train.get_or_create_global_step()
            called = hf.function(body) if request.param == "function" else body
            with summary.create_file_writer(folder, **writer_args).as_default():
                for value in feeds:
                    called(hf.constant(value))
                    step.assign_add(1)
        return folder

    return record


def test_all_kinds(recorded):
    def write(x):
        with summary.always_record_summaries(), hf.name_scope("in"):
            summary.scalar("number", x)
            summary.histogram("numbers", [1.0, 2.0], family="many")
            summary.image("picture", np.ones([1, 2, 2, 1], np.float32))
            summary.audio("sound", [[0.5]], 8.0, max_outputs=1)
            summary.generic("tensor", hf.stack([x, x]), hf.SummaryMetadata(display_name="shown"))

    found = [value for event in events(recorded(write, [3.0])) for value in event.summary.value]
    kinds = {v.tag.rpartition("/")[2] if "/in" not in v.tag else v.tag: v for v in found}
    assert len(found) == len(kinds) == 5
    by_kind = {value.WhichOneof("value"): value for value in found}
    assert by_kind["simple_value"].tag == "in/number"
    assert by_kind["simple_value"].simple_value == 3.0
    assert by_kind["histo"].tag == "many/in/many/numbers"
    assert by_kind["histo"].histo.num == 2
    assert by_kind["image"].image.height == 2
    assert by_kind["audio"].audio.sample_rate == 8
    assert by_kind["tensor"].metadata.display_name == "shown"
    assert hf.contrib.util.make_ndarray(by_kind["tensor"].tensor).tolist() == [3, 3]


def test_only_where_it_is_asked_for(recorded):
    def write(x):
        summary.scalar("nowhere", x)
        with summary.always_record_summaries():
            summary.scalar("here", x)
            with summary.never_record_summaries():
                summary.scalar("not_here", x)
        with summary.record_summaries_every_n_global_steps(2):
            summary.scalar("sometimes", x)

    found = tags(recorded(write, [0.0, 1.0, 2.0]))
    assert found == [
        (0, "here"),
        (0, "sometimes"),
        (1, "here"),
        (2, "here"),
        (2, "sometimes"),
    ]


def test_where_a_condition_holds(recorded):
    def write(x):
        with summary.record_if(x > 1.0):
            summary.scalar("large", x)
        with summary.record_if(lambda: x < 1.0):
            summary.scalar("small", x)
        with summary.record_if(True), summary.record_if(np.bool_(False)):
            summary.scalar("nowhere", x)

    assert tags(recorded(write, [0.0, 1.0, 2.0])) == [(0, "small"), (2, "large")]


def test_conditions_of_other_kinds():
    for condition, got in ((1, "1"), ("yes", "'yes'"), (None, "None")):
        with pytest.raises(TypeError, match=f"record_if takes a bool.* got {got}"):
            summary.record_if(condition)
    with hf.Graph().as_default(), pytest.raises(TypeError, match="got float32"):
        summary.record_if(hf.constant(1.0))


def test_inside_of_branches_and_loops(recorded):
    """They are written with the branch or turn, though no result needs them."""

    def write(x):
        def positive():
            summary.scalar("positive", x)
            return hf.constant(1.0)

        def turn(i, y):
            summary.scalar("turn", y, step=i)
            return i + 1, 2.0 * y

        with summary.always_record_summaries():
            chosen = hf.cond(x > 0.0, positive, lambda: hf.constant(0.0))
            _, last = hf.while_loop(lambda i, _: i < 2, turn, [0, x])
            summary.scalar("last", last + chosen, step=9)

    found = tags(recorded(write, [-1.0, 1.0]))
    names = [(step, tag.rpartition("/")[2]) for step, tag in found]
    assert sorted(names[:3]) == [(0, "turn"), (1, "turn"), (9, "last")]
    assert sorted(names[3:]) == [(0, "turn"), (1, "positive"), (1, "turn"), (9, "last")]


def test_a_writer_without_a_folder():
    nowhere = summary.create_file_writer(None)
    with hf.eager_mode(), nowhere.as_default(), summary.always_record_summaries():
        summary.scalar("loss", 1.0, step=1)
        summary.flush()


def test_the_default_of_a_thread(tmp_path):
    with hf.eager_mode(), summary.always_record_summaries():
        inner = summary.create_file_writer(str(tmp_path / "inner"))
        outer = summary.create_file_writer(str(tmp_path / "outer"))
        with contextlib.ExitStack() as stack:
            stack.enter_context(summary.create_file_writer(str(tmp_path / "none")).as_default())
            outer.set_as_default()
            with inner.as_default():
                summary.scalar("inner", 1.0, step=1)
            summary.scalar("outer", 1.0, step=2)
        summary.scalar("nobody", 1.0, step=3)
        outer.close()
        assert tags(tmp_path / "inner") == [(1, "inner")]
        assert tags(tmp_path / "outer") == [(2, "outer")]


def test_events_gather(tmp_path):
    with hf.eager_mode(), summary.always_record_summaries():
        writer = summary.create_file_writer(str(tmp_path), max_queue=2, filename_suffix=".end")
        with writer.as_default():
            summary.scalar("a", 1.0, step=1)
            assert tags(tmp_path) == []
            summary.scalar("a", 1.0, step=2)
            assert tags(tmp_path) == [(1, "a"), (2, "a")]
            summary.scalar("a", 1.0, step=3)
            summary.flush(writer)
            assert tags(tmp_path) == [(1, "a"), (2, "a"), (3, "a")]
    assert os.listdir(tmp_path)[0].endswith(".end")


def test_graphs_and_events(tmp_path):
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.constant(1.0, name="one")
        with summary.create_file_writer(str(tmp_path)).as_default():
            summary.initialize(graph=graph)
            event = hf.placeholder(hf.string)
            imported = summary.import_event(event)
            session.run(imported, {event: hf.Event(step=5).SerializeToString()})
            with pytest.raises(hf.errors.InvalidArgumentError, match="no Event"):
                session.run(imported, {event: b"\xff"})
            session.run(summary.flush())
            with pytest.raises(TypeError, match="graph mode"):
                summary.graph(graph)
    first, second = events(tmp_path)
    assert hf.GraphDef.FromString(first.graph_def).node[0].name == "one"
    assert second.step == 5


def test_misuse(tmp_path):
    with hf.eager_mode():
        with pytest.raises(hf.errors.NotFoundError, match="none"):
            summary.create_file_writer(str(tmp_path / "none" / "run"))
        with pytest.raises(RuntimeError, match="only supported in graph mode"):
            summary.all_summary_ops()
    with hf.Graph().as_default(), hf.Session() as session:
        with pytest.raises(RuntimeError, match="No default"):
            summary.initialize()
        with summary.create_file_writer(str(tmp_path)).as_default():
            with summary.always_record_summaries():
                written = summary.scalar("loss", 1.0, step=1)
            with pytest.raises(hf.errors.NotFoundError, match="initialize"):
                session.run(written)


def test_what_a_writer_does_itself(tmp_path):
    """It makes its file, writes out and closes; in a graph by operations."""
    with hf.eager_mode():
        writer = summary.create_file_writer(str(tmp_path / "eager"))
        with writer.as_default(), summary.always_record_summaries():
            summary.scalar("a", 1.0, step=1)
            assert writer.init() is None
            assert writer.flush() is None
            assert tags(tmp_path / "eager") == [(1, "a")]
    with hf.Graph().as_default(), hf.Session() as session:
        writer = summary.create_file_writer(str(tmp_path / "graph"))
        with writer.as_default(), summary.always_record_summaries():
            written = summary.scalar("a", 1.0, step=1)
        for op in (writer.init(), written, writer.flush()):
            session.run(op)
        assert tags(tmp_path / "graph") == [(1, "a")]
        session.run(writer.close())
        nothing = summary.create_file_writer(None)
        session.run([nothing.init(), nothing.flush(), nothing.close()])
