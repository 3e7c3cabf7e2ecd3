"""Distributions and bijectors of contrib: samples, densities, volumes, what is refused.

Values are TensorFlow's: tests/test_recorded_input.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import hybridflow as hf
from tests.execution import Execution

D = hf.contrib.distributions
B = D.bijectors
TRIL = [[1.0, 0.0], [0.5, 2.0]]
MADE = {
    "normal_diag": lambda: D.MultivariateNormalDiag([1.0, -2.0], [0.5, 3.0]),
    "softplus": lambda: D.MultivariateNormalDiagWithSoftplusScale([1.0, -2.0], [0.5, 3.0]),
    "tril": lambda: D.MultivariateNormalTriL([1.0, -2.0], TRIL),
    "covariance": lambda: D.MultivariateNormalFullCovariance([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]]),
    "low_rank": lambda: D.MultivariateNormalDiagPlusLowRank(
        [1.0, -2.0], [0.5, 3.0], scale_perturb_factor=[[1.0], [0.5]]
    ),
    "operator": lambda: D.MultivariateNormalLinearOperator(
        [1.0, -2.0], hf.linalg.LinearOperatorLowerTriangular(TRIL)
    ),
    "logistic": lambda: D.Logistic([1.0, -2.0], [0.5, 3.0]),
    "half_normal": lambda: D.HalfNormal([0.5, 3.0]),
    "inverse_gamma": lambda: D.InverseGamma([5.0, 7.0], [0.5, 3.0]),
    "chi2": lambda: D.Chi2([3.0, 5.0]),
    "poisson": lambda: D.Poisson([0.5, 12.0]),
    "geometric": lambda: D.Geometric(probs=[0.25, 0.75]),
    "negative_binomial": lambda: D.NegativeBinomial([2.0, 5.0], probs=[0.25, 0.5]),
    "one_hot": lambda: D.OneHotCategorical(probs=[0.25, 0.75], dtype=hf.float32),
    "deterministic": lambda: D.Deterministic([1.0, -2.0]),
    "vector": lambda: D.VectorDeterministic([1.0, -2.0]),
    "mixture": lambda: D.Mixture(
        D.Categorical(probs=[[0.25, 0.75], [0.5, 0.5]]),
        [D.Normal([0.0, 1.0], 1.0), D.Normal([4.0, 1.0], 2.0)],
    ),
    "mixture, all drawn": lambda: D.Mixture(
        D.Categorical(probs=[0.25, 0.75]),
        [D.MultivariateNormalDiag([0.0, 1.0], [1.0, 1.0]), D.MultivariateNormalTriL(None, TRIL)],
        use_static_graph=True,
    ),
    "same_family": lambda: D.MixtureSameFamily(
        D.Categorical(probs=[0.25, 0.75]),
        D.MultivariateNormalDiag([[0.0, 1.0], [4.0, 1.0]], [[1.0, 1.0], [2.0, 0.5]]),
    ),
    "independent": lambda: D.Independent(D.Normal([1.0, -2.0], [0.5, 3.0]), 1),
    "normal_softplus": lambda: D.NormalWithSoftplusScale([1.0, -2.0], [0.5, 3.0]),
    "laplace_softplus": lambda: D.LaplaceWithSoftplusScale([1.0, -2.0], [0.5, 3.0]),
    "exponential_softplus": lambda: D.ExponentialWithSoftplusRate([1.0, 2.0]),
    "gamma_softplus": lambda: D.GammaWithSoftplusConcentrationRate([1.0, 2.0], [1.0, 2.0]),
    "inverse_softplus": lambda: D.InverseGammaWithSoftplusConcentrationRate([5.0, 7.0], [1.0, 2.0]),
    "kumaraswamy": lambda: D.Kumaraswamy([0.5, 3.0], [1.5, 4.0]),
    "vector_laplace": lambda: D.VectorLaplaceDiag([1.0, -2.0], [0.5, 3.0]),
    "vector_exponential": lambda: D.VectorExponentialDiag([1.0, -2.0], [0.5, 3.0], 1.0),
    "vector_exponential, alone": lambda: D.VectorExponentialDiag(scale_diag=[0.5, 3.0]),
    "chi2_abs": lambda: D.Chi2WithAbsDf([-3.5, 5.0]),
    "student_t_abs": lambda: D.StudentTWithAbsDfSoftplusScale([-9.5, 12.0], 1.0, [1.0, 2.0]),
    "beta_softplus": lambda: D.BetaWithSoftplusConcentration([1.0, 2.0], [1.0, 2.0]),
}


@pytest.mark.parametrize("name", sorted(MADE))
def test_samples_have_the_moments(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = MADE[name]()
        drawn, mean, stddev = session.run([x.sample(100_000, seed=1), x.mean(), x.stddev()])
    assert drawn.shape == (100_000, 2)
    np.testing.assert_allclose(drawn.mean(0), mean, 0.01, 0.03)
    np.testing.assert_allclose(drawn.std(0), stddev, 0.03)


@pytest.mark.parametrize("name", sorted(MADE))
def test_made_again_of_its_arguments(name: str) -> None:
    with hf.eager_mode():
        x = MADE[name]()
        again = x.copy()
        assert type(again) is type(x)
        np.testing.assert_array_equal(again.mean().numpy(), x.mean().numpy())
        drawn = x.sample(3)
        assert drawn.shape.as_list() == [3, 2]
        np.testing.assert_allclose(x.prob(drawn).numpy(), np.exp(x.log_prob(drawn).numpy()), 1e-5)


@pytest.mark.parametrize("name", ["binomial", "poisson", "geometric", "negative_binomial"])
def test_probabilities_of_counts_sum_to_one(name: str, execution: Execution) -> None:
    made = {**MADE, "binomial": lambda: D.Binomial([9.0, 40.0], probs=[0.25, 0.75])}[name]

    def tell(counts: Any) -> list[Any]:
        x = made()
        probs = x.prob(counts)
        mean = hf.reduce_sum(probs * counts, 0)
        variance = hf.reduce_sum(probs * hf.square(counts - x.mean()), 0)
        at_most = [] if name == "binomial" else [x.cdf(counts) - hf.cumsum(probs), x.cdf(-0.5)]
        return [hf.reduce_sum(probs, 0), mean - x.mean(), variance - x.variance(), *at_most]

    total, *others = execution(tell, np.arange(151.0, dtype=np.float32)[:, None])
    if name == "binomial":  # of more successes than trials there is no probability to speak of
        total, *others = execution(tell, np.arange(10.0, dtype=np.float32)[:, None])
        total, others = total[0], [other[0] for other in others]
    np.testing.assert_allclose(total, 1.0, 1e-4)
    for other in others:
        np.testing.assert_allclose(other, 0.0, 0, 3e-3)


BIJECTORS = {
    "exp": lambda: B.Exp(),
    "softplus": lambda: B.Softplus(),
    "hinge": lambda: B.Softplus(hinge_softness=np.float64(0.5)),
    "sigmoid": lambda: B.Sigmoid(),
    "softsign": lambda: B.Softsign(),
    "square": lambda: B.Square(),
    "power": lambda: B.PowerTransform(power=0.5),
    "power 0": lambda: B.PowerTransform(),
    "affine_scalar": lambda: B.AffineScalar(np.float64(1.0), np.array([2.0, -0.5])),
    "affine": lambda: B.Affine(scale_diag=np.array([2.0, -0.5])),
    "tril": lambda: B.Affine(np.ones(2), scale_tril=np.array(TRIL)),
    "perturbed": lambda: B.Affine(
        scale_diag=np.ones(2), scale_tril=np.array(TRIL), scale_perturb_factor=np.ones([2, 1])
    ),
    "multiplier": lambda: B.Affine(np.ones(2), np.float64(3.0)),
    "permute": lambda: B.Permute([1, 0]),
    "gumbel": lambda: B.Gumbel(np.array([0.5, -1.0]), np.float64(2.0)),
    "kumaraswamy": lambda: B.Chain(
        [B.Kumaraswamy(np.array([0.5, 3.0]), np.float64(1.5), validate_args=True), B.Sigmoid()]
    ),
    "kumaraswamy, inverted": lambda: B.Chain(
        [B.Invert(B.Kumaraswamy(np.array([0.5, 3.0]), np.float64(1.5))), B.Sigmoid()]
    ),
    "sinh_arcsinh": lambda: B.SinhArcsinh(np.array([0.5, -2.0]), np.float64(1.25)),
    "sinh_arcsinh, plain": lambda: B.SinhArcsinh(tailweight=np.float64(1.0)),
    "hinge of another dtype": lambda: B.Softplus(hinge_softness=2.0),
    "ordered": lambda: B.Invert(B.Ordered()),
    "reshape": lambda: B.Chain([B.Reshape([2], [1, 2]), B.Reshape([1, -1])]),
    "invert": lambda: B.Invert(B.Exp()),
    "chain": lambda: B.Chain([B.Exp(), B.Affine(scale_tril=np.array(TRIL)), B.Softplus()]),
    "inline": lambda: B.Inline(
        hf.exp,
        hf.log,
        inverse_log_det_jacobian_fn=lambda y: -hf.log(y),
        forward_min_event_ndims=0,
    ),
}


@pytest.mark.parametrize("name", sorted(BIJECTORS))
def test_volumes_change_by_the_determinant(name: str) -> None:
    points = np.array([[0.25, 1.5], [0.75, 2.0], [0.5, 0.125]])
    with hf.Graph().as_default(), hf.Session() as session:
        each = BIJECTORS[name]()
        x = hf.constant(points)
        y = each.forward(x)
        rows = [hf.gradients(y[:, i], x)[0] for i in range(2)]
        forward = each.forward_log_det_jacobian(x, event_ndims=1) + hf.zeros([3], hf.float64)
        again = hf.identity(y)  # no tensor of which the bijector knows what it is the value of
        inverse = each.inverse_log_det_jacobian(again, event_ndims=1)
        jacobian, forward, inverse, back = session.run(
            [hf.stack(rows, 1), forward, inverse, each.inverse(again)]
        )
    wanted = np.log(np.abs(np.linalg.det(jacobian)))
    np.testing.assert_allclose(forward, wanted, 1e-10, 1e-12)
    np.testing.assert_allclose(-inverse + np.zeros(3), wanted, 1e-10, 1e-12)
    np.testing.assert_allclose(back, points, 1e-10)


def test_the_softmax_keeps_its_volume() -> None:
    """The density of a softmax of normal numbers integrates to one."""
    with hf.Graph().as_default(), hf.Session() as session:
        base = D.MultivariateNormalDiag(hf.zeros([1], hf.float64), hf.ones([1], hf.float64))
        x = D.TransformedDistribution(base, B.SoftmaxCentered())
        assert x.event_shape.as_list() == [2]
        shares = np.linspace(0.0005, 0.9995, 1000)
        density = session.run(x.prob(np.stack([shares, 1 - shares], -1)))
    # Volumes are those of the first number, of which the last one follows.
    np.testing.assert_allclose(density.mean(), 1.0, 1e-3)


def test_events_of_bijectors_made_for_1_4(execution: Execution) -> None:
    """`event_ndims` is told to the bijector, or to its methods; a number in place of a name too."""

    def tell(x: Any) -> list[Any]:
        return [
            B.Exp(event_ndims=1).forward_log_det_jacobian(x),
            B.Exp().forward_log_det_jacobian(x, event_ndims=1),
            B.Exp().forward_log_det_jacobian(x, 1),
            B.Chain([B.Exp(event_ndims=1), B.Softplus(event_ndims=1)]).inverse_log_det_jacobian(
                hf.exp(x)
            ),
            B.Chain([B.Exp(), B.Softplus()]).inverse_log_det_jacobian(hf.exp(x), 1),
        ]

    one, two, three, four, five = execution(tell, np.float32([[1.0, 2.0], [3.0, 4.0]]))
    assert one.tolist() == two.tolist() == three.tolist() == [3.0, 7.0]
    assert four.shape == (2,)
    np.testing.assert_array_equal(four, five)
    with hf.eager_mode(), pytest.raises(ValueError, match="at least 1"):
        B.Affine(scale_diag=[1.0]).forward_log_det_jacobian([1.0], event_ndims=0)


def test_transformed_of_unknown_sizes() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        loc = hf.placeholder(hf.float32, [None, 3])
        x = D.MultivariateNormalDiag(loc, hf.ones([3]))
        assert x.batch_shape.as_list() == [None]
        assert x.event_shape.as_list() == [3]
        found = [x.sample(5, seed=1), x.log_prob(loc), x.entropy(), x.batch_shape_tensor()]
        drawn, density, entropy, batch = session.run(found, {loc: np.zeros([4, 3])})
    assert drawn.shape == (5, 4, 3)
    np.testing.assert_allclose(density, np.full(4, -1.5 * np.log(2 * np.pi)), 1e-6)
    assert entropy.shape == (4,)
    assert batch.tolist() == [4]


@pytest.mark.parametrize("name", ["normal_diag", "tril", "independent"])
def test_divergences_are_means(name: str) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        a = MADE[name]()
        b = {
            "normal_diag": lambda: MADE["tril"](),
            "tril": lambda: MADE["normal_diag"](),
            "independent": lambda: D.Independent(D.Normal([0.0, 1.0], [1.0, 2.0]), 1),
        }[name]()
        drawn = a.sample(100_000, seed=2)
        wanted = hf.reduce_mean(a.log_prob(drawn) - b.log_prob(drawn))
        got, wanted = session.run([D.kl_divergence(a, b), wanted])
    np.testing.assert_allclose(got, wanted, 0.02)


def test_relaxed_samples_near_one_class() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        logits = hf.log([0.2, 0.5, 0.3])
        drawn = session.run(D.RelaxedOneHotCategorical(0.01, logits=logits).sample(20_000, seed=4))
        numbers = session.run(D.RelaxedBernoulli(0.01, probs=0.25).sample(20_000, seed=4))
    np.testing.assert_allclose(drawn.mean(0), [0.2, 0.5, 0.3], 0, 0.02)
    np.testing.assert_allclose(numbers.mean(), 0.25, 0, 0.02)


def test_samples_of_a_mixture_have_gradients_where_all_are_drawn(execution: Execution) -> None:
    def function(loc: Any) -> Any:
        parts = [D.Normal(loc, 1.0), D.Normal(loc, 2.0)]
        mixture = D.Mixture(D.Categorical(probs=[0.5, 0.5]), parts, use_static_graph=True)
        assert mixture.reparameterization_type is D.FULLY_REPARAMETERIZED
        return hf.reduce_sum(mixture.sample(5, seed=1))

    (grad,) = execution.gradient(function, np.float32(0.0))
    assert grad == 5.0


def quantized(*args: Any, **kwargs: Any) -> Any:
    return D.QuantizedDistribution(D.Normal(0.0, 1.0), *args, **kwargs)


def transformed(*args: Any, **kwargs: Any) -> Any:
    return D.TransformedDistribution(D.Normal(0.0, 1.0), *args, **kwargs)


ONE = {"probs": [1.0]}
PAIR = [0.0, 0.0]
LOPSIDED = [[1.0, 0.5], [0.0, 1.0]]
REFUSED = {
    "tell the size": lambda: D.MultivariateNormalDiag(),
    "one or both": lambda: D.MultivariateNormalTriL(),
    "Missing required `scale`": lambda: D.MultivariateNormalLinearOperator(),
    "Nothing tells the size": lambda: D.MultivariateNormalDiagPlusLowRank(),
    "Singular": lambda: D.MultivariateNormalDiag(None, [1.0, 0.0], validate_args=True).prob(PAIR),
    "not symmetric": lambda: D.MultivariateNormalFullCovariance(None, LOPSIDED, True).variance(),
    "not scalar": lambda: D.TransformedDistribution(D.Normal([0.0], 1.0), batch_shape=[2]),
    "not constant": lambda: transformed(B.Exp()).mean(),
    "overriding": lambda: transformed(event_shape=[2]).cdf([0.0, 0.0]),
    "must be a Categorical": lambda: D.Mixture(D.Normal(0.0, 1.0), []),
    "at least one": lambda: D.Mixture(D.Categorical(**ONE), []),
    "1 classes": lambda: D.Mixture(D.Categorical(**ONE), [D.Normal(0.0, 1.0)] * 2),
    "Distribution instances": lambda: D.Mixture(D.Categorical(**ONE), [3]),
    "does not equal": lambda: D.MixtureSameFamily(D.Categorical(**ONE), D.Normal([0.0] * 2, 1.0)),
    "cannot exceed": lambda: D.Independent(D.Normal([0.0], 1.0), 2),
    "exactly one": lambda: D.Poisson(),
    "not a float": lambda: D.Poisson(hf.constant(3)),
    "fractional": lambda: D.Poisson(1.0, validate_args=True).prob(0.5),
    "greater than 1": lambda: D.Geometric(probs=1.5, validate_args=True).mean(),
    "variance undefined": lambda: D.InverseGamma(1.5, 1.0, allow_nan_stats=False).variance(),
    "`mean` is undefined": lambda: D.Cauchy(0.0, 1.0, allow_nan_stats=False).mean(),
    "strictly less": lambda: quantized(2.0, 1.0, True).prob(1.0),
    "whole number": lambda: quantized(validate_args=True).prob(0.5),
    "non-negative": lambda: B.PowerTransform(power=-1.0),
    "scale_perturb_factor must be": lambda: B.Affine(scale_perturb_diag=[1.0]),
    "incompatible": lambda: B.Chain([B.AffineScalar(1.0), B.AffineScalar(np.float64(1.0))]),
}


@pytest.mark.parametrize("words", sorted(REFUSED))
def test_refused(words: str, execution: Execution) -> None:
    errors = (ValueError, TypeError, NotImplementedError, hf.errors.InvalidArgumentError)
    with pytest.raises(errors, match=words):
        execution(lambda x: REFUSED[words](), np.float32(0))


WIDE = np.array([0.5, 2.0], np.float64)
OF_WIDE_NUMBERS = {
    "Bernoulli": lambda: D.Bernoulli(probs=WIDE / 4.0).probs,
    "Binomial": lambda: D.Binomial(3.0, probs=WIDE / 4.0).mean(),
    "Chi2": lambda: D.Chi2(WIDE).mean(),
    "Geometric": lambda: D.Geometric(logits=WIDE).mean(),
    "MultivariateNormalDiag": lambda: D.MultivariateNormalDiag(WIDE, WIDE).mean(),
    "NegativeBinomial": lambda: D.NegativeBinomial(3.0, logits=WIDE).mean(),
    "Poisson": lambda: D.Poisson(WIDE).mean(),
}


@pytest.mark.parametrize("name", sorted(OF_WIDE_NUMBERS))
def test_arrays_keep_their_dtype(name: str, execution: Execution) -> None:
    assert execution(lambda x: OF_WIDE_NUMBERS[name](), np.float32(0)).dtype == np.float64


# Where a density's exponent is zero, its base is allowed to be.
AT_THE_EDGE = {
    "Beta": (lambda: D.Beta(1.0, 2.0).log_prob(0.0), np.log(2.0)),
    "Chi2": (lambda: D.Chi2(2.0).log_prob(0.0), np.log(0.5)),
    "Dirichlet": (lambda: D.Dirichlet([1.0, 1.0, 1.0]).log_prob([0.0, 0.5, 0.5]), np.log(2.0)),
    "Gamma": (lambda: D.Gamma(1.0, 3.0).log_prob(0.0), np.log(3.0)),
    "Geometric": (lambda: D.Geometric(probs=0.5).log_prob(1.7), np.log(0.25)),
}


@pytest.mark.parametrize("name", sorted(AT_THE_EDGE))
def test_densities_at_the_edge(name: str, execution: Execution) -> None:
    of, expected = AT_THE_EDGE[name]
    np.testing.assert_allclose(execution(lambda x: of(), np.float32(0)), expected, rtol=1e-6)


def test_covariance_of_one_hot_vectors(execution: Execution) -> None:
    probs = np.array([[0.25, 0.75, 0.0], [0.5, 0.25, 0.25]], np.float32)
    got = execution(lambda x: D.OneHotCategorical(probs=x).covariance(), probs)
    expected = [np.diag(p) - np.outer(p, p) for p in probs]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_bent_distributions(execution: Execution) -> None:
    x = np.array([0.1, 0.5, 0.9])

    def tell(x: Any) -> list[Any]:
        made = D.Kumaraswamy(np.float64(2.5), np.float64(3.0))
        even = D.Kumaraswamy(np.float64(1.0), np.float64(1.0))
        skew = D.SinhArcsinh(np.float64(1.0), np.float64(2.0), 0.5, 1.25)
        plain = D.SinhArcsinh(np.float64(1.0), np.float64(2.0))
        return [
            made.prob(x),
            made.cdf(x),
            made.quantile(made.cdf(x)),
            made.entropy(),
            made.mode(),
            even.prob(x),
            skew.prob(x),
            skew.cdf(x),
            plain.prob(x),
            D.Normal(np.float64(1.0), np.float64(2.0)).prob(x),
        ]

    prob, cdf, back, entropy, mode, even, skew, below, plain, normal = execution(tell, x)
    np.testing.assert_allclose(prob, 2.5 * 3 * x**1.5 * (1 - x**2.5) ** 2, 1e-12)
    np.testing.assert_allclose(cdf, 1 - (1 - x**2.5) ** 3, 1e-12)
    np.testing.assert_allclose(back, x, 1e-10)
    fine = np.linspace(0, 1, 200_001)[1:-1]
    density = 2.5 * 3 * fine**1.5 * (1 - fine**2.5) ** 2
    np.testing.assert_allclose(entropy, -(density * np.log(density)).mean(), 1e-4)
    np.testing.assert_allclose(mode, fine[density.argmax()], 1e-4)
    np.testing.assert_allclose(even, np.ones(3), 1e-12)
    np.testing.assert_allclose(plain, normal, 1e-12)
    factor = 2 / np.sinh(np.arcsinh(2) * 1.25)
    z = np.sinh(np.arcsinh((x - 1) / 2 / factor) / 1.25 - 0.5)
    np.testing.assert_allclose(below, stats.norm.cdf(z), 1e-10)
    step = 1e-5
    ends = [
        np.sinh(np.arcsinh((x + sign * step - 1) / 2 / factor) / 1.25 - 0.5) for sign in (-1, 1)
    ]
    slope = (stats.norm.cdf(ends[1]) - stats.norm.cdf(ends[0])) / (2 * step)
    np.testing.assert_allclose(skew, slope, 1e-7)


def test_bent_distributions_of_batches() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        skew = D.SinhArcsinh([0.0, 1.0], [[1.0], [2.0], [3.0]], distribution=D.Laplace(0.0, 1.0))
        found = session.run([skew.sample(5, seed=1), skew.log_prob([0.5, 0.5])])
        assert (found[0].shape, found[1].shape) == ((5, 3, 2), (3, 2))
        skew = D.SinhArcsinh([0.0, 1.0], [[1.0], [2.0], [3.0]], tailweight=0.5)
        assert skew.batch_shape.as_list() == [3, 2]
        assert session.run(skew.sample(5, seed=1)).shape == (5, 3, 2)
    with pytest.raises(ValueError, match="Nothing tells the size"):
        D.VectorLaplaceDiag()
