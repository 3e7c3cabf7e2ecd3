"""Sessions: fetches, feeds, errors, life and death, threads, forks."""

from __future__ import annotations

import collections
import gc
import os
import re
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.plan.planning import build
from hybridflow._src.runtime import session

Pair = collections.namedtuple("Pair", "first second")


@pytest.fixture
def graph():
    with hf.Graph().as_default() as g:
        yield g


@pytest.fixture
def sess(graph):
    with hf.Session() as opened:
        yield opened


# -- fetches ---------------------------------------------------------------------------------------


def test_every_kind_of_fetch(graph, sess):
    a, b = hf.constant([1.0, 2.0], name="a"), hf.constant(3, name="b")
    n = hf.no_op(name="n")
    v = hf.get_variable("v", initializer=[5.0])
    sess.run(v.initializer)
    slices = hf.IndexedSlices(a, hf.constant([0, 4]), hf.constant([5]))
    for fetch, value in ((a, [1, 2]), ("a:0", [1, 2]), (b, 3), (v, [5]), ("v:0", [5])):
        np.testing.assert_array_equal(sess.run(fetch), value)
    for fetch in (n, "n", a.op, "a", v.initializer):
        assert sess.run(fetch) is None
    value = sess.run(slices)
    assert isinstance(value, hf.IndexedSlicesValue)
    assert (value.values.tolist(), value.indices.tolist()) == ([1, 2], [0, 4])
    assert value.dense_shape.tolist() == [5]
    assert sess.run(hf.IndexedSlices(a, b)).dense_shape is None


def test_structures_come_back_as_they_were(graph, sess):
    a, b = hf.constant(1), hf.constant(2)
    assert sess.run([]) == []
    assert sess.run(()) == ()
    assert sess.run({}) == {}
    assert sess.run([a, (b, [a]), {"x": b, "y": (a,)}]) == [1, (2, [1]), {"x": 2, "y": (1,)}]
    pair = sess.run(Pair(a, [b]))
    assert isinstance(pair, Pair)
    assert pair == (1, [2])
    ordered = sess.run(collections.OrderedDict([("z", a), ("a", b.op)]))
    assert type(ordered) is collections.OrderedDict
    assert list(ordered.items()) == [("z", 1), ("a", None)]
    grouped = sess.run(collections.defaultdict(list, {"k": a}))
    assert grouped["k"] == 1

    class Rows(list):
        pass

    assert list(sess.run(Rows([a, b]))) == [1, 2]


structures = st.recursive(
    st.integers(0, 3),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", 1]), inner, max_size=3),
        st.builds(Pair, inner, inner),
    ),
)


@given(structures)
def test_any_structure(structure):
    def mapped(item, leaf):
        if isinstance(item, Pair):
            return Pair(*[mapped(i, leaf) for i in item])
        if isinstance(item, (list, tuple)):
            return type(item)(mapped(i, leaf) for i in item)
        if isinstance(item, dict):
            return {key: mapped(i, leaf) for key, i in item.items()}
        return leaf(item)

    with hf.Graph().as_default(), hf.Session() as sess:
        tensors = [hf.constant(i) for i in range(4)]
        fetches = mapped(structure, lambda i: tensors[i])
        assert sess.run(fetches) == structure
        # Again, by the plan that was kept.
        assert sess.run(fetches) == structure


def test_fetches_and_feeds_may_be_nested_deeply(graph, sess):
    x = hf.placeholder(hf.float32, [])
    fetches, key, value = [x, x], x, 2.0
    for depth in range(500):
        fetches = ([fetches], (fetches,), {"a": fetches})[depth % 3]
        key, value = (key,), [value]
    for _ in range(2):
        result = sess.run(fetches, {key: value})
        for depth in reversed(range(500)):
            assert type(result) is (list, tuple, dict)[depth % 3]
            (result,) = result.values() if isinstance(result, dict) else result
        assert result == [2.0, 2.0]


