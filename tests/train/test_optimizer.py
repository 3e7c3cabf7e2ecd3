"""What all optimizers share: gradients, pairs, slots, global step, errors, subclasses, threads."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.scopes import init_scope
from tests import native
from tests.execution import Execution
from tests.plan.sessions import plan_of


@pytest.fixture
def graph() -> Iterator[hf.Graph]:
    with hf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def eager() -> Iterator[None]:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        yield


def run_steps(train: Any, fetch: Any, steps: int = 1) -> Any:
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        for _ in range(steps):
            session.run(train)
        return session.run(fetch)


def new_variable(name: str = "v", value: Any = (1.0, 2.0), **kwargs: Any) -> Any:
    return hf.get_variable(name, initializer=hf.constant(value), **kwargs)


class TestMinimize:
    @pytest.mark.parametrize("use_resource", [False, True])
    def test_graph(self, graph: hf.Graph, use_resource: bool) -> None:
        v = new_variable(use_resource=use_resource)
        loss = hf.reduce_sum(v * v)
        train = hf.train.GradientDescentOptimizer(0.25).minimize(loss)
        assert (train.name, train.type) == ("GradientDescent", "NoOp")
        np.testing.assert_allclose(run_steps(train, v), [0.5, 1.0])

    def test_loss_fetched_with_the_train_op_is_that_before_it(self, graph: hf.Graph) -> None:
        for use_resource in (False, True):
            v = new_variable(f"v{use_resource}", use_resource=use_resource)
            loss = hf.reduce_sum(v * v)
            train = hf.train.GradientDescentOptimizer(0.25).minimize(loss)
            with hf.Session() as session:
                session.run(hf.global_variables_initializer())
                assert session.run([train, loss])[1] == 5.0
                assert session.run([loss, train])[0] == 1.25

    def test_eager_watches_what_the_loss_reads(self, eager: None) -> None:
        v, unused = hf.Variable([1.0, 2.0]), hf.Variable(1.0)
        frozen = hf.Variable(2.0, trainable=False)
        optimizer = hf.train.GradientDescentOptimizer(0.25)
        pairs = optimizer.compute_gradients(lambda: hf.reduce_sum(v * v * frozen))
        assert [variable is v for _, variable in pairs] == [True]
        assert optimizer.minimize(lambda: hf.reduce_sum(v * v)) is None
        np.testing.assert_allclose(v.numpy(), [0.5, 1.0])
        assert float(unused) == 1.0

    def test_var_list(self, execution: Execution) -> None:
        """Only what is listed moves, trainable or not, in whatever structure it comes."""

        def train() -> Any:
            v, w = hf.Variable(1.0, name="v"), hf.Variable(3.0, name="w")
            frozen = hf.Variable(2.0, trainable=False, name="frozen")
            optimizer = hf.train.GradientDescentOptimizer(1.0)
            loss = lambda: v * w * frozen  # noqa: E731
            pairs = optimizer.compute_gradients(
                loss() if execution.name == "graph" else loss, {"a": [w], "b": (frozen,)}
            )
            assert [x.name for _, x in pairs] == [w.name, frozen.name]
            return [g for g, _ in pairs]

        assert execution(train) in ([2.0, 3.0], [np.float32(2.0), np.float32(3.0)])

    def test_grad_loss_and_gates(self, execution: Execution) -> None:
        def train() -> Any:
            v = hf.Variable([1.0, 2.0], name="v")
            optimizer = hf.train.Optimizer
            gates = (optimizer.GATE_NONE, optimizer.GATE_OP, optimizer.GATE_GRAPH)
            found = []
            for gate in gates:
                loss = lambda: v * v  # noqa: E731
                ((grad, _),) = hf.train.GradientDescentOptimizer(1.0).compute_gradients(
                    loss() if execution.name == "graph" else loss,
                    [v],
                    gate_gradients=gate,
                    grad_loss=hf.constant([1.0, 10.0]),
                )
                found.append(grad)
            return found

        for grad in execution(train):
            np.testing.assert_allclose(grad, [2.0, 40.0])

    def test_none_gradients_are_left_out(self, execution: Execution) -> None:
        def train() -> Any:
            v, w = hf.Variable(1.0, name="v"), hf.Variable(1.0, name="w")
            hf.train.GradientDescentOptimizer(1.0)
            loss = (lambda: v * 3.0) if execution.name != "graph" else v * 3.0
            pairs = hf.train.MomentumOptimizer(1.0, 0.5).compute_gradients(loss, [v, w])
            assert [g is None for g, _ in pairs] == [False, True]
            optimizer = hf.train.MomentumOptimizer(1.0, 0.5)
            done = optimizer.apply_gradients(pairs)
            assert optimizer.get_slot(w, "momentum") is None
            with hf.control_dependencies([] if done is None else [done]):
                return v.read_value(), w.read_value()

        if execution.name == "graph":
            with hf.Graph().as_default():
                results = train()
                assert run_steps(hf.no_op(), results) == (-2.0, 1.0)
        else:
            assert execution(train) == (-2.0, 1.0)

    def test_partitioned(self, graph: hf.Graph) -> None:
        v = hf.get_variable(
            "v",
            [4, 1],
            initializer=hf.ones_initializer(),
            partitioner=hf.fixed_size_partitioner(2),
        )
        optimizer = hf.train.MomentumOptimizer(0.25, 0.5)
        loss = hf.reduce_sum(hf.square(hf.convert_to_tensor(v)))
        train = optimizer.minimize(loss, var_list=[v])
        slots = optimizer.get_slot(v, "momentum")
        assert [s.op.name for s in slots] == ["v/part_0/Momentum", "v/part_1/Momentum"]
        assert slots.name == "v/Momentum"
        assert [s._get_save_slice_info().spec for s in slots] == ["4 1 0,2:0,1", "4 1 2,2:0,1"]
        assert slots._get_variable_list()[1]._get_save_slice_info().full_name == "v/Momentum"
        result = run_steps(train, v.as_tensor())
        np.testing.assert_allclose(result, np.full((4, 1), 0.5))
        with pytest.raises(TypeError, match=r"pass a \(gradient, part\) pair"):
            optimizer.apply_gradients([(loss, v)])

    def test_partitioned_eager(self, eager: None) -> None:
        v = hf.get_variable(
            "v",
            [4, 1],
            initializer=hf.ones_initializer(),
            partitioner=hf.fixed_size_partitioner(2),
        )
        optimizer = hf.train.AdamOptimizer(0.25)
        for _ in range(2):
            optimizer.minimize(lambda: hf.reduce_sum(hf.square(hf.convert_to_tensor(v))))
        assert [s.name for s in optimizer.get_slot(v, "m")] == [
            "v/part_0/Adam:0",
            "v/part_1/Adam:0",
        ]
        assert np.all(v.as_tensor().numpy() < 0.6)


ON_PARTS: dict[str, Any] = {
    "sgd": lambda: hf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: hf.train.MomentumOptimizer(0.1, 0.9),
    "adagrad": lambda: hf.train.AdagradOptimizer(0.1),
    "adagrad_da": lambda: hf.train.AdagradDAOptimizer(0.1, hf.constant(0)),
    "adam": lambda: hf.train.AdamOptimizer(0.1),
    "lazy_adam": lambda: hf.contrib.opt.LazyAdamOptimizer(0.1),
    "adadelta": lambda: hf.train.AdadeltaOptimizer(0.1),
    "rmsprop": lambda: hf.train.RMSPropOptimizer(0.1, centered=True),
    "ftrl": lambda: hf.train.FtrlOptimizer(0.1),
    "proximal_sgd": lambda: hf.train.ProximalGradientDescentOptimizer(0.1),
    "proximal_adagrad": lambda: hf.train.ProximalAdagradOptimizer(0.1),
}


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ON_PARTS)
def test_parts_are_trained_like_the_whole(name: str, sparse: bool, constrained: bool) -> None:
    """Every optimizer, in both modes: parts move as the rows of a whole variable do."""
    start = np.arange(1.0, 11.0, dtype=np.float32).reshape(5, 2)

    def loss_of(v: Any) -> Any:
        rows = hf.nn.embedding_lookup(v, [0, 4, 3, 0], partition_strategy="div") if sparse else v
        return hf.reduce_sum(hf.square(rows)) / 8.0

    def trained(eager: bool, parts: int | None) -> Any:
        options: dict[str, Any] = {"initializer": hf.constant(start)}
        if parts:
            options["partitioner"] = hf.fixed_size_partitioner(parts)
        if constrained:
            options["constraint"] = hf.constraints.Box(1.0, 5.0)
        v, optimizer = hf.get_variable("v", **options), ON_PARTS[name]()
        if eager:
            for _ in range(3):
                optimizer.minimize(lambda: loss_of(v))
            return hf.convert_to_tensor(v).numpy()
        train = optimizer.minimize(loss_of(v))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            for _ in range(3):
                session.run(train)
            return session.run(hf.convert_to_tensor(v))

    found = []
    for eager in (False, True):
        for parts in (None, 2, 5):
            mode = hf.eager_mode() if eager else hf.Graph().as_default()
            with mode, hf.EagerVariableStore().as_default():
                found.append(trained(eager, parts))
    assert not np.array_equal(found[0], start)
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], 1e-5, 1e-6)


class TestInFunctions:
    """A training step traced by `hf.function`."""

    @pytest.mark.parametrize("as_tensor", [False, True])
    def test_minimize(self, eager: None, as_tensor: bool) -> None:
        v = hf.Variable([1.0, 2.0])
        optimizer = hf.train.MomentumOptimizer(0.25, 0.0)

        @hf.function
        def step(x: Any) -> Any:
            def loss() -> Any:
                return hf.reduce_sum(v * v * x)

            before = loss()
            optimizer.minimize(before if as_tensor else loss)
            return before, hf.reduce_sum(v * v * x)

        before, after = step(hf.constant(1.0))
        assert (float(before), float(after)) == (5.0, 1.25)
        np.testing.assert_allclose(v.numpy(), [0.5, 1.0])

    def test_traced_again_with_the_same_slots(self, eager: None) -> None:
        table = hf.Variable([[1.0], [2.0], [3.0]])
        optimizer = hf.train.AdamOptimizer(0.5)

        @hf.function
        def step(indices: Any) -> None:
            optimizer.minimize(lambda: hf.reduce_sum(hf.gather(table, indices)))

        for indices in ([0], [1, 2], [[0, 1]]):
            step(hf.constant(indices))
        assert len(step.trace_log) > 1
        assert len(optimizer.variables()) == 4
        assert float(optimizer._get_beta_accumulators()[0]) == pytest.approx(0.9**4)

    def test_the_same_numbers_as_outside(self, eager: None) -> None:
        def train(wrap: Any) -> Any:
            v = hf.Variable(np.linspace(-1.0, 1.0, 6, dtype=np.float32))
            rate = hf.Variable(0.5, trainable=False)
            optimizer = hf.train.RMSPropOptimizer(lambda: rate * 0.5, momentum=0.5, centered=True)
            step = wrap(lambda: optimizer.minimize(lambda: hf.reduce_sum(v * v * v * v)))
            for _ in range(5):
                step()
                rate.assign(rate * 0.75)
            return v.numpy()

        np.testing.assert_array_equal(train(hf.function), train(lambda f: f))


class TestGlobalStep:
    @pytest.mark.parametrize("use_resource", [False, True])
    @pytest.mark.parametrize("dtype", ["int32", "int64"])
    def test_counted_after_the_updates(
        self, graph: hf.Graph, use_resource: bool, dtype: str
    ) -> None:
        v = new_variable()
        step = hf.get_variable(
            "global_step",
            [],
            dtype,
            initializer=hf.zeros_initializer(),
            trainable=False,
            use_resource=use_resource,
        )
        train = hf.train.GradientDescentOptimizer(0.25).minimize(
            hf.reduce_sum(v * v), global_step=step, name="training"
        )
        assert train.name == "training"
        assert train.type == ("AssignAddVariableOp" if use_resource else "AssignAdd")
        value = train.inputs[1].op
        waits = [op.name for op in value.control_inputs] or [op.name for op in train.control_inputs]
        assert waits == ["training/update"]
        assert run_steps(train, step, 3) == 3
        assert hf.get_collection(hf.GraphKeys.TRAIN_OP) == [train]

    def test_eager(self, eager: None) -> None:
        step = hf.Variable(0, trainable=False)
        v = hf.Variable(1.0)
        for _ in range(3):
            hf.train.GradientDescentOptimizer(0.25).minimize(lambda: v * v, global_step=step)
        assert int(step) == 3


class TestSlots:
    def test_names_and_sharing(self, graph: hf.Graph) -> None:
        v = new_variable()
        grad = hf.constant([1.0, 1.0])
        first, second = hf.train.AdamOptimizer(0.1), hf.train.AdamOptimizer(0.1)
        first.apply_gradients([(grad, v)])
        first.apply_gradients([(grad, v)])
        second.apply_gradients([(grad, v)])
        names = [first.get_slot(v, "m").op.name, first.get_slot(v, "v").op.name]
        assert names == ["v/Adam", "v/Adam_1"]
        names = [second.get_slot(v, "m").op.name, second.get_slot(v, "v").op.name]
        assert names == ["v/Adam_2", "v/Adam_3"]
        assert [x.op.name for x in second.variables()] == [
            "beta1_power_1",
            "beta2_power_1",
            "v/Adam_2",
            "v/Adam_3",
        ]
        assert first.get_slot_names() == ["m", "v"]
        assert first.get_slot(v, "other") is None
        assert first.get_slot(new_variable("w"), "m") is None
        assert first.get_name() == "Adam"

    def test_one_optimizer_in_two_graphs_and_eagerly(self) -> None:
        optimizer = hf.train.AdamOptimizer(0.1)
        powers = []
        for _ in range(2):
            with hf.Graph().as_default():
                v = new_variable()
                train = optimizer.minimize(hf.reduce_sum(v * v))
                powers.append(optimizer.variables())
                assert run_steps(train, powers[-1][0], 2) == pytest.approx(0.9**3)
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.Variable(1.0, name="a")
            optimizer.minimize(lambda: v * v)
            powers.append(optimizer.variables()[-2:])
            assert float(powers[-1][0]) == pytest.approx(0.9**2)
        assert len({id(x[0]) for x in powers}) == 3

    def test_same_name_is_not_the_same_variable(self, eager: None) -> None:
        optimizer = hf.train.MomentumOptimizer(1.0, 0.5)
        v, w = hf.Variable(1.0, name="v"), hf.Variable([1.0], name="v")
        optimizer.apply_gradients([(hf.constant(1.0), v), (hf.constant([2.0]), w)])
        assert optimizer.get_slot(v, "momentum").numpy() == 1.0
        assert optimizer.get_slot(w, "momentum").numpy() == [2.0]

    def test_scope_defaults_do_not_reach_slots(self, graph: hf.Graph) -> None:
        v = new_variable()
        with hf.variable_scope(
            "training",
            regularizer=lambda x: hf.reduce_sum(x),
            constraint=lambda x: x,
            partitioner=hf.fixed_size_partitioner(2),
            dtype=hf.float64,
            use_resource=True,
        ) as scope:
            scope.reuse_variables()
            optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
            optimizer.minimize(hf.reduce_sum(v * v))
        slot = optimizer.get_slot(v, "momentum")
        assert slot.op.name == "training/v/Momentum"
        assert (slot.constraint, slot.trainable, slot.op.type) == (None, False, "VariableV2")
        assert slot.dtype.base_dtype == hf.float32
        assert hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES) == []

    def test_device(self, graph: hf.Graph) -> None:
        with hf.device("/cpu:0"):
            v = new_variable()
            w = new_variable("w", use_resource=True)
        optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
        with hf.device("/gpu:1"):
            optimizer.minimize(hf.reduce_sum(v * w))
        for x in (v, w):
            assert optimizer.get_slot(x, "momentum").device == x.device == "/device:CPU:0"
        assert optimizer.get_slot(w, "momentum").op.type == "VarHandleOp"
        with hf.eager_mode():
            with hf.device("/cpu:1"):
                x = hf.Variable(1.0)
            optimizer.minimize(lambda: x * x)
            assert optimizer.get_slot(x, "momentum").device == x.device

    def test_inside_control_flow(self, graph: hf.Graph) -> None:
        """Slots made inside a branch belong to the graph, and have values when it is not taken."""
        v = new_variable()
        w = new_variable("w", use_resource=True)
        go = hf.placeholder(hf.bool, [])
        optimizer = hf.train.AdamOptimizer(0.1)

        def train() -> Any:
            grad = hf.constant([1.0, 1.0])
            done = optimizer.apply_gradients([(grad, v), (grad, w)])
            with hf.control_dependencies([done]):
                return hf.constant(1)

        result = hf.cond(go, train, lambda: hf.constant(0))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            before = session.run([v, w])
            assert session.run(result, {go: False}) == 0
            np.testing.assert_array_equal(session.run([v, w]), before)
            assert session.run(result, {go: True}) == 1
            np.testing.assert_allclose(session.run([v, w]), np.subtract(before, 0.1), 1e-5)

    def test_unknown_static_shape(self, execution: Execution) -> None:
        def train() -> Any:
            v = hf.Variable(
                hf.placeholder_with_default(hf.constant([1.0, 2.0]), [None])
                if execution.name == "graph"
                else [1.0, 2.0],
                validate_shape=False,
                name="v",
            )
            grads = [hf.constant([1.0, 1.0])]
            done = []
            for optimizer in (
                hf.train.MomentumOptimizer(0.25, 0.9),
                hf.train.RMSPropOptimizer(0.25),
                hf.train.AdagradOptimizer(0.25),
                hf.train.FtrlOptimizer(0.25),
            ):
                done.append(optimizer.apply_gradients(zip(grads, [v], strict=True)))
            return [hf.constant(1.0)] if done[0] is None else done

        if execution.name == "graph":
            with hf.Graph().as_default():
                run_steps(train(), [])
        else:
            execution(train)

    def test_graphs_are_freed_while_the_optimizer_lives(self) -> None:
        optimizer = hf.train.AdamOptimizer(0.1)
        graphs = []
        for _ in range(2):
            with hf.Graph().as_default() as graph:
                optimizer.minimize(hf.reduce_sum(new_variable()))
            graphs.append(weakref.ref(graph))
        del graph
        gc.collect()
        # The hyperparameters of the last one are still at hand.
        assert [g() is None for g in graphs] == [True, False]

    def test_eager_slots_go_with_their_variable(self) -> None:
        optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
        with hf.eager_mode():
            with hf.EagerVariableStore().as_default():
                v = hf.Variable(1.0)
                optimizer.minimize(lambda: v * v)
                gone = weakref.ref(optimizer.get_slot(v, "momentum"))
            v = None
            gc.collect()
            assert gone() is None
            assert optimizer.variables() == []


class TestErrors:
    def test_arguments_of_compute_gradients(self, graph: hf.Graph) -> None:
        optimizer = hf.train.GradientDescentOptimizer(0.1)
        with pytest.raises(ValueError, match="No variables to optimize"):
            optimizer.minimize(hf.constant(1.0))
        v = new_variable()
        loss = hf.reduce_sum(v * v)
        with pytest.raises(ValueError, match="gate_gradients must be one of"):
            optimizer.minimize(loss, gate_gradients=7)
        with pytest.raises(ValueError, match="Invalid aggregation_method specified 99"):
            optimizer.minimize(loss, aggregation_method=99)
        with pytest.raises(TypeError, match=r"not a hf\.Variable"):
            optimizer.minimize(loss, var_list=[v, loss])
        with pytest.raises(ValueError, match="Invalid type"):
            optimizer.minimize(hf.constant(1))
        with pytest.raises(ValueError, match="Invalid type"):
            optimizer.minimize(loss, grad_loss=hf.constant(1))
        with pytest.raises(ValueError, match="In graph mode pass the loss tensor"):
            optimizer.minimize(lambda: loss)
        w = new_variable("w")
        with pytest.raises(
            ValueError, match=r"No gradients provided for any variable.*'w:0'.*loss"
        ):
            optimizer.minimize(loss, var_list=[w])

    def test_eager_loss(self, eager: None) -> None:
        optimizer = hf.train.GradientDescentOptimizer(0.1)
        v = hf.Variable(1.0)
        with pytest.raises(RuntimeError, match="should be a function when eager"):
            optimizer.minimize(v * v)
        with pytest.raises(ValueError, match="must return the loss"):
            optimizer.minimize(lambda: None)
        with pytest.raises(ValueError, match="No variables to optimize"):
            optimizer.minimize(lambda: hf.constant(1.0))
        with pytest.raises(ValueError, match="No gradients provided"):
            optimizer.minimize(lambda: hf.constant(1.0), var_list=[v])
        with pytest.raises(ValueError, match="Invalid type"):
            optimizer.minimize(lambda: hf.cast(v, hf.int32))

    def test_pairs(self, execution: Execution) -> None:
        def check() -> Any:
            optimizer = hf.train.GradientDescentOptimizer(0.1)
            v = hf.Variable(1.0, name="v")
            grad = hf.constant(1.0)
            with pytest.raises(ValueError, match="No variables provided"):
                optimizer.apply_gradients([])
            with pytest.raises(
                ValueError, match=r"No gradients provided for any variable: .*'v:0'"
            ):
                optimizer.apply_gradients([(None, v)])
            with pytest.raises(TypeError, match=r"not a hf\.Variable"):
                optimizer.apply_gradients([(grad, grad)])
            with pytest.raises(TypeError, match=r"not a hf\.Variable"):
                optimizer.apply_gradients([(None, 3), (grad, v)])
            with pytest.raises(TypeError, match=r"convertible to a Tensor or IndexedSlices.*'v:0'"):
                optimizer.apply_gradients([(object(), v)])
            with pytest.raises(TypeError, match="pairs"):
                optimizer.apply_gradients([v])
            with pytest.raises(TypeError, match="global_step must be"):
                optimizer.apply_gradients([(grad, v)], global_step=1)
            return grad

        execution(check)

    def test_gradients_that_do_not_fit(self, execution: Execution) -> None:
        def check() -> Any:
            optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
            v = hf.Variable([1.0, 2.0], name="v")
            m = hf.Variable([[1.0, 2.0]], name="m")
            rows = hf.IndexedSlices(hf.constant([[1.0, 1.0, 1.0]]), hf.constant([0]))
            for grad, variable, text in (
                (hf.constant([1.0, 1.0, 1.0]), v, r"\(3,\) does not fit variable 'v:0' of shape"),
                (hf.constant(1.0), v, r"shape \(\) does not fit variable 'v:0' of shape \(2,\)"),
                (rows, m, r"shape \(1, 3\) does not fit variable 'm:0' of shape \(1, 2\)"),
            ):
                for error in (ValueError, hf.errors.InvalidArgumentError):
                    with pytest.raises(error, match=text):
                        optimizer.apply_gradients([(grad, variable)])
            for error in (TypeError, hf.errors.InvalidArgumentError):
                text = "type float64 that does not match type float32 of variable 'v:0'"
                with pytest.raises(error, match=text):
                    optimizer.apply_gradients([(hf.constant([1.0, 1.0], hf.float64), v)])
            return hf.constant(1.0)

        execution(check)

    def test_when_it_runs(self, graph: hf.Graph) -> None:
        for use_resource in (False, True):
            name = f"v{use_resource}"
            v = new_variable(name, ((1.0, 2.0), (3.0, 4.0)), use_resource=use_resource)
            values, indices = hf.placeholder(hf.float32), hf.placeholder(hf.int32)
            optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
            dense = optimizer.apply_gradients([(values, v)])
            sparse = optimizer.apply_gradients([(hf.IndexedSlices(values, indices), v)])
            slot = optimizer.get_slot(v, "momentum")
            with hf.Session() as session:
                with pytest.raises(hf.errors.FailedPreconditionError, match=name):
                    session.run(dense, {values: np.ones([2, 2])})
                session.run(hf.global_variables_initializer())
                before = session.run([v, slot])
                row = np.ones([1, 2])
                for train, feeds, text in (
                    (dense, {values: np.ones([3])}, "shape"),
                    (sparse, {values: row, indices: [2]}, r"not in \[0, 2\)"),
                    (sparse, {values: row, indices: [-1]}, r"not in \[0, 2\)"),
                    (sparse, {values: row, indices: [0, 1]}, "one row"),
                    (sparse, {values: np.ones([1, 3]), indices: [0]}, "one row"),
                    (sparse, {values: row, indices: 0}, "one row"),
                ):
                    with pytest.raises(hf.errors.InvalidArgumentError, match=text) as caught:
                        session.run(train, feeds)
                    assert f"'{name}'" in str(caught.value)
                    np.testing.assert_array_equal(session.run([v, slot]), before)

    def test_eager_state_is_unchanged_after_an_error(self, eager: None) -> None:
        v, w = hf.Variable([1.0, 2.0], name="v"), hf.Variable([1.0, 2.0], name="w")
        step = hf.Variable(0, trainable=False)
        optimizer = hf.train.AdamOptimizer(0.1)
        fits = hf.constant([1.0, 1.0])
        optimizer.apply_gradients([(fits, v), (fits, w)], global_step=step)
        state = [v, w, step, *optimizer.variables()]
        before = [x.numpy() for x in state]
        with pytest.raises(hf.errors.InvalidArgumentError, match="'w:0'"):
            optimizer.apply_gradients([(fits, v), (hf.constant([1.0]), w)], global_step=step)
        for x, value in zip(state, before, strict=True):
            np.testing.assert_array_equal(x.numpy(), value)

    def test_variables_of_the_other_mode(self, graph: hf.Graph) -> None:
        v = new_variable()
        optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
        with hf.eager_mode():
            w = hf.Variable([1.0, 2.0], name="w")
            with pytest.raises(RuntimeError, match=r"'v:0' belongs to a graph"):
                optimizer.apply_gradients([(hf.constant([1.0, 1.0]), v)])
        with pytest.raises(RuntimeError, match=r"'w:0' is an eager one"):
            optimizer.apply_gradients([(hf.constant([1.0, 1.0]), w)])

    def test_constructors(self) -> None:
        with pytest.raises(ValueError, match="Must specify the optimizer name"):
            hf.train.GradientDescentOptimizer(0.1, name="")
        for make in (
            lambda: hf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.0),
            lambda: hf.train.AdagradDAOptimizer(0.1, 0, 0.0),
            lambda: hf.train.ProximalAdagradOptimizer(0.1, initial_accumulator_value=-1.0),
            lambda: hf.train.FtrlOptimizer(0.1, initial_accumulator_value=-1.0),
            lambda: hf.train.FtrlOptimizer(0.1, learning_rate_power=0.5),
            lambda: hf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0),
            lambda: hf.train.FtrlOptimizer(0.1, l2_regularization_strength=-1.0),
            lambda: hf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=-1.0),
        ):
            with pytest.raises(ValueError, match=r"positive|needs to be"):
                make()


class TestHyperparameters:
    @pytest.mark.parametrize("kind", ["number", "array", "tensor", "variable", "function"])
    def test_kinds(self, execution: Execution, kind: str) -> None:
        def train(x: Any) -> Any:
            rate: Any = {
                "number": lambda: 0.5,
                "array": lambda: np.float32(0.5),
                "tensor": lambda: hf.constant(0.5),
                "variable": lambda: hf.Variable(0.5, trainable=False, name="rate"),
                "function": lambda: lambda: 0.5,
            }[kind]()
            v = hf.Variable([1.0, 2.0], name="v")
            optimizer = hf.train.AdamOptimizer(rate, beta1=0.5, beta2=0.5, epsilon=0.0)
            done = optimizer.apply_gradients([(x, v)])
            with hf.control_dependencies([] if done is None else [done]):
                return v.read_value()

        np.testing.assert_allclose(execution(train, np.float32([1.0, -4.0])), [0.5, 2.5], 1e-6)

    def test_a_vector_is_refused(self, execution: Execution) -> None:
        def train(x: Any) -> Any:
            v = hf.Variable([1.0, 2.0], name="v")
            with pytest.raises((ValueError, hf.errors.InvalidArgumentError)):
                hf.train.GradientDescentOptimizer(hf.constant([0.1, 0.2])).apply_gradients([(x, v)])
            return x

        execution(train, np.float32([1.0, -4.0]))

    def test_a_function_is_called_at_each_eager_step(self, eager: None) -> None:
        rates = iter([1.0, 0.5])
        optimizer = hf.train.GradientDescentOptimizer(lambda: next(rates))
        v = hf.Variable(0.0)
        for expected in (-1.0, -1.5):
            optimizer.apply_gradients([(hf.constant(1.0), v)])
            assert float(v) == expected


HYPERPARAMETERS: dict[str, tuple[Any, dict[str, float]]] = {
    "GradientDescent": (hf.train.GradientDescentOptimizer, {"learning_rate": 0.5}),
    "Momentum": (hf.train.MomentumOptimizer, {"learning_rate": 0.5, "momentum": 0.75}),
    "Adam": (
        hf.train.AdamOptimizer,
        {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.75, "epsilon": 0.125},
    ),
    "LazyAdam": (
        hf.contrib.opt.LazyAdamOptimizer,
        {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.75, "epsilon": 0.125},
    ),
    "Adagrad": (hf.train.AdagradOptimizer, {"learning_rate": 0.5}),
    "Adadelta": (hf.train.AdadeltaOptimizer, {"learning_rate": 0.5, "rho": 0.5, "epsilon": 0.25}),
    "RMSProp": (
        hf.train.RMSPropOptimizer,
        {"learning_rate": 0.5, "decay": 0.5, "momentum": 0.25, "epsilon": 0.125},
    ),
    "Ftrl": (hf.train.FtrlOptimizer, {"learning_rate": 0.5}),
    "ProximalGradientDescent": (
        hf.train.ProximalGradientDescentOptimizer,
        {"learning_rate": 0.5},
    ),
    "ProximalAdagrad": (hf.train.ProximalAdagradOptimizer, {"learning_rate": 0.5}),
    "AdagradDA": (
        lambda **kwargs: hf.train.AdagradDAOptimizer(global_step=hf.constant(0), **kwargs),
        {"learning_rate": 0.5},
    ),
}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_each_hyperparameter_in_each_form(execution: Execution, name: str, sparse: bool) -> None:
    """Numbers, tensors and functions that give them: the same updates."""
    make, settings = HYPERPARAMETERS[name]

    def steps(form: Callable[[float], Any]) -> Any:
        made: list[Any] = []

        def train(x: Any) -> Any:
            if not made or execution.name == "graph":
                made[:] = [hf.Variable([1.0, 2.0], name="v")]
            (v,) = made
            with init_scope():  # where Adam's powers are made, also of a traced function
                optimizer = make(**{key: form(value) for key, value in settings.items()})
            grad = hf.IndexedSlices(x, hf.constant([0, 1])) if sparse else x
            done = optimizer.apply_gradients([(grad, v)])
            with hf.control_dependencies([] if done is None else [done]):
                return v.read_value()

        return execution(train, np.float32([1.0, -4.0]))

    wanted = steps(lambda value: value)
    assert not np.array_equal(wanted, [1.0, 2.0])
    for form in (
        hf.constant,
        lambda value: lambda: value,
        lambda value: lambda: hf.constant(value),
    ):
        np.testing.assert_array_equal(steps(form), wanted)


class Halving(hf.train.Optimizer):
    """A user's optimizer, written as for TF 1.4."""

    def __init__(self) -> None:
        super().__init__(False, "Halving")
        self.sparse: list[Any] = []

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "count", self._name)

    def _prepare(self) -> None:
        self._half = hf.convert_to_tensor(0.5, name="half")

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        count = self.get_slot(var, "count").assign_add(hf.ones_like(grad))
        return hf.group(var.assign_sub(self._half * grad), count)

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        self.sparse.append(grad.indices)
        half = hf.IndexedSlices(self._half * grad.values, grad.indices)
        return hf.group(var.scatter_sub(half))


