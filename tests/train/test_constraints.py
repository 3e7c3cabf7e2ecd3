"""Constraints are applied after every update: dense, sparse, partitioned, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

START = np.array([[1.0, -2.0], [0.5, 0.25], [-1.5, 3.0]], np.float32)
GRAD = np.array([[0.5, 1.0], [-4.0, 2.0], [1.0, -1.0]], np.float32)
ROWS = np.array([2, 0, 2, 2], np.int32)
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "sgd": lambda **kw: hf.train.GradientDescentOptimizer(0.5, **kw),
    "momentum": lambda **kw: hf.train.MomentumOptimizer(0.5, 0.9, use_nesterov=True, **kw),
    "adagrad": lambda **kw: hf.train.AdagradOptimizer(0.5, **kw),
    "adam": lambda **kw: hf.train.AdamOptimizer(0.5, **kw),
    "lazy_adam": lambda **kw: hf.contrib.opt.LazyAdamOptimizer(0.5, **kw),
    "rmsprop": lambda **kw: hf.train.RMSPropOptimizer(0.5, centered=True, **kw),
    "adadelta": lambda **kw: hf.train.AdadeltaOptimizer(5.0, **kw),
    "ftrl": lambda **kw: hf.train.FtrlOptimizer(0.5, **kw),
    "proximal": lambda **kw: hf.train.ProximalAdagradOptimizer(0.5, **kw),
}


def box(value: Any) -> Any:
    return hf.minimum(hf.maximum(value, -0.75), 0.75)


def clipped(value: Any) -> Any:
    return np.clip(value, -0.75, 0.75)


def steps_of(
    mode: str,
    optimizer: Callable[[], Any],
    sparse: bool,
    constraint: Any,
    use_resource: bool = True,
    start: Any = START,
) -> list[Any]:
    """The values of a variable after each of three steps."""

    def gradient(values: Any, indices: Any) -> Any:
        return hf.IndexedSlices(values, indices) if sparse else values

    values = GRAD[[0, 1, 2, 0]] if sparse else GRAD
    if mode == "graph":
        with hf.Graph().as_default(), hf.Session() as session:
            v = hf.get_variable(
                "v",
                initializer=hf.constant(start),
                constraint=constraint,
                use_resource=use_resource,
            )
            grad = gradient(hf.constant(values), hf.constant(ROWS))
            train = optimizer().apply_gradients([(grad, v)])
            session.run(hf.global_variables_initializer())
            return [(session.run(train), session.run(v))[1] for _ in range(3)]
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.Variable(start, name="v", constraint=constraint)
        made = optimizer()

        def step() -> None:
            made.apply_gradients([(gradient(hf.constant(values), hf.constant(ROWS)), v)])

        run = hf.function(step) if mode == "function" else step
        return [(run(), v.numpy())[1] for _ in range(3)]


@pytest.mark.parametrize("use_locking", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_after_every_update(name: str, sparse: bool, use_locking: bool) -> None:
    """The same in each mode; the first step is that without a constraint, projected."""

    def make() -> Any:
        return OPTIMIZERS[name](use_locking=use_locking)

    found = [steps_of(mode, make, sparse, box) for mode in EXECUTIONS]
    found.append(steps_of("graph", make, sparse, box, use_resource=False))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    free = steps_of("eager", make, sparse, None)[0]
    np.testing.assert_array_equal(found[0][0], clipped(free))
    assert np.abs(free).max() > 0.75 >= np.abs(found[0]).max()
    assert not np.array_equal(found[0][1], found[0][2])


WRITES: dict[str, Callable[[Any], Any]] = {
    "assign": lambda v: v.assign([8.0, -8.0]),
    "assign_add": lambda v: v.assign_add([5.0, -11.0]),
    "assign_sub": lambda v: v.assign_sub([-5.0, 11.0]),
    "scatter_update": lambda v: hf.scatter_update(v, [0, 1], [8.0, -8.0]),
    "a slice": lambda v: v[:].assign([8.0, -8.0]),
}


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("name", WRITES)
def test_only_after_updates(execution: Execution, name: str, use_resource: bool) -> None:
    """Neither the initial value nor what is written otherwise is projected."""
    if execution.name == "graph":
        with hf.Graph().as_default(), hf.Session() as session:
            v = hf.get_variable(
                "v", initializer=[3.0, 3.0], constraint=box, use_resource=use_resource
            )
            session.run(v.initializer)
            assert session.run(v).tolist() == [3.0, 3.0]
            session.run(WRITES[name](v))
            assert session.run(v).tolist() == [8.0, -8.0]
        return
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", initializer=[3.0, 3.0], constraint=box)
        assert v.numpy().tolist() == [3.0, 3.0]

        def write() -> Any:
            return WRITES[name](v)

        (hf.function(write) if execution.name == "function" else write)()
        assert v.numpy().tolist() == [8.0, -8.0]


@pytest.mark.parametrize("use_locking", [False, True])
@pytest.mark.parametrize("use_resource", [False, True])
def test_the_returned_operation_finishes_after_the_projection(
    use_resource: bool, use_locking: bool
) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=[1.0, 2.0], constraint=box, use_resource=use_resource)
        before = hf.reduce_sum(v * 1.0)
        optimizer = hf.train.GradientDescentOptimizer(-1.0, use_locking=use_locking)
        step = hf.train.get_or_create_global_step()
        train = optimizer.apply_gradients([(hf.constant([1.0, 1.0]), v)], global_step=step)
        with hf.control_dependencies([train]):
            after = v.read_value() * 1.0
        session.run(hf.global_variables_initializer())
        got = session.run([before, after, train])
        assert got[0] == 3.0
        np.testing.assert_array_equal(got[1], [0.75, 0.75])
        assert session.run(step) == 1


def test_several_optimizers_share_a_variable(execution: Execution) -> None:
    def train() -> Any:
        v = hf.Variable([0.0, 0.0], name="v", constraint=box)
        done = []
        for optimizer, grad in (
            (hf.train.GradientDescentOptimizer(1.0), [5.0, 0.25]),
            (hf.train.MomentumOptimizer(1.0, 0.0), [0.25, -5.0]),
        ):
            with hf.control_dependencies([d for d in done if d is not None]):
                done.append(optimizer.apply_gradients([(hf.constant(grad), v)]))
        with hf.control_dependencies([d for d in done if d is not None]):
            return v.read_value()

    np.testing.assert_array_equal(execution(train), [-0.75, 0.75])


def test_parts() -> None:
    """Each part is projected by itself, as its own variable."""

    def unit(value: Any) -> Any:
        return value / hf.reduce_sum(value)

    for eager in (False, True):
        mode = hf.eager_mode() if eager else hf.Graph().as_default()
        with mode, hf.EagerVariableStore().as_default():
            v = hf.get_variable(
                "v",
                [4],
                initializer=hf.ones_initializer(),
                partitioner=hf.fixed_size_partitioner(2),
                constraint=unit,
            )
            optimizer = hf.train.GradientDescentOptimizer(0.0)
            pairs = [(hf.constant([1.0, 1.0]), part) for part in v]
            train = optimizer.apply_gradients(pairs)
            if eager:
                value = v.as_tensor().numpy()
            else:
                with hf.Session() as session:
                    session.run(hf.global_variables_initializer())
                    session.run(train)
                    value = session.run(v.as_tensor())
        np.testing.assert_allclose(value, [0.5] * 4)


@pytest.mark.parametrize("use_locking", [False, True])
def test_inside_branches_and_loops(execution: Execution, use_locking: bool) -> None:
    made: list[Any] = []

    def train(go: Any) -> Any:
        if not made or execution.name == "graph":
            # Constraints hold for what is made here; the initial value may lie outside.
            made[:] = [
                hf.Variable([3.0, -3.0], name="v", constraint=box),
                hf.train.MomentumOptimizer(0.125, 0.5, use_locking=use_locking),
            ]
        v, optimizer = made
        grad = hf.constant([1.0, 1.0])

        def step() -> Any:
            done = optimizer.apply_gradients([(grad, v)])
            with hf.control_dependencies([] if done is None else [done]):
                return hf.constant(1)

        taken = hf.cond(go, step, lambda: hf.constant(0))
        with hf.control_dependencies([taken] if execution.name == "graph" else []):
            turns = hf.while_loop(lambda i: i < 2, lambda i: i + step(), [hf.constant(0)])
        with hf.control_dependencies([turns] if execution.name == "graph" else []):
            return v.read_value(), taken

    value, taken = execution(train, np.array(True))
    assert taken == 1
    # From 3 to the edge, then 0.1875 and 0.21875 less; from -3 to the edge, and against it.
    np.testing.assert_allclose(value, [0.34375, -0.75])


def test_gradients_do_not_see_the_projection() -> None:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.Variable([1.0, 2.0], constraint=box)
        w = hf.Variable([1.0, 1.0])
        optimizer = hf.train.GradientDescentOptimizer(1.0)
        with hf.GradientTape(persistent=True) as tape:
            loss = hf.reduce_sum(v * w)
            optimizer.minimize(lambda: hf.reduce_sum(v * v))
            later = hf.reduce_sum(v * w)
        np.testing.assert_array_equal(tape.gradient(loss, w).numpy(), [1.0, 2.0])
        np.testing.assert_array_equal(tape.gradient(loss, v).numpy(), [1.0, 1.0])
        np.testing.assert_array_equal(tape.gradient(later, w).numpy(), v.numpy())
        np.testing.assert_array_equal(v.numpy(), [-0.75, -0.75])


def test_the_value_itself_may_be_returned(execution: Execution) -> None:
    def train() -> Any:
        v = hf.Variable([1.0, 2.0], name="v", constraint=lambda value: value)
        done = hf.train.GradientDescentOptimizer(1.0).apply_gradients(
            [(hf.constant([1.0, 1.0]), v)]
        )
        with hf.control_dependencies([] if done is None else [done]):
            return v.read_value()

    np.testing.assert_array_equal(execution(train), [0.0, 1.0])


class Rows:
    """A constraint that knows whether rows matter to each other, and notes what it gets."""

    def __init__(self, independent: bool) -> None:
        self.independent = independent
        self.shapes: list[Any] = []

    def row_wise(self, rank: int | None) -> bool:
        assert rank == 2
        return self.independent

    def __call__(self, value: Any) -> Any:
        self.shapes.append(value.shape.as_list())
        return box(value)


@pytest.mark.parametrize("use_locking", [False, True])
@pytest.mark.parametrize("name", ["momentum", "adam", "lazy_adam", "adagrad", "sgd"])
def test_rows_by_themselves(execution: Execution, name: str, use_locking: bool) -> None:
    """Only the rows of a sparse gradient are projected, where nothing else can have changed."""
    found = []
    for independent in (False, True):
        rows = Rows(independent)
        small = np.clip(START, -0.5, 0.5)
        found.append(
            steps_of(
                execution.name,
                lambda: OPTIMIZERS[name](use_locking=use_locking),
                True,
                rows,
                start=small,
            )
        )
        # Adam moves every row.
        whole = not independent or name == "adam"
        assert {shape[0] for shape in rows.shapes} == ({3} if whole else {4})
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0]).max() <= 0.75


class Wrong:
    """A constraint that is an object."""

    def __init__(self, result: Callable[[Any], Any]) -> None:
        self.result = result

    def __call__(self, value: Any) -> Any:
        return self.result(value)


WRONG = {
    "none": (lambda v: None, TypeError),
    "number": (lambda v: 1.0, TypeError),
    "array": (lambda v: np.zeros(2, np.float32), TypeError),
    "dtype": (lambda v: hf.cast(v, hf.float64), TypeError),
    "shape": (lambda v: hf.concat([v, v], 0), ValueError),
    "rank": (lambda v: v[0], ValueError),
}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_results_are_refused_when_the_update_is_built(
    execution: Execution, name: str, sparse: bool
) -> None:
    result, error = WRONG[name]

    def train() -> Any:
        v = hf.Variable([1.0, 2.0], name="weights", constraint=Wrong(result))
        optimizer = hf.train.MomentumOptimizer(1.0, 0.5)
        grad: Any = hf.constant([1.0, 1.0])
        if sparse:
            grad = hf.IndexedSlices(grad, hf.constant([0, 1]))
        with pytest.raises(error, match=r"constraint Wrong of variable 'weights:0' .* \(2,\)"):
            optimizer.apply_gradients([(grad, v)])
        if execution.name == "eager":
            np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
            slot = optimizer.get_slot(v, "momentum")
            np.testing.assert_array_equal(slot.numpy(), [0.0, 0.0])
        return grad.values if sparse else grad

    execution(train)


def test_an_error_in_the_constraint_leaves_eager_state_alone() -> None:
    def fails(value: Any) -> Any:
        raise KeyError("no such set")

    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v, w = hf.Variable([1.0, 2.0]), hf.Variable([1.0, 2.0], constraint=fails)
        step = hf.Variable(0, trainable=False)
        optimizer = hf.train.AdamOptimizer(0.1)
        with pytest.raises(KeyError, match="no such set"):
            optimizer.minimize(lambda: hf.reduce_sum(v * w), global_step=step)
        np.testing.assert_array_equal([v.numpy(), w.numpy()], [[1.0, 2.0]] * 2)
        assert int(step) == 0
        powers = [float(x) for x in optimizer._get_beta_accumulators()]
        assert powers == pytest.approx([0.9, 0.999])


def test_a_shape_known_only_when_it_runs() -> None:
    """Then the assignment checks it."""
    with hf.Graph().as_default(), hf.Session() as session:
        size = hf.placeholder(hf.int32, [])
        v = hf.get_variable(
            "v", initializer=[1.0, 2.0], constraint=lambda x: hf.tile(x, hf.stack([size]))
        )
        train = hf.train.GradientDescentOptimizer(1.0).apply_gradients(
            [(hf.constant([1.0, 1.0]), v)]
        )
        session.run(hf.global_variables_initializer())
        session.run(train, {size: 1})
        np.testing.assert_array_equal(session.run(v), [0.0, 1.0])
        with pytest.raises(hf.errors.InvalidArgumentError, match="'v'"):
            session.run(train, {size: 2})


def test_only_functions() -> None:
    for mode in (hf.eager_mode(), hf.Graph().as_default()):
        with mode, pytest.raises(ValueError, match="must be a callable"):
            hf.Variable(1.0, constraint=3)


class TestAsynchronousTraining:
    """There is no distributed mode, so what asks for one with a constraint is refused."""

    @pytest.mark.parametrize("use_resource", [False, True])
    @pytest.mark.parametrize(
        "device",
        ["/job:ps", "/job:ps/task:1/cpu:0", "/job:worker/replica:0/task:3", lambda op: "/job:ps"],
    )
    def test_in_a_graph(self, device: Any, use_resource: bool) -> None:
        with hf.Graph().as_default() as graph:
            with hf.device(device):
                v = hf.get_variable("v", [2], constraint=box, use_resource=use_resource)
                w = hf.get_variable("w", [2], use_resource=use_resource)
            loss = hf.reduce_sum(v * w)
            optimizer = hf.train.AdamOptimizer()
            grads = optimizer.compute_gradients(loss)
            ops = len(graph.get_operations())
            with pytest.raises(
                NotImplementedError, match="'v:0' has the constraint box and is on "
            ):
                optimizer.apply_gradients(grads)
            assert len(graph.get_operations()) == ops
            assert hf.global_variables() == [v, w]
            with pytest.raises(NotImplementedError, match="not safe in asynchronous distributed"):
                optimizer.minimize(loss)
            optimizer.minimize(loss, var_list=[w])

    def test_in_eager_mode(self) -> None:
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            with hf.device("/job:ps/task:0"):
                v = hf.get_variable("v", initializer=[2.0], constraint=box)
            optimizer = hf.train.MomentumOptimizer(1.0, 0.9)
            with pytest.raises(
                NotImplementedError, match="'v:0' has the constraint box and is on "
            ):
                optimizer.minimize(lambda: hf.reduce_sum(v * v))
            assert v.numpy().tolist() == [2.0]
            assert optimizer.variables() == []

    def test_a_part_of_a_partitioned_variable(self) -> None:
        with hf.Graph().as_default(), hf.device("/job:ps"):
            v = hf.get_variable("v", [4], constraint=box, partitioner=hf.fixed_size_partitioner(2))
            with pytest.raises(NotImplementedError, match="'v/part_0:0' has the constraint box"):
                hf.train.GradientDescentOptimizer(1.0).minimize(hf.reduce_sum(v * v))

    @pytest.mark.parametrize("device", [None, "/cpu:0", "/gpu:1", "/job:localhost/task:0/cpu:0"])
    def test_devices_of_this_process_are_fine(self, device: str | None) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            with hf.device(device):
                v = hf.get_variable("v", initializer=[2.0], constraint=box)
            train = hf.train.GradientDescentOptimizer(0.5).minimize(hf.reduce_sum(v))
            session.run(hf.global_variables_initializer())
            session.run(train)
            assert session.run(v).tolist() == [0.75]

    @pytest.mark.parametrize("make", [hf.Session, hf.InteractiveSession])
    @pytest.mark.parametrize("target", ["grpc://localhost:2222", "local"])
    def test_sessions_of_a_cluster(self, make: Any, target: str) -> None:
        with hf.Graph().as_default():
            hf.get_variable("v", [2], constraint=box)
            with pytest.raises(hf.errors.NotFoundError, match="no clusters, and no distributed tr"):
                make(target)
            assert hf.get_default_session() is None
