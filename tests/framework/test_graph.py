"""Graphs: names, elements, finalizing, bodies, threads."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.op_def import OPS


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


# -- names -----------------------------------------------------------------------------------------


def test_names_are_made_unique(graph):
    names = [graph.unique_name(n) for n in ("a", "a", "a_1", "a", "a_1", "b", "A", "a_2")]
    assert names == ["a", "a_1", "a_1_1", "a_2", "a_1_2", "b", "A", "a_2_1"]


def test_a_name_may_be_asked_for_and_not_taken(graph):
    assert graph.unique_name("a", mark_as_used=False) == "a"
    assert graph.unique_name("a") == "a"
    assert graph.unique_name("a", mark_as_used=False) == "a_1"
    assert graph.unique_name("a") == "a_1"


def test_names_live_under_the_scope(graph):
    with graph.name_scope("s"):
        assert graph.unique_name("a") == "s/a"
        assert graph.get_name_scope() == "s"
        with graph.name_scope("t") as t:
            assert t == "s/t/"
            assert graph.unique_name("a") == "s/t/a"
        with graph.name_scope("t") as t:
            assert t == "s/t_1/"
        with graph.name_scope(None) as root:
            assert (root, graph.get_name_scope()) == ("", "")
            assert graph.unique_name("a") == "a"
        with graph.name_scope("s/t/") as again:
            assert again == "s/t/"
            assert graph.unique_name("a") == "s/t/a_1"
    with graph.name_scope("s") as s:
        assert s == "s_1/"
    assert graph.get_name_scope() == ""


class TensorFlowsNames:
    """TF 1.4's way to make names unique, told once more."""

    def __init__(self):
        self.used = {}

    def unique(self, name):
        count = self.used.get(name, 0)
        self.used[name] = count + 1
        if count:
            base = name
            while name in self.used:
                name = f"{base}_{count}"
                count += 1
            self.used[name] = 1
        return name


@given(st.lists(st.sampled_from(["a", "a_1", "a_2", "a_1_1", "b", "A", "a_"]), max_size=40))
def test_unique_names_are_tensorflows(names):
    graph, model = hf.Graph(), TensorFlowsNames()
    assert [graph.unique_name(n) for n in names] == [model.unique(n) for n in names]


@pytest.mark.parametrize("name", ["_x", "-x", "/x", "a b", "a\n", "ä", "a:0", "^a", "a=b"])
def test_illegal_scope_names(graph, name):
    with pytest.raises(ValueError, match="is not a valid scope name"), graph.name_scope(name):
        pass
    assert graph.get_name_scope() == ""


def test_inner_scopes_may_begin_with_what_the_root_may_not(graph):
    with graph.name_scope("a"):
        for name in ("_x", "-x", "/x", "\\"[:0] or "_"):
            with graph.name_scope(name):
                pass
    with graph.name_scope(".x"), graph.name_scope("9"):
        assert graph.get_name_scope() == ".x/9"


def test_an_exact_name_is_taken_once(graph):
    a = hf.constant(1.0, name="a/")
    assert a.op.name == "a"
    with pytest.raises(ValueError, match="Duplicate node name in graph: 'a'"):
        hf.constant(1.0, name="a/")
    assert hf.constant(1.0, name="a").op.name == "a_1"
    assert len(graph.get_operations()) == 2


# -- elements --------------------------------------------------------------------------------------


