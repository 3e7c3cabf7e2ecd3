"""Scopes as functions: names, devices, control dependencies, colocation.

What is expected here is what TensorFlow 1.4.1 answers.
"""

from __future__ import annotations

import pytest

import hybridflow as hf


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "scope", "name"),
    [
        ((None,), "", "Const"),
        (("",), "", "Const"),
        (("", ""), "", "Const"),
        (("s",), "s/", "s/Const"),
        ((None, "d"), "d/", "d/Const"),
        (("s", "d"), "s/", "s/Const"),
        (("s/",), "s/", "s/Const"),
        ((None, "d", [1.0]), "d/", "d/Const"),
    ],
)
def test_name_scope(graph, arguments, scope, name):
    opened = hf.name_scope(*arguments)
    with opened as given:
        assert given == scope
        assert hf.constant(1.0).op.name == name
    assert opened.name == (arguments[0] if arguments[0] is not None else (*arguments, None)[1])


def test_name_scopes_nest_and_reopen(graph):
    with hf.name_scope("a"):
        with hf.name_scope("b") as b:
            pass
        with hf.name_scope("b") as again:
            assert again == "a/b_1/"
        with hf.name_scope(b):
            assert hf.constant(1.0).op.name == "a/b/Const"
        with hf.name_scope(""):
            assert hf.constant(1.0).op.name == "Const"
    assert hf.constant(1.0).op.name == "Const_1"


@pytest.mark.parametrize("values", [[], [1]])
def test_a_name_scope_with_values_needs_a_name(graph, values):
    with pytest.raises(ValueError, match=r"At least one of name \(None\) and default_name"):
        hf.name_scope(None, None, values).__enter__()
    with hf.eager_mode(), pytest.raises(ValueError, match="At least one of name"):
        hf.name_scope(None, None, values).__enter__()


@pytest.mark.parametrize("name", ["a b", "_a", 5])
def test_bad_names(graph, name):
    with pytest.raises((ValueError, TypeError), match=r"not a valid scope name|must be a string"):
        hf.name_scope(name).__enter__()
    assert graph.get_name_scope() == ""


def test_the_graph_of_the_values_becomes_the_default(graph):
    a = hf.constant(1.0)
    with hf.Graph().as_default() as other:
        with hf.name_scope("s", values=[a]):
            b = hf.constant(1.0)
            assert b.graph is hf.get_default_graph() is graph
        assert hf.get_default_graph() is other
        with (
            pytest.raises(ValueError, match="must be from the same graph as"),
            hf.name_scope("s", values=[a, hf.constant(1.0)]),
        ):
            pass
        assert hf.get_default_graph() is other
    assert b.op.name == "s/Const"


def test_name_scopes_close_after_errors(graph):
    a = hf.constant(1.0)
    with hf.Graph().as_default() as other:
        with pytest.raises(ZeroDivisionError), hf.name_scope("s", values=[a]):
            raise ZeroDivisionError
        assert hf.get_default_graph() is other
    assert graph.get_name_scope() == ""


def test_a_name_scope_object_may_be_opened_again(graph):
    scope = hf.name_scope("s")
    with scope as first, scope as second:
        assert (first, second) == ("s/", "s/s/")
    assert graph.get_name_scope() == ""


def test_name_scopes_in_eager_mode():
    with hf.eager_mode():
        with hf.name_scope("a") as a, hf.name_scope("b") as b, hf.name_scope(None, "c") as c:
            assert (a, b, c) == ("a/", "a/b/", "a/b/c/")
            with hf.name_scope("x/") as x, hf.name_scope("") as root:
                assert (x, root) == ("x/", "")
        # Names of scopes need not be unique there.
        with hf.name_scope("a") as again:
            assert again == "a/"


# -- control dependencies --------------------------------------------------------------------------


def controls(*tensors):
    return [[c.name for c in t.op.control_inputs] for t in tensors]


def test_control_dependencies_leave_out_what_inputs_wait_for(graph):
    a, b = hf.constant(1.0, name="a"), hf.constant(1.0, name="b")
    with hf.control_dependencies([a]):
        c = hf.constant(1.0, name="c")
        d = c + b
        with hf.control_dependencies([b, d]):
            e = hf.constant(2.0)
            f = e + c
            g = a + b
            h = d + 1.0
            with hf.control_dependencies(None):
                i = hf.constant(1.0)
                j = d + 1.0
                with hf.control_dependencies([c]):
                    k = hf.constant(3.0)
            m = hf.constant(4.0)
    n = hf.constant(5.0)
    assert controls(c, d, e, f, g, h, i, j, k, m, n) == [
        ["a"],
        [],
        ["a", "b", "add"],
        [],
        ["add"],
        [],
        [],
        [],
        ["c"],
        ["a", "b", "add"],
        [],
    ]


