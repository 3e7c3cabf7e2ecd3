"""`TensorArray`: what it holds, gradients through it, loops and conditionals around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

X = np.arange(6, dtype=np.float32).reshape(3, 2) + 1


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


def test_written_items_are_read_and_stacked(run: Execution) -> None:
    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=3, clear_after_read=False)
        for i in (2, 0, 1):
            array = array.write(i, x[i] * 2.0)
        return array.read(1), array.stack(), array.size(), array.gather([2, 0]), array.concat()

    read, stacked, size, gathered, joined = run(program, X)
    np.testing.assert_array_equal(read, X[1] * 2)
    np.testing.assert_array_equal(stacked, X * 2)
    assert size == 3
    np.testing.assert_array_equal(gathered, X[[2, 0]] * 2)
    np.testing.assert_array_equal(joined, X.ravel() * 2)


def test_rows_are_unstacked_scattered_and_split(run: Execution) -> None:
    def program(x: Any) -> Any:
        def array(size: int) -> Any:
            return hf.TensorArray(hf.float32, size, clear_after_read=False, infer_shape=False)

        rows = array(3).unstack(x)
        parts = array(2).split(x, [1, 2])
        return (
            rows.read(2),
            rows.stack(),
            array(3).scatter([2, 0, 1], x).stack(),
            parts.read(1),
            parts.concat(),
        )

    read, stacked, scattered, part, joined = run(program, X)
    np.testing.assert_array_equal(read, X[2])
    np.testing.assert_array_equal(stacked, X)
    np.testing.assert_array_equal(scattered, X[[1, 2, 0]])
    np.testing.assert_array_equal(part, X[1:])
    np.testing.assert_array_equal(joined, X)


def test_a_dynamic_array_grows_and_unwritten_items_are_zeros(run: Execution) -> None:
    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=0, dynamic_size=True, element_shape=[2])
        array = array.write(3, x[0]).write(1, x[1])
        return array.size(), array.stack()

    size, stacked = run(program, X)
    assert size == 4
    np.testing.assert_array_equal(stacked, [[0, 0], X[1], [0, 0], X[0]])


# Each has a known derivative for x: the sum of what is given, times weights.
PROGRAMS = {
    "write": lambda x, a: a.write(0, x[0]).write(2, x[1] * x[2]).write(1, x[0]).stack(),
    "unstack": lambda x, a: a.unstack(x * x).stack(),
    "read": lambda x, a: a.unstack(x * x).read(1),
    "scatter": lambda x, a: a.scatter([1, 2, 0], x * x).gather([0, 0, 2]),
    "split": lambda x, a: a.split(x * x, [1, 0, 2]).concat(),
    "split_read": lambda x, a: a.split(x * x, [2, 0, 1]).read(0),
}
EXPECTED = {
    "write": lambda x: hf.stack([x[0], x[0], x[1] * x[2]]),
    "unstack": lambda x: x * x,
    "read": lambda x: x[1] * x[1],
    "scatter": lambda x: hf.gather(x * x, [2, 2, 1]),
    "split": lambda x: x * x,
    "split_read": lambda x: (x * x)[:2],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_of_first_and_second_order(run: Execution, name: str) -> None:
    def second(function: Any) -> Any:
        def program(x: Any) -> Any:
            if not hf.executing_eagerly():
                y = hf.reduce_sum(function(x) ** 3)
                (dx,) = hf.gradients(y, x)
                return [y, dx, hf.gradients(hf.reduce_sum(dx * dx), x)[0]]
            with hf.GradientTape() as outer:
                outer.watch(x)
                with hf.GradientTape() as tape:
                    tape.watch(x)
                    y = hf.reduce_sum(function(x) ** 3)
                dx = tape.gradient(y, x)
                z = hf.reduce_sum(dx * dx)
            return [y, dx, outer.gradient(z, x)]

        return program

    def through_array(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=3, infer_shape=False, clear_after_read=False)
        return PROGRAMS[name](x, array)

    got = run(second(through_array), X / 4)
    expected = run(second(EXPECTED[name]), X / 4)
    for mine, plain in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=1e-5)


def test_an_array_is_a_loop_variable(run: Execution) -> None:
    def program(x: Any) -> Any:
        source = hf.TensorArray(hf.float32, size=3).unstack(x)

        def body(i: Any, state: Any, array: Any) -> Any:
            state = hf.tanh(state + source.read(i))
            return i + 1, state, array.write(i, state)

        start = (0, hf.zeros([2]), hf.TensorArray(hf.float32, size=3))
        _, last, array = hf.while_loop(lambda i, s, a: i < 3, body, start)
        return last, array.stack()

    last, stacked = run(program, X / 10)
    state, states = np.zeros(2, np.float32), []
    for row in X / 10:
        state = np.tanh(state + row)
        states.append(state)
    np.testing.assert_allclose(stacked, states, rtol=1e-6)
    np.testing.assert_allclose(last, states[-1], rtol=1e-6)


@pytest.mark.parametrize("unstacks", [True, False], ids=["rows", "written"])
def test_gradients_flow_through_loops_with_arrays(run: Execution, unstacks: bool) -> None:
    def program(x: Any) -> Any:
        source = hf.TensorArray(hf.float32, size=3, clear_after_read=False)
        if unstacks:
            source = source.unstack(x)
        else:
            for i in range(3):
                source = source.write(i, x[i])

        def body(i: Any, state: Any, array: Any) -> Any:
            state = state * source.read(i) + source.read(2 - i)
            return i + 1, state, array.write(2 - i, state * state)

        start = (0, hf.ones([2]), hf.TensorArray(hf.float32, size=3))
        _, last, array = hf.while_loop(lambda i, s, a: i < 3, body, start)
        return hf.reduce_sum(last) + hf.reduce_sum(array.stack() * x)

    def plain(x: Any) -> Any:
        state, outputs = hf.ones([2]), []
        for i in range(3):
            state = state * x[i] + x[2 - i]
            outputs.append(state * state)
        return hf.reduce_sum(state) + hf.reduce_sum(hf.stack(outputs[::-1]) * x)

    (got,) = run.gradient(program, X / 5)
    (expected,) = run.gradient(plain, X / 5)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_conditionals_give_arrays(run: Execution) -> None:
    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=2)
        array = array.write(0, x[0])
        array = hf.cond(
            hf.reduce_sum(x) > 0.0,
            lambda: array.write(1, x[1] * 2.0),
            lambda: array.write(1, x[2]),
        )
        return array.stack()

    np.testing.assert_array_equal(run(program, X), [X[0], X[1] * 2])
    (grad,) = run.gradient(program, X)
    np.testing.assert_array_equal(grad, [[1, 1], [2, 2], [0, 0]])


WRONG = {
    "past_the_end": (lambda a, x: a.write(3, x[0]), "size is: 3"),
    "negative": (lambda a, x: a.write(hf.constant(-1), x[0]), r"index -1.*negative indices"),
    "read_past_the_end": (lambda a, x: a.write(0, x[0]).write(1, x[1]).write(2, x[1]).read(7), "7"),
    "unwritten": (lambda a, x: a.read(0), "has not been written to"),
    "lengths": (lambda a, x: a.split(x, [1, 1]), "sum of lengths"),
    "lengths_of_no_vector": (lambda a, x: a.split(x, hf.constant(3)), "lengths to be a vector"),
    "too_few_lengths": (lambda a, x: a.split(x, [1, 2]), r"\(3 vs. 2\)"),
    "scalars": (lambda a, x: a.unstack(x[:, 0]).concat(), "scalar shape at index 0"),
    "rows": (
        lambda a, x: a.write(0, x).write(1, x).write(2, x[:, :1]).concat(),
        r"Index 0 has \(excepting dimension 0\) shape: \[2\] but index 2 .* shape: \[1\]",
    ),
    "indices": (lambda a, x: a.scatter([0], x), r"len\(indices\)"),
    "shapes": (lambda a, x: a.write(0, x[0]).write(1, x).write(2, x[1]), "one shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(run: Execution, name: str) -> None:
    program, message = WRONG[name]

    def failing(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=3, infer_shape=False, tensor_array_name="mine")
        result = program(array, x)
        return result.stack() if isinstance(result, hf.TensorArray) else result

    with pytest.raises(hf.errors.InvalidArgumentError, match=f"(?s)mine.*{message}"):
        run(failing, X)


def test_an_element_in_place_of_another(run: Execution) -> None:
    """In eager mode TensorFlow writes over it, in graphs it is an error."""

    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=2, tensor_array_name="mine")
        return array.write(0, x[0]).write(0, x[1]).write(1, x[2]).stack()

    if run.name == "eager":
        np.testing.assert_array_equal(run(program, X), X[1:])
        np.testing.assert_array_equal(run.gradient(program, X)[0][:, 0], [0, 1, 1])
    else:
        with pytest.raises(hf.errors.InvalidArgumentError, match="already been written to"):
            run(program, X)


def test_elements_are_of_one_dtype_and_shape(run: Execution) -> None:
    def dtype(x: Any) -> Any:
        return hf.TensorArray(hf.int32, size=3).write(0, x[0]).stack()

    def shape(x: Any) -> Any:
        return hf.TensorArray(hf.float32, size=3).write(0, x[0]).write(1, x).stack()

    with pytest.raises(TypeError, match="int32 but Op is trying to write dtype float32"):
        run(dtype, X)
    with pytest.raises(ValueError, match="Inconsistent shapes"):
        run(shape, X)


def test_what_makes_an_array_is_checked() -> None:
    with pytest.raises(ValueError, match="Size must be provided"):
        hf.TensorArray(hf.float32)
    with hf.Graph().as_default():
        array = hf.TensorArray(hf.float32, size=2)
        with pytest.raises(ValueError, match="both a handle and size"):
            hf.TensorArray(hf.float32, size=2, handle=array.handle)
        with pytest.raises(ValueError, match="both handle and tensor_array_name"):
            hf.TensorArray(hf.float32, handle=array.handle, tensor_array_name="a")
        with pytest.raises(ValueError, match="scalar"):
            array.unstack(1.0)


def test_eager_arrays_clear_what_is_read() -> None:
    with hf.eager_mode():
        array = hf.TensorArray(hf.float32, size=1).write(0, 1.0)
        assert float(array.read(0)) == 1.0
        with pytest.raises(hf.errors.InvalidArgumentError, match="twice"):
            array.read(0)


def test_static_shapes_are_those_of_elements() -> None:
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [None, 2])
        array = hf.TensorArray(hf.float32, size=4)
        _, array = hf.while_loop(
            lambda i, a: i < 4, lambda i, a: (i + 1, a.write(i, x)), (0, array)
        )
        assert array.stack().shape.as_list() == [4, None, 2]
        assert array.read(0).shape.as_list() == [None, 2]
        assert array.concat().shape.as_list() == [None, 2]
        assert array.gather([0, 1]).shape.as_list() == [2, None, 2]


def test_an_array_goes_on_from_its_handle_and_flow() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        array = hf.TensorArray(hf.float32, size=2).write(0, 1.0)
        other = hf.TensorArray(hf.float32, handle=array.handle, flow=array.flow, infer_shape=False)
        assert session.run(other.write(1, 2.0).stack()).tolist() == [1.0, 2.0]
        session.run(other.close())


def test_maximum_iterations_end_a_loop(run: Execution) -> None:
    def program(x: Any) -> Any:
        def grown(limit: Any) -> Any:
            return hf.while_loop(
                lambda y: hf.reduce_sum(y) < 100.0,
                lambda y: [y * 2.0],
                [x],
                maximum_iterations=limit,
            )

        return grown(2), grown(hf.constant(50))

    two, all_ = run(program, X)
    np.testing.assert_array_equal(two, X * 4)
    np.testing.assert_array_equal(all_, X * 8)
    (grad,) = run.gradient(lambda x: program(x)[0], X)
    np.testing.assert_array_equal(grad, np.full_like(X, 4))


def test_maximum_iterations_is_a_scalar(run: Execution) -> None:
    with pytest.raises(ValueError, match="must be a scalar"):
        run(lambda x: hf.while_loop(lambda y: True, lambda y: y, [x], maximum_iterations=[1]), X)


def test_the_gradient_of_a_row_that_is_read_is_a_whole_tensor(run: Execution) -> None:
    (grad,) = run.gradient(
        lambda x: hf.TensorArray(hf.float32, 3).unstack(x).read(1), np.float32([2.0, 3.0, 4.0])
    )
    np.testing.assert_array_equal(grad, [0.0, 1.0, 0.0])
    with hf.Graph().as_default():
        x = hf.constant([2.0, 3.0])
        (found,) = hf.gradients(hf.TensorArray(hf.float32, 2).unstack(x).read(0), x)
        assert isinstance(found, hf.Tensor)


def test_parts_of_one_length_tell_the_shape_of_elements(run: Execution) -> None:
    def shapes(x: Any) -> Any:
        same = hf.TensorArray(hf.float32, 2).split(x, [2, 2]).read(0)
        others = hf.TensorArray(hf.float32, 2).split(x, [1, 3]).read(0)
        if not hf.executing_eagerly():
            assert same.shape.as_list() == [2, 3]
            assert others.shape.ndims is None
        return same, others

    found = run(shapes, np.zeros([4, 3], np.float32))
    assert [f.shape for f in found] == [(2, 3), (1, 3)]


def test_in_eager_mode_all_elements_are_taken_anew() -> None:
    with hf.eager_mode():
        array = hf.TensorArray(hf.string, 3).unstack(["a", "b", "c"])
        array = array.unstack(["d", "e"])
        assert (int(array.size()), array.read(1).numpy()) == (2, b"e")
        array = array.split(["f", "g", "h"], [1, 2])
        assert array.read(1).numpy().tolist() == [b"g", b"h"]
        for refused, text in (
            (lambda: array.unstack(["a", "b", "c"]), r"not resizeable.*size is: 2"),
            (lambda: array.split(["a", "b", "c"], [1, 1, 1]), r"size of lengths \(2 vs. 3\)"),
        ):
            with pytest.raises(hf.errors.InvalidArgumentError, match=text):
                refused()
        assert array.read(0).numpy().tolist() == [b"f"]


def test_arrays_of_gradients_add_up(run: Execution) -> None:
    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=3, clear_after_read=False).unstack(x)
        gradients = array.grad("mine")

        def step(i: Any, sums: Any) -> Any:
            return i + 1, sums.write(1, x[i]).write(i, x[2])

        _, gradients = hf.while_loop(lambda i, _: i < 2, step, (0, gradients))
        gradients = gradients.scatter([0], x[:1])
        other = array.grad("other")
        return gradients.stack(), gradients.read(2), other.read(0), other.size(), array.stack()

    stacked, nothing, apart, size, elements = run(program, X)
    np.testing.assert_array_equal(stacked, [X[2] + X[0], X[0] + X[1] + X[2], [0, 0]])
    np.testing.assert_array_equal(nothing, [0, 0])
    np.testing.assert_array_equal(apart, [0, 0])
    assert size == 3
    np.testing.assert_array_equal(elements, X)


def test_gradients_of_elements_have_their_shapes(run: Execution) -> None:
    def program(x: Any, fails: bool = False) -> Any:
        array = hf.TensorArray(hf.float32, size=0, dynamic_size=True, infer_shape=False)
        array = array.split(x, [1, 2])
        gradients = array.grad("mine").split(x, [1, 2])
        gradients = gradients.write(0, x if fails else x[:1])
        return gradients.concat(), array.grad("none").read(1)

    joined, zeros = run(program, X)
    np.testing.assert_array_equal(joined, [2 * X[0], X[1], X[2]])
    np.testing.assert_array_equal(zeros, np.zeros([2, 2]))
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"Could not aggregate to .* index 0"):
        run(lambda x: program(x, fails=True), X)


def test_who_asks_again_gets_the_same_array_of_gradients() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        array = hf.TensorArray(hf.float32, size=3)
        first, second = array.grad("mine"), array.grad("mine")
        with hf.control_dependencies([first.write(0, [4.0, 5.0]).flow]):
            found = second.read(0)
        assert first.handle is second.handle
        np.testing.assert_array_equal(session.run(found), [4, 5])
        np.testing.assert_array_equal(session.run(found), [4, 5])  # made anew by each run


def test_what_does_not_go_together_is_refused(run: Execution) -> None:
    def array(size: int, infer_shape: bool = False) -> Any:
        return hf.TensorArray(hf.float32, size, infer_shape=infer_shape)

    def fails(program: Any, message: str, error: Any = hf.errors.InvalidArgumentError) -> None:
        with pytest.raises(error, match=message):
            run(program, X)

    fails(lambda x: array(2).write(0, 3.0).write(1, 4.0).concat(), "scalar")
    fails(lambda x: array(2).split(x[0], [1]).concat(), "size of lengths|sum of lengths")
    fails(lambda x: array(2).split(x[:, 0], hf.constant(3)).size(), "lengths to be a vector")
    fails(lambda x: array(2).split(x[0, 0], [1]).size(), "value to be at least a vector")
    unknown = hf.errors.UnimplementedError
    fails(lambda x: array(0).stack(), "size zero, but element shape <unknown>", unknown)
    fails(lambda x: array(0).concat(), "size zero, but element shape <unknown>", unknown)


def test_no_elements_have_the_shape_that_elements_would_have(run: Execution) -> None:
    def program(x: Any) -> Any:
        array = hf.TensorArray(hf.float32, size=0).unstack(hf.zeros([0, 3, 5]))
        array.mark_used()
        return array.stack(), array.concat()

    stacked, joined = run(program, X)
    assert stacked.shape == (0, 3, 5)
    assert joined.shape == (0, 5)


def test_elements_that_were_read_are_written_anew_in_eager_mode() -> None:
    with hf.eager_mode():
        array = hf.TensorArray(hf.float32, size=2)
        for value in (1.0, 2.0):
            np.testing.assert_array_equal(array.write(1, value).stack(), [0, value])
