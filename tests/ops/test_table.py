"""Every op record against its NumPy meaning: eager, graph, shapes, layouts, gradients."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OPS, OpDef, Sample, no_gradient, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from tests.ops import table


def run(check, op):
    """Applies a check to all rows of an op; the message names the row that fails."""
    for row in table.rows(op):
        try:
            check(row)
        except Exception as error:
            raise AssertionError(f"{row}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("check", table.CHECKS)
@pytest.mark.parametrize("name", table.sampled_ops())
def test_value(name, check):
    run(table.CHECKS[check], OPS[name])


@pytest.mark.parametrize("mode", table.GRADIENT_CHECKS)
@pytest.mark.parametrize("name", table.differentiable_ops())
def test_gradient(name, mode):
    run(table.GRADIENT_CHECKS[mode], OPS[name])


def test_every_stateless_op_has_samples():
    stateless = {n for n, op in OPS.items() if not op.stateful and op.effect is None}
    # Stacks of loops are no arrays: they are tested with the gradients of loops.
    stateless -= {
        n for n, op in OPS.items() if dtypes.variant in {a.dtype for a in (*op.inputs, *op.outputs)}
    }
    without = {n for n in stateless if OPS[n].samples is None or not table.rows(OPS[n])}
    assert without - set(table.WITHOUT_SAMPLES) == set()


def test_every_gradient_is_checked():
    """An op with a gradient must have a sample at which it is compared with differences."""
    unchecked = {
        name
        for name in table.differentiable_ops()
        if not any(table.Differentiated(row).applies for row in table.rows(OPS[name]))
    }
    assert unchecked - set(table.WITHOUT_NUMERIC_GRADIENT) == set()


# Ops without a gradient although floats go in and come out, and why.
ZERO_DERIVATIVE = {
    "Ceil": "constant in pieces",
    "EditDistance": "constant in pieces",
    "Floor": "constant in pieces",
    "FloorDiv": "constant in pieces",
    "Rint": "constant in pieces",
    "Round": "constant in pieces",
    "TruncateDiv": "constant in pieces",
    "OnesLike": "constant",
    "ZerosLike": "constant",
    "StopGradient": "that is what it is for",
    "SdcaOptimizer": "TF declares it not differentiable",
    "PyFunc": "its function is not known",
    "PyFuncStateless": "its function is not known",
    "ReduceDataset": "what it goes through is not known",
    "CTCBeamSearchDecoder": "TF declares it not differentiable",
    "CTCGreedyDecoder": "TF declares it not differentiable",
    "DecodeCSV": "TF declares it not differentiable",
    **dict.fromkeys(
        (
            "AdjustHue",
            "AdjustSaturation",
            "DrawBoundingBoxes",
            "ExtractGlimpse",
            "HSVToRGB",
            "RGBToHSV",
            "SampleDistortedBoundingBoxV2",
        ),
        "TF declares it not differentiable",
    ),
    "LinSpace": "TF declares it not differentiable",
    "LookupTableFindV2": "TF declares it not differentiable",
    **dict.fromkeys(("QuantizeV2", "Dequantize"), "TF has none"),
    "LoadAndRemapMatrix": "TF declares it not differentiable",
    "OneHot": "TF declares it not differentiable",
    "ParseExample": "TF declares it not differentiable",
    "ParseSingleExample": "TF declares it not differentiable",
    "ParseSingleSequenceExample": "TF declares it not differentiable",
    **dict.fromkeys(
        ("Range", "RandomPoissonV2", "ParameterizedTruncatedNormal"),
        "TF declares it not differentiable",
    ),
    "RandomGammaGrad": "TF has none",
    # What comes out are integers, in a dtype that an attribute names.
    **dict.fromkeys(("ArgMax", "ArgMin", "HistogramFixedWidth", "Multinomial"), "integers"),
    **dict.fromkeys(("Shape", "ShapeN", "Size"), "integers"),
}


def may_be_floats(op, args):
    """Tells whether one of an op's inputs or outputs may be of floating point."""
    for arg in args:
        kinds = [arg.dtype] if arg.dtype is not None else op.types.get(arg.var, (dtypes.float32,))
        if any(kind.is_floating or kind.is_complex for kind in kinds):
            return True
    return False


@pytest.mark.parametrize("name", sorted(OPS))
def test_an_op_without_gradient_has_a_reason(name):
    """Numbers that influence numbers have a gradient, or its absence is an error."""
    op = OPS[name]
    # What is written to variables has no gradient, as in TF.
    if op.grad is not_differentiable and not op.effect and name not in ZERO_DERIVATIVE:
        assert not (may_be_floats(op, op.inputs) and may_be_floats(op, op.outputs))


