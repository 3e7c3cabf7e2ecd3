"""hf.gradients, GradientTape and custom_gradient beyond what the op table shows."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import context
from hybridflow._src.framework.op_def import OPS, OpDef
from tests.execution import gradient_of


def test_unconnected_and_integer_paths_give_none(execution):
    def function(x, y):
        return hf.cast(hf.cast(x, hf.int32), hf.float32) + 2.0

    assert execution.gradient(function, 3.0, 4.0) == [None, None]


def test_paths_that_meet_are_added(execution):
    def function(x):
        y = x * x
        return y * x + y + hf.stop_gradient(y) * x

    assert execution.gradient(function, 2.0) == [12.0 + 4.0 + 4.0]


def test_rows_of_lookups_stay_rows_and_add_up(execution):
    table = np.arange(12, dtype=np.float32).reshape(4, 3)

    def function(t):
        return hf.gather(t, [0, 2]) * 2.0 + hf.gather(t, [2, 3])

    wanted = np.repeat([2.0, 0.0, 3.0, 1.0], 3).reshape(4, 3)
    np.testing.assert_array_equal(execution.gradient(function, table)[0], wanted)


def test_a_lookup_in_a_variable_gives_indexed_slices(execution):
    def function(x):
        v = hf.get_variable("v", initializer=np.ones([4, 2], np.float32), use_resource=True)
        if hf.executing_eagerly():
            with hf.GradientTape() as tape:
                y = hf.gather(v, [1, 1]) * x
            (grad,) = tape.gradient(y, [v])
        else:
            (grad,) = hf.gradients(hf.gather(v, [1, 1]) * x, [v])
        assert isinstance(grad, hf.IndexedSlices)
        return [grad.values, grad.indices]

    values, indices = execution(function, 3.0)
    np.testing.assert_array_equal(values, [[3.0, 3.0]] * 2)
    np.testing.assert_array_equal(indices, [1, 1])


class TestGraph:
    def test_grad_ys_and_stop_gradients(self):
        with hf.Graph().as_default(), hf.Session() as session:
            a = hf.constant(2.0)
            b = a * 3.0
            assert session.run(hf.gradients(a + b, [a, b], stop_gradients=[a, b])) == [1.0, 1.0]
            assert session.run(hf.gradients(a + b, [a, b])) == [4.0, 1.0]
            assert session.run(hf.gradients([b, a], a, grad_ys=[hf.constant(10.0), None])) == [31.0]
            assert session.run(hf.gradients(b, a, grad_ys=5.0)) == [15.0]

    def test_bad_grad_ys(self):
        with hf.Graph().as_default():
            a = hf.constant([1.0, 2.0])
            with pytest.raises(ValueError, match="2 grad_ys for 1 ys"):
                hf.gradients(a, a, grad_ys=[a, a])
            with pytest.raises(ValueError, match=r"int32.*float32"):
                hf.gradients(a, a, grad_ys=[hf.constant([1, 2])])
            with pytest.raises(ValueError, match="shape"):
                hf.gradients(a, a, grad_ys=[hf.constant([1.0, 2.0, 3.0])])
            with pytest.raises(ValueError, match="shape"):
                hf.gradients(a, a, grad_ys=[1.0])

    def test_where_sums_stand(self):
        with hf.Graph().as_default() as graph:
            w = hf.constant([[1.0]], name="w")
            x, y = hf.matmul(w, [[1.0, 2.0]], name="x"), hf.matmul(w, [[3.0, 4.0]], name="y")
            (alone,) = hf.gradients(x + y, w)
            (beside,) = hf.gradients(x + y, w, colocate_gradients_with_ops=True)
            with graph.device("/task:1"):
                z = hf.matmul(w, [[1.0, 2.0]])
            (apart,) = hf.gradients(x + z, w, colocate_gradients_with_ops=True)
        assert alone.op.type == beside.op.type == apart.op.type == "AddN"
        assert beside.op.colocation_groups() == [b"loc:@x"]
        assert apart.op.colocation_groups() == [b"loc:@w"]
        assert alone.op.colocation_groups() == [b"loc:@gradients/AddN"]

    def test_grad_ys_of_another_shape(self):
        with hf.Graph().as_default(), hf.Session() as session:
            a = hf.constant([1.0, 2.0])
            of_scalar = hf.gradients(hf.reduce_sum(a * a), a, grad_ys=[[3.0]])
            of_matrix = hf.gradients(hf.reshape(a, [2, 1]), a, grad_ys=[[[3.0, 4.0]]])
            got = session.run(of_scalar + of_matrix)
        np.testing.assert_array_equal(got, [[6.0, 12.0], [3.0, 4.0]])

    def test_eager_mode_is_told_of_the_tape(self):
        with hf.eager_mode(), pytest.raises(RuntimeError, match="GradientTape"):
            hf.gradients(hf.constant(1.0), hf.constant(1.0))

    def test_names_stand_under_the_scope(self):
        with hf.Graph().as_default() as graph:
            x = hf.constant(2.0, name="x")
            y = hf.multiply(x, x, name="y")
            hf.gradients(y, x)
            names = [op.name for op in graph.get_operations()]
            assert "gradients/grad_ys_0" in names
            assert any(name.startswith("gradients/y_grad/") for name in names)

    def test_colocation_is_recorded(self):
        with hf.Graph().as_default() as graph:
            x = hf.constant(2.0, name="x")
            y = hf.multiply(x, x, name="y")
            hf.gradients(y, x, colocate_gradients_with_ops=True)
            op = next(o for o in graph.get_operations() if o.name.startswith("gradients/y_grad/"))
            assert op.colocation_groups() == [b"loc:@y"]

    def test_a_gradient_function_that_gives_the_wrong_number(self):
        record = OpDef(
            "WrongGradient",
            "x: T, y: T -> z: T",
            shape=lambda attrs, x, y: x._dims,
            compute=lambda x, y: x + y,
            grad=lambda op, dz: dz,
            samples=lambda rng: (),
        )
        try:
            with hf.Graph().as_default():
                x = hf.constant(1.0)
                with pytest.raises(
                    ValueError, match=r"WrongGradient.*gave 1 gradients for 2 inputs"
                ):
                    hf.gradients(record(x, x), x)
        finally:
            del OPS["WrongGradient"]


class TestTape:
    def test_nested_tapes(self):
        with hf.eager_mode():
            x = hf.constant(2.0)

            def cube(x):
                return x * x * x

            def first(x):
                return gradient_of(cube, [x])[0]

            assert float(gradient_of(first, [x])[0]) == 12.0

    def test_one_gradient_unless_persistent(self):
        with hf.eager_mode():
            x = hf.constant(2.0)
            with hf.GradientTape() as tape:
                tape.watch(x)
                y = x * x
            assert float(tape.gradient(y, x)) == 4.0
            with pytest.raises(RuntimeError, match="persistent=True"):
                tape.gradient(y, x)
            with hf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                y = x * x
                z = y * x
            assert [float(tape.gradient(t, x)) for t in (y, z, y)] == [4.0, 12.0, 4.0]

    def test_structures_and_output_gradients(self):
        with hf.eager_mode():
            x = hf.constant(2.0)
            y = hf.constant(3.0)
            with hf.GradientTape() as tape:
                tape.watch({"x": x, "y": [y]})
                targets = [x * y, x + y]
            grads = tape.gradient(
                targets, {"a": x, "b": (y,)}, output_gradients=[hf.constant(10.0), None]
            )
            assert float(grads["a"]) == 31.0
            assert float(grads["b"][0]) == 21.0

    def test_only_what_is_watched_and_when(self):
        with hf.eager_mode():
            x = hf.constant(2.0)
            with hf.GradientTape() as tape:
                before = x * x
                tape.watch(x)
                with tape.stop_recording():
                    hidden = x * x
                after = x * x
            assert [tape.gradient(t, x) for t in (before,)] == [None]
            with hf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                with tape.stop_recording():
                    hidden = x * x
                after = x * x
            assert tape.gradient(hidden, x) is None
            assert float(tape.gradient(after, x)) == 4.0

    def test_trainable_variables_are_watched(self):
        with hf.eager_mode():
            v, frozen = hf.Variable(3.0), hf.Variable(4.0, trainable=False)
            with hf.GradientTape() as tape:
                y = v * frozen
            assert tape.watched_variables() == (v,)
            grads = tape.gradient(y, [v, frozen])
            assert float(grads[0]) == 4.0
            assert grads[1] is None
            with hf.GradientTape(watch_accessed_variables=False) as tape:
                y = v * v
            assert tape.watched_variables() == ()

    def test_watched_variables_come_in_the_order_in_which_they_were_made(self):
        with hf.eager_mode():
            first, second = hf.Variable(3.0), hf.Variable(4.0)
            with hf.GradientTape() as tape:
                _ = second * second * first
            assert tape.watched_variables() == (first, second)

    def test_in_graph_mode_it_builds_the_gradient(self):
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.constant(3.0)
            with hf.GradientTape() as tape:
                tape.watch(x)
                y = x * x
            assert session.run(tape.gradient(y, x)) == 6.0

    def test_nothing_stays_alive_or_open(self):
        with hf.eager_mode():
            x = hf.constant(2.0)
            with contextlib.suppress(RuntimeError), hf.GradientTape() as tape:
                tape.watch(x)
                y = x * x
                alive = weakref.ref(y)
                raise RuntimeError("mine")
            assert not context.tapes.top
            tape.gradient(y, x)
            del y
            gc.collect()
            assert alive() is None
            with pytest.raises(ValueError, match="already recording"), hf.GradientTape() as tape:
                tape.__enter__()

    def test_threads_have_their_own_tapes(self):
        seen = []
        with hf.eager_mode():
            x = hf.constant(2.0)

            def work():
                with hf.eager_mode():
                    seen.append(x * x)

            with hf.GradientTape() as tape:
                tape.watch(x)
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
            assert tape.gradient(seen[0], x) is None

    def test_watching_something_else(self):
        with hf.eager_mode(), hf.GradientTape() as tape, pytest.raises(TypeError, match="watches"):
            tape.watch(3.0)


def test_one_gradient_reaches_both_inputs(execution):
    """Of a sum: the same tensor twice, and the same gradient."""
    assert execution.gradient(lambda x: x + x, 3.0) == [2.0]
    assert execution.gradient(lambda x: (x + x) + (x + x), 3.0) == [4.0]


def test_a_tape_computes_no_gradient_that_is_not_wanted():
    """Of a product with what it does not watch: of an input of a network, say."""
    products = []
    record = OPS["MatMul"]
    compute = record.compute

    def counting(*arrays, **attrs):
        products.append(arrays)
        return compute(*arrays, **attrs)

    with hf.eager_mode(), hf.GradientTape() as tape:
        x, w = hf.ones([2, 3]), hf.ones([3, 4])
        tape.watch(w)
        y = hf.matmul(x, w)
        object.__setattr__(record, "compute", counting)
        try:
            dw = tape.gradient(y, w)
        finally:
            object.__setattr__(record, "compute", compute)
    assert len(products) == 1
    np.testing.assert_array_equal(dw.numpy(), np.full([3, 4], 2.0))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
def test_operators_are_recorded_whatever_the_operands(operator):
    """Tensors, Python numbers, arrays and variables, broadcast or not, on either side."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        x = hf.constant([[1.0, 2.0, 4.0]])
        others = [
            2.0,
            4,
            np.float32([[2.0], [4.0]]),
            hf.constant(2.0),
            hf.Variable([2.0, 1.0, 4.0]),
        ]
        for other in others:
            value = np.asarray(other.numpy() if hasattr(other, "numpy") else other, np.float64)
            for text in (f"x {operator} other", f"other {operator} x"):
                with hf.GradientTape() as tape:
                    tape.watch(x)
                    y = hf.reduce_sum(eval(text, {"x": x, "other": other}))
                step = 1e-6
                wanted = []
                for index in range(3):
                    ends = []
                    for sign in (1, -1):
                        moved = x.numpy().astype(np.float64)
                        moved[0, index] += sign * step
                        ends.append(np.sum(eval(text, {"x": moved, "other": value})))
                    wanted.append((ends[0] - ends[1]) / (2 * step))
                found = tape.gradient(y, x).numpy()
                np.testing.assert_allclose(found, [wanted], rtol=1e-5, err_msg=text)