def test_a_tensor_is_computed_once_however_often_it_is_fetched(graph, sess):
    calls = []
    x = hf.py_func(lambda: np.float32(calls.append(1) or len(calls)), [], hf.float32)
    assert sess.run([x, x, {"a": x}]) == [1, 1, {"a": 1}]
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("fetch", "error", "message"),
    [
        (None, TypeError, "Fetch argument None has invalid type"),
        ([None], TypeError, "Fetch argument None has invalid type"),
        (5, TypeError, "Fetch argument 5 has invalid type <class 'int'>, must be a string or"),
        ([{"a": 1.5}], TypeError, "Fetch argument 1.5 has invalid type"),
        (np.zeros(2), TypeError, "has invalid type|unhashable"),
        ({1, 2}, TypeError, "has invalid type <class 'set'>"),
        ("nope:0", ValueError, "'nope:0' cannot be interpreted as a Tensor. (The name 'nope:0'"),
        ("nope", ValueError, "cannot be interpreted as a Tensor. (The name 'nope' refers to an"),
        ("a:7", ValueError, "exists but only has 1 outputs"),
        ("a:x", ValueError, "but is not a valid one"),
    ],
)
def test_fetches_that_are_none(graph, sess, fetch, error, message):
    hf.constant(1.0, name="a")
    with pytest.raises(error, match=message if "|" in message else re.escape(message)):
        sess.run(fetch)


def test_fetches_of_elsewhere(graph, sess):
    hf.constant(1.0)
    with hf.Graph().as_default():
        other = hf.constant(1.0, name="other")
    with pytest.raises(ValueError, match=r"Tensor .*other:0.* is not an element of this graph"):
        sess.run(other)
    with pytest.raises(ValueError, match="'other' is not an element of this graph"):
        sess.run(other.op)
    with hf.eager_mode():
        eager = hf.constant(1.0)
    with pytest.raises(TypeError, match="has invalid type"):
        sess.run(eager)


# -- results ---------------------------------------------------------------------------------------


def test_results_are_arrays_and_numpy_scalars(graph, sess):
    for value, kind in ((1.5, np.float32), ([1.5], np.ndarray), (True, np.bool_), (b"s", bytes)):
        assert isinstance(sess.run(hf.constant(value)), kind)
    assert sess.run(hf.constant([b"s", b"t"])).tolist() == [b"s", b"t"]


def test_results_are_the_callers_own(graph, sess):
    c = hf.constant([1.0, 2.0])
    v = hf.get_variable("v", initializer=[1.0, 2.0])
    x = hf.placeholder(hf.float32, [2])
    fetches = [c, v, hf.identity(c), hf.reshape(c, [2, 1]), hf.identity(v), x, hf.reshape(x, [2])]
    array = np.array([1, 2], np.float32)
    sess.run(v.initializer)
    values = sess.run(fetches, {x: array})
    for value in values:
        assert value.flags.writeable
        assert not np.shares_memory(value, array)
        value[:] = 9
    for value in sess.run(fetches, {x: array}):
        assert value.ravel().tolist() == [1, 2]
    assert array.tolist() == [1, 2]


# -- feeds -----------------------------------------------------------------------------------------


def test_every_kind_of_feed(graph, sess):
    x = hf.placeholder(hf.float32, [None], name="x")
    y = hf.placeholder(hf.int32, name="y")
    total = hf.reduce_sum(x) + hf.cast(hf.reduce_sum(y), hf.float32)
    with hf.eager_mode():
        eager = hf.constant([1.0, 2.0])
    for feeds in (
        {x: [1.0, 2.0], y: 3},
        {x: (1, 2), y: np.int64(3)},
        {x: np.array([1.0, 2.0]), y: np.array([3], np.uint8)},
        {"x:0": np.array([1, 2]), "y:0": 3},
        {x: range(1, 3), y: 3.0},
        {x: eager, y: [[1], [2]]},
        {(x, y): ([1.0, 2.0], 3)},
        {((x,), y): (([1.0, 2.0],), 3)},
        {x: np.array([1, 7, 2, 7], np.float32)[::2], y: True + 2},
        {x: np.array([1.0, 2.0], ">f8"), y: 3},
    ):
        assert sess.run(total, feeds) == 6
    assert sess.run(total, {total: 9}) == 9
    assert sess.run(total + 1.0, {total: 9}) == 10


def test_any_tensor_may_be_fed(graph, sess):
    a = hf.constant(1.0)
    b = a + 1.0
    c = b * 10.0
    d = hf.placeholder_with_default(5.0, [])
    assert sess.run([b, c], {b: 7.0}) == [7, 70]
    assert sess.run(c, {a: 1.5}) == 25
    assert sess.run([d, d + c], {}) == [5, 25]
    assert sess.run([d, d + c], {d: 6.0}) == [6, 26]


