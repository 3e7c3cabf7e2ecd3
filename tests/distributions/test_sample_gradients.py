"""Gradients of samples that are drawn until one is accepted: of Gamma and what is made of it."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special

import hybridflow as hf
from hybridflow._src.ops.math.gamma_samples_math import gamma_sample_derivative

D = hf.contrib.distributions
PROBABILITIES = np.array([1e-12, 1e-4, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-6])


def exact(alpha: float, sample: float) -> float:
    """The derivative of a sample by its concentration, from differences in 60 digits."""
    with mpmath.workdps(60):
        a, x = mpmath.mpf(alpha), mpmath.mpf(sample)
        step = a * mpmath.mpf(10) ** -20
        below = x < a
        ends = (0, x) if below else (x, mpmath.inf)
        change = mpmath.gammainc(a + step, *ends, regularized=True) - mpmath.gammainc(
            a - step, *ends, regularized=True
        )
        density = mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a))
        return float((-1 if below else 1) * change / (2 * step) / density)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 0.5, 1.0, 3.0, 9.999, 10.0, 20.0, 1000.0, 1e4])
def test_against_many_digits(alpha):
    samples = special.gammaincinv(alpha, PROBABILITIES)
    samples = samples[samples > 1e-290]
    found = gamma_sample_derivative(alpha, samples)
    wanted = [exact(alpha, float(sample)) for sample in samples]
    np.testing.assert_allclose(found, wanted, rtol=2e-13)


def test_against_differences_of_the_inverse_distribution_function():
    alpha = np.array([[0.7], [5.0], [80.0], [1e6], [1e9]])
    samples = special.gammaincinv(alpha, PROBABILITIES)
    step = 1e-4 * alpha
    moved = special.gammaincinv(alpha + step, PROBABILITIES)
    differences = (moved - special.gammaincinv(alpha - step, PROBABILITIES)) / (2 * step)
    found = gamma_sample_derivative(alpha, samples)
    np.testing.assert_allclose(found, differences, rtol=2e-5)
    single = gamma_sample_derivative(alpha.astype(np.float32), samples.astype(np.float32))
    assert single.dtype == np.float32
    # Rounding moves what lies in the far tail of a small concentration most.
    np.testing.assert_allclose(single[1:, 2:], found[1:, 2:], rtol=1e-4)


def test_values_of_tensorflow():
    """What TensorFlow 1.15.5 gives for `gen_random_ops.random_gamma_grad`."""
    found = gamma_sample_derivative([0.1, 1.0, 10.0, 100.0, 1e4], [0.01, 0.5, 12.0, 90.0, 1.01e4])
    wanted = [0.42279344, 0.80697912, 1.11232944, 0.94982595, 1.00500017]
    np.testing.assert_allclose(found, wanted, atol=5e-9)


def test_numbers_at_the_ends():
    with np.errstate(all="raise"):
        found = gamma_sample_derivative(
            [2.0, 0.0, -1.0, np.nan, np.inf, 2.0, 2.0, 1e-300],
            [0.0, 1.0, 1.0, 1.0, 1.0, -1.0, np.inf, 1.0],
        )
    np.testing.assert_array_equal(np.isnan(found), [False, *[True] * 6, False])
    assert found[0] == 0
    assert gamma_sample_derivative(np.zeros((0, 2)), 1.0).shape == (0, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_random_gamma(execution, dtype):
    """The sum over samples, for parameters of two shapes."""

    def function(alpha, beta):
        drawn = hf.random_gamma([4], alpha, beta, dtype=dtype, seed=3)
        return [drawn, *hf.gradients(drawn, [alpha, beta])]

    def eagerly(alpha, beta):
        with hf.GradientTape() as tape:
            tape.watch([alpha, beta])
            drawn = hf.random_gamma([4], alpha, beta, dtype=dtype, seed=3)
        return [drawn, *tape.gradient(drawn, [alpha, beta])]

    alpha = np.array([0.5, 2.0, 40.0], dtype)
    beta = np.array([[1.0], [4.0]], dtype)
    drawn, of_alpha, of_beta = execution(
        function if execution.name == "graph" else eagerly, alpha, beta
    )
    assert drawn.shape == (4, 2, 3)
    assert (of_alpha.dtype, of_beta.dtype) == (dtype, dtype)
    drawn, beta = drawn.astype(np.float64), beta.astype(np.float64)
    wanted = gamma_sample_derivative(alpha.astype(np.float64), drawn * beta) / beta
    rtol = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(of_alpha, wanted.sum((0, 1)), rtol)
    np.testing.assert_allclose(of_beta, (-drawn / beta).sum((0, 2)).reshape(2, 1), rtol)


def test_shapes_that_a_run_tells():
    with hf.Graph().as_default(), hf.Session() as session:
        alpha, sizes = hf.placeholder(hf.float64), hf.placeholder(hf.int32, [None])
        drawn = hf.random_gamma(sizes, alpha, dtype=hf.float64, seed=1)
        (grad,) = hf.gradients(drawn, alpha)
        for size, value in (([2, 3], [1.0, 5.0]), ([], [[3.0]]), ([4], 2.0)):
            x, g = session.run([drawn, grad], {alpha: value, sizes: size})
            wanted = gamma_sample_derivative(value, x)
            axes = tuple(range(len(size)))
            np.testing.assert_allclose(g, wanted.sum(axes), 1e-12)


@pytest.mark.parametrize(
    ("make", "arguments", "mean"),
    [
        (D.Gamma, ([3.0], [2.0]), lambda a, b: a / b),
        (D.Beta, ([3.0], [2.0]), lambda a, b: a / (a + b)),
        (D.InverseGamma, ([6.0], [2.0]), lambda a, b: b / (a - 1)),
        (D.Chi2, ([5.0],), lambda df: df),
        (D.StudentT, ([9.0], [1.0], [2.0]), lambda df, loc, scale: loc),
        (D.Dirichlet, ([3.0, 2.0],), lambda a: a / a.sum()),
        (D.Exponential, ([2.0],), lambda rate: 1 / rate),
    ],
    ids=["Gamma", "Beta", "InverseGamma", "Chi2", "StudentT", "Dirichlet", "Exponential"],
)
def test_the_mean_of_gradients_is_the_gradient_of_the_mean(make, arguments, mean):
    arguments = [np.array(value) for value in arguments]
    with hf.eager_mode():
        parameters = [hf.constant(value) for value in arguments]
        with hf.GradientTape() as tape:
            tape.watch(parameters)
            made = make(*parameters)
            assert made.reparameterization_type is D.FULLY_REPARAMETERIZED
            first = hf.reduce_mean(made.sample(60_000, seed=5), 0)[0]
        grads = tape.gradient(first, parameters)
    for index, (found, value) in enumerate(zip(grads, arguments, strict=True)):
        for place in range(value.size):
            step = np.zeros_like(value)
            step[place] = 1e-4
            ends = [
                mean(*[other + sign * step * (i == index) for i, other in enumerate(arguments)])
                for sign in (-1, 1)
            ]
            slope = (ends[1] - ends[0])[0] / 2e-4
            assert abs(found.numpy()[place] - slope) < 0.02 + 0.02 * abs(slope)