def test_elements_by_name(graph):
    a = hf.constant([1, 2], name="s/a")
    u = hf.unstack(a, name="u")
    assert graph.get_operations() == [a.op, u[0].op]
    assert graph.get_operation_by_name("s/a") is a.op
    assert graph.get_tensor_by_name("s/a:0") is a
    assert graph.get_tensor_by_name("u:1") is u[1]
    for obj, element in ((a, a), (a.op, a.op), ("s/a:0", a), ("s/a", a.op)):
        assert graph.as_graph_element(obj) is element

    class Wrapper:
        def _as_graph_element(self):
            return a

    assert graph.as_graph_element(Wrapper()) is a


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: g.get_operation_by_name("b"), KeyError, "'b' refers to an Operation not in"),
        (
            lambda g: g.get_operation_by_name("a:0"),
            ValueError,
            "'a:0' appears to refer to a Tensor",
        ),
        (lambda g: g.get_operation_by_name(5), TypeError, "Operation names are strings"),
        (lambda g: g.get_tensor_by_name(5), TypeError, "Tensor names are strings"),
        (
            lambda g: g.get_tensor_by_name("a"),
            ValueError,
            "The name 'a' looks like an (invalid) Operation name, not a Tensor. The name refers to "
            "an Operation",
        ),
        (lambda g: g.get_tensor_by_name("b"), ValueError, "(invalid) Operation name, not a Tensor"),
        (lambda g: g.get_tensor_by_name("b:0"), KeyError, "'b', does not exist in the graph"),
        (lambda g: g.get_tensor_by_name("a:1"), KeyError, "'a', exists but only has 1 outputs"),
        (
            lambda g: g.get_tensor_by_name("a:x"),
            ValueError,
            "looks a like a Tensor name, but is not",
        ),
        (lambda g: g.get_tensor_by_name("a:0:0"), ValueError, "but is not a valid one"),
        (lambda g: g.get_tensor_by_name("a:-1"), ValueError, "but is not a valid one"),
        (lambda g: g.get_tensor_by_name("a:"), ValueError, "but is not a valid one"),
        (lambda g: g.as_graph_element("a:0", allow_tensor=False), ValueError, "not a Operation"),
        (lambda g: g.as_graph_element(5), TypeError, "Can not convert a int into a Tensor or Oper"),
        (
            lambda g: g.as_graph_element(g.get_operation_by_name("a"), allow_operation=False),
            TypeError,
            "Can not convert a Operation into a Tensor.",
        ),
        (
            lambda g: g.as_graph_element(g.get_tensor_by_name("a:0"), allow_tensor=False),
            TypeError,
            "Can not convert a Tensor into a Operation.",
        ),
    ],
)
def test_elements_that_are_not_there(graph, call, error, message):
    hf.constant(1.0, name="a")
    with pytest.raises(error, match=re.escape(message)):
        call(graph)


def test_elements_of_another_graph(graph):
    a = hf.constant(1.0, name="a")
    other = hf.Graph()
    with pytest.raises(ValueError, match=r"Tensor .*a:0.* is not an element of this graph"):
        other.as_graph_element(a)
    with pytest.raises(ValueError, match="is not an element of this graph"):
        other.as_graph_element(a.op)
    with hf.eager_mode():
        eager = hf.constant(1.0)
    with pytest.raises(TypeError, match="Can not convert a EagerTensor into a Tensor"):
        graph.as_graph_element(eager)


def test_feeding_and_fetching_may_be_prevented(graph):
    a, b = hf.constant(1.0), hf.constant(2.0)
    assert graph.is_feedable(a)
    assert graph.is_fetchable(a)
    graph.prevent_feeding(a)
    graph.prevent_fetching(b.op)
    assert not graph.is_feedable(a)
    assert graph.is_feedable(b)
    assert graph.is_fetchable(a)
    assert not graph.is_fetchable(b)
    assert not graph.is_fetchable(b.op)
    with hf.Session() as sess:
        with pytest.raises(ValueError, match="may not be fed"):
            sess.run(a, {a: 1.0})
        with pytest.raises(ValueError, match="'Const_1' has been marked as not fetchable"):
            sess.run(b)
        assert sess.run(a + b) == 3


# -- the rest of a graph ---------------------------------------------------------------------------


def test_version_grows_with_each_op(graph):
    assert graph.version == 0
    hf.constant(1.0)
    hf.constant(1.0) + 1.0
    assert graph.version == len(graph.get_operations()) == 4
    assert repr(graph) == "<hf.Graph with 4 operations>"


def test_names_may_be_bytes(graph):
    a = hf.constant(1.0, name=b"a")
    b = hf.add(a, 1.0, name=b"b")
    assert (a.name, b.name) == ("a:0", "b:0")
    assert graph.get_operations()[0] is graph.as_graph_element(b"a")
    assert hf.Session().run(b"b:0") == 2
    with pytest.raises(ValueError, match="not a valid scope name"):
        hf.constant(1.0, name=b"_a")