def test_slices_may_be_fed(graph, sess):
    slices = hf.IndexedSlices(
        hf.placeholder(hf.float32, [None]), hf.placeholder(hf.int32), hf.placeholder(hf.int32)
    )
    fed = hf.IndexedSlicesValue(np.array([1.0, 2.0]), np.array([3, 4]), np.array([5]))
    value = sess.run(slices, {slices: fed})
    assert [v.tolist() for v in value] == [[1, 2], [3, 4], [5]]
    short = hf.IndexedSlices(slices.values, slices.indices)
    assert sess.run(short.values, {short: fed[:2]}).tolist() == [1, 2]


def test_strings_are_fed_as_text_or_bytes(graph, sess):
    s = hf.placeholder(hf.string, [None])
    assert sess.run(s, {s: ["ä", b"b"]}).tolist() == ["ä".encode(), b"b"]
    with pytest.raises(TypeError, match="Expected string, got 5 of type 'int'"):
        sess.run(s, {s: [5]})


def test_feeds_are_neither_kept_nor_written(graph, sess):
    x = hf.placeholder(hf.float32, [2])
    v = hf.get_variable("v", initializer=[0.0, 0.0])
    sess.run(v.initializer)
    assign, kept = v.assign(x), hf.get_collection("unused")
    array = np.array([1, 2], np.float32)
    array.flags.writeable = False
    sess.run(assign, {x: array})
    sess.run([v.assign_add(x), v.assign_sub(x)], {x: array})
    assert array.tolist() == [1, 2]
    array = np.array([3, 4], np.float32)
    sess.run(assign, {x: array})
    watch = weakref.ref(array)
    array[:] = 0
    assert sess.run(v).tolist() == [3, 4]
    del array
    gc.collect()
    assert watch() is None
    assert kept == []


def test_overflowing_feeds_are_silent(graph, sess):
    x = hf.placeholder(hf.float32, [])
    with np.errstate(all="raise"):
        assert sess.run(x, {x: 1e300}) == np.inf


@pytest.mark.parametrize(
    ("key", "value", "error", "message"),
    [
        (
            "x",
            [1.0],
            ValueError,
            "Cannot feed value of shape (1,) for Tensor 'x:0', which has shape '(?, 2)'",
        ),
        ("x", [[1.0]], ValueError, "Cannot feed value of shape (1, 1) for Tensor 'x:0'"),
        ("x", 1.0, ValueError, "Cannot feed value of shape () for Tensor 'x:0'"),
        ("x", [[1.0, 2.0], [3.0]], ValueError, "for Tensor 'x:0', which has dtype float32: "),
        ("x", "text", ValueError, "Cannot feed 'text' for Tensor 'x:0'"),
        ("x", None, TypeError, "Cannot feed None for Tensor 'x:0'"),
        ("x", [[1j, 2j]], TypeError, "for Tensor 'x:0', which has dtype float32: complex"),
        ("x", object(), TypeError, "for Tensor 'x:0'"),
        ("i", 2**40, TypeError, "is not compatible with Tensor type int32: 'i:0' would get other"),
        ("i", 2**70, TypeError, "for Tensor 'i:0'"),
        ("i", 1.5, TypeError, "Type of feed value 1.5 with type float64 is not compatible with"),
        ("i", float("nan"), TypeError, "is not compatible with Tensor type int32"),
        ("b", 2, TypeError, "Tensor 'b:0'|compatible"),
    ],
)
def test_values_that_do_not_fit_are_named(graph, sess, key, value, error, message):
    x = hf.placeholder(hf.float32, [None, 2], name="x")
    i = hf.placeholder(hf.int32, [], name="i")
    hf.placeholder(hf.uint8, [], name="b")
    feeds = {x: [[1.0, 2.0]], i: 1}
    if key == "b":
        value = 300
    feeds[graph.get_tensor_by_name(f"{key}:0")] = value
    pattern = message if "|" in message else re.escape(message)
    with pytest.raises(error, match=pattern):
        sess.run([x, i], feeds)


