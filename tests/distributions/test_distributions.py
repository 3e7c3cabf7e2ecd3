"""Distributions: TensorFlow's numbers, samples, gradients, checks, classes of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution
from tests.recorded import reader

CASES = {case["id"]: case for case in reader.load("distributions")["cases"]}
D = hf.distributions
FUNCTIONS = ("log_prob", "prob", "log_cdf", "cdf", "log_survival_function", "survival_function")
# Of Categorical TensorFlow gives that of less than k, its documentation that of at most k.
BELOW = {"cdf", "log_cdf", "survival_function", "log_survival_function"}


def made(case: dict[str, Any], shift: float = 0.0) -> Any:
    values = {k: hf.constant(v + np.float32(shift)) for k, v in case["arguments"].items()}
    return getattr(D, case["cls"])(**values)


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("ident", sorted(CASES))
def test_recorded(ident: str, eager: bool) -> None:
    case = CASES[ident]
    wanted = case["results"]

    def tell() -> dict[str, Any]:
        x = made(case)
        assert x.batch_shape.as_list() == case["batch_shape"]
        found = {"samples": x.sample([4, 5], seed=7), "sample": x.sample(seed=8)}
        for name in wanted:
            if name in FUNCTIONS:
                found[name] = getattr(x, name)(case["values"])
            elif name == "kl":
                found[name] = D.kl_divergence(x, made(case, 0.125))
            elif name not in found:
                found[name] = getattr(x, name)()
        return found

    if eager:
        with hf.eager_mode():
            hf.set_random_seed(3)
            got = {name: value.numpy() for name, value in tell().items()}
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(3)
            found = tell()
            got = session.run(found)
            for name, value in found.items():
                assert value.shape.as_list() == list(got[name].shape), name
    for name, value in wanted.items():
        if case["cls"] == "Categorical" and name in BELOW:
            continue
        assert got[name].dtype == value.dtype, name
        assert got[name].shape == value.shape, name
        if name.startswith("sample") and eager:
            continue  # op seeds are counted in another way
        np.testing.assert_allclose(got[name], value, 3e-6, 1e-6, err_msg=name)


LARGE = {
    "normal": lambda: D.Normal([1.0, -2.0], [0.5, 3.0]),
    "laplace": lambda: D.Laplace([1.0, -2.0], [0.5, 3.0]),
    "uniform": lambda: D.Uniform([1.0, -2.0], [1.5, 3.0]),
    "bernoulli": lambda: D.Bernoulli(probs=[0.1, 0.6], dtype=hf.float32),
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_samples_have_the_moments(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]()
        drawn, mean, stddev = session.run([x.sample(200_000, seed=1), x.mean(), x.stddev()])
    assert drawn.shape == (200_000, 2)
    np.testing.assert_allclose(drawn.mean(0), mean, 0, 0.02)
    np.testing.assert_allclose(drawn.std(0), stddev, 0.02)


@pytest.mark.parametrize("name", ["normal", "laplace", "uniform"])
def test_probabilities_add_up(name: str) -> None:
    """The density is the derivative of the distribution function; both tails make one."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]().copy()
        points = hf.constant(np.linspace(-9.987, 9.987, 1001)[:, None])
        values = {k: hf.cast(v, hf.float64) for k, v in x.parameters.items() if k in VALUES}
        x = type(x)(**values)
        cdf = x.cdf(points * hf.ones([1, 2], hf.float64))
        slope = hf.gradients(x.cdf(points), points)[0] / 1.0
        density = hf.reduce_sum(x.prob(points), 1, keep_dims=True)
        a, b, c, d = session.run([slope, density, cdf, x.survival_function(points)])
    np.testing.assert_allclose(a, b, 1e-8, 1e-10)
    np.testing.assert_allclose(c + d, 1.0, 1e-12)


VALUES = {"loc", "scale", "low", "high"}


