"""Elementwise ops as native programs, for zeros of either sign, infinities, NaN and extremes."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import ELEMENTWISE, OPS, Sample
from tests import native
from tests.ops import table
from tests.ops.test_compiled import build

TOLERANCE = {np.float16: 2e-3, np.float32: 4e-6, np.float64: 2e-14}
ELEMENTWISE_OPS = [name for name in table.sampled_ops() if OPS[name].native == ELEMENTWISE]


def specials(dtype):
    kind = np.finfo(dtype)
    extreme = [kind.max, kind.tiny, kind.smallest_subnormal]
    positive = np.array([0, 0.5, 1, 1.5, 2, 2.5, 3, 20, 88, 100, np.inf, *extreme], dtype)
    return np.concatenate([positive, -positive, [np.nan]]).astype(dtype)


def special_rows(op, dtype):
    """The samples of floats alone, each once for its attributes, with all pairs of such values."""
    values, done = specials(dtype), set()
    for row in table.rows(op):
        count, attrs = len(row.arrays), row.sample.attrs
        floats = all(a.dtype == np.float32 for a in row.arrays)
        if not floats or (count, str(attrs)) in done:
            continue
        done.add((count, str(attrs)))
        pairs = [a.ravel() for a in np.meshgrid(values, values)]
        mixed = np.random.default_rng(count).choice(values, (count, 500))
        arrays = [np.tile(values, 3)] if count == 1 else pairs if count == 2 else list(mixed)
        args = table.like(row.sample.args, iter(arrays))
        yield table.Row(op, len(done), Sample(*args, **attrs))


def is_native(session):
    """Whether what ran in it runs without NumPy by now."""
    (runnable,) = session._runnables.values()
    return not native.fallbacks(runnable.plan)


def takes(op, dtype):
    return all(dtype in [d.np for d in allowed] for allowed in op.types.values())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_native_program(dtype):
    """All ops in one test, so that their kernels compile together."""
    runs = []
    for name in ELEMENTWISE_OPS:
        op = OPS[name]
        for row in special_rows(op, dtype) if takes(op, dtype) else ():
            with hf.Graph().as_default():
                outputs, feed = build(row)
                session = hf.Session()
                expected = session.run(outputs, feed)
                session.run(outputs, feed)
            runs.append((row, session, outputs, feed, expected))
    native.wait()
    assert sum(is_native(session) for _, session, *_ in runs) > 50
    tolerance, least = TOLERANCE[dtype], 4 * float(np.finfo(dtype).tiny)
    for row, session, outputs, feed, expected in runs:
        for value, wanted in zip(session.run(outputs, feed), expected, strict=True):
            assert value.dtype == wanted.dtype, row
            np.testing.assert_allclose(value, wanted, tolerance, least, err_msg=str(row))
            if value.dtype.kind == "f":
                number = ~np.isnan(wanted)
                signs = np.signbit(value) == np.signbit(wanted)
                assert signs[number].all(), (row, [a[~signs & number][:4] for a in row.arrays])
