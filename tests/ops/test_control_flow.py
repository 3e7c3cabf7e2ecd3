"""cond, case, while_loop, map_fn and the others, with gradients of any order, in every
execution.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution, gradient_of


def abs_like(x):
    return hf.cond(x > 0.0, lambda: x * x, lambda: -x)


def power(x, n):
    return hf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * x), [0, hf.ones_like(x)])[1]


@pytest.mark.parametrize(("x", "y", "dy"), [(3.0, 9.0, 6.0), (-2.0, 2.0, -1.0)])
def test_cond_runs_one_branch_and_differentiates_it(execution, x, y, dy):
    assert execution(abs_like, x) == y
    assert execution.gradient(abs_like, x) == [dy]


def test_second_and_third_derivatives_through_cond_and_while(execution):
    def cube(x):
        return hf.cond(x > 0.0, lambda: power(x, 3), lambda: x)

    def derivatives(x):
        def first(x):
            return gradient_of(cube, [x])[0]

        def second(x):
            return gradient_of(first, [x])[0]

        return [cube(x), first(x), second(x), gradient_of(second, [x])[0]]

    assert execution(derivatives, 2.0) == [8.0, 12.0, 12.0, 6.0]


def test_gradient_reaches_captures_of_both_branches(execution):
    def function(x, a, b):
        return hf.cond(x > 0.0, lambda: a * x, lambda: b * b)

    assert execution.gradient(function, 2.0, 5.0, 7.0)[:2] == [5.0, 2.0]
    result = execution.gradient(function, -2.0, 5.0, 7.0)
    assert result[2] == 14.0
    assert not result[0]
    assert not result[1]


def test_nested_control_flow(execution):
    def function(x):
        def body(i, total):
            term = hf.cond(hf.equal(i % 2, 0), lambda: power(x, 2), lambda: -x)
            return i + 1, total + term

        return hf.while_loop(lambda i, t: i < 5, body, [0, hf.zeros_like(x)])[1]

    assert execution(function, 3.0) == 3 * 9.0 - 2 * 3.0
    assert execution.gradient(function, 3.0) == [3 * 6.0 - 2.0]


def derivatives_of(function):
    """A function of one tensor that gives the value, first and second derivative of `function`."""

    def first(x):
        return gradient_of(function, [x])[0]

    return lambda x: [function(x), first(x), *gradient_of(first, [x])]


def repeat(turns, step, x):
    return hf.while_loop(lambda i, a: i < turns, lambda i, a: (i + 1, step(i, a)), [0, x])[1]


# Functions with branches and loops inside each other, and the power of x that each is.
NESTED = {
    "a branch in a loop, both save": (
        lambda x: repeat(
            3, lambda i, a: hf.cond(hf.equal(i % 2, 0), lambda: a * a, lambda: a * a * a), x
        ),
        12,
    ),
    "branches that save values from outside the loop": (
        lambda x: repeat(3, lambda i, a: hf.cond(i > 0, lambda: a * x, lambda: x * x), x),
        4,
    ),
    "case in map_fn": (
        lambda x: hf.reduce_prod(
            hf.map_fn(
                lambda r: hf.case(
                    [(r > 9.0, lambda: r), (r * 0.0 < 1.0, lambda: r * r)], default=lambda: -r
                ),
                hf.stack([x, x]),
            )
        ),
        4,
    ),
    "a loop in a branch": (
        lambda x: hf.cond(x > 0.0, lambda: repeat(3, lambda i, a: a * x, x), lambda: x),
        4,
    ),
    "a loop in a loop, of the outer loop's variable": (
        lambda x: repeat(2, lambda i, a: repeat(2, lambda j, b: b * a, a), x),
        9,
    ),
    "a loop in a loop, of a value from outside": (
        lambda x: repeat(2, lambda i, a: repeat(2, lambda j, b: b * x, a), x),
        5,
    ),
    "a scan in a loop: its gradient loses the shape": (
        lambda x: hf.reduce_prod(
            repeat(2, lambda i, a: hf.scan(lambda t, r: t * r, a), hf.stack([x, x]))
        ),
        4,
    ),
    "an inner loop that does not turn": (
        lambda x: repeat(2, lambda i, a: repeat(0, lambda j, b: hf.constant(1.0), a * a), x),
        4,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_derivatives_of_control_flow_in_control_flow(execution, name):
    function, power = NESTED[name]
    x = 1.1
    wanted = [x**power, power * x ** (power - 1), power * (power - 1) * x ** (power - 2)]
    np.testing.assert_allclose(execution(derivatives_of(function), x), wanted, rtol=2e-6)


@pytest.mark.parametrize("x", [2.0, -2.0])
def test_second_derivative_of_a_cond_whose_branches_save_values(execution, x):
    def function(x):
        return hf.cond(x > 0.0, lambda: x * x * x, lambda: hf.exp(x))

    wanted = [8.0, 12.0, 12.0] if x > 0 else [np.exp(x)] * 3
    np.testing.assert_allclose(execution(derivatives_of(function), x), wanted, rtol=1e-6)


@pytest.mark.parametrize("index", range(3))
def test_a_loop_variable_that_is_not_used_has_gradient_zero(execution, index):
    """As in TensorFlow, where the loop is an op; but that zero is no factor: 0 * inf is NaN."""

    def function(x, y):
        def turn(i, a, b, c):
            return i + 1, a * x, hf.sqrt(b * x), c * hf.stop_gradient(b)

        return hf.while_loop(lambda i, *_: i < 2, turn, [0, x, x, y])[1:]

    got = execution.gradient(lambda x, y: function(x, y)[index], 0.0, 1.0)
    if index == 1:
        assert np.isnan(got[0])
    else:
        unused = None if execution.name == "eager" else 0.0
        assert got == ([0.0, unused] if index == 0 else [unused, 0.0])


@pytest.mark.parametrize("rows", [0, 4])
def test_gradients_of_rows_that_are_picked_turn_by_turn(execution, rows):
    """Rows that are picked twice add up, beside other uses of the array and in further loops."""

    def function(x):
        def turn(i, total):
            pair = hf.gather(x, hf.stack([i, hf.constant(0)])) if rows else x
            return i + 1, total + hf.reduce_sum(pair * pair) * hf.reduce_sum(x)

        def whole(total):
            return hf.while_loop(lambda i, _: i < rows, turn, [0, total])[1]

        return hf.while_loop(
            lambda j, _: j < 2, lambda j, total: (j + 1, whole(total)), [0, hf.reduce_sum(x) * 0.0]
        )[1]

    def reference(x):  # in closed form: the loops are unrolled
        total = hf.reduce_sum(x) * 0.0
        for _ in range(2):
            for i in range(rows):
                total += (hf.reduce_sum(x[i] * x[i]) + hf.reduce_sum(x[0] * x[0])) * hf.reduce_sum(
                    x
                )
        return total

    x = np.arange(2.0 * rows).reshape(rows, 2) / 4.0
    for got, wanted in zip(
        execution(derivatives_of(function), x), execution(derivatives_of(reference), x), strict=True
    ):
        zeros = np.zeros([rows, 2])
        got, wanted = (zeros if value is None else value for value in (got, wanted))
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_gradient_of_map_fn_takes_no_whole_array_each_turn():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, 3])
        (grad,) = hf.gradients(hf.map_fn(lambda row: row * row, x), x)
        sums = [op for op in graph.get_operations() if op.type == "UnsortedSegmentSum"]
        assert [op.body for op in sums] == [None]
        value = np.arange(6, dtype=np.float32).reshape(2, 3)
        np.testing.assert_array_equal(session.run(grad, {x: value}), 2.0 * value)


def test_while_loop_structures_and_invariants(execution):
    def function(x):
        def body(state, rows):
            return {"i": state["i"] + 1, "s": state["s"] * 2.0}, hf.concat([rows, rows[:1]], 0)

        shapes = ({"i": hf.TensorShape([]), "s": hf.TensorShape([])}, hf.TensorShape([None, 2]))
        return hf.while_loop(
            lambda state, rows: state["i"] < 3, body, ({"i": 0, "s": x}, hf.ones([1, 2])), shapes
        )

    state, rows = execution(function, 1.5)
    assert state == {"i": 3, "s": 12.0}
    assert rows.shape == (4, 2)


def test_a_loop_that_never_turns_has_gradient_one(execution):
    def function(x):
        return hf.while_loop(lambda y: y < 0.0, lambda y: y * 3.0, [x])

    assert execution(function, 5.0) == 5.0
    assert execution.gradient(function, 5.0) == [1.0]


@pytest.mark.parametrize(
    ("function", "wanted", "grad"),
    [
        (lambda x: hf.map_fn(lambda r: r * r, x), [1.0, 4.0, 9.0], [2.0, 4.0, 6.0]),
        (lambda x: hf.foldl(lambda a, r: a * r, x), 6.0, [6.0, 3.0, 2.0]),
        (lambda x: hf.foldr(lambda a, r: a - r, x), 0.0, [-1.0, -1.0, 1.0]),
        (lambda x: hf.scan(lambda a, r: a * r, x), [1.0, 2.0, 6.0], [9.0, 4.0, 2.0]),
        (
            lambda x: hf.scan(lambda a, r: a + r, x, initializer=hf.constant(1.0)),
            [2.0, 4.0, 7.0],
            [3.0, 2.0, 1.0],
        ),
    ],
)
def test_functions_over_rows(execution, function, wanted, grad):
    x = np.array([1.0, 2.0, 3.0], np.float32)
    np.testing.assert_allclose(execution(function, x), wanted)
    np.testing.assert_allclose(execution.gradient(function, x)[0], grad)


def test_map_fn_over_structures_and_no_rows(execution):
    def function(x, n):
        return hf.map_fn(lambda row: row[0] + hf.cast(row[1], hf.float32), (x, n), dtype=hf.float32)

    x = np.array([[1.0], [2.0]], np.float32)
    n = np.array([[10], [20]], np.int32)
    np.testing.assert_array_equal(execution(function, x, n), [[11.0], [22.0]])
    empty = execution(lambda x: hf.map_fn(lambda r: r * 2.0, x), np.zeros([0], np.float32))
    assert empty.shape == (0,)


def test_case_takes_the_first_true_predicate(execution):
    def function(x):
        return hf.case(
            [(x < 1.0, lambda: x), (x < 5.0, lambda: x * 10.0), (x < 9.0, lambda: x * 100.0)],
            default=lambda: -x,
        )

    assert [execution(function, x) for x in (0.5, 2.0, 6.0, 20.0)] == [0.5, 20.0, 600.0, -20.0]


def test_case_without_default_and_exclusive(execution):
    def nothing(x):
        return hf.case([(x < 0.0, lambda: x), (x < 1.0, lambda: x)])

    assert execution(nothing, 0.5) == 0.5
    with pytest.raises(hf.errors.InvalidArgumentError, match="Input error: None of the conditions"):
        execution(nothing, 2.0)

    def both(x):
        return hf.case([(x > 0.0, lambda: x), (x > 1.0, lambda: -x)], exclusive=True)

    assert execution(both, 0.5) == 0.5
    with pytest.raises(
        hf.errors.InvalidArgumentError, match="Input error: More than one condition"
    ):
        execution(both, 2.0)


def test_a_list_of_one_result_is_that_result(execution):
    """So one branch may give a list, the other its item, unless `strict` says otherwise."""

    def function(x):
        chosen = hf.cond(x > 0.0, lambda: [x], lambda: -x)
        return [chosen, hf.case([(x > 0.0, lambda: (x,))], default=lambda: [-x])]

    assert execution(function, 2.0) == [2.0, 2.0]
    assert execution(function, -3.0) == [3.0, 3.0]
    with hf.Graph().as_default(), pytest.raises(ValueError, match="same nested structure"):
        hf.cond(hf.constant(True), lambda: [hf.constant(1)], lambda: hf.constant(1), strict=True)


@pytest.mark.parametrize("inner", [False, True])
def test_a_branch_waits_only_for_what_its_results_need(inner):
    with hf.Graph().as_default(), hf.Session() as session:
        unfed = hf.placeholder(hf.float32, [], name="unfed")
        a = hf.constant(3)

        def waiting(needed):
            with hf.control_dependencies([unfed]):
                waited = a + 1
            return (waited if needed else a) + 2

        def chosen(needed):
            function = lambda: waiting(needed)  # noqa: E731 - as `cond` takes it
            if inner:
                taken = function
                function = lambda: hf.cond(a > 2, taken, lambda: a)  # noqa: E731
            return hf.cond(hf.constant(True), function, lambda: hf.constant(1))

        assert session.run(chosen(needed=False)) == 5
        with pytest.raises(hf.errors.InvalidArgumentError, match="unfed"):
            session.run(chosen(needed=True))


@pytest.mark.parametrize("x", [3.5, 398.5, 1000.0])
def test_case_of_hundreds_of_pairs(execution, x):
    def function(x):
        pairs = [(x < float(k), lambda k=k: x * x * float(k)) for k in range(400)]
        return hf.case(pairs, default=lambda: -x)

    index = float(np.ceil(x))
    wanted = [x * x * index, 2 * x * index] if x < 400 else [-x, -1.0]
    np.testing.assert_allclose(
        execution(lambda x: [function(x), *gradient_of(function, [x])], x), wanted
    )


def test_case_names_its_ops_as_a_cond_in_a_cond_does():
    with hf.Graph().as_default() as graph:
        x = hf.placeholder(hf.float32, [])
        y = hf.case(
            [(x < 1.0, lambda: hf.add(x, 1.0, "a")), (x < 2.0, lambda: hf.add(x, 2.0, "b"))],
            default=lambda: hf.add(x, 3.0, "c"),
        )
        assert y.name == "case/cond/Merge:0"
        for name in ("case/cond/a", "case/cond/cond/b", "case/cond/cond/c"):
            assert graph.get_operation_by_name(name).type == "Add"


def test_case_arguments():
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [])
        with pytest.raises(TypeError, match="predicates of case must be bool"):
            hf.case([(x, lambda: x)], default=lambda: x)
        with pytest.raises(TypeError, match="branch 1 of case 'case_1' must have the same type"):
            hf.case([(x > 0.0, lambda: x)], default=lambda: hf.constant(1))
        with pytest.raises(TypeError, match="Incompatible return values of branch 0"):
            hf.case([(x > 0.0, lambda: [x, x])], default=lambda: {"a": x, "b": x})


def test_variables_in_branches_and_loops(execution):
    def function(x):
        v = hf.get_variable("v", initializer=2.0, use_resource=True)

        def branch():
            w = hf.get_variable("w", initializer=3.0, use_resource=True)
            return v * w * x

        y = hf.cond(x > 0.0, branch, lambda: x)
        return hf.while_loop(lambda i, s: i < 2, lambda i, s: (i + 1, s + v), [0, y])[1]

    assert execution(function, 1.0) == 2.0 * 3.0 + 4.0
    assert execution(function, -1.0) == -1.0 + 4.0


def test_gradient_of_a_variable_used_in_a_loop(execution):
    def function(x):
        v = hf.get_variable("v", initializer=2.0, use_resource=True)

        def total():
            return hf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * v), [0, x])[1]

        if not hf.executing_eagerly():
            return hf.gradients(total(), [v, x])
        with hf.GradientTape() as tape:
            tape.watch(x)
            y = total()
        return tape.gradient(y, [v, x])

    assert execution(function, 5.0) == [3 * 4.0 * 5.0, 8.0]


def test_random_numbers_in_a_loop_are_those_that_the_gradient_sees():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant(3.0)
        noise = []

        def body(i, s):
            noise.append(hf.random_uniform([], seed=7))
            return i + 1, s + x * noise[-1]

        _, y = hf.while_loop(lambda i, s: i < 4, body, [0, 0.0])
        (dx,) = hf.gradients(y, x)
        for _ in range(3):
            value, slope = session.run([y, dx])
            assert value == pytest.approx(3.0 * slope, rel=1e-6)


def test_only_the_branch_taken_runs():
    calls = []
    with hf.Graph().as_default(), hf.Session() as session:
        p = hf.placeholder(hf.bool, [])

        def branch(name):
            return lambda: hf.py_func(
                lambda: (calls.append(name), np.float32(0))[1], [], hf.float32
            )

        y = hf.cond(p, branch("yes"), branch("no"))
        session.run(y, {p: True})
        session.run(y, {p: False})
    assert calls == ["yes", "no"]


def test_an_op_from_outside_that_a_branch_waits_for_runs_first():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.Variable(1.0)
        bump = v.assign_add(1.0)

        def branch():
            with hf.control_dependencies([bump]):
                return v.read_value()

        y = hf.cond(hf.constant(True), branch, lambda: hf.constant(0.0))
        session.run(hf.global_variables_initializer())
        assert session.run(y) == 2.0


class TestErrors:
    def test_tensor_of_a_body_used_outside(self):
        leaked = []
        with hf.Graph().as_default():
            x = hf.constant(1.0)
            hf.cond(x > 0.0, lambda: leaked.append(x + 1.0) or x, lambda: x)
            with pytest.raises(ValueError, match="true_fn of cond 'cond'"):
                leaked[0] * 2.0
            assert not x.graph.is_fetchable(leaked[0])

    def test_cond_arguments(self):
        with hf.Graph().as_default():
            x = hf.constant(1.0)
            with pytest.raises(TypeError, match="must not be a Python bool"):
                hf.cond(True, lambda: x, lambda: x)
            with pytest.raises(TypeError, match="true_fn must be callable"):
                hf.cond(x > 0.0, x, lambda: x)
            with pytest.raises(TypeError, match="false_fn argument required"):
                hf.cond(x > 0.0, lambda: x)
            with pytest.raises(TypeError, match="float32, int32"):
                hf.cond(x > 0.0, lambda: x, lambda: hf.constant(1))
            with pytest.raises(ValueError, match="same number of results"):
                hf.cond(x > 0.0, lambda: [x, x], lambda: [x])
            with pytest.raises(TypeError, match="bool tensor"):
                hf.cond(x, lambda: x, lambda: x)
            with pytest.raises(ValueError, match="must be rank 0 but is rank 1 for pred of cond"):
                hf.cond([x > 0.0], lambda: x, lambda: x)
            assert x.graph._scope.top.body is None

    def test_while_loop_arguments(self):
        with hf.Graph().as_default():
            with pytest.raises(ValueError, match="No loop variables"):
                hf.while_loop(lambda: True, lambda: 1, [])
            with pytest.raises(TypeError, match="cond must be callable"):
                hf.while_loop(True, lambda i: i, [0])
            with pytest.raises(TypeError, match=r"float32.*int32|int32.*float32"):
                hf.while_loop(lambda i: i < 3, lambda i: hf.cast(i, hf.float32), [0])
            with pytest.raises(ValueError, match="not an invariant"):
                hf.while_loop(
                    lambda x: hf.reduce_sum(x) < 3.0, lambda x: hf.concat([x, x], 0), [hf.ones([1])]
                )
            with pytest.raises(ValueError, match="the same number of elements"):
                hf.while_loop(lambda i, j: i < 3, lambda i, j: i, [0, 0])
            with pytest.raises(TypeError, match="boolean scalar"):
                hf.while_loop(lambda i: i, lambda i: i, [0])
            with pytest.raises(ValueError, match="must be rank 0 but is rank 1 for what cond of"):
                hf.while_loop(lambda x: x < 3.0, lambda x: x, [hf.ones([2])])

    @pytest.mark.parametrize("size", [1, 2])
    def test_a_condition_that_turns_out_to_be_no_scalar(self, size):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32)
            chosen = hf.cond(x < 3.0, lambda: 1, lambda: 2)
            repeated = hf.while_loop(lambda x: x < 3.0, lambda x: x + 1.0, [x])
            for _ in range(3):
                assert session.run([chosen, repeated], {x: 1.0}) == [1, 3.0]
                for fetched in chosen, repeated:
                    with pytest.raises(
                        hf.errors.InvalidArgumentError, match=rf"has shape \[{size}\]"
                    ):
                        session.run(fetched, {x: [1.0] * size})

    def test_an_exception_in_a_branch_leaves_nothing_open(self):
        with hf.Graph().as_default() as graph:
            x = hf.constant(1.0)

            def fails():
                raise RuntimeError("mine")

            with pytest.raises(RuntimeError, match="mine"):
                hf.cond(x > 0.0, fails, lambda: x)
            assert graph._scope.top.body is None
            assert graph.get_name_scope() == ""


def test_group_and_tuple_order_what_they_group():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.Variable(0.0)
        add, double = v.assign_add(1.0), hf.constant(2.0) * 2.0
        session.run(hf.global_variables_initializer())
        assert session.run(hf.group(add, double)) is None
        assert session.run(v) == 1.0
        (gated,) = hf.tuple([double], control_inputs=[add])
        assert session.run(gated) == 4.0
        assert session.run(v) == 2.0
        with pytest.raises(ValueError, match="Unknown keyword arguments: names"):
            hf.group(add, names="x")
        with pytest.raises(ValueError, match="at least one Tensor"):
            hf.tuple([])


def test_print_passes_its_input_on(execution: Execution, capsys):
    def function(x):
        return hf.Print(x, [x, hf.constant("text")], message="x is ", summarize=2)

    x = np.array([1.0, 2.0, 3.0], np.float32)
    np.testing.assert_array_equal(execution(function, x), x)
    assert "x is [1.0 2.0...][text]" in capsys.readouterr().err
    np.testing.assert_array_equal(execution.gradient(function, x)[0], [1.0, 1.0, 1.0])


def test_assert_shows_its_data(execution: Execution):
    def function(x):
        with hf.control_dependencies([hf.Assert(x > 0.0, ["x:", x])]):
            return hf.identity(x)

    assert execution(function, 1.0) == 1.0
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"assertion failed: \[x:\] \[-1.0\]"):
        execution(function, -1.0)


def test_py_func_gets_its_own_arrays_and_is_checked(execution: Execution):
    def spoil(x):
        x[:] = 7.0
        return x

    x = np.array([1.0, 2.0], np.float32)
    a, b = execution(lambda x: [x, hf.py_func(spoil, [x], hf.float32)], x)
    np.testing.assert_array_equal(a, x)
    np.testing.assert_array_equal(b, [7.0, 7.0])
    with pytest.raises(hf.errors.InvalidArgumentError, match="float64, but expects float32"):
        execution(lambda x: hf.py_func(lambda x: x.astype(np.float64), [x], hf.float32), x)
    with pytest.raises(hf.errors.InvalidArgumentError, match="returns 2 values"):
        execution(lambda x: hf.py_func(lambda x: [x, x], [x], [hf.float32]), x)
    with pytest.raises(TypeError, match="Expected a list of tensors for 'inp'"):
        execution(lambda x: hf.py_func(lambda x: x, x, hf.float32), x)


class _Refusal(Exception):
    code = 3


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (KeyError("a"), hf.errors.UnknownError),
        (ZeroDivisionError("a"), hf.errors.UnknownError),
        (FileNotFoundError(2, "a"), hf.errors.UnknownError),
        (_Refusal("a"), hf.errors.UnknownError),
        (NotImplementedError("a"), hf.errors.UnimplementedError),
        (StopIteration("a"), hf.errors.OutOfRangeError),
    ],
)
def test_what_py_func_raises_is_told_with_the_op_and_of_both_classes(raised, kind):
    def fail(x):
        raise raised

    with hf.Graph().as_default(), hf.Session() as session:
        y = hf.py_func(fail, [hf.ones([2])], hf.float32, name="mine")
        with pytest.raises(kind) as e:
            session.run(y)
    assert e.value.message == f"{type(raised).__name__}: {raised} in 'mine' (op: 'PyFunc')."
    assert "Caused by op 'mine'" in str(e.value)
    assert "test_control_flow.py" in str(e.value)
    assert e.value.__cause__ is raised
    if not isinstance(raised, StopIteration):
        assert isinstance(e.value, type(raised))
        assert e.value.args == raised.args
    copied = pickle.loads(pickle.dumps(e.value))
    assert type(copied) is kind
    assert copied.message == e.value.message


def test_what_py_func_raises_of_a_class_that_no_other_can_join():
    class Odd(Exception):
        def __new__(cls, one):
            return super().__new__(cls, one)

    def fail(x):
        raise Odd("a")

    with hf.Graph().as_default(), hf.Session() as session:
        y = hf.py_func(fail, [hf.ones([2])], hf.float32)
        with pytest.raises(hf.errors.UnknownError, match="Odd: a in 'PyFunc'"):
            session.run(y)


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (lambda x: x > 1.0, "hf.bool"),
        (lambda x: (x, x > 1.0), r"\(hf.float32, hf.bool\)"),
        (lambda x: (x,), r"\(hf.float32,\)"),
        (lambda x: {"a": [x]}, r"\{'a': \[hf.float32\]\}"),
    ],
)
def test_map_fn_says_which_dtype_to_give(execution, function, dtype):
    with pytest.raises((TypeError, ValueError), match=rf"`dtype={dtype}`\.$"):
        execution(lambda x: hf.map_fn(function, x), np.ones([3], np.float32))


# -- rows of tensors: `IndexedSlices` --------------------------------------------------------------


def test_rows_are_loop_variables_and_results_of_branches(execution: Execution) -> None:
    def program(values: Any, indices: Any) -> Any:
        x = hf.IndexedSlices(values, indices, hf.constant([10, 2]))

        def body(i: Any, x: Any) -> Any:
            rows = hf.IndexedSlices(x.values * 2.0, x.indices, x.dense_shape)
            doubled = hf.IndexedSlices(rows.values, rows.indices + 1, rows.dense_shape)
            return i + 1, hf.cond(hf.equal(i, 1), lambda: doubled, lambda: rows)

        _, y = hf.while_loop(lambda i, _: i < 3, body, [0, x])
        assert isinstance(y, hf.IndexedSlices)
        return y.values, y.indices, hf.convert_to_tensor(y)

    values = np.array([[2.0, 4.0], [3.0, 5.0]], np.float32)
    found, places, whole = execution(program, values, np.array([0, 3]))
    np.testing.assert_array_equal(found, 8 * values)
    np.testing.assert_array_equal(places, [1, 4])
    np.testing.assert_array_equal(whole[[1, 4]], 8 * values)
    (grad,) = execution.gradient(lambda v: program(v, hf.constant([0, 3]))[0], values)
    np.testing.assert_array_equal(grad, np.full_like(values, 8))


def test_the_shape_invariant_of_rows_is_that_of_their_values() -> None:
    with hf.Graph().as_default():
        values, indices = hf.zeros([2, 3]), hf.constant([0, 3])
        for parts in ([values, indices], [values, indices, hf.constant([10, 3])]):
            x = hf.IndexedSlices(*parts)
            rows = [hf.TensorShape([]), hf.TensorShape([None, 3])]
            _, y = hf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x), [0, x], rows)
            assert y.values.shape.as_list() == [None, 3]
            assert y.indices.shape.as_list() == [None]
            rows[1] = hf.TensorShape([None, 5])
            with pytest.raises(ValueError, match="is not compatible with"):
                hf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x), [0, x], rows)


@pytest.mark.parametrize("use_resource", [False, True])
def test_the_gradient_of_lookups_in_a_loop_is_the_rows_looked_up(use_resource: bool) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        start = np.arange(15, dtype=np.float32).reshape(5, 3)
        w = hf.get_variable("w", initializer=start, use_resource=use_resource)

        def body(i: Any, total: Any) -> Any:
            return i + 1, total + hf.reduce_sum(hf.nn.embedding_lookup(w, [i, 0]) ** 2)

        _, y = hf.while_loop(lambda i, _: i < 4, body, [0, 0.0])
        (grad,) = hf.gradients(y, w)
        assert isinstance(grad, hf.IndexedSlices)
        again = hf.gradients(grad.values, w)[0]
        whole = hf.convert_to_tensor(grad)
        updated = hf.train.GradientDescentOptimizer(0.1).apply_gradients([(grad, w)])
        session.run(hf.global_variables_initializer())
        want = 2 * start * np.array([[5], [1], [1], [1], [0]])
        for _ in range(3):
            np.testing.assert_allclose(session.run(whole), want)
            assert session.run(grad).values.shape == (8, 3)
            second = session.run(hf.convert_to_tensor(again))
            np.testing.assert_allclose(second[:, 0], [10, 2, 2, 2, 0])
        session.run(updated)
        np.testing.assert_allclose(session.run(w), start - 0.1 * want, rtol=1e-5)


def test_a_scan_of_no_rows_has_the_shape_of_its_states(execution: Execution) -> None:
    def program(x: Any) -> Any:
        return hf.scan(lambda a, row: a + row, x, initializer=hf.zeros([2], hf.float64))

    assert execution(program, np.zeros([0, 2])).shape == (0, 2)


def test_strings_are_loop_variables_in_every_run() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])

        def body(i: Any, text: Any) -> Any:
            return i + 1, hf.string_join([text, hf.as_string(i)])

        _, text = hf.while_loop(lambda i, _: i < n, body, [0, hf.constant("q")])
        chosen = hf.cond(n > 0, lambda: hf.string_join([text, "!"]), lambda: hf.constant("none"))
        doubled = hf.string_join([chosen, hf.map_fn(lambda t: t, hf.stack([text]))[0]])
        for turns, want in ((3, b"q012!q012"), (3, b"q012!q012"), (0, b"noneq"), (3, b"q012!q012")):
            assert session.run(doubled, {n: turns}) == want


@pytest.mark.parametrize("use_resource", [False, True])
def test_all_that_a_loop_uses_has_a_gradient_if_one_of_its_results_has(use_resource: bool) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        a, b, c = (
            hf.get_variable(name, initializer=0.0, use_resource=use_resource) for name in "abc"
        )

        def body(i: Any, y: Any, z: Any) -> Any:
            return i + 1, y * 2.0 + a, z + hf.log(b)

        _, y, z = hf.while_loop(lambda i, *_: i < 3, body, [0, 1.0, 1.0])
        grads = hf.gradients([y, hf.stop_gradient(z)], [a, b, c])
        assert grads[2] is None
        session.run(hf.global_variables_initializer())
        assert session.run(grads[:2]) == [7, 0]  # no NaN comes of the logarithm
        assert hf.gradients(hf.stop_gradient(y), [a, b]) == [None, None]


def test_a_python_function_gets_scalars_as_keys(execution):
    """As TensorFlow passes them: scalars of NumPy's, and bytes."""
    kinds = []
    table = {1: 10.0, b"k": 5.0}

    def look_up(number, text, vector):
        kinds.append((type(number), type(text), type(vector)))
        return np.float64(table[number] + table[text] + vector[0])

    def run():
        return hf.py_func(
            look_up, [hf.constant(1), hf.constant("k"), hf.constant([2.0])], "float64"
        )

    assert execution(run) == 17.0
    assert set(kinds) == {(np.int32, bytes, np.ndarray)}


def test_map_fn_over_a_variable_by_reference():
    with hf.Graph().as_default(), hf.Session() as session:
        rows = hf.Variable([1.0, 2.0])
        doubled = hf.map_fn(lambda x: 2.0 * x, rows)
        halves = hf.map_fn(lambda x: x / 2.0, rows, dtype=rows.dtype)
        session.run(rows.initializer)
        assert session.run(doubled).tolist() == [2, 4]
        assert session.run(halves).tolist() == [0.5, 1]
