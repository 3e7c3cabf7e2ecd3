"""Python's operators on tensors: both modes, either side, dtypes, names, eager mode's short way."""

from __future__ import annotations

import operator
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from hybridflow._src.ops import operators

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod"]
COMPARISONS = ["lt", "le", "gt", "ge"]


def meaning(name, x, y):
    """What an operator gives for two arrays."""
    return getattr(operator, name)(x, y)


def both_modes(function, *arrays):
    """What `function` of tensors gives, eagerly and in a graph; the two must agree to the bit."""
    with hf.eager_mode():
        eager = function(*[hf.constant(a) for a in arrays]).numpy()
    with hf.Graph().as_default(), hf.Session() as session:
        feeds = {hf.placeholder(np.asarray(a).dtype): a for a in arrays}
        graph = session.run(function(*feeds), feeds)
    np.testing.assert_array_equal(eager, graph, strict=True)
    return eager


class TestValues:
    @pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int64])
    def test_two_tensors(self, name, dtype):
        x = np.array([[1, 2, 3], [4, 5, 6]], dtype)
        y = np.array([3, 2, 4], dtype)
        got = both_modes(getattr(operator, name), x, y)
        wanted = meaning(name, x, y)
        if name == "truediv" and dtype in (np.int32, np.int64):
            assert got.dtype == np.float64
        else:
            assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)

    @pytest.mark.parametrize("name", [*ARITHMETIC, "pow"])
    def test_a_number_takes_the_dtype_of_the_tensor(self, name):
        function = getattr(operator, name)
        for dtype in (np.float16, np.float32, np.float64):
            x = np.array([1.5, 2.0], dtype)
            for number in (3, 2.5, np.float64(2.5), np.float32(2.5)):
                assert both_modes(lambda t, n=number: function(t, n), x).dtype == dtype
                assert both_modes(lambda t, n=number: function(n, t), x).dtype == dtype

    @pytest.mark.parametrize("name", [*ARITHMETIC, "pow"])
    def test_reflected(self, name):
        function = getattr(operator, name)
        x = np.array([1, 2, 3], np.int32)
        np.testing.assert_array_equal(
            both_modes(lambda t: function(7, t), x), both_modes(function, np.int32(7), x)
        )

    def test_a_number_is_compared_from_the_left(self):
        x = np.array([1.0, 2.0, 3.0])
        assert both_modes(lambda t: t > 2, x).tolist() == [False, False, True]
        assert both_modes(lambda t: 2 >= t, x).tolist() == [True, True, False]

    def test_array_and_list_operands(self):
        x = np.array([1.0, 2.0], np.float32)
        for other in (np.array([3.0, 4.0]), [3.0, 4.0], np.array([3, 4])):
            for function in (lambda t, o=other: t - o, lambda t, o=other: t + o):
                assert both_modes(function, x).dtype == np.float32
            assert both_modes(lambda t, o=other: o - t, x).tolist() == [2.0, 2.0]

    def test_unary(self):
        assert both_modes(operator.neg, np.array([1, -2], np.int8)).tolist() == [-1, 2]
        assert both_modes(abs, np.array([1.5, -2.0])).tolist() == [1.5, 2.0]
        assert both_modes(abs, np.array([3 + 4j], np.complex64)).dtype == np.float32
        assert both_modes(operator.invert, np.array([True, False])).tolist() == [False, True]

    def test_logic(self):
        x, y = np.array([True, True, False, False]), np.array([True, False, True, False])
        assert both_modes(operator.and_, x, y).tolist() == [True, False, False, False]
        assert both_modes(operator.or_, x, y).tolist() == [True, True, True, False]
        assert both_modes(operator.xor, x, y).tolist() == [False, True, True, False]
        assert both_modes(lambda t: True ^ t, x).tolist() == [False, False, True, True]

    def test_matmul(self):
        x, y = np.arange(6.0).reshape(2, 3), np.arange(3.0).reshape(3, 1)
        assert both_modes(operator.matmul, x, y).tolist() == [[5.0], [14.0]]
        assert both_modes(lambda t: t @ y, x).tolist() == [[5.0], [14.0]]
        assert both_modes(lambda t: x @ t, y).tolist() == [[5.0], [14.0]]

    def test_pow(self):
        assert both_modes(operator.pow, np.array([2.0, 9.0]), np.array(0.5)).dtype == np.float64
        assert both_modes(lambda t: 2**t, np.array([0, 3])).tolist() == [1, 8]

    def test_strings_are_joined(self):
        with hf.eager_mode():
            assert (hf.constant("a") + "b").numpy() == b"ab"
            assert (hf.constant(["a", "b"]) + "c").numpy().tolist() == [b"ac", b"bc"]

    @pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
    @given(data=st.data())
    def test_broadcasting(self, name, data):
        shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
        values = st.floats(-8, 8, width=32).filter(lambda v: abs(v) > 0.1)
        x, y = (data.draw(hnp.arrays(np.float32, s, elements=values)) for s in shapes.input_shapes)
        got = both_modes(getattr(operator, name), x, y)
        assert got.shape == shapes.result_shape
        if name != "mod":
            np.testing.assert_array_equal(got, meaning(name, x, y))

    def test_floats_are_what_quotient_and_remainder_say(self):
        """`x = y * floordiv + floormod`, as in Python; TF's floordiv gives 10 for 1.0 and 0.1."""
        assert both_modes(operator.floordiv, np.float64(1.0), np.float64(0.1)) == 9.0
        values = [0.0, -0.0, 0.1, -0.3, 1.0, -1.0, 5.0, -7.5, 1e300, np.inf, -np.inf]
        x, y = (a.ravel() for a in np.meshgrid(values, values))
        with np.errstate(all="ignore"):
            quotient, rest = both_modes(operator.floordiv, x, y), both_modes(hf.floormod, x, y)
        for a, b, q, r in zip(x, y, quotient, rest, strict=True):
            if b == 0 or np.isinf(a):
                assert np.isnan(r)
                continue
            assert (q, r) == (np.floor_divide(a, b), np.mod(a, b))
            assert np.signbit(r) == np.signbit(b)
            if np.isfinite(b) and abs(q) < 2**52:
                assert b * q + r == pytest.approx(a, abs=1e-15 * abs(b))

    def test_nan_and_infinity_flow_silently(self):
        x, zero = np.array([1.0, 0.0, -1.0], np.float32), np.zeros(3, np.float32)
        got = both_modes(operator.truediv, x, zero)
        np.testing.assert_array_equal(got, np.array([np.inf, np.nan, -np.inf], np.float32))
        huge = np.full(3, 3e38, np.float32)
        assert np.isinf(both_modes(operator.add, huge, huge)).all()
        assert np.isinf(both_modes(lambda t: t * 1e30, huge)).all()

    def test_nothing_is_written(self):
        with hf.eager_mode():
            x = hf.constant([1.0, 2.0])
            y = x
            y += 1.0
            assert x.numpy().tolist() == [1.0, 2.0]
            assert y.numpy().tolist() == [2.0, 3.0]