def test_keys_that_are_no_tensors(graph, sess):
    a = hf.constant(1.0, name="a")
    with hf.Graph().as_default():
        other = hf.constant(1.0)
    for feeds, error, message in (
        ({5: 1.0}, TypeError, "Cannot interpret feed_dict key as Tensor: Can not convert a int"),
        (
            {"nope:0": 1.0},
            TypeError,
            "feed_dict key as Tensor: The name 'nope:0' refers to a Tensor",
        ),
        ({"a": 1.0}, TypeError, "feed_dict key as Tensor: The name 'a' looks like an"),
        ({a.op: 1.0}, TypeError, "Can not convert a Operation into a Tensor"),
        ({other: 1.0}, TypeError, "is not an element of this graph"),
        ({a: 1.0, "a:0": 2.0}, ValueError, "feed_dict names the same tensor twice"),
        ({(a, a): (1.0, 2.0)}, ValueError, "feed_dict names the same tensor twice"),
        ({(a,): 1.0}, ValueError, "must have the same nested structure, got 1.0"),
        ({(a,): (1.0, 2.0)}, ValueError, "must have the same nested structure"),
        ({a: a}, TypeError, "The value of a feed cannot be a tf.Tensor object"),
        ([a], TypeError, "feed_dict must be a dictionary"),
        (5, TypeError, "feed_dict must be a dictionary"),
    ):
        with pytest.raises(error, match=re.escape(message)):
            sess.run(a, feeds)
    assert sess.run(a) == 1


def test_a_failed_run_leaves_the_session_as_it_was(graph, sess):
    x = hf.placeholder(hf.float32, [2], name="x")
    v = hf.get_variable("v", initializer=[1.0, 1.0])
    sess.run(v.initializer)
    bad = v.assign(hf.reshape(x, [hf.placeholder_with_default(3, [])]))
    with pytest.raises(hf.errors.OpError):
        sess.run(bad, {x: [1.0, 2.0]})
    with pytest.raises(ValueError, match="Cannot feed"):
        sess.run(bad, {x: [1.0]})
    assert sess.run(v).tolist() == [1, 1]
    assert sess.run(x * 2.0, {x: [1.0, 2.0]}).tolist() == [2, 4]


# -- placeholders and variables without a value ----------------------------------------------------


def test_a_placeholder_that_is_not_fed(graph, sess):
    x = hf.placeholder(hf.float32, [None, 3], name="inputs/x")  # made here
    y = hf.reduce_sum(x)
    with pytest.raises(hf.errors.InvalidArgumentError) as caught:
        sess.run(y)
    text = str(caught.value)
    assert "placeholder tensor 'inputs/x' with dtype float and shape [?,3]" in text
    assert 'name="inputs/x")  # made here' in text
    assert caught.value.op is x.op
    assert sess.run(y, {x: [[1, 2, 3]]}) == 6


@pytest.mark.parametrize("resource", [False, True])
def test_a_variable_without_a_value(graph, sess, resource):
    v = hf.get_variable("scope/v", [2], use_resource=resource)
    for use in (v, hf.negative(v), v.assign_add([1.0, 1.0])):
        with pytest.raises(
            hf.errors.FailedPreconditionError, match="uninitialized value scope/v: variable"
        ):
            sess.run(use)
    # The initializer of the metrics' and of other local variables is another one.
    with pytest.raises(hf.errors.FailedPreconditionError, match="local_variables_initializer"):
        sess.run(hf.metrics.mean(1.0))
    sess.run(hf.global_variables_initializer())
    assert sess.run(v).shape == (2,)
    # Another session has values of its own.
    with pytest.raises(hf.errors.FailedPreconditionError):
        hf.Session().run(v)


@pytest.mark.parametrize("resource", [False, True])
def test_sessions_do_not_see_each_others_values(graph, resource):
    v = hf.get_variable("v", initializer=0.0, use_resource=resource)
    add = v.assign_add(1.0)
    one, two = hf.Session(), hf.Session()
    one.run(v.initializer)
    two.run(v.initializer)
    for _ in range(3):
        one.run(add)
    assert (one.run(v), two.run(v)) == (3, 0)


# -- life ------------------------------------------------------------------------------------------