@pytest.mark.parametrize("cls", ["Normal", "Laplace"])
def test_far_from_the_mean(cls: str) -> None:
    """Logarithms stay exact where probabilities are zero, and so do their gradients."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant([-1e4, -100.0, -20.5, -19.5, 7.9, 8.1, 100.0], hf.float64)
        y = getattr(D, cls)(hf.constant(0.0, hf.float64), hf.constant(1.0, hf.float64))
        log_cdf = y.log_cdf(x)
        value, grad = session.run([log_cdf, hf.gradients(log_cdf, x)[0]])
    assert np.isfinite(value).all()
    assert np.isfinite(grad).all()
    # To the left the normal logarithm falls as -x^2/2, Laplace's as x.
    wanted = -x_squared(1e4) if cls == "Normal" else -1e4
    assert abs(value[0] / wanted - 1) < 1e-4
    assert np.all(np.diff(value) >= 0)


def x_squared(x: float) -> float:
    return 0.5 * x * x


def test_samples_have_gradients(execution: Execution) -> None:
    def function(loc: Any, scale: Any) -> Any:
        return hf.reduce_sum(D.Normal(loc, scale).sample(5, seed=1))

    of_loc, of_scale = execution.gradient(function, np.zeros(3), np.ones(3))
    np.testing.assert_array_equal(of_loc, np.full(3, 5.0))
    assert np.all(of_scale != 0)


def test_gradients_of_probabilities(execution: Execution) -> None:
    grads = execution.gradient(lambda p: D.Bernoulli(probs=p).log_prob(1.0), np.array([0.25, 0.5]))
    np.testing.assert_allclose(grads[0], [4.0, 2.0])
    logits = np.array([1.0, 2.0, 3.0])
    (grad,) = execution.gradient(lambda t: D.Categorical(logits=t).log_prob(2), logits)
    p = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(grad, np.array([0, 0, 1]) - p)


class TestShapes:
    def test_unknown_shapes(self) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            loc, scale = hf.placeholder(hf.float32), hf.placeholder(hf.float32, [None])
            x = D.Normal(loc, scale)
            assert x.event_shape.as_list() == []
            found = [x.batch_shape_tensor(), x.sample([2, 3]), x.is_scalar_batch(), x.entropy()]
            shape, drawn, single, entropy = session.run(
                found, {loc: [[1.0], [2.0]], scale: [1.0] * 4}
            )
        assert list(shape) == [2, 4]
        assert drawn.shape == (2, 3, 2, 4)
        assert not single
        assert entropy.shape == (2, 4)

    def test_of_parameters(self) -> None:
        shapes = D.Normal.param_static_shapes([2, 3])
        assert {name: shape.as_list() for name, shape in shapes.items()} == {
            "loc": [2, 3],
            "scale": [2, 3],
        }
        with pytest.raises(ValueError, match="must be known"):
            D.Normal.param_static_shapes([None])


def test_a_class_of_ones_own(execution: Execution) -> None:
    class Triangle(D.Distribution):
        def __init__(self) -> None:
            super().__init__(hf.float32, D.NOT_REPARAMETERIZED, False, True, name="Triangle")

        def _prob(self, x: Any) -> Any:
            return hf.maximum(1.0 - hf.abs(x), 0.0)

        def _variance(self) -> Any:
            return hf.constant(1 / 6)

    found = execution(lambda x: [Triangle().log_prob(x), Triangle().stddev()], np.float32([0.5]))
    np.testing.assert_allclose(found[0], np.log([0.5]), 1e-6)
    np.testing.assert_allclose(found[1], np.sqrt(1 / 6), 1e-6)
    with pytest.raises(NotImplementedError, match="entropy is not defined for Triangle"):
        execution(lambda x: Triangle().entropy(), np.float32(0))
    with pytest.raises(NotImplementedError, match="RegisterKL"):
        execution(lambda x: D.kl_divergence(Triangle(), Triangle()), np.float32(0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: D.Normal(0.0, -1.0, validate_args=True).sample(), "x > 0"),
        (lambda: D.Laplace(0.0, 0.0, validate_args=True).mean(), "x > 0"),
        (lambda: D.Uniform(1.0, 1.0, validate_args=True).sample(), "low >= high"),
        (lambda: D.Bernoulli(probs=1.5, validate_args=True).sample(), "greater than 1"),
        (lambda: D.Categorical(probs=[0.5, 0.6], validate_args=True).sample(), "sum to 1"),
        (lambda: D.Bernoulli(), "Must pass probs or logits"),
        (lambda: D.Categorical(logits=[1.0], probs=[1.0]), "but not both"),
        (lambda: D.Categorical(logits=1.0), "at least rank 1"),
        (
            lambda: D.kl_divergence(
                D.Normal(np.float32("nan"), 1.0), D.Normal(0.0, 1.0), allow_nan_stats=False
            ),
            "returned NaN",
        ),
    ],
)
def test_refused(make: Any, words: str, execution: Execution) -> None:
    with pytest.raises((ValueError, hf.errors.InvalidArgumentError), match=words):
        execution(lambda x: make(), np.float32(0))


def test_divergences_are_registered_once() -> None:
    with pytest.raises(ValueError, match="already been registered"):
        D.RegisterKL(D.Normal, D.Normal)(lambda a, b, name=None: None)
    with pytest.raises(TypeError, match="must be callable"):
        D.RegisterKL(D.Normal, D.Uniform)(3)