def test_what_may_be_waited_for(graph):
    a = hf.constant(1.0, name="a")
    slices = hf.IndexedSlices(hf.constant([1.0], name="v"), hf.constant([0]))
    variable = hf.get_variable("w", [2])
    for wanted, names in (
        ([], []),
        ([a, a.op], ["a"]),
        (["a"], ["a"]),
        (["a:0"], ["a"]),
        ([slices], ["v"]),
        ([variable], ["w"]),
        ((x for x in [a]), ["a"]),
    ):
        with hf.control_dependencies(wanted):
            b = hf.constant(1.0)
        assert controls(b) == [names]
    for wanted, error, message in (
        ([5], TypeError, "Can not convert a int into a Tensor or Operation"),
        ([None], TypeError, "Can not convert a NoneType into a Tensor or Operation"),
        (["b"], KeyError, "The name 'b' refers to an Operation not in the graph"),
        (5, TypeError, "'int' object is not iterable"),
    ):
        with pytest.raises(error, match=message):
            hf.control_dependencies(wanted)


def test_control_dependencies_order_effects(graph):
    v = hf.get_variable("v", [], initializer=hf.zeros_initializer())
    with hf.control_dependencies([v.assign(5.0)]):
        after = hf.identity(v.read_value())
    with hf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run(after) == 5


def test_control_dependencies_do_nothing_in_eager_mode():
    with hf.eager_mode():
        with hf.control_dependencies([hf.constant(1.0), "anything"]):
            pass
        with hf.control_dependencies(None):
            pass


# -- devices ---------------------------------------------------------------------------------------


def on(*devices):
    with hf.device(devices[0]):
        return on(*devices[1:]) if devices[1:] else hf.constant(1.0).device


@pytest.mark.parametrize(
    ("devices", "merged"),
    [
        (["/cpu:0"], "/device:CPU:0"),
        (["/cpu:0", "/job:worker"], "/job:worker/device:CPU:0"),
        (["/cpu:0", "/gpu:1"], "/device:GPU:1"),
        (["/cpu:0", None], ""),
        (["/cpu:0", None, "/task:1"], "/task:1"),
        (["/cpu:0", "/task:3", "/job:ps"], "/job:ps/task:3/device:CPU:0"),
        (["/cpu:0", ""], "/device:CPU:0"),
        ([hf.DeviceSpec(job="ps"), "/cpu:1"], "/job:ps/device:CPU:1"),
        ([lambda op: "/job:fn"], "/job:fn"),
        (["/cpu:0", lambda op: "/job:fn"], "/job:fn/device:CPU:0"),
        ([lambda op: f"/job:{op.type}"], "/job:Const"),
        ([lambda op: "/job:fn", "/gpu:7"], "/job:fn"),
        ([lambda op: "/job:fn", None], ""),
        ([lambda op: "/job:fn", None, "/task:1"], "/task:1"),
        ([lambda op: hf.DeviceSpec(task=2), "/cpu:0"], "/task:2"),
        ([lambda op: op.device + "/task:2", "/cpu:0"], "/device:CPU:0/task:2"),
    ],
)
def test_devices_merge(graph, devices, merged):
    assert on(*devices) == merged
    assert hf.constant(1.0).device == ""


def test_a_device_function_sees_each_op(graph):
    seen = []

    def place(op):
        seen.append((op.name, op.type, len(op.inputs), op.device))
        return "/task:1" if op.type == "Add" else op.device

    with hf.device("/job:a"), hf.device(place), hf.device("/cpu:0"):
        x = hf.constant(1.0) + 2.0
    assert seen == [
        ("Const", "Const", 0, "/device:CPU:0"),
        ("add/y", "Const", 0, "/device:CPU:0"),
        ("add", "Add", 2, "/device:CPU:0"),
    ]
    assert x.device == "/job:a/task:1"
    assert x.op.inputs[0].device == "/job:a/device:CPU:0"


@pytest.mark.parametrize("mode", [hf.eager_mode, lambda: hf.Graph().as_default()])
def test_a_malformed_device_is_an_error(mode):
    with mode(), pytest.raises(ValueError, match="Unknown attribute: 'nonsense'"):
        hf.device("nonsense")


def test_devices_in_eager_mode():
    with hf.eager_mode():
        with hf.device("/cpu:0"), hf.device("/job:a"), hf.device(None):
            assert hf.constant(1.0).device.endswith("CPU:0")
        with pytest.raises(RuntimeError, match="does not support functions when eager"):
            hf.device(lambda op: "/cpu:0")