def test_the_graph_of_a_session(graph):
    assert hf.Session().graph is graph
    other = hf.Graph()
    assert hf.Session(graph=other).graph is other
    assert hf.Session("", other).sess_str == ""
    with hf.Session(graph=other) as sess:
        assert hf.get_default_graph() is other
        assert hf.get_default_session() is sess
    assert hf.get_default_graph() is graph
    assert hf.get_default_session() is None
    hf.constant(1.0, name="c")
    assert [node.name for node in hf.Session().graph_def.node] == ["c"]
    for bad in (5, "graph"):
        with pytest.raises(TypeError, match=r"graph must be a tf.Graph, but got"):
            hf.Session(graph=bad)
    with pytest.raises(TypeError, match="target must be a string"):
        hf.Session(target=5)
    hf.Session.reset("")


def test_an_empty_graph_cannot_run(graph, sess):
    with pytest.raises(RuntimeError, match="The Session graph is empty"):
        sess.run([])


def test_the_graph_may_grow(graph, sess):
    a = hf.constant(1.0)
    assert sess.run(a) == 1
    b = a + 1.0
    assert sess.run([a, b]) == [1, 2]
    graph.finalize()
    assert sess.run(b) == 2


def test_a_session_is_entered_once(graph):
    a = hf.constant(1.0)
    with hf.Session() as sess:
        with pytest.raises(RuntimeError, match="not re-entrant"), sess:
            pass
        with sess.as_default(), sess.as_default():
            assert a.eval() == 1


def test_a_closed_session(graph):
    a = hf.constant(1.0)
    sess = hf.Session()
    call = sess.make_callable(a)
    assert (sess.run(a), call()) == (1, 1)
    sess.close()
    sess.close()
    for use in (lambda: sess.run(a), lambda: sess.run(5), call, lambda: a.eval(session=sess)):
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            use()
    assert "closed" in repr(sess)
    with hf.Session() as sess:
        pass
    with pytest.raises(RuntimeError, match="closed Session"):
        sess.run(a)


def test_an_exception_closes_the_session_and_its_scopes(graph):
    a = hf.constant(1.0)
    with pytest.raises(ZeroDivisionError), hf.Session() as sess:
        raise ZeroDivisionError
    assert hf.get_default_session() is None
    assert hf.get_default_graph() is graph
    with pytest.raises(RuntimeError, match="closed"):
        sess.run(a)


def test_as_default_neither_closes_nor_changes_the_graph(graph):
    a = hf.constant(2.0)
    sess = hf.Session()
    with hf.Graph().as_default() as other, sess.as_default() as given_session:
        assert given_session is sess
        assert hf.get_default_graph() is other
        assert a.eval() == 2
    assert sess.run(a) == 2
    assert hf.get_default_session() is None


def test_sessions_nest(graph):
    a = hf.constant(2.0)
    with hf.Session() as outer:
        with hf.Session() as inner:
            assert hf.get_default_session() is inner
        assert hf.get_default_session() is outer
        assert a.eval() == 2


def test_a_session_runs_a_graph_from_eager_mode():
    with hf.eager_mode():
        g = hf.Graph()
        with g.as_default():
            x = hf.constant(2.0) * 3.0
        with hf.Session(graph=g) as sess:
            assert not hf.executing_eagerly()
            assert sess.run(x) == 6
        assert hf.executing_eagerly()
        assert hf.constant(1.0).numpy() == 1


def test_values_are_freed_with_the_session(graph):
    v = hf.get_variable("v", initializer=np.zeros(1000, np.float32))
    sess = hf.Session()
    sess.run(v.initializer)
    watch = weakref.ref(sess)
    kernels = sess._kernels
    sess.close()
    assert not kernels
    del sess, kernels
    gc.collect()
    assert watch() is None


def test_config_is_accepted(graph):
    config = hf.ConfigProto(allow_soft_placement=True, gpu_options=hf.GPUOptions(allow_growth=True))
    config.intra_op_parallelism_threads = 2
    with hf.Session(config=config) as sess:
        options, metadata = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE), hf.RunMetadata()
        assert sess.run(hf.constant(1.0), options=options, run_metadata=metadata) == 1
    assert config == hf.ConfigProto(
        allow_soft_placement=True,
        intra_op_parallelism_threads=2,
        gpu_options=hf.GPUOptions(allow_growth=True),
    )
    assert config != hf.ConfigProto()
    assert "allow_soft_placement=True" in repr(config)
    # Messages inside are not shared between configs.
    assert not hf.ConfigProto().gpu_options.allow_growth
    for use in (lambda: hf.ConfigProto(nonsense=1), lambda: setattr(config, "nonsense", 1)):
        with pytest.raises(AttributeError, match="ConfigProto has no 'nonsense' field"):
            use()


