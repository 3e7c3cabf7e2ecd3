"""Every op record a third time: its rows as native programs, against the interpreter."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import OPS
from tests import native
from tests.ops import table

# Ops that kernels compute, but not for these rows: the reason that is given there.
PARTLY = {
    "Acos": "arccos of",
    "Acosh": "arccosh of",
    "Asin": "arcsin of",
    "Asinh": "arcsinh of",
    "Atan": "arctan of",
    "Atan2": "arctan2 of",
    "Atanh": "arctanh of",
    "Cosh": "cosh of",
    "DepthwiseConv2dNative": "several filters",
    "DepthwiseConv2dNativeBackpropFilter": "several filters",
    "DepthwiseConv2dNativeBackpropInput": "several filters",
    "MaxPool": "windows over channels",
    "MaxPoolGrad": "windows over channels",
    "Digamma": "attribute",
    "GatherNd": "coordinates in no dimension",
    "Lgamma": "attribute",
    "OneHot": "one_hot along an inner axis",
    "Polygamma": "attribute",
    "Pow": "powers of integers by several",
    "ReverseV2": "a view that is a copy",
    "ScatterNd": "coordinates in no dimension",
    "Sinh": "sinh of",
    "SparseTensorDenseMatMul": "a sparse product of",
    "TruncateDiv": "attribute 'all'",
    "TruncateMod": "",
    "Zeta": "attribute",
}
TOLERANCE = {np.dtype(np.float16): 2e-3, np.dtype(np.float32): 3e-6, np.dtype(np.float64): 1e-14}


def is_covered(row):
    return all(a.dtype.kind in "fiub" for a in row.arrays)


def build(row):
    """The op on placeholders; what says shapes and axes is constant."""
    feed = {}
    inputs = []
    for array in row.arrays:
        if array.dtype.kind in "fb" or (array.ndim and row.op.plain):
            inputs.append(hf.placeholder(array.dtype.name, array.shape))
            feed[inputs[-1]] = array
        else:
            inputs.append(hf.constant(array))
    outputs = row.op(*table.like(row.sample.args, iter(inputs)), **row.sample.attrs)
    return table.listed(outputs), feed


@pytest.mark.parametrize("name", table.sampled_ops())
def test_native_program(name):
    rows = [row for row in table.rows(OPS[name]) if is_covered(row)]
    runs = []
    for row in rows:
        with hf.Graph().as_default():
            outputs, feed = build(row)
            session = hf.Session()
            expected = session.run(outputs, feed)
            session.run(outputs, feed)
        runs.append((row, session, outputs, feed, expected))
    native.wait()
    for row, session, outputs, feed, expected in runs:
        found = session.run(outputs, feed)
        for value, wanted in zip(found, expected, strict=True):
            wanted = np.asarray(wanted)
            assert np.asarray(value).dtype == wanted.dtype, row
            if wanted.dtype.kind not in "biufc":
                np.testing.assert_array_equal(value, wanted, err_msg=str(row))
                continue
            tolerance = TOLERANCE.get(wanted.dtype, 0)
            np.testing.assert_allclose(
                value, wanted, rtol=tolerance, atol=tolerance / 10, err_msg=str(row)
            )
        (runnable,) = session._runnables.values()
        for problem in native.fallbacks(runnable.plan):
            if not problem.endswith("empty arrays") and (row.op.native or row.op.aliases):
                allowed = PARTLY.get(name)
                assert allowed is not None, (row, problem)
                assert allowed in problem, (row, problem)
        session.close()
