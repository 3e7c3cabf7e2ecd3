"""Quantiles and distribution functions that are not those of `test_distributions.py`."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import hybridflow as hf

D = hf.contrib.distributions


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles_of_normal_numbers(execution, dtype):
    p = np.array([1e-30, 1e-10, 0.01, 0.0749, 0.0751, 0.3, 0.5, 0.9, 0.99, 1 - 1e-6], dtype)
    loc, scale = np.array(1.0, dtype), np.array([[2.0], [0.5]], dtype)

    def tell(p, loc, scale):
        normal = D.Normal(loc, scale)
        return [normal.quantile(p), D.HalfNormal(scale).quantile(p)]

    found, half = execution(tell, p, loc, scale)
    rtol = {"float32": 2e-6, "float64": 1e-14}[dtype]
    wanted = special.ndtri(p.astype(np.float64)) * scale + 1.0
    np.testing.assert_allclose(found, wanted, rtol, 10 * rtol)
    assert found.dtype == dtype
    wanted = special.erfinv(p.astype(np.float64)) * np.sqrt(2.0) * scale
    np.testing.assert_allclose(half, wanted, rtol)


def test_quantiles_have_gradients(execution):
    p = np.array([1e-12, 0.02, 0.5, 0.7, 0.999])

    def slopes(p):
        return [
            hf.gradients(D.Normal(np.float64(0.0), np.float64(2.0)).quantile(p), p)[0],
            hf.gradients(D.HalfNormal(np.float64(2.0)).quantile(p), p)[0],
        ]

    def eagerly(p):
        with hf.GradientTape(persistent=True) as tape:
            tape.watch(p)
            found = [
                D.Normal(np.float64(0.0), np.float64(2.0)).quantile(p),
                D.HalfNormal(np.float64(2.0)).quantile(p),
            ]
        return [tape.gradient(y, p) for y in found]

    normal, half = execution(slopes if execution.name == "graph" else eagerly, p)
    np.testing.assert_allclose(normal, 2.0 / stats.norm.pdf(special.ndtri(p)), 1e-10)
    np.testing.assert_allclose(half, 2.0 / stats.halfnorm.pdf(stats.halfnorm.ppf(p)), 1e-10)


def test_quantiles_at_the_ends(execution):
    p = np.array([0.0, 1.0, -0.1, 1.1, np.nan])

    def tell(p):
        one = np.float64(1.0)
        return [D.Normal(np.float64(0.0), one).quantile(p), D.HalfNormal(one).quantile(p)]

    normal, half = execution(tell, p)
    np.testing.assert_array_equal(normal, [-np.inf, np.inf, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(half, [0.0, np.inf, np.nan, np.nan, np.nan])


def test_the_distribution_function_of_binomial_counts(execution):
    counts = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, np.inf, np.nan])
    probs = np.array([[0.3], [0.75]])
    found = execution(lambda x: D.Binomial(np.float64(3.0), probs=probs).cdf(x), counts)
    wanted = stats.binom.cdf(counts[:7], 3, probs)
    np.testing.assert_allclose(found[:, :7], wanted, 1e-12)
    assert np.isnan(found[:, 7]).all()
    # Between whole numbers it is what TensorFlow 1.15.5 gives.
    between = execution(lambda x: D.Binomial(3.0, probs=0.3).cdf(x), np.float32([0.5, 1.5]))
    np.testing.assert_allclose(between, [0.58431214, 0.9110563], 1e-5)


def test_the_distribution_function_of_binomial_counts_has_gradients():
    with hf.Graph().as_default(), hf.Session() as session:
        probs = hf.constant([0.3, 0.6], hf.float64)
        cdf = D.Binomial(np.float64(3.0), probs=probs).cdf(np.array([[-1.0], [1.0], [3.0]]))
        (grad,) = session.run(hf.gradients(cdf, probs))
    p = np.array([0.3, 0.6])
    step = (stats.binom.cdf(1, 3, p + 1e-6) - stats.binom.cdf(1, 3, p - 1e-6)) / 2e-6
    np.testing.assert_allclose(grad, step, 1e-6)


def test_the_distribution_function_of_classes(execution):
    """The probability of less than a class: what TensorFlow 1.15.5 gives."""

    def tell(classes):
        return [
            D.Categorical(probs=[0.2, 0.3, 0.5]).cdf(classes),
            D.Categorical(logits=[[0.0, 1.0], [2.0, 0.0]]).cdf(classes[1:3]),
        ]

    found, batch = execution(tell, np.array([-1, 0, 1, 2, 3], np.int32))
    np.testing.assert_allclose(found, [0.0, 0.0, 0.2, 0.5, 1.0], 1e-6)
    np.testing.assert_allclose(batch, [0.0, special.expit(2.0)], 1e-6)