# -- interactive sessions --------------------------------------------------------------------------


def test_an_interactive_session_is_the_default_until_it_is_closed():
    g = hf.Graph()
    sess = hf.InteractiveSession(graph=g)
    try:
        assert hf.get_default_graph() is g
        assert hf.get_default_session() is sess
        x = hf.constant(2.0) * 3.0
        assert x.eval() == 6
        x.op.run()
    finally:
        sess.close()
    sess.close()
    assert hf.get_default_session() is None
    assert hf.get_default_graph() is not g


def test_an_interactive_session_in_the_default_graph_lets_it_be_reset():
    hf.reset_default_graph()
    first = hf.InteractiveSession()
    assert hf.constant(1.0).eval() == 1
    hf.reset_default_graph()
    first.close()
    second = hf.InteractiveSession()
    assert hf.constant(2.0).eval() == 2
    second.close()


def test_an_interactive_session_leaves_eager_mode_while_it_lasts():
    with hf.eager_mode():
        sess = hf.InteractiveSession(graph=hf.Graph())
        assert not hf.executing_eagerly()
        sess.close()
        assert hf.executing_eagerly()


def test_an_interactive_session_leaves_the_default_graph_to_its_block():
    with hf.Graph().as_default() as graph:
        sess = hf.InteractiveSession()
        assert hf.get_default_graph() is graph
        v = hf.Variable(2.0)
        v.initializer.run()
        assert (v * 3.0).eval() == 6.0
    assert hf.get_default_graph() is not graph
    assert sess.run(v) == 2.0
    sess.close()
    assert hf.get_default_session() is None


def test_a_second_interactive_session_warns_and_they_close_in_any_order():
    one = hf.InteractiveSession(graph=hf.Graph())
    with pytest.warns(UserWarning, match="An interactive session is already active"):
        two = hf.InteractiveSession(graph=hf.Graph())
    one.close()
    assert hf.get_default_session() is two
    two.close()
    assert hf.get_default_session() is None
    three = hf.InteractiveSession(graph=hf.Graph())
    three.close()


# -- callables -------------------------------------------------------------------------------------


def test_make_callable(graph, sess):
    x = hf.placeholder(hf.float32, [], name="x")
    y = hf.placeholder(hf.float32, [], name="y")
    call = sess.make_callable({"sum": x + y, "both": [x, y]}, [x, "y:0"])
    assert call(1.0, 2.0) == {"sum": 3, "both": [1, 2]}
    assert call(np.float64(2), 3) == {"sum": 5, "both": [2, 3]}
    assert sess.make_callable(hf.no_op())() is None
    assert (
        sess.make_callable(x, (x,), accept_options=True)(5.0, options=None, run_metadata=None) == 5
    )
    with pytest.raises(ValueError, match="The callable takes 2 values, got 1"):
        call(1.0)
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(1,\) for Tensor 'x:0'"):
        call([1.0], 2.0)
    with pytest.raises(TypeError, match="`feed_list` must be a list or tuple"):
        sess.make_callable(x, x)
    with pytest.raises(TypeError, match="Fetch argument None"):
        sess.make_callable(None)
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
        sess.make_callable(x, [5])
    with pytest.raises(hf.errors.InvalidArgumentError, match="placeholder tensor 'y'"):
        sess.make_callable(x + y, [x])


# -- plans -----------------------------------------------------------------------------------------


def test_a_plan_is_built_once_for_fetches_and_feeds(graph, sess, monkeypatch):
    built = []
    monkeypatch.setattr(session, "build", lambda *a: built.append(1) or build(*a))
    x = hf.placeholder(hf.float32, [None])
    y = x * 2.0
    for size in (1, 2, 3):
        for fetches in (y, [y], {"y": y}):
            sess.run(fetches, {x: np.zeros(size)})
    assert len(built) == 3
    sess.run(y, {y: [1.0]})
    assert len(built) == 4


# -- threads ---------------------------------------------------------------------------------------


def in_threads(count, work):
    errors = []
    meet = threading.Barrier(count)

    def run(index):
        try:
            meet.wait()
            work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_many_threads_run_one_session(graph, sess):
    x = hf.placeholder(hf.float32, [None])
    y = hf.reduce_sum(x * x) + 1.0

    def work(index):
        for size in range(1, 60):
            array = np.full(size, index, np.float32)
            assert sess.run(y, {x: array}) == size * index**2 + 1
            assert sess.run([x, y], {x: array})[0].tolist() == [index] * size

    in_threads(8, work)