def test_a_finalized_graph_takes_no_ops(graph):
    a = hf.constant(1.0)
    assert not graph.finalized
    graph.finalize()
    assert graph.finalized
    for add in (lambda: hf.constant(1.0), lambda: a + a, lambda: a + 1.0):
        with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
            add()
    assert graph.version == 1
    assert graph.get_name_scope() == ""
    assert hf.Session().run(a) == 1


def specs_of(*names):
    """What `Graph.add_ops` takes, for a constant and ops that double it."""
    constant = hf.constant(1.0)
    record, attrs = constant.op.record, constant.op.attrs
    first = (record, (), attrs, names[0], hf.float32, ())
    return [first, *[(OPS["Add"], (i, i), {}, n, hf.float32, ()) for i, n in enumerate(names[1:])]]


def op_function(graph, specs):
    """Adds ops as a function of the library does, whose own frame is not the user's."""
    return graph.add_ops(specs)


@pytest.mark.parametrize("plain", [True, False])
def test_ops_added_at_once_are_as_if_added_one_by_one(graph, plain):
    specs = specs_of("a", "a", "b/")
    with hf.control_dependencies([] if plain else [hf.no_op()]), hf.name_scope("s"):
        tensors = op_function(graph, specs)
    assert [t.op.name for t in tensors] == ["s/a", "s/a_1", "b"]
    assert [len(t.op.control_inputs) for t in tensors] == [0 if plain else 1, 0, 0]
    assert tensors[0].consumers() == [tensors[1].op, tensors[1].op]
    assert graph.get_tensor_by_name("b:0") is tensors[2]
    assert {t.op.user_frame[0] for t in tensors} == {__file__}
    assert [op._id for op in graph.get_operations()] == list(range(1, graph.version + 1))
    assert hf.Session().run(tensors[2]) == 4
    with pytest.raises(ValueError, match="Duplicate node name in graph: 'b'"):
        graph.add_ops([(*specs[0][:3], "b/", *specs[0][4:])])
    graph.finalize()
    with pytest.raises(RuntimeError, match="Graph is finalized"):
        graph.add_ops(specs)


def test_ops_added_at_once_use_nothing_from_inside_a_body(graph):
    body = Body("body", None)
    with graph.body_scope(body):
        inside = hf.constant(1.0)
    with pytest.raises(ValueError, match="made inside the body, and has a value only there"):
        graph.add_ops([(OPS["Add"], (inside, inside), {}, "x", hf.float32, ())])


def test_graphs_are_apart(graph):
    other = hf.Graph()
    with other.as_default():
        hf.constant(1.0, name="a")
        hf.set_random_seed(5)
    assert hf.constant(2.0, name="a").op.name == "a"
    assert (graph.version, other.version) == (1, 1)
    assert (graph.seed, other.seed) == (None, 5)


def test_a_failing_device_function_leaves_no_half_made_op(graph):
    a = hf.constant(1.0)

    def fail(op):
        raise ZeroDivisionError

    with hf.device(fail), pytest.raises(ZeroDivisionError):
        hf.add(a, a, name="x")
    assert graph.version == 1
    assert a.consumers() == []
    with pytest.raises(KeyError):
        graph.get_operation_by_name("x")
    assert hf.add(a, a).op.name == "Add"


def test_many_threads_build_one_graph(graph):
    with graph.as_default():
        a = hf.constant(1.0)
    meet = threading.Barrier(8)
    errors = []

    def build(index):
        try:
            meet.wait()
            with graph.as_default(), graph.name_scope(f"t{index % 2}"):
                for _ in range(200):
                    hf.add(a, 1.0)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=build, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    ops = graph.get_operations()
    assert len(ops) == 1 + 8 * 200 * 2
    assert len({op.name for op in ops}) == len(ops)
    assert [op._id for op in ops] == list(range(1, len(ops) + 1))
    assert len(a.consumers()) == 8 * 200
    # The main thread is in the scope that it opened, and in no other.
    assert graph.get_name_scope() == ""


