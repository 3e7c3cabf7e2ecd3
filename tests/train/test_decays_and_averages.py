"""Learning-rate decays and moving averages, against recorded values; and the global step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution
from tests.recorded import reader

CASES = reader.table("optimizers")
DECAYS = [c for i, c in CASES.items() if i.startswith("decay/")]
AVERAGES = [c for i, c in CASES.items() if i.startswith("average/")]


def ids(case: dict[str, Any]) -> str:
    return str(case["id"])


def rate_at(case: dict[str, Any], step: Any) -> Any:
    function = getattr(hf.train, case["fn"].removeprefix("train."))
    return function(**case["kwargs"], **{case["step_argument"]: step})


class TestDecays:
    @pytest.mark.parametrize("case", DECAYS, ids=ids)
    def test_recorded(self, case: dict[str, Any]) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            step = hf.placeholder(case["step_dtype"], [])
            rate = rate_at(case, step)
            got = np.stack([session.run(rate, {step: n}) for n in case["steps"]])
            assert rate.shape == ()
        assert got.dtype == case["values"].dtype
        np.testing.assert_allclose(got, case["values"], 2e-6, 2e-8)
        if case.get("in_1_4") != "missing" and "piecewise" not in case["id"]:
            assert rate.op.name == case["result"]

    @pytest.mark.parametrize("case", DECAYS, ids=ids)
    def test_eager(self, case: dict[str, Any]) -> None:
        with hf.eager_mode():
            steps = [hf.constant(n, case["step_dtype"]) for n in case["steps"]]
            got = np.stack([rate_at(case, step).numpy() for step in steps])
        np.testing.assert_allclose(got, case["values"], 2e-6, 2e-8)

    def test_variables_and_tensors_as_arguments(self, execution: Execution) -> None:
        def rates(steps: Any) -> Any:
            step = hf.Variable(20, trainable=False, name="step")
            step = step.initialized_value() if execution.name == "graph" else step
            return (
                hf.train.exponential_decay(hf.constant(0.5, hf.float64), step, steps, 0.5),
                hf.train.piecewise_constant(step, [hf.constant(20), 30], [hf.constant(1), 2, 3]),
                hf.train.polynomial_decay(1.0, step, steps, 0.0, cycle=True),
            )

        exponential, piecewise, polynomial = execution(rates, np.int32(10))
        assert exponential.dtype == np.float64
        assert (exponential, piecewise, polynomial) == (0.125, 1, 0.0)

    def test_noise_has_the_variance_asked_for(self) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(1)
            rate = hf.train.noisy_linear_cosine_decay(
                1.0, 3, 10**6, initial_variance=4.0, variance_decay=1.0
            )
            noise = [float(session.run(rate)) for _ in range(400)]
        assert np.std(noise) == pytest.approx(1.0, rel=0.15)
        assert np.mean(noise) == pytest.approx(1.0, abs=0.2)

    def test_as_a_hyperparameter(self, execution: Execution) -> None:
        """A rate that falls with the step: a tensor in a graph, else a function."""

        def train() -> Any:
            v = hf.Variable(0.0, name="v")
            step = hf.Variable(0, name="step", trainable=False)

            def rate() -> Any:
                return hf.train.piecewise_constant(step, [0], [1.0, 0.5])

            optimizer = hf.train.GradientDescentOptimizer(
                rate() if execution.name == "graph" else rate
            )
            optimizer.apply_gradients([(hf.constant(1.0), v)], global_step=step)
            return optimizer, v, step

        if execution.name == "graph":
            with hf.Graph().as_default(), hf.Session() as session:
                optimizer, v, step = train()
                op = optimizer.apply_gradients([(hf.constant(1.0), v)], global_step=step)
                session.run(hf.global_variables_initializer())
                values = []
                for _ in range(3):
                    session.run(op)
                    values.append(float(session.run(v)))
        else:
            with hf.eager_mode(), hf.EagerVariableStore().as_default():
                optimizer, v, step = train()
                values = [float(v)]

                def again() -> None:
                    optimizer.apply_gradients([(hf.constant(1.0), v)], global_step=step)

                run = hf.function(again) if execution.name == "function" else again
                for _ in range(2):
                    run()
                    values.append(float(v))
        assert values == [-1.0, -1.5, -2.0]

    def test_errors(self) -> None:
        train = hf.train
        with hf.Graph().as_default():
            for decay in (
                train.exponential_decay,
                train.natural_exp_decay,
                train.inverse_time_decay,
            ):
                with pytest.raises(ValueError, match="global_step is required"):
                    decay(0.1, None, 10, 0.9)
            for decay in (
                train.polynomial_decay,
                train.cosine_decay,
                train.cosine_decay_restarts,
                train.linear_cosine_decay,
                train.noisy_linear_cosine_decay,
            ):
                with pytest.raises(ValueError, match="global_step is required"):
                    decay(0.1, None, 10)
            with pytest.raises(ValueError, match="length of boundaries"):
                train.piecewise_constant(1, [1, 2], [1.0, 2.0])
            with pytest.raises(ValueError, match="must have the same dtype as x"):
                train.piecewise_constant(hf.constant(1), [1.5], [1.0, 2.0])
            with pytest.raises(ValueError, match="same dtype"):
                train.piecewise_constant(1, [1], [1.0, 2])


class TestMovingAverages:
    @pytest.mark.parametrize("case", AVERAGES, ids=ids)
    def test_recorded(self, case: dict[str, Any]) -> None:
        series = case["series"]
        with hf.Graph().as_default():
            step = hf.Variable(0, name="step", trainable=False)
            holder = hf.placeholder(case["dtype"], [2], name="holder")
            with hf.variable_scope("model"):
                variable = hf.get_variable("v", initializer=hf.constant(series[0]))
                tensor = hf.identity(holder * 2.0, name="doubled")
            target = variable if case["target"] == "variable" else tensor
            kwargs = dict(case["kwargs"])
            if "num_updates" in kwargs:
                kwargs["num_updates"] = step
            averages = hf.train.ExponentialMovingAverage(**kwargs)
            update = averages.apply([target])
            average = averages.average(target)
            assert average.op.name == case["average"]
            assert averages.average_name(target) == case["average_name"]
            assert update.name == case["update_op"]
            assert [v.op.name for v in hf.global_variables()] == case["variables"]
            assert [v.op.name for v in hf.trainable_variables()] == case["trainable"]
            collected = [v.op.name for v in hf.moving_average_variables()]
            assert collected == case["moving_average_variables"]
            restored = averages.variables_to_restore()
            assert {key: v.op.name for key, v in restored.items()} == case["restore"]
            move = variable.assign(holder)
            count = step.assign_add(1)
            with hf.Session() as session:
                session.run(hf.global_variables_initializer(), {holder: series[0]})
                np.testing.assert_array_equal(session.run(average), case["initial"])
                for number in range(20):
                    session.run(move, {holder: series[number]})
                    session.run(update, {holder: series[number]})
                    np.testing.assert_allclose(
                        session.run(average), case["values"][number], 3e-6, 1e-7
                    )
                    session.run(count)

    @pytest.mark.parametrize("as_function", [False, True])
    def test_eager(self, as_function: bool) -> None:
        case = CASES["average/num_updates/variable/float32"]
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            step = hf.Variable(0, trainable=False)
            variable = hf.Variable(case["series"][0], name="v")
            averages = hf.train.ExponentialMovingAverage(0.9, num_updates=step)

            def apply() -> None:
                averages.apply([variable])

            run = hf.function(apply) if as_function else apply
            for value, expected in zip(case["series"], case["values"], strict=True):
                variable.assign(value)
                run()
                step.assign_add(1)
                average = averages.average(variable)
                np.testing.assert_allclose(average.numpy(), expected, 3e-6, 1e-7)
            assert averages.average_name(variable) == "v/ExponentialMovingAverage"
            assert [v is variable for v in hf.moving_average_variables()] == [True]

    def test_variables_of_a_scope(self) -> None:
        with hf.Graph().as_default():
            with hf.variable_scope("a") as scope:
                v = hf.get_variable("v", [2])
            w = hf.get_variable("w", [2])
            averages = hf.train.ExponentialMovingAverage(0.5)
            averages.apply(scope.trainable_variables())
            assert averages.average(v).op.name == "a/v/ExponentialMovingAverage"
            assert averages.average(w) is None
            assert averages.average_name(w) == "w/ExponentialMovingAverage"
            averages.apply([w])
            assert averages.average(w).op.name == "w/ExponentialMovingAverage"

    def test_the_name_of_an_average_to_be_made_is_that_of_the_scope_it_is_made_in(self) -> None:
        with hf.Graph().as_default(), hf.variable_scope("b"):
            v = hf.get_variable("v", [2])
            averages = hf.train.ExponentialMovingAverage(0.5)
            with hf.variable_scope("c"):
                wanted = averages.average_name(v)
                averages.apply([v])
            assert averages.average(v).op.name == wanted == "b/c/b/v/ExponentialMovingAverage"

    def test_errors(self) -> None:
        with hf.Graph().as_default():
            v = hf.get_variable("v", [2])
            averages = hf.train.ExponentialMovingAverage(0.5)
            averages.apply([v])
            with pytest.raises(ValueError, match="already computed for: v:0"):
                averages.apply([v])
            with pytest.raises(TypeError, match="half, float, or double: n:0"):
                averages.apply([hf.Variable(1, name="n")])
            with pytest.raises(TypeError, match="takes variables and tensors"):
                averages.apply([1.0])
        with hf.eager_mode(), pytest.raises(TypeError, match="only variables have averages"):
            hf.train.ExponentialMovingAverage(0.5).apply([hf.constant(1.0)])


class TestGlobalStep:
    def test_made_once(self) -> None:
        with hf.Graph().as_default() as graph, hf.Session() as session:
            assert hf.train.get_global_step() is None
            step = hf.train.get_or_create_global_step()
            assert hf.train.get_or_create_global_step() is step
            assert hf.train.get_global_step(graph) is step
            assert (step.op.name, step.dtype.base_dtype, step.trainable) == (
                "global_step",
                hf.int64,
                False,
            )
            assert hf.get_collection(hf.GraphKeys.GLOBAL_STEP) == [step]
            session.run(hf.global_variables_initializer())
            assert hf.train.global_step(session, step) == 0
            with pytest.raises(ValueError, match="already exists"):
                hf.train.create_global_step()

    def test_of_another_graph(self) -> None:
        graph = hf.Graph()
        step = hf.train.create_global_step(graph)
        assert step.graph is graph
        assert hf.train.get_or_create_global_step(graph) is step

    def test_found_by_name(self) -> None:
        with hf.Graph().as_default():
            v = hf.Variable(0, name="global_step", trainable=False)
            assert hf.train.get_global_step().name == v.name

    def test_eager(self) -> None:
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            assert hf.train.get_global_step() is None
            step = hf.train.get_or_create_global_step()
            assert hf.train.get_or_create_global_step() is step
            v = hf.Variable(1.0)
            hf.train.GradientDescentOptimizer(0.1).minimize(lambda: v * v, global_step=step)
            assert int(step) == 1

    def test_wrong_ones(self) -> None:
        with hf.Graph().as_default():
            for value, what in (
                (hf.constant(1.0), "integer type"),
                (hf.constant([1]), "not scalar"),
                (1, "must be a Variable or Tensor"),
            ):
                with pytest.raises(TypeError, match=what):
                    hf.train.assert_global_step(value)
            hf.add_to_collection(hf.GraphKeys.GLOBAL_STEP, hf.constant(1.0))
            with pytest.raises(TypeError, match="integer type"):
                hf.train.get_global_step()