@pytest.mark.parametrize("name", sorted(n for n, op in OPS.items() if op.grad is no_gradient))
def test_a_missing_gradient_is_an_error(name):
    with pytest.raises(LookupError, match="No gradient defined for operation 'it'"):
        OPS[name].grad(SimpleNamespace(name="it", type=name), None)


# -- the checks themselves -------------------------------------------------------------------------


@pytest.fixture
def record():
    """Makes records of ops that are forgotten after the test."""
    made = []

    def make(compute, grad=not_differentiable, shape=shape_rules.same, out="T", **fields):
        made.append(f"Test{len(made)}")
        return OpDef(
            made[-1],
            f"x: T -> y: {out}",
            shape=shape,
            compute=compute,
            grad=grad,
            samples=lambda rng: [Sample(rng.uniform(0.5, 1.5, (2, 3)))],
            **fields,
        )

    yield make
    for name in made:
        del OPS[name]


def cube(x):
    return x * x * x


def right_gradient(op, dy):
    x = op.inputs[0]
    return raw.Mul(raw.Mul(dy, 3.0), raw.Mul(x, x))


@pytest.mark.parametrize("mode", table.GRADIENT_CHECKS)
class TestGradientChecker:
    def test_accepts_a_right_gradient(self, record, mode):
        run(table.GRADIENT_CHECKS[mode], record(cube, right_gradient))

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda op, dy: None,
            lambda op, dy: dy,
            lambda op, dy: raw.Neg(right_gradient(op, dy)),
            lambda op, dy: raw.Mul(right_gradient(op, dy), 1.0001),
            lambda op, dy: right_gradient(op, raw.OnesLike(dy)),
        ],
        ids=["missing", "identity", "negated", "scaled", "without dy"],
    )
    def test_finds_a_wrong_first_derivative(self, record, mode, wrong):
        with pytest.raises(AssertionError, match="first derivative"):
            run(table.GRADIENT_CHECKS[mode], record(cube, wrong))

    def test_finds_a_wrong_second_derivative(self, record, mode):
        def stopped(op, dy):
            x = raw.StopGradient(op.inputs[0])
            return raw.Mul(raw.Mul(dy, 3.0), raw.Mul(x, x))

        with pytest.raises(AssertionError, match="second derivative"):
            run(table.GRADIENT_CHECKS[mode], record(cube, stopped))

    def test_finds_a_wrong_shape(self, record, mode):
        def flattened(op, dy):
            return raw.Reshape(right_gradient(op, dy), [-1])

        with pytest.raises(AssertionError, match="shape"):
            run(table.GRADIENT_CHECKS[mode], record(cube, flattened))

    def test_finds_a_wrong_count(self, record, mode):
        with pytest.raises(AssertionError, match="2 gradients"):
            run(table.GRADIENT_CHECKS[mode], record(cube, lambda op, dy: (dy, dy)))


class TestValueChecks:
    def test_finds_a_changed_input(self, record):
        def change(x):
            x += 1
            return x.copy()

        with pytest.raises(AssertionError, match="read-only"):
            run(table.check_compute, record(change))

    def test_finds_an_alias(self, record):
        with pytest.raises(AssertionError, match="aliases an input"):
            run(table.check_compute, record(lambda x: x[::1]))
        run(table.check_compute, record(lambda x: x[::1], aliases=True))

    def test_finds_a_dependence_on_layout(self, record):
        def as_stored(x):
            return np.array(x.ravel("K").reshape(x.shape)) if x.flags.forc else np.zeros(x.shape)

        with pytest.raises(AssertionError):
            run(table.check_layout, record(as_stored))

    def test_finds_a_wrong_dtype(self, record):
        op = record(lambda x: x.astype(np.float32), out="float64")
        with pytest.raises(AssertionError, match="float32"):
            run(table.check_graph, op)

    def test_finds_a_wrong_shape_rule(self, record):
        with pytest.raises(AssertionError, match="declared"):
            run(table.check_graph, record(lambda x: x.T.copy()))

    def test_finds_a_shape_rule_that_says_too_little(self, record):
        op = record(lambda x: x.copy(), shape=lambda attrs, x: (None, 3))
        with pytest.raises(AssertionError, match="inputs are known"):
            run(table.check_graph, op)

    def test_finds_a_result_that_changes(self, record):
        calls = []

        def count(x):
            calls.append(x)
            return x + len(calls)

        for check in (table.check_compute, table.check_eager, table.check_graph):
            with pytest.raises(AssertionError):
                run(check, record(count))


def test_a_record_must_have_samples(record):
    with pytest.raises(TypeError, match="samples"):
        OpDef(
            "TestIncomplete",
            "x: T -> y: T",
            types=(dtypes.float32,),
            shape=shape_rules.same,
            compute=np.sin,
            grad=not_differentiable,
        )
