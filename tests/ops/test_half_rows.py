"""Rows of half precision that are given more than once."""

from __future__ import annotations

import numpy as np

import hybridflow as hf


def test_rows_given_often_are_summed_in_single_precision():
    """In half precision 2048 + 1 is 2048."""
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=hf.zeros([2, 1], hf.float16))
        grad = hf.IndexedSlices(hf.ones([4000, 1], hf.float16), np.zeros(4000, np.int32))
        step = hf.train.MomentumOptimizer(1.0, 0.0).apply_gradients([(grad, v)])
        session.run(hf.global_variables_initializer())
        session.run(step)
        np.testing.assert_array_equal(session.run(v), [[-4000], [0]])
