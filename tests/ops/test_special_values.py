"""Ops as native programs, for zeros of either sign, infinities, NaN and extremes."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import ELEMENTWISE, OF_SHAPES, OPS, Sample
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


# Ops whose result depends on the order of their terms, and on whether a product is rounded before
# it is added, where partial sums or products leave the range of numbers. BLAS promises no order.
SUMS_OF_PRODUCTS = (
    *("Conv", "DepthwiseConv", "MatMul", "BatchMatMul", "SparseTensorDense"),
    *("CropAndResize", "Resize"),
)
# BLAS begins a sum with 0 or with its first product, as the processor has it: for products that are
# all -0 that makes 0 or -0.
BY_BLAS = ("Conv", "MatMul", "BatchMatMul")


def without_order(op, values):
    """Those of the values for which the order of an op's terms does not matter."""
    kind, size = np.finfo(values.dtype), np.abs(values)
    if op.name == "Prod" or op.name.startswith("SparseSegment"):
        values = values[(values == 0) | ~np.isfinite(values) | ((size < kind.max) & (size > 0.1))]
    elif op.name.startswith(SUMS_OF_PRODUCTS):
        values = values[size != kind.max]
    if op.name == "ResizeArea":
        # Shares are no powers of two: of what cancels, rounding is left.
        values = values[(values >= 0) | ~np.isfinite(values)]
    return values


def is_in_kernels(op):
    return op.native is not None and op.native not in (ELEMENTWISE, OF_SHAPES)


KERNEL_OPS = [name for name in table.sampled_ops() if is_in_kernels(OPS[name])]


def kernel_rows(op, dtype):
    """The samples with such values for all floats, and with few of them: then sums are not NaN."""
    values = without_order(op, specials(dtype))
    few = without_order(op, np.array([0, -0.0, 1, -1, 2, np.inf], dtype))
    rng = np.random.default_rng(len(op.name))
    for row in table.rows(op):
        floats = [a.dtype == np.float32 for a in row.arrays]
        if not any(a.size for a, is_float in zip(row.arrays, floats, strict=True) if is_float):
            continue
        for chosen in (values, few):
            arrays = [
                rng.choice(chosen, a.shape) if is_float else a
                for a, is_float in zip(row.arrays, floats, strict=True)
            ]
            args = table.like(row.sample.args, iter(arrays))
            yield table.Row(op, row.number, Sample(*args, **row.sample.attrs))


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
    """Whether the floats among the op's inputs may be of this type."""
    fixed = [arg.dtype.np for arg in op.inputs if arg.dtype is not None]
    floats = [[d.np for d in allowed] for allowed in op.types.values()]
    return all(d == dtype for d in fixed if np.dtype(d).kind == "f") and all(
        dtype in allowed for allowed in floats if np.float32 in allowed
    )


def rows_of(kind, dtype):
    names, rows = {
        "elementwise": (ELEMENTWISE_OPS, special_rows),
        "other kernels": (KERNEL_OPS, kernel_rows),
    }[kind]
    for name in names:
        if takes(OPS[name], dtype):
            yield from rows(OPS[name], dtype)


def assert_agree(value, wanted, what, row):
    """Alike to a tolerance, NaN where the other is, and zeros of a sign that is defined."""
    value, wanted = np.asarray(value), np.asarray(wanted)
    assert value.dtype == wanted.dtype, (what, row)
    if wanted.dtype.kind not in "fc":
        np.testing.assert_array_equal(value, wanted, f"{what}: {row}")
        return
    kind = np.finfo(wanted.dtype)
    tolerance, least = TOLERANCE[kind.dtype.type], 4 * float(kind.tiny)
    np.testing.assert_allclose(value, wanted, tolerance, least, err_msg=f"{what}: {row}")
    if row.op.name.startswith(BY_BLAS):
        return
    for part, other in ((value.real, wanted.real), (value.imag, wanted.imag)):
        zero = (part == 0) & (other == 0)
        signs = np.signbit(part) == np.signbit(other)
        assert signs[zero].all(), (what, row, np.argwhere(zero & ~signs)[:4])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind", ["elementwise", "other kernels"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_native_program(kind, dtype):
    """All ops in one test, so that their kernels compile together."""
    runs = []
    for row in rows_of(kind, dtype):
        with hf.Graph().as_default():
            outputs, feed = build(row)
            session = hf.Session()
            try:
                expected = session.run(outputs, feed)
            except hf.errors.InvalidArgumentError:  # values that an op refuses
                continue
            session.run(outputs, feed)
        for found, wanted in zip(table.eager(row), expected, strict=True):
            assert_agree(found, wanted, "eager", row)
        runs.append((row, session, outputs, feed, expected))
    native.wait()
    assert sum(is_native(session) for _, session, *_ in runs) > 50
    for row, session, outputs, feed, expected in runs:
        for value, wanted in zip(session.run(outputs, feed), expected, strict=True):
            assert_agree(value, wanted, "native", row)
        session.close()
