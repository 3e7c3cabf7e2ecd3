"""Distributions: TensorFlow's numbers, samples, gradients, checks, classes of one's own."""

from __future__ import annotations

import statistics
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
# TensorFlow takes the probability above a number as 1 - cdf, of which nothing is left far out; it
# takes Gamma's mode and Student's variance by rows of a batch, has no mode of Exponential.
TAILS = ("log_survival_function", "survival_function")
OTHERWISE = {
    *((cls, name) for cls in ("Gamma", "Exponential", "StudentT") for name in (*TAILS, "mode")),
    ("student_t", "variance"),
    ("student_t", "stddev"),
}


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
        if (case["cls"], name) in OTHERWISE or (ident, name) in OTHERWISE:
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
    "gamma": lambda: D.Gamma([0.5, 3.0], [0.5, 2.0]),
    "exponential": lambda: D.Exponential([0.5, 2.0]),
    "beta": lambda: D.Beta([0.5, 3.0], [1.5, 2.0]),
    "student_t": lambda: D.StudentT([9.0, 20.0], [0.1, 1.3], [1.0, -2.0]),
    "dirichlet": lambda: D.Dirichlet([0.5, 2.0]),
    "multinomial": lambda: D.Multinomial(4.0, probs=[0.25, 0.75]),
    "dirichlet_multinomial": lambda: D.DirichletMultinomial(4.0, [0.5, 2.0]),
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_samples_have_the_moments(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]()
        drawn, mean, stddev = session.run([x.sample(200_000, seed=1), x.mean(), x.stddev()])
    assert drawn.shape == (200_000, 2)
    np.testing.assert_allclose(drawn.mean(0), mean, 0, 0.02)
    np.testing.assert_allclose(drawn.std(0), stddev, 0.02)


@pytest.mark.parametrize(
    "name", ["normal", "laplace", "uniform", "gamma", "exponential", "beta", "student_t"]
)
def test_probabilities_add_up(name: str) -> None:
    """The density is the derivative of the distribution function; both tails make one."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]().copy()
        low, high = ENDS.get(name, (-9.987, 9.987))
        points = hf.constant(np.linspace(low, high, 1001)[:, None])
        values = {k: hf.cast(v, hf.float64) for k, v in x.parameters.items() if k in VALUES}
        x = type(x)(**values)
        cdf = x.cdf(points * hf.ones([1, 2], hf.float64))
        slope = hf.gradients(x.cdf(points), points)[0] / 1.0
        density = hf.reduce_sum(x.prob(points), 1, keep_dims=True)
        a, b, c, d = session.run([slope, density, cdf, x.survival_function(points)])
    np.testing.assert_allclose(a, b, 1e-8, 1e-10)
    np.testing.assert_allclose(c + d, 1.0, 1e-12)


VALUES = {
    *("loc", "scale", "low", "high", "concentration", "rate", "concentration1", "concentration0"),
    "df",
}
ENDS = {"gamma": (0.013, 9.0), "exponential": (0.013, 9.0), "beta": (0.003, 0.99)}


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


def test_quantiles_of_the_normal_distribution(execution: Any) -> None:
    exact = statistics.NormalDist(1.0, 2.0)
    powers = 10.0 ** -np.arange(1.0, 16.0)
    p = np.concatenate([[1e-300, 1e-30], powers, np.linspace(0.05, 0.95, 19), 1.0 - powers])

    def quantile(p: Any) -> Any:
        return D.Normal(np.float64(1.0), np.float64(2.0)).quantile(p)

    found = execution(quantile, p)
    np.testing.assert_allclose(found, [exact.inv_cdf(v) for v in p], rtol=1e-14, atol=1e-15)
    (slope,) = execution.gradient(quantile, p)
    np.testing.assert_allclose(slope, [1.0 / exact.pdf(v) for v in found], rtol=1e-10)
    ends = np.array([0.0, 1.0, -0.5, 1.5, np.nan])
    np.testing.assert_array_equal(execution(quantile, ends), [-np.inf, np.inf, *[np.nan] * 3])
    assert np.isfinite(execution.gradient(quantile, ends[:2])).all()


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


@pytest.mark.parametrize("name", ["gamma", "exponential", "beta", "dirichlet"])
def test_divergences_are_means(name: str) -> None:
    """The divergence is the mean of the difference of logarithms over samples."""
    with hf.Graph().as_default(), hf.Session() as session:
        a = LARGE[name]()
        b = type(a)(**{k: hf.constant(v) + 0.5 for k, v in a.parameters.items() if k in VALUES})
        x = a.sample(200_000, seed=3)
        apart = hf.reduce_mean(a.log_prob(x) - b.log_prob(x), 0)
        wanted, got, itself = session.run([apart, D.kl_divergence(a, b), D.kl_divergence(a, a)])
    np.testing.assert_allclose(got, wanted, 0.03, 0.003)
    np.testing.assert_allclose(itself, 0.0, 0, 1e-6)


@pytest.mark.parametrize("name", sorted(LARGE))
def test_entropies_are_means(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]()
        if name in ("multinomial", "dirichlet_multinomial"):
            with pytest.raises(NotImplementedError, match="entropy is not defined for"):
                x.entropy()
            return
        drawn = x.sample(200_000, seed=4)
        wanted, got = session.run([-hf.reduce_mean(x.log_prob(drawn), 0), x.entropy()])
    np.testing.assert_allclose(got, wanted, 0.03, 0.01)


@pytest.mark.parametrize("name", ["dirichlet", "multinomial", "dirichlet_multinomial"])
def test_covariances(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = LARGE[name]()
        drawn, covariance = session.run([x.sample(200_000, seed=5), x.covariance()])
    np.testing.assert_allclose(np.cov(drawn.T), covariance, 0.02)
    total = {"dirichlet": 1.0}.get(name, 4.0)
    np.testing.assert_allclose(drawn.sum(-1), total, 1e-6)


def test_counts_of_as_many_axes_as_concentrations() -> None:
    """Programs give them so, though the batch's shape is what is documented."""
    with hf.eager_mode():
        concentration = np.float32([[1.0, 2.0], [3.0, 4.0]])
        wide = D.DirichletMultinomial([[2.0], [5.0]], concentration)
        plain = D.DirichletMultinomial([2.0, 5.0], concentration)
        for got, wanted in (
            (wide.mean(), plain.mean()),
            (wide.covariance(), plain.covariance()),
        ):
            np.testing.assert_array_equal(got, wanted)