def test_scopes_of_a_graph_belong_to_the_thread(graph):
    seen = []
    with graph.name_scope("main"), graph.device("/cpu:0"):
        thread = threading.Thread(target=lambda: seen.append(graph.get_name_scope()))
        thread.start()
        thread.join()
        assert graph.get_name_scope() == "main"
    assert seen == [""]


# -- bodies ----------------------------------------------------------------------------------------


def test_a_body_notes_what_it_captures(graph):
    outer, inner, beside = Body("outer", None), None, Body("beside", None)
    a = hf.constant(1.0, name="a")
    with graph.body_scope(outer):
        b = hf.constant(2.0, name="b")
        inner = Body("inner", outer)
        with graph.body_scope(inner):
            c = hf.add(a, b)
            d = hf.add(c, b)
        assert (c.op.body, d.op.body, b.op.body, a.op.body) == (inner, inner, outer, None)
    assert list(inner.captures) == [a, b]
    assert list(outer.captures) == [a]
    assert inner.operations == [c.op, d.op]
    assert outer.operations == [b.op]
    assert outer.encloses(inner)
    assert not inner.encloses(outer)
    with (
        graph.body_scope(beside),
        pytest.raises(ValueError, match="made inside the inner, and"),
    ):
        hf.add(c, 1.0)
    with pytest.raises(
        ValueError, match=r"as input to .user. because .* was made inside the outer"
    ):
        hf.add(b, b, name="user")
    with pytest.raises(ValueError, match="made inside the inner"), hf.control_dependencies([c]):
        pass


def test_a_body_resolves_tensors_of_a_finished_one(graph):
    first = Body("first", None)
    with graph.body_scope(first):
        a = hf.constant(1.0)
    saved = hf.constant(2.0)
    second = Body("second", None)
    second.resolve = {a: saved}.get
    with graph.body_scope(second):
        b = hf.add(a, a)
    assert list(b.op.inputs) == [saved, saved]
    assert list(second.captures) == [saved]


def test_control_inputs_from_outside_are_left_to_the_control_flow_op(graph):
    n = hf.no_op()
    body = Body("body", None)
    with graph.body_scope(body), hf.control_dependencies([n]):
        a = hf.constant(1.0)
    assert a.op.control_inputs == []
    assert list(body.control_captures) == [n]


def test_what_lies_inside_a_body_is_neither_fed_nor_fetched(graph):
    inside = []
    x = hf.cond(
        hf.constant(True), lambda: inside.append(hf.constant(1.0)) or inside[0], lambda: 2.0
    )
    assert not graph.is_feedable(inside[0])
    assert not graph.is_fetchable(inside[0])
    with hf.Session() as sess:
        assert sess.run(x) == 1
        with pytest.raises(ValueError, match=r"not fetchable. It lies inside the true_fn of cond"):
            sess.run(inside[0])


def test_const_is_a_record_like_any_other(graph):
    assert OPS["Const"].name == hf.constant(1.0).op.type


def test_a_seed_set_again_gives_other_numbers_in_a_graph_and_the_same_ones_eagerly():
    def two():
        hf.set_random_seed(1)
        first = hf.random_uniform([3])
        hf.set_random_seed(1)
        return [first, hf.random_uniform([3])]

    with hf.Graph().as_default(), hf.Session() as session:
        first, second = session.run(two())
    assert first.tolist() != second.tolist()
    with hf.eager_mode():
        a, b = (t.numpy().tolist() for t in two())
    assert a == b == first.tolist()


