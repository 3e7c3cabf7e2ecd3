"""`ScipyOptimizerInterface`: bounds, constraints, callbacks, errors; what TensorFlow 1.15 finds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import hybridflow as hf

pytest.importorskip("scipy.optimize")
OPT = hf.contrib.opt


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def variable(request):
    """Makes variables, of either kind."""
    with hf.Graph().as_default():
        yield lambda name, value: hf.get_variable(
            name, initializer=np.float32(value), use_resource=request.param
        )


def rosenbrock(x):
    return hf.reduce_sum(100 * hf.square(x[1:] - hf.square(x[:-1])) + hf.square(1 - x[:-1]))


def minimized(optimizer, variables, **arguments):
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        optimizer.minimize(session, **arguments)
        return session.run(variables)


# What TensorFlow 1.15.5 with SciPy 1.7.3 finds in 30 steps from zeros.
FOUND = {
    "L-BFGS-B": [1.0000024, 1.0000064, 1.0000057, 1.00001],
    "SLSQP": [1.0000359, 1.0000855, 1.0001521, 1.0002873],
}


@pytest.mark.parametrize("method", FOUND)
def test_as_tensorflow_minimizes(variable, method):
    x = variable("x", np.zeros(4))
    optimizer = OPT.ScipyOptimizerInterface(rosenbrock(x), method=method, options={"maxiter": 30})
    np.testing.assert_allclose(minimized(optimizer, x), FOUND[method], atol=2e-6)
    assert optimizer.optimizer_kwargs == {"method": method, "options": {"maxiter": 30}}


def test_bounds_of_several_variables(variable):
    x, y = variable("x", [[7, -3], [2, 5]]), variable("y", 3)
    bounds = {x: ([[1.5], [None]], [2.0, np.inf]), y: (-1.0, 2.0)}
    loss = hf.reduce_sum(hf.square(x - 1)) * (1 + hf.square(y)) + hf.reduce_sum(x) * y
    optimizer = OPT.ScipyOptimizerInterface(loss, var_to_bounds=bounds)
    found, other = minimized(optimizer, [x, y])
    np.testing.assert_allclose(found, [[1.5, 1.5], [1.25, 1.25]], atol=1e-3)
    assert other == -1


def test_constraints(variable):
    x = variable("x", [0.5, 0.0])
    optimizer = OPT.ScipyOptimizerInterface(
        rosenbrock(x),
        equalities=[2 * x[0] + x[1] - 1],
        inequalities=[1 - x[0] - 2 * x[1], 1 - x[0] ** 2 - x[1], 1 - x[0] ** 2 + x[1]],
        var_to_bounds={x: ([0, -0.5], [1.0, 2.0])},
        method="SLSQP",
        options={"ftol": 1e-9},
    )
    np.testing.assert_allclose(minimized(optimizer, x), [0.41494475, 0.17011051], atol=1e-5)


def test_callbacks_and_what_the_loss_does_not_need(variable):
    x, unused, fed = variable("x", [1, 2]), variable("unused", 4), hf.placeholder(hf.float32)
    losses, steps = [], []
    loss = hf.reduce_sum(hf.square(x - fed))
    optimizer = OPT.ScipyOptimizerInterface(loss, var_list=[x, unused])
    found = minimized(
        optimizer,
        [x, unused],
        feed_dict={fed: 3.0},
        fetches=[loss, x],
        loss_callback=lambda value, at: losses.append((value, at)),
        step_callback=lambda packed: steps.append(np.array(packed)),
    )
    np.testing.assert_allclose(found[0], [3, 3], atol=1e-5)
    assert found[1] == 4
    assert losses[0][0] == 5.0
    for value, at in losses:
        assert value == pytest.approx(np.square(at - 3).sum(), abs=1e-6)
    assert all(step.shape == (3,) and step[2] == 4 for step in steps)
    np.testing.assert_allclose(steps[-1][:2], found[0])


def test_gradients_of_rows(variable):
    table = variable("table", np.arange(6.0).reshape(3, 2))
    loss = hf.reduce_sum(hf.square(hf.gather(table, [0, 2]) - 1))
    found = minimized(OPT.ScipyOptimizerInterface(loss), table)
    np.testing.assert_allclose(found, [[1, 1], [2, 3], [1, 1]], atol=1e-5)


def test_an_error_leaves_the_variables(variable):
    x = variable("x", [1, 2])
    optimizer = OPT.ScipyOptimizerInterface(hf.reduce_sum(hf.square(x - 3)))

    def fail(packed):
        raise KeyError("enough")

    with hf.Session() as session:
        session.run(x.initializer)
        with pytest.raises(KeyError, match="enough"):
            optimizer.minimize(session, step_callback=fail)
        np.testing.assert_array_equal(session.run(x), [1, 2])


def test_algorithms_of_ones_own(variable):
    class OneStep(OPT.ExternalOptimizerInterface):
        def _minimize(self, initial_val, loss_grad_func, optimizer_kwargs, **others):
            _, gradient = loss_grad_func(initial_val)
            return initial_val - optimizer_kwargs["rate"] * gradient

    x, y = variable("x", [[7, -2]]), variable("y", 1)
    loss = hf.reduce_sum(hf.square(x - [[0.0, 1.0]])) / 2 + hf.square(y - 3) / 2
    optimizer = OneStep(loss, rate=1.0)
    with hf.Session().as_default() as session:
        session.run(hf.global_variables_initializer())
        optimizer.minimize()
        found = session.run([x, y])
    np.testing.assert_array_equal(found[0], [[0, 1]])
    assert found[1] == 3
    with pytest.raises(NotImplementedError, match="has no _minimize"):
        minimized(OPT.ExternalOptimizerInterface(loss), x)


class TestErrors:
    def test_arguments_that_are_set_from_others(self, variable):
        x = variable("x", [1.0])
        loss = hf.reduce_sum(x * x)
        for name, text in (("bounds", "var_to_bounds"), ("jac", "'jac' is set automatically")):
            optimizer = OPT.ScipyOptimizerInterface(loss, **{name: None})
            with pytest.raises(ValueError, match=text):
                minimized(optimizer, x)

    def test_what_is_no_scalar(self, variable):
        x = variable("x", [1.0, 2.0])
        with pytest.raises(ValueError, match=r"the loss must be a scalar, but .* shape \(2,\)"):
            OPT.ScipyOptimizerInterface(x * x)
        with pytest.raises(ValueError, match="an equality must be a scalar"):
            OPT.ScipyOptimizerInterface(x[0], equalities=[x])

    @pytest.mark.parametrize("bounds", [(1.0, 2.0, 3.0), ([0.0] * 3, None), 1.0])
    def test_bounds_that_are_none(self, variable, bounds):
        x = variable("x", [1.0, 2.0])
        with pytest.raises(ValueError, match=r"bound for variable 'x:0', .* shape \[2\], got"):
            OPT.ScipyOptimizerInterface(hf.reduce_sum(x * x), var_to_bounds={x: bounds})

    def test_no_variables_and_no_session(self, variable):
        with pytest.raises(ValueError, match="no variables to optimize"):
            OPT.ScipyOptimizerInterface(hf.constant(1.0))
        x = variable("x", 1.0)
        with pytest.raises(ValueError, match="no default session"):
            OPT.ScipyOptimizerInterface(x * x).minimize()

    def test_eager_mode(self):
        with hf.eager_mode(), pytest.raises(RuntimeError, match="eager mode has none"):
            OPT.ScipyOptimizerInterface(hf.constant(1.0))

    def test_without_scipy(self, variable, monkeypatch):
        monkeypatch.setitem(sys.modules, "scipy.optimize", None)
        x = variable("x", 1.0)
        with pytest.raises(ImportError, match=r"pip install 'hybridflow\[scipy\]'"):
            minimized(OPT.ScipyOptimizerInterface(x * x), x)
