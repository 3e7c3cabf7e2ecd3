"""`Defun`: functions of graphs."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow.contrib.framework import Defun
from tests import native

F = hf.float32


@Defun(F, F)
def scaled(x, y):
    """A product and a sum."""
    return hf.tanh(x) * y, x + y


@pytest.fixture(params=["interpreted", "native"])
def run(request):
    """Runs fetches in a session, several times if a program is to take over."""

    def values(fetches, feeds=None):
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            found = session.run(fetches, feeds)
            if request.param == "native":
                session.run(fetches, feeds)
                native.wait()
                again = session.run(fetches, feeds)
                for old, new in zip(found, again, strict=True):
                    np.testing.assert_allclose(new, old, rtol=1e-6)
            return found

    with hf.Graph().as_default():
        yield values


X = np.float32([0.5, -1.0])


class TestCalls:
    def test_values_and_names(self, run):
        x = hf.placeholder(F, [2])
        first = scaled(x, [2.0, 3.0])
        second = scaled(first[0], x, name="again")
        with hf.name_scope("inner"):
            third = scaled(1.0, 2.0)
        assert [t[0].op.name for t in (first, second, third)] == ["scaled", "again", "inner/scaled"]
        assert first[0].op is first[1].op
        assert first[0].shape == [2]
        found = run([*first, *second], {x: X})
        product = np.tanh(X) * [2, 3]
        wanted = [product, X + np.float32([2, 3]), np.tanh(product) * X, product + X]
        for value, expected in zip(found, wanted, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-6)

    def test_nothing_in_and_nothing_out(self, run):
        @Defun(func_name="Constant")
        def constant():
            return hf.constant([42])

        @Defun(F)
        def nothing(x):
            hf.identity(x)

        assert constant().op.name == "Constant"
        assert nothing(1.0).type == "Call"
        assert run([constant()])[0] == [42]

    def test_inside_of_each_other_and_of_control_flow(self, run):
        @Defun(F)
        def cube(x):
            return hf.cond(hf.reduce_sum(x) > 0.0, lambda: x * x * x, lambda: -x)

        @Defun(F)
        def outer(x):
            return hf.while_loop(lambda i, t: i < 3, lambda i, t: (i + 1, cube(t)), [0, x])[1]

        x = hf.placeholder(F, [])
        y = outer(x)
        (gradient,) = hf.gradients(y, x)
        assert run([y, gradient], {x: 1.1}) == pytest.approx([1.1**27, 27 * 1.1**26], rel=1e-5)
        assert run([y, gradient], {x: -0.9}) == pytest.approx([0.9**9, -9 * 0.9**8], rel=1e-5)

    def test_what_it_captures(self, run):
        w = hf.get_variable("w", initializer=[[1.0]])
        r = hf.get_variable("r", initializer=[2.0], use_resource=True)

        @Defun(F)
        def product(x):
            return hf.matmul(w, x) + r

        y = product([[10.0]])
        assert [t.op.name for t in product.captured_inputs] == ["w/read", "r"]
        grads = hf.gradients(y, [w, r])
        assert [v.tolist() for v in run([y, *grads])] == [[[12.0]], [[10.0]], [1.0]]

    def test_what_it_does(self):
        """Writes and checks run though nothing uses them; when the call does."""
        with hf.Graph().as_default(), hf.Session() as session:
            v = hf.get_variable("v", initializer=0.0, use_resource=True)

            @Defun(F)
            def count(x):
                hf.assert_less(x, 5.0)
                v.assign_add(x)
                return x * 2.0

            session.run(v.initializer)
            fed = hf.placeholder(F, [])
            y = count(fed)
            assert session.run(v) == 0.0
            assert session.run(y, {fed: 3.0}) == 6.0
            assert session.run(v) == 3.0
            with pytest.raises(hf.errors.InvalidArgumentError, match="assert"):
                session.run(y, {fed: 6.0})
            assert session.run(v) == 3.0

    def test_fed_outputs(self, run):
        a, b = scaled(1.0, 2.0)
        assert run([a + 0.0, b + 0.0], {a: 7.0}) == [7.0, 3.0]

    def test_eagerly(self):
        with hf.eager_mode():
            assert [float(t) for t in scaled(0.0, 2.0)] == [0.0, 2.0]


class TestGradients:
    def test_of_the_body_to_second_order(self, run):
        x = hf.placeholder(F, [2])
        y = hf.reduce_sum(scaled(x, x)[0])
        (first,) = hf.gradients(y, x)
        (second,) = hf.gradients(first, x)
        t = np.tanh(X)
        s = 1 - t * t
        found = run([first, second], {x: X})
        np.testing.assert_allclose(found[0], t + X * s, rtol=1e-5)
        np.testing.assert_allclose(found[1], 2 * s - 2 * X * t * s, rtol=1e-5)

    def test_in_python(self, run):
        @Defun(F, F, python_grad_func=lambda op, dy: [dy * 100.0, op.inputs[0]])
        def product(x, y):
            return x * y

        x, y = hf.constant(2.0), hf.constant(3.0)
        assert run(hf.gradients(product(x, y), [x, y])) == [100.0, 2.0]

    def test_by_another_function(self, run):
        @Defun(F, F, F)
        def gradient(x, dy, dz):
            return dy * 10.0 + dz + x

        @Defun(F, grad_func=gradient)
        def forward(x):
            return x, x

        x = hf.constant(5.0)
        assert run(hf.gradients(hf.add_n(list(forward(x))), [x])) == [16.0]
        assert run(hf.gradients(forward(x)[0], [x])) == [15.0]
        assert forward.grad_func_name == "gradient"

    def test_by_one_that_gives_too_much(self, run):
        @Defun()
        def gradient(x, dy):
            return x, dy

        @Defun(grad_func=gradient)
        def forward(x):
            return x * 2.0

        x = hf.constant(5.0)
        y = forward(x)
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"return 1 \(but get 2\)"):
            hf.gradients(y, [x])
        with pytest.raises(ValueError, match="Gradient defined twice"):
            Defun(grad_func=gradient, python_grad_func=lambda op, dy: dy)

    def test_of_what_it_does_not_use(self, run):
        @Defun(F, F, hf.int32)
        def first(x, y, index):
            return x * 2.0 + hf.to_float(index)

        x, y = hf.constant(1.0), hf.constant(2.0)
        assert run(hf.gradients(first(x, y, 3), [x, y])) == [2.0, 0.0]


class TestVariables:
    def test_calls_share_those_of_the_first_scope(self, run):
        @Defun(F)
        def shifted(x):
            return x + hf.get_variable("shift", [2], initializer=hf.ones_initializer())

        x = hf.constant(X)
        with hf.variable_scope("a"):
            first = shifted(x)
        with hf.variable_scope("b"):
            second = shifted(x)
        assert [v.name for v in hf.global_variables()] == ["a/shift:0"]
        for value in run([first, second]):
            np.testing.assert_array_equal(value, X + 1)

    def test_layers(self, run):
        @Defun(F)
        def dense(x):
            return hf.layers.dense(hf.reshape(x, [1, 2]), 2)

        first, second = dense(X), dense(X)
        assert len(hf.global_variables()) == 2
        values = run([first, second])
        np.testing.assert_array_equal(*values)

    def test_those_that_cannot_be_shared(self):
        @Defun(F)
        def shifted(x):
            return x + hf.Variable(1.0, name="new")

        with hf.Graph().as_default():
            shifted(1.0)
            with pytest.raises(
                ValueError, match=r"made variables \['shifted_1/new:0'\].*called again"
            ):
                shifted(1.0)


class TestOverloads:
    def test_dtypes_of_each_call(self, run):
        @Defun(shape_func=lambda op: [op.inputs[0].shape])
        def twice(x):
            return x * 2

        assert run([twice(3), twice(1.5)]) == [6, 3.0]
        assert twice.instantiate([hf.int32]).declared_input_types == (hf.int32,)

    def test_any_number(self, run):
        @Defun()
        def total(*args):
            return hf.add_n(list(args))

        assert run([total(1, 2, 3), total(1.5)]) == [6, 1.5]


class TestErrors:
    def test_of_definitions(self):
        for function in (lambda x=1: x, lambda **settings: None, lambda *, key: key):
            with pytest.raises(ValueError, match="are not supported"):
                Defun()(function)
        for types in ((F,), (F, F, F)):
            with pytest.raises(ValueError, match="specified input types"):
                Defun(*types)(lambda a, b: a)
        with pytest.raises(ValueError, match="must be callable"):
            Defun()(3)

    def test_of_calls(self):
        with hf.Graph().as_default():
            with pytest.raises(ValueError, match="number of arguments: 2, received: 1"):
                scaled(1.0)
            with pytest.raises(ValueError, match="Unknown keyword arguments"):
                scaled(1.0, 2.0, device="cpu")
            with pytest.raises(ValueError, match="can not return None"):
                Defun()(lambda: (None, None))()
            names = Defun(F, out_names=["a", "b"])(lambda x: x)
            with pytest.raises(hf.errors.InvalidArgumentError, match="size = 2 outputs size = 1"):
                names(1.0)


class TestFiles:
    def test_one_function_stands_for_all_calls(self):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(F, [2], name="x")
            scaled(x, x)
            scaled(x, x + 1.0)
            message = graph.as_graph_def()
        assert [f.signature.name for f in message.library.function] == ["scaled"]
        assert [n.name for n in message.node if n.op == "scaled"] == ["scaled", "scaled_1"]

    def test_another_one_of_its_name(self):
        with hf.Graph().as_default() as graph:
            scaled(1.0, 2.0)
            Defun(F, func_name="scaled")(lambda x: x * 3.0)(1.0)
            message = graph.as_graph_def()
        assert [f.signature.name for f in message.library.function] == ["scaled", "scaled_"]

    def test_read_again(self):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(F, [2], name="x")
            hf.identity(scaled(x, x)[0], name="y")
        with hf.Graph().as_default(), hf.Session() as session:
            hf.import_graph_def(graph.as_graph_def(), name="")
            np.testing.assert_allclose(session.run("y:0", {"x:0": X}), np.tanh(X) * X, rtol=1e-6)

    def test_definition(self):
        signature = scaled.definition.signature
        assert (signature.name, signature.description) == ("scaled", "A product and a sum.")
        assert [len(args) for args in (signature.input_arg, signature.output_arg)] == [2, 2]
        assert not signature.is_stateful
        assert Defun(noinline=True)(lambda: hf.random_uniform([])).definition.attr["_noinline"].b
        with hf.Graph().as_default() as graph:
            c = hf.constant(1.0)
            count = len(graph.get_operations())
            captures = Defun(F, func_name="captures")(lambda x: x + c)
            assert len(captures.definition.signature.input_arg) == 2
            assert len(graph.get_operations()) == count