class TestAttributesFromOutside:
    def test_containers(self):
        with hf.Graph().as_default() as graph:
            with hf.container("mine"), graph.container("inner"):
                inner = hf.FIFOQueue(1, hf.float32)
            with hf.container("mine"), hf.name_scope("scope"):
                queue = hf.FIFOQueue(1, hf.float32)
                x = hf.constant(1.0)
        assert inner.queue_ref.op.get_attr("container") == b"inner"
        assert queue.queue_ref.op.get_attr("container") == b"mine"
        assert "container" not in x.op.attrs

    def test_what_is_in_another_container_is_another_object(self):
        with hf.Graph().as_default(), hf.Session() as session:
            first = hf.FIFOQueue(1, hf.int32, shared_name="q")
            with hf.container("other"):
                second = hf.FIFOQueue(1, hf.int32, shared_name="q")
            session.run(first.enqueue(7))
            assert session.run([first.size(), second.size()]) == [1, 0]

    def test_initial_values_stand_beside_their_variable(self):
        with hf.Graph().as_default(), hf.variable_scope("scope", use_resource=True):
            v = hf.get_variable("v", [2])
            groups = {op.name: op.colocation_groups() for op in v.graph.get_operations()}
        assert groups["scope/v/Initializer/random_uniform"] == [b"loc:@scope/v"]

    def test_attributes(self):
        with hf.Graph().as_default() as graph:
            with graph._attr_scope({"_a": b"x"}), graph._attr_scope({"_a": None, "_b": 1}):
                op = hf.no_op()
            with graph._attr_scope({"_a": b"x"}), hf.name_scope("scope"):
                other = hf.no_op()
        assert (op.attrs, other.attrs) == ({"_b": 1}, {"_a": b"x"})

    def test_gradients_know_what_they_are_of(self):
        with hf.Graph().as_default() as graph, hf.Session() as session:
            x = hf.placeholder(hf.float32, [None], name="x")
            y = hf.gather(x, [0, 1], name="y")
            hf.gradients(hf.check_numerics(y, "here", name="checked"), x)
            assert {op._original_op.name for op in graph.get_operations() if op._original_op} == {
                "y",
                "checked",
            }
            with graph._original_op(y.op):
                z = hf.Assert(False, ["no"], name="z")
            words = r"Caused by op 'z/Assert'.*\n\.\.\.which was originally created as op 'y'"
            with pytest.raises(hf.errors.InvalidArgumentError, match=words):
                session.run(z)


class TestChanges:
    """What tools that rewrite graphs do."""

    def test_inputs(self):
        with hf.Graph().as_default():
            x, y = hf.constant(1), hf.constant(2)
            z = x + y
            z.op._update_input(0, y)
            assert list(z.op.inputs) == [y, y]
            assert x.consumers() == []
            assert y.consumers() == [z.op, z.op]
            with hf.Session() as session:
                assert session.run(z) == 4
            z.op._update_input(0, x)
            with hf.Session() as session:
                assert session.run(z) == 3
            assert y.consumers() == [z.op]

    def test_what_was_made_later(self):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(hf.int32, [], name="x")
            y = hf.add(x, 1, name="y")
            z = hf.multiply(y, 2, name="z")
            (later,) = [hf.square(hf.constant(3), name="later")]
            y.op._update_input(0, later)
            names = [op.name for op in graph.get_operations()]
            assert names.index("later") < names.index("y") < names.index("z")
            with hf.Session() as session:
                assert session.run(z) == 20

    def test_control_inputs(self):
        with hf.Graph().as_default():
            x, y, z = hf.no_op(), hf.no_op(), hf.no_op()
            z._add_control_input(x)
            z._add_control_inputs([x, y])
            assert z.control_inputs == [x, x, y]
            z._remove_all_control_inputs()
            assert z.control_inputs == []

    def test_what_is_refused(self):
        with hf.Graph().as_default():
            other = hf.constant(1)
        with hf.Graph().as_default():
            x, text = hf.constant([1, 2]), hf.constant("")
            z = x + x
            with pytest.raises(ValueError, match="must be from the same graph"):
                z.op._update_input(0, other)
            with pytest.raises(ValueError, match="must be from the same graph"):
                z.op._add_control_input(other.op)
            with pytest.raises(TypeError, match="must be a Tensor"):
                z.op._update_input(0, x.op)
            with pytest.raises(IndexError):
                z.op._update_input(2, x)
            words = "Input 0 of node add was passed string from Const_1:0 incompatible with"
            with pytest.raises(ValueError, match=words):
                z.op._update_input(0, text)
            with pytest.raises(ValueError, match="depends on"):
                x.op._add_control_input(z.op)
            z.op._update_input(0, hf.constant([1, 2, 3]))
            words = r"Incompatible shapes: \[3\] vs. \[2\]"
            with (
                hf.Session() as session,
                pytest.raises(hf.errors.InvalidArgumentError, match=words),
            ):
                session.run(z)
