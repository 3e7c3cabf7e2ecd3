"""`tensorflow.compat.v2`: names with TensorFlow 2's arguments and meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.inner.inspecting import getfullargspec
from hybridflow._src.cli.shim.names import find
from tests.execution import Execution


def v2(name: str) -> Any:
    """What a dotted name is in `tensorflow.compat.v2`."""
    module, _, last = f"tensorflow.compat.v2.{name}".rpartition(".")
    found = find(module, last)
    assert found is not None, name
    return found[0]


ROWS = np.array([[1.0, 5.0], [7.0, 2.0]])


class TestArrays:
    @pytest.mark.parametrize(
        ("condition", "x", "y"),
        [
            ([True, False], ROWS, -1.0),
            ([[True], [False]], ROWS, [[-1.0, -2.0]]),
            (True, ROWS, [-1.0, -2.0]),
            ([[True, False], [False, True]], ROWS, -ROWS),
        ],
    )
    def test_where_broadcasts(self, condition: Any, x: Any, y: Any, execution: Execution) -> None:
        arrays = np.array(condition), np.asarray(x), np.asarray(y)
        found = execution(v2("where"), *arrays)
        np.testing.assert_array_equal(found, np.where(*arrays))

    def test_where_of_sizes_that_a_run_tells(self) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            rows = hf.placeholder(hf.float32)
            chosen = v2("where")(hf.constant([True, False]), rows, 0.0)
            slopes = hf.gradients(chosen, rows)[0]
            feed = {rows: ROWS}
            np.testing.assert_array_equal(session.run(chosen, feed), [[1, 0], [7, 0]])
            np.testing.assert_array_equal(session.run(slopes, feed), [[1, 0], [1, 0]])

    def test_where_refuses_shapes_that_do_not_fit(self) -> None:
        with hf.eager_mode(), pytest.raises(ValueError, match="3 and 2"):
            v2("where")([True, False, True], hf.constant([1.0, 2.0]), 0.0)

    def test_arguments_by_place(self, execution: Execution) -> None:
        np.testing.assert_array_equal(
            execution(lambda x: v2("argmax")(x, 1, hf.int32), ROWS), [1, 0]
        )
        np.testing.assert_array_equal(execution(v2("math.argmin"), ROWS), [0, 1])
        np.testing.assert_array_equal(
            execution(lambda x: v2("pad")(x, [[0, 0], [1, 0]], "CONSTANT", 9.0), ROWS),
            [[9, 1, 5], [9, 7, 2]],
        )
        np.testing.assert_array_equal(
            execution(lambda x: v2("transpose")(x, None, True), ROWS + 1j), ROWS.T - 1j
        )
        assert execution(lambda x: v2("shape")(x, hf.int64), ROWS).dtype == np.int64
        assert execution(lambda x: v2("size")(x, hf.int64), ROWS) == 4
        np.testing.assert_array_equal(
            execution(lambda x: v2("gather")(x, [[1], [0]], None, 1, 1), ROWS), [[5], [7]]
        )
        np.testing.assert_array_equal(
            execution(lambda x: v2("boolean_mask")(x, [True, False], 1), ROWS), [[1], [7]]
        )
        np.testing.assert_array_equal(
            execution(lambda x: v2("zeros_like")(input=x), ROWS), 0 * ROWS
        )
        hinted = execution(lambda: v2("convert_to_tensor")(3, None, hf.float64))
        assert hinted.dtype == np.float64

    def test_specs_are_tensorflows(self) -> None:
        """Libraries compare what `tf_inspect` finds with functions of their own."""
        plain = lambda input_tensor, axis=None, keepdims=False, name=None: 0  # noqa: E731
        for name in ("all", "any", "max", "mean", "min", "prod", "sum", "logsumexp"):
            assert getfullargspec(v2(f"reduce_{name}")) == getfullargspec(plain)
        assert getfullargspec(v2("cast")).annotations == {}


class TestControlFlow:
    def test_one_loop_variable_stays_in_its_sequence(self, execution: Execution) -> None:
        def counted(n: Any) -> Any:
            found = v2("while_loop")(lambda i: i < n, lambda i: (i + 1,), (hf.constant(0),))
            assert isinstance(found, tuple)
            return found[0]

        assert execution(counted, np.int32(3)) == 3

    def test_scan_from_the_end(self, execution: Execution) -> None:
        found = execution(
            lambda x: v2("scan")(lambda a, b: a + b, x, reverse=True), np.array([1.0, 2.0, 4.0])
        )
        np.testing.assert_array_equal(found, [7, 6, 4])


class TestVariable:
    def test_is_a_resource(self) -> None:
        with hf.Graph().as_default():
            made = v2("Variable")(2.0, False, name="made")
            assert isinstance(made, hf.ResourceVariable)
            assert made.op.name == "made"
            assert hf.trainable_variables() == []

    def test_knows_all_kinds(self) -> None:
        with hf.Graph().as_default():
            kind = v2("Variable")
            assert isinstance(hf.Variable(1.0), kind)
            assert not isinstance(hf.constant(1.0), kind)
            assert issubclass(hf.Variable, kind)


class TestChecks:
    def test_message_comes_third(self) -> None:
        with hf.eager_mode(), pytest.raises(hf.errors.InvalidArgumentError, match="too small"):
            v2("debugging.assert_greater")(1, 2, "too small")
        with hf.eager_mode(), pytest.raises(hf.errors.InvalidArgumentError, match="below"):
            v2("debugging.assert_positive")(-1, "below")
        with hf.eager_mode(), pytest.raises(ValueError, match="flat"):
            v2("debugging.assert_rank")([1, 2], 2, "flat")


class TestOptimizers:
    @pytest.mark.parametrize("name", ["SGD", "Adam"])
    def test_steps_are_those_of_train(self, name: str) -> None:
        steps: list[float] = []
        ours = v2(f"optimizers.{name}")(0.1)
        theirs = {
            "SGD": hf.train.GradientDescentOptimizer(0.1),
            "Adam": hf.train.AdamOptimizer(0.1, epsilon=1e-7),
        }[name]
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            for take in (lambda f, v: ours.minimize(f, [v]), lambda f, v: theirs.minimize(f)):
                v = hf.Variable(3.0)
                for _ in range(3):
                    take(lambda v=v: v * v, v)
                steps.append(float(v))
            assert int(ours.iterations) == 3
        assert steps[0] == steps[1] != 3.0

    def test_one_of_a_program(self) -> None:
        class Kept(v2("optimizers.Optimizer")):
            def _create_slots(self, var_list: Any) -> None:
                for var in var_list:
                    self.add_slot(var, "last")

            def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
                with hf.control_dependencies([self.get_slot(var, "last").assign(grad)]):
                    return var.assign_sub(grad)

        with hf.Graph().as_default(), hf.Session() as session:
            v = v2("Variable")(3.0)
            optimizer = Kept("kept")
            step = optimizer.minimize(lambda: v * v, [v])
            session.run(hf.global_variables_initializer())
            session.run(step)
            assert session.run([v, optimizer.get_slot(v, "last")]) == [-3.0, 6.0]
            assert session.run(optimizer.iterations) == 1
            with pytest.raises(ValueError, match="no gradients"):
                optimizer.minimize(lambda: hf.constant(1.0), [v])


def test_other_names() -> None:
    assert v2("add") is hf.add
    assert v2("linalg.cholesky") is hf.linalg.cholesky
    assert v2("math.log") is hf.log