@pytest.mark.parametrize("resource", [False, True])
def test_threads_lose_no_update(graph, sess, resource):
    v = hf.get_variable("v", initializer=0.0, use_resource=resource)
    add = v.assign_add(1.0)
    sess.run(v.initializer)
    in_threads(8, lambda index: [sess.run(add) for _ in range(200)])
    assert sess.run(v) == 1600


def test_threads_share_one_stream_of_random_numbers(graph, sess):
    x = hf.random_uniform([], seed=1)
    y = x + 0.0
    drawn = []
    in_threads(4, lambda index: drawn.extend(sess.run([x, y])[0] for _ in range(50)))
    assert len(set(drawn)) == 200
    with hf.Session() as again:
        assert {float(again.run(x)) for _ in range(200)} == {float(d) for d in drawn}


def test_the_default_session_belongs_to_the_thread(graph, sess):
    seen = []
    in_threads(1, lambda index: seen.append(hf.get_default_session()))
    assert seen == [None]
    assert hf.get_default_session() is sess


# -- forks and processes ---------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_session_goes_on_after_a_fork(graph, sess):
    x = hf.placeholder(hf.float32, [2])
    v = hf.get_variable("v", initializer=[1.0, 2.0])
    sess.run(v.initializer)
    product = hf.reduce_sum(v * x)
    assert sess.run(product, {x: [1.0, 1.0]}) == 3
    child = os.fork()
    if child == 0:
        try:
            sess.run(v.assign([10.0, 10.0]))
            good = sess.run(product, {x: [1.0, 1.0]}) == 20 and hf.constant(2.0).eval() == 2
            os._exit(0 if good else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    # The parent's values are its own.
    assert sess.run(product, {x: [1.0, 1.0]}) == 3


_PROGRAM = """
import warnings
warnings.simplefilter("error")
import hybridflow as hf
x = hf.placeholder(hf.float32, [None], name="x")
v = hf.get_variable("v", initializer=2.0)
y = hf.reduce_sum(x) * v.value()
sess = hf.Session()
sess.run(hf.global_variables_initializer())
try:
    with sess.as_default():
        y.eval()
except hf.errors.InvalidArgumentError as error:
    print("must feed" in str(error))
print(hf.get_default_session(), float(sess.run(y, {x: [1, 2]})))
"""


@pytest.mark.parametrize("flags", [[], ["-O"]])
def test_a_program_without_scopes(flags):
    run = subprocess.run(
        [sys.executable, *flags, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["True", "None", "6.0"]


def test_fetches_that_hold_themselves_are_refused(graph):
    fetches = {"x": hf.constant(1.0)}
    fetches["again"] = [fetches]
    with hf.Session() as session, pytest.raises(ValueError, match="holds itself"):
        session.run(fetches)


def test_arrays_of_objects_that_are_numbers():
    given = np.array([[1, 2]], dtype=object)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.int32, [None, 2])
        y = hf.identity(x)
        assert session.run(y, {x: given}).tolist() == [[1, 2]]
        assert session.run(y, {x: [given[0]]}).tolist() == [[1, 2]]
        found = session.run([hf.constant(given, hf.int32), hf.constant([[1.0, 1.0]]) + given])
        assert [a.tolist() for a in found] == [[[1, 2]], [[2.0, 3.0]]]
        for other in ("3", None, 1j, 1.5, 2**70, [1, 2]):
            wrong = np.empty([1, 2], object)
            wrong[0, 0], wrong[0, 1] = other, 1
            with pytest.raises((TypeError, ValueError)):
                session.run(y, {x: wrong})
            with pytest.raises((TypeError, ValueError)):
                hf.constant(wrong, hf.int32)


def test_its_graph_with_shapes():
    with hf.Graph().as_default():
        hf.constant([1.0, 2.0])
        options = hf.ConfigProto(graph_options=hf.GraphOptions(infer_shapes=True))
        for config, told in ((None, False), (options, True)):
            with hf.Session(config=config) as session:
                (node,) = session.graph_def.node
                assert ("_output_shapes" in node.attr) is told