class TestSubclasses:
    @pytest.mark.parametrize("use_resource", [False, True])
    def test_hooks(self, graph: hf.Graph, use_resource: bool) -> None:
        v = new_variable(use_resource=use_resource)
        table = new_variable("table", ((1.0,), (2.0,), (3.0,)), use_resource=use_resource)
        optimizer = Halving()
        rows = hf.IndexedSlices(hf.constant([[1.0], [2.0], [4.0]]), hf.constant([2, 0, 2]))
        train = optimizer.apply_gradients([(hf.constant([2.0, 4.0]), v), (rows, table)])
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            session.run(train)
            np.testing.assert_allclose(session.run(v), [0.0, 0.0])
            np.testing.assert_allclose(session.run(optimizer.get_slot(v, "count")), [1.0, 1.0])
            np.testing.assert_allclose(session.run(table), [[0.0], [2.0], [0.5]])
            assert sorted(session.run(optimizer.sparse[0])) == [0, 2]

    def test_hooks_eager(self, eager: None) -> None:
        v, table = hf.Variable([1.0, 2.0]), hf.Variable([[1.0], [2.0], [3.0]])
        optimizer = Halving()
        rows = hf.IndexedSlices(hf.constant([[1.0], [2.0], [4.0]]), hf.constant([2, 0, 2]))
        optimizer.apply_gradients([(hf.constant([2.0, 4.0]), v), (rows, table)])
        np.testing.assert_allclose(v.numpy(), [0.0, 0.0])
        np.testing.assert_allclose(table.numpy(), [[0.0], [2.0], [0.5]])

    def test_a_sparse_hook_of_a_built_in_gets_each_index_once(self, eager: None) -> None:
        seen = []

        class Lazy(hf.train.AdamOptimizer):
            def _apply_sparse(self, grad: Any, var: Any) -> Any:
                seen.append(sorted(grad.indices.numpy().tolist()))
                return super()._apply_sparse(grad, var)

        v = hf.Variable([[1.0], [2.0]])
        rows = hf.IndexedSlices(hf.constant([[1.0], [2.0]]), hf.constant([1, 1]))
        Lazy(0.1).apply_gradients([(rows, v)])
        assert seen == [[1]]

    def test_hooks_that_are_missing(self, graph: hf.Graph) -> None:
        class Empty(hf.train.Optimizer):
            pass

        v = new_variable()
        optimizer = Empty(False, "Empty")
        with pytest.raises(NotImplementedError, match="Empty does not define _apply_dense"):
            optimizer.apply_gradients([(hf.constant([1.0, 1.0]), v)])
        rows = hf.IndexedSlices(hf.constant([1.0]), hf.constant([1]))
        with pytest.raises(NotImplementedError, match="Empty does not define _apply_sparse"):
            optimizer.apply_gradients([(rows, v)])