class TestCustomGradient:
    def test_in_every_execution(self, execution):
        @hf.custom_gradient
        def clipped(x, y):
            return x * y, lambda dz: (hf.clip_by_value(dz * y, -1.0, 1.0), None)

        assert execution(clipped, 3.0, 4.0) == 12.0
        grads = execution.gradient(clipped, 3.0, 4.0)
        assert grads[0] == 1.0
        assert grads[1] is None

    def test_second_order_goes_through_the_gradient_function(self, execution):
        @hf.custom_gradient
        def cube(x):
            return x * x * x, lambda dy: dy * 3.0 * x * x

        def first(x):
            return gradient_of(cube, [x])[0]

        assert execution.gradient(first, 2.0) == [12.0]

    def test_several_results(self, execution):
        @hf.custom_gradient
        def both(x):
            return [x * 2.0, x * 3.0], lambda da, db: da * 20.0 + db * 30.0

        assert execution.gradient(lambda x: hf.add_n(both(x)), 1.0) == [50.0]

    @pytest.mark.parametrize("kind", [True, False], ids=["resource", "reference"])
    def test_variables_that_it_reads_have_gradients_by_the_function(self, execution, kind):
        seen = {}

        @hf.custom_gradient
        def layer(x, scale=1.0):
            w = hf.get_variable("w", initializer=np.ones([2, 3], np.float32), use_resource=kind)
            b = hf.get_variable("b", initializer=np.ones(3, np.float32), use_resource=kind)
            hf.get_variable("unused", initializer=1.0, trainable=False, use_resource=kind)

            def grad_fn(dy, variables=None):
                seen.update({v.name: v for v in variables})
                dx = hf.matmul(dy, w, transpose_b=True)
                return dx, [10.0 * hf.matmul(x, dy, transpose_a=True), 100.0 * hf.reduce_sum(dy, 0)]

            return scale * (hf.matmul(x, w) + b), grad_fn

        def function(x):
            w = hf.get_variable(
                "layer/w", initializer=np.ones([2, 3], np.float32), use_resource=kind
            )
            b = hf.get_variable("layer/b", initializer=np.ones(3, np.float32), use_resource=kind)

            def loss(*_):
                with hf.variable_scope("layer", reuse=hf.AUTO_REUSE):
                    y = layer(x, scale=2.0)
                return hf.reduce_sum(y * y)

            return gradient_of(loss, [x, w, b])

        found = execution(function, np.float32([[1.0, 2.0]]))
        # The gradient of the result is 16 everywhere; what the function multiplies it with shows.
        np.testing.assert_array_equal(found[0], [[48.0, 48.0]])
        np.testing.assert_array_equal(found[1], [[160.0] * 3, [320.0] * 3])
        np.testing.assert_array_equal(found[2], [1600.0] * 3)
        assert list(seen) == ["layer/w:0", "layer/b:0"]

    def test_variables_without_a_gradient_function_for_them(self):
        with hf.eager_mode():
            v, u = hf.Variable(2.0), hf.Variable(3.0)
            with pytest.raises(TypeError, match=f"variable '{v.name}'.*`variables`"):
                hf.custom_gradient(lambda x: (x * v, lambda dy: dy))(1.0)
            # An argument, or what is not trained, has nothing to do with it.
            assert float(hf.custom_gradient(lambda x: (x * v, lambda dy: dy))(v)) == 4.0
            fixed = hf.Variable(2.0, trainable=False)
            assert float(hf.custom_gradient(lambda x: (x * fixed, lambda dy: dy))(3.0)) == 6.0
            wrong = hf.custom_gradient(lambda x: (x * v * u, lambda dy, variables: (dy, [dy])))
            with hf.GradientTape() as tape:
                y = wrong(1.0)
            with pytest.raises(ValueError, match="gave 1 gradients for 2 variables"):
                tape.gradient(y, v)

    def test_nested_functions_each_have_the_variables(self, execution):
        def function(x):
            v = hf.get_variable("v", initializer=3.0, use_resource=True)

            @hf.custom_gradient
            def inner(x):
                return x * v, lambda dy, variables: (dy * v, [dy * x])

            @hf.custom_gradient
            def outer(x):
                y = inner(x)
                return y * v, lambda dy, variables: (dy * v * v, [dy * 2.0 * y])

            y = outer(x)
            return y + gradient_of(lambda _: outer(x), [x])[0]

        assert execution(function, 2.0) == 18.0 + 9.0

    def test_wrong_gradient_functions(self):
        with hf.eager_mode():
            x = hf.constant(1.0)
            with pytest.raises(TypeError, match="second result must be a function"):
                hf.custom_gradient(lambda x: (x, x))(x)
            wrong = hf.custom_gradient(lambda x: (x, lambda dy: [dy, dy]))
            with pytest.raises(ValueError, match="2 gradients for 1 arguments"):
                gradient_of(wrong, [x])