# -- colocation ------------------------------------------------------------------------------------


def place_of(tensor):
    return tensor.device, tensor.op.colocation_groups()


def test_colocation(graph):
    with hf.device("/gpu:0"):
        a = hf.constant(1.0, name="a")
    with hf.device("/cpu:0"), hf.colocate_with(a):
        b = hf.constant(2.0, name="b")
        assert place_of(b) == ("/device:GPU:0", [b"loc:@a"])
        with hf.device("/job:x"):
            assert place_of(hf.constant(3.0)) == ("/job:x", [b"loc:@a"])
        with hf.colocate_with(b):
            assert place_of(hf.constant(3.0)) == ("/device:GPU:0", [b"loc:@a"])
        with hf.colocate_with(None, ignore_existing=True):
            c = hf.constant(3.0, name="c")
        assert place_of(c) == ("", [b"loc:@c"])
    with hf.colocate_with(hf.constant(1.0, name="plain")):
        assert place_of(hf.constant(1.0)) == ("", [b"loc:@plain"])
        with hf.colocate_with(a):
            assert place_of(hf.constant(1.0)) == ("/device:GPU:0", [b"loc:@a", b"loc:@plain"])
        with hf.colocate_with(a.op, ignore_existing=True):
            assert place_of(hf.constant(1.0)) == ("/device:GPU:0", [b"loc:@a"])
    assert place_of(hf.constant(1.0, name="d")) == ("", [b"loc:@d"])


def test_colocation_leaves_shared_attributes_alone(graph):
    a = hf.constant([1.0], name="a")
    with hf.colocate_with(a):
        b = hf.identity(a)
    c = hf.identity(a)
    assert "_class" in b.op.attrs
    assert "_class" not in c.op.attrs


def test_colocation_is_reset_on_request_only(graph):
    with pytest.raises(ValueError, match="Trying to reset colocation"):
        hf.colocate_with(None)
    with hf.eager_mode(), hf.colocate_with(hf.constant(1.0)):
        pass


# -- the rest --------------------------------------------------------------------------------------


def test_container_is_accepted(graph):
    with hf.container("c"), graph.container("c") as name, hf.eager_mode(), hf.container("d"):
        assert name == "c"


def test_init_scope_leaves_what_is_being_built(graph):
    inside = {}

    def branch():
        with hf.control_dependencies([hf.no_op()]), hf.init_scope():
            inside["op"] = hf.constant(1.0).op
        return hf.constant(2.0)

    with hf.name_scope("s"):
        hf.cond(hf.constant(True), branch, branch)
    assert inside["op"].body is None
    assert inside["op"].control_inputs == []
    with hf.eager_mode(), hf.init_scope():
        assert hf.executing_eagerly()


def test_init_scope_leaves_a_function_for_eager_mode():
    seen = []

    @hf.function
    def traced(x):
        with hf.init_scope():
            seen.append((hf.executing_eagerly(), isinstance(hf.constant(1.0), hf.EagerTensor)))
        seen.append(hf.executing_eagerly())
        return x + 1.0

    with hf.eager_mode():
        assert traced(hf.constant(1.0)).numpy() == 2
    assert seen == [(True, True), False]


class TestGraphsThatAProgramTracesIntoItself:
    """TensorFlow's inner attribute `_building_function` says which, to `init_scope`."""

    def traced(self):
        graph = hf.Graph()
        graph._building_function = True
        return graph

    def test_init_scope_is_in_the_graph_around_them(self):
        around, first, second = hf.Graph(), self.traced(), self.traced()
        with around.as_default(), first.as_default():
            before = hf.constant(1.0)
            with second.as_default(), hf.control_dependencies([hf.no_op()]), hf.init_scope():
                inside = hf.constant(2.0)
            assert hf.get_default_graph() is first
        assert inside.graph is around
        assert inside.op.control_inputs == []
        assert before.graph is first

    def test_init_scope_is_eager_around_which_eager_mode_is(self):
        with hf.eager_mode(), self.traced().as_default():
            with hf.init_scope():
                assert hf.executing_eagerly()
            assert not hf.executing_eagerly()

    def test_there_is_nothing_around(self):
        with self.traced().as_default(), pytest.raises(AssertionError, match="All graphs"):
            hf.init_scope()

    def test_functions_tell(self):
        told = []
        with hf.eager_mode():
            hf.function(lambda: told.append(hf.get_default_graph()._building_function))()
        assert told == [True]
        assert not hf.Graph()._building_function