def in_threads(count: int, work: Any) -> None:
    errors = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


class TestThreads:
    """With `use_locking` no update is lost when many threads run the step."""

    THREADS = 8
    STEPS = 40

    @pytest.fixture(autouse=True)
    def switch_often(self) -> Iterator[None]:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        yield
        sys.setswitchinterval(interval)

    @staticmethod
    def slow(value: Any) -> Any:
        """A constraint that lets other threads run between the update and the assignment."""
        result = hf.py_func(lambda x: (time.sleep(1e-4), x)[1], [value], hf.float32)
        result.set_shape(value.shape)
        return result

    @pytest.mark.parametrize("use_resource", [False, True])
    @pytest.mark.parametrize("constrained", [False, True])
    def test_graph(self, graph: hf.Graph, use_resource: bool, constrained: bool) -> None:
        v = new_variable(
            value=np.zeros(3, np.float32),
            use_resource=use_resource,
            constraint=self.slow if constrained else None,
        )
        step = hf.train.get_or_create_global_step()
        optimizer = hf.train.GradientDescentOptimizer(1.0, use_locking=True)
        train = optimizer.apply_gradients([(hf.constant([1.0, 2.0, 4.0]), v)], global_step=step)
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            in_threads(self.THREADS, lambda: [session.run(train) for _ in range(self.STEPS)])
            total = self.THREADS * self.STEPS
            np.testing.assert_array_equal(session.run(v), [-total, -2 * total, -4 * total])
            assert session.run(step) == total

    def test_a_program_that_leaves_the_update_to_numpy(self, graph: hf.Graph) -> None:
        """The branch has no kernel, so NumPy meanings have the variable in their hands."""
        v = new_variable(value=np.zeros(2, np.float32), use_resource=True, constraint=self.slow)
        x = hf.placeholder(hf.float32, [2])

        def more() -> hf.Tensor:
            return hf.py_func(lambda a: a + 1.0, [v.read_value()], hf.float32)

        branch = hf.cond(x[0] > 0.0, more, v.read_value)
        optimizer = hf.train.GradientDescentOptimizer(1.0, use_locking=True)
        train = optimizer.apply_gradients([(x, v)])
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())

            def run(steps: int) -> None:
                for _ in range(steps):
                    session.run([branch, train], {x: [1.0, 2.0]})

            run(2)
            native.wait()
            in_threads(self.THREADS, lambda: run(self.STEPS))
            total = self.THREADS * self.STEPS + 2
            np.testing.assert_array_equal(session.run(v), [-total, -2 * total])
            plan = plan_of(session, [branch])
            assert "in the hands of NumPy" in str(native.fallbacks(plan))

    def test_adam_counts_every_step(self, graph: hf.Graph) -> None:
        v = new_variable()
        optimizer = hf.train.AdamOptimizer(0.1, beta1=0.99, use_locking=True)
        train = optimizer.minimize(hf.reduce_sum(v))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            in_threads(self.THREADS, lambda: [session.run(train) for _ in range(self.STEPS)])
            power = session.run(optimizer.variables()[0])
        assert power == pytest.approx(0.99 ** (self.THREADS * self.STEPS + 1), rel=1e-4)

    def test_eager(self) -> None:
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.Variable(0.0, constraint=lambda x: hf.maximum(x, -1e6))
        optimizer = hf.train.MomentumOptimizer(1.0, 0.0, use_locking=True)

        def work() -> None:
            with hf.eager_mode():
                for _ in range(self.STEPS):
                    optimizer.apply_gradients([(hf.constant(1.0), v)])

        in_threads(self.THREADS, work)
        assert v.numpy() == -self.THREADS * self.STEPS


@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda bad: hf.train.GradientDescentOptimizer(bad), "learning_rate"),
        (lambda bad: hf.train.AdamOptimizer(bad), "learning_rate"),
        (lambda bad: hf.train.AdamOptimizer(lambda: bad), "learning_rate"),
        (lambda bad: hf.train.MomentumOptimizer(0.1, bad), "momentum"),
    ],
)
def test_a_hyperparameter_that_is_no_number(mode, make, name):
    with hf.Graph().as_default(), mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", [2])
        for bad, kind in (("0.1", TypeError), (None, ValueError)):
            with pytest.raises(kind, match=rf"`{name}` must be a number or .*, got {bad!r}\."):
                make(bad).apply_gradients([(hf.ones([2]), v)])


def test_the_values_of_a_dict_are_variables():
    with hf.Graph().as_default(), hf.Session() as session:
        weights = {"w": hf.Variable([1.0]), "b": hf.Variable([2.0])}
        optimizer = hf.train.GradientDescentOptimizer(1.0)
        step = optimizer.minimize(weights["w"] + weights["b"], var_list=weights.values())
        session.run(hf.global_variables_initializer())
        session.run(step)
        assert session.run(weights) == {"w": [0.0], "b": [1.0]}
