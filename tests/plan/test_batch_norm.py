"""Batch normalization in native programs."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of, program_of

# The mean of the interpreter is one of float32.
LIMITS = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-13}


def _network(x, training, data_format):
    channels = x.shape.as_list()[1 if data_format == "NCHW" else 3]
    wide = hf.float32 if x.dtype == hf.float16 else x.dtype
    scale, offset, mean, variance = (hf.placeholder(wide, [channels]) for _ in range(4))
    given = [] if training else [mean, variance]
    found = hf.nn.fused_batch_norm(
        x, scale, offset, *given, data_format=data_format, is_training=training
    )
    y = hf.nn.relu(found[0])
    rng = np.random.default_rng(0)
    feed = {vector: rng.uniform(0.5, 2, channels) for vector in (scale, offset, mean, variance)}
    grads = hf.gradients(hf.reduce_sum(y * y), [x, scale, offset])
    return [y, *found[1:], *grads], feed


def _agree(found, wanted):
    for mine, right in zip(found, wanted, strict=True):
        assert mine.dtype == right.dtype
        bound = LIMITS[mine.dtype.name] * np.abs(right).max()
        np.testing.assert_allclose(mine, right, rtol=0, atol=bound)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", LIMITS)
def test_values_and_gradients(monkeypatch, dtype, training, data_format):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    first = data_format == "NCHW"
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(dtype, [None, 6, 9, 7] if first else [None, 9, 7, 6])
        fetches, feed = _network(x, training, data_format)
        for batch in (8, 3, 1):
            values = np.random.default_rng(batch).normal(10, 2, (batch, *x.shape.as_list()[1:]))
            feed[x] = values
            wanted = session.run(fetches, feed)
            # A single image lies in memory in another way.
            with native.assert_no_compile() if batch == 3 else contextlib.nullcontext():
                program_of(session, fetches, feed)
            _agree(session.run(fetches, feed), wanted)
        assert not native.fallbacks(plan_of(session, fetches))


def test_the_number_of_threads_changes_nothing():
    # Far from zero: a variance from plain squares would lose most digits.
    values = np.random.default_rng(0).normal(1000, 1, (16, 32, 32, 20)).astype(np.float32)
    found = []
    for threads in (1, 3):
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        with hf.Graph().as_default(), hf.Session(config=config) as session:
            x = hf.placeholder(hf.float32, values.shape)
            scale = hf.ones([20])
            y, mean, variance = hf.nn.fused_batch_norm(x, scale, scale)
            program_of(session, [y, mean, variance], {x: values})
            found.append(session.run([y, mean, variance], {x: values}))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    wide = values.astype(np.float64)
    np.testing.assert_allclose(found[0][1], wide.mean((0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(found[0][2], wide.var((0, 1, 2), ddof=1), rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_stays_in_its_channel(value):
    values = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype(np.float32)
    values[1, 2, 3, 1] = value
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, values.shape)
        fetches = list(hf.nn.fused_batch_norm(x, hf.ones([3]), hf.zeros([3])))
        program_of(session, fetches, {x: values})
        y, mean, variance = session.run(fetches, {x: values})
    assert np.isnan(y[..., 1]).all()
    assert np.isfinite(y[..., ::2]).all()
    assert np.isfinite(mean).tolist() == np.isfinite(variance).tolist() == [True, False, True]


def test_gradients_of_moments_that_nobody_has_cost_nothing():
    with hf.Graph().as_default() as graph:
        x = hf.placeholder(hf.float32, [2, 4, 4, 3])
        y, *_ = hf.nn.fused_batch_norm(x, hf.ones([3]), hf.zeros([3]))
        hf.gradients(y, x)
        made = [op.type for op in graph.get_operations() if op.name.startswith("gradients/Fused")]
    assert made == ["FusedBatchNormGrad"]
