"""hf.function: traces, captures, variables, effects in order, gradients, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import gradient_of


@pytest.fixture(autouse=True)
def _eager():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        yield


def test_one_trace_per_kind_of_arguments():
    traces = []

    @hf.function
    def f(x, flag=True, *, scale=1.0):
        traces.append(x.shape.as_list())
        return x * scale if flag else -x

    assert f(np.float32(2.0)).numpy() == 2.0
    x = hf.constant([1.0, 2.0])
    f(x)
    f(x)
    f(x, scale=1.0)
    assert traces == [[], [2]]
    np.testing.assert_array_equal(f(x, False).numpy(), [-1.0, -2.0])
    assert "argument 'flag' changed from True to False" in f.trace_log[-1]
    np.testing.assert_array_equal(f(x, scale=3.0).numpy(), [3.0, 6.0])
    f(hf.constant([1.0, 2.0], hf.float64), scale=3.0)
    assert "a float32 tensor" in f.trace_log[-1]
    assert "a float64 tensor" in f.trace_log[-1]


def test_other_sizes_leave_the_size_open():
    traces = []

    @hf.function
    def f(x):
        traces.append(x.shape.as_list())
        return hf.reduce_sum(x)

    for size in (2, 3, 4, 5):
        assert float(f(hf.ones([size, 2]))) == 2.0 * size
    assert traces == [[2, 2], [None, 2]]


SIZE_READERS = {
    "int": lambda x: x + float(int(x.shape[0])),
    "value": lambda x: x + float(x.shape[0].value or 0),
    "range": lambda x: sum(x[i] for i in range(x.shape[0])),
    "as_list": lambda x: x + float(x.shape.as_list()[0] or 0),
    "unpacked": lambda x: x + (lambda n: 1.0 if n == 4 else 0.0)(*x.get_shape().as_list()),
    "compared": lambda x: x + (1.0 if x.shape[0] == 4 else 0.0),
    "compared shape": lambda x: x + (1.0 if x.shape == [4] else 0.0),
    "num_elements": lambda x: x / float(x.shape.num_elements()),
    "of what is computed": lambda x: x + float(int((x * 2.0).shape[0])),
    "needed by an op": lambda x: hf.add_n(hf.unstack(x)),
}


@pytest.mark.parametrize("name", SIZE_READERS)
def test_a_size_that_is_asked_for_is_part_of_the_kind_of_arguments(name):
    body = SIZE_READERS[name]
    f = hf.function(body)
    for size in (3, 4, 5, 4, 3):
        x = hf.constant(np.arange(1.0, size + 1.0, dtype=np.float32))
        np.testing.assert_array_equal(f(x).numpy(), body(x).numpy())
    assert len(f.trace_log) == 3


def test_a_known_size_may_be_asked_for_where_another_is_open():
    traces = []

    @hf.function
    def f(x):
        traces.append(str(x.shape))
        assert x.shape.is_fully_defined() is (not traces[1:])
        return x * float(int(x.shape[1]))

    for size in (2, 3, 4):
        np.testing.assert_array_equal(f(hf.ones([size, 3])).numpy(), 3.0 * np.ones([size, 3]))
    assert traces == ["(2, 3)", "(?, 3)"]


def test_a_trace_given_up_leaves_nothing_in_collections():
    @hf.function
    def f(x):
        hf.add_to_collection("seen", 1)
        return x + float(int(x.shape[0]))

    f(hf.ones([2]))
    f(hf.ones([3]))
    assert hf.get_collection("seen") == [1, 1]


def test_numbers_that_compare_equal_or_unequal_to_themselves():
    traces = []

    @hf.function
    def f(x, y):
        traces.append(y)
        return x / y

    x = hf.constant(1.0)
    assert float(f(x, 0.0)) == np.inf
    assert float(f(x, -0.0)) == -np.inf
    for _ in range(3):
        assert np.isnan(float(f(x, float("nan"))))
    assert len(traces) == 3
    g = hf.function(lambda x, y: x)
    for y in (complex(0.0, 0.0), complex(0.0, -0.0), complex("nan"), complex("nan")):
        g(x, y)
    assert len(g.trace_log) == 3


def test_structures_of_arguments_are_told_apart():
    @hf.function
    def f(x, y):
        if isinstance(x, dict):
            return x.get("a", hf.constant(-1.0))
        return hf.add_n(list(x)) * 10.0 + (y[0] if isinstance(y, tuple) else 5.0)

    a, b, c = (hf.constant(v) for v in (1.0, 2.0, 3.0))
    assert float(f((a, b), c)) == 35.0
    assert float(f((a,), (b, c))) == 12.0
    assert float(f({"a": a}, c)) == 1.0
    assert float(f({"b": a}, c)) == -1.0


def test_input_signature():
    traces = []

    @hf.function(input_signature=[hf.TensorSpec([None], hf.float32)])
    def f(x):
        traces.append(x.shape.as_list())
        return x + 1.0

    f([1, 2])
    f(hf.constant([1.0]))
    assert traces == [[None]]
    with pytest.raises(ValueError, match="incompatible with input_signature"):
        f(hf.ones([2, 2]))


def test_a_spec_leaves_sizes_open():
    @hf.function
    def f(x):
        return hf.reduce_sum(x * x, axis=0)

    f(hf.ones([1, 2]))
    concrete = f.get_concrete_function(hf.TensorSpec([None, 2]))
    assert concrete.inputs[0].shape.as_list() == [None, 2]
    np.testing.assert_array_equal(concrete(hf.ones([3, 2])).numpy(), [3.0, 3.0])
    f(hf.ones([5, 2]))
    assert len(f.trace_log) == 2
    assert "shape (?, 2)" in f.trace_log[1]


def test_structures_go_in_and_out():
    @hf.function
    def f(batch, names):
        return {"sum": batch["a"] + batch["b"][0], "none": None, "names": [batch["a"]] * len(names)}

    result = f({"a": hf.constant(1.0), "b": (hf.constant(2.0),)}, ["x", "y"])
    assert float(result["sum"]) == 3.0
    assert result["none"] is None
    assert len(result["names"]) == 2


def test_captures_read_the_value_of_the_moment():
    v = hf.Variable(1.0)
    c = hf.constant(10.0)

    @hf.function
    def f(x):
        return x * v + c

    x = hf.constant(2.0)
    assert float(f(x)) == 12.0
    v.assign(5.0)
    assert float(f(x)) == 20.0
    concrete = f.get_concrete_function(x)
    assert len(concrete.captured_inputs) == 2
    assert [op.type for op in concrete.graph.get_operations()].count("Mul") == 1
    assert float(concrete(hf.constant(3.0))) == 25.0


def test_variables_are_made_once_and_shared():
    @hf.function
    def layer(x):
        with hf.variable_scope("layer"):
            w = hf.get_variable("w", [], initializer=hf.ones_initializer())
        w.assign_add(1.0)
        return x * w

    x = hf.constant(1.0)
    assert [float(layer(x)) for _ in range(3)] == [2.0, 3.0, 4.0]
    with hf.variable_scope("layer"):
        assert float(hf.get_variable("w", [])) == 4.0
    # Another trace finds it.
    assert layer(hf.constant([1.0])).numpy() == [5.0]


def test_a_new_variable_in_a_later_trace_is_refused():
    @hf.function
    def f(x, n):
        return x + hf.Variable(float(n))

    f(hf.constant(1.0), 1)
    with pytest.raises(ValueError, match="'f' tried to create variable"):
        f(hf.constant(1.0), 2)
    # The failed trace is forgotten, and what worked still works.
    assert float(f(hf.constant(2.0), 1)) == 3.0
    assert hf.executing_eagerly()


def test_effects_happen_in_program_order(capsys):
    v = hf.Variable(1.0)
    log = []

    @hf.function
    def f(x):
        before = v.read_value()
        v.assign(before * 2.0)
        hf.py_func(lambda: log.append("a"), [], [])
        between = v.read_value()
        v.assign_add(x)
        hf.py_func(lambda: log.append("b"), [], [])
        hf.cond(x > 0.0, lambda: v.assign_add(100.0), lambda: v.read_value())
        return before, between, v

    results = [float(t) for t in f(hf.constant(10.0))]
    assert results == [1.0, 2.0, 112.0]
    assert float(v) == 112.0
    assert log == ["a", "b"]
    assert [float(t) for t in f(hf.constant(-1.0))] == [112.0, 224.0, 223.0]


def test_writes_inside_a_loop_happen():
    v = hf.Variable(0.0)

    @hf.function
    def f(n):
        def body(i):
            v.assign_add(hf.cast(i, hf.float32))
            return i + 1

        hf.while_loop(lambda i: i < n, body, [0])
        return v.read_value()

    assert float(f(hf.constant(4))) == 6.0


def test_random_ops_go_on_in_their_stream():
    @hf.function
    def f():
        return hf.random_uniform([3], seed=5)

    first, second = f().numpy(), f().numpy()
    assert not np.array_equal(first, second)


class TestGradients:
    def test_through_a_tape_to_arguments_and_variables(self):
        v = hf.Variable([2.0, 3.0])

        @hf.function
        def f(x):
            return hf.reduce_sum(x * v * v), x

        x = hf.constant([5.0, 7.0])
        with hf.GradientTape() as tape:
            tape.watch(x)
            y, _ = f(x)
        assert tape.watched_variables() == (v,)
        dx, dv = tape.gradient(y, [x, v])
        np.testing.assert_array_equal(dx.numpy(), [4.0, 9.0])
        np.testing.assert_array_equal(dv.numpy(), [20.0, 42.0])

    def test_of_higher_order(self):
        @hf.function
        def cube(x):
            return x * x * x

        def first(x):
            return gradient_of(cube, [x])[0]

        def second(x):
            return gradient_of(first, [x])[0]

        x = hf.constant(2.0)
        assert float(second(x)) == 12.0
        assert float(gradient_of(second, [x])[0]) == 6.0

    def test_through_control_flow_to_second_order(self):
        @hf.function
        def power(x, n):
            return hf.while_loop(
                lambda i, y: i < n,
                lambda i, y: (i + 1, hf.cond(y > 0.0, lambda: y * x, lambda: y)),
                [0, hf.ones_like(x)],
            )[1]

        x = hf.constant(2.0)

        def first(x):
            return gradient_of(lambda x: power(x, 3), [x])[0]

        assert float(first(x)) == 12.0
        assert float(gradient_of(first, [x])[0]) == 12.0

    @pytest.mark.parametrize(
        "how", ["while", "cond", "py_func", "read", "second order", "persistent"]
    )
    def test_a_gradient_runs_nothing_of_the_function_again(self, how):
        """Updates inside of control flow and calls of Python happen once."""
        count = hf.Variable(0.0)
        calls = []

        def turn(i, a, x):
            with hf.control_dependencies([count.assign_add(1.0)]):
                return i + 1, hf.tanh(a * x)

        def branch(x):
            with hf.control_dependencies([count.assign_add(3.0)]):
                return x * x

        def seen(a):
            calls.append(1)
            return a

        def called(i, a, x):
            return i + 1, hf.reshape(hf.py_func(seen, [a], hf.float32), []) * 0.0 + a * x

        def loop(step, x):
            return hf.while_loop(lambda i, a: i < 3, lambda i, a: step(i, a, x), [0, x])[1]

        def read(x):
            count.assign_add(3.0)
            return hf.cond(x > 0.0, lambda: x * count, lambda: x)

        body = {
            "cond": lambda x: hf.cond(x > 0.0, lambda: branch(x), lambda: x),
            "py_func": lambda x: loop(called, x),
            "read": read,
        }.get(how, lambda x: loop(turn, x))
        found = []
        for f in (body, hf.function(body)):
            count.assign(0.0)
            calls.clear()
            x = hf.constant(0.7)
            with hf.GradientTape(persistent=how == "persistent") as outer:
                outer.watch(x)
                if how == "persistent":
                    grads = [outer.gradient(f(x), x)]
                else:
                    with hf.GradientTape() as tape:
                        tape.watch(x)
                        y = f(x)
                    grads = [tape.gradient(y, x)]
            if how in ("second order", "persistent"):
                grads.append(outer.gradient(grads[0], x))
            assert float(count) + len(calls) == 3.0
            found.append([float(g) for g in grads])
        np.testing.assert_allclose(found[0], found[1], rtol=1e-6)

    @pytest.mark.parametrize(
        ("function", "slope"),
        [
            (lambda i, a: a * 2.0, 8.0),
            (lambda i, a: a + 1.0, 1.0),
            (lambda i, a: hf.cond(a > 0.0, lambda: hf.identity(a), lambda: hf.identity(a)), 1.0),
        ],
    )
    def test_of_control_flow_that_saves_nothing(self, function, slope):
        @hf.function
        def f(x):
            return hf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, function(i, a)), [0, x])[
                1
            ]

        assert float(gradient_of(f, [hf.constant(2.0)])[0]) == slope

    def test_of_some_outputs_alone(self):
        """The others have no gradient: with zeros, 0 * inf would be NaN."""

        def f(x):
            return hf.reduce_sum(x * x), hf.sqrt(x), hf.norm(x * 0.0)

        def first(f, x):
            return gradient_of(lambda x: f(x)[0], [x])[0]

        x = hf.constant([0.0, 2.0])
        for call in (f, hf.function(f)):
            np.testing.assert_array_equal(first(call, x), [0.0, 4.0])
            (second,) = gradient_of(lambda x, call=call: first(call, x), [x])
            np.testing.assert_array_equal(second, [2.0, 2.0])

    def test_of_an_output_that_is_given_twice(self):
        @hf.function
        def f(x):
            y = x * x
            return y, y, x

        x = hf.constant(3.0)
        for weights, slope in (((1, 0, 0), 6.0), ((0, 1, 0), 6.0), ((2, 3, 1), 31.0)):
            assert (
                float(
                    gradient_of(
                        lambda x, w=weights: sum(c * y for c, y in zip(w, f(x), strict=True) if c),
                        [x],
                    )[0]
                )
                == slope
            )

    def test_a_gradient_function_does_what_it_does_once(self):
        """Effects in the function of `custom_gradient` happen with the gradient, in their order."""
        v = hf.Variable(2.0)
        log = []
        scale = hf.constant(5.0)

        @hf.custom_gradient
        def square(x):
            def grad(dy):
                v.assign_add(1.0)
                hf.py_func(lambda value: log.append(float(value)), [v.read_value()], [])
                return dy * scale * v

            return x * x, grad

        x = hf.constant(1.0)
        for call in (
            square,
            hf.function(square),
            hf.function(lambda x: hf.cond(x > 0.0, lambda: square(x), lambda: x)),
        ):
            v.assign(2.0)
            log.clear()
            assert [float(gradient_of(call, [x])[0]) for _ in range(2)] == [15.0, 20.0]
            assert log == [3.0, 4.0]

    def test_inside_the_function(self):
        v = hf.Variable(3.0)

        @hf.function
        def step(x):
            with hf.GradientTape() as tape:
                loss = v * v * x
            (grad,) = tape.gradient(loss, [v])
            v.assign_sub(0.1 * grad)
            return loss

        assert float(step(hf.constant(1.0))) == 9.0
        assert float(v) == pytest.approx(3.0 - 0.6)


def test_a_function_calls_a_function():
    @hf.function
    def inner(x):
        return x * 2.0

    @hf.function
    def outer(x):
        return inner(x) + inner(x)

    assert float(outer(hf.constant(3.0))) == 12.0


def test_in_graph_mode_it_is_called_as_it_is():
    @hf.function
    def f(x):
        return x * 2.0

    with hf.Graph().as_default(), hf.Session() as session:
        assert session.run(f(hf.constant(3.0))) == 6.0


def test_methods():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @hf.function
        def __call__(self, x):
            return x * self.scale

    two, three = Model(2.0), Model(3.0)
    x = hf.constant(5.0)
    assert [float(m(x)) for m in (two, three, two)] == [10.0, 15.0, 10.0]


def test_errors_name_the_line_and_leave_nothing_open():
    @hf.function
    def fails(x):
        with hf.variable_scope("open"), hf.name_scope("open"):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fails(hf.constant(1.0))
    assert hf.executing_eagerly()
    assert hf.get_variable_scope().name == ""

    @hf.function
    def checks(x):
        hf.Assert(x > 0.0, ["not positive"])
        return x

    with pytest.raises(hf.errors.InvalidArgumentError, match="not positive") as caught:
        checks(hf.constant(-1.0))
    assert "test_function.py" in str(caught.value)


def test_tensors_of_a_trace_do_not_leak():
    leaked = []

    @hf.function
    def f(x):
        leaked.append(x * 2.0)
        return x

    f(hf.constant(1.0))
    with pytest.raises(TypeError, match="belongs to a graph"):
        leaked[0] + 1.0


def test_threads_share_traces():
    traces = []

    @hf.function
    def f(x):
        traces.append(1)
        return x * 2.0

    results = []

    def work():
        with hf.eager_mode():
            results.extend(float(f(hf.constant(float(i)))) for i in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(traces) == 1
    assert sorted(results) == sorted([2.0 * i for i in range(50)] * 4)


def test_what_is_no_function():
    with pytest.raises(TypeError, match="takes a function"):
        hf.function(3)


def test_ops_stand_beside_eager_variables():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        table = hf.get_variable("table", initializer=[[1.0, 2.0], [3.0, 4.0]])

        @hf.function
        def rows(ids):
            def looked_up():
                with hf.colocate_with(table):
                    return hf.nn.embedding_lookup(table, ids)

            return hf.cond(hf.reduce_any(ids > 0), looked_up, looked_up)

        assert rows(hf.constant([1, 0])).numpy().tolist() == [[3.0, 4.0], [1.0, 2.0]]


@pytest.mark.parametrize("use", [float, range, lambda n: [0, 1][n]])
def test_what_is_said_of_values_that_a_trace_does_not_have(use):
    with hf.eager_mode():
        traced = hf.function(lambda n: use(n))
        with pytest.raises(TypeError, match=r"is being traced.* Give it a Python number"):
            traced(hf.constant(1))