def test_a_divergence_of_a_class_of_ones_own_is_what_its_function_gives() -> None:
    class Mine(D.Normal):
        pass

    @D.RegisterKL(Mine, Mine)
    def divergence(a: Mine, b: Mine, name: str | None = None) -> str | None:
        return name

    assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0), name="it") == "it"


def test_far_out_something_is_left() -> None:
    """A probability of 1e-30 is as exact as others, where 1 - cdf is zero."""
    with hf.eager_mode():
        got = [
            D.Gamma(2.0, 1.0).survival_function(70.0),
            D.Exponential(1.0).survival_function(69.0),
            D.StudentT(10.0, 0.0, 1.0).survival_function(5000.0),
        ]
    # 71 exp(-70); exp(-69); the tail of t by its leading term, 63/512 * 10**5 * x**-10.
    wanted = [71 * np.exp(-70.0), np.exp(-69.0), 63 / 512 * 1e5 * 5000.0**-10]
    np.testing.assert_allclose([value.numpy() for value in got], wanted, 1e-4)


REFUSED = {
    "Condition x > 0": lambda: D.Gamma([-1.0], 1.0, validate_args=True).mean(),
    "Concentration parameter must be positive": lambda: D.Beta(
        -1.0, 1.0, validate_args=True
    ).mean(),
    "sample must be no larger than `1`": lambda: D.Beta(1.0, 1.0, validate_args=True).prob(1.5),
    "event_size >= 2": lambda: D.Dirichlet([1.0], validate_args=True).mean(),
    "sum to `1`": lambda: D.Dirichlet([1.0, 1.0], validate_args=True).prob([0.5, 0.6]),
    "counts must sum to `self.total_count`": lambda: D.Multinomial(
        2.0, probs=[0.5, 0.5], validate_args=True
    ).prob([1.0, 2.0]),
    "counts last-dimension must sum to `self.total_count`": lambda: D.DirichletMultinomial(
        2.0, [0.5, 0.5], validate_args=True
    ).prob([1.0, 2.0]),
    "Elements must be non-negative": lambda: D.Bernoulli(0.5, validate_args=True).prob([1, -1]),
    "Elements cannot exceed 1": lambda: D.Bernoulli(0.5, validate_args=True).prob([2, 0]),
    "Elements cannot contain": lambda: D.Bernoulli(0.5, validate_args=True).prob([0.5]),
    "fractional components": lambda: D.DirichletMultinomial(
        2.0, [0.5, 0.5], validate_args=True
    ).prob([0.5, 1.5]),
    "mode not defined": lambda: D.Gamma(0.5, 1.0, allow_nan_stats=False).mode(),
    "Mode undefined for": lambda: D.Beta(0.5, 1.0, allow_nan_stats=False).mode(),
    "Mode undefined when": lambda: D.Dirichlet([0.5, 2.0], allow_nan_stats=False).mode(),
    "mean not defined": lambda: D.StudentT(1.0, 0.0, 1.0, allow_nan_stats=False).mean(),
}