class TestDivision:
    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
    def test_small_integers_divide_as_float32(self, dtype):
        with hf.eager_mode():
            result = hf.constant([7], dtype) / hf.constant([2], dtype)
        assert result.dtype == hf.float32
        assert result.numpy() == 3.5

    @pytest.mark.parametrize("function", [operator.floordiv, operator.mod, hf.div, hf.truncatediv])
    def test_by_integer_zero(self, function, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match="Integer division by zero"):
            execution(function, np.array([1, 2]), np.array([1, 0]))
        with pytest.raises(hf.errors.InvalidArgumentError, match="Integer division by zero"):
            execution(lambda t: function(t, 0), np.array([1, 2]))

    def test_rounding(self):
        x, y = np.array([7, -7, 7, -7]), np.array([3, 3, -3, -3])
        assert both_modes(hf.floordiv, x, y).tolist() == [2, -3, -3, 2]
        assert both_modes(hf.floormod, x, y).tolist() == [1, 2, -2, -1]
        assert both_modes(hf.truncatediv, x, y).tolist() == [2, -2, -2, 2]
        assert both_modes(hf.truncatemod, x, y).tolist() == [1, -1, 1, -1]
        assert both_modes(hf.div, x, y).tolist() == [2, -3, -3, 2]

    @given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1).filter(bool))
    def test_quotient_and_remainder(self, x, y):
        if (x, y) == (-(2**31), -1):
            return
        with hf.eager_mode():
            a, b = hf.constant(x, hf.int32), hf.constant(y, hf.int32)
            assert (int(a // b), int(a % b)) == (x // y, x % y)
            assert int(hf.truncatediv(a, b) * b + hf.truncatemod(a, b)) == x

    def test_negative_integer_power(self, execution):
        with pytest.raises(hf.errors.InvalidArgumentError, match="negative integer powers"):
            execution(lambda x, y: x**y, np.array([2]), np.array([-1]))


class TestErrors:
    @pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
    def test_dtypes_that_differ(self, name, execution):
        with pytest.raises(TypeError, match=r"int32.*float32|float32.*int32"):
            execution(getattr(operator, name), np.array([1], np.int32), np.array([1], np.float32))

    def test_a_float_for_an_integer_tensor(self, execution):
        with pytest.raises(TypeError, match=r"Expected int32, got 2\.5"):
            execution(lambda t: t + 2.5, np.array([1], np.int32))
        with pytest.raises(TypeError, match=r"Expected int32, got 2\.5"):
            execution(lambda t: 2.5 * t, np.array([1], np.int32))

    def test_an_integer_out_of_range(self):
        with hf.eager_mode(), pytest.raises((TypeError, OverflowError)):
            hf.constant([1], hf.int8) + 1000

    @pytest.mark.parametrize("name", ["add", "mul", "truediv", "lt"])
    def test_shapes_that_do_not_fit(self, name, execution):
        with pytest.raises(ValueError, match=r"2.*3"):
            execution(getattr(operator, name), np.ones(2), np.ones(3))

    def test_truth_values_are_no_numbers(self, execution):
        with pytest.raises(TypeError, match="bool"):
            execution(operator.add, np.array([True]), np.array([True]))
        with pytest.raises(TypeError, match="bool"):
            execution(operator.lt, np.array([True]), np.array([True]))
        with pytest.raises(TypeError, match="int32"):
            execution(operator.and_, np.array([1], np.int32), np.array([1], np.int32))

    def test_none(self, execution):
        with pytest.raises(ValueError, match="None"):
            execution(lambda t: t + None, np.array([1.0]))

    def test_an_eager_tensor_in_a_graph(self):
        with hf.eager_mode():
            x = hf.constant([1.0])
        with hf.Graph().as_default():
            for function in (lambda: x + x, lambda: x * 2.0, lambda: x < x, lambda: -x):
                with pytest.raises(RuntimeError, match="computed in eager mode"):
                    function()


class TestProtocol:
    def test_other_classes_are_asked(self):
        class Reflecting:
            def __radd__(self, other):
                return "radd"

            def __gt__(self, other):
                return "gt"

        with hf.eager_mode():
            assert hf.constant([1.0]) + Reflecting() == "radd"
            assert (hf.constant([1.0]) < Reflecting()) == "gt"
        with hf.Graph().as_default():
            assert hf.constant([1.0]) + Reflecting() == "radd"

    def test_equality_is_identity(self):
        with hf.eager_mode():
            x, y = hf.constant(1.0), hf.constant(1.0)
            assert x == x
            assert x != y
            assert len({x, y}) == 2

    def test_install(self):
        class Holder:
            def __init__(self, value):
                self.value = value

        hf.register_tensor_conversion_function(
            Holder, lambda value, dtype=None, name=None, as_ref=False: hf.constant(value.value)
        )
        operators.install(Holder)
        with hf.eager_mode():
            h = Holder([1.0, 2.0])
            assert (h + 1.0).numpy().tolist() == [2.0, 3.0]
            assert (2.0 * h).numpy().tolist() == [2.0, 4.0]
            assert (-h).numpy().tolist() == [-1.0, -2.0]
            assert (h < 1.5).numpy().tolist() == [True, False]
            assert h[1].numpy() == 2.0
            assert (hf.constant([1.0, 1.0]) - h).numpy().tolist() == [0.0, -1.0]


class TestNames:
    def test_operators_name_their_ops_as_tf_does(self):
        with hf.Graph().as_default():
            x, b = hf.placeholder(hf.float32), hf.placeholder(hf.bool)
            names = {
                "add": x + x,
                "sub": x - x,
                "mul": x * x,
                "truediv": x / x,
                "floordiv": x // x,
                "mod": x % x,
                "pow": x**x,
                "matmul": x @ x,
                "and": b & b,
                "or": b | b,
                "xor": b ^ b,
                "Less": x < x,
                "LessEqual": x <= x,
                "Greater": x > x,
                "GreaterEqual": x >= x,
                "Neg": -x,
                "Abs": abs(x),
                "LogicalNot": ~b,
            }
        assert {name: t.op.name for name, t in names.items()} == {name: name for name in names}

    def test_constants_stand_in_the_scope_of_the_op(self):
        with hf.Graph().as_default() as graph:
            x = hf.placeholder(hf.float32)
            assert (x + 1.0).op.inputs[1].name == "add/y:0"
            assert (1.0 + x).op.inputs[0].name == "add_1/x:0"
            assert (1.0 / x).op.inputs[0].name == "truediv/x:0"
            assert (x < 1.0).op.inputs[1].name == "Less/y:0"
            i = hf.placeholder(hf.int32)
            assert (i / i).name == "truediv_1:0"
            assert graph.get_operation_by_name("truediv_1/Cast").type == "Cast"


class TestShortWay:
    """Eager operators on plain tensors do not go through dispatch; nobody may notice."""

    def test_a_tape_sees_every_operator(self):
        with hf.eager_mode():
            x = hf.constant([1.0, 2.0])
            with hf.GradientTape() as tape:
                tape.watch(x)
                y = (x + x) * x - 3.0 * x / 2.0
            assert tape.gradient(y, x).numpy().tolist() == [2.5, 6.5]

    def test_rank_0_stays_a_tensor(self):
        with hf.eager_mode():
            x = hf.constant(1.5)
            for result in (x + x, x * 2, 2 - x, x / x, x < x):
                assert isinstance(result, hf.EagerTensor)
                assert result.shape.as_list() == []
                assert isinstance(result.numpy(), np.generic)

    @pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64, np.uint8, np.complex64])
    @pytest.mark.parametrize("name", ["add", "sub", "mul"])
    def test_agrees_with_the_op(self, name, dtype):
        x, y = np.array([[200, 3], [5, 6]], dtype), np.array([100, 2], dtype)
        long = {"add": hf.add, "sub": hf.subtract, "mul": hf.multiply}[name]
        with hf.eager_mode():
            short = getattr(operator, name)(hf.constant(x), hf.constant(y))
            wanted = long(x, y)
        assert short.dtype is wanted.dtype
        np.testing.assert_array_equal(short.numpy(), wanted.numpy(), strict=True)

    def test_in_many_threads(self):
        # Large arrays: NumPy lets other threads in while it computes.
        failures = []

        def work(value):
            with hf.eager_mode():
                x = hf.fill([200_000], value)
                for _ in range(20):
                    y = (x + x) / x
                    if not (y.numpy() == 2.0).all():
                        failures.append(value)

        threads = [threading.Thread(target=work, args=(float(i + 1),)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures

    def test_floating_point_status_is_left_as_it_was(self):
        with hf.eager_mode():
            x = hf.constant([1.0]) / hf.constant([0.0])
        assert np.isinf(x.numpy()).all()
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            np.ones(1) / np.zeros(1)


def test_a_class_of_the_programs_own_passes_all_operators_on():
    """As Edward does, whose random variables stand for tensors."""

    class Box:
        def __init__(self, tensor):
            self.tensor = tensor

    for name in hf.Tensor.OVERLOADABLE_OPERATORS:
        method = getattr(hf.Tensor, name)
        setattr(Box, name, lambda self, *args, method=method: method(self.tensor, *args))
    with hf.Graph().as_default(), hf.Session() as session:
        x = Box(hf.constant([1.0, -2.0]))
        found = [x + 1.0, 3.0 - x, x[1], abs(x), -x, x > 0.0, x**2.0, 1.0 / x]
        values = [value.tolist() for value in session.run(found)]
    expected = [[2.0, -1.0], [2.0, 5.0], -2.0, [1.0, 2.0], [-1.0, 2.0], [True, False]]
    assert values == [*expected, [1.0, 4.0], [1.0, -0.5]]