@pytest.mark.parametrize("words", sorted(REFUSED))
def test_values_refused(words: str, execution: Execution) -> None:
    with pytest.raises(hf.errors.InvalidArgumentError, match=words):
        execution(REFUSED[words])


def test_modes_of_a_batch() -> None:
    """Each distribution has its mode or none by itself."""
    with hf.eager_mode():
        beta = D.Beta([[0.5, 3.0]], [[2.0], [4.0]]).mode().numpy()
        several = D.Dirichlet([[[2.0, 3.0], [0.5, 2.0]]]).mode().numpy()
        exponential = D.Exponential([1.0, 2.0])
        assert exponential.copy(rate=3.0).rate.numpy() == 3.0
        assert exponential.reparameterization_type is D.FULLY_REPARAMETERIZED
        assert exponential.prob([-1.0, 0.0]).numpy().tolist() == [0.0, 2.0]
    np.testing.assert_allclose(beta, [[np.nan, 2 / 3], [np.nan, 0.4]], 1e-6)
    np.testing.assert_allclose(several, [[[1 / 3, 2 / 3], [np.nan, np.nan]]], 1e-6)


class TestBijectors:
    class Square(D.bijectors.Bijector):
        def _forward(self, x: Any) -> Any:
            return x * x

        def _inverse(self, y: Any) -> Any:
            return hf.sqrt(y)

        def _forward_log_det_jacobian(self, x: Any) -> Any:
            return hf.log(2.0 * x)

    def test_one_follows_from_the_other(self, execution: Execution) -> None:
        def tell() -> list[Any]:
            square = self.Square(event_ndims=0)
            x = hf.constant([0.5, 3.0])
            y = square.forward(x)
            assert square.inverse(y) is x
            return [y, square.inverse(9.0), square.inverse_log_det_jacobian(hf.constant([4.0]))]

        got = execution(tell)
        np.testing.assert_allclose(got[0], [0.25, 9.0])
        np.testing.assert_allclose(got[1], 3.0)
        np.testing.assert_allclose(got[2], [-np.log(4.0)])

    def test_errors(self) -> None:
        with hf.eager_mode():
            with pytest.raises(
                NotImplementedError, match="inverse is not implemented for Bijector"
            ):
                D.bijectors.Bijector().inverse(1.0)
            with pytest.raises(TypeError, match="dtype int32 but expected float32"):
                self.Square(dtype=hf.float32).forward(1)

    def test_identity(self) -> None:
        with hf.Graph().as_default(), hf.Session() as session:
            same = D.bijectors.Identity(event_ndims=1)
            x = hf.placeholder(hf.float32, [None, 3])
            assert same.forward(x) is x
            assert same.inverse(x) is x
            assert same.forward_event_shape([2, 3]).as_list() == [2, 3]
            assert session.run(same.inverse_event_shape_tensor([2, 3])).tolist() == [2, 3]
            assert session.run(same.forward_log_det_jacobian(1.0)) == 0
            assert session.run(same.event_ndims) == 1
